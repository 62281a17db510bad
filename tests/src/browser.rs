//! Chromium, driven as a person would use it, on a phone and on a desk.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use fantoccini::elements::Element;
use fantoccini::{ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{TestServer, free_port, root};
use crate::wait::until;

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

/// One person's browser, with cookies of its own.
pub struct Browser {
    client: fantoccini::Client,
    base: String,
    _profile: TempDir,
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

    /// Starts the driver.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start() -> Self {
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
        Browser { client, base: server.url(), _profile: profile }
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

impl Browser {
    /// Opens a page of the server.
    ///
    /// # Panics
    /// It can't be reached.
    pub async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base)).await.expect(path);
    }

    /// The path of the page that is shown.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn path(&self) -> String {
        self.client.current_url().await.expect("an address").path().to_owned()
    }

    /// Waits until the shown page's path begins so.
    ///
    /// # Panics
    /// It does not, in time.
    pub async fn arrives_at(&self, path: &str) {
        until(&format!("the page {path}"), async || self.path().await.starts_with(path).then_some(())).await;
    }

    /// Waits for a text that a person can see.
    ///
    /// # Panics
    /// It does not appear in time; the message holds what there is instead.
    pub async fn reads(&self, text: &str) {
        let script = "return document.body ? document.body.innerText : '';";
        let mut last = String::new();
        let deadline = std::time::Instant::now() + crate::wait::DEADLINE;
        while std::time::Instant::now() < deadline {
            if let Ok(Value::String(shown)) = self.client.execute(script, Vec::new()).await {
                if shown.contains(text) {
                    return;
                }
                last = shown;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("never read {text:?} at {}; there is:\n{last}", self.path().await);
    }

    /// Types into the field of this name, replacing what is there.
    ///
    /// # Panics
    /// There is no such field.
    pub async fn fill(&self, name: &str, value: &str) {
        let field = self.element(&format!("[name=\"{name}\"]")).await;
        field.clear().await.expect("a field to clear");
        field.send_keys(value).await.expect("a field to type into");
    }

    /// Chooses from the list of this name.
    ///
    /// # Panics
    /// There is no such list or value.
    pub async fn choose(&self, name: &str, value: &str) {
        let list = self.element(&format!("[name=\"{name}\"]")).await;
        list.select_by_value(value).await.expect("a value to choose");
    }

    /// Ticks, or chooses by a click.
    ///
    /// # Panics
    /// There is nothing at the selector.
    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.client
            .execute("arguments[0].scrollIntoView({block: 'center'});", vec![json!(element)])
            .await
            .expect("an element to scroll to");
        element.click().await.expect("an element to click");
    }

    /// Presses the button, or follows the link, with this text.
    ///
    /// # Panics
    /// There is none that can be seen.
    pub async fn press(&self, text: &str) {
        let script = "
            const wanted = arguments[0];
            const seen = [...document.querySelectorAll('button, a, summary, [role=button]')]
                .filter(e => e.offsetParent !== null && !e.disabled && e.textContent.replace(/\\s+/g, ' ').trim().includes(wanted));
            const found = seen.find(e => e.closest('main, dialog, form')) || seen[0];
            if (!found) return false;
            found.scrollIntoView({block: 'center'});
            found.click();
            return true;";
        until(&format!("a button or link {text:?}"), async || {
            let pressed = self.client.execute(script, vec![json!(text)]).await;
            matches!(pressed, Ok(Value::Bool(true))).then_some(())
        })
        .await;
    }

    /// Sends keys to what has the focus in a field, such as Enter.
    ///
    /// # Panics
    /// There is nothing at the selector.
    pub async fn keys(&self, selector: &str, keys: &str) {
        self.element(selector).await.send_keys(keys).await.expect("an element to type into");
    }

    /// The first element of a CSS selector, once it is there.
    ///
    /// # Panics
    /// It does not appear in time.
    pub async fn element(&self, selector: &str) -> Element {
        until(&format!("an element {selector}"), async || self.client.find(Locator::Css(selector)).await.ok())
            .await
    }

    /// How many elements a CSS selector has now.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn count(&self, selector: &str) -> usize {
        self.client.find_all(Locator::Css(selector)).await.expect("a list of elements").len()
    }

    /// Goes back, as the button of the browser does.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn back(&self) {
        self.client.back().await.expect("a page to go back to");
    }

    /// Loads the page again.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn reload(&self) {
        self.client.refresh().await.expect("a page to load again");
    }

    /// Opens a second tab with a page and shows it; answers the handle of the first.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn second_tab(&self, path: &str) -> fantoccini::wd::WindowHandle {
        let first = self.client.window().await.expect("a window");
        let tab = self.client.new_window(true).await.expect("a second tab");
        self.client.switch_to_window(tab.handle).await.expect("the second tab");
        self.open(path).await;
        first
    }

    /// Shows another tab.
    ///
    /// # Panics
    /// It is gone.
    pub async fn show_tab(&self, tab: fantoccini::wd::WindowHandle) {
        self.client.switch_to_window(tab).await.expect("a tab");
    }

    /// Runs a script in the page.
    ///
    /// # Panics
    /// The script throws.
    pub async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect(script)
    }

    /// Whether the page is wider than the window, so that it scrolls sideways.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn scrolls_sideways(&self) -> bool {
        let script = "return document.documentElement.scrollWidth > document.documentElement.clientWidth;";
        self.script(script).await == json!(true)
    }

    /// Saves a picture of the top of the page.
    ///
    /// # Panics
    /// As [`Self::picture`].
    pub async fn picture_of_top(&self, name: &str) {
        self.script("scrollTo(0, 0);").await;
        self.picture(name).await;
    }

    /// Saves a picture of the window as `target/screenshots/<name>.png`.
    ///
    /// # Panics
    /// It can't be taken or written.
    pub async fn picture(&self, name: &str) {
        let folder = screenshots();
        fs::create_dir_all(&folder).expect("a folder for the pictures");
        let picture = self.client.screenshot().await.expect("a picture");
        fs::write(folder.join(format!("{name}.png")), picture).expect("the picture is written");
    }

    /// Closes the browser.
    ///
    /// # Panics
    /// It is gone already.
    pub async fn close(self) {
        self.client.close().await.expect("the browser closes");
    }
}

/// Where pictures go.
pub fn screenshots() -> PathBuf {
    root().join("target/screenshots")
}
