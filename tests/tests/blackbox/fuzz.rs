//! Schemathesis reads the OpenAPI description and sends what follows from it, right and wrong, as everybody: no answer is
//! a server error, and none is one that the description doesn't tell of.
//!
//! The same inputs are sent in each run. `PITLANE_FUZZ_EXAMPLES` makes it longer, and `PITLANE_FUZZ_SEED` makes it another
//! one, for a night.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::document::Document;
use tests::server::{printed, root, run_with};
use tests::{Backend, Meeting, Person, TestServer};

use super::applications::workshop;

/// Inputs for each operation, beside those that each keyword of its schemas gives.
const EXAMPLES: &str = "4";
const SEED: &str = "20261126";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,negative_data_rejection,\
                      unsupported_method,allow_header_conformance";

/// What stands at the end of an operation's description, which says for whom it is.
const EVERYBODY: [&str; 2] = ["For everybody.", "For callers that sign their requests."];
const CUSTOMERS: [&str; 2] = ["For customers.", "For every signed-in person."];
const MECHANICS: [&str; 3] = ["For mechanics.", "For approved mechanics.", "For every signed-in person."];
const WORKSHOPS: [&str; 2] = ["For those who run a workshop.", "For every signed-in person."];
const ADMINS: [&str; 1] = ["For admins."];

/// Who sends something.
struct Sender {
    name: &'static str,
    /// For whom the operations are that it is sent to.
    what: &'static [&'static str],
    /// The header that says who it is.
    header: Option<String>,
}

impl Sender {
    /// A program with an API token of this person.
    async fn with_token(name: &'static str, what: &'static [&'static str], person: &Person) -> Self {
        let made = person.client.post("/api/me/tokens", json!({ "name": "fuzz" })).await.expect_status(201);
        Self { name, what, header: Some(format!("Authorization:Bearer {}", made.text_at("token"))) }
    }
}

#[test]
fn whatever_is_sent_is_answered_as_described_on_sqlite() {
    on(Backend::Sqlite);
}

#[test]
fn whatever_is_sent_is_answered_as_described_on_postgres() {
    on(Backend::Postgres);
}

fn on(backend: Backend) {
    let Some(program) = std::env::var_os("PITLANE_TEST_SCHEMATHESIS").map(PathBuf::from) else {
        eprintln!("skipped: PITLANE_TEST_SCHEMATHESIS is not set; `cargo xtask test` installs it");
        return;
    };
    // Flood control has a test of its own; here its 429 would hide everything else.
    let unlimited = [("PITLANE_LIMITS__PERSON_PER_SECOND", "0"), ("PITLANE_LIMITS__ADDRESS_PER_SECOND", "0")];
    run_with(backend, &unlimited, async |server| {
        let meeting = server.meeting().await;
        let waiting = server.customer().await.paid_session("chat10").await;
        let (admin, owner) = (server.admin().await, workshop(server, "Northside Motors").await);
        // A browser's sign-in may do what no token may.
        let browser = server.customer().await.client.cookie().map(|cookie| format!("Cookie:{cookie}"));
        let senders = [
            Sender { name: "nobody", what: &EVERYBODY, header: None },
            Sender { name: "browser", what: &CUSTOMERS, header: browser },
            Sender::with_token("customer", &CUSTOMERS, &meeting.customer).await,
            Sender::with_token("mechanic", &MECHANICS, &meeting.mechanic).await,
            Sender::with_token("workshop", &WORKSHOPS, &owner).await,
            Sender::with_token("admin", &ADMINS, &admin).await,
        ];
        // All at once, and each one's output is read while it runs: a full pipe would stop it.
        let running: Vec<_> = senders
            .into_iter()
            .map(|Sender { name, what, header }| {
                let description = server.folder().join(format!("{name}.json"));
                fs::write(&description, of(what, &meeting, &waiting).to_string()).expect("a file");
                let mut command = fuzz(&program, server, &description, header.as_deref());
                let child = command.spawn().expect("the fuzzer starts");
                (name, std::thread::spawn(move || child.wait_with_output().expect("it ends")))
            })
            .collect();
        for (name, thread) in running {
            let output = thread.join().expect("nobody panicked");
            assert!(output.status.success(), "as {name}:\n{}", printed(&output));
            let told = printed(&output);
            assert!(told.contains("generated"), "as {name}, nothing was sent:\n{told}");
        }
    });
}

fn fuzz(program: &Path, server: &TestServer, description: &Path, header: Option<&str>) -> Command {
    let from = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let mut command = Command::new(program);
    command
        .arg("--config-file")
        .arg(root().join("tests/python/schemathesis.toml"))
        .args(["run", "--no-color", "--phases", "examples,coverage,fuzzing", "--checks", CHECKS])
        .args(["--url", &server.url(), "--workers", "1", "--continue-on-failure", "--request-timeout", "30"])
        .args(["--max-redirects", "0"])
        .args(["--max-examples", &from("PITLANE_FUZZ_EXAMPLES", EXAMPLES)])
        .args(["--seed", &from("PITLANE_FUZZ_SEED", SEED), "--generation-deterministic"])
        .args(["--warnings", "off", "--suppress-health-check", "all"])
        // What stands in for the outside world, and the one operation that isn't HTTP.
        .args(["--exclude-tag", "Development", "--exclude-path", "/ws"])
        // Who has left can't go on asking.
        .args(["--exclude-name", "DELETE /api/me"]);
    if let Some(header) = header {
        command.args(["--header", header]);
    }
    command
        .arg(description)
        .current_dir(server.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The operations for those people, with ids that exist among those that are sent: what is behind a 404 would never be
/// reached.
fn of(what: &[&str], meeting: &Meeting, waiting: &str) -> Value {
    let mut document = Document::of_binary().json.clone();
    let nobody = "01900000-0000-7000-8000-000000000001";
    let paths = document["paths"].as_object_mut().expect("paths");
    for (path, methods) in paths.iter_mut() {
        let methods = methods.as_object_mut().expect("methods");
        methods.retain(|_, operation| {
            let said = operation["description"].as_str().unwrap_or_default();
            what.iter().any(|whom| said.ends_with(whom))
        });
        let ids = if path.contains("sessions/{id}") || path.starts_with("/chat/") {
            json!([meeting.session, waiting, nobody])
        } else if path.contains("mechanics/{id}") {
            json!([meeting.mechanic.id, nobody])
        } else {
            continue;
        };
        for operation in methods.values_mut() {
            let parameters = operation["parameters"].as_array_mut().into_iter().flatten();
            for parameter in parameters.filter(|parameter| parameter["name"] == "id") {
                parameter["schema"]["enum"] = ids.clone();
            }
        }
    }
    paths.retain(|_, methods| methods.as_object().is_some_and(|methods| !methods.is_empty()));
    document
}
