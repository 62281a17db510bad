//! What mechanics answer.

use kernel::Context;
use kernel::id::{RequestId, UserId};

use crate::error::Error;
use crate::offer::OfferStatus;
use crate::open::offer;
use crate::request::{Request, RequestStatus};
use crate::store::Store;

/// A request that has its mechanic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The request.
    pub request: Request,
    /// The other mechanics whose offers are gone now.
    pub withdrawn: Vec<UserId>,
    /// Whether this call won it; `false` when the same mechanic had it already.
    pub fresh: bool,
}

/// A request that a mechanic doesn't want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined {
    /// The request.
    pub request: Request,
}

/// A mechanic takes a request. Of any number of mechanics exactly one wins (ROU-08); the winner may ask again. Whoever was
/// offered it may take it, and every approved mechanic on duty.
///
/// # Errors
/// [`Error::AlreadyTaken`] when another one was first; [`Error::Closed`] when it was withdrawn or has expired;
/// [`Error::NotApproved`]; [`Error::NotFound`] when it was not offered to them.
pub fn accept(
    store: &mut dyn Store,
    request: RequestId,
    mechanic: UserId,
    cx: &Context,
) -> Result<Accepted, Error> {
    let (found, was_offered) = offered(store, request, mechanic)?;
    if found.accepted_by() == Some(mechanic) {
        return Ok(Accepted { request: found, withdrawn: Vec::new(), fresh: false });
    }
    if !store.request_claim(request, mechanic, cx.now)? {
        return Err(lost(store, request)?);
    }
    if !was_offered {
        store.offer_insert(&offer(&found, mechanic, cx))?;
    }
    store.offer_answer(request, mechanic, OfferStatus::Accepted, cx.now)?;
    let withdrawn = store.offers_withdraw(request, cx.now)?;
    let request = store.request_by_id(request)?.ok_or(Error::NotFound)?;
    Ok(Accepted { request, withdrawn, fresh: true })
}

/// A mechanic doesn't want a request: it leaves their list. The request stays open for the others.
///
/// # Errors
/// As for [`accept`].
pub fn decline(
    store: &mut dyn Store,
    request: RequestId,
    mechanic: UserId,
    cx: &Context,
) -> Result<Declined, Error> {
    let (found, was_offered) = offered(store, request, mechanic)?;
    match found.status() {
        RequestStatus::Open => {}
        RequestStatus::Accepted => return Err(Error::AlreadyTaken),
        RequestStatus::Withdrawn | RequestStatus::Expired => return Err(Error::Closed),
    }
    if !was_offered {
        store.offer_insert(&offer(&found, mechanic, cx))?;
    }
    store.offer_answer(request, mechanic, OfferStatus::Declined, cx.now)?;
    Ok(Declined { request: found })
}

fn offered(store: &mut dyn Store, request: RequestId, mechanic: UserId) -> Result<(Request, bool), Error> {
    let duty = store.mechanic_duty(mechanic)?.ok_or(Error::NotFound)?;
    if !duty.approved {
        return Err(Error::NotApproved);
    }
    let found = store.request_for_update(request)?.ok_or(Error::NotFound)?;
    let was_offered = store.offer(request, mechanic)?.is_some();
    if was_offered || duty.on_duty || found.accepted_by() == Some(mechanic) {
        Ok((found, was_offered))
    } else {
        Err(Error::NotFound)
    }
}

fn lost(store: &mut dyn Store, request: RequestId) -> Result<Error, Error> {
    let found = store.request_by_id(request)?.ok_or(Error::NotFound)?;
    Ok(match found.status() {
        RequestStatus::Open | RequestStatus::Accepted => Error::AlreadyTaken,
        RequestStatus::Withdrawn | RequestStatus::Expired => Error::Closed,
    })
}
