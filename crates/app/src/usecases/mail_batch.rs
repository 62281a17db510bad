//! Mails that are due at the same time go to the carrier in one call. Which ones they are is committed before the call
//! is made: after a crash exactly the same ones go again, under the same key.

use jobs::{Job, JobKind, NewJob};
use kernel::Context;
use kernel::id::{BatchId, DeliveryId};
use serde::{Deserialize, Serialize};
use store::Tx;
use uuid::Uuid;

use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::mail::MailJob;

/// The payload of a batch's job.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct BatchJob {
    /// The call to be made.
    pub batch: Uuid,
}

/// The key under which a batch goes to the carrier, however often.
pub fn key(batch: BatchId) -> String {
    format!("mail_batch:{}", batch.uuid().simple())
}

/// Puts a delivery into one call with the other mails that are due and that nobody works on, up to `most` in all, and
/// schedules the job that makes the call. Answers `false` when it goes alone: nothing else is due, or it may have been
/// sent already. One that is in a call has nothing left to do here.
///
/// # Errors
/// When the storage fails.
pub async fn join_batch(pitlane: &Pitlane, delivery: DeliveryId, most: u32) -> Result<bool, Error> {
    let cx = pitlane.context();
    let batch = BatchId::new(cx.id());
    let others = most.saturating_sub(1);
    pitlane
        .db
        .write(move |tx| {
            let found = notifications::Store::delivery_by_id_for_update(tx, delivery)?;
            let Some(first) = found else { return Ok(false) };
            if first.batch().is_some() {
                return Ok(true);
            }
            if !first.may_join() || gather(tx, batch, others, &cx)? == 0 {
                return Ok(false);
            }
            notifications::join(tx, delivery, batch)?;
            let job = NewJob {
                kind: JobKind::MailBatch,
                payload: payload(&BatchJob { batch: batch.uuid() }),
                run_at: cx.now,
                dedupe_key: Some(key(batch)),
            };
            jobs::schedule(tx, job, &cx)?;
            Ok(true)
        })
        .await
}

fn gather(tx: &mut Tx<'_>, batch: BatchId, most: u32, cx: &Context) -> Result<usize, Error> {
    let mut gathered = 0;
    for job in jobs::due(tx, JobKind::Mail, most, cx)? {
        let Some(delivery) = of(&job) else { continue };
        if notifications::join(tx, delivery, batch)? {
            jobs::hand_over(tx, job, cx)?;
            gathered += 1;
        }
    }
    Ok(gathered)
}

fn of(job: &Job) -> Option<DeliveryId> {
    let job: MailJob = serde_json::from_str(job.payload()).ok()?;
    (!job.alone).then(|| DeliveryId::new(job.delivery))
}

/// Takes a batch apart that was refused as a whole: each of its mails that is still to be sent goes alone.
///
/// # Errors
/// When the storage fails.
pub async fn part_batch(pitlane: &Pitlane, batch: BatchId, reason: String) -> Result<(), Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            for delivery in notifications::part(tx, batch, &reason)? {
                let found = notifications::Store::delivery_by_id(tx, delivery)?;
                let Some(found) = found else { continue };
                let job = NewJob {
                    kind: JobKind::Mail,
                    payload: payload(&MailJob { delivery: delivery.uuid(), alone: true }),
                    run_at: cx.now,
                    dedupe_key: Some(format!("mail:{}:alone", found.stored().send_once_key)),
                };
                jobs::schedule(tx, job, &cx)?;
            }
            Ok(())
        })
        .await
}

fn payload(of: &impl Serialize) -> String {
    serde_json::to_string(of).expect("an id serialises")
}
