//! What ends a request from outside: the customer's cancellation, time, an admin.

use kernel::Context;
use kernel::id::{SessionId, UserId};

use crate::error::Error;
use crate::offer::OfferStatus;
use crate::open::offer;
use crate::request::{Request, RequestStatus};
use crate::store::Store;

/// A request that is not open any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The request.
    pub request: Request,
    /// The mechanics whose offers are gone now.
    pub withdrawn: Vec<UserId>,
}

/// Calls a session's request off. `None` when it was not open, or there is none.
///
/// # Errors
/// The storage failed.
pub fn withdraw(store: &mut dyn Store, session: SessionId, cx: &Context) -> Result<Option<Closed>, Error> {
    close(store, session, RequestStatus::Withdrawn, cx)
}

/// Gives a session's request up: nobody came. `None` when it was not open, or there is none.
///
/// # Errors
/// The storage failed.
pub fn expire(store: &mut dyn Store, session: SessionId, cx: &Context) -> Result<Option<Closed>, Error> {
    close(store, session, RequestStatus::Expired, cx)
}

/// An admin gives an open request to a mechanic by hand (ROU-05), on duty or not. `None` when the request was not open
/// any more: then the accept that closed it stays on record.
///
/// # Errors
/// [`Error::NotApproved`]; [`Error::NotFound`] when the person is no mechanic.
pub fn assign(
    store: &mut dyn Store,
    session: SessionId,
    mechanic: UserId,
    cx: &Context,
) -> Result<Option<Closed>, Error> {
    let duty = store.mechanic_duty(mechanic)?.ok_or(Error::NotFound)?;
    if !duty.approved {
        return Err(Error::NotApproved);
    }
    let Some(found) = store.request_by_session(session)? else { return Ok(None) };
    if !store.request_claim(found.id, mechanic, cx.now)? {
        return Ok(None);
    }
    store.offer_insert(&offer(&found, mechanic, cx))?;
    store.offer_answer(found.id, mechanic, OfferStatus::Accepted, cx.now)?;
    closed(store, &found, cx).map(Some)
}

fn close(
    store: &mut dyn Store,
    session: SessionId,
    status: RequestStatus,
    cx: &Context,
) -> Result<Option<Closed>, Error> {
    let Some(found) = store.request_by_session(session)? else { return Ok(None) };
    if store.request_close(found.id, status, cx.now)? {
        closed(store, &found, cx).map(Some)
    } else {
        Ok(None)
    }
}

fn closed(store: &mut dyn Store, found: &Request, cx: &Context) -> Result<Closed, Error> {
    let withdrawn = store.offers_withdraw(found.id, cx.now)?;
    let request = store.request_by_id(found.id)?.ok_or(Error::NotFound)?;
    Ok(Closed { request, withdrawn })
}
