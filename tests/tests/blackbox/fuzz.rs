//! Schemathesis reads the OpenAPI description and sends what follows from it, right and wrong, as everybody: no answer is
//! a server error, and none is one that the description doesn't tell of.
//!
//! The same inputs are sent in each run. `PITLANE_FUZZ_EXAMPLES` makes it longer, and `PITLANE_FUZZ_SEED` makes it another
//! one, for a night.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::document::Document;
use tests::money::GOOD_CARD;
use tests::server::{printed, root, run_with};
use tests::{Answer, Backend, Meeting, Person, TestServer, until};

use super::applications::{sent, workshop};
use super::files::photo;
use super::jobs::GIVE_UP;

/// Inputs for each operation, beside those that each keyword of its schemas gives.
const EXAMPLES: &str = "4";
const SEED: u64 = 20_261_126;
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,negative_data_rejection,\
                      unsupported_method,allow_header_conformance";

/// What stands at the end of an operation's description, which says for whom it is.
const EVERYBODY: [&str; 2] = ["For everybody.", "For callers that sign their requests."];
const CUSTOMERS: [&str; 2] = ["For customers.", "For every signed-in person."];
const MECHANICS: [&str; 3] = ["For mechanics.", "For approved mechanics.", "For every signed-in person."];
const WORKSHOPS: [&str; 2] = ["For those who run a workshop.", "For every signed-in person."];
const STAFF: [&str; 1] = ["For support and admins."];
const ADMINS: [&str; 2] = ["For admins.", "For support and admins."];

/// An id that nothing has.
const NOBODY: &str = "01900000-0000-7000-8000-000000000001";

/// Ids that exist, so that what is behind a 404 is reached: a part of a path, or a field of a body, and what may stand
/// there.
#[derive(Default)]
struct Known {
    paths: Vec<(&'static str, Vec<String>)>,
    fields: Vec<(&'static str, Vec<String>)>,
}

impl Known {
    fn path(mut self, part: &'static str, ids: Vec<String>) -> Self {
        self.paths.push((part, ids));
        self
    }

    fn field(mut self, name: &'static str, ids: Vec<String>) -> Self {
        self.fields.push((name, ids));
        self
    }

    /// Sessions, wherever they are named.
    fn sessions(self, ids: &[&String]) -> Self {
        let ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        self.path("sessions/{id}", ids.clone())
            .path("session/{id}", ids.clone())
            .path("chat/{id}", ids.clone())
            .field("session_id", ids)
    }
}

/// Who sends something.
struct Sender {
    name: &'static str,
    /// For whom the operations are that it is sent to.
    what: &'static [&'static str],
    /// The header that says who it is.
    header: Option<String>,
    known: Known,
    /// Added to the seed, so that two who may do the same send different things.
    other_seed: u64,
}

impl Sender {
    /// A program with an API token of this person.
    async fn with_token(
        name: &'static str,
        what: &'static [&'static str],
        person: &Person,
        known: Known,
    ) -> Self {
        let header = Some(format!("Authorization:Bearer {}", token(person).await.text_at("token")));
        Self { name, what, header, known, other_seed: 0 }
    }
}

async fn token(person: &Person) -> Answer {
    person.client.post("/api/me/tokens", json!({ "name": "fuzz" })).await.expect_status(201)
}

