//! The `pitlane` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    pitlane::cli::run()
}
