//! The request that is being answered, for what is written down about it.

use std::future::Future;

use kernel::Request;

tokio::task_local! {
    static REQUEST: Request;
}

/// Runs `work` as part of that request. What it spawns is not part of it, unless it says so again.
pub async fn of<T>(request: Option<Request>, work: impl Future<Output = T>) -> T {
    match request {
        Some(request) => REQUEST.scope(request, work).await,
        None => work.await,
    }
}

/// The request that this is part of; `None` for what happens by itself.
pub fn current() -> Option<Request> {
    REQUEST.try_with(Request::clone).ok()
}
