//! What every handler and worker shares.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_web::web::ServiceConfig;
use intake::{FileStorage, Waivers};
use kernel::{Context, Entropy, Timestamp};
use payments::Gateway;
use pricing::Catalog;
use sessions::VideoRooms;
use store::Db;
use web::legal::LegalTexts;

use crate::clock::Clock;
use crate::config::Settings;
use crate::http::audit::Looks;
use crate::http::health::LastChecks;
use crate::http::limits::Limits;
use crate::http::trace;
use crate::metrics::Metrics;
use crate::realtime::Hub;

/// Adds routes that another crate brings, such as the Stripe sandbox in development.
pub type ExtraRoutes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// The running product. Cheap to clone.
#[derive(Clone)]
pub struct Pitlane {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Ids and random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The configuration.
    pub settings: Arc<Settings>,
    /// The price books.
    pub catalog: Arc<Catalog>,
    /// The versions of the waiver.
    pub waivers: Arc<Waivers>,
    /// The terms and the privacy text.
    pub legal: Arc<LegalTexts>,
    /// Where the bytes of uploads lie.
    pub files: Arc<dyn FileStorage>,
    /// The payment provider.
    pub gateway: Arc<dyn Gateway>,
    /// Who carries video.
    pub video: Arc<dyn VideoRooms>,
    /// The sockets of this node.
    pub hub: Arc<Hub>,
    /// How fast requests may come.
    pub limits: Arc<Limits>,
    /// Which admin has looked at which page when.
    pub looks: Arc<Looks>,
    /// Whether the database and the place of the uploads worked when they were last looked at.
    pub last_checks: Arc<LastChecks>,
    /// What `/metrics` tells.
    pub metrics: Arc<Metrics>,
    /// When this process started.
    pub started_at: Timestamp,
    /// Whether it was noted who went with the process before this one.
    pub looked_back: Arc<AtomicBool>,
    /// Routes of development that are not in the list.
    pub extra_routes: Option<ExtraRoutes>,
}

impl Pitlane {
    /// The time and the id source for one use case.
    pub fn context(&self) -> Context {
        let cx = Context::new(self.clock.now(), Arc::clone(&self.entropy));
        match trace::current() {
            Some(request) => cx.of_request(request),
            None => cx,
        }
    }

    /// What development adds beside the listed routes.
    pub fn development_routes(&self) -> ExtraRoutes {
        self.extra_routes.clone().unwrap_or_else(|| Arc::new(|_| {}))
    }
}
