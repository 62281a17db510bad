//! A customer's cars.

use intake::garage;
use intake::vehicle::OwnedVehicle;
use intake::{Store as _, VehicleChange, VehicleForm};
use kernel::Timestamp;
use kernel::id::{UserId, VehicleId};

use super::Error;
use crate::state::Pitlane;

/// The cars on a customer's list, the one described last first; with `after`, what follows that one.
///
/// # Errors
/// The storage's.
pub async fn list(
    pitlane: &Pitlane,
    customer: UserId,
    after: Option<(Timestamp, VehicleId)>,
    limit: u32,
) -> Result<Vec<OwnedVehicle>, Error> {
    pitlane.db.read(move |tx| Ok(tx.vehicles_by_customer(customer, after, limit)?)).await
}

/// Puts a car on the list.
///
/// # Errors
/// Those of [`garage::add`].
pub async fn add(pitlane: &Pitlane, customer: UserId, form: VehicleForm) -> Result<OwnedVehicle, Error> {
    let cx = pitlane.context();
    pitlane.db.write(move |tx| Ok(garage::add(tx, customer, &form, &cx)?)).await
}

/// Corrects a car on the list.
///
/// # Errors
/// Those of [`garage::correct`].
pub async fn correct(
    pitlane: &Pitlane,
    customer: UserId,
    vehicle: VehicleId,
    change: VehicleChange,
) -> Result<OwnedVehicle, Error> {
    let cx = pitlane.context();
    pitlane.db.write(move |tx| Ok(garage::correct(tx, customer, vehicle, &change, &cx)?)).await
}

/// Takes a car off the list.
///
/// # Errors
/// Those of [`garage::remove`].
pub async fn remove(pitlane: &Pitlane, customer: UserId, vehicle: VehicleId) -> Result<(), Error> {
    let cx = pitlane.context();
    pitlane.db.write(move |tx| Ok(garage::remove(tx, customer, vehicle, &cx)?)).await
}
