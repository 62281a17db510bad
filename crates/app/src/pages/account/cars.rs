//! The cars of a customer.

use accounts::User;
use intake::vehicle::OwnedVehicle;
use kernel::Role;
use web::account::{CarRow, CarSection};

use crate::state::Pitlane;
use crate::usecases::{Error, vehicles};

/// The most cars that the page shows.
const SHOWN: u32 = 100;

/// The section of this person.
///
/// # Errors
/// When the storage fails.
pub(super) async fn section(app: &Pitlane, person: &User) -> Result<CarSection, Error> {
    match person.role() {
        Role::Customer => {
            let cars = vehicles::list(app, person.id(), None, SHOWN).await?;
            Ok(CarSection::Cars(cars.into_iter().map(row).collect()))
        }
        Role::Mechanic | Role::Workshop | Role::Support | Role::Admin => Ok(CarSection::Absent),
    }
}

/// A car as pages show it.
pub(in crate::pages) fn row(owned: OwnedVehicle) -> CarRow {
    let vehicle = owned.vehicle;
    CarRow {
        id: owned.id.to_string(),
        year: vehicle.year().to_string(),
        make: vehicle.make().to_owned(),
        model: vehicle.model().to_owned(),
        vin: vehicle.vin().unwrap_or_default().to_owned(),
        mileage: vehicle.mileage(),
    }
}
