//! `/account/second-factor`: the authenticator app. Its forms post to the page's own address (`current_password`), to
//! `/confirm`, `/codes` and `/off` below it (`code`).

use askama::Template;

use crate::form::Errors;
use crate::frame::Frame;

/// The page.
#[derive(Debug, Template)]
#[template(path = "second_factor.html")]
pub struct SecondFactorPage {
    /// What surrounds the page; the viewer is the account's owner.
    pub frame: Frame,
    /// How things stand.
    pub state: AppState,
    /// Whether the person can do their work only with an app.
    pub required: bool,
    /// What was wrong with what was typed.
    pub errors: Errors,
}

/// How things stand with the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppState {
    /// There is none.
    Off {
        /// Whether the account has a password, which is asked for.
        has_password: bool,
    },
    /// It is being set up: the first code is asked for.
    Begun {
        /// The picture of the `otpauth://` address, as SVG.
        picture: String,
        /// The secret in base 32, to be typed.
        secret: String,
    },
    /// It is on.
    On {
        /// RFC 3339: since when.
        since: String,
        /// How many recovery codes are left.
        codes_left: usize,
    },
    /// New recovery codes, shown this once.
    Codes {
        /// The codes.
        codes: Vec<String>,
    },
}

impl SecondFactorPage {
    /// The secret in groups of four, as people type it.
    pub(crate) fn grouped(secret: &str) -> String {
        let letters: Vec<char> = secret.chars().collect();
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        groups.join(" ")
    }
}
