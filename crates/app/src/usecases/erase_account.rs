//! Somebody leaves: what runs is ended, what they wrote is deleted, what was paid stays in the books.

use accounts::audit::{self, NewAuditEntry};
use accounts::{Device, Email, Error as AccountsError, User, UserStore as _};
use intake::RetentionStore as _;
use jobs::{JobKind, NewJob};
use kernel::{Actor, Context, StoreError, UserId};
use payments::RetentionStore as _;
use serde::{Deserialize, Serialize};
use sessions::{OpenSeat, ParticipantRole, RetentionStore as _, Status};
use store::Tx;
use store::notice::Side;

use super::cancel_session::cancel_session;
use super::end_session::end_session;
use super::expire_order::expire_order;
use super::{Error, account, personal};
use crate::state::Pitlane;

/// How often it is tried when something new begins meanwhile.
const ROUNDS: u32 = 10;

/// Sessions and orders that are looked at in one round.
const BATCH: u32 = 50;

/// The payload of the job that makes the payment provider forget a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForgetPayer {
    /// The provider's id of them.
    pub reference: String,
}

/// Erases the account of somebody who is signed in. A typed password has to be right.
///
/// Sessions that have not begun are called off and paid back as if the person had cancelled them, running ones end,
/// payment pages close. Whatever stops it leaves the account as it is.
///
/// # Errors
/// A password that is wrong, the last admin, a payment provider that can't be reached while a payment page is open, or
/// a failure of the storage.
pub async fn erase_account(
    pitlane: &Pitlane,
    user: &User,
    current_password: Option<String>,
    device: &Device,
) -> Result<(), Error> {
    if current_password.is_some() {
        account::confirm(pitlane, user, current_password, device).await?;
    }
    erase(pitlane, user, None).await
}

/// Erases the account with that address for `pitlane user erase`: of somebody who asked for it and can't sign in. The audit
/// log keeps that it was done.
///
/// # Errors
/// An address without an account, and those of [`erase_account`].
pub async fn erase_for(pitlane: &Pitlane, email: &str) -> Result<(), Error> {
    let email = Email::parse(email).map_err(|error| AccountsError::Invalid(vec![error]))?;
    let user = pitlane.db.read(move |tx| Ok::<_, Error>(tx.user_by_email(&email)?)).await?;
    let user = user.ok_or(AccountsError::NotFound("account"))?;
    erase(pitlane, &user, Some("pitlane user erase")).await
}

async fn erase(pitlane: &Pitlane, user: &User, command: Option<&'static str>) -> Result<(), Error> {
    let by = Actor::Person { id: user.id(), role: user.role() };
    for _ in 0..ROUNDS {
        let (id, cx) = (user.id(), pitlane.context());
        let erased = pitlane.db.write(move |tx| {
            let erased = erase_if_settled(tx, id, &cx)?;
            if let Some(command) = command.filter(|_| erased) {
                let entry =
                    NewAuditEntry::new(Actor::System, "user.erase", "user", id).with("command", command);
                audit::record(tx, entry, &cx)?;
            }
            Ok::<_, Error>(erased)
        });
        if erased.await? {
            return Ok(());
        }
        settle(pitlane, by, id).await?;
    }
    Err(StoreError::Retry("new sessions kept beginning".to_owned()).into())
}

/// Erases everything in one transaction unless a session or a payment page is open.
fn erase_if_settled(tx: &mut Tx<'_>, user: UserId, cx: &Context) -> Result<bool, Error> {
    let busy = tx.seats_open(user, BATCH)?.iter().any(|seat| seat.role != ParticipantRole::Observer)
        || !tx.orders_open_of(user, 1)?.is_empty();
    if busy {
        // Said before anything is ended for somebody who can't go.
        accounts::erase::check(tx, user)?;
        return Ok(false);
    }
    let reference = payments::Store::customer_reference(tx, user)?;
    tx.person_forget(user, cx.now)?;
    tx.customer_forget(user)?;
    tx.events_forget(user)?;
    notifications::Store::preferences_delete(tx, user)?;
    let address = accounts::erase::check(tx, user)?.email().as_str().to_owned();
    notifications::Store::messages_forget(tx, user, &address)?;
    crm::Store::interactions_forget(tx, user)?;
    if let Some(reference) = reference {
        payments::Store::customer_reference_delete(tx, user)?;
        let payload = serde_json::to_string(&ForgetPayer { reference }).expect("a text serialises");
        let job = NewJob { kind: JobKind::ForgetPayer, payload, run_at: cx.now, dedupe_key: None };
        jobs::schedule(tx, job, cx)?;
    }
    for member in accounts::invitation::dissolve(tx, user, cx)? {
        let message = "Your workshop has left Pitlane, and with it your approval. You may apply on your own.";
        let (title, button) = ("You work alone now", "See what to do");
        personal::notification(tx, member, Side::Mechanic, title, message, button, "/mechanic", cx);
    }
    accounts::erase::erase(tx, user, cx)?;
    Ok(true)
}

/// Ends what is open. Somebody else may be faster; the next round looks again.
async fn settle(pitlane: &Pitlane, by: Actor, user: UserId) -> Result<(), Error> {
    let (seats, orders) = pitlane
        .db
        .read(move |tx| -> Result<_, Error> {
            Ok((tx.seats_open(user, BATCH)?, tx.orders_open_of(user, BATCH)?))
        })
        .await?;
    for OpenSeat { session, status, role } in seats {
        if role == ParticipantRole::Observer {
            continue;
        }
        let ended = match status {
            Status::Requested | Status::Scheduled | Status::Accepted => {
                cancel_session(pitlane, by, session).await.map(drop)
            }
            Status::InProgress => end_session(pitlane, user, session).await.map(drop),
            Status::Completed | Status::Cancelled | Status::Expired => Ok(()),
        };
        match ended {
            Err(Error::Sessions(sessions::Error::InvalidTransition(_))) | Ok(()) => {}
            Err(error) => return Err(error),
        }
    }
    for order in orders {
        expire_order(pitlane, order).await?;
    }
    Ok(())
}
