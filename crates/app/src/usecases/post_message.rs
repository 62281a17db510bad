//! Something is said in a session, for clients without a socket.

use kernel::id::{SessionId, UserId};
use sessions::{MessageDraft, Posted};

use crate::state::Pitlane;
use crate::usecases::Error;

/// Says something. The same `client_ref` again gives the first event.
///
/// # Errors
/// Those of [`sessions::post_message`]; the storage's.
pub async fn post_message(
    pitlane: &Pitlane,
    sender: UserId,
    session: SessionId,
    draft: MessageDraft,
) -> Result<Posted, Error> {
    let cx = pitlane.context();
    let limits = pitlane.settings.message_limits();
    pitlane.db.write(move |tx| Ok(sessions::post_message(tx, session, sender, &draft, &limits, &cx)?)).await
}
