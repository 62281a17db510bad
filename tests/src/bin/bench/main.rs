//! `cargo xtask bench`: what Pitlane costs, each number beside its limit in the same run.
//!
//! | module | measures | beside |
//! |---|---|---|
//! | [`chat`] | messages through the whole stack | a bare SQLite writer with the same rows, [`writer`] |
//! | [`reads`] | `GET /api/sessions/{id}` | a bare actix handler that reads one row, [`bare`] |
//! | [`memory`] | an idle, signed-in, joined socket | a bare actix-ws socket, [`bare`] |
//! | [`webhooks`] | from a signed webhook to a committed session | the same rows, copied by SQLite itself, [`copies`] |
//! | [`masses`] | thousands of sockets of which one in ten reads nothing | the same when all read |
//! | [`upgrades`] | from the tap on "Upgrade" to the mechanic's socket, and to both pictures (the pictures not in a quick run) | the payment provider's share of it |
//! | [`growth`] | messages, joins and lists when there is much of everything | the same when there is little |
//! | [`backup`] | requests while a large database is backed up | the same without the backup |
//! | [`uploads`] | the peak of the memory while files of 20 MB come in | the size of the buffers |
//! | [`start`] | the start of the binary, its memory and its size | `pitlane --version` |
//! | [`pages`] | the weight of a page, its paint on a slow phone, its jumps (not in a quick run) | |
//!
//! Machines are noisy and ratios last: only ratios are judged, and `--quick` (for CI) judges none at all, it only
//! proves that everything here still runs.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::as_conversions, reason = "figures for people, where a rounded float is what is wanted")]

mod backup;
mod bare;
mod chat;
mod client;
mod copies;
mod growth;
mod masses;
mod memory;
mod pages;
mod reads;
mod start;
mod upgrades;
mod uploads;
mod webhooks;
mod writer;

use std::process::ExitCode;

use tests::{Backend, TestServer};

/// How much is done in one run.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Seconds of each load.
    pub seconds: u64,
    /// Sessions that talk as fast as they are acknowledged.
    pub busy_sessions: usize,
    /// Sessions that talk at a steady rate, and messages a second over all of them.
    pub steady_sessions: usize,
    /// Messages a second over all steady sessions.
    pub steady_rate: u64,
    /// Sockets that only sit there.
    pub idle_sockets: usize,
    /// Webhooks that come as fast as they are answered.
    pub webhooks: usize,
    /// Webhooks a second at the steady rate.
    pub webhook_rate: u64,
    /// Sockets at once, two for each session.
    pub masses: usize,
    /// Chats that become video.
    pub upgrades: usize,
    /// Lines of a long log.
    pub growth: usize,
    /// Sockets of one session.
    pub tabs: usize,
    /// Large files that are sent one after the other.
    pub uploads: usize,
    /// MiB of the database that is backed up.
    pub backup_megabytes: u64,
}

const FULL: Scale = Scale {
    seconds: 10,
    busy_sessions: 50,
    steady_sessions: 200,
    steady_rate: 1_000,
    idle_sockets: 4_000,
    webhooks: 4_000,
    webhook_rate: 500,
    masses: 10_000,
    upgrades: 300,
    growth: 50_000,
    tabs: 100,
    uploads: 10,
    backup_megabytes: 1_024,
};
const QUICK: Scale = Scale {
    seconds: 1,
    busy_sessions: 4,
    steady_sessions: 4,
    steady_rate: 50,
    idle_sockets: 50,
    webhooks: 20,
    webhook_rate: 10,
    masses: 40,
    upgrades: 3,
    growth: 500,
    tabs: 4,
    uploads: 2,
    backup_megabytes: 2,
};

/// One line of the table.
pub struct Line {
    /// What was measured.
    pub what: &'static str,
    /// The figure.
    pub measured: String,
    /// The limit it stands beside.
    pub beside: String,
    /// What the two come to.
    pub ratio: String,
    /// What they should come to.
    pub goal: &'static str,
    /// Whether they do.
    pub met: bool,
}

impl Line {
    /// The line of something that only a browser can measure, where there is none.
    pub fn without_browser(what: &'static str, goal: &'static str) -> Self {
        let measured = "not measured: there is no browser".to_owned();
        Self { what, measured, beside: String::new(), ratio: String::new(), goal, met: false }
    }
}

/// A server of its own on SQLite. One person here asks for more than any person does, so flood control is off.
pub async fn server() -> TestServer {
    let settings = [
        ("RUST_LOG", "warn"),
        ("PITLANE_LIMITS__PERSON_PER_SECOND", "0"),
        ("PITLANE_LIMITS__PERSON_SOCKETS", "0"),
    ];
    TestServer::spawn(Backend::Sqlite, &settings).await
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some("bare-socket") {
        bare::serve_sockets();
        return ExitCode::SUCCESS;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let only: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |part: &str| only.is_empty() || only.iter().any(|name| *name == part);
    let scale = if quick { QUICK } else { FULL };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut lines = Vec::new();
    if wanted("chat") {
        lines.extend(runtime.block_on(chat::measure(scale)));
    }
    if wanted("reads") {
        lines.push(runtime.block_on(reads::measure(scale)));
    }
    if wanted("memory") {
        lines.push(runtime.block_on(memory::measure(scale)));
    }
    if wanted("webhooks") {
        lines.extend(runtime.block_on(webhooks::measure(scale)));
    }
    if wanted("masses") {
        lines.extend(runtime.block_on(masses::measure(scale)));
    }
    if wanted("upgrades") {
        lines.extend(runtime.block_on(upgrades::measure(scale)));
        // Needs a browser, which a quick run does not install.
        if !quick {
            lines.push(upgrades::pictures());
        }
    }
    if wanted("growth") {
        lines.extend(runtime.block_on(growth::measure(scale)));
    }
    if wanted("backup") {
        lines.push(runtime.block_on(backup::measure(scale)));
    }
    if wanted("uploads") {
        lines.extend(runtime.block_on(uploads::measure(scale)));
    }
    if wanted("start") {
        lines.extend(runtime.block_on(start::measure()));
    }
    // Needs a browser, which a quick run does not install.
    if wanted("pages") && !quick {
        lines.extend(pages::measure());
    }
    println!("| what | measured | beside | ratio | goal | met |\n|---|---|---|---|---|---|");
    for line in &lines {
        let met = if line.met { "yes" } else { "no" };
        println!(
            "| {} | {} | {} | {} | {} | {met} |",
            line.what, line.measured, line.beside, line.ratio, line.goal
        );
    }
    if quick {
        println!("\nA quick run: the figures mean nothing.");
        return ExitCode::SUCCESS;
    }
    if lines.iter().all(|line| line.met) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The value below which that share of the sorted values lies.
pub fn percentile(sorted: &[u64], share: f64) -> u64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(((last as f64) * share).round() as usize).copied().unwrap_or(0)
}
