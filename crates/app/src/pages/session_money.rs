//! `/admin/sessions` and `/admin/sessions/{id}`: looking sessions up, and the money of one of them.

use std::time::Instant;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use kernel::id::SessionId;
use kernel::{Currency, Money, MoneyError};
use payments::{DisputeStatus, RefundReason, RefundStatus};
use serde::Deserialize;
use store::views::disputes::unanswered;
use store::views::session::{self, SessionView};
use web::disputes::DisputeState;
use web::frame::Nav;
use web::money::Amount;
use web::session_money::{
    ByHand, DisputeLink, EarnedLine, FoundRow, MoneyLine, OrderCard, SessionMoneyPage, SessionsPage,
};

use super::frame::{frame, show};
use super::plans::amount;
use super::rows;
use crate::http::auth::Staff;
use crate::http::{Access, ApiResult, Problem, Router, list};
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::note_read::{Read, note_read};
use crate::usecases::read_money::{OrderMoney, PaymentMoney, SessionMoney, session_money};

/// Sessions on one page.
const ROWS: u32 = 50;

/// Adds the pages.
pub fn routes(router: &mut Router) {
    router.get("/admin/sessions", Access::Staff, search);
    router.get("/admin/sessions/{id}", Access::Staff, one);
}

// Browsers and their extensions add fields of their own, so unlike the API this takes any.
#[derive(Debug, Deserialize)]
struct Asked {
    q: Option<String>,
    cursor: Option<String>,
}

async fn search(staff: Staff, asked: Query<Asked>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let Asked { q, cursor } = asked.into_inner();
    list::text("q", q.as_deref())?;
    let (viewer, before, search) = (staff.id(), list::cursor(cursor.as_deref())?, q.unwrap_or_default());
    let wanted = search.clone();
    let (found, unanswered) = app
        .db
        .read(move |tx| {
            let found = session::found(tx, viewer, &wanted, before, ROWS + 1)?;
            Ok::<_, Error>((found, unanswered(tx)?))
        })
        .await?;
    let rows = list::List::of(found, ROWS, |view| view.id, |view| row(&app, &view));
    let page = SessionsPage {
        frame: frame(&app, Some(&staff.0), Nav::Money),
        search,
        unanswered,
        rows: rows.items,
        next_cursor: rows.next_cursor,
    };
    show(&page, StatusCode::OK)
}

fn row(app: &Pitlane, view: &SessionView) -> FoundRow {
    FoundRow {
        id: view.id.to_string(),
        status: rows::status(view.status),
        customer_name: view.customer.name.clone(),
        mechanic_name: view.mechanic.as_ref().map(|mechanic| mechanic.name.clone()),
        plan_name: rows::plan_now(app, view),
        created_at: view.created_at.to_string(),
        payment_status: view.payment_status.as_str().to_owned(),
        total: rows::total(view),
    }
}

async fn one(staff: Staff, id: Path<SessionId>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let (id, viewer) = (*id, staff.id());
    let found = app
        .db
        .read(move |tx| match session::any(tx, id, viewer)? {
            Some(view) => Ok::<_, Error>(Some((view, session_money(tx, id)?))),
            None => Ok(None),
        })
        .await?;
    let (view, money) = found.ok_or_else(Problem::not_found)?;
    // The page renews itself while it is open; that is one look.
    if app.looks.is_new(viewer, &format!("money of {id}"), Instant::now()) {
        note_read(&app, staff.0.actor(), Read::Session(id, "money")).await?;
    }
    let page = page(&app, &view, money).map_err(payments::Error::from).map_err(Error::from)?;
    show(&SessionMoneyPage { frame: frame(&app, Some(&staff.0), Nav::Money), ..page }, StatusCode::OK)
}

fn page(app: &Pitlane, view: &SessionView, money: SessionMoney) -> Result<SessionMoneyPage, MoneyError> {
    let sums = Sums::of(&money, view.currency)?;
    let by_hand = |(entry, admin): (accounts::AuditEntry, String)| {
        let cents = entry.details.get("amount_cents").and_then(|text| text.parse().ok());
        ByHand {
            at: entry.at.to_string(),
            admin,
            amount: Amount::new(cents.unwrap_or_default(), view.currency.as_str()),
            reason: entry.details.get("reason").cloned().unwrap_or_default(),
        }
    };
    Ok(SessionMoneyPage {
        session: row(app, view),
        duration_minutes: i64::from(view.allowance_minutes),
        customer_id: view.customer.id.to_string(),
        paid: amount(sums.paid),
        returned: amount(sums.returned),
        on_the_way: amount(sums.on_the_way),
        taken: amount(sums.taken),
        left: amount(sums.left),
        orders: money.orders.iter().map(|order| card(app, order)).collect::<Result<_, _>>()?,
        by_hand: money.by_hand.into_iter().map(by_hand).collect(),
        ..SessionMoneyPage::default()
    })
}

