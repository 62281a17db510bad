//! An admin lets an address be written to again that mail came back from, or whose owner complained.

use accounts::audit::{self, NewAuditEntry};
use accounts::{Error as AccountsError, UserStore};
use kernel::{Actor, UserId};
use notifications::Channel;

use super::Error;
use crate::state::Pitlane;

/// Lifts what stops mail to this person's address.
///
/// # Errors
/// [`AccountsError::NotFound`] for an unknown person or an address that nothing stops, or a failure of the storage.
pub async fn write_again(
    pitlane: &Pitlane,
    user: UserId,
    admin: Actor,
    address: String,
) -> Result<(), Error> {
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            let person = tx.user_by_id(user)?.ok_or(AccountsError::NotFound("user"))?;
            let lifted =
                notifications::Store::suppression_delete(tx, Channel::Mail, person.email().as_str())?;
            if !lifted {
                return Err(AccountsError::NotFound("suppression").into());
            }
            let entry =
                NewAuditEntry::new(admin, "user.write_again", "user", user).from_address(Some(&address));
            audit::record(tx, entry, &cx)?;
            Ok(())
        })
        .await
}
