//! Sends many mails in one call: writes each, commits that they are on their way, hands them over, commits what became
//! of each. A second run makes the same call under the same key.

use jobs::{Failure, Job};
use kernel::id::{BatchId, DeliveryId};
use notifications::{BatchMailer, Begin, Mailer, Message, Receipt, SendError};

use super::later;
use super::mail::letter::{self, Letter};
use super::mail::refuse;
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::mail_batch::{BatchJob, key, part_batch};

/// Sends what is left to be sent of this job's batch.
///
/// # Errors
/// When the carrier did not take it this time, or the storage failed.
pub async fn run(pitlane: &Pitlane, mailer: &dyn Mailer, job: &Job) -> Result<(), Failure> {
    let BatchJob { batch } = super::payload(job)?;
    let batch = BatchId::new(batch);
    let Some(carrier) = mailer.in_batches() else {
        // Another carrier was configured since the batch was made.
        let reason = "the carrier takes one mail at a time".to_owned();
        return part_batch(pitlane, batch, reason).await.map_err(later);
    };
    let written = write(pitlane, batch).await?;
    let on_their_way = begin(pitlane, written, mailer.deduplicates()).await?;
    if on_their_way.is_empty() {
        return Ok(());
    }
    send(pitlane, carrier, batch, on_their_way).await
}

type Written = Vec<(DeliveryId, Message)>;

async fn write(pitlane: &Pitlane, batch: BatchId) -> Result<Written, Failure> {
    let (reader, cx) = (pitlane.clone(), pitlane.context());
    let letters = pitlane
        .db
        .read(move |tx| {
            let ids = notifications::Store::deliveries_of_batch(tx, batch)?;
            let letter = |id| Ok((id, letter::write(tx, &reader, id, &cx)?));
            ids.into_iter().map(letter).collect::<Result<Vec<_>, Error>>()
        })
        .await
        .map_err(later)?;
    let mut written = Vec::new();
    for (delivery, letter) in letters {
        match letter {
            Letter::Message(message) => written.push((delivery, message)),
            Letter::Ended => {}
            Letter::Void(reason) => refuse(pitlane, delivery, reason).await?,
        }
    }
    Ok(written)
}

async fn begin(pitlane: &Pitlane, written: Written, deduplicates: bool) -> Result<Written, Failure> {
    let begun = pitlane.db.write(move |tx| {
        let mut left = Vec::new();
        for (delivery, message) in &written {
            match notifications::begin(tx, *delivery, &message.to, deduplicates)?.1 {
                Begin::Send => left.push((*delivery, message.clone())),
                Begin::Ended => {}
            }
        }
        Ok::<_, Error>(left)
    });
    begun.await.map_err(later)
}

async fn send(
    pitlane: &Pitlane,
    carrier: &dyn BatchMailer,
    batch: BatchId,
    on_their_way: Written,
) -> Result<(), Failure> {
    let (deliveries, messages): (Vec<DeliveryId>, Vec<Message>) = on_their_way.into_iter().unzip();
    match carrier.send_all(&messages, &key(batch)).await {
        Ok(outcomes) => note(pitlane, deliveries.into_iter().zip(outcomes).collect()).await,
        Err(SendError::Refused(reason)) => {
            tracing::warn!(%batch, reason, "a batch of mails was refused; each goes alone");
            part_batch(pitlane, batch, reason).await.map_err(later)
        }
        Err(error @ (SendError::NotSent(_) | SendError::Unknown(_))) => {
            let outcomes = deliveries.into_iter().map(|delivery| (delivery, Err(error.clone()))).collect();
            note(pitlane, outcomes).await?;
            Err(Failure::Later(error.to_string()))
        }
    }
}

type Outcomes = Vec<(DeliveryId, Result<Receipt, SendError>)>;

async fn note(pitlane: &Pitlane, outcomes: Outcomes) -> Result<(), Failure> {
    for (delivery, outcome) in &outcomes {
        if let Err(SendError::Refused(reason)) = outcome {
            tracing::warn!(%delivery, reason, "a message was refused for good");
        }
    }
    let cx = pitlane.context();
    let noted = pitlane.db.write(move |tx| {
        for (delivery, outcome) in &outcomes {
            notifications::finish(tx, *delivery, outcome, &cx)?;
        }
        Ok::<_, Error>(())
    });
    noted.await.map_err(later)
}
