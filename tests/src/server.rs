//! The real server as a child process, with its own folder, database and port.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::client::Client;
use crate::database::{Backend, Database};
use crate::wait::{DEADLINE, until};

/// The secret that the sandbox signs its webhooks with.
pub const WEBHOOK_SECRET: &str = "whsec_of_the_tests";

/// The bearer of the cron endpoint.
pub const CRON_SECRET: &str = "cron-secret-of-the-tests";

/// How long a worker's lease lasts, and a little more. On PostgreSQL another node may hold it, so that only time tells
/// that its holder is dead.
const LEASE_SECONDS: u32 = 65;

/// A running server. Dropping it kills the process; [`run`] judges what it leaves behind.
pub struct TestServer {
    child: Option<Child>,
    folder: TempDir,
    database: Database,
    port: u16,
    settings: Vec<(String, String)>,
    ahead_seconds: AtomicU32,
    /// What is started instead of the binary under test.
    previous: Option<PathBuf>,
}

/// Runs a test body on a fresh server, then asserts what must hold after every test: no job is left that is due or
/// dead, the server never panicked, and `pitlane doctor` finds every invariant to hold.
///
/// # Panics
/// The body fails, or one of these does not hold.
pub fn run(backend: Backend, body: impl AsyncFnOnce(&TestServer)) {
    run_with(backend, &[], async |server| body(server).await);
}

/// As [`run`], with settings of its own, for a body that may kill and restart the server.
///
/// # Panics
/// As [`run`].
pub fn run_with(backend: Backend, settings: &[(&str, &str)], body: impl AsyncFnOnce(&mut TestServer)) {
    run_prepared(backend, settings, |_| (), async |server, ()| body(server).await);
}

/// As [`run_with`], after something was done to the server before its first start.
///
/// # Panics
/// As [`run`].
pub fn run_prepared<T>(
    backend: Backend,
    settings: &[(&str, &str)],
    prepare: impl FnOnce(&mut TestServer) -> T,
    body: impl AsyncFnOnce(&mut TestServer, T),
) {
    if !backend.is_available() {
        eprintln!("skipped: {backend:?} is not available; `cargo xtask test` starts it");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut server = TestServer::stopped(backend, settings);
        let prepared = prepare(&mut server);
        server.start().await;
        body(&mut server, prepared).await;
        server.judge().await;
    });
}

impl TestServer {
    /// Starts a server in development on a fresh database and waits until it answers.
    ///
    /// # Panics
    /// It does not start.
    pub async fn spawn(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let mut server = Self::stopped(backend, settings);
        server.start().await;
        server
    }

