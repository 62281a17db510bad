//! Sends one mail: writes it, commits that it is on its way, hands it to the carrier, commits the answer. Where more
//! mails are due and the carrier takes many in one call, it goes together with them.

mod called_off;
pub(super) mod letter;
mod staff;
mod watch;

use jobs::{Failure, Job};
use kernel::id::DeliveryId;
use notifications::{Begin, Mailer, Receipt, SendError};

use self::letter::Letter;
use super::later;
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::mail::MailJob;
use crate::usecases::mail_batch::join_batch;

/// Sends the delivery of this job unless it has ended.
///
/// # Errors
/// When the carrier did not take it this time, or the storage failed.
pub async fn run(pitlane: &Pitlane, mailer: &dyn Mailer, job: &Job) -> Result<(), Failure> {
    let payload: MailJob = super::payload(job)?;
    let delivery = DeliveryId::new(payload.delivery);
    if let Some(carrier) = mailer.in_batches().filter(|_| !payload.alone)
        && join_batch(pitlane, delivery, carrier.most()).await.map_err(later)?
    {
        return Ok(());
    }
    let deduplicates = mailer.deduplicates();
    let (reader, cx) = (pitlane.clone(), pitlane.context());
    let letter = pitlane.db.read(move |tx| letter::write(tx, &reader, delivery, &cx)).await.map_err(later)?;
    let message = match letter {
        Letter::Message(message) => message,
        Letter::Ended => return Ok(()),
        Letter::Void(reason) => return refuse(pitlane, delivery, reason).await,
    };
    let to = message.to.clone();
    send_once(pitlane, delivery, to, deduplicates, async |key| mailer.send(&message, &key).await).await
}

/// Commits that a delivery to `address` is on its way, hands it to its carrier with its send-once key, and commits what the
/// carrier answered.
///
/// # Errors
/// When the carrier did not take it this time, or the storage failed.
pub(super) async fn send_once(
    pitlane: &Pitlane,
    delivery: DeliveryId,
    address: String,
    deduplicates: bool,
    send: impl AsyncFnOnce(String) -> Result<Receipt, SendError>,
) -> Result<(), Failure> {
    let (begun, begin) = pitlane
        .db
        .write(move |tx| notifications::begin(tx, delivery, &address, deduplicates).map_err(Error::from))
        .await
        .map_err(later)?;
    match begin {
        Begin::Ended => return Ok(()),
        // It was put into a call with others after this run lost its lease; that call has a key of its own.
        Begin::Send if begun.batch().is_some() => return Ok(()),
        Begin::Send => {}
    }
    let outcome = send(begun.stored().send_once_key.clone()).await;
    let (cx, answer) = (pitlane.context(), outcome.clone());
    pitlane
        .db
        .write(move |tx| notifications::finish(tx, delivery, &answer, &cx).map_err(Error::from))
        .await
        .map_err(later)?;
    match outcome {
        Ok(_) => Ok(()),
        Err(SendError::Refused(reason)) => {
            let channel = begun.stored().channel.as_str();
            tracing::warn!(%delivery, channel, reason, "a message was refused for good");
            Ok(())
        }
        Err(error @ (SendError::NotSent(_) | SendError::Unknown(_))) => {
            Err(Failure::Later(error.to_string()))
        }
    }
}

/// Ends a delivery that no longer makes sense: its link has expired, its person is gone.
pub(super) async fn refuse(pitlane: &Pitlane, delivery: DeliveryId, reason: String) -> Result<(), Failure> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let (_, begin) = notifications::begin(tx, delivery, "", true)?;
            if begin == Begin::Send {
                notifications::finish(tx, delivery, &Err(SendError::Refused(reason.clone())), &cx)?;
            }
            Ok::<_, Error>(())
        })
        .await
        .map_err(later)
}
