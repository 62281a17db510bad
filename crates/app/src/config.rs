//! The configuration: every key, its default, and what is refused.
//!
//! | module | holds |
//! |---|---|
//! | [`sections`] | the sections with their keys, types, ranges and defaults |
//! | [`reader`] | how values are taken from the file and the environment, and how mistakes are told |
//! | [`secret`] | [`Secret`]: a value that never prints |
//! | [`network`] | ranges of addresses |
//! | [`checks`] | combinations that a server must not start with |
//! | [`catalog`] | the price books |
//! | [`waivers`] | the versions of the waiver |
//! | [`legal`] | the terms and the privacy text |
//! | [`signing`] | the signing secret that development makes for itself |
//!
//! A value comes from the environment (`PITLANE_<SECTION>__<KEY>`, or one of the well-known names such as
//! `DATABASE_URL`), else from `config/pitlane.toml`, else it is the default. Whatever is wrong is told at once, each
//! with its key, its value and what would be right.

pub mod catalog;
pub mod checks;
pub mod legal;
mod limits;
pub mod network;
pub mod reader;
pub mod secret;
pub mod sections;
pub mod signing;
pub mod waivers;

use std::net::SocketAddr;
use std::path::Path;

pub use limits::{Limits, Rate};
pub use network::Network;
pub use reader::{Entry, Origin, Problem, Problems};
pub use secret::Secret;
pub use sections::{
    Auth, Bus, Database, Dispatch, Environment, Files, Mail, MailProvider, PaymentProvider, Payments,
    Pricing, Reach, Retention, Scheduling, Server, Sessions, SmsProvider, Video, VideoProvider,
};

/// Where the file is looked for, relative to the working directory.
pub const FILE: &str = "config/pitlane.toml";

/// The effective configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How requests come in.
    pub server: Server,
    /// Where everything is kept.
    pub database: Database,
    /// How nodes hear of each other's events.
    pub bus: Bus,
    /// Which price book is sold from.
    pub pricing: Pricing,
    /// Who takes the money.
    pub payments: Payments,
    /// Who carries mail.
    pub mail: Mail,
    /// The other ways to reach people.
    pub reach: Reach,
    /// Who carries video.
    pub video: Video,
    /// Where uploads go.
    pub files: Files,
    /// How long a request waits for whom.
    pub dispatch: Dispatch,
    /// What happens around a session.
    pub sessions: Sessions,
    /// How appointments are offered.
    pub scheduling: Scheduling,
    /// Who gets in.
    pub auth: Auth,
    /// How fast requests may come.
    pub limits: Limits,
    /// How long what people leave behind is kept.
    pub retention: Retention,
    /// Every key with its default and its value, secrets masked.
    pub entries: Vec<Entry>,
}

impl Settings {
    /// What a message may be and carry.
    pub const fn message_limits(&self) -> sessions::MessageLimits {
        sessions::MessageLimits {
            max_bytes: self.sessions.message_max_bytes,
            session_files_max_bytes: self.files.session_max_bytes,
        }
    }
}

impl Settings {
    /// The configuration of this process: the file at `path` (which must exist), else [`FILE`] where there is one,
    /// and the environment.
    ///
    /// # Errors
    /// Everything that is wrong: a file that can't be read, unknown keys, bad values.
    pub fn of_process(path: Option<&Path>) -> Result<Self, Problems> {
        let file = match path {
            Some(path) => Some(path),
            None => Some(Path::new(FILE)).filter(|path| path.exists()),
        };
        let text = file
            .map(|path| {
                let name = path.display().to_string();
                match std::fs::read_to_string(path) {
                    Ok(text) => Ok((name, text)),
                    Err(error) => Err(refused(name, format!("the file can't be read: {error}"))),
                }
            })
            .transpose()?;
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::load(text.as_ref().map(|(name, text)| (name.as_str(), text.as_str())), environment)
    }

    /// The configuration made of a file (its name and its text) and an environment.
    ///
    /// # Errors
    /// Everything that is wrong: TOML that can't be read, unknown keys, bad values.
    pub fn load(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        let file = file
            .map(|(name, text)| match text.parse::<toml::Table>() {
                Ok(table) => Ok((name, table)),
                Err(error) => Err(refused(name.to_owned(), one_line(&error))),
            })
            .transpose()?;
        let mut reader = reader::Reader::new(file, environment);
        let mut settings = Self {
            server: Server::read(&mut reader),
            database: Database::read(&mut reader),
            bus: Bus::read(&mut reader),
            pricing: Pricing::read(&mut reader),
            payments: Payments::read(&mut reader),
            mail: Mail::read(&mut reader),
            reach: Reach::read(&mut reader),
            video: Video::read(&mut reader),
            files: Files::read(&mut reader),
            dispatch: Dispatch::read(&mut reader),
            sessions: Sessions::read(&mut reader),
            scheduling: Scheduling::read(&mut reader),
            auth: Auth::read(&mut reader),
            limits: Limits::read(&mut reader),
            retention: Retention::read(&mut reader),
            entries: Vec::new(),
        };
        let (entries, problems) = reader.finish();
        settings.entries = entries;
        if problems.0.is_empty() { Ok(settings) } else { Err(problems) }
    }

    /// Whether this is a developer's server.
    pub fn is_development(&self) -> bool {
        self.server.environment == Environment::Development
    }

    /// Fills in what follows from the address the server really listens on.
    #[must_use]
    pub fn bound_to(mut self, address: SocketAddr) -> Self {
        if self.server.public_url.is_empty() {
            self.server.public_url = format!("http://localhost:{}", address.port());
        }
        if self.payments.api_base.is_empty() {
            self.payments.api_base = format!("http://{address}");
        }
        self
    }
}

fn refused(key: String, right: String) -> Problems {
    Problems(vec![Problem { key, value: None, right }])
}

fn one_line(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let words: Vec<&str> =
        text.split_whitespace().filter(|word| !word.chars().all(|c| c == '|' || c == '^')).collect();
    format!("this is not TOML: {}", words.join(" "))
}

#[cfg(test)]
mod tests;
