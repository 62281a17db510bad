//! The sections, each with its keys. The defaults are stated where the keys are read.

use std::net::SocketAddr;
use std::path::PathBuf;

use url::Url;

use super::network::Network;
use super::reader::{Reader, Section};
use super::secret::Secret;

/// Where this server stands, which decides what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// Real people and real money.
    Production,
    /// One developer on one machine: demo accounts, the sandbox, the mailbox and a clock that can be moved.
    Development,
}

impl Environment {
    /// The name in the configuration and in the price books.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
        }
    }
}

/// `server`: how requests come in.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where this server stands.
    pub environment: Environment,
    /// The address to listen on; port 0 takes any free one.
    pub bind: SocketAddr,
    /// How people reach it, without a slash at the end. Empty until [`super::Settings::bound_to`] when it follows
    /// from `bind`.
    pub public_url: String,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Threads that answer requests, at least one; configured as 0 it is the number of cores.
    pub workers: usize,
    /// The largest request body that is not a file, in bytes.
    pub max_body_bytes: usize,
    /// How long open requests may go on after a stop was asked for, in seconds.
    pub shutdown_seconds: u64,
    /// What the caller of `/api/cron/*` must know; empty switches it off.
    pub cron_secret: Secret,
    /// What a scraper of `/metrics` elsewhere must know; empty lets only this machine ask.
    pub metrics_token: Secret,
}

impl Server {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("server");
        Self {
            environment: section.choice(
                "environment",
                "production",
                &[("production", Environment::Production), ("development", Environment::Development)],
            ),
            bind: section.value(
                "bind",
                "127.0.0.1:8080",
                "write an address and a port, such as 127.0.0.1:8080",
                |text| text.parse().ok(),
            ),
            public_url: section.url(
                "public_url",
                "",
                "write the address people use, such as https://help.example.com, without a path",
                |text| if text.is_empty() { Some(String::new()) } else { origin(text) },
            ),
            trusted_proxies: section.list(
                "trusted_proxies",
                "write addresses or ranges, such as 10.0.0.0/8",
                |text| text.parse().ok(),
            ),
            workers: match section.number("workers", 0, 0..=1_024) {
                0 => std::thread::available_parallelism().map_or(1, usize::from),
                count => count,
            },
            max_body_bytes: section.number("max_body_bytes", 1_048_576, 1_024..=67_108_864),
            shutdown_seconds: section.number("shutdown_seconds", 10, 0..=600),
            cron_secret: section.secret("cron_secret", 1),
            metrics_token: section.secret("metrics_token", 1),
        }
    }
}

// Scheme, host and port alone, as browsers send it in `Origin`.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let bare = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    bare.then(|| url.origin().ascii_serialization())
}

/// `database`: where everything is kept.
#[derive(Debug, Clone)]
pub struct Database {
    /// Ready to be opened.
    pub store: store::Settings,
}

impl Database {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("database");
        let mut settings = section.url(
            "url",
            "sqlite://data/pitlane.db",
            "write sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME",
            |text| store::Settings::new(text).ok(),
        );
        settings.pool_size = section.number("pool_size", 8, 1..=1_000);
        settings.synchronous = section.choice(
            "synchronous",
            "full",
            &[("full", store::Synchronous::Full), ("normal", store::Synchronous::Normal)],
        );
        Self { store: settings }
    }
}

/// `bus`: how nodes hear of each other's events.
#[derive(Debug, Clone)]
pub struct Bus {
    /// A NATS server; `None` for a single node.
    pub url: Option<String>,
}

impl Bus {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("bus");
        let right = "leave it empty, or write nats://HOST:PORT";
        Self {
            url: section.url("url", "", right, |text| match text {
                "" => Some(None),
                _ => text.starts_with("nats://").then(|| Some(text.to_owned())),
            }),
        }
    }
}

/// `pricing`: which price book is sold from.
#[derive(Debug, Clone)]
pub struct Pricing {
    /// The price books.
    pub file: PathBuf,
    /// The book of new orders.
    pub active_book: String,
}

impl Pricing {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("pricing");
        Self {
            file: section.text("file", "config/price-books.toml").into(),
            active_book: section.text("active_book", "2025-10"),
        }
    }
}

/// Who takes the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentProvider {
    /// The stand-in that this server brings along, for development.
    Sandbox,
    /// Stripe.
    Stripe,
}

