//! The cars of a customer.
//!
//! Changes go to the API by script: `POST /api/me/vehicles`, `PATCH` and `DELETE /api/me/vehicles/{id}`.

use crate::money::grouped;

/// What the page says about cars.
#[derive(Clone, Debug)]
pub enum CarSection {
    /// Who is no customer has none here.
    Absent,
    /// The cars, the one described last first; empty if there is none.
    Cars(Vec<CarRow>),
}

/// One car.
#[derive(Clone, Debug, Default)]
pub struct CarRow {
    /// The vehicle's id; empty in a form for a new one.
    pub id: String,
    /// Model year.
    pub year: String,
    /// Make.
    pub make: String,
    /// Model.
    pub model: String,
    /// Vehicle identification number; empty if it is not known.
    pub vin: String,
    /// Miles.
    pub mileage: Option<u32>,
}

impl CarRow {
    /// `2016 Honda Civic`.
    pub(crate) fn title(&self) -> String {
        format!("{} {} {}", self.year, self.make, self.model)
    }

    /// `84,000`; empty if it is not known.
    pub(crate) fn miles(&self) -> String {
        self.mileage.map(|miles| grouped(u64::from(miles))).unwrap_or_default()
    }

    /// What stands below its name.
    pub(crate) fn facts(&self) -> String {
        let miles = self.mileage.map(|_| format!("{} miles", self.miles()));
        let vin = (!self.vin.is_empty()).then(|| format!("VIN {}", self.vin));
        let facts: Vec<String> = miles.into_iter().chain(vin).collect();
        if facts.is_empty() { "Mileage and VIN not given".to_owned() } else { facts.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::CarRow;

    #[test]
    fn what_is_known_of_a_car_stands_below_its_name() {
        let car = |vin: &str, mileage| CarRow { vin: vin.to_owned(), mileage, ..CarRow::default() };
        assert_eq!(car("", None).facts(), "Mileage and VIN not given");
        assert_eq!(car("", Some(84_210)).facts(), "84,210 miles");
        assert_eq!(car("19XFB2F59EE000007", Some(0)).facts(), "0 miles, VIN 19XFB2F59EE000007");
    }
}
