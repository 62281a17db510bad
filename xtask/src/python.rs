//! Programs from PyPI that tests use, each in an environment of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::installed::{fresh, is_current, note, place};
use crate::packages::find_any;
use crate::run::{Outcome, checked, root};

/// Whether this machine's Python can make environments; Debian has that in a package of its own.
pub(crate) fn makes_environments() -> bool {
    find_any(&["python3", "python"]).is_some_and(|python| {
        let asked = Command::new(python)
            .args(["-c", "import ensurepip, venv"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    })
}

/// The program `name` of the environment `environment`, which holds exactly the packages that the file `requirements`
/// pins (a path from the root of the checkout). They are installed when they are not there yet, or when the file has
/// changed.
///
/// # Errors
/// There is no Python, or the packages can't be had.
pub(crate) fn program(requirements: &str, environment: &str, name: &str) -> Outcome<PathBuf> {
    let file = root().join(requirements);
    let wanted = fs::read_to_string(&file).map_err(|error| format!("{requirements}: {error}"))?;
    let folder = place(environment);
    let program = folder.join("bin").join(name);
    if is_current(&folder, &wanted) && program.is_file() {
        return Ok(program);
    }
    if !makes_environments() {
        return Err("no Python here makes virtual environments (Debian, Ubuntu: python3-venv)".to_owned());
    }
    let python = find_any(&["python3", "python"]).ok_or("Python is not installed")?;
    println!("installing {environment} from PyPI into {}", folder.display());
    fresh(&folder)?;
    checked(Command::new(python).args(["-m", "venv"]).arg(&folder).stdin(Stdio::null()))?;
    checked(
        Command::new(folder.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
            .arg("--requirement")
            .arg(&file)
            .stdin(Stdio::null()),
    )?;
    note(&folder, &wanted)?;
    Ok(program)
}