/// `payments`: who takes the money, and its keys.
#[derive(Debug, Clone)]
pub struct Payments {
    /// Who takes the money.
    pub provider: PaymentProvider,
    /// Where the provider's API is, without a slash at the end. Empty until [`super::Settings::bound_to`] for the
    /// sandbox.
    pub api_base: String,
    /// How old the signature of a webhook may be, in seconds.
    pub webhook_tolerance_seconds: u32,
    /// The provider's secret API key.
    pub secret_key: Secret,
    /// The secret that signs webhooks.
    pub webhook_secret: Secret,
    /// Where the sandbox keeps its state; beside the SQLite file, or in `data/`, when `None`.
    pub sandbox_file: Option<PathBuf>,
    /// Stripe's price id of the plan `chat10`; without one the amount is sent inline.
    pub price_chat10: Option<String>,
    /// Stripe's price id of the plan `video15`.
    pub price_video15: Option<String>,
    /// Stripe's price id of the plan `diagnostic`.
    pub price_diagnostic: Option<String>,
}

impl Payments {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("payments");
        let provider = section.choice(
            "provider",
            "sandbox",
            &[("sandbox", PaymentProvider::Sandbox), ("stripe", PaymentProvider::Stripe)],
        );
        let api_base = section.url(
            "api_base",
            "",
            "leave it empty for the provider's own, or write http(s)://HOST",
            |text| if text.is_empty() { Some(String::new()) } else { origin(text) },
        );
        let webhook_tolerance_seconds = section.number("webhook_tolerance_seconds", 300, 1..=86_400);
        let (secret_key, webhook_secret) =
            (section.secret("secret_key", 8), section.secret("webhook_secret", 1));
        // The sandbox accepts any key; the app still needs one to send and one to check signatures with.
        let known = |secret: Secret, sandbox: &str| match provider {
            PaymentProvider::Sandbox if secret.is_empty() => Secret::new(sandbox),
            PaymentProvider::Sandbox | PaymentProvider::Stripe => secret,
        };
        Self {
            provider,
            api_base: match provider {
                PaymentProvider::Stripe if api_base.is_empty() => "https://api.stripe.com".to_owned(),
                PaymentProvider::Stripe | PaymentProvider::Sandbox => api_base,
            },
            webhook_tolerance_seconds,
            secret_key: known(secret_key, "sk_test_sandbox"),
            webhook_secret: known(webhook_secret, "whsec_sandbox"),
            sandbox_file: section.optional("sandbox_file").map(PathBuf::from),
            price_chat10: section.optional("price_chat10"),
            price_video15: section.optional("price_video15"),
            price_diagnostic: section.optional("price_diagnostic"),
        }
    }
}

/// Who carries mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailProvider {
    /// The mailbox in the database, shown at `/dev/mailbox` in development.
    Mailbox,
    /// Resend.
    Resend,
}

/// `mail`: who carries it, and from whom it comes.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Who carries it.
    pub provider: MailProvider,
    /// The sender, as `Name <address>`.
    pub from: String,
    /// Where people write when nothing else helps: a bare address.
    pub support_address: String,
    /// Where the provider's API is; empty for its own.
    pub api_base: String,
    /// The provider's key.
    pub resend_api_key: Secret,
    /// The secrets that sign the provider's webhook, with commas between while one is being replaced.
    pub resend_webhook_secret: Secret,
}

impl Mail {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("mail");
        Self {
            provider: section.choice(
                "provider",
                "mailbox",
                &[("mailbox", MailProvider::Mailbox), ("resend", MailProvider::Resend)],
            ),
            from: section.value("from", "Pitlane <no-reply@example.com>", "write Name <address>", |text| {
                text.contains('@').then(|| text.to_owned())
            }),
            support_address: section.value(
                "support_address",
                "support@example.com",
                "write a bare address",
                |text| (text.contains('@') && !text.contains(['<', ' '])).then(|| text.to_owned()),
            ),
            api_base: section.url("api_base", "", "leave it empty, or write http(s)://HOST", |text| {
                if text.is_empty() { Some(String::new()) } else { origin(text) }
            }),
            resend_api_key: section.secret("resend_api_key", 8),
            resend_webhook_secret: section.secret("resend_webhook_secret", 8),
        }
    }
}

/// Who carries text messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmsProvider {
    /// The development mailbox.
    Mailbox,
    /// Twilio.
    Twilio,
}

