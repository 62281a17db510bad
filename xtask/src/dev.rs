//! The server on a fresh checkout.

use std::process::{Command, Stdio};

use crate::packages::{find, find_any};
use crate::run::{Outcome, built};

/// Builds and serves, in development. The server itself migrates, seeds the demo data once, and prints the demo
/// accounts, the mailbox and the sandbox.
///
/// # Errors
/// A tool of the build is missing, the build fails, or the server does not start.
pub(crate) fn serve() -> Outcome {
    require_build_tools()?;
    let mut command = built()?;
    command.arg("serve");
    replace_with(&mut command)
}

// The terminal's Ctrl-C then reaches the server alone, and its exit status is ours.
#[cfg(unix)]
fn replace_with(command: &mut Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    Err(format!("the server can't be started: {}", command.exec()))
}

#[cfg(not(unix))]
fn replace_with(command: &mut Command) -> Outcome {
    crate::run::checked(command)
}

/// PostgreSQL's client library, OpenSSL and SQLite are built from source: their build scripts fail late and unclearly
/// without these, so they are named first.
fn require_build_tools() -> Outcome {
    let mut missing = Vec::new();
    if find_any(&["cc", "gcc", "clang"]).is_none() {
        missing
            .push("a C compiler (Debian, Ubuntu: gcc libc6-dev; Fedora: gcc; macOS: xcode-select --install)");
    }
    if find("make").is_none() {
        missing.push("make (Debian, Ubuntu, Fedora: make; macOS: xcode-select --install)");
    }
    if !perl_is_whole() {
        missing.push("Perl with its standard modules (Debian, Ubuntu: perl; Fedora: perl-core)");
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("the build needs what this machine doesn't have:\n  - {}", missing.join("\n  - ")))
}

// Debian's perl-base has no IPC::Cmd, which OpenSSL's configuration asks for.
fn perl_is_whole() -> bool {
    Command::new("perl")
        .args(["-MIPC::Cmd", "-MFindBin", "-e", "1"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
