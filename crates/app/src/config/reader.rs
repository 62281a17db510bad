//! Reads typed values out of a file and the environment, collecting everything that is wrong.
//!
//! Each key is declared where it is read, once, with its type, range and default. The reader remembers what it was
//! asked for: that is the list of keys that exist, which finds unknown ones, prints the effective configuration
//! and checks the documented file.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use kernel::address;

use super::secret::Secret;

/// Names that operators have set already, and the keys they stand for.
// Of two names for one key the later wins.
pub(super) const WELL_KNOWN: [(&str, &str); 33] = [
    ("DATABASE_URL", "database.url"),
    ("STRIPE_SECRET_KEY", "payments.secret_key"),
    ("STRIPE_WEBHOOK_SECRET", "payments.webhook_secret"),
    ("STRIPE_PRICE_CHAT10", "payments.price_chat10"),
    ("STRIPE_PRICE_VIDEO15", "payments.price_video15"),
    ("STRIPE_PRICE_DIAGNOSTIC", "payments.price_diagnostic"),
    ("RESEND_API_KEY", "mail.resend_api_key"),
    ("RESEND_WEBHOOK_SECRET", "mail.resend_webhook_secret"),
    ("CRON_SECRET", "server.cron_secret"),
    ("TWILIO_FROM", "sms.twilio_from"),
    ("TWILIO_ACCOUNT_SID", "video.twilio_account_sid"),
    ("TWILIO_API_KEY", "video.twilio_api_key_sid"),
    ("TWILIO_API_KEY_SECRET", "video.twilio_api_key_secret"),
    ("TWILIO_API_SECRET", "video.twilio_api_key_secret"),
    ("TWILIO_AUTH_TOKEN", "video.twilio_auth_token"),
    ("AWS_ACCESS_KEY_ID", "files.access_key_id"),
    ("AWS_SECRET_ACCESS_KEY", "files.secret_access_key"),
    ("AWS_SESSION_TOKEN", "files.session_token"),
    ("AWS_DEFAULT_REGION", "files.region"),
    ("AWS_REGION", "files.region"),
    ("AWS_ENDPOINT_URL", "files.endpoint"),
    ("AWS_ENDPOINT_URL_S3", "files.endpoint"),
    ("AWS_ENDPOINT", "files.endpoint"),
    ("AWS_ALLOW_HTTP", "files.allow_http"),
    ("GOOGLE_SERVICE_ACCOUNT_PATH", "files.service_account"),
    ("GOOGLE_SERVICE_ACCOUNT", "files.service_account"),
    ("GOOGLE_SERVICE_ACCOUNT_KEY", "files.service_account_key"),
    ("GOOGLE_APPLICATION_CREDENTIALS", "files.application_credentials"),
    ("AZURE_STORAGE_ACCOUNT_NAME", "files.account_name"),
    ("AZURE_STORAGE_ACCESS_KEY", "files.account_key"),
    ("AZURE_STORAGE_ACCOUNT_KEY", "files.account_key"),
    ("AZURE_STORAGE_SAS_KEY", "files.sas_token"),
    ("AZURE_STORAGE_SAS_TOKEN", "files.sas_token"),
];

const PREFIX: &str = "PITLANE_";

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, as `section.key`, and where it was set.
    pub key: String,
    /// The value, as far as it may be shown.
    pub value: Option<String>,
    /// What is wrong, or what would be right.
    pub right: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} = {value:?}: {}", self.key, self.right),
            None => write!(f, "{}: {}", self.key, self.right),
        }
    }
}

/// Everything that is wrong with the configuration, one line each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A key that exists, with its default and its value now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The section.
    pub section: &'static str,
    /// The key inside the section.
    pub key: &'static str,
    /// The default as it would be written in the file.
    pub default: String,
    /// The value as it would be written in the file, with secrets masked.
    pub shown: String,
    /// Where the value comes from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The file of that name.
    File(String),
    /// The environment variable of that name.
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(name) | Self::Environment(name) => f.write_str(name),
        }
    }
}

struct Raw {
    text: String,
    origin: Origin,
}

/// How a value may be shown.
#[derive(Clone, Copy)]
enum Show {
    Text,
    Bare,
    List,
    Masked,
    Url,
}

