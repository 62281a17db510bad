//! `/admin/disputes` and `/admin/disputes/{id}`: disputed payments, and what speaks for us in one of them.

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use intake::WaiverAcceptance;
use kernel::id::{DisputeId, SessionId, UserId};
use kernel::{Money, Timestamp};
use payments::{DisputeStatus, Order, Payment, RefundStatus};
use serde::Deserialize;
use sessions::media::{Media, MediaStore};
use store::Tx;
use store::views::channel;
use store::views::disputes::{self, DisputeView};
use web::chat::{Event, EventBody, NoteKind};
use web::disputes::{DisputeFilter, DisputePage, DisputeRow, DisputesPage, Due, HappenedLine, VideoLine};
use web::frame::Nav;
use web::money::Amount;
use web::summary::is_told;

use super::frame::{frame, show};
use super::plans::amount;
use super::session_money::state;
use super::{chat, rows};
use crate::http::auth::Admin;
use crate::http::{Access, ApiResult, Problem, Router, list};
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::note_read::{Read, note_read};

/// Disputes on one page.
const ROWS: u32 = 50;

/// Adds the pages.
pub fn routes(router: &mut Router) {
    router.get("/admin/disputes", Access::Admin, all);
    router.get("/admin/disputes/{id}", Access::Admin, one);
}

// Browsers and their extensions add fields of their own, so unlike the API this takes any.
#[derive(Debug, Deserialize)]
struct Asked {
    status: Option<String>,
    cursor: Option<String>,
}

async fn all(admin: Admin, asked: Query<Asked>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let shown = DisputeFilter::from_code(asked.status.as_deref().unwrap_or_default());
    let status = match shown {
        DisputeFilter::All => None,
        DisputeFilter::Only(state) => DisputeStatus::parse(state.code()),
    };
    let before = list::cursor(asked.cursor.as_deref())?;
    let (found, unanswered) = app
        .db
        .read(move |tx| {
            let found = disputes::page(tx, status, before, ROWS + 1)?;
            Ok::<_, Error>((found, disputes::unanswered(tx)?))
        })
        .await?;
    let now = app.clock.now();
    let rows = list::List::of(found, ROWS, |view| view.id, |view| row(&view, now));
    let page = DisputesPage {
        frame: frame(&app, Some(&admin.0), Nav::Money),
        shown,
        unanswered,
        rows: rows.items,
        next_cursor: rows.next_cursor,
    };
    show(&page, StatusCode::OK)
}

fn row(view: &DisputeView, now: Timestamp) -> DisputeRow {
    let amount = |cents| Amount::new(cents, view.currency.as_str());
    DisputeRow {
        id: view.id.to_string(),
        session_id: view.session.map(|id| id.to_string()),
        customer_name: view.customer_name.clone(),
        mechanic_name: view.mechanic_name.clone(),
        amount: amount(view.amount_cents),
        frozen: view.frozen_cents.map(amount),
        reason: view.reason.clone(),
        state: state(view.status),
        due: view.due_at.map(|at| Due { at: at.to_string(), seconds_left: at.seconds_since(now) }),
        opened_at: view.opened_at.to_string(),
        closed_at: rows::instant(view.closed_at),
    }
}

/// What speaks for us.
struct Case {
    view: DisputeView,
    order: Order,
    payment: Option<Payment>,
    returned: Money,
    waiver: Option<WaiverAcceptance>,
    session: Option<Proof>,
}

/// What the session's log and its neighbours prove.
struct Proof {
    events: Vec<Event>,
    names: HashMap<UserId, String>,
    video: Vec<Media>,
    summary: Option<(String, Timestamp)>,
    line_count: u64,
}

async fn one(admin: Admin, id: Path<DisputeId>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let id = *id;
    let case = app.db.read(move |tx| case(tx, id)).await?.ok_or_else(Problem::not_found)?;
    if let Some(session) = case.view.session {
        note_read(&app, admin.0.actor(), Read::Session(session, "dispute")).await?;
    }
    let page = page(&app, case);
    show(&DisputePage { frame: frame(&app, Some(&admin.0), Nav::Money), ..page }, StatusCode::OK)
}

