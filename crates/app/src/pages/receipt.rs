//! `/orders/{id}/receipt`: what was paid and what went back.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use kernel::Money;
use kernel::id::OrderId;
use web::frame::Nav;
use web::money::Amount;
use web::plan::ReceiptLine;
use web::receipt::{Movement, ReceiptPage};

use super::frame::{frame, show};
use super::rows;
use crate::http::auth::SignedIn;
use crate::http::{Access, ApiResult, Router};
use crate::naming::bought;
use crate::state::Pitlane;
use crate::usecases::read_receipt::{Paper, read_receipt};

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get("/orders/{id}/receipt", Access::SignedIn, open);
}

async fn open(person: SignedIn, id: Path<OrderId>, pitlane: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let paper = read_receipt(&pitlane, person.actor(), *id).await?;
    show(&page(&pitlane, &person, &paper), StatusCode::OK)
}

fn page(pitlane: &Pitlane, person: &SignedIn, paper: &Paper) -> ReceiptPage {
    let receipt = &paper.receipt;
    let movements = movements(paper);
    let balance = movements.iter().map(|movement| movement.amount.cents).sum();
    let issued_at = receipt.paid_at.or_else(|| paper.payments.first().map(|payment| payment.created_at));
    ReceiptPage {
        frame: frame(pitlane, Some(&person.0), Nav::None),
        order_id: receipt.order.to_string(),
        issued_at: issued_at.map_or_else(String::new, |at| at.to_string()),
        customer_name: paper.customer_name.clone(),
        customer_email: paper.customer_email.clone(),
        vehicle: paper.vehicle.clone(),
        lines: vec![ReceiptLine {
            label: rows::bought(pitlane, paper.kind, &paper.book, receipt.plan),
            amount: amount(receipt.total),
        }],
        tax_rate_bps: i64::from(receipt.tax_rate.points()),
        tax: amount(receipt.tax),
        net: amount(receipt.net),
        total: amount(receipt.total),
        movements,
        balance: Amount::new(balance, receipt.total.currency().as_str()),
        session_id: paper.session.map(|id| id.to_string()),
        others: paper
            .others
            .iter()
            .map(|(order, kind)| (order.to_string(), bought(*kind, "The session")))
            .collect(),
    }
}

fn movements(paper: &Paper) -> Vec<Movement> {
    let came = paper.payments.iter().map(|payment| {
        let label = if payment.surplus { "Paid by card, to be returned" } else { "Paid by card" };
        (payment.created_at, label, amount(payment.amount))
    });
    let went = paper.receipt.refunds.iter().map(|refund| {
        let label = if refund.done { "Refund" } else { "Refund, on its way" };
        let Amount { cents, currency } = amount(refund.amount);
        (refund.at, label, Amount { cents: cents.saturating_neg(), currency })
    });
    let mut moved: Vec<_> = came.chain(went).collect();
    moved.sort_by_key(|(at, ..)| *at);
    let line = |(at, label, amount): (kernel::Timestamp, &str, Amount)| Movement {
        label: label.to_owned(),
        at: at.to_string(),
        amount,
    };
    moved.into_iter().map(line).collect()
}

fn amount(money: Money) -> Amount {
    Amount::new(money.minor(), money.currency().as_str())
}
