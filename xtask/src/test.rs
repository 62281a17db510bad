//! Every test of the project: what they need is found, installed or started first, and what could not run is said at
//! the end.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::packages::{find_any, install, installs_unasked};
use crate::postgres::{Postgres, find_programs};
use crate::python;
use crate::run::{Outcome, cargo_command, debug_binary};
use crate::s3::S3;
use crate::sdk;

const CHROMIUM: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const CHROMEDRIVER: [&str; 3] =
    ["chromedriver", "/usr/lib/chromium/chromedriver", "/usr/lib/chromium-browser/chromedriver"];

/// Runs the tests whose name holds one of `filter`, or all, with more variables in their environment.
///
/// # Errors
/// A test failed; or, with `CI=true`, something could not run.
pub(crate) fn run(may_install: bool, filter: &[String], more: &[(&'static str, PathBuf)]) -> Outcome {
    let mut missing = install_missing(may_install || installs_unasked());
    let mut environment: Vec<(&'static str, PathBuf)> = vec![("PITLANE_TEST_BINARY", debug_binary())];
    environment.extend(more.iter().cloned());

    let postgres = find_programs().map(|programs| Postgres::start(&programs));
    match &postgres {
        Some(Ok(server)) => {
            environment.push(("PITLANE_TEST_POSTGRES", server.url().into()));
            environment.push(("PITLANE_TEST_POSTGRES_CERTIFICATE", server.certificate()));
        }
        Some(Err(reason)) => missing.push(format!("everything on PostgreSQL: {reason}")),
        None => missing
            .push("everything on PostgreSQL: it is not installed (Debian, Ubuntu: postgresql)".to_owned()),
    }
    match (find_any(&CHROMIUM), find_any(&CHROMEDRIVER)) {
        (Some(chromium), Some(driver)) => {
            environment.push(("PITLANE_TEST_CHROMIUM", chromium));
            environment.push(("PITLANE_TEST_CHROMEDRIVER", driver));
        }
        (chromium, driver) => {
            let name = |found: Option<PathBuf>, name| if found.is_none() { Some(name) } else { None };
            let absent: Vec<&str> =
                [name(chromium, "chromium"), name(driver, "chromium-driver")].into_iter().flatten().collect();
            missing.push(format!(
                "everything in a browser: not installed (Debian, Ubuntu: {})",
                absent.join(", ")
            ));
        }
    }

    match python::program("tests/python/schemathesis.txt", "schemathesis", "schemathesis") {
        Ok(program) => environment.push(("PITLANE_TEST_SCHEMATHESIS", program)),
        Err(reason) => missing.push(format!("the fuzzing of the API along its description: {reason}")),
    }

    let s3 = S3::start();
    match &s3 {
        Ok(server) => environment.push(("PITLANE_TEST_S3", server.told().into())),
        Err(reason) => missing.push(format!("everything in a bucket: {reason}")),
    }

    match own_mounts() {
        Some(arguments) => environment.push(("PITLANE_TEST_UNSHARE", arguments.into())),
        None => missing.push(
            "everything on a full or read-only disk: this user may not mount one (it takes Linux, and root or user \
             namespaces)"
                .to_owned(),
        ),
    }

    sdk::install(&mut environment, &mut missing);

    let tally = tests(&environment, filter)?;
    drop((postgres, s3));
    close(&tally, &missing)
}

// How `unshare` gives a program mounts of its own here, proven by mounting something.
fn own_mounts() -> Option<&'static str> {
    ["--mount", "--user --map-root-user --mount"].into_iter().find(|arguments| {
        Command::new("unshare")
            .args(arguments.split_whitespace())
            .args(["mount", "-t", "tmpfs", "tmpfs", "/tmp"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}

fn install_missing(may_install: bool) -> Vec<String> {
    let mut packages = Vec::new();
    if find_programs().is_none() {
        packages.push("postgresql");
    }
    if find_any(&CHROMIUM).is_none() {
        packages.push("chromium");
    }
    if find_any(&CHROMEDRIVER).is_none() {
        packages.push("chromium-driver");
    }
    if !may_install {
        return Vec::new();
    }
    // One by one: what can't be had must not keep the others away.
    let groups = [packages, sdk::missing_packages()].into_iter().filter(|packages| !packages.is_empty());
    groups
        .filter_map(|packages| {
            let reason = install(&packages).err()?;
            Some(format!("installing {}: {reason}", packages.join(", ")))
        })
        .collect()
}

#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
    succeeded: bool,
}

fn tests(environment: &[(&str, PathBuf)], filter: &[String]) -> Outcome<Tally> {
    // Built first, so that the black-box tests find the binary of exactly this tree.
    crate::run::cargo(&[&["test", "--workspace", "--no-run"]])?;
    let mut command = cargo_command();
    command.args(["test", "--workspace", "--no-fail-fast"]);
    if !filter.is_empty() {
        command.arg("--").args(filter);
    }
    command.envs(environment.iter().map(|(name, value)| (name, value))).stdout(Stdio::piped());
    follow(&mut command)
}

// Passes on what the tests print, and counts their closing lines.
fn follow(command: &mut Command) -> Outcome<Tally> {
    let mut child = command.spawn().map_err(|error| format!("cargo can't be started: {error}"))?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            println!("{line}");
            tally.count(&line);
        }
    }
    tally.succeeded = child.wait().map_err(|error| error.to_string())?.success();
    Ok(tally)
}

impl Tally {
    fn count(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for part in counts.1.split(';') {
            let Some((number, word)) = part.trim().split_once(' ') else { continue };
            let number = number.parse::<u64>().unwrap_or(0);
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

fn close(tally: &Tally, missing: &[String]) -> Outcome {
    println!();
    if missing.is_empty() {
        println!("Everything could run.");
    } else {
        println!("Could not run:");
        for what in missing {
            println!("  - {what}");
        }
    }
    println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.ignored);
    if !tally.succeeded {
        return Err("tests failed".to_owned());
    }
    if !missing.is_empty() && std::env::var("CI").is_ok_and(|value| value == "true") {
        return Err("in CI everything must be able to run".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn the_closing_lines_of_the_tests_are_added_up() {
        let mut tally = Tally::default();
        for line in [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
            "test a::result: ok. 9 passed ... ok",
        ] {
            tally.count(line);
        }
        assert_eq!((tally.passed, tally.failed, tally.ignored), (7, 2, 1));
    }
}
