//! Checking what a customer sent, and writing it down.

use std::collections::BTreeSet;

use kernel::id::{FileId, HoldId, IntakeId, ProviderId, UpsellId, UserId, VehicleId, WaiverAcceptanceId};
use kernel::{Context, PlanCode};

use crate::concern::Concern;
use crate::error::{Error, Fault};
use crate::intake::{FILES_MAX, Intake, ProviderType, Routing};
use crate::store::Store;
use crate::upload::INTAKE_SECONDS;
use crate::vehicle::{OwnedVehicle, Vehicle, VehicleForm};
use crate::waiver::{WaiverAcceptance, Waivers};

/// What a customer sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntake {
    /// Who they are.
    pub customer: UserId,
    /// The plan they chose; `None` when what they named is none, which is told together with all else.
    pub plan: Option<PlanCode>,
    /// The car as typed.
    pub vehicle: VehicleForm,
    /// The problem as typed.
    pub concern: String,
    /// Whether they accept the waiver.
    pub accept_waiver: bool,
    /// The version of the waiver that they had in front of them, when it is known.
    pub waiver_shown: Option<String>,
    /// The address they came from.
    pub address: String,
    /// Whom to ask first; without an answer, the preferred provider if there is one.
    pub routing: Option<Routing>,
    /// The provider they prefer. That it exists has been checked.
    pub preferred_provider: Option<ProviderId>,
    /// What kind of provider that is.
    pub provider_type: Option<ProviderType>,
    /// The slot that is kept for them.
    pub hold: Option<HoldId>,
    /// The recommendation that led here.
    pub upsell: Option<UpsellId>,
    /// Uploads of theirs.
    pub files: Vec<FileId>,
    /// What the caller found wrong with fields that only it can judge. Any of them refuses the intake.
    pub faults: Vec<Fault>,
}

/// What was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The intake.
    pub intake: Intake,
    /// The acceptance of the waiver.
    pub acceptance: WaiverAcceptance,
}

/// Checks what a customer sent and writes down the intake, its car and the acceptance of the waiver in force. The
/// files are kept as long as an order may take to be paid.
///
/// # Errors
/// [`Error::Invalid`] with everything that is wrong, or the storage's.
pub fn submit(
    store: &mut dyn Store,
    waivers: &Waivers,
    new: NewIntake,
    cx: &Context,
) -> Result<Submitted, Error> {
    let mut faults = new.faults.clone();
    let plan = new.plan.ok_or_else(|| Fault::new("plan", "unknown_plan", "There is no such plan."));
    let plan = plan.map_err(|fault| faults.insert(0, fault)).ok();
    let concern = Concern::parse(&new.concern).map_err(|fault| faults.push(fault)).ok();
    let vehicle = Vehicle::check(&new.vehicle, cx.now).map_err(|wrong| faults.extend(wrong)).ok();
    let waiver = waivers
        .accepted(new.accept_waiver, new.waiver_shown.as_deref())
        .map_err(|fault| faults.push(fault))
        .ok();
    let routing = routing(&new).map_err(|fault| faults.push(fault)).ok();
    faults.extend(keep_files(store, &new, cx)?);
    let (Some(plan), Some(concern), Some(vehicle), Some(waiver), Some(routing), true) =
        (plan, concern, vehicle, waiver, routing, faults.is_empty())
    else {
        return Err(Error::Invalid(faults));
    };
    let vehicle_id = store.vehicle_put(&OwnedVehicle {
        id: VehicleId::new(cx.id()),
        customer: new.customer,
        vehicle: vehicle.clone(),
        created_at: cx.now,
        updated_at: cx.now,
    })?;
    let intake = Intake {
        id: IntakeId::new(cx.id()),
        customer: new.customer,
        plan,
        vehicle_id,
        vehicle,
        concern,
        routing,
        preferred_provider: new.preferred_provider,
        provider_type: new.provider_type,
        hold: new.hold,
        upsell: new.upsell,
        files: new.files,
        created_at: cx.now,
    };
    store.intake_insert(&intake)?;
    let acceptance = WaiverAcceptance {
        id: WaiverAcceptanceId::new(cx.id()),
        customer: new.customer,
        intake: intake.id,
        version: waiver.version().to_owned(),
        address: new.address.chars().take(64).collect(),
        accepted_at: cx.now,
    };
    store.waiver_acceptance_insert(&acceptance)?;
    Ok(Submitted { intake, acceptance })
}

fn routing(new: &NewIntake) -> Result<Routing, Fault> {
    match (new.routing, new.preferred_provider) {
        (Some(Routing::PriorityBroadcast), None) => Err(Fault::new(
            "preferred_mechanic_id",
            "missing",
            "Say which mechanic is to be asked first, or ask all of them.",
        )),
        (Some(routing), _) => Ok(routing),
        (None, Some(_)) => Ok(Routing::PriorityBroadcast),
        (None, None) => Ok(Routing::Broadcast),
    }
}

fn keep_files(store: &mut dyn Store, new: &NewIntake, cx: &Context) -> Result<Vec<Fault>, Error> {
    if new.files.len() > FILES_MAX {
        let message = format!("Add at most {FILES_MAX} files.");
        return Ok(vec![Fault::new("file_ids", "too_many", message)]);
    }
    let until = cx.now.plus_seconds(INTAKE_SECONDS);
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, file) in new.files.iter().enumerate() {
        let field = format!("file_ids[{index}]");
        if !seen.insert(*file) {
            faults.push(Fault::new(field, "repeated", "List each file once."));
        } else if !store.upload_keep(*file, new.customer, until, cx.now)? {
            let message =
                "This file is not there, or it was kept too long without being used. Please add it again.";
            faults.push(Fault::new(field, "not_found", message));
        }
    }
    Ok(faults)
}
