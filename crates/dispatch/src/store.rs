//! What this domain asks of the database.

use kernel::id::{RequestId, SessionId, UserId};
use kernel::{StoreError, Timestamp};

use crate::offer::{Offer, OfferStatus};
use crate::request::{Request, RequestStatus};

/// Whether somebody can be offered work now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duty {
    /// An admin approved them.
    pub approved: bool,
    /// They take work now.
    pub on_duty: bool,
}

/// Requests and offers, inside one transaction.
pub trait Store {
    /// Stores an open request. `false` when the session has one or the id exists.
    fn request_insert(&mut self, request: &Request) -> Result<bool, StoreError>;
    /// The request.
    fn request_by_id(&mut self, id: RequestId) -> Result<Option<Request>, StoreError>;
    /// The request, with other writers of it kept waiting until the transaction ends.
    fn request_for_update(&mut self, id: RequestId) -> Result<Option<Request>, StoreError>;
    /// The request of a session.
    fn request_by_session(&mut self, session: SessionId) -> Result<Option<Request>, StoreError>;
    /// Gives an open request to a mechanic. `false`, and nothing changed, when it is not open any more: of any number
    /// of callers exactly one gets `true`.
    fn request_claim(&mut self, id: RequestId, mechanic: UserId, now: Timestamp) -> Result<bool, StoreError>;
    /// Closes an open request without a winner, as `withdrawn` or `expired`. `false` when it is not open any more.
    fn request_close(
        &mut self,
        id: RequestId,
        status: RequestStatus,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Every approved mechanic who takes work now, in a stable order.
    fn mechanics_on_duty(&mut self) -> Result<Vec<UserId>, StoreError>;
    /// Whether this person can be offered work; `None` when they are no mechanic.
    fn mechanic_duty(&mut self, mechanic: UserId) -> Result<Option<Duty>, StoreError>;
    /// Notes that a mechanic was told. `false` when they had been.
    fn offer_insert(&mut self, offer: &Offer) -> Result<bool, StoreError>;
    /// What became of the offer to this mechanic.
    fn offer(&mut self, request: RequestId, mechanic: UserId) -> Result<Option<Offer>, StoreError>;
    /// Changes one offer.
    fn offer_answer(
        &mut self,
        request: RequestId,
        mechanic: UserId,
        status: OfferStatus,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Withdraws every unanswered offer of a request; answers whose they were, in a stable order.
    fn offers_withdraw(&mut self, request: RequestId, now: Timestamp) -> Result<Vec<UserId>, StoreError>;
    /// Deletes the request of a session whose time is over, with its offers.
    fn request_delete(&mut self, session: SessionId) -> Result<(), StoreError>;
}
