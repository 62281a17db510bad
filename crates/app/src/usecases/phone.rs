//! Showing whose a telephone is, by a code in a text message.

use accounts::phone_code::{self, CodeOutcome, CodeSecret};
use accounts::{Error as AccountsError, Phone, User};
use kernel::{PhoneCodeId, UserId};
use notifications::Milestone;

use super::Error;
use crate::state::Pitlane;
use crate::usecases::mail::{self, About, phone_code, phone_code_hash};

/// Gives the person that telephone and sends a code to it, unless it is shown to be theirs already.
///
/// # Errors
/// A number that is none, too many codes, or a failure of the storage.
pub async fn request(pitlane: &Pitlane, person: UserId, typed: &str) -> Result<(), Error> {
    let phone = Phone::parse(typed).map_err(|error| AccountsError::Invalid(vec![error]))?;
    let (cx, secret) = (pitlane.context(), pitlane.settings.auth.secret.clone());
    let id = PhoneCodeId::new(cx.id());
    let new = CodeSecret { id, hash: phone_code_hash(&secret, id, &phone_code(&secret, id)) };
    pitlane
        .db
        .write(move |tx| {
            if phone_code::request(tx, person, phone.clone(), new, &cx)?.is_some() {
                mail::enqueue(tx, Milestone::PhoneCode, person, About::PhoneCode(id), &cx)?;
            }
            Ok(())
        })
        .await
}

/// Looks at the code that the person typed.
///
/// # Errors
/// A code that is not the one in force, or a failure of the storage.
pub async fn verify(pitlane: &Pitlane, person: UserId, typed: &str) -> Result<User, Error> {
    let code: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let (cx, secret) = (pitlane.context(), pitlane.settings.auth.secret.clone());
    let outcome = pitlane
        .db
        .write(move |tx| {
            Ok::<_, Error>(phone_code::verify(tx, person, |id| phone_code_hash(&secret, id, &code), &cx)?)
        })
        .await?;
    match outcome {
        CodeOutcome::Verified(user) => Ok(*user),
        CodeOutcome::Refused(error) => Err(error.into()),
    }
}
