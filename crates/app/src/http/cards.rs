//! `/api/me/cards`: the cards that the payment provider keeps for a customer.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use payments::gateway::SavedCard;
use serde::Serialize;

use super::auth::Customer;
use super::extract::NoBody;
use super::list::{List, Paging};
use super::problem::{ApiResult, Problem};
use super::router::{Access, Router};
use crate::state::Pitlane;
use crate::usecases::cards;

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/me/cards", Access::Customer, list);
    router.delete("/api/me/cards/{id}", Access::Customer, forget);
}

/// A kept card. Its number is known to nobody here.
#[derive(Serialize)]
pub struct CardBody {
    id: String,
    brand: String,
    last4: String,
    exp_month: u32,
    exp_year: u32,
}

impl From<SavedCard> for CardBody {
    fn from(card: SavedCard) -> Self {
        let SavedCard { id, brand, last4, exp_month, exp_year, fingerprint: _ } = card;
        Self { id, brand, last4, exp_month, exp_year }
    }
}

async fn list(customer: Customer, paging: Query<Paging>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let all = cards::list(&app, customer.id()).await?;
    Ok(HttpResponse::Ok().json(List::counted(all, &paging, CardBody::from)?))
}

async fn forget(
    customer: Customer,
    id: Path<String>,
    app: Data<Pitlane>,
    _body: NoBody,
) -> ApiResult<HttpResponse> {
    if !cards::forget(&app, customer.id(), &id).await? {
        return Err(Problem::not_found());
    }
    Ok(HttpResponse::NoContent().finish())
}
