//! The server itself: health, errors, and a database or a configuration that is not as it should be.

use std::fs::{self, File};
use std::io::Read;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tests::server::{printed, run_with};
use tests::{Answer, Backend, TestServer, on_both, until};

on_both! {
    async fn a_started_server_is_healthy(server) {
        server.guest().get("/healthz").await.expect_status(200);
    }

    async fn a_started_server_is_ready_and_says_what_it_looked_at(server) {
        let ready = server.guest().get("/readyz").await.expect_status(200);
        assert_eq!(ready.body["status"], "ready");
        for check in ["database", "jobs", "bus", "disk"] {
            assert_eq!(ready.body["checks"][check]["ok"], true, "{check}: {}", ready.body);
        }
    }

    async fn metrics_are_for_scrapers_on_this_machine_and_hold_no_ids(server) {
        let dana = server.demo("customer").await;
        dana.client.get(&format!("/api/sessions/{}", uuid::Uuid::nil())).await.refused(404, "not_found");
        let text = server.guest().get("/metrics").await.expect_status(200).text;
        for part in [
            "pitlane_http_requests_total{method=\"GET\",route=\"/api/sessions/{id}\",status=\"404\"} 1",
            "pitlane_jobs_dead 0",
            "pitlane_sockets 0",
            "pitlane_database_up 1",
            "pitlane_disk_free_bytes",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        assert!(!text.contains(&uuid::Uuid::nil().to_string()));
        let proxied = server.guest().with_header("x-forwarded-for", "203.0.113.7");
        proxied.get("/metrics").await.refused(404, "not_found");
    }

    async fn an_operator_makes_the_first_admin_beside_the_server(server) {
        let create = |more: &[&str]| {
            let fixed = ["user", "create", "--role", "admin", "--email"];
            server.pitlane(&[&fixed, more].concat())
        };
        let made = create(&["op@example.com", "--password", "a long enough password 7"]);
        assert!(made.status.success(), "{}", printed(&made));
        let op = server.sign_in("op@example.com", "a long enough password 7").await;
        op.client.get("/api/admin/audit").await.expect_status(200);
        let again = create(&["op@example.com", "--password", "a long enough password 7"]);
        assert!(!again.status.success() && printed(&again).contains("--email"), "{}", printed(&again));
        let short = create(&["op2@example.com", "--password", "short"]);
        assert!(!short.status.success() && printed(&short).contains("--password"), "{}", printed(&short));
        let fresh = printed(&create(&["op3@example.com"]));
        let (_, password) = fresh.split_once("The password is ").expect("a password");
        server.sign_in("op3@example.com", password.split(';').next().expect("a password")).await;
        let nobody = server.pitlane(&["user", "create", "--role", "king", "--email", "k@example.com"]);
        assert!(!nobody.status.success() && printed(&nobody).contains("admin"), "{}", printed(&nobody));
    }

    async fn links_that_let_somebody_in_stay_out_of_the_log(server) {
        let dana = server.register("customer", "Dana Driver").await;
        let token = server.mailed_token(&dana.email, "verification", "/auth/verify/").await;
        server.guest().get(&format!("/auth/verify/{token}")).await.expect_status(200);
        let log = server.log();
        assert!(log.contains("/auth/verify/{token}") && !log.contains(&token), "{log}");
    }

    async fn an_unknown_address_is_a_problem_in_the_contracts_shape(server) {
        server.guest().get("/api/nothing-here").await.refused(404, "not_found");
        let page = server.guest().get("/nothing-here").await.expect_status(404);
        assert!(page.text.contains("<html"), "a person gets a page: {page:?}");
        server.guest().post_nothing("/api/plans").await.refused(405, "method_not_allowed");
    }

    async fn monitors_and_previews_may_ask_with_head(server) {
        for path in ["/", "/start", "/healthz", "/readyz", "/terms", "/api/plans", "/static/css/tokens.css"] {
            let asked = server.guest().send(reqwest::Method::HEAD, path, None).await.expect_status(200);
            let got = server.guest().get(path).await.expect_status(200);
            assert_eq!((asked.text.as_str(), asked.headers.get("content-type")), ("", got.headers.get("content-type")));
        }
        let refused = server.guest().send(reqwest::Method::HEAD, "/api/checkout?plan=chat10", None).await;
        assert_eq!(refused.status, 405, "it would order something: {refused:?}");
    }

    async fn what_is_the_same_for_everybody_travels_as_small_as_it_can(server) {
        let http = reqwest::Client::new();
        for (path, percent) in [("/static/css/components.css", 30), ("/api/docs", 8), ("/static/img/icons.svg", 50)] {
            let asked = http.get(format!("{}{path}", server.url()));
            let plain = asked.try_clone().expect("a copy").send().await.expect("an answer");
            let packed = asked.header("accept-encoding", "gzip, br").send().await.expect("an answer");
            let (plain_tag, packed_tag) = (plain.headers().get("etag").cloned(), packed.headers().get("etag").cloned());
            assert_eq!((plain.headers().get("content-encoding"), &packed.headers()["content-encoding"]), (None, &"gzip".parse().expect("text")));
            assert_eq!((&plain.headers()["vary"], &packed.headers()["vary"]), (&"accept-encoding".parse().expect("text"), &"accept-encoding".parse().expect("text")));
            let (plain, packed) = (plain.bytes().await.expect("a body"), packed.bytes().await.expect("a body"));
            assert!(packed.len() * 100 < plain.len() * percent, "{path}: {} of {}", packed.len(), plain.len());
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).expect("gzip");
            // The description's page tells the time.
            assert_eq!(unpacked.len(), plain.len(), "{path}");
            let Some((plain_tag, packed_tag)) = plain_tag.zip(packed_tag) else { continue };
            assert_ne!(plain_tag, packed_tag, "{path}");
            for (tag, status) in [(packed_tag, 304), (plain_tag, 200)] {
                let asked = http.get(format!("{}{path}", server.url())).header("accept-encoding", "gzip").header("if-none-match", tag);
                assert_eq!(asked.send().await.expect("an answer").status(), status, "{path}");
            }
        }
    }

    async fn every_page_has_a_strict_policy(server) {
        for path in ["/", "/start", "/nothing-here"] {
            let page = server.guest().get(path).await;
            let policy = page.headers["content-security-policy"].to_str().expect("text").to_owned();
            assert!(!policy.contains("unsafe-inline") && policy.contains("default-src 'none'"), "{path}: {policy}");
            assert!(!page.text.contains("style=\"") && !page.text.contains("onclick="), "{path}");
        }
    }

    async fn the_demo_data_is_there_once_however_often_it_is_asked_for(server) {
        let before = server.database().count("users", "1 = 1");
        let again = server.pitlane(&["seed"]);
        assert!(again.status.success(), "{}", printed(&again));
        assert_eq!(server.database().count("users", "1 = 1"), before);
        for name in ["customer", "customer2", "mechanic", "mechanic2", "admin"] {
            server.demo(name).await;
        }
    }

    async fn the_commands_work_beside_the_server(server) {
        for command in ["migrate", "doctor"] {
            let output = server.pitlane(&[command]);
            assert!(output.status.success(), "{command}: {}", printed(&output));
        }
    }

    async fn a_burst_of_a_hundred_requests_of_one_person_passes(server) {
        let dana = server.demo("customer").await;
        let answers = futures_util::future::join_all((0..100).map(|_| dana.client.get("/api/me"))).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    }
}

