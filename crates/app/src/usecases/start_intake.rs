//! The customer has described the car and the problem and accepted the waiver. The free plan is fulfilled here and
//! now, in the same way as a paid one; the others go on to checkout.

use std::sync::Arc;

use accounts::{Mechanic, ProviderStore, UserStore};
use crm::NewInteraction;
use crm::interaction::VehicleFacts;
use intake::submit::NewIntake;
use intake::{Fault, Intake, ProviderType, Routing, Submitted, VehicleForm, WaiverAcceptance};
use kernel::id::{FileId, HoldId, IntakeId, ProviderId, SessionId, UpsellId, UserId};
use kernel::{Context, Modality, Money, PlanCode};
use pricing::Plan;
use store::Tx;
use uuid::Uuid;

use crate::state::Pitlane;
use crate::usecases::fulfil_order::{self, Fulfilling};
use crate::usecases::start_checkout::Refusal;
use crate::usecases::{Error, journey};

/// What a customer sent.
#[derive(Debug, Clone)]
pub struct StartIntake {
    /// Who they are.
    pub customer: UserId,
    /// The address they came from.
    pub address: String,
    /// A plan's code or alias.
    pub plan: String,
    /// The car.
    pub vehicle: VehicleForm,
    /// The problem.
    pub concern: String,
    /// Whether they accept the waiver.
    pub accept_waiver: bool,
    /// The version of the waiver that they had in front of them, when it is known.
    pub waiver_shown: Option<String>,
    /// A mechanic or a workshop, by either's id.
    pub preferred_mechanic: Option<Uuid>,
    /// `broadcast` or `priority_broadcast`.
    pub routing: Option<String>,
    /// `independent` or `workshop`.
    pub provider_type: Option<String>,
    /// A slot that is kept for them.
    pub hold: Option<HoldId>,
    /// The recommendation that led here.
    pub upsell: Option<UpsellId>,
    /// Uploads of theirs.
    pub files: Vec<FileId>,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The intake.
    pub intake: IntakeId,
    /// The plan.
    pub plan: PlanCode,
    /// What it costs.
    pub price: Money,
    /// The session, when there is nothing to pay.
    pub session: Option<(SessionId, Modality)>,
}

/// Writes the intake down and, for the free plan, makes its session.
///
/// # Errors
/// [`Error::EmailUnverified`] and [`payments::Error::FreePlanUsed`], both for the free plan only;
/// [`intake::Error::Invalid`] with everything that is wrong; the storage's.
pub async fn start_intake(pitlane: &Pitlane, sent: StartIntake) -> Result<Started, Error> {
    let (cx, fulfilling, waivers) =
        (pitlane.context(), Fulfilling::new(pitlane), Arc::clone(&pitlane.waivers));
    pitlane
        .db
        .write(move |tx| {
            let (catalog, book) = (&fulfilling.catalog, fulfilling.catalog.active());
            let named = catalog.resolve(&sent.plan).and_then(|code| book.plan(code));
            if named.is_some_and(Plan::first_time_only) {
                require_first_time(tx, sent.customer)?;
            }
            let new = judged(tx, &sent, named.map(Plan::code))?;
            let Submitted { intake, acceptance } = intake::submit(tx, &waivers, new, &cx)?;
            tell(tx, &intake, &acceptance, &cx)?;
            let plan = book.plan(intake.plan).ok_or(Refusal::PlanNotSold)?;
            let session = if plan.price().is_zero() {
                Some((fulfil_order::order_free(tx, &intake, &fulfilling, &cx)?, plan.modality()))
            } else {
                None
            };
            Ok(Started { intake: intake.id, plan: plan.code(), price: plan.price(), session })
        })
        .await
}

// Said before anything else, so that nobody fills in a form for nothing. The order decides again, under a lock.
fn require_first_time(tx: &mut Tx<'_>, customer: UserId) -> Result<(), Error> {
    let user = tx.user_by_id(customer)?.ok_or(Refusal::NotFound)?;
    if !user.email_verified() {
        return Err(Error::EmailUnverified);
    }
    if user.has_used_free_session() {
        return Err(payments::Error::FreePlanUsed.into());
    }
    Ok(())
}

// Judges what only the other domains know, and leaves the rest to the intake.
fn judged(tx: &mut Tx<'_>, sent: &StartIntake, plan: Option<PlanCode>) -> Result<NewIntake, Error> {
    let mut faults = Vec::new();
    let routing = named("routing_type", sent.routing.as_deref(), Routing::parse, &mut faults);
    let provider_type =
        named("provider_type", sent.provider_type.as_deref(), ProviderType::parse, &mut faults);
    let preferred_provider = match sent.preferred_mechanic {
        None => None,
        Some(id) => {
            let found = provider(tx, id)?;
            if found.is_none() {
                let message = "There is no such mechanic, or they don't work here any more.";
                faults.push(Fault::new("preferred_mechanic_id", "not_found", message));
            }
            found
        }
    };
    if sent.hold.is_some() {
        // A hold is a promise about time, and nothing makes holds yet: whatever is named does not exist.
        faults.push(Fault::new(
            "hold_id",
            "not_found",
            "This time is not kept for you any more. Choose another.",
        ));
    }
    Ok(NewIntake {
        customer: sent.customer,
        plan,
        vehicle: sent.vehicle.clone(),
        concern: sent.concern.clone(),
        accept_waiver: sent.accept_waiver,
        waiver_shown: sent.waiver_shown.clone(),
        address: sent.address.clone(),
        routing,
        preferred_provider,
        provider_type,
        hold: sent.hold,
        upsell: sent.upsell,
        files: sent.files.clone(),
        faults,
    })
}

fn named<T>(
    field: &'static str,
    name: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let name = name?;
    let found = parse(name);
    if found.is_none() {
        faults.push(Fault::new(field, "unknown_value", format!("There is no {field} of that name.")));
    }
    found
}

/// The provider that an approved mechanic works for, or a workshop with an approved mechanic; by either's id.
fn provider(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<ProviderId>, Error> {
    if let Some(mechanic) = tx.mechanic_by_user(UserId::new(id))? {
        return Ok(mechanic.is_approved().then(|| mechanic.provider()));
    }
    let works = tx.mechanics_of_provider(ProviderId::new(id))?.iter().any(Mechanic::is_approved);
    Ok(works.then(|| ProviderId::new(id)))
}

fn tell(tx: &mut Tx<'_>, intake: &Intake, acceptance: &WaiverAcceptance, cx: &Context) -> Result<(), Error> {
    let vehicle = VehicleFacts {
        year: intake.vehicle.year(),
        make: intake.vehicle.make(),
        model: intake.vehicle.model(),
        has_vin: intake.vehicle.vin().is_some(),
        mileage: intake.vehicle.mileage(),
    };
    let (customer, id) = (intake.customer, intake.id);
    let submitted = NewInteraction::intake_submitted(customer, id, intake.plan, vehicle, &intake.files);
    journey::record(tx, submitted, cx)?;
    journey::record(tx, NewInteraction::waiver_accepted(customer, id, &acceptance.version), cx)
}
