//! From a configuration to a running server, and its graceful stop.
//!
//! The order matters: what can be refused without touching anything comes first, and nobody can connect before
//! everything behind the port is ready.
//!
//! 1. the configuration as a whole, and the price books
//! 2. the lock on the SQLite file
//! 3. migrations, under their own lock
//! 4. the port
//! 5. the place of the uploads, which has to prove that it keeps them
//! 6. demo data, once, in development
//! 7. the sandbox, in development
//! 8. the clocks of sessions that are in progress or wait to be started
//! 9. the workers, which take up what a predecessor left
//! 10. requests

pub mod lock;

use std::fs::File;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use gateways::video::twilio::rooms::Rooms;
use gateways::video::{Ice, Livekit, PeerToPeer, Twilio};
use gateways::{resend, stripe, twilio};
use kernel::{Entropy, StoreError, UserId};
use notifications::{Mailer, Texter};
use pricing::Catalog;
use sandbox::Sandbox;
use sessions::VideoRooms;
use store::{Db, OpenError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::lock::DatabaseLock;
use crate::clock::{Clock, SystemEntropy};
use crate::config::{MailProvider, PaymentProvider, Problems, Settings, SmsProvider, VideoProvider};
use crate::http;
use crate::http::audit::Looks;
use crate::http::export::{Archive, has_cards};
use crate::http::health::LastChecks;
use crate::http::limits::Limits;
use crate::mailbox::Mailbox;
use crate::metrics::Metrics;
use crate::realtime::Hub;
use crate::state::{ExtraRoutes, Pitlane};
use crate::usecases::pack_archive::pack;
use crate::usecases::register::{self, Operators};
use crate::usecases::{self, erase_account, no_show, second_factor, seed, time_limit};
use crate::workers::{Carriers, Workers, attendance};

/// The version that the sandbox writes into its events, as Stripe does.
const STRIPE_API_VERSION: &str = "2026-10-28.endive";

/// Why the server does not start. Each message is for the person who starts it.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The configuration is wrong.
    #[error(transparent)]
    Configuration(#[from] Problems),
    /// Another process serves this database.
    #[error(
        "{0} is being served by another process: stop that one first, or set database.url to another file"
    )]
    InUse(String),
    /// The database can't be used.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The database failed while the server started.
    #[error(transparent)]
    Storage(#[from] StoreError),
    /// The demo data could not be written.
    #[error("the demo data can't be written: {0}")]
    Seed(usecases::Error),
    /// The clocks of running sessions could not be armed.
    #[error("the clocks of running sessions can't be armed: {0}")]
    Clocks(usecases::Error),
    /// The account could not be made.
    #[error("{}", account(.0))]
    Account(usecases::Error),
    /// The development secret can't be kept.
    #[error("the signing secret of development: {0}")]
    Secret(String),
    /// The sandbox can't start.
    #[error(transparent)]
    Sandbox(#[from] sandbox::Error),
    /// The place of the uploads can't be used.
    #[error(transparent)]
    Files(#[from] gateways::files::OpenError),
    /// The payment provider's client can't be set up.
    #[error(transparent)]
    Payments(#[from] stripe::SettingsError),
    /// The port can't be used.
    #[error("server.bind = {address}: {reason}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The server itself failed.
    #[error("the server failed: {0}")]
    Server(#[from] std::io::Error),
}

fn account(error: &usecases::Error) -> String {
    if let usecases::Error::Accounts(accounts::Error::Invalid(faults)) = error {
        let told = faults.iter().map(|fault| format!("--{}: {}", fault.field, fault.message));
        return told.collect::<Vec<_>>().join(" ");
    }
    let taken = matches!(error, usecases::Error::Accounts(accounts::Error::EmailTaken));
    if taken { format!("--email: {error}") } else { error.to_string() }
}

/// A running server.
pub struct Running {
    /// What it shares.
    pub pitlane: Pitlane,
    /// Where it listens.
    pub address: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
    handle: ServerHandle,
    workers: Workers,
    attendance: JoinHandle<()>,
    sandbox: Option<(watch::Sender<bool>, JoinHandle<()>)>,
    _lock: Option<DatabaseLock>,
}

/// Starts a server with these settings.
///
/// # Errors
/// [`BootError`], with what to do about it. Nothing keeps running then.
pub async fn start(settings: Settings) -> Result<Running, BootError> {
    settings.check_serving()?;
    let catalog = Arc::new(settings.catalog()?);
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    let lock = DatabaseLock::take(&settings.database.store)?;
    let db = open(settings.database.store.clone()).await?;
    let (listener, address) = listen(settings.server.bind)?;
    let mut pitlane = assemble(settings, catalog, db, address)?;
    prove_storage(&pitlane).await?;
    let sandbox = open_sandbox(&pitlane, address)?;
    pitlane.extra_routes = sandbox.as_ref().map(|sandbox| -> ExtraRoutes { Arc::new(sandbox.routes()) });
    if pitlane.settings.is_development() {
        seed::once(&pitlane).await.map_err(BootError::Seed)?;
    }
    let sandbox = sandbox.map(run_sandbox);
    let carriers = Carriers { mailer: mailer(&pitlane), texter: texter(&pitlane) };
    time_limit::arm_all(&pitlane).await.map_err(BootError::Clocks)?;
    no_show::watch_all(&pitlane, lock.is_some()).await.map_err(BootError::Clocks)?;
    let attendance = attendance::follow(pitlane.clone());
    let workers = Workers::start(pitlane.clone(), carriers, lock.is_some()).await?;
    let server = http::server::start(pitlane.clone(), listener)?;
    let handle = server.handle();
    Ok(Running {
        pitlane,
        address,
        server: tokio::spawn(server),
        handle,
        workers,
        attendance,
        sandbox,
        _lock: lock,
    })
}

/// Brings the database up to date and adds the demo accounts that are missing, beside a running server or without
/// one. Answers how many were added. The caller makes sure that this is development.
///
/// # Errors
/// [`BootError`], with what to do about it.
pub async fn seed(settings: Settings) -> Result<usize, BootError> {
    let pitlane = at_rest(settings).await?;
    seed::seed(&pitlane).await.map_err(BootError::Seed)
}

/// Brings the database up to date and makes an account, beside a running server or without one.
///
/// # Errors
/// [`BootError`], with what to do about it.
pub async fn create_user(settings: Settings, wanted: Operators) -> Result<UserId, BootError> {
    let pitlane = at_rest(settings).await?;
    register::create(&pitlane, wanted).await.map_err(BootError::Account)
}

/// Turns somebody's authenticator app off for `pitlane user reset-second-factor`; `false` when none was on.
///
/// # Errors
/// [`BootError`], with what to do about it.
pub async fn reset_second_factor(settings: Settings, email: &str) -> Result<bool, BootError> {
    let pitlane = at_rest(settings).await?;
    second_factor::reset(&pitlane, email).await.map_err(BootError::Account)
}

/// Erases an account for `pitlane user erase`.
///
/// # Errors
/// [`BootError`], with what to do about it.
pub async fn erase_user(settings: Settings, email: &str) -> Result<(), BootError> {
    let pitlane = at_rest(settings).await?;
    erase_account::erase_for(&pitlane, email).await.map_err(BootError::Account)
}

/// Everything that is kept of somebody, for `pitlane user export`.
///
/// # Errors
/// [`BootError`], with what to do about it.
pub async fn export_user(settings: Settings, email: &str) -> Result<serde_json::Value, BootError> {
    let pitlane = at_rest(settings).await?;
    let archive = http::export::archive_for(&pitlane, email).await.map_err(BootError::Account)?;
    Ok(archive.document)
}

/// The same with the bytes of every file, as a ZIP that is written into `out`, an empty file. Answers whether the kept cards
/// are in it too.
///
/// # Errors
/// [`BootError`], with what to do about it. What stands in the file then is of no use.
pub async fn pack_user(settings: Settings, email: &str, out: File) -> Result<(File, bool), BootError> {
    let pitlane = at_rest(settings).await?;
    let Archive { document, files } =
        http::export::archive_for(&pitlane, email).await.map_err(BootError::Account)?;
    let has_cards = has_cards(&document);
    let packed = pack(&pitlane, document, &files, out).await.map_err(BootError::Account)?;
    Ok((packed, has_cards))
}

// A storage that would refuse the first upload is better refused now.
async fn prove_storage(pitlane: &Pitlane) -> Result<(), gateways::files::OpenError> {
    gateways::files::probe(&*pitlane.files).await.map_err(|reason| {
        let url = pitlane.settings.files.url.clone();
        gateways::files::OpenError::Unusable { url, reason }
    })
}

// What a command works with beside a server, or without one: nothing listens and nothing runs.
async fn at_rest(settings: Settings) -> Result<Pitlane, BootError> {
    let catalog = Arc::new(settings.catalog()?);
    let db = open(settings.database.store.clone()).await?;
    let address = settings.server.bind;
    assemble(settings, catalog, db, address)
}

// Everything that is shared, with nothing running yet but the hub's own thread.
fn assemble(
    settings: Settings,
    catalog: Arc<Catalog>,
    db: Db,
    address: SocketAddr,
) -> Result<Pitlane, BootError> {
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::default());
    let mut fresh = [0; 32];
    entropy.fill(&mut fresh);
    let settings = settings.with_signing_secret(fresh).map_err(BootError::Secret)?.bound_to(address);
    let grace = Duration::from_secs(settings.dispatch.presence_grace_seconds.into());
    let clock = Clock::default();
    Ok(Pitlane {
        started_at: clock.now(),
        looked_back: Arc::default(),
        hub: Hub::start(db.clone(), clock.clone(), grace),
        db,
        clock,
        entropy,
        gateway: Arc::new(payment_gateway(&settings)?),
        video: video_rooms(&settings),
        files: gateways::files::open(&settings.files.storage())?,
        catalog,
        waivers: Arc::new(Settings::waivers()?),
        legal: Arc::new(Settings::legal()?),
        limits: Arc::new(Limits::new(settings.limits)),
        looks: Arc::new(Looks::default()),
        last_checks: Arc::new(LastChecks::default()),
        settings: Arc::new(settings),
        metrics: Arc::new(Metrics::default()),
        extra_routes: None,
    })
}

impl Running {
    /// Waits until the server ends by itself, which only a failure makes it do.
    ///
    /// # Errors
    /// What made it end.
    pub async fn ended(&mut self) -> Result<(), BootError> {
        match (&mut self.server).await {
            Ok(ended) => Ok(ended?),
            Err(error) => Err(BootError::Server(std::io::Error::other(error))),
        }
    }

    /// Stops in an orderly way: no new requests, open ones end within `server.shutdown_seconds`, sockets are told to
    /// come back, leased jobs end or go back to the queue, and the lock is given up last.
    pub async fn stop(self) {
        // First, because its connections to this very server would keep that from ending.
        if let Some((stop, running)) = self.sandbox {
            // The receiver is gone only when it has stopped already.
            let _ = stop.send(true);
            if let Err(error) = running.await {
                tracing::warn!(%error, "the sandbox ended badly");
            }
        }
        self.pitlane.hub.end_all();
        self.handle.stop(true).await;
        self.workers.stop().await;
        self.attendance.abort();
    }
}

async fn open(settings: store::Settings) -> Result<Db, BootError> {
    let opened = tokio::task::spawn_blocking(move || {
        for migration in Db::migrate(&settings)? {
            tracing::info!(migration, "migrated");
        }
        Db::open(&settings)
    });
    match opened.await {
        Ok(opened) => Ok(opened?),
        Err(error) => Err(BootError::Server(std::io::Error::other(error))),
    }
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BootError> {
    let failed = |error: std::io::Error| BootError::Bind {
        address,
        reason: if error.kind() == ErrorKind::AddrInUse {
            "another program listens there: stop it, or write another port".to_owned()
        } else if error.kind() == ErrorKind::PermissionDenied {
            "this user may not listen there: ports below 1024 need a privilege".to_owned()
        } else {
            error.to_string()
        },
    };
    let listener = TcpListener::bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

fn payment_gateway(settings: &Settings) -> Result<stripe::Stripe, stripe::SettingsError> {
    let payments = &settings.payments;
    stripe::Stripe::new(stripe::Settings {
        secret_key: payments.secret_key.expose().to_owned(),
        api_base: Some(payments.api_base.clone()),
        webhook_secrets: payments.webhook_secret.each().map(str::to_owned).collect(),
        webhook_tolerance_seconds: payments.webhook_tolerance_seconds.into(),
    })
}

fn video_rooms(settings: &Settings) -> Arc<dyn VideoRooms> {
    let video = &settings.video;
    let ice = Ice { urls: video.ice_servers.clone(), turn_secret: video.turn_secret.expose().to_owned() };
    let seconds = video.token_seconds.into();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    match video.provider {
        VideoProvider::P2p => Arc::new(PeerToPeer { ice, seconds }),
        VideoProvider::Livekit => Arc::new(Livekit {
            url: text(&video.livekit_url),
            api_key: text(&video.livekit_api_key),
            api_secret: video.livekit_api_secret.expose().to_owned(),
            ice,
            seconds,
        }),
        VideoProvider::Twilio => Arc::new(Twilio {
            rooms: Rooms::new(video.twilio_api_base.clone(), status_callback(&settings.server.public_url)),
            account_sid: text(&video.twilio_account_sid),
            api_key_sid: text(&video.twilio_api_key_sid),
            api_key_secret: video.twilio_api_key_secret.expose().to_owned(),
            ice,
            seconds,
        }),
    }
}

// Nobody outside reaches an address of this machine, and Twilio refuses one.
fn status_callback(public_url: &str) -> Option<String> {
    public_url.starts_with("https://").then(|| format!("{public_url}/api/twilio/status"))
}

fn mailer(pitlane: &Pitlane) -> Arc<dyn Mailer> {
    let mail = &pitlane.settings.mail;
    match mail.provider {
        MailProvider::Mailbox => Arc::new(Mailbox::new(pitlane.clone())),
        MailProvider::Resend => Arc::new(resend::Resend::new(resend::Settings {
            api_key: mail.resend_api_key.expose().to_owned(),
            api_base: mail.api_base.clone(),
            from: mail.from.clone(),
            reply_to: mail.support_address.clone(),
        })),
    }
}

fn texter(pitlane: &Pitlane) -> Arc<dyn Texter> {
    let (reach, video) = (&pitlane.settings.reach, &pitlane.settings.video);
    match reach.sms_provider {
        SmsProvider::Mailbox => Arc::new(Mailbox::new(pitlane.clone())),
        SmsProvider::Twilio => {
            let (login, secret) = video.twilio_login().unwrap_or_default();
            Arc::new(twilio::Messages::new(twilio::Settings {
                account_sid: video.twilio_account_sid.clone().unwrap_or_default(),
                login: login.to_owned(),
                secret: secret.to_owned(),
                from: reach.twilio_from.clone().unwrap_or_default(),
                api_base: reach.twilio_api_base.clone(),
            }))
        }
    }
}

fn open_sandbox(pitlane: &Pitlane, address: SocketAddr) -> Result<Option<Sandbox>, BootError> {
    let (settings, clock) = (&pitlane.settings, pitlane.clock.clone());
    if settings.payments.provider != PaymentProvider::Sandbox {
        return Ok(None);
    }
    let beside = settings.data_folder().join("sandbox.db");
    let opened = Sandbox::open(
        sandbox::Settings {
            database: settings.payments.sandbox_file.clone().unwrap_or(beside),
            webhook_url: format!("http://{address}/api/stripe/webhook"),
            webhook_secret: settings.payments.webhook_secret.each().next().unwrap_or_default().to_owned(),
            public_url: settings.server.public_url.clone(),
            api_version: STRIPE_API_VERSION.to_owned(),
        },
        Arc::new(move || clock.now().unix_seconds()),
    )?;
    Ok(Some(opened.merchant("Pitlane")))
}

fn run_sandbox(sandbox: Sandbox) -> (watch::Sender<bool>, JoinHandle<()>) {
    let (stop, stopped) = watch::channel(false);
    (stop, tokio::spawn(async move { sandbox.run_webhooks(stopped).await }))
}
