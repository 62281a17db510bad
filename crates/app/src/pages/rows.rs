//! Sessions and plans as several pages show them.

use std::collections::{HashMap, HashSet};

use kernel::id::SessionId;
use kernel::{PlanCode, Timestamp, UserId};
use payments::OrderKind;
use sessions::ParticipantRole;
use store::views::requests::VehicleView;
use store::views::session::SessionView;
use store::views::{room, session};
use web::money::Amount;
use web::plan::PlanCard;
use web::session::{SessionRow, SessionStatus};

use crate::naming;
use crate::state::Pitlane;
use crate::usecases::Error;

/// Every plan of the active price book, cheapest first.
pub fn plan_cards(app: &Pitlane) -> Vec<PlanCard> {
    let card = |plan: &pricing::Plan| PlanCard {
        code: plan.code().as_str().to_owned(),
        name: plan.name().to_owned(),
        description: plan.description().to_owned(),
        price: Amount::new(plan.price().minor(), plan.price().currency().as_str()),
        duration_minutes: i64::from(plan.duration_minutes()),
        first_time_only: plan.first_time_only(),
    };
    app.catalog.active().plans().iter().map(card).collect()
}

/// The name of a plan under the price book of its time.
pub fn plan_name(app: &Pitlane, book: &str, plan: PlanCode) -> String {
    let found = app.catalog.book(book).and_then(|book| book.plan(plan));
    found.map_or_else(|| plan.as_str().to_owned(), |plan| plan.name().to_owned())
}

/// What a session is now: the plan that was bought, and that it has become video.
pub fn plan_now(app: &Pitlane, view: &SessionView) -> String {
    naming::plan_now(view, plan_name(app, &view.price_book, view.plan))
}

/// What an order bought, as a line of a receipt.
pub fn bought(app: &Pitlane, kind: OrderKind, book: &str, plan: PlanCode) -> String {
    naming::bought(kind, &plan_name(app, book, plan)).to_owned()
}

/// The status as pages show it.
pub const fn status(status: sessions::Status) -> SessionStatus {
    match status {
        sessions::Status::Requested => SessionStatus::Requested,
        sessions::Status::Scheduled => SessionStatus::Scheduled,
        sessions::Status::Accepted => SessionStatus::Accepted,
        sessions::Status::InProgress => SessionStatus::InProgress,
        sessions::Status::Completed => SessionStatus::Completed,
        sessions::Status::Cancelled => SessionStatus::Cancelled,
        sessions::Status::Expired => SessionStatus::Expired,
    }
}

/// What was paid for a session in all.
pub fn total(view: &SessionView) -> Amount {
    Amount::new(view.total_price_cents(), view.currency.as_str())
}

/// An instant as pages take it.
pub fn instant(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

/// What the rows of a list know beside the sessions themselves.
pub struct Beside {
    vehicles: HashMap<SessionId, VehicleView>,
    summarised: HashSet<SessionId>,
}

/// A page of somebody's sessions, newest first, one more than `limit` when there are older ones.
///
/// # Errors
/// The storage's.
pub async fn mine(
    app: &Pitlane,
    viewer: UserId,
    before: Option<SessionId>,
    limit: u32,
) -> Result<(Vec<SessionView>, Beside), Error> {
    app.db
        .read(move |tx| {
            let sessions = session::mine(tx, viewer, &[], before, limit + 1)?;
            let ids: Vec<SessionId> = sessions.iter().map(|view| view.id).collect();
            let beside =
                Beside { vehicles: room::vehicles_of(tx, &ids)?, summarised: room::summarised(tx, &ids)? };
            Ok((sessions, beside))
        })
        .await
}

/// A session as one line of its customer's or its mechanic's list.
pub fn session_row(app: &Pitlane, view: &SessionView, beside: &Beside) -> SessionRow {
    let is_customer = view.viewer_role == Some(ParticipantRole::Customer);
    let other = if is_customer { view.mechanic.as_ref() } else { Some(&view.customer) };
    SessionRow {
        id: view.id.to_string(),
        plan_name: plan_now(app, view),
        vehicle: beside.vehicles.get(&view.id).map(VehicleView::title),
        summary_due: view.status == sessions::Status::Completed
            && sessions::may_summarise(view.status, view.content_dropped).is_ok()
            && !beside.summarised.contains(&view.id),
        other_name: other.map(|person| person.name.clone()),
        status: status(view.status),
        payment_status: view.payment_status.as_str().to_owned(),
        total: total(view),
        created_at: view.created_at.to_string(),
        scheduled_for: instant(view.scheduled_for),
        started_at: instant(view.started_at),
        ended_at: instant(view.ended_at),
        deadline_at: instant(view.deadline_at),
        receipt_order_id: view.order.filter(|_| is_customer).map(|order| order.to_string()),
    }
}
