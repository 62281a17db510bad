//! `/intake?plan=…`: what the car does, which car it is, and the waiver.
//!
//! The form posts to `/intake` with `plan`, `concern`, `year`, `make`, `model`, `vin`, `mileage`, `waiver_version`,
//! `accept_waiver` (`yes` when ticked) and any number of `file_ids`. Files go to `POST /api/files` by script, one
//! request a file, before the form is sent.

use askama::Template;

use crate::account::CarRow;
use crate::form::Errors;
use crate::frame::Frame;
use crate::money::grouped;
use crate::plan::PlanCard;
use crate::policy::Policy;

/// The intake page.
#[derive(Debug, Template)]
#[template(path = "intake.html")]
pub struct IntakePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The plan that was chosen.
    pub plan: PlanCard,
    /// What was typed, or the car of last time.
    pub form: IntakeForm,
    /// The cars that are kept, the one described last first.
    pub cars: Vec<CarRow>,
    /// Whether a request for this plan is there that was not paid.
    pub unpaid: bool,
    /// What was wrong with it, by the names of the form's fields.
    pub errors: Errors,
    /// The waiver to accept.
    pub waiver: Waiver,
    /// The newest model year that is taken.
    pub latest_year: i64,
    /// How many files may be added.
    pub max_files: i64,
    /// How large one file may be.
    pub max_file_bytes: i64,
    /// After how long a request that nobody took is refunded.
    pub refund_after_minutes: i64,
    /// What goes back when the session is called off.
    pub policy: Policy,
}

/// What was typed, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct IntakeForm {
    /// The problem in the customer's words.
    pub concern: String,
    /// Model year.
    pub year: String,
    /// Make.
    pub make: String,
    /// Model.
    pub model: String,
    /// Vehicle identification number.
    pub vin: String,
    /// Mileage.
    pub mileage: String,
    /// Whether the waiver was ticked.
    pub accept_waiver: bool,
    /// Files that were uploaded already.
    pub files: Vec<UploadedFile>,
}

/// A file that waits for its session.
#[derive(Clone, Debug, Default)]
pub struct UploadedFile {
    /// The file's id.
    pub id: String,
    /// Its name on the customer's device.
    pub name: String,
    /// Its size in bytes.
    pub bytes: i64,
}

/// The waiver in force.
#[derive(Clone, Debug, Default)]
pub struct Waiver {
    /// Its version, sent back with the form.
    pub version: String,
    /// Its text, one entry a paragraph.
    pub paragraphs: Vec<String>,
}

impl IntakePage {
    /// Whether this is the car in the form.
    pub(crate) fn is_chosen(&self, car: &CarRow) -> bool {
        let IntakeForm { year, make, model, vin, .. } = &self.form;
        (year, make, model, vin) == (&car.year, &car.make, &car.model, &car.vin)
    }

    /// Whether the car in the form is none of those that are kept.
    pub(crate) fn is_another_car(&self) -> bool {
        !self.cars.iter().any(|car| self.is_chosen(car))
    }

    pub(crate) fn max_file_megabytes(&self) -> i64 {
        self.max_file_bytes / 1_000_000
    }
}

impl UploadedFile {
    /// `2.1 MB`, `48 KB`.
    pub(crate) fn size(&self) -> String {
        file_size(self.bytes)
    }
}

/// Bytes as `2.1 MB` or `48 KB`, rounded down, at least `1 KB`.
pub(crate) fn file_size(bytes: i64) -> String {
    let kilobytes = u64::try_from(bytes).unwrap_or_default() / 1_000;
    if kilobytes >= 1_000 {
        format!("{}.{} MB", grouped(kilobytes / 1_000), kilobytes % 1_000 / 100)
    } else {
        format!("{} KB", kilobytes.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::file_size;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in
            [(0, "1 KB"), (48_999, "48 KB"), (2_150_000, "2.1 MB"), (1_250_000_000, "1,250.0 MB")]
        {
            assert_eq!(file_size(bytes), text);
        }
    }
}
