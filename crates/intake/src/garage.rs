//! A customer's own list of cars: adding, correcting, taking off.
//!
//! Cars come onto the list by themselves when they are described for a session. What was corrected shows in earlier
//! sessions too; what was taken off the list stays there.

use kernel::Context;
use kernel::id::{UserId, VehicleId};

use crate::error::{Error, Fault};
use crate::store::Store;
use crate::vehicle::{OwnedVehicle, Vehicle, VehicleForm};

/// The most cars that a customer may have on the list to add another by hand.
pub const VEHICLES_MAX: usize = 50;

/// A correction; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VehicleChange {
    /// Model year.
    pub year: Option<i64>,
    /// Make.
    pub make: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Vehicle identification number; `Some(None)` takes it away.
    pub vin: Option<Option<String>>,
    /// Miles on the clock; `Some(None)` takes them away.
    pub mileage: Option<Option<i64>>,
}

/// Puts a car on the customer's list.
///
/// # Errors
/// [`Error::Invalid`] by the names of the form's fields, [`Error::VehicleKept`], [`Error::TooManyVehicles`], or a failure
/// of the store.
pub fn add(
    store: &mut dyn Store,
    customer: UserId,
    form: &VehicleForm,
    cx: &Context,
) -> Result<OwnedVehicle, Error> {
    let vehicle = checked(form, cx)?;
    let cars = store.vehicles_for_update(customer)?;
    if has(&cars, &vehicle) {
        return Err(Error::VehicleKept);
    }
    if cars.len() >= VEHICLES_MAX {
        return Err(Error::TooManyVehicles { max: VEHICLES_MAX });
    }
    let mut owned = OwnedVehicle {
        id: VehicleId::new(cx.id()),
        customer,
        vehicle,
        created_at: cx.now,
        updated_at: cx.now,
    };
    owned.id = store.vehicle_put(&owned)?;
    Ok(owned)
}

/// Corrects a car on the customer's list.
///
/// # Errors
/// [`Error::UnknownVehicle`], [`Error::Invalid`] by the names of the change's fields, [`Error::VehicleKept`] when it is
/// then the same as another one, or a failure of the store.
pub fn correct(
    store: &mut dyn Store,
    customer: UserId,
    id: VehicleId,
    change: &VehicleChange,
    cx: &Context,
) -> Result<OwnedVehicle, Error> {
    let mut others = store.vehicles_for_update(customer)?;
    let at = others.iter().position(|car| car.id == id).ok_or(Error::UnknownVehicle)?;
    let before = others.swap_remove(at);
    let vehicle = checked(&changed(&before.vehicle, change), cx)?;
    if has(&others, &vehicle) {
        return Err(Error::VehicleKept);
    }
    if vehicle == before.vehicle {
        return Ok(before);
    }
    let after = OwnedVehicle { vehicle, updated_at: cx.now, ..before };
    store.vehicle_update(&after)?;
    Ok(after)
}

/// Takes a car off the customer's list. Sessions about it stay as they are.
///
/// # Errors
/// [`Error::UnknownVehicle`] or a failure of the store.
pub fn remove(store: &mut dyn Store, customer: UserId, id: VehicleId, cx: &Context) -> Result<(), Error> {
    if store.vehicle_remove(customer, id, cx.now)? { Ok(()) } else { Err(Error::UnknownVehicle) }
}

fn has(cars: &[OwnedVehicle], vehicle: &Vehicle) -> bool {
    cars.iter().any(|car| car.vehicle.identity() == vehicle.identity())
}

fn changed(before: &Vehicle, change: &VehicleChange) -> VehicleForm {
    let VehicleChange { year, make, model, vin, mileage } = change.clone();
    VehicleForm {
        year: year.unwrap_or_else(|| i64::from(before.year())),
        make: make.unwrap_or_else(|| before.make().to_owned()),
        model: model.unwrap_or_else(|| before.model().to_owned()),
        vin: vin.unwrap_or_else(|| before.vin().map(str::to_owned)),
        mileage: mileage.unwrap_or_else(|| before.mileage().map(i64::from)),
    }
}

// Here the car is the whole request, so that its fields stand alone.
fn checked(form: &VehicleForm, cx: &Context) -> Result<Vehicle, Error> {
    let alone = |fault: Fault| match fault.field.strip_prefix("vehicle.") {
        Some(field) => Fault { field: field.to_owned(), ..fault },
        None => fault,
    };
    Vehicle::check(form, cx.now).map_err(|faults| Error::Invalid(faults.into_iter().map(alone).collect()))
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;

    use super::*;

    fn civic() -> Vehicle {
        let form = VehicleForm {
            year: 2016,
            make: "Honda".to_owned(),
            model: "Civic".to_owned(),
            vin: None,
            mileage: Some(84_000),
        };
        Vehicle::check(&form, Timestamp::from_unix_seconds(1_795_000_000).expect("an instant"))
            .expect("a car")
    }

    #[test]
    fn what_is_absent_stays_and_what_is_null_goes() {
        let nothing = changed(&civic(), &VehicleChange::default());
        assert_eq!((nothing.year, nothing.model.as_str(), nothing.mileage), (2016, "Civic", Some(84_000)));
        let change = VehicleChange {
            mileage: Some(None),
            model: Some("Accord".to_owned()),
            ..VehicleChange::default()
        };
        let form = changed(&civic(), &change);
        assert_eq!((form.make.as_str(), form.model.as_str(), form.mileage), ("Honda", "Accord", None));
    }
}