async fn asked(server: &TestServer, method: Method, path: &str, body: Option<Value>) -> Answer {
    let guest = server.guest();
    let mut request = guest.request(method, path);
    if let Some(body) = body {
        request = request.json(&body);
    }
    guest.attempt(path.to_owned(), request).await
}

/// What `/readyz` says once it has this status.
async fn readiness(server: &TestServer, status: u16) -> Value {
    until("the server to say whether it is ready", async || {
        let answer = asked(server, Method::GET, "/readyz", None).await;
        (answer.status == status).then_some(answer.body)
    })
    .await
}

#[test]
fn a_database_whose_file_was_cut_off_is_not_ready() {
    run_with(Backend::Sqlite, &[], async |server| {
        server.stop();
        let (data, kept) = (server.data(), server.folder().join("kept"));
        fs::create_dir(&kept).expect("a folder");
        let copy = |from: &std::path::Path, to: &std::path::Path| {
            for name in ["pitlane.db", "pitlane.db-wal"] {
                if from.join(name).exists() {
                    fs::copy(from.join(name), to.join(name)).expect("a copy");
                }
            }
        };
        copy(&data, &kept);
        server.start().await;
        let file = File::options().write(true).open(data.join("pitlane.db")).expect("the database's file");
        file.set_len(0).expect("it is cut off");
        let ready = readiness(server, 503).await;
        assert_eq!(
            (&ready["status"], &ready["checks"]["database"]["ok"]),
            (&json!("not_ready"), &json!(false))
        );
        server.kill9();
        for name in ["pitlane.db", "pitlane.db-wal", "pitlane.db-shm"] {
            // The log and its index may be gone already.
            let _ = fs::remove_file(data.join(name));
        }
        copy(&kept, &data);
        server.start().await;
        readiness(server, 200).await;
    });
}

