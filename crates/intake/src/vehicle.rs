//! A customer's car.

use kernel::Timestamp;
use kernel::id::{UserId, VehicleId};

use crate::error::Fault;
use crate::vin::Vin;

/// The oldest model year that is taken.
pub const OLDEST_YEAR: u16 = 1950;
/// The first model year with numbers of 17 characters. Older cars have shorter ones, each maker by its own rules.
pub const STANDARD_VIN_YEAR: u16 = 1981;
/// The most miles.
pub const MILEAGE_MAX: u32 = 2_000_000;

const NAME_MAX: usize = 60;

/// A car as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VehicleForm {
    /// Model year.
    pub year: i64,
    /// Make.
    pub make: String,
    /// Model.
    pub model: String,
    /// Vehicle identification number; blank is none.
    pub vin: Option<String>,
    /// Miles on the clock.
    pub mileage: Option<i64>,
}

/// A car whose fields have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vehicle {
    year: u16,
    make: String,
    model: String,
    vin: Option<String>,
    mileage: Option<u32>,
}

/// The newest model year that is taken: next year's models are sold this year.
pub fn latest_year(now: Timestamp) -> u16 {
    u16::try_from(now.as_offset_date_time().year()).unwrap_or(u16::MAX).saturating_add(1)
}

impl Vehicle {
    /// Checks a car as it was typed: model year 1950 to next year, make and model of 1 to 60 characters, a VIN whose
    /// own arithmetic holds and whose model year is the one given, and 0 to 2,000,000 miles.
    ///
    /// # Errors
    /// Everything that is wrong, by fields that begin with `vehicle.`.
    pub fn check(form: &VehicleForm, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let year = year(form.year, now).map_err(|fault| faults.push(fault)).ok();
        let make = name("vehicle.make", "make", &form.make).map_err(|fault| faults.push(fault)).ok();
        let model = name("vehicle.model", "model", &form.model).map_err(|fault| faults.push(fault)).ok();
        let typed = form.vin.as_deref().map(str::trim).filter(|vin| !vin.is_empty());
        let vin = typed.map(|typed| number(typed, year)).transpose().map_err(|fault| faults.push(fault)).ok();
        let mileage = form.mileage.map(mileage).transpose().map_err(|fault| faults.push(fault)).ok();
        match (year, make, model, vin, mileage) {
            (Some(year), Some(make), Some(model), Some(vin), Some(mileage)) => {
                Ok(Self { year, make, model, vin, mileage })
            }
            _ => Err(faults),
        }
    }

    /// Puts a stored car together again. The years of its time are not judged again: a car does not become invalid.
    ///
    /// # Errors
    /// The name of the first field that can't be.
    pub fn restore(
        year: i64,
        make: String,
        model: String,
        vin: Option<String>,
        mileage: Option<i64>,
    ) -> Result<Self, &'static str> {
        let year = u16::try_from(year).ok().filter(|year| *year >= OLDEST_YEAR).ok_or("year")?;
        let make = name("", "", &make).map_err(|_| "make")?;
        let model = name("", "", &model).map_err(|_| "model")?;
        let vin = vin.map(|vin| number(&vin, Some(year))).transpose().map_err(|_| "vin")?;
        let mileage = mileage.map(self::mileage).transpose().map_err(|_| "mileage")?;
        Ok(Self { year, make, model, vin, mileage })
    }

    /// Model year.
    pub const fn year(&self) -> u16 {
        self.year
    }

    /// Make.
    pub fn make(&self) -> &str {
        &self.make
    }

    /// Model.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Vehicle identification number, in capitals. Only the mechanic who has accepted may see it.
    pub fn vin(&self) -> Option<&str> {
        self.vin.as_deref()
    }

    /// Miles on the clock when it was described.
    pub const fn mileage(&self) -> Option<u32> {
        self.mileage
    }

    /// `2014 Honda Civic`.
    pub fn title(&self) -> String {
        format!("{} {} {}", self.year, self.make, self.model)
    }

    /// What makes two descriptions of one customer the same car: the VIN, or else year, make and model in any case.
    pub fn identity(&self) -> String {
        match &self.vin {
            Some(vin) => format!("vin:{vin}"),
            None => format!("{}:{}:{}", self.year, self.make.to_lowercase(), self.model.to_lowercase()),
        }
    }
}

