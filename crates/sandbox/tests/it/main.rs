//! The sandbox as its callers see it: over HTTP, with a clock that is moved and a receiver of webhooks.

mod api;
mod client;
mod connect;
mod disputes;
mod events;
mod payments;
mod saved;
mod setups;
mod webhooks;
mod world;