/// The reader. Sections are read one after the other; [`Reader::finish`] ends it.
#[derive(Default)]
pub(super) struct Reader {
    raw: BTreeMap<String, Raw>,
    strays: Vec<String>,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

impl Reader {
    /// Takes in the parsed file and then the environment, which wins.
    pub(super) fn new(
        file: Option<(&str, toml::Table)>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut reader = Self::default();
        if let Some((name, table)) = file {
            reader.take_file(name, table);
        }
        let environment: BTreeMap<String, String> = environment.into_iter().collect();
        for (name, key) in WELL_KNOWN {
            // Compose files pass on empty variables; for these names that means "not set".
            if let Some(text) = environment.get(name).filter(|text| !text.is_empty()) {
                reader.set(key.to_owned(), text.clone(), Origin::Environment(name.to_owned()));
            }
        }
        for (name, text) in environment {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            match rest.split_once("__") {
                Some((section, key)) => {
                    let key = format!("{}.{}", section.to_lowercase(), key.to_lowercase());
                    reader.set(key, text, Origin::Environment(name));
                }
                None if is_of_others(rest, &text) => {}
                None => reader.strays.push(name),
            }
        }
        reader
    }

    fn set(&mut self, key: String, text: String, origin: Origin) {
        self.raw.insert(key, Raw { text, origin });
    }

    fn take_file(&mut self, name: &str, table: toml::Table) {
        for (section, value) in table {
            let toml::Value::Table(keys) = value else {
                self.note(format!("{section} (in {name})"), None, "write keys inside a [section]");
                continue;
            };
            for (key, value) in keys {
                let path = format!("{section}.{key}");
                match text_of(&value) {
                    Some(text) => self.set(path, text, Origin::File(name.to_owned())),
                    None => self.note(
                        format!("{path} (in {name})"),
                        Some(value.to_string()),
                        "write a text, a whole number, true, false, or a list of texts without commas",
                    ),
                }
            }
        }
    }

    /// Reads the keys of one section.
    pub(super) fn section(&mut self, name: &'static str) -> Section<'_> {
        Section { name, reader: self }
    }

    /// Notes something that is wrong.
    fn note(&mut self, key: String, value: Option<String>, right: impl Into<String>) {
        self.problems.push(Problem { key, value, right: right.into() });
    }

    /// Everything that exists, and everything that is wrong: unknown keys too.
    pub(super) fn finish(mut self) -> (Vec<Entry>, Problems) {
        let known: Vec<String> =
            self.entries.iter().map(|entry| format!("{}.{}", entry.section, entry.key)).collect();
        for stray in std::mem::take(&mut self.strays) {
            let mut meant = self.entries.iter().map(|entry| variable(entry.section, entry.key));
            let right = match meant.find(|meant| meant.replace("__", "_") == stray) {
                Some(meant) => format!("write {meant}, with two underscores after the section"),
                None => "there is no such key; config/pitlane.toml lists them all, and server.bind is \
                         PITLANE_SERVER__BIND here"
                    .to_owned(),
            };
            self.note(stray, None, right);
        }
        for (path, raw) in std::mem::take(&mut self.raw) {
            let right = match nearest(&path, &known) {
                Some(similar) => format!("there is no such key; did you mean {similar}?"),
                None => "there is no such key; config/pitlane.toml lists them all".to_owned(),
            };
            self.note(format!("{path} ({})", place(&raw.origin)), None, right);
        }
        (self.entries, Problems(self.problems))
    }
}

/// Whether a variable with our prefix means somebody else: Pitlane's own tests, or an orchestrator that tells of a service
/// of that name (`PITLANE_SERVICE_HOST`, `PITLANE_PORT=tcp://10.0.0.1:80`, `PITLANE_PORT_80_TCP_ADDR`).
/// <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>
fn is_of_others(rest: &str, text: &str) -> bool {
    let words = format!("_{rest}_");
    let is_port = |protocol: &str| words.contains("_PORT_") && words.contains(protocol);
    rest.starts_with("TEST_")
        || rest.starts_with("FUZZ_")
        || words.contains("_SERVICE_HOST_")
        || words.contains("_SERVICE_PORT_")
        || (words.ends_with("_PORT_") && text.contains("://"))
        || ["_TCP_", "_UDP_", "_SCTP_"].into_iter().any(is_port)
}

/// The environment variable of a key.
pub(super) fn variable(section: &str, key: &str) -> String {
    format!("{PREFIX}{}__{}", section.to_uppercase(), key.to_uppercase())
}

pub(super) fn place(origin: &Origin) -> String {
    match origin {
        Origin::Default => "default".to_owned(),
        Origin::File(name) => format!("in {name}"),
        Origin::Environment(name) => format!("from {name}"),
    }
}

fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(yes) => Some(yes.to_string()),
        toml::Value::Array(items) => {
            let texts: Option<Vec<&str>> =
                items.iter().map(|item| item.as_str().filter(|text| !text.contains(','))).collect();
            texts.map(|texts| texts.join(","))
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

// The key with the most similar letters, when it is similar enough to be meant.
fn nearest<'a>(path: &str, known: &'a [String]) -> Option<&'a str> {
    let mistakes = |candidate: &str| {
        let (a, b): (Vec<char>, Vec<char>) = (path.chars().collect(), candidate.chars().collect());
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, left) in a.iter().enumerate() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for (j, right) in b.iter().enumerate() {
                let replaced = diagonal + usize::from(left != right);
                diagonal = row[j + 1];
                row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
            }
        }
        row[b.len()]
    };
    let best = known.iter().map(|candidate| (mistakes(candidate), candidate)).min()?;
    (best.0 <= 4).then_some(best.1.as_str())
}

