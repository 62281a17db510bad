//! `/intake`: the car, the problem and the waiver. It works without script, except for adding files.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use intake::vehicle::latest_year;
use intake::{FILES_MAX, Store as _, Upload, VehicleForm};
use kernel::UserId;
use kernel::id::FileId;
use pricing::Plan;
use serde::Deserialize;
use url::form_urlencoded;
use web::account::CarRow;
use web::form::Errors;
use web::frame::Nav;
use web::intake::{IntakeForm, IntakePage, UploadedFile, Waiver};

use super::account::cars;
use super::frame::{frame, go, show};
use super::{plans, policy, start};
use crate::http::auth::Customer;
use crate::http::intake::route;
use crate::http::{Access, ApiResult, Problem, Router, address, extract};
use crate::state::Pitlane;
use crate::usecases::start_checkout::intake_to_pay;
use crate::usecases::start_intake::{StartIntake, Started, start_intake};
use crate::usecases::{Error, vehicles};

const CHOOSE_A_PLAN: &str = "/dashboard#launcher";

/// The most cars to choose from.
const CARS_OFFERED: u32 = 5;

/// Adds the page and what its form posts to.
pub fn routes(router: &mut Router) {
    router.get("/intake", Access::Customer, open);
    router.post("/intake", Access::Customer, send);
}

#[derive(Deserialize)]
struct Wanted {
    plan: Option<String>,
}

async fn open(customer: Customer, pitlane: Data<Pitlane>, wanted: Query<Wanted>) -> ApiResult<HttpResponse> {
    let Some(plan) = plan(&pitlane, wanted.plan.as_deref().unwrap_or("")) else {
        return Ok(go(CHOOSE_A_PLAN));
    };
    let cars = cars(&pitlane, customer.id()).await?;
    let form = cars.first().map(last_time).unwrap_or_default();
    let errors = if plan.first_time_only() { not_for_free(&customer) } else { Errors::default() };
    let unpaid = intake_to_pay(&pitlane, customer.id(), plan.code()).await?;
    let page = IntakePage { unpaid: unpaid.is_some(), ..page(&pitlane, &customer, plan, form, cars, errors) };
    show(&page, StatusCode::OK)
}

async fn send(
    customer: Customer,
    request: HttpRequest,
    payload: Payload,
    pitlane: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let body = extract::collect(&request, payload.into_inner()).await?;
    let typed = Typed::read(&body);
    let Some(plan) = plan(&pitlane, &typed.plan) else { return Ok(go(CHOOSE_A_PLAN)) };
    let sent = match typed.sent(customer.id(), address::of(&request, &pitlane)) {
        Ok(sent) => sent,
        Err(fault) => return again(&pitlane, &customer, plan, &typed, fault.into()).await,
    };
    match start_intake(&pitlane, sent).await {
        Ok(started) => Ok(go(&onward(&started))),
        Err(error) => again(&pitlane, &customer, plan, &typed, error).await,
    }
}

fn onward(started: &Started) -> String {
    match started.session {
        Some((session, modality)) => route(session, modality),
        None => format!("/api/checkout?plan={}&intake_id={}", started.plan, started.intake),
    }
}

fn plan<'a>(pitlane: &'a Pitlane, name: &str) -> Option<&'a Plan> {
    let code = pitlane.catalog.resolve(name)?;
    pitlane.catalog.active().plan(code)
}

fn not_for_free(customer: &Customer) -> Errors {
    if customer.user().has_used_free_session() {
        Errors::one("", "You have had your free session. Choose another plan.")
    } else if !customer.user().email_verified() {
        Errors::one("", "Confirm your e-mail address first: open the link that we have sent you.")
    } else {
        Errors::default()
    }
}

/// The form as it was typed.
#[derive(Debug, Default)]
struct Typed {
    plan: String,
    waiver_version: Option<String>,
    form: IntakeForm,
    files: Vec<String>,
}

impl Typed {
    fn read(body: &[u8]) -> Self {
        let mut typed = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let value = value.into_owned();
            match name.as_ref() {
                "plan" => typed.plan = value,
                "concern" => typed.form.concern = value,
                "year" => typed.form.year = value,
                "make" => typed.form.make = value,
                "model" => typed.form.model = value,
                "vin" => typed.form.vin = value,
                "mileage" => typed.form.mileage = value,
                "waiver_version" => typed.waiver_version = Some(value),
                "accept_waiver" => typed.form.accept_waiver = value == "yes",
                "file_ids" => typed.files.push(value),
                // Browsers and their extensions add fields of their own.
                _ => {}
            }
        }
        typed
    }

    fn sent(&self, customer: UserId, address: String) -> Result<StartIntake, intake::Error> {
        let form = &self.form;
        let files: Result<Vec<FileId>, _> = self.files.iter().map(|id| id.parse()).collect();
        let files = files.map_err(|_| {
            let message = "One of the files is not there any more. Please add it again.";
            intake::Error::Invalid(vec![intake::Fault::new("file_ids", "not_found", message)])
        })?;
        Ok(StartIntake {
            customer,
            address,
            plan: self.plan.clone(),
            vehicle: VehicleForm {
                // What is no number lies outside every range and is told as that.
                year: number(&form.year).unwrap_or(-1),
                make: form.make.clone(),
                model: form.model.clone(),
                vin: Some(form.vin.clone()),
                mileage: (!form.mileage.trim().is_empty()).then(|| number(&form.mileage).unwrap_or(-1)),
            },
            concern: form.concern.clone(),
            accept_waiver: form.accept_waiver,
            waiver_shown: self.waiver_version.clone(),
            preferred_mechanic: None,
            routing: None,
            provider_type: None,
            hold: None,
            upsell: None,
            files,
        })
    }
}

