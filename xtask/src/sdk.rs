//! Stripe's official SDKs, installed below `target` for the tests that hold the sandbox against them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::packages::{find, find_any};
use crate::run::{Outcome, checked, debug_binary, root};

/// Names the environment's variables that the tests read.
const PYTHON: &str = "PITLANE_TEST_STRIPE_PYTHON";
const NPM: &str = "PITLANE_TEST_STRIPE_NPM";

/// The packages of Debian that are missing for it.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    let mut packages = Vec::new();
    if python().is_none_or(|python| !has_venv(&python)) {
        packages.push("python3-venv");
    }
    if find("npm").is_none() {
        packages.push("npm");
    }
    packages
}

/// Installs what is not there yet. What can't be is added to `missing`.
pub(crate) fn install(environment: &mut Vec<(&'static str, PathBuf)>, missing: &mut Vec<String>) {
    match install_python() {
        Ok(program) => environment.push((PYTHON, program)),
        Err(reason) => missing.push(format!("Stripe's Python SDK against the sandbox: {reason}")),
    }
    match install_npm() {
        Ok(folder) => environment.push((NPM, folder)),
        Err(reason) => missing.push(format!("the types of Stripe's npm SDK against the sandbox: {reason}")),
    }
}

fn python() -> Option<PathBuf> {
    find_any(&["python3", "python"])
}

fn has_venv(python: &Path) -> bool {
    Command::new(python)
        .args(["-c", "import venv, ensurepip"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Beside `debug`, wherever cargo builds.
fn place(name: &str) -> PathBuf {
    let debug = debug_binary();
    let target = debug.ancestors().nth(2).unwrap_or(root());
    target.join("sdk").join(name)
}

/// Whether what these files ask for was installed into a folder before.
fn is_current(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(folder.join("installed")).is_ok_and(|installed| installed == wanted)
}

fn fresh(folder: &Path) -> Outcome {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn note(folder: &Path, wanted: &str) -> Outcome {
    fs::write(folder.join("installed"), wanted).map_err(|error| format!("{}: {error}", folder.display()))
}

fn read(name: &str) -> Outcome<String> {
    let path = root().join("tests/sdk").join(name);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn install_python() -> Outcome<PathBuf> {
    let folder = place("python");
    let program = folder.join("bin").join("python");
    let wanted = read("requirements.txt")?;
    if is_current(&folder, &wanted) && program.is_file() {
        return Ok(program);
    }
    let python = python().ok_or("Python is not installed (Debian, Ubuntu: python3-venv)")?;
    if !has_venv(&python) {
        return Err("this Python makes no virtual environments (Debian, Ubuntu: python3-venv)".to_owned());
    }
    println!("installing Stripe's Python SDK into {}", folder.display());
    fresh(&folder)?;
    checked(Command::new(python).args(["-m", "venv"]).arg(&folder).stdin(Stdio::null()))?;
    checked(
        Command::new(&program)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(root().join("tests/sdk/requirements.txt"))
            .stdin(Stdio::null()),
    )?;
    note(&folder, &wanted)?;
    Ok(program)
}

fn install_npm() -> Outcome<PathBuf> {
    let folder = place("npm");
    let wanted = read("package-lock.json")?;
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
