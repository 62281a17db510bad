use std::collections::BTreeMap;

use super::*;

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Settings, Problems> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(Some(("pitlane.toml", file)), environment)
}

fn problems(file: &str, environment: &[(&str, &str)]) -> String {
    match load(file, environment) {
        Ok(settings) => settings.check_serving().expect_err("a problem").to_string(),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn the_defaults_are_those_of_the_documented_file() {
    let text = include_str!("../../../../config/pitlane.toml");
    let settings = load(text, &[]).expect("the file as it is changes nothing");
    let mut documented = BTreeMap::new();
    let (mut section, mut explained) = (String::new(), false);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = line.strip_prefix("# ").and_then(|rest| rest.split_once(" = ")) {
            assert!(explained, "{section}.{key} has no explanation above it");
            assert_eq!(documented.insert(format!("{section}.{key}"), value.to_owned()), None);
        }
        explained = line.starts_with("## ");
    }
    let declared: BTreeMap<String, String> = settings
        .entries
        .iter()
        .map(|entry| (format!("{}.{}", entry.section, entry.key), entry.default.clone()))
        .collect();
    assert_eq!(documented, declared);
    assert!(
        settings.entries.iter().all(|entry| entry.origin == Origin::Default && entry.shown == entry.default)
    );
    let uncommented: String = text.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).fold(
        String::new(),
        |mut all, line| {
            all.push_str(line);
            all.push('\n');
            all
        },
    );
    load(&uncommented, &[]).expect("every documented default can be written as it stands");
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let file = "[dispatch]\npriority_window_seconds = 30\npresence_grace_seconds = 5\n\
                [server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n";
    let settings = load(
        file,
        &[
            ("PITLANE_DISPATCH__PRIORITY_WINDOW_SECONDS", "2"),
            ("DATABASE_URL", "postgres://me:secret@db.example/pitlane"),
            ("STRIPE_SECRET_KEY", ""),
            // What orchestrators tell of a service of that name, and Pitlane's tests of their own.
            ("PITLANE_SERVICE_HOST", "10.1.2.3"),
            ("PITLANE_SERVICE_PORT_HTTP", "80"),
            ("PITLANE_PORT", "tcp://10.1.2.3:80"),
            ("PITLANE_PORT_80_TCP_ADDR", "10.1.2.3"),
            ("PITLANE_TEST_POSTGRES", "postgres://localhost/postgres"),
        ],
    )
    .expect("all is well");
    assert_eq!(settings.dispatch.priority_window_seconds, 2);
    assert_eq!(settings.dispatch.presence_grace_seconds, 5);
    assert_eq!(settings.dispatch.refund_after_seconds, 3_600);
    assert_eq!(settings.server.trusted_proxies.len(), 2);
    assert_eq!(settings.database.store.place(), "postgres://db.example/pitlane");
    let own = load("", &[("DATABASE_URL", "sqlite://a.db"), ("PITLANE_DATABASE__URL", "sqlite://b.db")]);
    assert_eq!(own.expect("all is well").database.store.place(), "b.db", "the more exact name wins");
}

type Setting = (&'static str, &'static str);

const PRODUCTION: Setting = ("PITLANE_SERVER__ENVIRONMENT", "production");
const DEVELOPMENT: Setting = ("PITLANE_SERVER__ENVIRONMENT", "development");
const STRIPE: Setting = ("PITLANE_PAYMENTS__PROVIDER", "stripe");
/// A secret of a webhook that is as long as it should be.
const WHOLE: &str = "whsec_0123456789abcdef";

/// A file, an environment, and what is said about the two.
type Mistake = (&'static str, &'static [Setting], &'static [&'static str]);

