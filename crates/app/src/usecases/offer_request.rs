//! A paid session is offered to the mechanics.

use accounts::user::User;
use dispatch::{NewRequest, Opened};
use kernel::id::UserId;
use kernel::{Context, StoreError};
use serde_json::json;
use sessions::Session;
use store::Tx;
use store::notice::Side;

use crate::usecases::{Error, personal};

/// Opens the request of a session, in the transaction that makes the session, and tells every mechanic on duty who asks
/// for what.
///
/// # Errors
/// The storage's.
pub fn offer_request(
    tx: &mut Tx<'_>,
    new: NewRequest,
    customer: &User,
    session: &Session,
    cx: &Context,
) -> Result<Opened, Error> {
    let opened = dispatch::open_request(tx, new, cx)?;
    let request = opened.request;
    for mechanic in &opened.offered {
        let fields = json!({
            "request_id": request.id,
            "session_id": request.session,
            "customer_name": customer.name(),
            "session_type": session.parts().session_type,
            "plan": session.parts().plan,
            "priority": is_preferred(tx, &request, *mechanic)?,
            "expires_at": request.expires_at,
        });
        personal::tell(tx, *mechanic, Side::Mechanic, "request_offered", fields, cx);
    }
    Ok(opened)
}

fn is_preferred(tx: &mut Tx<'_>, request: &dispatch::Request, mechanic: UserId) -> Result<bool, StoreError> {
    if !request.is_priority() {
        return Ok(false);
    }
    let found = accounts::ProviderStore::mechanic_by_user(tx, mechanic)?;
    Ok(found.is_some_and(|found| request.preferred_provider == Some(found.provider())))
}
