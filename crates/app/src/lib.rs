//! Pitlane's shell: boot, configuration, HTTP and WebSocket, use cases that span domains, workers.
//!
//! | module | holds |
//! |---|---|
//! | [`boot`] | from a configuration to a running server, and its graceful stop |
//! | [`cli`] | the commands of the binary |
//! | [`config`] | every key, its default, and what is refused |
//! | [`clock`] | the time and the source of ids |
//! | [`state`] | [`state::Pitlane`]: what every handler and worker shares |
//! | [`naming`] | what orders and sessions are called |
//! | [`mailbox`] | takes messages in place of a carrier |
//! | [`http`] | the REST API: one file a resource, one place for errors |
//! | [`pages`] | the pages people see |
//! | [`realtime`] | `/ws`: hub, sockets, presence |
//! | [`usecases`] | one verb a file, where domains meet in one transaction |
//! | [`workers`] | what runs without a request: jobs |
//!
//! It must never hold a rule (they live in the domains) or SQL (it lives in `store`).

pub mod boot;
pub mod cli;
pub mod clock;
pub mod config;
pub mod http;
pub mod mailbox;
pub mod metrics;
pub mod naming;
pub mod pages;
pub mod realtime;
pub mod state;
pub mod usecases;
pub mod workers;
