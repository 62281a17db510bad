//! Measurements: the server's by the program `bench` of `tests`, and how long a developer waits for the compiler.

use std::fs::{File, FileTimes};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use crate::run::{Outcome, cargo, cargo_command, checked, debug_binary, root};
use crate::s3::S3;

/// What a clean debug build may take.
const CLEAN_BUILD: Duration = Duration::from_secs(5 * 60);
/// What may pass from a change of one line until its test has run.
const ONE_LINE: Duration = Duration::from_secs(20);
/// A rule that many crates stand on.
const RULE: &str = "crates/pricing/src/upgrade.rs";

/// Runs everything shortly, in a debug build, and judges no time.
///
/// # Errors
/// Something can't be built or fails.
pub(crate) fn quick() -> Outcome {
    cargo(&[&["build", "--workspace", "--bin", "pitlane", "--bin", "bench"]])?;
    let mut command = Command::new(debug_binary().with_file_name("bench"));
    command.current_dir(root()).arg("--quick");
    beside_s3(command)
}

/// The full run, in release builds. `only` names the parts to run, all when it is empty.
///
/// # Errors
/// Something can't be built or fails, or a goal was missed.
pub(crate) fn full(only: &[String]) -> Outcome {
    cargo(&[&["build", "--release", "--package", "pitlane"]])?;
    let mut command = cargo_command();
    command.args(["run", "--release", "--package", "tests", "--bin", "bench", "--"]).args(only);
    beside_s3(command)
}

/// Runs a measurement while there is an S3 to upload to.
fn beside_s3(mut command: Command) -> Outcome {
    let s3 = S3::start();
    match &s3 {
        Ok(server) => {
            command.env("PITLANE_TEST_S3", server.told());
        }
        Err(reason) => println!("uploads into a bucket are not measured: {reason}"),
    }
    checked(&mut command)
}

/// How long a build from nothing takes, and how long a change of one line until its test has run. The build goes to a
/// folder of its own, which is deleted first.
///
/// # Errors
/// Something can't be built or fails, or a goal was missed.
pub(crate) fn build() -> Outcome {
    let folder = root().join("target").join("bench-build");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .map_err(|error| format!("{} can't be deleted: {error}", folder.display()))?;
    }
    let clean = timed(&folder, &["build", "--package", "pitlane"])?;
    // Once for what only the tests need; the change comes after.
    let test = ["test", "--quiet", "--package", "pricing", "upgrade"];
    timed(&folder, &test)?;
    touch(&root().join(RULE))?;
    let one_line = timed(&folder, &test)?;
    println!("| what | measured | goal | met |\n|---|---|---|---|");
    let mut missed = false;
    for (what, measured, goal) in [
        ("clean debug build of the server", clean, CLEAN_BUILD),
        ("a change in a domain rule until its test has run", one_line, ONE_LINE),
    ] {
        missed |= measured > goal;
        let met = if measured <= goal { "yes" } else { "no" };
        println!("| {what} | {:.1} s | ≤ {} s | {met} |", measured.as_secs_f64(), goal.as_secs());
    }
    if missed { Err("a goal was missed".to_owned()) } else { Ok(()) }
}

fn timed(folder: &Path, arguments: &[&str]) -> Outcome<Duration> {
    let start = Instant::now();
    checked(cargo_command().args(arguments).env("CARGO_TARGET_DIR", folder))?;
    Ok(start.elapsed())
}

// Cargo takes a newer file for a changed one.
fn touch(file: &Path) -> Outcome {
    File::options()
        .append(true)
        .open(file)
        .and_then(|file| file.set_times(FileTimes::new().set_modified(SystemTime::now())))
        .map_err(|error| format!("{} can't be touched: {error}", file.display()))
}