    fn stopped(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("pitlane-test-").tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("data")).expect("a folder for the data");
        let database = Database::create(backend, folder.path());
        Self {
            child: None,
            folder,
            database,
            port: free_port(),
            settings: settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ahead_seconds: AtomicU32::new(0),
            previous: None,
        }
    }

    /// The address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The address of `/ws`.
    pub fn socket_url(&self) -> String {
        format!("ws://localhost:{}/ws", self.port)
    }

    /// The server's database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The server's process.
    ///
    /// # Panics
    /// It was killed.
    pub fn process_id(&self) -> u32 {
        self.child.as_ref().expect("the server runs").id()
    }

    /// The folder of the server's data.
    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// The server's working folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Somebody who has not signed in.
    pub fn guest(&self) -> Client {
        let client = Client::new(self.url());
        if self.previous.is_some() { client.described_elsewhere() } else { client }
    }

    /// Changes a setting for the next start.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Kills the process as a power cut would: nothing is flushed, nothing is said goodbye to.
    ///
    /// # Panics
    /// There is no process.
    pub fn kill9(&mut self) {
        let mut child = self.child.take().expect("the server runs");
        child.kill().expect("the process can be killed");
        child.wait().expect("the process ends");
    }

    /// As [`Self::kill9`], from a task that only borrows the server; [`Self::reap`] must follow.
    ///
    /// # Panics
    /// There is no process.
    pub fn kill9_now(&self) {
        signal(self.child.as_ref().expect("the server runs"), "KILL");
    }

    /// Takes note that the process has been killed.
    ///
    /// # Panics
    /// There is no process.
    pub fn reap(&mut self) {
        self.child.take().expect("the server was running").wait().expect("the process ends");
    }

    /// Stops the server as an operator does, and asserts that it ends well.
    ///
    /// # Panics
    /// It does not end well.
    pub fn stop(&mut self) {
        let mut child = self.child.take().expect("the server runs");
        signal(&child, "TERM");
        let status = child.wait().expect("the process ends");
        assert!(status.success(), "{status}:\n{}", self.log());
    }

    /// Has the binary of another version started until [`Self::upgrade`]; its answers are not held against today's
    /// description.
    pub fn starts_as(&mut self, previous: PathBuf) {
        self.previous = Some(previous);
    }

    /// Stops the server as an operator does and starts the binary under test in its place.
    ///
    /// # Panics
    /// As [`Self::stop`] and [`Self::start`].
    pub async fn upgrade(&mut self) {
        self.stop();
        self.previous = None;
        self.start().await;
    }

    /// Starts the server again on the same folder, database and port.
    ///
    /// # Panics
    /// It still runs, or does not start.
    pub async fn start(&mut self) {
        assert!(self.child.is_none(), "the server runs already");
        let log = File::options().append(true).create(true).open(self.log_path()).expect("a log");
        let child = self
            .command()
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle of the log"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        self.child = Some(child);
        self.wait_until_healthy().await;
        // The clock of a new process knows nothing of how far the old one was moved; time must not run backwards.
        let ahead = self.ahead_seconds.swap(0, Ordering::Relaxed);
        if ahead > 0 {
            self.advance_clock(ahead).await;
        }
    }

    /// Kills the process and starts it again, later than any lease of the dead one lasts.
    ///
    /// # Panics
    /// As [`Self::kill9`] and [`Self::start`].
    pub async fn crash(&mut self) {
        self.kill9();
        self.recover().await;
    }

    /// Starts the server again after it was killed, later than any lease of the dead process lasts.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub async fn recover(&mut self) {
        self.start().await;
        self.advance_clock(LEASE_SECONDS).await;
    }

    async fn wait_until_healthy(&mut self) {
        let guest = reqwest::Client::new();
        let address = format!("{}/healthz", self.url());
        let log = self.log_path();
        let child = self.child.as_mut().expect("the server was started");
        until("the server to be healthy", async || {
            if let Some(status) = child.try_wait().expect("the process can be asked") {
                panic!("the server ended ({status}):\n{}", fs::read_to_string(&log).unwrap_or_default());
            }
            let answer = guest.get(&address).timeout(Duration::from_secs(2)).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Runs `serve` with some settings changed and expects that it does not start: one line on the error stream that
    /// holds `says`, a status that tells of a failure, and no panic.
    ///
    /// # Panics
    /// It starts, or ends in another way.
    pub fn refuses_to_start(&self, name: &str, changes: &[(&str, &str)], says: &str) {
        let mut command = self.command();
        command.arg("serve").stdin(Stdio::null());
        if self.child.is_some() {
            command.env("PITLANE_SERVER__BIND", "127.0.0.1:0");
        }
        command.envs(changes.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = ended(command.spawn().expect("the binary runs"));
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", printed(&output));
        let is_one_line = told.trim_end().lines().count() == 1 && told.starts_with("pitlane: ");
        assert!(is_one_line && told.contains(says), "{name}: not one line with {says:?}:\n{told}");
        assert!(output.stdout.is_empty(), "{name}: {}", printed(&output));
    }

    /// Runs one of the binary's other commands beside the server, with the same configuration.
    ///
    /// # Panics
    /// The binary can't be started.
    pub fn pitlane(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).stdin(Stdio::null()).output().expect("the binary runs")
    }

    /// A command for the binary with this server's configuration and nothing from outside.
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.previous.as_deref().unwrap_or_else(|| binary()));
        command.env_clear().current_dir(self.folder.path());
        for name in ["PATH", "HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("DATABASE_URL", self.database.url())
            .env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .env("CRON_SECRET", CRON_SECRET)
            .env("PITLANE_SERVER__ENVIRONMENT", "development")
            .env("PITLANE_SERVER__BIND", format!("127.0.0.1:{}", self.port))
            .env("PITLANE_SERVER__WORKERS", "2")
            .env("PITLANE_DATABASE__POOL_SIZE", "4")
            .env("PITLANE_PRICING__FILE", root().join("config/price-books.toml"))
            // Tests sign in more often than people do; the limit has a test of its own.
            .env("PITLANE_AUTH__LOGIN_ATTEMPTS_PER_MINUTE", "10000")
            .envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Moves the server's clock forward.
    ///
    /// # Panics
    /// The server refuses.
    pub async fn advance_clock(&self, seconds: u32) {
        self.guest().post("/dev/clock", json!({ "advance_seconds": seconds })).await.expect_status(200);
        self.ahead_seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Sets how the sandbox's webhooks misbehave: `duplicate`, `delay_ms`, `reorder`, `drop`.
    ///
    /// # Panics
    /// The server refuses.
    pub async fn control_webhooks(&self, control: Value) {
        let answer = self.guest().post("/sandbox/control", control).await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
    }

    /// Waits for a message in the development mailbox.
    ///
    /// # Panics
    /// There is none in time.
    pub async fn message_to(&self, address: &str, milestone: &str) -> Value {
        until(&format!("a message `{milestone}` to {address}"), async || {
            self.messages_to(address).await.into_iter().find(|message| message["milestone"] == milestone)
        })
        .await
    }

    /// Everything in the development mailbox for one address, newest first.
    ///
    /// # Panics
    /// The server refuses.
    pub async fn messages_to(&self, address: &str) -> Vec<Value> {
        let answer = self.guest().get("/dev/mailbox?format=json").await.expect_status(200);
        let items = answer.body["items"].as_array().expect("a list of messages").clone();
        items.into_iter().filter(|message| message["to"] == address).collect()
    }

    /// Jobs that are due, running or dead now, by the server's clock.
    pub fn jobs_left(&self) -> i64 {
        let format =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
        let ahead = Duration::from_secs(u64::from(self.ahead_seconds.load(Ordering::Relaxed)));
        let now = (OffsetDateTime::now_utc() + ahead).format(format).expect("an instant has a text");
        self.database.count(
            "jobs",
            &format!("status IN ('dead', 'running') OR (status = 'queued' AND run_at <= '{now}')"),
        )
    }

    /// Asserts what must hold after every test.
    ///
    /// # Panics
    /// It does not hold.
    pub async fn judge(&self) {
        until("no job to be due or dead", async || (self.jobs_left() == 0).then_some(())).await;
        let doctor = self.pitlane(&["doctor"]);
        assert!(doctor.status.success(), "doctor found:\n{}", printed(&doctor));
        let log = self.log();
        assert!(!log.contains("panicked at"), "the server panicked:\n{log}");
    }
}

/// What a program left that should end by itself; one that does not is killed in time.
fn ended(mut child: Child) -> Output {
    let deadline = Instant::now() + DEADLINE;
    while child.try_wait().expect("the process can be asked").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("the process can be killed");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().expect("what it printed")
}

/// What a command printed.
pub fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.get(lines.len().saturating_sub(60)..).unwrap_or_default();
            eprintln!("the end of the server's log:\n{}", tail.join("\n"));
        }
    }
}

