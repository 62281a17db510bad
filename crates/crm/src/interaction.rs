//! Steps that were taken.

use kernel::id::{FileId, IntakeId, InteractionId, OrderId, ProviderId, SessionId, UpsellId, UserId};
use kernel::{Context, Money, PlanCode, SessionType, StoreError, Timestamp};

use crate::kind::InteractionKind;
use crate::metadata::Metadata;
use crate::store::Store;

/// A step that a customer has taken. Never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// The step taken.
    pub id: InteractionId,
    /// Who took it.
    pub customer: UserId,
    /// Which step.
    pub kind: InteractionKind,
    /// The session it belongs to, when there is one.
    pub session: Option<SessionId>,
    /// What is known about it.
    pub metadata: Metadata,
    /// When.
    pub created_at: Timestamp,
}

/// A step about to be recorded. Each kind has a constructor that takes what that step must tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInteraction {
    /// Who takes it.
    pub customer: UserId,
    /// Which step.
    pub kind: InteractionKind,
    /// The session it belongs to, when there is one.
    pub session: Option<SessionId>,
    /// What is known about it.
    pub metadata: Metadata,
}

/// The car of an intake, without its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VehicleFacts<'a> {
    /// Model year.
    pub year: u16,
    /// Make.
    pub make: &'a str,
    /// Model.
    pub model: &'a str,
    /// Whether the number was given.
    pub has_vin: bool,
    /// Miles on the clock.
    pub mileage: Option<u32>,
}

impl NewInteraction {
    /// The car and the problem were described.
    pub fn intake_submitted(
        customer: UserId,
        intake: IntakeId,
        plan: PlanCode,
        vehicle: VehicleFacts<'_>,
        files: &[FileId],
    ) -> Self {
        let files: Vec<String> = files.iter().map(ToString::to_string).collect();
        let metadata = Metadata::default()
            .with("intake_id", intake.to_string())
            .with("plan", plan.as_str())
            .with("vehicle_year", i64::from(vehicle.year))
            .with("vehicle_make", vehicle.make)
            .with("vehicle_model", vehicle.model)
            .with("vehicle_has_vin", vehicle.has_vin)
            .with_some("vehicle_mileage", vehicle.mileage.map(i64::from))
            .with("file_count", count(files.len()))
            .with_some("file_ids", (!files.is_empty()).then(|| files.join(",")));
        Self { customer, kind: InteractionKind::IntakeSubmitted, session: None, metadata }
    }

    /// A version of the waiver was accepted.
    pub fn waiver_accepted(customer: UserId, intake: IntakeId, version: &str) -> Self {
        let metadata =
            Metadata::default().with("intake_id", intake.to_string()).with("waiver_version", version);
        Self { customer, kind: InteractionKind::WaiverAccepted, session: None, metadata }
    }

    /// A payment page was made. `checkout` is the provider's id of it, once it is known.
    pub fn checkout_started(
        customer: UserId,
        order: OrderId,
        plan: PlanCode,
        amount: Money,
        checkout: Option<&str>,
    ) -> Self {
        let metadata = sold(order, plan, amount).with_some("stripe_session_id", checkout);
        Self { customer, kind: InteractionKind::CheckoutStarted, session: None, metadata }
    }

    /// The payment arrived and the session was made; `checkout` is absent for the free plan only.
    pub fn checkout_completed(
        customer: UserId,
        session: SessionId,
        order: OrderId,
        plan: PlanCode,
        amount: Money,
        checkout: Option<&str>,
    ) -> Self {
        let metadata = sold(order, plan, amount).with_some("stripe_session_id", checkout);
        Self { customer, kind: InteractionKind::CheckoutCompleted, session: Some(session), metadata }
    }

    /// A mechanic has started the session. `previous_status` is where it stood before.
    pub fn session_started(
        customer: UserId,
        session: SessionId,
        mechanic: UserId,
        previous_status: &str,
    ) -> Self {
        let metadata = Metadata::default()
            .with("mechanic_id", mechanic.to_string())
            .with("previous_status", previous_status);
        Self { customer, kind: InteractionKind::SessionStarted, session: Some(session), metadata }
    }

    /// The session is over. `ended_by` is `customer`, `mechanic`, or why it ended by itself.
    pub fn session_completed(
        customer: UserId,
        session: SessionId,
        plan: PlanCode,
        session_type: SessionType,
        duration_seconds: i64,
        ended_by: &str,
    ) -> Self {
        let metadata = Metadata::default()
            .with("plan", plan.as_str())
            .with("session_type", session_type.as_str())
            .with("duration_seconds", duration_seconds)
            .with("ended_by", ended_by);
        Self { customer, kind: InteractionKind::SessionCompleted, session: Some(session), metadata }
    }

