//! `/unsubscribe/{token}`: the end of a kind of mail, by one click and without signing in.
//!
//! Opening the address changes nothing, because mail scanners open links. The button on the page posts to it, and so
//! does a mail program on its own (RFC 8058); what proves the request is the token, so neither a sign-in nor an origin
//! is asked for.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use notifications::Topic;
use serde::Deserialize;
use web::frame::Nav;
use web::unsubscribe::{UnsubscribePage, UnsubscribeState};

use super::frame::{frame, show};
use crate::http::auth::Visitor;
use crate::http::{Access, ApiResult, Router};
use crate::state::Pitlane;
use crate::usecases::preferences;

type App = Data<Pitlane>;

/// Adds the page and what its button posts to.
pub fn routes(router: &mut Router) {
    router.get("/unsubscribe/{token}", Access::Public, ask);
    router.post("/unsubscribe/{token}", Access::Public, stop);
}

fn page(
    app: &App,
    visitor: &Visitor,
    token: String,
    topic: Option<Topic>,
    state: UnsubscribeState,
) -> ApiResult<HttpResponse> {
    let (state, status) = match topic {
        Some(_) => (state, StatusCode::OK),
        None => (UnsubscribeState::Unknown, StatusCode::NOT_FOUND),
    };
    let what = topic.map_or("", what).to_owned();
    show(&UnsubscribePage { frame: frame(app, visitor.0.as_ref(), Nav::None), token, what, state }, status)
}

/// The mails about a topic, in the words of its switch.
pub const fn what(topic: Topic) -> &'static str {
    match topic {
        Topic::FollowUp => "Reminders of your next steps",
        Topic::Reviews => "Invitations to review a session",
        Topic::Recommendations => "Services that may suit your car",
    }
}

async fn ask(visitor: Visitor, app: App, token: Path<String>) -> ApiResult<HttpResponse> {
    let topic = preferences::read_token(&app.settings.auth.secret, &token).map(|(_, topic)| topic);
    page(&app, &visitor, token.into_inner(), topic, UnsubscribeState::Ready)
}

/// A mail program sends `List-Unsubscribe=One-Click`, the page's second button `again`.
#[derive(Deserialize)]
struct Clicked {
    again: Option<String>,
}

async fn stop(
    visitor: Visitor,
    app: App,
    token: Path<String>,
    form: Option<Form<Clicked>>,
) -> ApiResult<HttpResponse> {
    let again = form.is_some_and(|form| form.again.is_some());
    let topic = preferences::by_link(&app, &token, again).await?;
    let state = if again { UnsubscribeState::Again } else { UnsubscribeState::Done };
    page(&app, &visitor, token.into_inner(), topic, state)
}
