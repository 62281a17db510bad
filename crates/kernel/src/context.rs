//! The time and the source of ids and random bytes, handed in from outside.

use std::sync::Arc;

use uuid::Uuid;

use crate::timestamp::Timestamp;

/// Where ids and random bytes come from. Production asks the operating system; tests may replay.
pub trait Entropy: Send + Sync {
    /// A new UUIDv7 for this instant. Ids of later calls sort later.
    fn id(&self, now: Timestamp) -> Uuid;
    /// Fills the buffer with bytes that nobody can guess.
    fn fill(&self, buffer: &mut [u8]);
}

/// What a decision needs from the outside world: one instant for the whole use case, and new ids.
#[derive(Clone)]
pub struct Context {
    /// The instant at which the use case happens.
    pub now: Timestamp,
    entropy: Arc<dyn Entropy>,
    request: Option<Request>,
}

/// A request that something is done for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Under which the log knows it.
    pub id: Arc<str>,
    /// The network address it came from; `None` when that is not known.
    pub address: Option<Arc<str>>,
}

impl Context {
    /// A context for one use case.
    pub fn new(now: Timestamp, entropy: Arc<dyn Entropy>) -> Self {
        Self { now, entropy, request: None }
    }

    /// The same, on behalf of that request.
    #[must_use]
    pub fn of_request(self, request: Request) -> Self {
        Self { request: Some(request), ..self }
    }

    /// The request that this is done for; `None` for what happens by itself.
    pub const fn request(&self) -> Option<&Request> {
        self.request.as_ref()
    }

    /// A new raw id; wrap it: `OrderId::new(cx.id())`.
    pub fn id(&self) -> Uuid {
        self.entropy.id(self.now)
    }

    /// `N` bytes that nobody can guess.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// The same sources at another instant.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { now, entropy: Arc::clone(&self.entropy), request: self.request.clone() }
    }
}