/// The ids of a list.
async fn ids(person: &Person, list: &str) -> Vec<String> {
    let answer = person.client.get(list).await.expect_status(200);
    let items = answer.body["items"].as_array().unwrap_or_else(|| panic!("{list} is no list: {answer:?}"));
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

/// People and things, of which each sender knows its own.
async fn senders(server: &TestServer) -> Vec<Sender> {
    let Meeting { customer, mechanic, session } = server.meeting().await;
    let second = server.meeting().await;
    let waiting = server.customer().await.paid_session("chat10").await;
    let checkout = customer.checkout("chat10").await;
    customer.pay_and_keep(&checkout, GOOD_CARD).await.expect_status(303);
    let unstarted = customer.session_of(&checkout).await;
    let sessions = [&session, &unstarted, &waiting];
    let file = photo(&customer.client).await;
    customer
        .client
        .post(
            &format!("/api/sessions/{session}/messages"),
            json!({ "client_ref": "photo", "text": "", "file_ids": [file] }),
        )
        .await;
    let loose = photo(&customer.client).await;
    let car = json!({ "year": 2012, "make": "Toyota", "model": "Corolla" });
    let car = customer.client.post("/api/me/vehicles", car).await.expect_status(201).text_at("id");
    let elsewhere = server.sign_in(&customer.email, tests::people::PASSWORD).await;
    let of_customer = Known::default()
        .sessions(&sessions)
        .path("files/{id}", vec![file.clone(), loose.clone()])
        .path("orders/{id}", vec![checkout.order_id.clone()])
        .path("vehicles/{id}", vec![car])
        .path("cards/{id}", ids(&customer, "/api/me/cards").await)
        .path("tokens/{id}", vec![token(&customer).await.text_at("id")])
        .path("sign-ins/{id}", ids(&elsewhere, "/api/me/sign-ins").await)
        .field("intake_id", vec![customer.intake("chat10").await.text_at("intake_id")])
        .field("preferred_mechanic_id", vec![mechanic.id.clone()])
        .field("file_ids", vec![loose]);
    let of_mechanic = Known::default()
        .sessions(&sessions)
        .path("requests/{id}", ids(&mechanic, "/api/requests").await)
        .path("files/{id}", vec![file.clone()])
        .field("photo_file_ids", vec![file]);

    let admin = server.admin().await;
    let owner = workshop(server, "Northside Motors").await;
    let invited = json!({ "email": "newcomer@example.com" });
    owner.client.post("/api/workshops/me/invitations", invited).await.expect_status(201);
    let team = owner.client.get("/api/workshops/me").await.expect_status(200);
    let of_owner = Known::default().path("invitations/{id}", vec![team.text_at("/invitations/0/id")]);

    // Whom an admin closes or refuses is nobody who sends something.
    let (spare, other) = (server.customer().await, server.mechanic().await);
    let mut applications = Vec::new();
    for _ in 0..3 {
        let person = server.register("mechanic", "Sam Okafor").await;
        let form = sent(&person).await;
        applications
            .push(person.client.post("/api/mechanics/apply", form).await.expect_status(201).text_at("id"));
    }
    until("a mail is sent", async || {
        (server.database().count("jobs", "kind = 'mail' AND status = 'done'") > 0).then_some(())
    })
    .await;
    server.database().execute(GIVE_UP).expect("jobs are dead");
    let of_admin = Known::default()
        .sessions(&sessions)
        .path("applications/{id}", applications)
        .path("users/{id}", vec![spare.id.clone(), other.id.clone()])
        .path("mechanics/{id}", vec![other.id.clone()])
        .path("jobs/{id}", ids(&admin, "/api/admin/jobs?status=dead").await)
        .path("orders/{id}", vec![checkout.order_id])
        .field("mechanic_id", vec![mechanic.id.clone(), other.id]);

    let of_support = Known::default()
        .sessions(&sessions)
        .path("users/{id}", vec![spare.id.clone()])
        .path("jobs/{id}", ids(&admin, "/api/admin/jobs?status=dead").await);

    // A browser's sign-in may do what no token may.
    let cookie = |person: &Person| person.client.cookie().map(|cookie| format!("Cookie:{cookie}"));
    let browser = cookie(&server.customer().await);
    let bench = cookie(&second.mechanic);
    vec![
        Sender { name: "nobody", what: &EVERYBODY, header: None, known: Known::default(), other_seed: 0 },
        Sender {
            name: "browser",
            what: &CUSTOMERS,
            header: browser,
            known: Known::default().sessions(&sessions),
            other_seed: 0,
        },
        Sender {
            name: "mechanic_browser",
            what: &MECHANICS,
            header: bench,
            known: Known::default().sessions(&[&second.session]),
            other_seed: 1,
        },
        Sender::with_token("customer", &CUSTOMERS, &customer, of_customer).await,
        Sender::with_token("mechanic", &MECHANICS, &mechanic, of_mechanic).await,
        Sender::with_token("workshop", &WORKSHOPS, &owner, of_owner).await,
        Sender::with_token("support", &STAFF, &server.demo("support").await, of_support).await,
        Sender::with_token("admin", &ADMINS, &admin, of_admin).await,
    ]
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
        let senders = senders(server).await;
        // All at once, and each one's output is read while it runs: a full pipe would stop it.
        let running: Vec<_> = senders
            .into_iter()
            .map(|Sender { name, what, header, known, other_seed }| {
                let description = server.folder().join(format!("{name}.json"));
                let mut document = of(what, &known);
                if header.as_ref().is_some_and(|header| header.starts_with("Cookie:")) {
                    forget_sign_in(&mut document);
                }
                fs::write(&description, document.to_string()).expect("a file");
                let mut command = fuzz(&program, server, &description, header.as_deref(), other_seed);
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

fn fuzz(
    program: &Path,
    server: &TestServer,
    description: &Path,
    header: Option<&str>,
    other_seed: u64,
) -> Command {
    let from = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let seed = std::env::var("PITLANE_FUZZ_SEED").map_or(SEED, |seed| seed.parse().expect("a whole number"));
    let mut command = Command::new(program);
    command
        .arg("--config-file")
        .arg(root().join("tests/python/schemathesis.toml"))
        .args(["run", "--no-color", "--phases", "examples,coverage,fuzzing", "--checks", CHECKS])
        .args(["--url", &server.url(), "--workers", "1", "--continue-on-failure", "--request-timeout", "30"])
        .args(["--max-redirects", "0"])
        .args(["--max-examples", &from("PITLANE_FUZZ_EXAMPLES", EXAMPLES)])
        .args(["--seed", &(seed + other_seed).to_string(), "--generation-deterministic"])
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
fn of(what: &[&str], known: &Known) -> Value {
    let mut document = Document::of_binary().json.clone();
    let paths = document["paths"].as_object_mut().expect("paths");
    let mut bodies = BTreeSet::new();
    for (path, methods) in paths.iter_mut() {
        let methods = methods.as_object_mut().expect("methods");
        methods.retain(|_, operation| {
            let said = operation["description"].as_str().unwrap_or_default();
            what.iter().any(|whom| said.ends_with(whom))
        });
        let ids = known.paths.iter().find(|(part, _)| path.contains(part)).map(|(_, ids)| with_nobody(ids));
        for operation in methods.values_mut() {
            let contents = operation["requestBody"]["content"].as_object().into_iter().flatten();
            bodies.extend(
                contents.filter_map(|(_, content)| content["schema"]["$ref"].as_str().map(str::to_owned)),
            );
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten().filter(|parameter| parameter["name"] == "id") {
                if let Some(ids) = &ids {
                    parameter["schema"]["enum"] = ids.clone();
                }
            }
        }
    }
    paths.retain(|_, methods| methods.as_object().is_some_and(|methods| !methods.is_empty()));
    for body in bodies {
        let Some(schema) = document.pointer_mut(body.trim_start_matches('#')) else { continue };
        for (field, ids) in &known.fields {
            let place = schema.pointer_mut(&format!("/properties/{field}"));
            let Some(place) = place else { continue };
            // The ids themselves, or those of a list.
            let place = if place.get("items").is_some() { &mut place["items"] } else { place };
            place["enum"] = with_nobody(ids);
        }
    }
    document
}

/// The cookie goes with each request, so the fuzzer must not believe that it left it out.
fn forget_sign_in(document: &mut Value) {
    let paths = document["paths"].as_object_mut().expect("paths");
    for operation in
        paths.values_mut().filter_map(Value::as_object_mut).flat_map(|methods| methods.values_mut())
    {
        if let Some(operation) = operation.as_object_mut() {
            operation.remove("security");
        }
    }
}

fn with_nobody(ids: &[String]) -> Value {
    json!(ids.iter().map(String::as_str).chain([NOBODY]).collect::<Vec<_>>())
}
