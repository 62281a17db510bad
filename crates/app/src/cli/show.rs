//! `config` and `openapi`: what is in effect, and what the API looks like.

use std::path::Path;

use super::{Outcome, configuration, say};
use crate::config::Settings;
use crate::http::openapi;

/// Prints every key with its value and where it comes from, then what would keep a server from starting.
pub(super) fn config(file: Option<&Path>) -> Outcome {
    let settings = Settings::of_process(file).map_err(|problems| configuration(&problems))?;
    let mut section = "";
    for entry in &settings.entries {
        if entry.section != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            section = entry.section;
            say(&format!("{gap}[{section}]"))?;
        }
        say(&format!("{} = {} # {}", entry.key, entry.shown, entry.origin))?;
    }
    settings.check_serving().map_err(|problems| configuration(&problems))?;
    settings.catalog().map(drop).map_err(|problems| configuration(&problems))
}

/// Prints the OpenAPI description.
pub(super) fn openapi() -> Outcome {
    let document = serde_json::to_string_pretty(&openapi::document(true));
    say(&document.map_err(|error| format!("the description can't be written: {error}"))?)
}
