//! Whether a command stands where the server stands: beside its database, and as the user who owns it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Command, Outcome, UserCommand};
use crate::config::{Environment, Settings};

/// Refuses a command that would make a second database by mistake, or leave files that the server can't open.
pub(super) fn check(command: &Command, settings: &Settings) -> Outcome {
    let restores = matches!(command, Command::Restore { .. });
    if rustix::process::geteuid().is_root() {
        not_a_strangers(&places(settings), 0, restores)?;
    }
    let makes_one = match command {
        Command::Serve | Command::Migrate | Command::Seed | Command::Restore { .. } => true,
        // In development the first account may come before the first start.
        Command::User(UserCommand::Create(_)) => settings.server.environment == Environment::Development,
        Command::Doctor
        | Command::Backup { .. }
        | Command::User(
            UserCommand::ResetSecondFactor { .. } | UserCommand::Erase { .. } | UserCommand::Export { .. },
        )
        | Command::Config
        | Command::Openapi => false,
    };
    match settings.database.store.sqlite_path() {
        Some(path) if !makes_one && !path.exists() => Err(format!(
            "there is no database at {}: run this in the server's folder and with its settings, or make one with \
             `pitlane migrate`",
            absolute(path).display()
        )),
        Some(_) | None => Ok(()),
    }
}

/// What the server keeps on this machine, the most telling first.
fn places(settings: &Settings) -> Vec<PathBuf> {
    let database = settings.database.store.sqlite_path().map(Path::to_owned);
    database.into_iter().chain([settings.data_folder()]).chain(settings.files.folder()).collect()
}

// Root can write everywhere, and what it makes is its own: a server that runs as somebody else could not open it.
// Where nothing is there yet, what is restored goes to whoever owns the folder around it.
fn not_a_strangers(places: &[PathBuf], me: u32, folders_around: bool) -> Outcome {
    let above =
        |place: &PathBuf| -> Vec<PathBuf> { absolute(place).ancestors().map(Path::to_owned).collect() };
    let around = places.iter().filter(|_| folders_around).flat_map(above);
    let found =
        places.iter().cloned().chain(around).find_map(|place| Some((place.metadata().ok()?.uid(), place)));
    match found {
        Some((owner, place)) if owner != me => Err(format!(
            "{} belongs to the user with the number {owner}, and what root writes there the server could not open: \
             run this as that user, such as with `runuser -u NAME -- pitlane …`",
            absolute(&place).display()
        )),
        Some(_) | None => Ok(()),
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let owner = folder.path().metadata().expect("the folder").uid();
        let missing = [folder.path().join("data/pitlane.db"), folder.path().join("data")];
        assert_eq!(not_a_strangers(&missing, owner, true), Ok(()));
        assert_eq!(not_a_strangers(&missing, owner + 1, false), Ok(()), "nothing is there yet");
        let told = not_a_strangers(&missing, owner + 1, true).expect_err("the folder around is a stranger's");
        assert!(told.contains(&format!("number {owner}")) && told.contains("runuser"), "{told}");
        std::fs::create_dir(folder.path().join("data")).expect("a folder");
        std::fs::write(&missing[0], "").expect("a file");
        assert_eq!(not_a_strangers(&missing, owner, false), Ok(()));
        let told = not_a_strangers(&missing, owner + 1, false).expect_err("the database is a stranger's");
        assert!(told.contains("data/pitlane.db belongs to"), "{told}");
    }
}
