//! A mechanic doesn't want a request.

use kernel::id::{RequestId, SessionId, UserId};

use crate::state::Pitlane;
use crate::usecases::Error;

/// Takes the request off this mechanic's list. The others keep it.
///
/// # Errors
/// [`dispatch::Error`]: not theirs, taken, or closed; the storage's.
pub async fn decline_request(
    pitlane: &Pitlane,
    mechanic: UserId,
    request: RequestId,
) -> Result<SessionId, Error> {
    let cx = pitlane.context();
    pitlane.db.write(move |tx| Ok(dispatch::decline(tx, request, mechanic, &cx)?.request.session)).await
}
