//! A paid session is offered to the mechanics.

use dispatch::{NewRequest, Opened};
use kernel::id::UserId;
use kernel::{Context, StoreError};
use serde_json::json;
use store::Tx;
use store::notice::Side;

use crate::usecases::{Error, personal};

/// Opens the request of a session, in the transaction that makes the session, and tells every mechanic on duty.
///
/// # Errors
/// The storage's.
pub fn offer_request(tx: &mut Tx<'_>, new: NewRequest, cx: &Context) -> Result<Opened, Error> {
    let opened = dispatch::open_request(tx, new, cx)?;
    if opened.offered.is_empty() {
        return Ok(opened);
    }
    let request = opened.request;
    let customer = accounts::UserStore::user_by_id(tx, request.customer)?
        .ok_or_else(|| StoreError::corrupt("session_requests", "the customer is gone"))?;
    let session = sessions::Store::session_by_id(tx, request.session)?
        .ok_or_else(|| StoreError::corrupt("session_requests", "the session is gone"))?;
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
