//! Receipts.

use actix_web::web::{Data, Json, Path};
use kernel::id::{OrderId, SessionId};
use kernel::{PlanCode, Timestamp};
use payments::receipt::ReceiptRefund;
use serde::Serialize;

use super::auth::SignedIn;
use super::{Access, ApiResult, Router};
use crate::state::Pitlane;
use crate::usecases::read_receipt::{Paper, read_receipt};

/// Adds the route.
pub fn routes(router: &mut Router) {
    router.get("/api/orders/{id}/receipt", Access::SignedIn, receipt);
}

/// What was paid for an order, and what went back.
#[derive(Serialize)]
pub struct ReceiptBody {
    order_id: OrderId,
    session_id: Option<SessionId>,
    plan: PlanCode,
    currency: &'static str,
    total_cents: i64,
    tax_rate_bps: u32,
    tax_cents: i64,
    net_cents: i64,
    paid_at: Option<Timestamp>,
    payment_status: &'static str,
    payments: Vec<PaymentBody>,
    refunds: Vec<RefundBody>,
}

#[derive(Serialize)]
struct PaymentBody {
    amount_cents: i64,
    currency: &'static str,
    kept: bool,
    created_at: Timestamp,
}

#[derive(Serialize)]
struct RefundBody {
    amount_cents: i64,
    currency: &'static str,
    reason: &'static str,
    status: &'static str,
    created_at: Timestamp,
}

impl From<Paper> for ReceiptBody {
    fn from(paper: Paper) -> Self {
        let Paper { receipt, payments, session, .. } = paper;
        Self {
            order_id: receipt.order,
            session_id: session,
            plan: receipt.plan,
            currency: receipt.total.currency().as_str(),
            total_cents: receipt.total.minor(),
            tax_rate_bps: receipt.tax_rate.points(),
            tax_cents: receipt.tax.minor(),
            net_cents: receipt.net.minor(),
            paid_at: receipt.paid_at,
            payment_status: receipt.payment_status.as_str(),
            payments: payments
                .iter()
                .map(|payment| PaymentBody {
                    amount_cents: payment.amount.minor(),
                    currency: payment.amount.currency().as_str(),
                    kept: !payment.surplus,
                    created_at: payment.created_at,
                })
                .collect(),
            refunds: receipt.refunds.iter().map(RefundBody::from).collect(),
        }
    }
}

impl From<&ReceiptRefund> for RefundBody {
    fn from(refund: &ReceiptRefund) -> Self {
        Self {
            amount_cents: refund.amount.minor(),
            currency: refund.amount.currency().as_str(),
            reason: refund.reason.as_str(),
            status: if refund.done { "succeeded" } else { "pending" },
            created_at: refund.at,
        }
    }
}

async fn receipt(
    person: SignedIn,
    id: Path<OrderId>,
    pitlane: Data<Pitlane>,
) -> ApiResult<Json<ReceiptBody>> {
    let paper = read_receipt(&pitlane, person.actor(), *id).await?;
    Ok(Json(paper.into()))
}
