//! The program that drives browsers, and the windows that it opens.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Weak};

use fantoccini::ClientBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::Browser;
use crate::database::Backend;
use crate::server::{TestServer, free_port, run_with};
use crate::wait::until;

static SHARED: Mutex<Weak<Driver>> = Mutex::const_new(Weak::new());

/// A driver for browsers. Dropping it ends every one of them.
pub struct Driver {
    child: Child,
    port: u16,
}

/// The size of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// 390 × 844, with touch.
    Phone,
    /// 1440 × 900.
    Desk,
}

/// Runs a test body on a fresh server, with browsers. Without a driver it says so and runs nothing.
///
/// # Panics
/// As [`run_with`].
pub fn in_browser(
    backend: Backend,
    settings: &[(&str, &str)],
    body: impl AsyncFnOnce(&mut TestServer, &Driver),
) {
    if !Driver::is_available() {
        eprintln!("skipped: no chromedriver; `cargo xtask test` finds or installs it");
        return;
    }
    run_with(backend, settings, async |server| {
        let driver = Driver::shared().await;
        body(server, &driver).await;
    });
}

impl Driver {
    /// Whether there is a browser here.
    ///
    /// # Panics
    /// In CI, where there must be.
    pub fn is_available() -> bool {
        let available = std::env::var_os("PITLANE_TEST_CHROMEDRIVER").is_some();
        assert!(
            available || std::env::var("CI").as_deref() != Ok("true"),
            "PITLANE_TEST_CHROMEDRIVER is not set"
        );
        available
    }

    /// The driver that all tests of this process share; the last one to let go of it ends it.
    ///
    /// # Panics
    /// It does not start.
    pub async fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().await;
        if let Some(driver) = shared.upgrade() {
            return driver;
        }
        let driver = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&driver);
        driver
    }

    async fn start() -> Self {
        let program = std::env::var_os("PITLANE_TEST_CHROMEDRIVER").expect("a driver is available");
        let port = free_port();
        let child = Command::new(program)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let driver = Self { child, port };
        let address = format!("http://127.0.0.1:{port}/status");
        until("chromedriver to be ready", async || {
            let answer = reqwest::get(&address).await.ok()?.json::<Value>().await.ok()?;
            (answer["value"]["ready"] == true).then_some(())
        })
        .await;
        driver
    }

    /// Opens a browser for one person.
    ///
    /// # Panics
    /// It does not open.
    pub async fn open(&self, server: &TestServer, screen: Screen) -> Browser {
        self.open_with(server, screen, &[]).await
    }

    /// Opens a browser for one person, with a camera and a microphone that work and are allowed.
    ///
    /// # Panics
    /// It does not open.
    pub async fn open_with_camera(&self, server: &TestServer, screen: Screen) -> Browser {
        let flags = [
            // Three cameras, of which the second sends depth and no picture.
            "--use-fake-device-for-media-stream=device-count=3",
            "--use-fake-ui-for-media-stream",
            "--autoplay-policy=no-user-gesture-required",
            // Their names under .local can't be found out in a sandbox without multicast.
            "--disable-features=WebRtcHideLocalIpsWithMdns",
        ];
        self.open_with(server, screen, &flags).await
    }

    async fn open_with(&self, server: &TestServer, screen: Screen, flags: &[&str]) -> Browser {
        let profile =
            tempfile::Builder::new().prefix("pitlane-browser-").tempdir().expect("a temporary folder");
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--hide-scrollbars".to_owned(),
            // Pictures must not show something half faded in.
            "--force-prefers-reduced-motion".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let mut options = serde_json::Map::new();
        // A window's own frame takes of its height, so the page's size is set instead, on a desk too.
        let metrics = match screen {
            Screen::Phone => {
                json!({ "width": 390, "height": 844, "pixelRatio": 2.0, "touch": true, "mobile": true })
            }
            Screen::Desk => {
                json!({ "width": 1440, "height": 900, "pixelRatio": 1.0, "touch": false, "mobile": false })
            }
        };
        arguments.push("--window-size=1440,1100".to_owned());
        options.insert("mobileEmulation".to_owned(), json!({ "deviceMetrics": metrics }));
        if let Some(chromium) = std::env::var_os("PITLANE_TEST_CHROMIUM") {
            options.insert("binary".to_owned(), json!(chromium.to_string_lossy()));
        }
        options.insert("args".to_owned(), json!(arguments));
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), Value::Object(options));
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .expect("a browser opens");
        let driver = format!("http://127.0.0.1:{}", self.port);
        Browser { client, base: server.url(), driver, profile }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Asked politely it ends its browsers; killed, it would leave them behind.
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
