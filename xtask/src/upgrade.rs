//! An upgrade from an older version, with people connected: the older one is built from its own source.

use std::process::Command;

use crate::run::{Outcome, cargo_command, checked, executable, root};

/// Builds the version of a commit and has the tests of upgrading start from it.
///
/// # Errors
/// There is no such commit, it can't be built, or a test failed.
pub(crate) fn run(commit: &str) -> Outcome {
    let source = root().join("target").join("previous");
    let shown = source.display().to_string();
    if source.exists() {
        checked(Command::new("git").current_dir(&source).args(["checkout", "--quiet", "--detach", commit]))?;
    } else {
        // Forced: git may still know a folder that was deleted with everything else that was built.
        let add = ["worktree", "add", "--force", "--quiet", "--detach", &shown, commit];
        checked(Command::new("git").current_dir(root()).args(add))?;
    }
    let target = source.join("target");
    let build = ["build", "--package", "pitlane"];
    checked(cargo_command().current_dir(&source).args(build).env("CARGO_TARGET_DIR", &target))?;
    let binary = target.join("debug").join(executable("pitlane"));
    crate::test::run(false, &["new_version::".to_owned()], &[("PITLANE_TEST_PREVIOUS", binary)])
}