/// `sms` and `push`: the other ways to reach people.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Who carries text messages.
    pub sms_provider: SmsProvider,
    /// Who writes them, at Twilio: a number, a short code, a name or a messaging service.
    pub twilio_from: Option<String>,
    /// Where Twilio's API for messages is; empty for its own.
    pub twilio_api_base: String,
    /// The public half of the key that signs web pushes; empty switches them off.
    pub vapid_public_key: Option<String>,
    /// The private half.
    pub vapid_private_key: Secret,
}

impl Reach {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("sms");
        let sms_provider = section.choice(
            "provider",
            "mailbox",
            &[("mailbox", SmsProvider::Mailbox), ("twilio", SmsProvider::Twilio)],
        );
        let twilio_from = section.value(
            "twilio_from",
            "",
            "write a number such as +15550100100, a short code, a name of at most 11 letters and digits, or a \
             messaging service, MG and 32 digits",
            |text| match text {
                "" => Some(None),
                _ => gateways::twilio::wire::is_sender(text).then(|| Some(text.to_owned())),
            },
        );
        let twilio_api_base = twilio_api_base(&mut section);
        let mut section = reader.section("push");
        Self {
            sms_provider,
            twilio_from,
            twilio_api_base,
            vapid_public_key: section.optional("vapid_public_key"),
            vapid_private_key: section.secret("vapid_private_key", 16),
        }
    }
}

fn twilio_api_base(section: &mut Section<'_>) -> String {
    section.url("twilio_api_base", "", "leave it empty for Twilio's own, or write http(s)://HOST", |text| {
        if text.is_empty() { Some(String::new()) } else { origin(text) }
    })
}

/// Who carries video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoProvider {
    /// The two browsers, directly.
    P2p,
    /// LiveKit rooms.
    Livekit,
    /// Twilio group rooms.
    Twilio,
}

/// `video`: who carries it.
#[derive(Debug, Clone)]
pub struct Video {
    /// Who carries it.
    pub provider: VideoProvider,
    /// STUN and TURN servers given to the browsers.
    pub ice_servers: Vec<String>,
    /// Signs time-limited TURN credentials.
    pub turn_secret: Secret,
    /// How long what opens a room is good for, in seconds.
    pub token_seconds: u32,
    /// Where LiveKit is, as `wss://HOST`.
    pub livekit_url: Option<String>,
    /// The name of LiveKit's API key.
    pub livekit_api_key: Option<String>,
    /// Its secret.
    pub livekit_api_secret: Secret,
    /// Twilio's account, `AC…`, which sends text messages too.
    pub twilio_account_sid: Option<String>,
    /// The name of Twilio's API key, `SK…`.
    pub twilio_api_key_sid: Option<String>,
    /// Its secret.
    pub twilio_api_key_secret: Secret,
    /// The account's auth tokens, which sign what Twilio tells, with commas between while one is being replaced.
    pub twilio_auth_token: Secret,
    /// Where Twilio's API for rooms is; empty for its own.
    pub twilio_api_base: String,
}

impl Video {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("video");
        Self {
            provider: section.choice(
                "provider",
                "p2p",
                &[
                    ("p2p", VideoProvider::P2p),
                    ("livekit", VideoProvider::Livekit),
                    ("twilio", VideoProvider::Twilio),
                ],
            ),
            ice_servers: section.list("ice_servers", "write stun:HOST or turn:HOST addresses", |text| {
                let known =
                    ["stun:", "stuns:", "turn:", "turns:"].iter().any(|scheme| text.starts_with(scheme));
                known.then(|| text.to_owned())
            }),
            turn_secret: section.secret("turn_secret", 8),
            token_seconds: section.number("token_seconds", 3_600, 300..=86_400),
            livekit_url: section.optional_url("livekit_url"),
            livekit_api_key: section.optional("livekit_api_key"),
            livekit_api_secret: section.secret("livekit_api_secret", 8),
            twilio_account_sid: section.optional("twilio_account_sid"),
            twilio_api_key_sid: section.optional("twilio_api_key_sid"),
            twilio_api_key_secret: section.secret("twilio_api_key_secret", 8),
            twilio_auth_token: section.secret("twilio_auth_token", 8),
            twilio_api_base: twilio_api_base(&mut section),
        }
    }

    /// Who calls Twilio for its account, and with what secret: the API key, or the account with its first auth token where
    /// there is none.
    pub fn twilio_login(&self) -> Option<(&str, &str)> {
        let secret = self.twilio_api_key_secret.expose();
        let key = self.twilio_api_key_sid.as_deref().filter(|_| !secret.is_empty()).map(|sid| (sid, secret));
        key.or_else(|| Some((self.twilio_account_sid.as_deref()?, self.twilio_auth_token.each().next()?)))
    }
}