/// A customer's car as it is kept for the next time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedVehicle {
    /// The car.
    pub id: VehicleId,
    /// Whose it is.
    pub customer: UserId,
    /// What it is, in the newest description.
    pub vehicle: Vehicle,
    /// When it was described first.
    pub created_at: Timestamp,
    /// When it was described last.
    pub updated_at: Timestamp,
}

fn year(typed: i64, now: Timestamp) -> Result<u16, Fault> {
    let latest = latest_year(now);
    u16::try_from(typed).ok().filter(|year| (OLDEST_YEAR..=latest).contains(year)).ok_or_else(|| {
        Fault::new(
            "vehicle.year",
            "out_of_range",
            format!("Enter a model year from {OLDEST_YEAR} to {latest}."),
        )
    })
}

fn name(field: &'static str, what: &str, typed: &str) -> Result<String, Fault> {
    let trimmed = typed.trim();
    if trimmed.is_empty() {
        return Err(Fault::new(field, "missing", format!("Enter the {what} of the car.")));
    }
    if trimmed.chars().count() > NAME_MAX {
        return Err(Fault::new(field, "too_long", format!("Use at most {NAME_MAX} characters.")));
    }
    if trimmed.chars().any(char::is_control) {
        return Err(Fault::new(field, "invalid_characters", "Use letters, digits and signs only."));
    }
    Ok(trimmed.to_owned())
}

fn number(typed: &str, year: Option<u16>) -> Result<String, Fault> {
    let fault = |code, message| Fault::new("vehicle.vin", code, message);
    if let Some(short) = old_number(typed, year) {
        return Ok(short);
    }
    let vin = Vin::parse(typed).map_err(|wrong| fault(wrong.code(), wrong.to_string()))?;
    match (vin.model_year(), year) {
        (Some(from_vin), Some(year)) if from_vin != year => Err(fault(
            "vin_year_mismatch",
            format!("This VIN is of a {from_vin} car, and the year above is {year}."),
        )),
        (Some(_) | None, Some(_) | None) => Ok(vin.as_str().to_owned()),
    }
}

// The number of a car from before the standard: 4 to 16 letters and digits, about which nothing more is known.
fn old_number(typed: &str, year: Option<u16>) -> Option<String> {
    if year.is_none_or(|year| year >= STANDARD_VIN_YEAR) {
        return None;
    }
    let plain: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let fits = (4..=16).contains(&plain.len()) && plain.chars().all(|c| c.is_ascii_alphanumeric());
    fits.then(|| plain.to_ascii_uppercase())
}