#[test]
fn a_database_that_refuses_to_write_is_not_ready_and_says_so_to_everybody() {
    run_with(Backend::Postgres, &[], async |server| {
        server.database().keep_from_writing(true);
        let ready = readiness(server, 503).await;
        assert_eq!(ready["checks"]["database"]["ok"], false, "{ready}");
        let typed = json!({ "email": "customer@example.com", "password": "x" });
        let answer = asked(server, Method::POST, "/api/auth/login", Some(typed)).await;
        answer.refused(503, "unavailable");
        server.database().keep_from_writing(false);
        readiness(server, 200).await;
    });
}

#[test]
fn the_figures_of_the_process_are_told_without_the_database() {
    run_with(Backend::Postgres, &[], async |server| {
        server.guest().get("/api/plans").await.expect_status(200);
        server.database().plug(false);
        let begun = Instant::now();
        let text = server.guest().get("/metrics").await.expect_status(200).text;
        assert!(text.contains("pitlane_database_up 0") && text.contains("route=\"/api/plans\""), "{text}");
        assert!(!text.contains("pitlane_jobs"), "{text}");
        let ready = readiness(server, 503).await;
        assert_eq!(
            (&ready["checks"]["database"]["ok"], &ready["checks"]["jobs"]["ok"]),
            (&json!(false), &json!(false))
        );
        assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
        server.database().plug(true);
        readiness(server, 200).await;
    });
}

/// What is changed, how, and what the refusal then names.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn what_can_not_start_says_why() {
    run_with(Backend::Sqlite, &[], async |server| {
        let garbage = server.folder().join("garbage.db");
        fs::write(&garbage, "this is not a database, and it is long enough to be looked at").expect("a file");
        let garbage = format!("sqlite://{}", garbage.display());
        let folder = format!("sqlite://{}", server.data().display());
        let secret = "s".repeat(64);
        let cases: &[Case<'_>] = &[
            ("a second server on one file", &[], "pitlane.db"),
            ("a mistyped scheme", &[("DATABASE_URL", "postgress://localhost/x")], "DATABASE_URL"),
            ("a path without a scheme", &[("DATABASE_URL", "pitlane.db")], "DATABASE_URL"),
            ("not a database", &[("DATABASE_URL", &garbage)], "garbage.db"),
            ("a folder", &[("DATABASE_URL", &folder)], "data"),
            ("nobody answers", &[("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")], "127.0.0.1"),
            ("an unknown key", &[("PITLANE_SERVER__COLOUR", "red")], "colour"),
            ("a bad value", &[("PITLANE_SERVER__WORKERS", "many")], "server.workers"),
            ("a bad environment", &[("PITLANE_SERVER__ENVIRONMENT", "moon")], "server.environment"),
            (
                "sandbox in production",
                &[("PITLANE_SERVER__ENVIRONMENT", "production"), ("PITLANE_AUTH__SECRET", &secret)],
                "payments.provider",
            ),
            (
                "all interfaces in development",
                &[
                    ("PITLANE_SERVER__BIND", "0.0.0.0:0"),
                    ("PITLANE_SERVER__PUBLIC_URL", "https://help.example.com"),
                ],
                "server.bind",
            ),
        ];
        for (name, changes, says) in cases {
            server.refuses_to_start(name, changes, says);
        }
        assert_eq!(fs::read_to_string(server.folder().join("garbage.db")).expect("the file").len(), 61);
    });
}

#[test]
fn outside_development_there_is_no_sandbox() {
    let secret = "s".repeat(64);
    let production = [
        ("PITLANE_SERVER__ENVIRONMENT", "production"),
        ("PITLANE_AUTH__SECRET", secret.as_str()),
        ("PITLANE_PAYMENTS__PROVIDER", "stripe"),
        ("STRIPE_SECRET_KEY", "sk_live_of_the_tests"),
    ];
    run_with(Backend::Sqlite, &production, async |server| {
        let guest = server.guest().described_elsewhere().with_header("authorization", "Bearer sk_test_x");
        for path in
            ["/v1/customers", "/v1/account", "/sandbox", "/sandbox/control", "/sandbox/static/sandbox.css"]
        {
            guest.get(path).await.expect_status(404);
        }
        for path in
            ["/v1/customers", "/sandbox/control", "/sandbox/outage", "/sandbox/disputes", "/sandbox/prices"]
        {
            guest.post(path, json!({})).await.expect_status(404);
        }
    });
}

#[test]
fn where_no_text_message_arrives_nobody_is_asked_for_a_telephone() {
    let secret = "s".repeat(64);
    let production = [
        ("PITLANE_SERVER__ENVIRONMENT", "production"),
        ("PITLANE_AUTH__SECRET", secret.as_str()),
        ("PITLANE_PAYMENTS__PROVIDER", "stripe"),
        ("STRIPE_SECRET_KEY", "sk_live_of_the_tests"),
    ];
    run_with(Backend::Sqlite, &production, async |server| {
        let max = server.register("mechanic", "Max Mechanic").await;
        let number = json!({ "phone": "+15550100199" });
        max.client.post("/api/me/phone", number).await.refused(409, "text_messages_unavailable");
        let page = max.client.get("/account").await.expect_status(200);
        assert!(!page.text.contains("Send me a code"), "{}", page.text);
    });
    run_with(Backend::Sqlite, &[], async |server| {
        let page = server.demo("customer").await.client.get("/account").await.expect_status(200);
        assert!(page.text.contains("Send me a code"), "{}", page.text);
    });
}

