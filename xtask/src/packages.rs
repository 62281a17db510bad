//! Finding programs, and installing the Debian packages that bring missing ones.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{Outcome, checked};

/// A program on the `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// The first of several programs that exists.
pub(crate) fn find_any(names: &[&str]) -> Option<PathBuf> {
    names.iter().find_map(|name| if name.starts_with('/') { existing(name) } else { find(name) })
}

fn existing(path: &str) -> Option<PathBuf> {
    Some(PathBuf::from(path)).filter(|path| path.is_file())
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether packages may be installed without asking: root, on Debian or Ubuntu.
pub(crate) fn installs_unasked() -> bool {
    is_root() && Path::new("/etc/debian_version").exists() && find("apt-get").is_some()
}

/// Installs Debian packages.
///
/// # Errors
/// There is no `apt-get` here, or it failed.
pub(crate) fn install(packages: &[&str]) -> Outcome {
    if find("apt-get").is_none() {
        return Err(format!("there is no apt-get here to install {}", packages.join(", ")));
    }
    println!("installing {}", packages.join(", "));
    // A list that is out of date names packages that are gone; without any network the install below says so.
    let refreshed = apt_get(&["update", "-qq"]);
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(packages);
    apt_get(&arguments).map_err(|reason| match refreshed {
        Ok(()) => reason,
        Err(first) => format!("{reason}; before that, {first}"),
    })
}

fn apt_get(arguments: &[&str]) -> Outcome {
    let mut command = if is_root() {
        Command::new("apt-get")
    } else {
        let mut command = Command::new("sudo");
        command.arg("apt-get");
        command
    };
    checked(
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .stdout(Stdio::null()),
    )
}