/// What the kernel says of a process's memory now, in bytes: `VmRSS`, or its peak, `VmHWM`.
///
/// # Panics
/// There is no such process or figure.
pub fn memory_bytes(process: u32, figure: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let told = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
    let kibibytes = told.and_then(|told| told.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.expect("a number of kB") * 1_024
}

/// A port that nobody used a moment ago.
///
/// # Panics
/// Loopback has none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// The root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a parent folder").to_path_buf()
}

/// The binary under test: the one that `cargo xtask test` built, or one that is built now, so that no test ever judges
/// an old one.
///
/// # Panics
/// It can't be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("PITLANE_TEST_BINARY") {
            return PathBuf::from(path);
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--package", "pitlane"])
            .current_dir(root())
            .status()
            .expect("cargo runs");
        assert!(built.success(), "pitlane can't be built");
        // target/debug/deps/blackbox-… → target/debug/pitlane
        let test = std::env::current_exe().expect("this program has a path");
        let folder = test.ancestors().find(|folder| folder.ends_with("debug")).expect("a folder of cargo's");
        folder.join(format!("pitlane{}", std::env::consts::EXE_SUFFIX))
    })
}

/// Sends a signal to a process: `TERM`, `KILL`, `STOP` or `CONT`.
///
/// # Panics
/// It can't be sent.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "{name} can be sent");
}
