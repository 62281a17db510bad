//! From an intake to the payment page, and back from it.

use actix_web::http::StatusCode;
use actix_web::http::header::ACCEPT;
use actix_web::web::{Data, Query};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use kernel::id::{IntakeId, OrderId, SessionId};
use kernel::{PlanCode, SessionType};
use serde::{Deserialize, Serialize};

use super::auth::Customer;
use super::idempotency::Keyed;
use super::intake::{route, route_after};
use super::list;
use super::middleware::RequestId;
use super::problem::FieldError;
use super::{Access, ApiResult, Problem, Router};
use crate::pages;
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::resolve_checkout::{Resolved, resolve_checkout};
use crate::usecases::start_checkout::{Refusal, Started, intake_to_pay, start_checkout};

/// Adds the routes. They come before `/api/sessions/{id}`, which would match one of them too.
pub fn routes(router: &mut Router) {
    router.post("/api/checkout", Access::Customer, start);
    router.get("/api/checkout", Access::Customer, follow);
    router.get("/api/sessions/resolve-by-stripe", Access::Customer, resolve);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StartRequest {
    intake_id: Option<IntakeId>,
}

#[derive(Serialize)]
struct PageBody {
    order_id: OrderId,
    checkout_session_id: String,
    checkout_url: String,
}

#[derive(Serialize)]
struct BoughtBody {
    session_id: SessionId,
    route: String,
}

async fn start(
    customer: Customer,
    body: Keyed<StartRequest>,
    pitlane: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let Keyed { value, key } = body;
    let user = customer.id();
    key.once(pitlane, user, move |pitlane| async move {
        let intake = value.intake_id.ok_or(Refusal::IntakeRequired).map_err(Error::from)?;
        match start_checkout(&pitlane, user, intake).await? {
            Started::Open(page) => Ok(HttpResponse::Created().json(PageBody {
                order_id: page.order,
                checkout_session_id: page.checkout,
                checkout_url: page.url,
            })),
            Started::Bought(session) => {
                let session_type = session_type(&pitlane, session).await?;
                let route = route(session, session_type.modality());
                Ok(HttpResponse::Ok().json(BoughtBody { session_id: session, route }))
            }
        }
    })
    .await
}

async fn session_type(pitlane: &Pitlane, session: SessionId) -> Result<SessionType, Error> {
    let found =
        pitlane.db.read(move |tx| sessions::Store::session_by_id(tx, session).map_err(Error::from)).await?;
    Ok(found.ok_or(sessions::Error::NotFound)?.parts().session_type)
}

#[derive(Debug, Deserialize)]
struct FollowQuery {
    plan: Option<String>,
    intake_id: Option<String>,
}

/// The link that leads to the payment page. It makes an order, so no other site may send people here.
async fn follow(
    customer: Customer,
    request: HttpRequest,
    query: Query<FollowQuery>,
    pitlane: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    require_same_site(&request)?;
    match onward(&pitlane, &customer, &query).await {
        Ok(target) => Ok(pages::frame::go(&target)),
        Err(problem) if wants_page(&request) => {
            let id = request.extensions().get::<RequestId>().map_or_else(String::new, |id| id.0.clone());
            Ok(pages::errors::respond(&request, &problem, &id).await)
        }
        Err(problem) => Err(problem),
    }
}

async fn onward(pitlane: &Pitlane, customer: &Customer, query: &FollowQuery) -> ApiResult<String> {
    let plan = query.plan.as_deref().map(|name| plan(pitlane, name)).transpose()?;
    let named = query.intake_id.as_deref().map(intake_id).transpose()?;
    let intake = match (named, plan) {
        (Some(intake), _) => Some(intake),
        (None, Some(code)) => intake_to_pay(pitlane, customer.id(), code).await?,
        (None, None) => {
            let message = "Say which plan it is for.";
            return Err(Problem::invalid(vec![FieldError::new("plan", "missing", message)]));
        }
    };
    let Some(intake) = intake else { return Ok(intake_page(plan)) };
    match start_checkout(pitlane, customer.id(), intake).await {
        Ok(Started::Open(page)) => Ok(page.url),
        Ok(Started::Bought(session)) => Ok(route(session, session_type(pitlane, session).await?.modality())),
        Err(Error::Checkout(Refusal::IntakeRequired)) => Ok(intake_page(plan)),
        Err(error) => Err(error.into()),
    }
}

fn intake_page(plan: Option<PlanCode>) -> String {
    plan.map_or_else(|| "/intake".to_owned(), |plan| format!("/intake?plan={plan}"))
}

fn plan(pitlane: &Pitlane, name: &str) -> ApiResult<PlanCode> {
    pitlane.catalog.resolve(name).ok_or_else(|| {
        Problem::invalid(vec![FieldError::new("plan", "unknown_plan", format!("There is no plan {name:?}."))])
    })
}

fn intake_id(text: &str) -> ApiResult<IntakeId> {
    text.parse()
        .map_err(|_| Problem::invalid(vec![FieldError::new("intake_id", "wrong_type", "This is no id.")]))
}

// Browsers say where a request comes from; programs that don't are let through, as everywhere.
fn require_same_site(request: &HttpRequest) -> ApiResult<()> {
    let site = request.headers().get("sec-fetch-site").map(|value| value.to_str().unwrap_or("cross-site"));
    if site.is_none_or(|site| matches!(site, "same-origin" | "same-site" | "none")) {
        return Ok(());
    }
    let detail = "This link works only from Pitlane's own pages.";
    Err(Problem::new(StatusCode::FORBIDDEN, "cross_origin", detail))
}

fn wants_page(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

#[derive(Debug, Deserialize)]
struct ResolveQuery {
    session_id: Option<String>,
}

#[derive(Serialize)]
struct ResolvedBody {
    session_id: SessionId,
    session_type: SessionType,
    route: String,
}

#[derive(Serialize)]
struct WaitingBody {
    status: &'static str,
}

async fn resolve(
    customer: Customer,
    query: Query<ResolveQuery>,
    pitlane: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let Some(checkout) = query.session_id.as_deref() else {
        let message = "Give the id of the payment page.";
        return Err(Problem::invalid(vec![FieldError::new("session_id", "missing", message)]));
    };
    list::text("session_id", Some(checkout))?;
    let conflict = |code, text: &str| Err(Problem::new(StatusCode::CONFLICT, code, text));
    match resolve_checkout(&pitlane, customer.id(), checkout).await? {
        Resolved::Session { id, session_type, changed } => Ok(HttpResponse::Ok().json(ResolvedBody {
            session_id: id,
            session_type,
            route: route_after(id, session_type.modality(), changed),
        })),
        Resolved::Processing { .. } => {
            Ok(HttpResponse::Accepted().json(WaitingBody { status: "processing" }))
        }
        Resolved::Failed => {
            conflict("payment_failed", "The payment did not go through. Nothing was charged.")
        }
        Resolved::Expired => {
            conflict("checkout_expired", "The payment page has run out. Nothing was charged.")
        }
        Resolved::Returned => conflict("order_refunded", "This could not be made, and the money goes back."),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn another_site_can_not_send_people_to_the_payment_page() {
        for (site, passes) in [
            (None, true),
            (Some("same-origin"), true),
            (Some("same-site"), true),
            (Some("none"), true),
            (Some("cross-site"), false),
            (Some("anything"), false),
        ] {
            let mut request = TestRequest::default();
            if let Some(site) = site {
                request = request.insert_header(("Sec-Fetch-Site", site));
            }
            assert_eq!(require_same_site(&request.to_http_request()).is_ok(), passes, "{site:?}");
        }
    }
}