fn mileage(typed: i64) -> Result<u32, Fault> {
    u32::try_from(typed).ok().filter(|miles| *miles <= MILEAGE_MAX).ok_or_else(|| {
        Fault::new(
            "vehicle.mileage",
            "out_of_range",
            "Enter the miles as a number from 0 to 2,000,000.".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_unix_seconds(1_760_860_800).expect("in range")
    }

    fn form() -> VehicleForm {
        VehicleForm { year: 2003, make: " Honda ".into(), model: "Accord".into(), vin: None, mileage: None }
    }

    fn codes(form: &VehicleForm) -> Vec<(String, &'static str)> {
        Vehicle::check(form, now())
            .err()
            .map(|faults| faults.into_iter().map(|fault| (fault.field, fault.code)).collect())
            .unwrap_or_default()
    }

    #[test]
    fn each_field_has_its_own_faults() {
        type Change = fn(&mut VehicleForm);
        let cases: [(&str, &str, Change); 16] = [
            ("vehicle.year", "out_of_range", |form| form.year = 1949),
            ("vehicle.year", "out_of_range", |form| form.year = 2027),
            ("vehicle.year", "out_of_range", |form| form.year = i64::MIN),
            ("vehicle.make", "missing", |form| form.make = "  ".into()),
            ("vehicle.make", "too_long", |form| form.make = "x".repeat(61)),
            ("vehicle.model", "missing", |form| form.model = String::new()),
            ("vehicle.model", "invalid_characters", |form| form.model = "Ci\0vic".into()),
            ("vehicle.mileage", "out_of_range", |form| form.mileage = Some(-1)),
            ("vehicle.mileage", "out_of_range", |form| form.mileage = Some(2_000_001)),
            ("vehicle.vin", "vin_length", |form| form.vin = Some("1HG".into())),
            ("vehicle.vin", "vin_character", |form| form.vin = Some("1HGCM82633AOO4352".into())),
            ("vehicle.vin", "vin_check_digit", |form| form.vin = Some("1HGCM82633A004353".into())),
            ("vehicle.vin", "vin_year_mismatch", |form| {
                form.vin = Some("1HGCM82633A004352".into());
                form.year = 2004;
            }),
            // The same character of the tenth place, thirty years apart: the seventh place decides.
            ("vehicle.vin", "vin_year_mismatch", |form| {
                form.vin = Some("1FTFW1ET9DFC10312".into());
                form.year = 1983;
            }),
            ("vehicle.vin", "vin_year_mismatch", |form| {
                form.vin = Some("1HGCM82633A004352".into());
                form.year = 1970;
            }),
            ("vehicle.vin", "vin_length", |form| {
                form.vin = Some("ABC".into());
                form.year = 1970;
            }),
        ];
        for (field, code, change) in cases {
            let mut form = form();
            change(&mut form);
            assert_eq!(codes(&form), [(field.to_owned(), code)], "{form:?}");
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let form = VehicleForm {
            year: 1900,
            make: String::new(),
            model: String::new(),
            vin: Some("x".into()),
            mileage: Some(-1),
        };
        let fields: Vec<String> = codes(&form).into_iter().map(|(field, _)| field).collect();
        assert_eq!(
            fields,
            ["vehicle.year", "vehicle.make", "vehicle.model", "vehicle.vin", "vehicle.mileage"]
        );
    }

    #[test]
    fn good_cars_pass() {
        type Change = fn(&mut VehicleForm);
        let cases: [(Change, Option<&str>); 7] = [
            (|_| {}, None),
            (|form| form.vin = Some("  ".into()), None),
            (|form| form.vin = Some("1hgcm82633a004352".into()), Some("1HGCM82633A004352")),
            (|form| form.vin = Some("WVWZZZ1JZ3W386752".into()), Some("WVWZZZ1JZ3W386752")),
            (
                |form| {
                    form.vin = Some("6r07c-123456".into());
                    form.year = 1966;
                },
                Some("6R07C123456"),
            ),
            (|form| form.year = 2026, None),
            (|form| form.mileage = Some(0), None),
        ];
        for (change, vin) in cases {
            let mut form = form();
            change(&mut form);
            let vehicle = Vehicle::check(&form, now()).expect("a good car");
            assert_eq!((vehicle.make(), vehicle.vin()), ("Honda", vin));
            let again = Vehicle::restore(
                i64::from(vehicle.year()),
                vehicle.make().to_owned(),
                vehicle.model().to_owned(),
                vehicle.vin().map(str::to_owned),
                vehicle.mileage().map(i64::from),
            );
            assert_eq!(again, Ok(vehicle));
        }
    }

    #[test]
    fn a_car_is_the_same_by_its_vin_or_by_its_name_in_any_case() {
        let check = |change: fn(&mut VehicleForm)| {
            let mut form = form();
            change(&mut form);
            Vehicle::check(&form, now()).expect("a good car").identity()
        };
        assert_eq!(check(|_| {}), check(|form| form.make = "HONDA".into()));
        assert_ne!(check(|_| {}), check(|form| form.model = "Civic".into()));
        let with_vin = check(|form| form.vin = Some("1HGCM82633A004352".into()));
        assert_ne!(check(|_| {}), with_vin);
        let renamed = check(|form| {
            form.vin = Some("1HGCM82633A004352".into());
            form.model = "Accord LX".into();
        });
        assert_eq!(renamed, with_vin);
    }
}
