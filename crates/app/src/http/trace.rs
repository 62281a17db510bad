//! The request that is being answered, for what is written down about it.

use std::future::Future;
use std::sync::Arc;

tokio::task_local! {
    static REQUEST: Arc<str>;
}

/// Runs `work` as part of the request of that id. What it spawns is not part of it, unless it says so again.
pub async fn of<T>(id: Option<Arc<str>>, work: impl Future<Output = T>) -> T {
    match id {
        Some(id) => REQUEST.scope(id, work).await,
        None => work.await,
    }
}

/// The id of the request that this is part of; `None` for what happens by itself.
pub fn current() -> Option<Arc<str>> {
    REQUEST.try_with(Arc::clone).ok()
}
