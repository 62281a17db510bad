//! Programs from PyPI that tests use, each in an environment of its own under `target/python`, so that nothing of the
//! machine's own Python changes.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::packages::find;
use crate::run::{Outcome, checked, root};

/// Whether this machine's Python can make environments; Debian has that in a package of its own.
pub(crate) fn makes_environments() -> bool {
    find("python3").is_some_and(|python| {
        let asked =
            Command::new(python).args(["-c", "import ensurepip, venv"]).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    })
}

/// The program `name`, from exactly the packages that the file `requirements` pins (a path from the root of the
/// checkout). They are installed when they are not there yet, or when the file has changed.
///
/// # Errors
/// There is no Python, or the packages can't be had.
pub(crate) fn program(requirements: &str, name: &str) -> Outcome<PathBuf> {
    let file = root().join(requirements);
    let wanted = fs::read_to_string(&file).map_err(|error| format!("{requirements}: {error}"))?;
    let folder = root().join("target/python").join(name);
    // Written last, so that an environment that broke off is made again.
    let (mark, program) = (folder.join("installed"), folder.join("bin").join(name));
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) && program.is_file() {
        return Ok(program);
    }
    let python = find("python3").ok_or("there is no python3 (Debian, Ubuntu: python3-venv)")?;
    println!("installing {name} from PyPI into {}", folder.display());
    checked(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder).stdin(Stdio::null()))?;
    checked(
        Command::new(folder.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
            .arg("--requirement")
            .arg(&file)
            .stdin(Stdio::null()),
    )?;
    fs::write(&mark, wanted).map_err(|error| format!("{}: {error}", mark.display()))?;
    Ok(program)
}
