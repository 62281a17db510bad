//! Combinations that a server must not start with. The other commands don't look here: one must be able to migrate
//! or examine a database without the keys of a payment provider.

use gateways::files::Api;
use gateways::video::ice::is_relay;
use kernel::address;
use url::{Host, Url};

use super::Settings;
use super::reader::{Origin, Problem, Problems};
use super::sections::{Environment, MailProvider, PaymentProvider, SmsProvider, VideoProvider};

const PRIVATE_API_BASE: &str = "leave it empty, or write an https address, because the key goes there";

/// What was found to be wrong.
#[derive(Default)]
struct Found(Vec<Problem>);

impl Found {
    fn refuse(&mut self, wrong: bool, key: &str, value: String, right: &str) {
        if wrong {
            self.0.push(Problem { key: key.to_owned(), value: Some(value), right: right.to_owned() });
        }
    }

    fn end(self) -> Result<(), Problems> {
        if self.0.is_empty() { Ok(()) } else { Err(Problems(self.0)) }
    }
}

impl Settings {
    /// Refuses what would be dangerous, or would not work, once people use the server.
    ///
    /// # Errors
    /// Everything that is wrong, each with its key and what would be right.
    pub fn check_serving(&self) -> Result<(), Problems> {
        let mut found = Found::default();
        let mut refuse =
            |wrong: bool, key: &str, value: String, right: &str| found.refuse(wrong, key, value, right);
        self.check_environment(&mut refuse);
        self.check_secrets(&mut refuse);
        self.check_payments(&mut refuse);
        self.check_mail(&mut refuse);
        self.check_texts(&mut refuse);
        self.check_video(&mut refuse);
        self.check_files(&mut refuse);
        self.check_offered(&mut refuse);
        found.end()
    }

    /// Refuses a place of the uploads that can't be used or must not be: for commands that use it without serving.
    ///
    /// # Errors
    /// Everything that is wrong, each with its key and what would be right.
    pub fn check_uploads(&self) -> Result<(), Problems> {
        let mut found = Found::default();
        self.check_files(&mut |wrong, key, value, right| found.refuse(wrong, key, value, right));
        found.end()
    }

    fn check_environment(&self, refuse: &mut impl FnMut(bool, &str, String, &str)) {
        let (server, development) = (&self.server, self.is_development());
        let loopback = server.bind.ip().is_loopback();
        refuse(
            development && !loopback,
            "server.bind",
            server.bind.to_string(),
            "development listens on this machine only, because anybody who reaches it can sign in as an admin: write \
             127.0.0.1:PORT, or set server.environment to production",
        );
        refuse(
            !loopback && server.public_url.is_empty(),
            "server.public_url",
            server.public_url.clone(),
            "write the address people use, such as https://help.example.com, because server.bind is not on loopback",
        );
        refuse(
            !development && self.auth.secret.is_empty(),
            "auth.secret",
            self.auth.secret.to_string(),
            "write at least 32 random characters (`openssl rand -hex 32`), the same on every node",
        );
    }

    // What somebody typed for a first try is good enough there, and could be guessed elsewhere.
    fn check_secrets(&self, refuse: &mut impl FnMut(bool, &str, String, &str)) {
        let secrets = [
            ("auth.secret", &self.auth.secret, 32, "write at least 32 characters"),
            ("server.cron_secret", &self.server.cron_secret, 16, "write at least 16 characters"),
            ("server.metrics_token", &self.server.metrics_token, 16, "write at least 16 characters"),
        ];
        for (key, secret, least, right) in secrets {
            let short = !secret.is_empty() && secret.expose().chars().count() < least;
            refuse(short && !self.is_development(), key, secret.to_string(), right);
        }
        // Each of several opens the door.
        let several = [
            ("payments.webhook_secret", &self.payments.webhook_secret),
            ("mail.resend_webhook_secret", &self.mail.resend_webhook_secret),
        ];
        for (key, secret) in several {
            let cut = !secret.each().all(is_webhook_secret);
            let right = "write the whole secret, whsec_ and what follows, with a comma between two";
            refuse(cut && !self.is_development(), key, secret.to_string(), right);
        }
        let tokens = &self.video.twilio_auth_token;
        refuse(
            !self.is_development() && tokens.each().any(|token| token.chars().count() < 16),
            "video.twilio_auth_token",
            tokens.to_string(),
            "write the whole token, with a comma between two",
        );
    }