const MISTAKES: &[Mistake] = &[
    (
        "[server]\nenvironment = \"staging\"",
        &[],
        &["server.environment (in pitlane.toml)", "staging", "write production or development"],
    ),
    (
        "",
        &[("PITLANE_SERVER__WORKERS", "many")],
        &["server.workers (from PITLANE_SERVER__WORKERS)", "many", "a whole number from 0 to 1024"],
    ),
    (
        "[dispatch]\npriority_window_seconds = 1.5",
        &[],
        &["dispatch.priority_window_seconds", "1.5", "a whole number"],
    ),
    (
        "[dispatch]\npriority_window_seconds = 0",
        &[],
        &["dispatch.priority_window_seconds", "\"0\"", "from 1 to 86400"],
    ),
    (
        "[dispatch]\npriority_windw_seconds = 5",
        &[],
        &["dispatch.priority_windw_seconds", "did you mean dispatch.priority_window_seconds?"],
    ),
    ("[colours]\nsky = \"blue\"", &[], &["colours.sky", "there is no such key"]),
    ("top = 1", &[], &["top (in pitlane.toml)", "inside a [section]"]),
    ("[server\n", &[], &["pitlane.toml", "this is not TOML"]),
    (
        "",
        &[("PITLANE_SERVER__BINDD", "x")],
        &["server.bindd (from PITLANE_SERVER__BINDD)", "did you mean server.bind?"],
    ),
    ("", &[("PITLANE_SERVER_BIND", "x")], &["PITLANE_SERVER_BIND", "write PITLANE_SERVER__BIND"]),
    (
        "",
        &[("DATABASE_URL", "postgress://me:hush@host/x")],
        &["database.url (from DATABASE_URL)", "postgress://********@host/x", "postgres://USER"],
    ),
    ("", &[("PITLANE_NOPE", "3")], &["PITLANE_NOPE", "there is no such key"]),
    ("", &[("PITLANE_PORT", "8080")], &["PITLANE_PORT", "there is no such key"]),
    (
        "",
        &[("DATABASE_URL", "postgress://me@host/x?sslmode=require&password=hush")],
        &["database.url", "postgress://********@host/x?sslmode=require&password=********"],
    ),
    (
        "[payments]\napi_base = \"https://me:hush@stripe.example\"",
        &[],
        &["payments.api_base", "https://********@stripe.example"],
    ),
    (
        "[mail]\napi_base = \"https://me:hush@mail.example\"",
        &[],
        &["mail.api_base", "https://********@mail.example"],
    ),
    (
        "[server]\npublic_url = \"https://me:hush@help.example\"",
        &[],
        &["server.public_url", "https://********@help.example"],
    ),
    ("", &[("DATABASE_URL", "data.db")], &["database.url", "data.db", "sqlite://PATH"]),
    ("[server]\nbind = \"localhost\"", &[], &["server.bind", "localhost", "127.0.0.1:8080"]),
    ("[server]\npublic_url = \"https://x.example/path\"", &[], &["server.public_url", "without a path"]),
    (
        "[server]\ntrusted_proxies = [\"10.0.0.0/99\"]",
        &[],
        &["server.trusted_proxies", "10.0.0.0/99", "10.0.0.0/8"],
    ),
    ("[auth]\nsecret = \"short\"", &[PRODUCTION], &["auth.secret", "********", "at least 32"]),
    ("", &[PRODUCTION, ("CRON_SECRET", "short")], &["server.cron_secret", "********", "at least 16"]),
    (
        "",
        &[PRODUCTION, ("PITLANE_AUTH__SECRET", "0123456789abcdef0123456789abcdef")],
        &["payments.provider", "sandbox", "write stripe"],
    ),
    (
        "",
        &[PRODUCTION, STRIPE, ("STRIPE_SECRET_KEY", "sk_live_x"), ("STRIPE_WEBHOOK_SECRET", "whsec_abc")],
        &["auth.secret", "32 random characters"],
    ),
    (
        "",
        &[PRODUCTION, STRIPE, ("STRIPE_SECRET_KEY", "pk_live_hush"), ("STRIPE_WEBHOOK_SECRET", WHOLE)],
        &["payments.secret_key = \"********\"", "sk_live_"],
    ),
    (
        "",
        &[
            PRODUCTION,
            STRIPE,
            ("STRIPE_SECRET_KEY", "sk_live_x"),
            ("STRIPE_WEBHOOK_SECRET", "whsec_0123456789abcdef,b"),
        ],
        &["payments.webhook_secret = \"********\"", "the whole secret"],
    ),
    (
        "",
        &[PRODUCTION, STRIPE, ("STRIPE_WEBHOOK_SECRET", "hush-hush-hush-hush")],
        &["payments.webhook_secret = \"********\"", "the whole secret"],
    ),
    (
        "[mail]\nprovider = \"resend\"\nfrom = \"Pitlane <help@pitlane.example>\"",
        &[PRODUCTION, ("RESEND_API_KEY", "re_hush_hush")],
        &["mail.support_address = \"support@example.com\"", "the address under which people reach you"],
    ),
    ("", &[PRODUCTION, ("AWS_ALLOW_HTTP", "true")], &["files.allow_http", "only development"]),
    (
        "",
        &[PRODUCTION, STRIPE],
        &["payments.secret_key", "STRIPE_SECRET_KEY", "payments.webhook_secret", "auth.secret"],
    ),
    (
        "",
        &[PRODUCTION, ("PITLANE_SERVER__BIND", "0.0.0.0:80")],
        &["server.public_url", "https://help.example.com"],
    ),
    (
        "",
        &[
            DEVELOPMENT,
            ("PITLANE_SERVER__BIND", "0.0.0.0:80"),
            ("PITLANE_SERVER__PUBLIC_URL", "http://x.example"),
        ],
        &["server.bind", "0.0.0.0:80", "127.0.0.1:PORT"],
    ),
    (
        "",
        &[DEVELOPMENT, STRIPE, ("STRIPE_SECRET_KEY", "sk_live_x"), ("STRIPE_WEBHOOK_SECRET", "whsec_abc")],
        &["payments.secret_key", "a live key"],
    ),
    (
        "",
        &[
            DEVELOPMENT,
            STRIPE,
            ("PITLANE_PAYMENTS__API_BASE", "http://stripe.example"),
            ("STRIPE_SECRET_KEY", "sk_test_x"),
            ("STRIPE_WEBHOOK_SECRET", "whsec_abc"),
        ],
        &["payments.api_base", "https"],
    ),
    (
        "",
        &[DEVELOPMENT, ("PITLANE_BUS__URL", "nats://localhost")],
        &["bus.url", "nats://localhost", "leave it empty"],
    ),
    (
        "",
        &[DEVELOPMENT, ("PITLANE_BUS__URL", "nats://hush@localhost")],
        &["bus.url", "nats://********@localhost"],
    ),
    (
        "[files]\nurl = \"s3://uploads\"",
        &[DEVELOPMENT],
        &[
            "files.access_key_id",
            "AWS_ACCESS_KEY_ID",
            "files.secret_access_key",
            "files.region",
            "AWS_REGION",
        ],
    ),
    (
        "[files]\nurl = \"s3://uploads\"",
        &[
            DEVELOPMENT,
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "hush-hush"),
            ("AWS_ENDPOINT", "http://minio.example.com:9000"),
        ],
        &["files.endpoint", "http://minio.example.com:9000", "https", "AWS_ALLOW_HTTP"],
    ),
    (
        "[files]\nurl = \"s3://uploads\"",
        &[PRODUCTION, STRIPE, ("AWS_ALLOW_HTTP", "true")],
        &["files.allow_http", "only development"],
    ),
    (
        "[files]\nurl = \"gs://uploads\"",
        &[DEVELOPMENT],
        &["files.service_account = \"\"", "GOOGLE_SERVICE_ACCOUNT", "GOOGLE_APPLICATION_CREDENTIALS"],
    ),
    (
        "[files]\nurl = \"gs://uploads\"",
        &[
            DEVELOPMENT,
            ("GOOGLE_SERVICE_ACCOUNT", "key.json"),
            ("GOOGLE_SERVICE_ACCOUNT_KEY", "{\"hush\":1}"),
        ],
        &["files.service_account_key", "********", "not both"],
    ),
    (
        "[files]\nurl = \"gs://uploads\"",
        &[
            DEVELOPMENT,
            ("GOOGLE_SERVICE_ACCOUNT", "key.json"),
            ("AWS_ENDPOINT_URL", "https://minio.example.com"),
        ],
        &["files.endpoint", "https://minio.example.com", "PITLANE_FILES__ENDPOINT"],
    ),
    (
        "[files]\nurl = \"az://uploads\"",
        &[DEVELOPMENT],
        &[
            "files.account_name",
            "AZURE_STORAGE_ACCOUNT_NAME",
            "files.account_key",
            "AZURE_STORAGE_ACCOUNT_KEY",
            "AZURE_STORAGE_SAS_TOKEN",
        ],
    ),
    (
        "[files]\nurl = \"az://uploads\"\nendpoint = \"http://blobs.example.com\"",
        &[
            DEVELOPMENT,
            ("AZURE_STORAGE_ACCOUNT_NAME", "pitlane"),
            ("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=hush"),
        ],
        &["files.endpoint", "http://blobs.example.com", "https"],
    ),
    ("", &[("AZURE_STORAGE_ACCOUNT_NAME", "pitlane.evil.example/")], &["files.account_name", "letters"]),
    ("[files]\nurl = \"az://Up_loads\"", &[], &["files.url", "az://Up_loads", "az://CONTAINER"]),
    ("[files]\nurl = \"ftp://uploads\"", &[], &["files.url", "ftp://uploads", "s3://BUCKET", "gs://BUCKET"]),
    ("[files]\nurl = \"s3://key:hush@uploads\"", &[], &["files.url", "********", "without a key"]),
    (
        "[video]\nice_servers = [\"stun:a.example\", \"turn:a.example\"]",
        &[DEVELOPMENT],
        &["video.turn_secret", "the secret that the TURN server"],
    ),
    (
        "[video]\nprovider = \"livekit\"\nlivekit_url = \"ws://video.example.com\"",
        &[DEVELOPMENT],
        &["video.livekit_url", "wss://HOST", "video.livekit_api_key", "video.livekit_api_secret"],
    ),
    (
        "[video]\nprovider = \"twilio\"",
        &[DEVELOPMENT],
        &["video.twilio_account_sid", "video.twilio_api_key_sid", "video.twilio_api_key_secret"],
    ),
    (
        "[sms]\nprovider = \"twilio\"",
        &[DEVELOPMENT],
        &[
            "video.twilio_account_sid = \"\": set TWILIO_ACCOUNT_SID",
            "video.twilio_api_key_sid = \"\": set TWILIO_API_KEY",
            "video.twilio_api_key_secret = \"\": set TWILIO_API_SECRET",
            "sms.twilio_from = \"\": set TWILIO_FROM",
        ],
    ),
    (
        "[sms]\nprovider = \"twilio\"",
        &[DEVELOPMENT, ("TWILIO_ACCOUNT_SID", "AC1"), ("TWILIO_API_KEY", "SK1"), ("TWILIO_FROM", "Pitlane")],
        &["video.twilio_api_key_secret", "TWILIO_AUTH_TOKEN"],
    ),
    (
        "[sms]\nprovider = \"twilio\"\ntwilio_api_base = \"http://twilio.example\"",
        &[
            DEVELOPMENT,
            ("TWILIO_ACCOUNT_SID", "AC1"),
            ("TWILIO_AUTH_TOKEN", "hush-hush"),
            ("TWILIO_FROM", "Pitlane"),
        ],
        &["sms.twilio_api_base", "http://twilio.example", "https"],
    ),
    ("", &[("TWILIO_FROM", "0171 123")], &["sms.twilio_from (from TWILIO_FROM)", "0171 123", "+15550100100"]),
];

