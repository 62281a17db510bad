//! Opening a request.

use kernel::id::{ProviderId, RequestId, SessionId, UserId};
use kernel::{Context, Timestamp};

use crate::error::Error;
use crate::offer::{Offer, OfferStatus};
use crate::request::{Request, Routing};
use crate::store::Store;

/// What a paid session asks for.
#[derive(Debug, Clone, Copy)]
pub struct NewRequest {
    /// The id it shall have.
    pub id: RequestId,
    /// The session that needs a mechanic.
    pub session: SessionId,
    /// Who waits.
    pub customer: UserId,
    /// Whom it reaches first.
    pub routing: Routing,
    /// Whom the customer asked for.
    pub preferred_provider: Option<ProviderId>,
    /// When the customer gets the money back if nobody has come.
    pub expires_at: Timestamp,
}

/// An open request and who has to be told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The request.
    pub request: Request,
    /// The mechanics to whom it was offered by this call; empty when the session had a request already.
    pub offered: Vec<UserId>,
}

/// Opens the request of a paid session and offers it to every approved mechanic on duty (ROU-03). Those who come on duty
/// later see it too, as long as it is open. A session has one request: opening it again changes nothing.
///
/// # Errors
/// The storage failed.
pub fn open_request(store: &mut dyn Store, new: NewRequest, cx: &Context) -> Result<Opened, Error> {
    let request = Request::new(
        new.id,
        new.session,
        new.customer,
        new.routing,
        new.preferred_provider,
        cx.now,
        new.expires_at,
    );
    if !store.request_insert(&request)? {
        let request = store.request_by_session(new.session)?.ok_or(Error::NotFound)?;
        return Ok(Opened { request, offered: Vec::new() });
    }
    let mut offered = Vec::new();
    for mechanic in store.mechanics_on_duty()? {
        if mechanic != new.customer && store.offer_insert(&offer(&request, mechanic, cx))? {
            offered.push(mechanic);
        }
    }
    Ok(Opened { request, offered })
}

/// An unanswered offer, made now.
pub(crate) const fn offer(request: &Request, mechanic: UserId, cx: &Context) -> Offer {
    Offer {
        request: request.id,
        mechanic,
        status: OfferStatus::Offered,
        offered_at: cx.now,
        answered_at: None,
    }
}