/// `files`: where uploads go.
#[derive(Debug, Clone)]
pub struct Files {
    /// `file://FOLDER`, or `s3://BUCKET`, `gs://BUCKET` or `az://CONTAINER`, with `/PREFIX` behind the bucket where others
    /// use it too.
    pub url: String,
    /// The origin of the storage's API, without a slash at the end; Amazon's, Google's or Azure's own when empty.
    pub endpoint: String,
    /// The region of the bucket; Amazon needs it.
    pub region: String,
    /// The name of the key to the bucket, of S3.
    pub access_key_id: String,
    /// The key to the bucket, of S3.
    pub secret_access_key: Secret,
    /// What a key of limited life needs besides, of S3.
    pub session_token: Secret,
    /// The file that holds the key of a service account, of Google.
    pub service_account: String,
    /// The text of that file.
    pub service_account_key: Secret,
    /// The file with such a key or with a person's credentials, of Google.
    pub application_credentials: String,
    /// The storage account, of Azure.
    pub account_name: String,
    /// A key of that account.
    pub account_key: Secret,
    /// A shared access signature for the container, of Azure.
    pub sas_token: Secret,
    /// Whether the endpoint may be elsewhere and still not encrypted; in development alone.
    pub allow_http: bool,
    /// The largest upload, in bytes.
    pub max_file_bytes: u64,
    /// What all files of a session hold at most, in bytes.
    pub session_max_bytes: u64,
    /// What one person may upload in 24 hours, in bytes.
    pub person_day_max_bytes: u64,
    /// How long a link to a file works, in seconds.
    pub link_seconds: u32,
}

impl Files {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("files");
        let right = "write file://FOLDER, s3://BUCKET, gs://BUCKET or az://CONTAINER, with /PREFIX behind the bucket \
                     where others use it too, and without a key in it";
        let address = "write an address without a path, such as https://minio.example.com";
        let plain = "write letters, digits and hyphens";
        let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        Self {
            url: section.url("url", "file://data/files", right, |text| {
                let folder = text.strip_prefix("file://").is_some_and(|rest| !rest.is_empty());
                (folder || gateways::files::bucket_of(text).is_some()).then(|| text.to_owned())
            }),
            endpoint: section.url("endpoint", "", address, |text| {
                if text.is_empty() { Some(String::new()) } else { origin(text) }
            }),
            region: section.value("region", "", plain, |text| is_plain(text).then(|| text.to_owned())),
            access_key_id: section.optional("access_key_id").unwrap_or_default(),
            secret_access_key: section.secret("secret_access_key", 8),
            session_token: section.long_secret("session_token", 4_096),
            service_account: section.optional("service_account").unwrap_or_default(),
            service_account_key: section.long_secret("service_account_key", 16_384),
            application_credentials: section.optional("application_credentials").unwrap_or_default(),
            account_name: section
                .value("account_name", "", plain, |text| is_plain(text).then(|| text.to_owned())),
            account_key: section.secret("account_key", 8),
            sas_token: section.long_secret("sas_token", 4_096),
            allow_http: section.choice("allow_http", "false", &[("false", false), ("true", true)]),
            max_file_bytes: section.number("max_file_bytes", 26_214_400, 1_024..=1_073_741_824),
            session_max_bytes: section.number("session_max_bytes", 209_715_200, 1_024..=1_099_511_627_776),
            person_day_max_bytes: section.number(
                "person_day_max_bytes",
                524_288_000,
                1_024..=1_099_511_627_776,
            ),
            link_seconds: section.number("link_seconds", 300, 10..=86_400),
        }
    }

    /// What opens the storage.
    pub fn storage(&self) -> gateways::files::Settings {
        gateways::files::Settings {
            url: self.url.clone(),
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.expose().to_owned(),
            session_token: self.session_token.expose().to_owned(),
            service_account: self.service_account.clone(),
            service_account_key: self.service_account_key.expose().to_owned(),
            application_credentials: self.application_credentials.clone(),
            account_name: self.account_name.clone(),
            account_key: self.account_key.expose().to_owned(),
            sas_token: self.sas_token.expose().to_owned(),
        }
    }

    /// The folder of a `file://` address.
    pub fn folder(&self) -> Option<PathBuf> {
        self.url.strip_prefix("file://").map(PathBuf::from)
    }
}

