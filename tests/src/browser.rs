//! Chromium, driven as a person would use it, on a phone and on a desk.
//!
//! | module | holds |
//! |---|---|
//! | [`driver`] | the one chromedriver, and opening windows |
//! | [`device`] | the size of the screen, dark mode, who is signed in |
//! | [`keyboard`] | keys, and where the focus is |
//! | [`axe`] | faults of accessibility |

pub mod axe;
pub mod device;
pub mod driver;
pub mod keyboard;

use std::fs;
use std::path::{Path, PathBuf};

use fantoccini::Locator;
use fantoccini::elements::Element;
use serde_json::{Value, json};
use tempfile::TempDir;

pub use driver::{Driver, Screen, in_browser};

use crate::server::root;
use crate::wait::until;

/// One person's browser, with cookies of its own.
pub struct Browser {
    client: fantoccini::Client,
    base: String,
    /// Where the driver answers.
    driver: String,
    profile: TempDir,
}

impl Browser {
    /// Opens a page of the server.
    ///
    /// # Panics
    /// It can't be reached.
    pub async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base)).await.expect(path);
    }

    /// Opens a file of this machine.
    ///
    /// # Panics
    /// It can't be opened.
    pub async fn open_file(&self, file: &Path) {
        self.client.goto(&format!("file://{}", file.display())).await.expect("a file to show");
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
        let mut last = String::new();
        let deadline = std::time::Instant::now() + crate::wait::DEADLINE;
        while std::time::Instant::now() < deadline {
            last = self.path().await;
            if last.starts_with(path) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let shown = self.script("return document.body.innerText;").await;
        panic!("never came to {path}, but to {last}; there is:\n{}", shown.as_str().unwrap_or_default());
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

    /// Waits until a text can't be seen any more.
    ///
    /// # Panics
    /// It stays.
    pub async fn reads_no_more(&self, text: &str) {
        let script = "return document.body && !document.body.innerText.includes(arguments[0]);";
        until(&format!("{text:?} to be gone"), async || {
            let gone = self.client.execute(script, vec![json!(text)]).await;
            matches!(gone, Ok(Value::Bool(true))).then_some(())
        })
        .await;
    }

    /// Remembers the page that is shown, for [`Self::has_stayed`].
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn stays(&self) {
        self.script("window.stayed = true;").await;
    }

    /// Whether the page is the one that [`Self::stays`] remembered: not loaded again, and no other.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn has_stayed(&self) -> bool {
        self.script("return window.stayed === true;").await == true
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

    /// Chooses from the list of this name what is called so.
    ///
    /// # Panics
    /// There is no such list or label.
    pub async fn choose_labelled(&self, name: &str, label: &str) {
        let list = self.element(&format!("[name=\"{name}\"]")).await;
        list.select_by_label(label).await.expect("a label to choose");
    }

    /// Picks a file of this machine in the file field at a selector.
    ///
    /// # Panics
    /// There is no such field.
    pub async fn attach(&self, selector: &str, file: &Path) {
        let path = file.to_str().expect("a path that is text");
        self.element(selector).await.send_keys(path).await.expect("a field for files");
    }

    /// Ticks, or chooses by a click. What a section that refreshes replaced meanwhile is looked for again.
    ///
    /// # Panics
    /// There is nothing at the selector, or it can't be clicked.
    pub async fn click(&self, selector: &str) {
        until(&format!("{selector} to be clicked"), async || {
            let element = self.element(selector).await;
            let scroll = "arguments[0].scrollIntoView({block: 'center'});";
            let clicked = async {
                self.client.execute(scroll, vec![json!(element)]).await?;
                element.click().await
            };
            match clicked.await {
                Ok(()) => Some(()),
                Err(error) if error.is_stale_element_reference() => None,
                Err(error) => panic!("{selector} can't be clicked: {error}"),
            }
        })
        .await;
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

    /// The tab that is shown.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn current_tab(&self) -> fantoccini::wd::WindowHandle {
        self.client.window().await.expect("a window")
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

    /// Whether the page is wider than the window, so that it scrolls sideways or what sticks out is cut off.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn scrolls_sideways(&self) -> bool {
        let script = "return [...document.querySelectorAll('html, body, main, .room')]
            .some((part) => part.scrollWidth > part.clientWidth);";
        self.script(script).await == json!(true)
    }

    /// Whether the element at a selector is larger inside than outside, so that it has a scroll bar.
    ///
    /// # Panics
    /// There is none.
    pub async fn scrolls_inside(&self, selector: &str) -> bool {
        self.element(selector).await;
        // Found again by the script itself: a section that refreshes may have replaced it meanwhile.
        let script = format!(
            "const {{ scrollWidth, clientWidth, scrollHeight, clientHeight }} = document.querySelector('{selector}');
            return scrollWidth > clientWidth || scrollHeight > clientHeight;"
        );
        self.script(&script).await == json!(true)
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
        self.client.clone().close().await.expect("the browser closes");
    }
}

/// A test that fails closes nothing, and a page with a call would go on using the processor.
impl Drop for Browser {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let profile = self.profile.path().to_string_lossy().into_owned();
        let Ok(processes) = fs::read_dir("/proc") else { return };
        for process in processes.flatten() {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&line).contains(&profile) {
                let kill = format!("kill -9 {}", process.file_name().to_string_lossy());
                // It may have ended by itself meanwhile.
                drop(std::process::Command::new("sh").args(["-c", &kill]).status());
            }
        }
    }
}

/// Where pictures go.
pub fn screenshots() -> PathBuf {
    root().join("target/screenshots")
}