    fn check_payments(&self, refuse: &mut impl FnMut(bool, &str, String, &str)) {
        let (payments, development) = (&self.payments, self.is_development());
        match payments.provider {
            PaymentProvider::Sandbox => refuse(
                !development,
                "payments.provider",
                "sandbox".to_owned(),
                "the sandbox takes no real money: write stripe and set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET, \
                 or set server.environment to development",
            ),
            PaymentProvider::Stripe => {
                let key = &payments.secret_key;
                refuse(
                    key.is_empty(),
                    "payments.secret_key",
                    String::new(),
                    "set STRIPE_SECRET_KEY to the key from Stripe's dashboard",
                );
                refuse(
                    payments.webhook_secret.each().next().is_none(),
                    "payments.webhook_secret",
                    String::new(),
                    "set STRIPE_WEBHOOK_SECRET to the signing secret of the webhook endpoint",
                );
                refuse(
                    !development && !key.is_empty() && !is_secret_key(key.expose()),
                    "payments.secret_key",
                    key.to_string(),
                    "this is no secret key of Stripe: write one that begins with sk_live_ or rk_live_",
                );
                refuse(
                    development && key.expose().contains("_live_"),
                    "payments.secret_key",
                    key.to_string(),
                    "this is a live key and would move real money from development: use a test key",
                );
                refuse(
                    !is_private(&payments.api_base),
                    "payments.api_base",
                    payments.api_base.clone(),
                    "write an https address, because the secret key goes there",
                );
            }
        }
    }

    fn check_mail(&self, refuse: &mut impl FnMut(bool, &str, String, &str)) {
        let mail = &self.mail;
        if mail.provider == MailProvider::Mailbox {
            return;
        }
        refuse(
            mail.resend_api_key.is_empty(),
            "mail.resend_api_key",
            String::new(),
            "set RESEND_API_KEY to a key that may send, from Resend's dashboard",
        );
        refuse(
            mail.from.contains("@example.com"),
            "mail.from",
            mail.from.clone(),
            "write a sender on a domain that is verified at Resend, such as Pitlane <help@your-domain>",
        );
        refuse(
            !self.is_development() && self.has_no_support_address(),
            "mail.support_address",
            mail.support_address.clone(),
            "write the address under which people reach you; pages and mails show it",
        );
        refuse(
            !mail.api_base.is_empty() && !is_private(&mail.api_base),
            "mail.api_base",
            mail.api_base.clone(),
            PRIVATE_API_BASE,
        );
    }

    fn check_texts(&self, refuse: &mut impl FnMut(bool, &str, String, &str)) {
        let (reach, video) = (&self.reach, &self.video);
        if reach.sms_provider == SmsProvider::Mailbox {
            return;
        }
        let mut needed = |missing: bool, key: &str, right: &str| refuse(missing, key, String::new(), right);
        // With Twilio's video the account and its key are needed anyway, and told of there.
        if video.provider != VideoProvider::Twilio {
            let account =
                "set TWILIO_ACCOUNT_SID to the account's SID, AC and 32 digits: sms.provider is twilio";
            needed(video.twilio_account_sid.is_none(), "video.twilio_account_sid", account);
            let has_token = video.twilio_auth_token.each().next().is_some();
            let key =
                "set TWILIO_API_KEY to the SID of an API key, SK and 32 digits, or TWILIO_AUTH_TOKEN instead";
            needed(!has_token && video.twilio_api_key_sid.is_none(), "video.twilio_api_key_sid", key);
            let secret = "set TWILIO_API_SECRET to the secret of that API key, or TWILIO_AUTH_TOKEN instead";
            let is_secret = !video.twilio_api_key_secret.is_empty();
            needed(!has_token && !is_secret, "video.twilio_api_key_secret", secret);
        }
        let from = "set TWILIO_FROM to a number of the account, such as +15550100100, or to a messaging service, MG…";
        needed(reach.twilio_from.is_none(), "sms.twilio_from", from);
        let base = &reach.twilio_api_base;
        refuse(!base.is_empty() && !is_private(base), "sms.twilio_api_base", base.clone(), PRIVATE_API_BASE);
    }

