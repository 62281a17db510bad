//! Stripe's official SDKs, installed below `target` for the tests that hold the sandbox against them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::installed::{fresh, is_current, note, place};
use crate::packages::find;
use crate::python;
use crate::run::{Outcome, checked, root};

/// Names the environment's variables that the tests read.
const PYTHON: &str = "PITLANE_TEST_STRIPE_PYTHON";
const NPM: &str = "PITLANE_TEST_STRIPE_NPM";

/// The packages of Debian that are missing for it.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    let mut packages = Vec::new();
    if !python::makes_environments() {
        packages.push("python3-venv");
    }
    if find("npm").is_none() {
        packages.push("npm");
    }
    packages
}

/// Installs what is not there yet. What can't be is added to `missing`.
pub(crate) fn install(environment: &mut Vec<(&'static str, PathBuf)>, missing: &mut Vec<String>) {
    match python::program("tests/sdk/requirements.txt", "stripe", "python") {
        Ok(program) => environment.push((PYTHON, program)),
        Err(reason) => missing.push(format!("Stripe's Python SDK against the sandbox: {reason}")),
    }
    match install_npm() {
        Ok(folder) => environment.push((NPM, folder)),
        Err(reason) => missing.push(format!("the types of Stripe's npm SDK against the sandbox: {reason}")),
    }
}

fn install_npm() -> Outcome<PathBuf> {
    let wanted = read("package-lock.json")?;
    let folder = place("npm");
    if is_current(&folder, &wanted) {
        return Ok(folder);
    }
    let npm = find("npm").ok_or("npm is not installed (Debian, Ubuntu: npm)")?;
    println!("installing the types of Stripe's npm SDK into {}", folder.display());
    fresh(&folder)?;
    for (name, text) in [("package.json", read("package.json")?), ("package-lock.json", wanted.clone())] {
        fs::write(folder.join(name), text).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    checked(
        Command::new(npm)
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
            .current_dir(&folder)
            .stdin(Stdio::null()),
    )?;
    note(&folder, &wanted)?;
    Ok(folder)
}

fn read(name: &str) -> Outcome<String> {
    let path = root().join("tests/sdk").join(name);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}
