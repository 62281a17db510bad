//! `/api/me/notifications`: which mails a person wants.

use actix_web::HttpResponse;
use actix_web::web::Data;
use notifications::Topic;
use serde::{Deserialize, Serialize};

use super::auth::SignedIn;
use super::extract::Body;
use super::problem::{ApiResult, FieldError, Problem};
use super::router::{Access, Router};
use crate::state::Pitlane;
use crate::usecases::preferences;

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/me/notifications", Access::SignedIn, read);
    router.put("/api/me/notifications", Access::SignedIn, choose);
}

/// What a person gets by mail.
#[derive(Debug, Clone, Serialize)]
pub struct PreferencesBody {
    follow_up: bool,
    reviews: bool,
    recommendations: bool,
    /// What belongs to a session or a payment. Always `true`.
    transactional: bool,
    /// What was asked for to get into the account. Always `true`.
    security: bool,
}

impl PreferencesBody {
    /// From what was chosen.
    pub fn of(wanted: &[(Topic, bool)]) -> Self {
        let wants = |topic: Topic| wanted.iter().any(|(one, wanted)| *one == topic && *wanted);
        Self {
            follow_up: wants(Topic::FollowUp),
            reviews: wants(Topic::Reviews),
            recommendations: wants(Topic::Recommendations),
            transactional: true,
            security: true,
        }
    }
}

async fn read(person: SignedIn, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let wanted = preferences::read(&app, person.id()).await?;
    Ok(HttpResponse::Ok().json(PreferencesBody::of(&wanted)))
}

/// What is absent stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceRequest {
    follow_up: Option<bool>,
    reviews: Option<bool>,
    recommendations: Option<bool>,
    transactional: Option<bool>,
    security: Option<bool>,
}

impl ChoiceRequest {
    fn check(&self) -> Result<Vec<(Topic, bool)>, Problem> {
        let fixed = [("transactional", self.transactional), ("security", self.security)];
        let wrong: Vec<FieldError> = fixed
            .into_iter()
            .filter(|(_, wanted)| *wanted == Some(false))
            .map(|(field, _)| FieldError::new(field, "always_on", "These mails can't be switched off."))
            .collect();
        if !wrong.is_empty() {
            return Err(Problem::invalid(wrong));
        }
        let chosen = [
            (Topic::FollowUp, self.follow_up),
            (Topic::Reviews, self.reviews),
            (Topic::Recommendations, self.recommendations),
        ];
        Ok(chosen.into_iter().filter_map(|(topic, wanted)| Some((topic, wanted?))).collect())
    }
}

async fn choose(person: SignedIn, app: Data<Pitlane>, body: Body<ChoiceRequest>) -> ApiResult<HttpResponse> {
    let wanted = preferences::choose(&app, person.id(), body.0.check()?).await?;
    Ok(HttpResponse::Ok().json(PreferencesBody::of(&wanted)))
}
