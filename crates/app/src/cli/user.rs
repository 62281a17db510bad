//! `user`: accounts as operators see to them.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use accounts::register::TypedRegistration;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use kernel::{Entropy, Role};

use super::serve::told;
use super::{Outcome, say};
use crate::boot;
use crate::clock::SystemEntropy;
use crate::config::Settings;
use crate::http::export::has_cards;
use crate::usecases::register::Operators;

/// Whom to make.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct NewAccount {
    /// The address to sign in with; it counts as confirmed.
    #[arg(long)]
    email: String,
    /// customer, mechanic, workshop, support or admin.
    #[arg(long)]
    role: String,
    /// The name others see; without this, the part of the address before the @.
    #[arg(long)]
    name: Option<String>,
    /// The password. It can be seen in the list of processes: better use --password-stdin.
    #[arg(long, conflicts_with = "password_stdin")]
    password: Option<String>,
    /// Reads the password from the standard input. Without a password one is made and printed.
    #[arg(long)]
    password_stdin: bool,
    /// An IANA time zone.
    #[arg(long)]
    time_zone: Option<String>,
}

/// Makes the account, beside a running server or without one.
pub(super) async fn create(settings: Settings, wanted: NewAccount) -> Outcome {
    let role = Role::parse(&wanted.role).ok_or_else(|| {
        format!("--role {}: write customer, mechanic, workshop, support or admin", wanted.role)
    })?;
    let name = wanted.name.unwrap_or_else(|| wanted.email.split('@').next().unwrap_or_default().to_owned());
    let made = wanted.password.is_none() && !wanted.password_stdin;
    let password = match wanted.password {
        Some(password) => password,
        None if wanted.password_stdin => typed()?,
        None => fresh(),
    };
    let typed = TypedRegistration {
        email: wanted.email.clone(),
        password: password.clone(),
        name,
        role: role.to_string(),
        time_zone: wanted.time_zone,
    };
    boot::create_user(settings, Operators { typed, role }).await.map_err(told)?;
    say(&format!("{} can sign in as {role}", wanted.email))?;
    if made { say(&format!("The password is {password}; it is shown this once")) } else { Ok(()) }
}

/// Turns an authenticator app off, beside a running server or without one.
pub(super) async fn reset_second_factor(settings: Settings, email: String) -> Outcome {
    let was_on = boot::reset_second_factor(settings, &email).await.map_err(told)?;
    say(&match was_on {
        true => format!("{email} signs in without an authenticator app from now on, and was told by mail"),
        false => format!("{email} has no authenticator app"),
    })
}

/// Erases an account, beside a running server or without one.
pub(super) async fn erase(settings: Settings, email: String) -> Outcome {
    boot::erase_user(settings, &email).await.map_err(told)?;
    say(&format!("the account of {email} is erased; what was paid stays in the books without a name"))
}

/// Writes everything that is kept of somebody into a file that only its owner can read, with the bytes of their files
/// where it is to be a ZIP.
pub(super) async fn export(settings: Settings, email: String, file: PathBuf) -> Outcome {
    let wrong = |error: std::io::Error| format!("{}: {error}", file.display());
    // First, so that nothing is noted about an export that has no place.
    let mut out = File::options().create_new(true).write(true).mode(0o600).open(&file).map_err(wrong)?;
    let is_zip = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    let written = if is_zip {
        boot::pack_user(settings, &email, out).await.map_err(told)
    } else {
        let document = boot::export_user(settings, &email).await.map_err(told);
        document.and_then(|document| {
            let has_cards = has_cards(&document);
            writeln!(out, "{document:#}").map(|()| (out, has_cards)).map_err(wrong)
        })
    };
    let written = written.and_then(|(out, has_cards)| out.sync_all().map(|()| has_cards).map_err(wrong));
    let has_cards = written.inspect_err(|_| {
        // What is left of it is of no use.
        let _ = std::fs::remove_file(&file);
    })?;
    let lacks = if has_cards {
        ""
    } else {
        ", but for the kept cards, which the payment provider could not tell; export again later for those"
    };
    say(&format!("{}: everything that is kept of {email}{lacks}", file.display()))
}

fn typed() -> Result<String, String> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| format!("the password can't be read: {error}"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn fresh() -> String {
    let mut bytes = [0; 18];
    SystemEntropy::default().fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