#[test]
fn every_mistake_names_its_key_its_value_and_what_would_be_right() {
    for (file, environment, expected) in MISTAKES {
        let told = problems(file, environment);
        for part in *expected {
            assert!(told.contains(part), "{part:?} is missing in {told:?}");
        }
        for secret in ["hush", "sk_live_x", "whsec_abc", "whsec_0123"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let told = problems("[server]\nbind = 1\nworkers = -1\nshape = \"round\"\n[files]\nurl = \"\"\n", &[]);
    assert_eq!(told.lines().count(), 4, "{told}");
}

#[test]
fn development_and_a_complete_production_may_serve() {
    let development = load("[server]\nenvironment = \"development\"", &[]).expect("valid");
    development.check_serving().expect("nothing is needed");
    let bound = development.bound_to("127.0.0.1:4321".parse().expect("an address"));
    assert_eq!(bound.server.public_url, "http://localhost:4321");
    assert_eq!(bound.payments.api_base, "http://127.0.0.1:4321");
    let production = load(
        "[payments]\nprovider = \"stripe\"\n[server]\nbind = \"0.0.0.0:80\"\npublic_url = \"https://Help.example.com/\"",
        &[
            ("PITLANE_AUTH__SECRET", "0123456789abcdef0123456789abcdef"),
            ("STRIPE_SECRET_KEY", "rk_live_x"),
            ("STRIPE_WEBHOOK_SECRET", "whsec_0123456789abcdef, whsec_fedcba9876543210"),
        ],
    )
    .expect("valid");
    production.check_serving().expect("complete");
    assert_eq!(production.server.public_url, "https://help.example.com");
    assert_eq!(production.payments.api_base, "https://api.stripe.com");
    assert!(production.entries.iter().all(|entry| !entry.shown.contains("rk_live")));
}

#[test]
fn a_book_that_is_not_there_is_named_where_it_was_asked_for() {
    let settings = load("", &[DEVELOPMENT, ("PITLANE_PRICING__ACTIVE_BOOK", "1999")]).expect("valid");
    let told = settings.catalog().map(drop).expect_err("there is no such book").to_string();
    let named = "pricing.active_book (from PITLANE_PRICING__ACTIVE_BOOK) = \"1999\": write one of";
    assert!(told.contains(named), "{told}");
}

#[test]
fn a_password_in_a_query_is_not_shown() {
    let url = ("DATABASE_URL", "postgres://me@db.example/pitlane?password=hush&sslmode=require");
    let settings = load("", &[url]).expect("valid");
    let shown = settings.entries.iter().find(|entry| entry.section == "database" && entry.key == "url");
    let right = "\"postgres://********@db.example/pitlane?password=********&sslmode=require\"";
    assert_eq!(shown.map(|entry| entry.shown.as_str()), Some(right));
    assert_eq!(settings.database.store.place(), "postgres://db.example/pitlane");
}

#[test]
fn buckets_are_opened_by_the_names_that_their_own_tools_know() {
    const GOOGLE: &str = r#"{"private_key":"hush"}"#;
    let uploads = |environment: &[Setting]| {
        let mut all = vec![DEVELOPMENT];
        all.extend(environment);
        let settings = load("", &all).expect("valid");
        settings.check_serving().expect("complete");
        assert!(settings.entries.iter().all(|entry| !entry.shown.contains("hush")), "{:?}", settings.entries);
        settings.files.storage()
    };
    let url = |url| ("PITLANE_FILES__URL", url);
    let google = uploads(&[url("gs://uploads/here"), ("GOOGLE_SERVICE_ACCOUNT", "/etc/pitlane.json")]);
    assert_eq!((&*google.url, &*google.service_account), ("gs://uploads/here", "/etc/pitlane.json"));
    let google = uploads(&[url("gs://uploads"), ("GOOGLE_SERVICE_ACCOUNT_KEY", GOOGLE)]);
    assert_eq!(google.service_account_key, GOOGLE);
    let google = uploads(&[
        url("gs://uploads"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/adc.json"),
        ("AWS_ENDPOINT", "https://minio.example.com"),
        ("PITLANE_FILES__ENDPOINT", ""),
    ]);
    assert_eq!((&*google.application_credentials, &*google.endpoint), ("/etc/adc.json", ""));
    let account = ("AZURE_STORAGE_ACCOUNT_NAME", "pitlane");
    let azure = uploads(&[url("az://uploads"), account, ("AZURE_STORAGE_ACCOUNT_KEY", "hush-hush==")]);
    assert_eq!((&*azure.account_name, &*azure.account_key), ("pitlane", "hush-hush=="));
    let azure = uploads(&[
        url("az://uploads"),
        account,
        ("AZURE_STORAGE_SAS_TOKEN", "?sv=1&sig=hush"),
        ("PITLANE_FILES__ENDPOINT", "http://127.0.0.1:10000"),
    ]);
    assert_eq!((&*azure.sas_token, &*azure.endpoint), ("?sv=1&sig=hush", "http://127.0.0.1:10000"));
}

#[test]
fn text_messages_go_through_twilios_account_with_a_key_or_with_its_token() {
    let through = |more: &[Setting]| {
        let mut all = vec![DEVELOPMENT, ("PITLANE_SMS__PROVIDER", "twilio"), ("TWILIO_ACCOUNT_SID", "AC1")];
        all.extend(more);
        let settings = load("", &all).expect("valid");
        settings.check_serving().expect("complete");
        assert!(settings.reaches_telephones());
        assert!(settings.entries.iter().all(|entry| !entry.shown.contains("hush")), "{:?}", settings.entries);
        settings
    };
    let token = ("TWILIO_AUTH_TOKEN", "hush-one, hush-two");
    let settings = through(&[("TWILIO_FROM", "+15550100100"), token]);
    assert_eq!(settings.reach.twilio_from.as_deref(), Some("+15550100100"));
    assert_eq!(settings.video.twilio_login(), Some(("AC1", "hush-one")));
    let key = [("TWILIO_API_KEY", "SK1"), ("TWILIO_API_SECRET", "hush-key")];
    let settings = through(&[("TWILIO_FROM", "Pitlane"), token, key[0], key[1]]);
    assert_eq!(settings.video.twilio_login(), Some(("SK1", "hush-key")));
    let production = [PRODUCTION, ("PITLANE_SMS__PROVIDER", "twilio")];
    assert!(load("", &production).expect("valid").reaches_telephones());
    assert!(!load("", &[PRODUCTION]).expect("valid").reaches_telephones());
}
