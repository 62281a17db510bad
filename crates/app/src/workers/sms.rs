//! Sends one text message: writes it, commits that it is on its way, hands it to the carrier, commits the answer.

use accounts::{CredentialStore, User};
use jobs::{Failure, Job};
use kernel::id::{DeliveryId, UserId};
use notifications::{Delivery, Message, Milestone, Texter};
use sessions::Status;
use store::Tx;

use super::later;
use super::mail::{refuse, send_once};
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
    let (reader, now) = (pitlane.clone(), pitlane.clock.now());
    let written = pitlane
        .db
        .read(move |tx| {
            let found = notifications::Store::delivery_by_id(tx, delivery)?;
            found.map_or(Ok(Err("there is no such delivery")), |found| write(tx, &reader, &found, now))
        })
        .await
        .map_err(later)?;
    let message = match written {
        Ok(message) => message,
        Err(reason) => return refuse(pitlane, delivery, reason.to_owned()).await,
    };
    let (to, deduplicates) = (message.to.clone(), texter.deduplicates());
    send_once(pitlane, delivery, to, deduplicates, async |key| texter.send_text(&message, &key).await).await
}

const NO_TELEPHONE: &str = "there is no telephone that is shown to be theirs";

fn phone_of(tx: &mut Tx<'_>, user: UserId) -> Result<Option<String>, Error> {
    let recipient = accounts::UserStore::user_by_id(tx, user)?;
    Ok(recipient.filter(User::phone_verified).and_then(|user| user.phone().map(str::to_owned)))
}

// The inner error says why there is nothing to tell any more.
fn write(
    tx: &mut Tx<'_>,
    pitlane: &Pitlane,
    delivery: &Delivery,
    now: kernel::Timestamp,
) -> Result<Result<Message, &'static str>, Error> {
    let stored = delivery.stored();
    let about = stored.context.as_deref().and_then(|context| serde_json::from_str(context).ok());
    let (to, text) = match (stored.milestone, about) {
        (Milestone::PhoneCode, Some(About::PhoneCode(id))) => {
            let code = tx.phone_code(stored.recipient)?.filter(|code| code.id == id && code.is_live(now));
            let Some(code) = code else { return Ok(Err("the code was replaced, used or is too old")) };
            let minutes = accounts::phone_code::CODE_SECONDS / 60;
            let digits = phone_code(&pitlane.settings.auth.secret, id);
            (code.phone.as_str().to_owned(), web::text::phone_code(&digits, minutes))
        }
        (Milestone::SessionUpgraded, Some(About::Session(id))) => {
            let Some(phone) = phone_of(tx, stored.recipient)? else { return Ok(Err(NO_TELEPHONE)) };
            let room = format!("{}/chat/{id}", pitlane.settings.server.public_url);
            (phone, web::text::session_upgraded(&room))
        }
        (Milestone::StartNudge, Some(About::Notice(id))) => {
            let Some(phone) = phone_of(tx, stored.recipient)? else { return Ok(Err(NO_TELEPHONE)) };
            let Some(notice) = notifications::Store::notice_by_id(tx, id)? else {
                return Ok(Err("the session is gone"));
            };
            let session = sessions::Store::session_by_id(tx, notice.session)?;
            let Some(session) = session.filter(|session| session.status() == Status::Accepted) else {
                return Ok(Err("the session has begun or is over"));
            };
            let customer = accounts::UserStore::user_by_id(tx, session.customer())?;
            let name = customer.as_ref().map_or("Your customer", |customer| customer.name());
            let room = format!("{}/chat/{}", pitlane.settings.server.public_url, session.id());
            (phone, web::text::start_nudge(name, &room))
        }
        _ => return Ok(Err("nothing is told about this by text message")),
    };
    Ok(Ok(Message {
        to,
        subject: String::new(),
        text,
        html: None,
        links: Vec::new(),
        milestone: stored.milestone,
        unsubscribe_url: None,
    }))
}
