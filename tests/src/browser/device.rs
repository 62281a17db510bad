//! What a page can't choose: the size of the screen, light or dark, the network, and who is signed in.

use serde_json::{Value, json};

use super::Browser;
use crate::people::Person;

impl Browser {
    /// Gives the page this many CSS pixels, until another page is opened.
    ///
    /// # Panics
    /// The browser refuses.
    pub async fn resize(&self, width: u32, height: u32) {
        let mobile = width < 768;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Makes the device dark, or light; pages follow unless their viewer chose otherwise.
    ///
    /// # Panics
    /// The browser refuses.
    pub async fn set_dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// Signs in as somebody who has signed in elsewhere, without the page for it.
    ///
    /// # Panics
    /// They have no cookie, or the browser refuses it.
    pub async fn sign_in_as(&self, person: &Person) {
        self.set_cookie(&person.client.cookie().expect("somebody who has signed in")).await;
    }

    /// Takes over a cookie, given as the `Cookie` header.
    ///
    /// # Panics
    /// It is none, or the browser refuses it.
    pub async fn set_cookie(&self, cookie: &str) {
        let (name, value) = cookie.split_once('=').expect("a name and a value");
        let cookie = json!({ "name": name, "value": value, "url": self.base, "httpOnly": true });
        self.devtools("Network.setCookie", cookie).await;
    }

    /// Forgets who is signed in.
    ///
    /// # Panics
    /// The browser refuses.
    pub async fn forget_sign_in(&self) {
        self.devtools("Network.clearBrowserCookies", json!({})).await;
    }

    /// A slow phone on a slow network from the next page on, with nothing cached: a quarter of this machine's speed, 1.6
    /// Mbit/s down, 750 kbit/s up, 150 ms there and back.
    ///
    /// # Panics
    /// The browser refuses.
    pub async fn slow_phone(&self) {
        self.devtools("Network.enable", json!({})).await;
        self.devtools("Network.clearBrowserCache", json!({})).await;
        self.devtools("Emulation.setCPUThrottlingRate", json!({ "rate": 4 })).await;
        let network = json!({
            "offline": false, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750,
        });
        self.devtools("Network.emulateNetworkConditions", network).await;
    }

    /// Runs a script in every page that is opened from now on, before the page's own.
    ///
    /// # Panics
    /// The browser refuses.
    pub async fn before_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// Takes the network away, or gives it back. Sockets and calls that are open stay open; the page can begin no other.
    ///
    /// # Panics
    /// The browser refuses.
    pub async fn set_offline(&self, offline: bool) {
        self.devtools("Network.enable", json!({})).await;
        let network = json!({
            "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.devtools("Network.emulateNetworkConditions", network).await;
    }

    // WebDriver has no commands for these; Chromium's own protocol does.
    async fn devtools(&self, command: &str, parameters: Value) {
        let session = self.client.session_id().await.expect("the browser is there").expect("it is open");
        let address = format!("{}/session/{session}/goog/cdp/execute", self.driver);
        let body = json!({ "cmd": command, "params": parameters });
        let answer =
            reqwest::Client::new().post(address).json(&body).send().await.expect("the driver answers");
        let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
        assert!(status.is_success(), "{command}: {text}");
    }
}
