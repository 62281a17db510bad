//! The sandbox as its callers see it: over HTTP, with a clock that is moved and a receiver of webhooks.

mod api;
mod client;
mod payments;
mod webhooks;
mod world;