struct Sums {
    paid: Money,
    returned: Money,
    on_the_way: Money,
    taken: Money,
    left: Money,
}

impl Sums {
    fn of(money: &SessionMoney, currency: Currency) -> Result<Self, MoneyError> {
        let zero = Money::zero(currency);
        let mut sums = Self { paid: zero, returned: zero, on_the_way: zero, taken: zero, left: zero };
        for one in money.orders.iter().flat_map(|order| &order.payments) {
            sums.paid = sums.paid.plus(one.payment.amount)?;
            sums.returned = sums.returned.plus(one.refunded(|status| status == RefundStatus::Succeeded)?)?;
            sums.on_the_way = sums.on_the_way.plus(one.refunded(is_on_the_way)?)?;
            sums.taken = sums.taken.plus(one.taken()?)?;
            sums.left = sums.left.plus(one.returnable)?;
        }
        Ok(sums)
    }
}

fn is_on_the_way(status: RefundStatus) -> bool {
    matches!(status, RefundStatus::Pending | RefundStatus::Unknown)
}

fn card(app: &Pitlane, money: &OrderMoney) -> Result<OrderCard, MoneyError> {
    let (order, terms) = (&money.order, money.order.terms());
    let mut moved = Vec::new();
    let mut kept = Money::zero(terms.amount.currency());
    let mut disputes = Vec::new();
    for one in &money.payments {
        moved.extend(movements(one));
        let gone = one.refunded(|status| status != RefundStatus::Failed)?.plus(one.taken()?)?;
        kept = kept.plus(one.payment.amount)?.minus(gone)?;
        disputes.extend(one.disputes.iter().map(|dispute| DisputeLink {
            id: dispute.id.to_string(),
            label: state(dispute.status).label(),
            amount: amount(dispute.amount),
        }));
    }
    moved.sort_by_key(|(at, _)| *at);
    let earned = money.payments.iter().find_map(|one| one.earned.as_ref());
    Ok(OrderCard {
        id: order.id().to_string(),
        what: rows::bought(app, terms.kind, &terms.book, terms.plan),
        status: order.status().as_str().to_owned(),
        amount: amount(terms.amount),
        movements: moved.into_iter().map(|(_, line)| line).collect(),
        kept: amount(kept),
        earned: earned.map(|(earning, provider)| EarnedLine {
            provider: provider.clone(),
            payable: amount(earning.shares.payable),
            fee: amount(earning.shares.fee),
            frozen: earning.frozen,
        }),
        disputes,
    })
}

fn movements(one: &PaymentMoney) -> Vec<(kernel::Timestamp, MoneyLine)> {
    let line = |at: kernel::Timestamp, label: String, amount: Amount, void| {
        (at, MoneyLine { label, at: at.to_string(), amount, void })
    };
    let out = |money: Money| Amount::new(money.minor().saturating_neg(), money.currency().as_str());
    let came = if one.payment.surplus { "Paid once too often" } else { "Paid by card" };
    let mut moved = vec![line(one.payment.created_at, came.to_owned(), amount(one.payment.amount), false)];
    for refund in &one.refunds {
        let how = match refund.status() {
            RefundStatus::Pending | RefundStatus::Unknown => "Refund on its way",
            RefundStatus::Succeeded => "Refund",
            RefundStatus::Failed => "Refund that failed",
        };
        let label = format!("{how}, {}", why(refund.reason));
        moved.push(line(
            refund.created_at,
            label,
            out(refund.amount),
            refund.status() == RefundStatus::Failed,
        ));
    }
    for dispute in one.disputes.iter().filter(|dispute| dispute.withdrawn) {
        let won = dispute.status == DisputeStatus::Won;
        let label = if won { "Taken by the bank and given back" } else { "Taken by the bank" };
        moved.push(line(dispute.opened_at, label.to_owned(), out(dispute.amount), won));
    }
    moved
}

/// Where a dispute stands, as pages show it.
pub(super) const fn state(status: DisputeStatus) -> DisputeState {
    match status {
        DisputeStatus::Open => DisputeState::Open,
        DisputeStatus::UnderReview => DisputeState::UnderReview,
        DisputeStatus::Won => DisputeState::Won,
        DisputeStatus::Lost => DisputeState::Lost,
    }
}

const fn why(reason: RefundReason) -> &'static str {
    match reason {
        RefundReason::Unfulfillable => "it could not be made",
        RefundReason::Duplicate => "it was paid twice",
        RefundReason::WrongAmount => "another amount was agreed",
        RefundReason::Cancelled => "cancelled",
        RefundReason::Unaccepted => "nobody took it",
        RefundReason::Admin => "by an admin",
        RefundReason::External => "at the payment provider",
        RefundReason::NoShow => "somebody did not come",
        RefundReason::NoVideo => "video never came about",
    }
}