/// `dispatch`: how long a request waits for whom, in seconds.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// How long only the preferred mechanic sees it.
    pub priority_window_seconds: u32,
    /// When the customer is offered a choice.
    pub offer_choice_after_seconds: u32,
    /// When the money goes back by itself.
    pub refund_after_seconds: u32,
    /// How long somebody counts as present after the last socket closed.
    pub presence_grace_seconds: u32,
}

impl Dispatch {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("dispatch");
        Self {
            priority_window_seconds: section.number("priority_window_seconds", 600, 1..=86_400),
            offer_choice_after_seconds: section.number("offer_choice_after_seconds", 1_200, 1..=86_400),
            refund_after_seconds: section.number("refund_after_seconds", 3_600, 1..=604_800),
            presence_grace_seconds: section.number("presence_grace_seconds", 45, 1..=3_600),
        }
    }
}

/// `sessions`: what happens around a session, in seconds.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// How long after a session was due its mechanic is asked to start.
    pub start_nudge_seconds: u32,
    /// How long a side of a live session may be away, or both wait for video, before support is told.
    pub disconnect_alert_seconds: u32,
    /// How long before a booked start both are reminded.
    pub starting_reminder_seconds: u32,
    /// How long before the end the time is announced.
    pub time_limit_warning_seconds: u32,
    /// How long both sides have to see each other before an upgrade to video is called in vain and goes back.
    pub no_video_refund_seconds: u32,
    /// The longest message, in bytes.
    pub message_max_bytes: u32,
}

impl Sessions {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("sessions");
        Self {
            start_nudge_seconds: section.number("start_nudge_seconds", 180, 1..=86_400),
            disconnect_alert_seconds: section.number("disconnect_alert_seconds", 120, 1..=86_400),
            starting_reminder_seconds: section.number("starting_reminder_seconds", 300, 1..=86_400),
            time_limit_warning_seconds: section.number("time_limit_warning_seconds", 120, 1..=86_400),
            no_video_refund_seconds: section.number("no_video_refund_seconds", 120, 1..=86_400),
            message_max_bytes: section.number("message_max_bytes", 4_000, 1..=65_536),
        }
    }
}

/// `scheduling`: how appointments are offered.
#[derive(Debug, Clone)]
pub struct Scheduling {
    /// How long a slot is kept while its customer pays, in seconds.
    pub hold_seconds: u32,
    /// The shortest time between booking and start, in minutes.
    pub minimum_notice_minutes: u32,
    /// How far ahead one may book, in days.
    pub horizon_days: u32,
    /// The distance between two starts, in minutes.
    pub slot_step_minutes: u32,
    /// What stays free between two sessions, in minutes.
    pub buffer_minutes: u32,
}

impl Scheduling {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("scheduling");
        Self {
            hold_seconds: section.number("hold_seconds", 900, 30..=86_400),
            minimum_notice_minutes: section.number("minimum_notice_minutes", 60, 0..=43_200),
            horizon_days: section.number("horizon_days", 60, 1..=730),
            slot_step_minutes: section.number("slot_step_minutes", 15, 5..=240),
            buffer_minutes: section.number("buffer_minutes", 5, 0..=240),
        }
    }
}

/// `auth`: who gets in.
#[derive(Debug, Clone)]
pub struct Auth {
    /// Signs links, feeds and TURN credentials. Development makes its own when it is not set.
    pub secret: Secret,
    /// How long a sign-in lasts, in days.
    pub session_days: u32,
    /// Attempts to sign in per minute, for each account and address.
    pub login_attempts_per_minute: u32,
}

impl Auth {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("auth");
        Self {
            secret: section.secret("secret", 1),
            session_days: section.number("session_days", 30, 1..=365),
            login_attempts_per_minute: section.number("login_attempts_per_minute", 10, 1..=100_000),
        }
    }
}

/// `retention`: how long what people leave behind is kept.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Messages, files and concerns, in months after the session ended; then only its summary is left.
    pub content_months: u32,
    /// Orders, payments, refunds and the ledger, in years after the order was made.
    pub money_years: u32,
}

impl Retention {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("retention");
        Self {
            content_months: section.number("content_months", 24, 1..=1_200),
            money_years: section.number("money_years", 10, 1..=100),
        }
    }
}