fn case(tx: &mut Tx<'_>, id: DisputeId) -> Result<Option<Case>, Error> {
    let Some(view) = disputes::one(tx, id)? else { return Ok(None) };
    let Some(order) = payments::Store::order_by_id(tx, view.order)? else { return Ok(None) };
    let payment = payments::Store::payment_by_intent(tx, &view.payment_intent)?;
    let mut returned = Money::zero(order.terms().amount.currency());
    if let Some(payment) = &payment {
        for refund in payments::Store::refunds_of_payment(tx, payment.id)? {
            if refund.status() != RefundStatus::Failed {
                returned = returned.plus(refund.amount).map_err(payments::Error::from)?;
            }
        }
    }
    let waiver = intake::Store::waiver_acceptance_of_intake(tx, order.terms().intake)?;
    let session = match view.session {
        Some(session) => proof(tx, session)?,
        None => None,
    };
    Ok(Some(Case { view, order, payment, returned, waiver, session }))
}

fn proof(tx: &mut Tx<'_>, id: SessionId) -> Result<Option<Proof>, Error> {
    let Some(session) = sessions::Store::session_by_id(tx, id)? else { return Ok(None) };
    let names = channel::names(tx, id)?;
    let summary = sessions::Store::summary(tx, id)?;
    Ok(Some(Proof {
        events: chat::said(tx, id)?,
        video: tx.media_of(id)?,
        summary: summary.map(|one| {
            (names.get(&one.author).cloned().unwrap_or_else(|| "The mechanic".to_owned()), one.updated_at)
        }),
        names,
        line_count: session.head().last_seq,
    }))
}

fn page(app: &Pitlane, case: Case) -> DisputePage {
    let Case { view, order, payment, returned, waiver, session } = case;
    let terms = order.terms();
    let proof = session.unwrap_or_else(Proof::none);
    DisputePage {
        row: row(&view, app.clock.now()),
        provider_id: view.provider_id,
        payment_intent: view.payment_intent,
        withdrawn: view.withdrawn,
        customer_id: view.customer.to_string(),
        order_id: order.id().to_string(),
        bought: rows::bought(app, terms.kind, &terms.book, terms.plan),
        paid: payment.map(|one| (amount(one.amount), one.created_at.to_string())),
        returned: amount(returned),
        waiver: waiver.map(|one| (one.version, one.accepted_at.to_string(), one.address)),
        happened: proof.events.iter().filter_map(happened).collect(),
        wrote: wrote(&proof.events),
        video: proof.video.iter().map(|media| video(media, &proof.names)).collect(),
        summary: proof.summary.map(|(author, at)| (author, at.to_string())),
        line_count: proof.line_count,
        ..DisputePage::default()
    }
}

impl Proof {
    fn none() -> Self {
        Self { events: Vec::new(), names: HashMap::new(), video: Vec::new(), summary: None, line_count: 0 }
    }
}

/// Lines of the log that tell who was there and what was delivered; what was written stands in the transcript.
fn happened(event: &Event) -> Option<HappenedLine> {
    let (EventBody::Note(kind) | EventBody::Money(kind, _)) = event.body else { return None };
    let delivers = matches!(kind, NoteKind::SummaryWritten | NoteKind::SummaryCorrected);
    let tells = delivers || (is_told(kind) && kind != NoteKind::ObserverJoined);
    tells.then(|| HappenedLine { at: event.created_at.clone(), text: event.told() })
}

/// Who wrote how many messages, in the order in which they began.
fn wrote(events: &[Event]) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for event in events.iter().filter(|event| matches!(event.body, EventBody::Message { .. })) {
        match counts.iter_mut().find(|(name, _)| *name == event.actor_name) {
            Some((_, count)) => *count += 1,
            None => counts.push((event.actor_name.clone(), 1)),
        }
    }
    counts
}

fn video(media: &Media, names: &HashMap<UserId, String>) -> VideoLine {
    VideoLine {
        name: names.get(&media.user).cloned().unwrap_or_else(|| "Somebody".to_owned()),
        from: media.connected_at.to_string(),
        to: rows::instant(media.disconnected_at),
    }
}