#[test]
fn a_postgres_that_is_not_as_named_says_why() {
    run_with(Backend::Postgres, &[], async |server| {
        let elsewhere = format!("{}_elsewhere", server.database().url());
        let stranger = server.database().url().replacen("//postgres@", "//stranger@", 1);
        assert_ne!(stranger, server.database().url());
        for (name, url, says) in [
            ("an unknown database", elsewhere.as_str(), "_elsewhere"),
            ("an unknown user", stranger.as_str(), "stranger"),
            ("nobody answers", "postgres://postgres@127.0.0.1:1/none", "127.0.0.1"),
            ("an unknown host", "postgres://postgres@nowhere.invalid/none", "nowhere.invalid"),
        ] {
            server.refuses_to_start(name, &[("DATABASE_URL", url)], says);
        }
    });
}

#[test]
fn a_schema_newer_than_the_binary_is_left_alone() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        run_with(backend, &[], async |server| {
            server.kill9();
            let statements = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')";
            server.database().execute(statements).expect("a migration from the future");
            server.refuses_to_start("a newer schema", &[], "newer");
            let migrate = server.pitlane(&["migrate"]);
            assert!(!migrate.status.success(), "{}", printed(&migrate));
            let statements = "DELETE FROM __diesel_schema_migrations WHERE version = '20990101000000'";
            server.database().execute(statements).expect("it is taken back");
            server.start().await;
        });
    }
}

#[test]
fn a_stopped_server_ends_by_itself_and_starts_again() {
    run_with(Backend::Sqlite, &[], async |server| {
        let session = server.demo("customer").await.paid_session("chat10").await;
        server.stop();
        server.start().await;
        let dana = server.demo("customer").await;
        assert_eq!(dana.session(&session).await["payment_status"], "paid");
    });
}

/// A root that has signed nothing here.
const STRANGER: &str = "-----BEGIN CERTIFICATE-----
MIIBhzCCAS2gAwIBAgIUG4lsEuVMXnI9VhK5V5UyicBMR0IwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNU29tZWJvZHkgZWxzZTAgFw0yNjExMzAxMTQ0NTNaGA8yMTI2
MTEwNjExNDQ1M1owGDEWMBQGA1UEAwwNU29tZWJvZHkgZWxzZTBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABAeGvr7QzbKMR54qDHsNxc41ZhVr4SKs4NO5GFEbc6PI
OMMryTYGRwmAi4I6YQbvDsmytjdSmigsy/ESvRQ4o1ijUzBRMB0GA1UdDgQWBBSX
qk31VjDkoQcUdj/7XwITE6BBLDAfBgNVHSMEGDAWgBSXqk31VjDkoQcUdj/7XwIT
E6BBLDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCICdIQ9xtVHeI
kyqt8eOYCRyWhwWyfUytRvRI7qePAjQoAiEArFbeK0+P0moyZg5Zf7HZ6YDV1V1Z
SP8KMX0frCpBqW4=
-----END CERTIFICATE-----
";

#[test]
fn postgres_is_believed_by_its_certificate_alone() {
    let Some(certificate) = std::env::var_os("PITLANE_TEST_POSTGRES_CERTIFICATE") else {
        eprintln!("skipped: PostgreSQL is not available; `cargo xtask test` starts it");
        return;
    };
    tests::server::run_with(tests::Backend::Postgres, &[], async |server| {
        let stranger = server.folder().join("stranger.pem");
        std::fs::write(&stranger, STRANGER).expect("a file");
        let url = server.database().url();
        let asked = |roots: &str, bundle: &std::path::Path| {
            let strict = format!("sslmode=verify-full&sslrootcert={roots}");
            let mut command = server.command();
            command.env("DATABASE_URL", url.replace("sslmode=disable", &strict)).env("SSL_CERT_FILE", bundle);
            printed(&command.arg("doctor").output().expect("the binary runs"))
        };
        let own = std::path::Path::new(&certificate);
        for told in [asked(&own.display().to_string(), &stranger), asked("system", own)] {
            assert!(told.contains("invariants hold"), "{told}");
        }
        for told in [asked(&stranger.display().to_string(), own), asked("system", &stranger)] {
            assert!(told.contains("certificate verify failed"), "{told}");
        }
    });
}