    /// The summary was opened by the customer.
    pub fn summary_viewed(customer: UserId, session: SessionId) -> Self {
        Self {
            customer,
            kind: InteractionKind::SummaryViewed,
            session: Some(session),
            metadata: Metadata::default(),
        }
    }

    /// Something happened to a recommendation: shown, clicked or dismissed.
    pub fn upsell(customer: UserId, step: UpsellStep, session: SessionId, upsell: UpsellId) -> Self {
        let kind = match step {
            UpsellStep::Shown => InteractionKind::UpsellShown,
            UpsellStep::Clicked => InteractionKind::UpsellClicked,
            UpsellStep::Dismissed => InteractionKind::UpsellDismissed,
        };
        let metadata = Metadata::default().with("upsell_id", upsell.to_string());
        Self { customer, kind, session: Some(session), metadata }
    }

    /// A chat became a video session.
    pub fn session_upgraded(customer: UserId, session: SessionId, upgrade: Money, total: Money) -> Self {
        let metadata = Metadata::default()
            .with("upgrade_price_cents", upgrade.minor())
            .with("total_price_cents", total.minor())
            .with("currency", upgrade.currency().as_str());
        Self { customer, kind: InteractionKind::SessionUpgraded, session: Some(session), metadata }
    }

    /// The mechanic was reviewed, with 1 to 5 stars.
    pub fn review_submitted(customer: UserId, session: SessionId, rating: u8) -> Self {
        let metadata = Metadata::default().with("rating", i64::from(rating));
        Self { customer, kind: InteractionKind::ReviewSubmitted, session: Some(session), metadata }
    }

    /// A follow-up question was asked about an earlier session.
    pub fn follow_up_created(customer: UserId, parent: SessionId, follow_up_type: &str) -> Self {
        let metadata = Metadata::default().with("follow_up_type", follow_up_type);
        Self { customer, kind: InteractionKind::FollowUpCreated, session: Some(parent), metadata }
    }

    /// A provider became a favourite.
    pub fn favorite_added(customer: UserId, provider: ProviderId) -> Self {
        let metadata = Metadata::default().with("provider_id", provider.to_string());
        Self { customer, kind: InteractionKind::FavoriteAdded, session: None, metadata }
    }
}

/// What happened to a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpsellStep {
    /// It was shown.
    Shown,
    /// It was clicked.
    Clicked,
    /// It was dismissed.
    Dismissed,
}

fn sold(order: OrderId, plan: PlanCode, amount: Money) -> Metadata {
    Metadata::default()
        .with("order_id", order.to_string())
        .with("plan", plan.as_str())
        .with("amount_cents", amount.minor())
        .with("currency", amount.currency().as_str())
}

fn count(items: usize) -> i64 {
    i64::try_from(items).unwrap_or(i64::MAX)
}

/// Writes a step down.
///
/// # Errors
/// When the storage fails; the caller goes on without it.
pub fn record(store: &mut dyn Store, new: NewInteraction, cx: &Context) -> Result<Interaction, StoreError> {
    let interaction = Interaction {
        id: InteractionId::new(cx.id()),
        customer: new.customer,
        kind: new.kind,
        session: new.session,
        metadata: new.metadata,
        created_at: cx.now,
    };
    store.interaction_insert(&interaction)?;
    Ok(interaction)
}

#[cfg(test)]
mod tests {
    use kernel::Currency;
    use uuid::Uuid;

    use super::*;
    use crate::metadata::Datum;

    #[test]
    fn a_completed_checkout_tells_plan_amount_currency_and_stripe_session() {
        let done = NewInteraction::checkout_completed(
            UserId::new(Uuid::nil()),
            SessionId::new(Uuid::nil()),
            OrderId::new(Uuid::nil()),
            PlanCode::Chat10,
            Money::new(999, Currency::Usd),
            Some("cs_test_1"),
        );
        let datum = |name| done.metadata.get(name).cloned();
        assert_eq!(datum("plan"), Some(Datum::from("chat10")));
        assert_eq!(datum("amount_cents"), Some(Datum::from(999)));
        assert_eq!(datum("currency"), Some(Datum::from("usd")));
        assert_eq!(datum("stripe_session_id"), Some(Datum::from("cs_test_1")));
    }

    #[test]
    fn an_intake_tells_the_car_but_not_its_number() {
        let vehicle =
            VehicleFacts { year: 2014, make: "Honda", model: "Civic", has_vin: true, mileage: Some(84_000) };
        let files = [FileId::new(Uuid::nil())];
        let told = NewInteraction::intake_submitted(
            UserId::new(Uuid::nil()),
            IntakeId::new(Uuid::nil()),
            PlanCode::Free,
            vehicle,
            &files,
        );
        let names: Vec<&str> = told.metadata.iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "file_count",
                "file_ids",
                "intake_id",
                "plan",
                "vehicle_has_vin",
                "vehicle_make",
                "vehicle_mileage",
                "vehicle_model",
                "vehicle_year"
            ]
        );
    }
}