/// One section of the configuration, being read.
pub(super) struct Section<'r> {
    name: &'static str,
    reader: &'r mut Reader,
}

impl Section<'_> {
    // A bad value is noted and the default taken in its place, so that reading goes on to the next problem.
    fn parsed<T>(
        &mut self,
        key: &'static str,
        default: &str,
        show: Show,
        right: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        let path = format!("{}.{key}", self.name);
        let raw = self.reader.raw.remove(&path);
        let entry = Entry {
            section: self.name,
            key,
            default: written(default, show),
            shown: written(raw.as_ref().map_or(default, |raw| &raw.text), show),
            origin: raw.as_ref().map_or(Origin::Default, |raw| raw.origin.clone()),
        };
        self.reader.entries.push(entry);
        if let Some(raw) = raw {
            if let Some(value) = parse(raw.text.trim()) {
                return value;
            }
            let value = match show {
                Show::Masked => Secret::new(raw.text).to_string(),
                Show::Url => address::without_secrets(&raw.text),
                Show::Text | Show::Bare | Show::List => raw.text,
            };
            self.reader.note(format!("{path} ({})", place(&raw.origin)), Some(value), right);
        }
        parse(default).expect("the default of every key is valid, which a test checks")
    }

    /// One of several names.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, default: &str, choices: &[(&str, T)]) -> T {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let right = format!("write {}", names.join(" or "));
        self.parsed(key, default, Show::Text, &right, |text| {
            choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
        })
    }

    /// A whole number in a range.
    pub(super) fn number<T>(&mut self, key: &'static str, default: T, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let right = format!("write a whole number from {} to {}", range.start(), range.end());
        self.parsed(key, &default.to_string(), Show::Bare, &right, |text| {
            text.parse().ok().filter(|number| range.contains(number))
        })
    }

    /// Any text that `parse` understands.
    pub(super) fn value<T>(
        &mut self,
        key: &'static str,
        default: &str,
        right: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        self.parsed(key, default, Show::Text, right, parse)
    }

    /// An address, in which a password may stand although it must not.
    pub(super) fn url<T>(
        &mut self,
        key: &'static str,
        default: &str,
        right: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        self.parsed(key, default, Show::Url, right, parse)
    }

    /// A text of at most 500 characters that is not empty.
    pub(super) fn text(&mut self, key: &'static str, default: &str) -> String {
        self.value(key, default, "write a text of 1 to 500 characters", |text| {
            (1..=500).contains(&text.chars().count()).then(|| text.to_owned())
        })
    }

    /// A text of at most 500 characters; empty means that there is none.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<String> {
        self.value(key, "", "write at most 500 characters", |text| {
            (text.chars().count() <= 500).then(|| (!text.is_empty()).then(|| text.to_owned()))
        })
    }

    /// An address of at most 500 characters; empty means that there is none.
    pub(super) fn optional_url(&mut self, key: &'static str) -> Option<String> {
        self.url(key, "", "write at most 500 characters", |text| {
            (text.chars().count() <= 500).then(|| (!text.is_empty()).then(|| text.to_owned()))
        })
    }

    /// A list, separated by commas in the environment, of at most 100 items.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        right: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        self.parsed(key, "", Show::List, right, |text| {
            let parsed: Option<Vec<T>> = items(text).map(&parse).collect();
            parsed.filter(|items| items.len() <= 100)
        })
    }

    /// A secret of any length up to `most`.
    pub(super) fn long_secret(&mut self, key: &'static str, most: usize) -> Secret {
        self.parsed(key, "", Show::Masked, &format!("write at most {most} characters"), |text| {
            (text.chars().count() <= most).then(|| Secret::new(text))
        })
    }

    /// A secret, empty when it is not set, else of at least that many characters.
    pub(super) fn secret(&mut self, key: &'static str, least: usize) -> Secret {
        let right = format!("write {least} to 500 characters");
        self.parsed(key, "", Show::Masked, &right, |text| {
            let length = text.chars().count();
            (length == 0 || (least..=500).contains(&length)).then(|| Secret::new(text))
        })
    }
}

fn written(text: &str, show: Show) -> String {
    match show {
        Show::Bare => text.to_owned(),
        Show::Text => format!("{text:?}"),
        Show::List => format!("{:?}", items(text).collect::<Vec<_>>()),
        Show::Masked => format!("{:?}", Secret::new(text).to_string()),
        Show::Url => format!("{:?}", address::without_secrets(text)),
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}