/// A whole number as people type it: `84,000`, `84 000`.
fn number(typed: &str) -> Option<i64> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
    digits.parse().ok()
}

/// The page again, with what was typed and what was wrong with it.
async fn again(
    pitlane: &Pitlane,
    customer: &Customer,
    plan: &Plan,
    typed: &Typed,
    failure: Error,
) -> ApiResult<HttpResponse> {
    let (problem, faults) = start::faults(&failure)?;
    let mut errors = Errors::default();
    if let Some(message) = faults.whole() {
        errors.push("", message);
    }
    for fault in faults.fields() {
        errors.push(form_field(&fault.field), fault.message.clone());
    }
    let mut form = typed.form.clone();
    form.files = uploads(pitlane, customer.id(), &typed.files).await?.into_iter().map(shown).collect();
    // A waiver that has changed must be read and ticked again.
    form.accept_waiver &= errors.of("accept_waiver").is_none();
    let cars = cars(pitlane, customer.id()).await?;
    show(&page(pitlane, customer, plan, form, cars, errors), problem.status)
}

/// `vehicle.vin` and `file_ids[2]` stand on the page as `vin` and `file_ids`.
fn form_field(field: &str) -> String {
    let field = field.strip_prefix("vehicle.").unwrap_or(field);
    field.split('[').next().unwrap_or(field).to_owned()
}

async fn uploads(pitlane: &Pitlane, owner: UserId, ids: &[String]) -> Result<Vec<Upload>, Problem> {
    let ids: Vec<FileId> = ids.iter().filter_map(|id| id.parse().ok()).take(FILES_MAX).collect();
    let now = pitlane.clock.now();
    let found = pitlane.db.read(move |tx| {
        let mut found = Vec::new();
        for id in ids {
            found.extend(tx.upload_waiting(id, owner, now)?);
        }
        Ok::<_, Error>(found)
    });
    Ok(found.await?)
}

fn shown(upload: Upload) -> UploadedFile {
    UploadedFile {
        id: upload.id.to_string(),
        name: upload.name,
        bytes: i64::try_from(upload.size_bytes).unwrap_or(i64::MAX),
    }
}

/// The cars that are offered, the one described last first.
async fn cars(pitlane: &Pitlane, customer: UserId) -> Result<Vec<CarRow>, Problem> {
    let cars = vehicles::list(pitlane, customer, None, CARS_OFFERED).await?;
    Ok(cars.into_iter().map(cars::row).collect())
}

// The miles of last time are not today's.
fn last_time(car: &CarRow) -> IntakeForm {
    let CarRow { year, make, model, vin, .. } = car.clone();
    IntakeForm { year, make, model, vin, ..IntakeForm::default() }
}

fn page(
    pitlane: &Pitlane,
    customer: &Customer,
    plan: &Plan,
    form: IntakeForm,
    cars: Vec<CarRow>,
    errors: Errors,
) -> IntakePage {
    let waiver = pitlane.waivers.current();
    IntakePage {
        frame: frame(pitlane, Some(&customer.0), Nav::None),
        plan: plans::card(plan),
        form,
        cars,
        errors,
        unpaid: false,
        waiver: Waiver { version: waiver.version().to_owned(), paragraphs: waiver.paragraphs().to_vec() },
        latest_year: i64::from(latest_year(pitlane.clock.now())),
        max_files: i64::try_from(FILES_MAX).unwrap_or(i64::MAX),
        max_file_bytes: i64::try_from(pitlane.settings.files.max_file_bytes).unwrap_or(i64::MAX),
        policy: policy::policy(pitlane.catalog.active().cancellation(), plan.price()),
        refund_after_minutes: i64::from(pitlane.settings.dispatch.refund_after_seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_a_browser_sends_it() {
        let typed = Typed::read(
            b"plan=chat10&concern=It+shakes%0D%0Aa+lot&year=2014&make=Honda&model=Civic&vin=&mileage=84%2C000\
              &waiver_version=2025-10&accept_waiver=yes&file_ids=a&file_ids=b&other=1",
        );
        assert_eq!((typed.plan.as_str(), typed.form.concern.as_str()), ("chat10", "It shakes\r\na lot"));
        assert_eq!((typed.files.len(), typed.form.accept_waiver), (2, true));
        assert_eq!(typed.waiver_version.as_deref(), Some("2025-10"));
        assert!(Typed::read(b"%ff=1&accept_waiver=on").form.concern.is_empty());
    }

    #[test]
    fn numbers_are_read_as_people_type_them() {
        for (typed, read) in
            [("2014", Some(2_014)), (" 84,000 ", Some(84_000)), ("84 000", Some(84_000)), ("x", None)]
        {
            assert_eq!(number(typed), read, "{typed}");
        }
    }

    #[test]
    fn a_fault_finds_its_field_on_the_page() {
        for (field, on_page) in [("vehicle.vin", "vin"), ("file_ids[2]", "file_ids"), ("concern", "concern")]
        {
            assert_eq!(form_field(field), on_page);
        }
    }
}
