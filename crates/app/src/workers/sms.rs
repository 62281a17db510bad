//! Sends one text message: writes it, commits that it is on its way, hands it to the carrier, commits the answer.

use accounts::CredentialStore;
use jobs::{Failure, Job};
use kernel::id::DeliveryId;
use notifications::{Begin, Delivery, Message, Milestone, SendError, Texter};
use store::Tx;

use super::later;
use super::mail::refuse;
use crate::config::Secret;
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::mail::{About, MailJob, phone_code};

/// Sends the delivery of this job unless it has ended.
///
/// # Errors
/// When the carrier did not take it this time, or the storage failed.
pub async fn run(pitlane: &Pitlane, texter: &dyn Texter, job: &Job) -> Result<(), Failure> {
    let payload: MailJob = super::payload(job)?;
    let delivery = DeliveryId::new(payload.delivery);
    let (secret, now) = (pitlane.settings.auth.secret.clone(), pitlane.clock.now());
    let written = pitlane
        .db
        .read(move |tx| {
            let Some(found) = notifications::Store::delivery_by_id(tx, delivery)? else { return Ok(None) };
            write(tx, &secret, &found, now)
        })
        .await
        .map_err(later)?;
    let Some(message) = written else {
        return refuse(pitlane, delivery, "the code was replaced, used or is too old".to_owned()).await;
    };
    let (address, deduplicates) = (message.to.clone(), texter.deduplicates());
    let (begun, begin) = pitlane
        .db
        .write(move |tx| notifications::begin(tx, delivery, &address, deduplicates).map_err(Error::from))
        .await
        .map_err(later)?;
    match begin {
        Begin::Ended => return Ok(()),
        Begin::Send => {}
    }
    let outcome = texter.send_text(&message, &begun.stored().send_once_key).await;
    let (cx, answer) = (pitlane.context(), outcome.clone());
    pitlane
        .db
        .write(move |tx| notifications::finish(tx, delivery, &answer, &cx).map_err(Error::from))
        .await
        .map_err(later)?;
    match outcome {
        Ok(_) => Ok(()),
        Err(SendError::Refused(reason)) => {
            tracing::warn!(%delivery, reason, "a text message was refused for good");
            Ok(())
        }
        Err(error @ (SendError::NotSent(_) | SendError::Unknown(_))) => {
            Err(Failure::Later(error.to_string()))
        }
    }
}

// `None` when there is nothing to tell any more.
fn write(
    tx: &mut Tx<'_>,
    secret: &Secret,
    delivery: &Delivery,
    now: kernel::Timestamp,
) -> Result<Option<Message>, Error> {
    let stored = delivery.stored();
    let about = stored.context.as_deref().and_then(|context| serde_json::from_str(context).ok());
    let Some(About::PhoneCode(id)) = about else { return Ok(None) };
    let code = tx.phone_code(stored.recipient)?.filter(|code| code.id == id && code.is_live(now));
    let Some(code) = code else { return Ok(None) };
    let minutes = accounts::phone_code::CODE_SECONDS / 60;
    let text = web::text::phone_code(&phone_code(secret, id), minutes);
    Ok(Some(Message {
        to: code.phone.as_str().to_owned(),
        subject: String::new(),
        text,
        html: None,
        links: Vec::new(),
        milestone: Milestone::PhoneCode,
        unsubscribe_url: None,
    }))
}
