//! Running a program and saying what failed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Done, or one sentence for the person at the terminal.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    // xtask stands directly below the root.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask has a parent folder")
}

/// `cargo` at the root, not yet run.
pub(crate) fn cargo_command() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs `cargo` with the arguments of all groups, at the root.
pub(crate) fn cargo(groups: &[&[&str]]) -> Outcome {
    let mut command = cargo_command();
    for group in groups {
        command.args(*group);
    }
    checked(&mut command)
}

/// Runs one of the binary's commands in development, after building it.
pub(crate) fn pitlane(arguments: &[&str]) -> Outcome {
    let mut command = built()?;
    checked(command.args(arguments))
}

/// Builds the binary and gives a command for it, set to development unless the environment says otherwise.
pub(crate) fn built() -> Outcome<Command> {
    // With the features that the whole workspace asks for, so that the tests find everything built.
    cargo(&[&["build", "--workspace", "--bin", "pitlane"]])?;
    let mut command = Command::new(debug_binary());
    command.current_dir(root());
    if std::env::var_os("PITLANE_SERVER__ENVIRONMENT").is_none() {
        command.env("PITLANE_SERVER__ENVIRONMENT", "development");
    }
    Ok(command)
}

/// Where cargo puts the binary in a debug build.
pub(crate) fn debug_binary() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    root().join(target).join("debug").join(executable("pitlane"))
}

/// The file name of a program here.
pub(crate) fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// Runs a command with the terminal's own streams.
///
/// # Errors
/// It can't be started, or it ends with anything but success.
pub(crate) fn checked(command: &mut Command) -> Outcome {
    let shown = shown(command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed ({status})")),
        Err(error) => Err(format!("`{shown}` can't be started: {error}")),
    }
}

/// Runs a command and answers what it printed.
///
/// # Errors
/// As [`checked`], with what it printed on its error stream.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let shown = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{shown}` can't be started: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("`{shown}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
