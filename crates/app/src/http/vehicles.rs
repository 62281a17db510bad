//! `/api/me/vehicles`: a customer's cars.

use std::fmt;
use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use intake::vehicle::OwnedVehicle;
use intake::{VehicleChange, VehicleForm};
use kernel::Timestamp;
use kernel::id::VehicleId;
use serde::{Deserialize, Serialize};

use super::auth::Customer;
use super::extract::{Body, NoBody, present};
use super::idempotency::Keyed;
use super::list::{List, Paging};
use super::problem::ApiResult;
use super::router::{Access, Router};
use crate::state::Pitlane;
use crate::usecases::vehicles;

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/me/vehicles", Access::Customer, list);
    router.post("/api/me/vehicles", Access::Customer, add);
    router.patch("/api/me/vehicles/{id}", Access::Customer, correct);
    router.delete("/api/me/vehicles/{id}", Access::Customer, remove);
}

/// A car of the customer.
#[derive(Serialize)]
pub struct VehicleBody {
    id: VehicleId,
    year: u16,
    make: String,
    model: String,
    vin: Option<String>,
    mileage: Option<u32>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<OwnedVehicle> for VehicleBody {
    fn from(owned: OwnedVehicle) -> Self {
        let vehicle = &owned.vehicle;
        Self {
            id: owned.id,
            year: vehicle.year(),
            make: vehicle.make().to_owned(),
            model: vehicle.model().to_owned(),
            vin: vehicle.vin().map(str::to_owned),
            mileage: vehicle.mileage(),
            created_at: owned.created_at,
            updated_at: owned.updated_at,
        }
    }
}

/// A car as it was typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VehicleRequest {
    year: i64,
    make: String,
    model: String,
    vin: Option<String>,
    mileage: Option<i64>,
}

impl From<VehicleRequest> for VehicleForm {
    fn from(request: VehicleRequest) -> Self {
        let VehicleRequest { year, make, model, vin, mileage } = request;
        Self { year, make, model, vin, mileage }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeRequest {
    year: Option<i64>,
    make: Option<String>,
    model: Option<String>,
    #[serde(default, deserialize_with = "present")]
    vin: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    mileage: Option<Option<i64>>,
}

/// Where a page of cars ends: when its last one was described, and which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place(Timestamp, VehicleId);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.0, self.1)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, id) = text.split_once('_').ok_or(())?;
        Ok(Self(at.parse().map_err(drop)?, id.parse().map_err(drop)?))
    }
}

async fn list(customer: Customer, paging: Query<Paging>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let (limit, after) = (paging.limit(), paging.cursor::<Place>()?);
    let cars = vehicles::list(&app, customer.id(), after.map(|Place(at, id)| (at, id)), limit + 1).await?;
    let place = |car: &OwnedVehicle| Place(car.updated_at, car.id);
    Ok(HttpResponse::Ok().json(List::of(cars, limit, place, VehicleBody::from)))
}

async fn add(customer: Customer, sent: Keyed<VehicleRequest>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let Keyed { value, key } = sent;
    let owner = customer.id();
    key.once(app, owner, move |app| async move {
        let added = vehicles::add(&app, owner, value.into()).await?;
        Ok(HttpResponse::Created().json(VehicleBody::from(added)))
    })
    .await
}

async fn correct(
    customer: Customer,
    id: Path<VehicleId>,
    sent: Body<ChangeRequest>,
    app: Data<Pitlane>,
) -> ApiResult<Json<VehicleBody>> {
    let ChangeRequest { year, make, model, vin, mileage } = sent.0;
    let change = VehicleChange { year, make, model, vin, mileage };
    let corrected = vehicles::correct(&app, customer.id(), *id, change).await?;
    Ok(Json(corrected.into()))
}

async fn remove(
    customer: Customer,
    id: Path<VehicleId>,
    _: NoBody,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    vehicles::remove(&app, customer.id(), *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let at = Timestamp::from_unix_seconds(1_795_000_000).expect("an instant").plus_millis(7);
        let place = Place(at, VehicleId::new(Uuid::from_u128(7)));
        assert_eq!(place.to_string().parse(), Ok(place));
        for wrong in ["", "_", "7", "2026-11-26T10:00:00Z", "2026-11-26T10:00:00Z_7"] {
            assert_eq!(wrong.parse::<Place>(), Err(()), "{wrong}");
        }
    }
}
