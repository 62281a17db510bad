//! Carrying out a refund whose intent is committed.

use kernel::id::RefundId;
use payments::gateway::{NewProviderRefund, ProviderRefund, ProviderRefundStatus};
use payments::{GatewayError, Payment, Refund, RefundStatus};

use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::money_lines::telling_refunds;
use crate::usecases::receive_webhook::apply_refunds;

/// What a run of a refund came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// The money went back.
    Done,
    /// The provider has it in hand and will tell.
    InHand,
    /// The provider will not do it; a person must look.
    Refused,
}

/// Sends the money of a refund back. The provider's list is looked at first, so that a call whose answer was lost is
/// found even when its key has been forgotten; then the call is made under the refund's own key. May run any number of
/// times.
///
/// # Errors
/// [`Error::Gateway`] when the provider can't be reached or its answer is lost; the storage's.
pub async fn refund_payment(pitlane: &Pitlane, id: RefundId) -> Result<Carried, Error> {
    let Some((refund, payment)) = load(pitlane, id).await? else { return Ok(Carried::Refused) };
    match refund.status() {
        RefundStatus::Succeeded => return Ok(Carried::Done),
        RefundStatus::Failed => return Ok(Carried::Refused),
        RefundStatus::Pending | RefundStatus::Unknown => {}
    }
    let known = pitlane.gateway.refunds_of_intent(&payment.payment_intent).await?;
    if let Some(found) = known.iter().find(|known| known.refund == Some(id)) {
        return record(pitlane, &refund, found.clone()).await;
    }
    let new = NewProviderRefund {
        refund: id,
        payment_intent: payment.payment_intent.clone(),
        amount: refund.amount,
        idempotency_key: refund.idempotency_key.clone(),
    };
    match pitlane.gateway.refund_create(&new).await {
        Ok(made) => record(pitlane, &refund, made).await,
        Err(GatewayError::UnknownOutcome(reason)) => {
            pitlane.db.write(move |tx| Ok::<_, Error>(payments::refund_answer_lost(tx, id)?)).await?;
            Err(GatewayError::UnknownOutcome(reason).into())
        }
        Err(GatewayError::Unavailable(reason)) => Err(GatewayError::Unavailable(reason).into()),
        Err(
            refused @ (GatewayError::Declined { .. } | GatewayError::Refused { .. } | GatewayError::Missing),
        ) => {
            tracing::error!(refund = %id, %refused, "a refund was refused");
            give_up(pitlane, refund, payment, known).await
        }
    }
}

async fn load(pitlane: &Pitlane, id: RefundId) -> Result<Option<(Refund, Payment)>, Error> {
    pitlane
        .db
        .read(move |tx| {
            let Some(refund) = payments::Store::refund_by_id(tx, id)? else { return Ok(None) };
            let payments = payments::Store::payments_of_order(tx, refund.order)?;
            let payment = payments.into_iter().find(|payment| payment.id == refund.payment);
            Ok(payment.map(|payment| (refund, payment)))
        })
        .await
}

async fn record(pitlane: &Pitlane, refund: &Refund, answer: ProviderRefund) -> Result<Carried, Error> {
    let (id, order) = (refund.id, refund.order);
    let cx = pitlane.context();
    let refund = pitlane
        .db
        .write(move |tx| {
            telling_refunds(tx, order, &cx, |tx| Ok(payments::record_refund(tx, id, &answer, &cx)?))
        })
        .await?;
    Ok(match refund.status() {
        RefundStatus::Succeeded => Carried::Done,
        RefundStatus::Pending | RefundStatus::Unknown => Carried::InHand,
        RefundStatus::Failed => Carried::Refused,
    })
}

/// The refund has failed. What somebody sent back at the provider by hand, the usual reason, then fits into the books.
async fn give_up(
    pitlane: &Pitlane,
    refund: Refund,
    payment: Payment,
    known: Vec<ProviderRefund>,
) -> Result<Carried, Error> {
    let cx = pitlane.context();
    let failed = ProviderRefund {
        id: String::new(),
        refund: Some(refund.id),
        amount: refund.amount,
        status: ProviderRefundStatus::Failed,
    };
    pitlane
        .db
        .write(move |tx| {
            telling_refunds(tx, refund.order, &cx, |tx| {
                Ok(payments::record_refund(tx, refund.id, &failed, &cx)?)
            })?;
            apply_refunds(tx, &payment.payment_intent, &known, &cx)?;
            Ok::<_, Error>(())
        })
        .await?;
    Ok(Carried::Refused)
}
