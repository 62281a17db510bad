//! The commands of the binary. Each ends with a status: 0 when all is well, 1 when not, 2 for a command line that
//! can't be understood. What is wrong is said in plain lines on the error stream.

mod backup;
mod doctor;
mod gentle;
mod place;
mod serve;
mod show;
mod uploads;
mod user;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use store::Db;

use crate::config::{Environment, Settings};

/// Live help from car mechanics.
#[derive(Debug, Parser)]
#[command(name = "pitlane", version, about, arg_required_else_help = true)]
struct Arguments {
    /// The configuration file; without this, config/pitlane.toml where there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum Command {
    /// Runs the server, bringing the database up to date first.
    Serve,
    /// Brings the database to this version's schema.
    Migrate,
    /// Adds the demo accounts that are missing (development only).
    Seed,
    /// Checks that everything that must always hold does hold in the database.
    Doctor,
    /// Writes the database, the uploads and a manifest of both into one file, while the server works.
    Backup {
        /// The file to make.
        file: PathBuf,
    },
    /// Puts a backup in the place of the database and the uploads. The server must be stopped.
    Restore {
        /// A file that `pitlane backup` made.
        file: PathBuf,
        /// Puts it in the place of a database that is there.
        #[arg(long)]
        force: bool,
    },
    /// Accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Prints the effective configuration, secrets masked.
    Config,
    /// Prints the OpenAPI description of the API.
    Openapi,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum UserCommand {
    /// Makes an account in any role, such as the first admin.
    Create(user::NewAccount),
    /// Turns off the authenticator app of somebody who lost their phone and their recovery codes.
    ResetSecondFactor {
        /// The address of the account.
        email: String,
    },
    /// Erases the account of somebody who asks for it and can't sign in, as they could themself.
    Erase {
        /// The address of the account.
        email: String,
    },
    /// Writes everything that is kept of somebody who can't sign in into a new file.
    Export {
        /// The address of the account.
        email: String,
        /// The file to make: a JSON document, or with a name that ends in .zip a ZIP that holds their uploads as well.
        file: PathBuf,
    },
}

/// What a command ends with: a message for the person at the terminal when it failed.
type Outcome = Result<(), String>;

/// Runs the command of this process.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let done = match arguments.command {
        Command::Openapi => show::openapi(),
        Command::Config => show::config(arguments.config.as_deref()),
        command @ (Command::Serve
        | Command::Migrate
        | Command::Seed
        | Command::Doctor
        | Command::Backup { .. }
        | Command::Restore { .. }
        | Command::User(_)) => Settings::of_process(arguments.config.as_deref())
            .map_err(|problems| configuration(&problems))
            .and_then(|settings| with_settings(command, settings)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nobody is left to be told when the error stream is gone too.
            let _ = writeln!(std::io::stderr(), "pitlane: {message}");
            ExitCode::FAILURE
        }
    }
}

fn with_settings(command: Command, settings: Settings) -> Outcome {
    log(&command, &settings);
    place::check(&command, &settings)?;
    match command {
        Command::Serve => block_on(serve::serve(settings)),
        Command::Migrate => migrate(&settings),
        Command::Seed => block_on(serve::seed(settings)),
        Command::Doctor => block_on(doctor::examine(settings)),
        Command::Backup { file } => backup::backup(&settings, &file),
        Command::Restore { file, force } => {
            backup::restore(&settings, &file, force)?;
            block_on(doctor::examine(settings))
        }
        Command::User(UserCommand::Create(wanted)) => block_on(user::create(settings, wanted)),
        Command::User(UserCommand::ResetSecondFactor { email }) => {
            block_on(user::reset_second_factor(settings, email))
        }
        Command::User(UserCommand::Erase { email }) => block_on(user::erase(settings, email)),
        Command::User(UserCommand::Export { email, file }) => block_on(user::export(settings, email, file)),
        Command::Config | Command::Openapi => Ok(()),
    }
}

fn migrate(settings: &Settings) -> Outcome {
    let ran = Db::migrate(&settings.database.store).map_err(|error| one_line(&error))?;
    let place = settings.database.store.place();
    for migration in &ran {
        say(&format!("migrated {migration}"))?;
    }
    say(&match ran.len() {
        0 => format!("{place} is up to date"),
        count => format!("{place}: {count} migrations ran"),
    })
}

fn block_on(work: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| format!("the system gives no threads: {error}"))?.block_on(work)
}

/// What is wrong with a configuration, one line for each.
fn configuration(problems: &crate::config::Problems) -> String {
    match problems.0.as_slice() {
        [only] => format!("configuration: {only}"),
        all => all.iter().fold("the configuration has several mistakes:".to_owned(), |text, problem| {
            format!("{text}\n  {problem}")
        }),
    }
}

/// What is wrong, on one line. PostgreSQL's client library explains itself on several.
fn one_line(error: &impl std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Writes a line for the person at the terminal.
fn say(line: &str) -> Outcome {
    match writeln!(std::io::stdout(), "{line}") {
        // `pitlane config | head` has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|error| format!("the output can't be written: {error}")),
    }
}

// The log goes to the error stream, so that what a command prints can be piped. RUST_LOG overrides the levels.
fn log(command: &Command, settings: &Settings) {
    let levels = match command {
        // What its dispatcher calls errors is what clients send: any scanner would fill the log.
        Command::Serve => {
            "info,actix_server=warn,actix_http=warn,actix_http::h1::dispatcher=off,object_store=warn"
        }
        Command::Migrate
        | Command::Seed
        | Command::Doctor
        | Command::Backup { .. }
        | Command::Restore { .. }
        | Command::User(_)
        | Command::Config
        | Command::Openapi => "warn",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(levels));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let set = match settings.server.environment {
        Environment::Production => builder.json().flatten_event(true).try_init(),
        Environment::Development => builder.compact().with_target(false).try_init(),
    };
    // Only a second call in one process fails, and then a log is there.
    drop(set);
}