    fn check_video(&self, refuse: &mut impl FnMut(bool, &str, String, &str)) {
        let video = &self.video;
        refuse(
            video.turn_secret.is_empty() && video.ice_servers.iter().any(|url| is_relay(url)),
            "video.turn_secret",
            String::new(),
            "write the secret that the TURN server of video.ice_servers shares (coturn: static-auth-secret)",
        );
        let mut needed = |missing: bool, key: &str, right: &str| refuse(missing, key, String::new(), right);
        match video.provider {
            VideoProvider::P2p => {}
            VideoProvider::Livekit => {
                let url = video.livekit_url.as_deref().unwrap_or_default();
                let private = is_private(&url.replacen("ws", "http", 1)) && url.starts_with("ws");
                needed(!private, "video.livekit_url", "write wss://HOST, where the LiveKit server is");
                let key = "write the name of an API key of the LiveKit server";
                needed(video.livekit_api_key.is_none(), "video.livekit_api_key", key);
                let secret = "write the secret of video.livekit_api_key";
                needed(video.livekit_api_secret.is_empty(), "video.livekit_api_secret", secret);
            }
            VideoProvider::Twilio => {
                let account = "write the account's SID, AC and 32 digits";
                needed(video.twilio_account_sid.is_none(), "video.twilio_account_sid", account);
                let key = "write the SID of an API key, SK and 32 digits";
                needed(video.twilio_api_key_sid.is_none(), "video.twilio_api_key_sid", key);
                let secret = "write the secret of video.twilio_api_key_sid";
                needed(video.twilio_api_key_secret.is_empty(), "video.twilio_api_key_secret", secret);
                let base = &video.twilio_api_base;
                let wrong = !base.is_empty() && !is_private(base);
                refuse(wrong, "video.twilio_api_base", base.clone(), PRIVATE_API_BASE);
            }
        }
    }

    fn check_files(&self, refuse: &mut impl FnMut(bool, &str, String, &str)) {
        let files = &self.files;
        refuse(
            files.allow_http && !self.is_development(),
            "files.allow_http",
            "true".to_owned(),
            "write false: only development may speak to a storage elsewhere without encryption",
        );
        let Some(place) = gateways::files::bucket_of(&files.url) else { return };
        match place.api {
            Api::S3 => self.check_s3(refuse),
            Api::Google => self.check_google(refuse),
            Api::Azure => self.check_azure(refuse),
        }
        refuse(
            place.api != Api::S3 && self.is_from_environment("files", "endpoint", "AWS_"),
            "files.endpoint",
            files.endpoint.clone(),
            "this is where S3 is, by AWS_ENDPOINT or AWS_ENDPOINT_URL: set PITLANE_FILES__ENDPOINT, which wins, to an \
             address for files.url, or to nothing for the storage's own",
        );
        refuse(
            !files.endpoint.is_empty() && !files.allow_http && !is_private(&files.endpoint),
            "files.endpoint",
            files.endpoint.clone(),
            "write an https address, because what people upload goes there; in development files.allow_http \
             (AWS_ALLOW_HTTP=true) allows http",
        );
    }

    fn check_s3(&self, refuse: &mut impl FnMut(bool, &str, String, &str)) {
        let files = &self.files;
        refuse(
            files.access_key_id.is_empty(),
            "files.access_key_id",
            String::new(),
            "set AWS_ACCESS_KEY_ID to the name of a key that may use the bucket of files.url",
        );
        refuse(
            files.secret_access_key.is_empty(),
            "files.secret_access_key",
            String::new(),
            "set AWS_SECRET_ACCESS_KEY to the key of files.access_key_id",
        );
        refuse(
            files.region.is_empty() && files.endpoint.is_empty(),
            "files.region",
            String::new(),
            "set AWS_REGION to the region of the bucket, or AWS_ENDPOINT to a storage that is not Amazon's",
        );
    }

