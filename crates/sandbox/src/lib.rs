//! A stateful stand-in for Stripe, to develop and test against with nothing configured.
//!
//! The development server mounts [`Sandbox::routes`] and a Stripe client that is pointed at it works as it
//! would against Stripe: the paths, parameters, objects, errors and idempotency keys are Stripe's own. A
//! customer pays on a hosted page under `/sandbox/checkout/…`, and what happens is told to the application
//! by signed webhooks, which can be made to misbehave.
//!
//! # Map
//! - `http`: routes; `api`: authentication and idempotency keys; `resources`: which one answers; `outage`: calls that
//!   fail on demand
//! - `form`: nested form parameters; `fault`: Stripe's error shapes; `expand`: `expand[]`; `listing`: pages
//! - `customers`, `checkout`, `line_items`, `intents`, `setups`, `methods`, `charges`, `refunds`, `balance`, `products`,
//!   `prices`, `events`, `endpoints`: one resource each
//! - `disputes`, `evidence`: what a cardholder takes back, and the answer to it
//! - `accounts`, `onboarding`, `links`, `transfers`, `reversals`: connected accounts and money for them
//! - `card`: test cards and what they do; `confirm`: taking the money; `page`, `pay` and `view`: the payment page
//! - `timers`: what happens later (expiry, delayed payments, disputes); `webhooks`: delivery; `signature`: its header
//! - `state`: the SQLite file; `queue`: what it keeps beside objects; `document`: one stored object
//!
//! # What it owns
//! Its own SQLite file. All that one request changes (objects, events, deliveries, timers, the answer kept
//! under an idempotency key) is one transaction, so a killed process loses nothing it has answered.
//!
//! # What it must never do
//! Know a type of the application, reach its database, call it other than by webhook, accept a live key, or
//! store a card number that is not one of the published test numbers.

#![recursion_limit = "256"]

mod accounts;
mod api;
mod balance;
mod card;
mod charges;
mod checkout;
mod confirm;
mod control;
mod customers;
mod disputes;
mod document;
mod endpoints;
mod events;
mod evidence;
mod expand;
mod fault;
mod form;
mod http;
mod ids;
mod intents;
mod line_items;
mod links;
mod listing;
mod methods;
mod money;
mod onboarding;
mod outage;
mod page;
mod pay;
mod prices;
mod products;
mod queue;
mod refunds;
mod resources;
mod reversals;
mod saved;
mod setups;
mod signature;
mod state;
mod timers;
mod transfers;
mod view;
mod webhooks;

use std::path::PathBuf;
use std::sync::Arc;

use actix_web::web::ServiceConfig;
use tokio::sync::{Notify, watch};

use crate::fault::Fault;
use crate::state::{Database, Tx};

pub use crate::signature::signature_header;

/// Tells the current time in whole seconds since 1970-01-01 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Where the sandbox keeps its state and whom it tells.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The SQLite file, created with its folder when it is missing.
    pub database: PathBuf,
    /// Full `http://` address that webhooks are posted to.
    pub webhook_url: String,
    /// The secret that webhooks are signed with.
    pub webhook_secret: String,
    /// Base address of the server that mounts the routes, for the payment page's links.
    pub public_url: String,
    /// The API version written into events, such as `2026-09-30.endive`.
    pub api_version: String,
}

/// Why the sandbox could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder of the database could not be created.
    #[error("cannot create the folder of the sandbox's database {path}: {source}")]
    Folder {
        /// The database that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The database could not be opened.
    #[error("cannot open the sandbox's database {path}: {source}")]
    Open {
        /// The database that was asked for.
        path: PathBuf,
        /// What SQLite said.
        source: diesel::ConnectionError,
    },
    /// The database could be opened but not prepared.
    #[error("cannot prepare the sandbox's database: {0}")]
    Prepare(#[from] diesel::result::Error),
    /// An address among the settings is not an absolute `http` or `https` address.
    #[error("{setting} must be an absolute http(s) address, got {value:?}")]
    Address {
        /// Which setting.
        setting: &'static str,
        /// What it was.
        value: String,
    },
}

/// The stand-in: one state, shared by all clones.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    settings: Settings,
    merchant: Option<String>,
    clock: Clock,
    wake: Notify,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Sandbox")
            .field("database", &self.inner.settings.database)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Opens the state kept in `settings.database`, or starts an empty one.
    ///
    /// # Errors
    /// [`Error`] when the file can't be created, opened or prepared, or an address is not absolute.
    pub fn open(settings: Settings, clock: Clock) -> Result<Self, Error> {
        for (setting, value) in [("webhook_url", &settings.webhook_url), ("public_url", &settings.public_url)]
        {
            if money::web_address(value).is_none() {
                return Err(Error::Address { setting, value: value.clone() });
            }
        }
        let database = Database::open(&settings.database)?;
        Ok(Self { inner: Arc::new(Inner { database, settings, merchant: None, clock, wake: Notify::new() }) })
    }

    /// Names who gets paid on the payment page; without it the page names the host of the success address.
    /// Call it before the sandbox is cloned: a sandbox that is already shared keeps its name.
    #[must_use]
    pub fn merchant(mut self, name: &str) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.merchant = Some(name.to_owned());
        }
        self
    }

    /// Registers `/v1/*` and `/sandbox/*`.
    pub fn routes(&self) -> impl Fn(&mut ServiceConfig) + Clone + Send + use<> {
        let sandbox = self.clone();
        move |config: &mut ServiceConfig| http::register(config, &sandbox)
    }

    /// Delivers webhooks and runs what is due (expiry, delayed payments) until `stop` turns true or its
    /// sender is gone. What was not delivered before the process ended is sent soon after this starts.
    pub async fn run_webhooks(&self, stop: watch::Receiver<bool>) {
        webhooks::run(self, stop).await;
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Runs `work` as one transaction on a thread that may block. Everything that is due by the clock has
    /// happened before `work` looks; a fault undoes what `work` wrote.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let sandbox = self.clone();
        tokio::task::spawn_blocking(move || sandbox.write(work)).await.unwrap_or_else(|stopped| {
            Err(Fault::Internal(format!("a transaction did not finish: {stopped}")))
        })
    }

    fn write<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let inner = &self.inner;
        // Separate transactions, so that a refused request can't undo what was due anyway.
        let later = inner.database.transaction(&inner.settings, &inner.clock, timers::run_due)?;
        let done = inner.database.transaction(&inner.settings, &inner.clock, work);
        let told = later.told || done.as_ref().is_ok_and(|done| done.told);
        if told {
            inner.wake.notify_one();
        }
        done.map(|done| done.value)
    }
}
