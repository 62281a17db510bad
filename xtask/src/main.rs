//! All of the project's automation, behind `cargo xtask`.
//!
//! | module | holds |
//! |---|---|
//! | [`dev`] | the server on a fresh checkout |
//! | [`mod@bench`] | measurements against the project's goals |
//! | [`mod@test`] | every test, with the servers and the browser that they need |
//! | [`check`] | formatting, lints, layers, tidiness, documentation, generated files |
//! | [`migration`] | a new migration in both folders |
//! | [`postgres`], [`packages`] | a throw-away PostgreSQL; finding and installing programs |
//! | [`upgrade`] | the tests of upgrading, from a real older version |
//! | [`sdk`] | Stripe's official SDKs for the tests |
//! | [`run`] | running a program and saying what failed |
//!
//! It must never be needed to run the product, and never hold what the product does: those are `pitlane`'s commands.

#![expect(clippy::print_stdout, reason = "a command-line program talks on its standard output")]

mod bench;
mod check;
mod dev;
mod installed;
mod migration;
mod packages;
mod postgres;
mod python;
mod run;
mod s3;
mod sdk;
mod test;
mod upgrade;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::run::{Outcome, pitlane};

/// What a developer of Pitlane does.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds and serves Pitlane with nothing configured, on http://localhost:8080
    Dev,
    /// Runs every test, and starts the servers and the browser that they need
    Test {
        /// Install missing packages (done without asking when root on Debian or Ubuntu)
        #[arg(long)]
        install: bool,
        /// Run only tests whose name holds one of these
        filter: Vec<String>,
    },
    /// Formatting, lints, layers, tidiness, documentation, generated files, and the tests
    Check {
        /// Leave out the tests
        #[arg(long)]
        no_tests: bool,
    },
    /// Brings the database of development to this version's schema
    Migrate,
    /// Puts the demo data into the database of development, once
    Seed,
    /// Writes docs/openapi.json
    Openapi,
    /// Adds an empty migration to both folders
    NewMigration {
        /// What it does, in snake_case
        name: String,
    },
    /// Builds an older version and runs the tests of upgrading from it
    Upgrade {
        /// The older version: a tag or a commit
        commit: String,
    },
    /// Measures against the project's goals
    Bench {
        /// A short run that judges no times
        #[arg(long, conflicts_with_all = ["build", "only"])]
        quick: bool,
        /// How long builds take instead
        #[arg(long, conflicts_with = "only")]
        build: bool,
        /// Only these parts: chat, reads, memory
        only: Vec<String>,
    },
}

fn main() -> ExitCode {
    match perform(Xtask::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Outcome {
    match task {
        Task::Dev => dev::serve(),
        Task::Test { install, filter } => test::run(install, &filter, &[]),
        Task::Check { no_tests } => check::run(no_tests),
        Task::Migrate => pitlane(&["migrate"]),
        Task::Seed => pitlane(&["seed"]),
        Task::Openapi => check::generated::write(),
        Task::Upgrade { commit } => upgrade::run(&commit),
        Task::NewMigration { name } => migration::create(&name),
        Task::Bench { quick: true, .. } => bench::quick(),
        Task::Bench { build: true, .. } => bench::build(),
        Task::Bench { only, .. } => bench::full(&only),
    }
}