    fn check_google(&self, refuse: &mut impl FnMut(bool, &str, String, &str)) {
        let files = &self.files;
        let has_account = !files.service_account.is_empty();
        refuse(
            !has_account && files.service_account_key.is_empty() && files.application_credentials.is_empty(),
            "files.service_account",
            String::new(),
            "set GOOGLE_SERVICE_ACCOUNT to the file with the key of a service account that may use the bucket of \
             files.url, GOOGLE_SERVICE_ACCOUNT_KEY to what stands in it, or GOOGLE_APPLICATION_CREDENTIALS",
        );
        refuse(
            has_account && !files.service_account_key.is_empty(),
            "files.service_account_key",
            files.service_account_key.to_string(),
            "this is a second key: write it or files.service_account, not both",
        );
    }

    fn check_azure(&self, refuse: &mut impl FnMut(bool, &str, String, &str)) {
        let files = &self.files;
        refuse(
            files.account_name.is_empty(),
            "files.account_name",
            String::new(),
            "set AZURE_STORAGE_ACCOUNT_NAME to the storage account that has the container of files.url",
        );
        refuse(
            files.account_key.is_empty() && files.sas_token.is_empty(),
            "files.account_key",
            String::new(),
            "set AZURE_STORAGE_ACCOUNT_KEY to a key of the account, or AZURE_STORAGE_SAS_TOKEN to a shared access \
             signature that may read, create, write, delete and list in the container",
        );
    }

    fn is_from_environment(&self, section: &str, key: &str, names: &str) -> bool {
        let mut entries = self.entries.iter().filter(|entry| entry.section == section && entry.key == key);
        entries.any(|entry| matches!(&entry.origin, Origin::Environment(name) if name.starts_with(names)))
    }

    // What the contract names and this version does not have yet: better refused than silently ignored.
    fn check_offered(&self, refuse: &mut impl FnMut(bool, &str, String, &str)) {
        refuse(
            self.bus.url.is_some(),
            "bus.url",
            self.bus.url.as_deref().map(address::without_secrets).unwrap_or_default(),
            "this version runs on one node: leave it empty",
        );
    }

    /// Whether people are told to write to an address that nobody reads: the one of the documentation.
    pub fn has_no_support_address(&self) -> bool {
        self.mail.support_address.ends_with("@example.com")
    }

    /// Whether a text message reaches a telephone, or at least the developer's mailbox.
    pub fn reaches_telephones(&self) -> bool {
        self.is_development() || self.reach.sms_provider != SmsProvider::Mailbox
    }

    /// What an operator should know although the server starts.
    pub fn warnings(&self) -> Vec<&'static str> {
        let mut warnings = Vec::new();
        if self.server.environment == Environment::Production && self.mail.provider == MailProvider::Mailbox {
            warnings.push("mail.provider is mailbox: mail is kept in the database and reaches nobody");
        }
        if self.server.environment == Environment::Production && self.has_no_support_address() {
            warnings.push("mail.support_address is at example.com: pages tell people to write to nobody");
        }
        if !self.reaches_telephones() {
            warnings.push("sms.provider is mailbox: text messages are kept in the database and reach nobody");
        }
        if self.mail.provider == MailProvider::Resend && self.mail.resend_webhook_secret.is_empty() {
            warnings.push("mail.resend_webhook_secret is empty: bounces and complaints are not heard");
        }
        if self.video.provider == VideoProvider::Twilio && self.video.twilio_auth_token.is_empty() {
            warnings.push("video.twilio_auth_token is empty: what Twilio tells of its rooms is not heard");
        }
        if self.video.provider != VideoProvider::P2p {
            warnings.push(
                "video.provider gives programs rooms of LiveKit or Twilio: the pages of Pitlane connect browsers directly",
            );
        }
        if self.server.environment == Environment::Production && self.server.public_url.starts_with("http://")
        {
            warnings.push("server.public_url is not https: passwords and cookies travel in the clear");
        }
        warnings
    }
}

// Stripe and Resend give longer ones; shorter ones could be guessed.
fn is_webhook_secret(secret: &str) -> bool {
    secret.strip_prefix("whsec_").is_some_and(|rest| rest.chars().count() >= 8)
}

// Not one that stands in pages (`pk_`), and not the secret of a webhook.
fn is_secret_key(key: &str) -> bool {
    ["sk_", "rk_"].iter().any(|prefix| key.starts_with(prefix))
}

// Encrypted, or never leaving this machine.
fn is_private(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || local
}
