//! Requests, and answers that must never be a server error.

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE,
};
use reqwest::{Method, redirect};
use serde_json::Value;
use std::sync::Mutex;
use std::time::Duration;

use crate::document::Document;

const SESSION_COOKIE: &str = "pitlane_session";

/// One person's HTTP client. It keeps the cookie of signing in, follows no redirect, and panics at every 5xx and at every
/// answer that the OpenAPI description doesn't tell of.
pub struct Client {
    http: reqwest::Client,
    base: String,
    cookie: Mutex<Option<String>>,
    headers: HeaderMap,
    is_judged: bool,
}

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The JSON body; null when it is none.
    pub body: Value,
    /// The body as text.
    pub text: String,
    /// The headers.
    pub headers: HeaderMap,
    /// What was asked.
    pub asked: String,
}

impl Client {
    /// Somebody who has not signed in.
    ///
    /// # Panics
    /// The client can't be built.
    pub fn new(base: String) -> Self {
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .expect("an HTTP client");
        Self { http, base, cookie: Mutex::new(None), headers: HeaderMap::new(), is_judged: true }
    }

    /// The same, with one more header on every request.
    ///
    /// # Panics
    /// The header is malformed.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), value.parse().expect("a header value"));
        self
    }

    /// The same, signed in with an API token.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        self.with_header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// The same, for a server whose description is another: of another version, or outside development.
    #[must_use]
    pub fn described_elsewhere(self) -> Self {
        Self { is_judged: false, ..self }
    }

    /// A second client with the same sign-in, such as another tab.
    #[must_use]
    pub fn another_tab(&self) -> Self {
        Self {
            http: self.http.clone(),
            base: self.base.clone(),
            cookie: Mutex::new(self.cookie()),
            headers: self.headers.clone(),
            is_judged: self.is_judged,
        }
    }

    /// The value of the `Cookie` header, when signed in.
    ///
    /// # Panics
    /// Another thread panicked with it.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.lock().expect("nobody panicked").clone()
    }

    /// The `Authorization` header, when there is a token.
    pub fn authorization(&self) -> Option<HeaderValue> {
        self.headers.get(AUTHORIZATION).cloned()
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// POST with JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// POST without a body.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await
    }

    /// POST with an `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, key: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).header("idempotency-key", key).json(&body);
        self.perform(format!("POST {path} ({key})"), request).await
    }

    /// POST with a form.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.perform(format!("POST {path} (form)"), self.request(Method::POST, path).form(fields)).await
    }

    /// POST with any bytes.
    pub async fn post_bytes(&self, path: &str, content_type: &str, body: &[u8]) -> Answer {
        let request = self.request(Method::POST, path).header(CONTENT_TYPE, content_type).body(body.to_vec());
        self.perform(format!("POST {path} ({content_type})"), request).await
    }

    /// Any method, with JSON or nothing.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let asked = format!("{method} {path}");
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.perform(asked, request).await
    }

    /// A request that is not sent yet, with the sign-in.
    ///
    /// # Panics
    /// Another thread panicked with the cookie.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let address = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = self.http.request(method, address).headers(self.headers.clone());
        if let Some(cookie) = self.cookie() {
            request = request.header(COOKIE, cookie);
        }
        if !path.starts_with("/api") {
            request = request.header(ACCEPT, "text/html");
        }
        request
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Panics
    /// There is no answer, it is a server error, or it is not as the OpenAPI description says.
    pub async fn perform(&self, asked: String, request: reqwest::RequestBuilder) -> Answer {
        let answer = self.attempt(asked, request).await;
        assert!(answer.status < 500, "a server error: {answer:?}");
        answer
    }

    /// As [`Self::perform`], for a server in trouble, which may say so.
    ///
    /// # Panics
    /// There is no answer, or it is not as the OpenAPI description says.
    pub async fn attempt(&self, asked: String, request: reqwest::RequestBuilder) -> Answer {
        let (http, request) = request.build_split();
        let request = request.unwrap_or_else(|error| panic!("{asked}: {error}"));
        let (method, url) = (request.method().clone(), request.url().clone());
        let response = http.execute(request).await.unwrap_or_else(|error| panic!("{asked}: {error:?}"));
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        self.keep_cookie(&headers);
        let text = response.text().await.unwrap_or_else(|error| panic!("{asked}: {error}"));
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Answer { status, body, text, headers, asked };
        // Only of the server under test; some tests ask others.
        if self.is_judged && url.as_str().starts_with(&self.base) {
            // HEAD is answered as GET is, without the body.
            let fault = (method != reqwest::Method::HEAD)
                .then(|| Document::of_binary().fault(method.as_str(), url.path(), &answer))
                .flatten();
            assert!(fault.is_none(), "{}\n{answer:?}", fault.unwrap_or_default());
        }
        answer
    }

    fn keep_cookie(&self, headers: &HeaderMap) {
        for value in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = value.split(';').next().unwrap_or_default();
            if let Some(token) = pair.strip_prefix(SESSION_COOKIE).and_then(|rest| rest.strip_prefix('=')) {
                let gone = token.is_empty() || value.to_ascii_lowercase().contains("max-age=0");
                *self.cookie.lock().expect("nobody panicked") = (!gone).then(|| pair.to_owned());
            }
        }
    }
}

impl Answer {
    /// Asserts the status.
    ///
    /// # Panics
    /// It is another.
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Asserts a refusal in the contract's shape with this status and code.
    ///
    /// # Panics
    /// It is anything else.
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, Some(code)), "{self:?}");
        self.assert_is_problem();
    }

    /// Asserts that this is the contract's shape of an error.
    ///
    /// # Panics
    /// It is not.
    pub fn assert_is_problem(&self) {
        let content_type =
            self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert!(content_type.starts_with("application/problem+json"), "{self:?}");
        assert_eq!(self.body["status"], self.status, "{self:?}");
        for field in ["type", "title", "detail", "code", "request_id"] {
            assert!(self.body[field].as_str().is_some_and(|text| !text.is_empty()), "no {field}: {self:?}");
        }
        let code = self.code().unwrap_or_default();
        assert!(code.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'), "{self:?}");
        for leak in ["SELECT ", "INSERT ", "diesel", "sqlite", ".rs:", "panicked"] {
            assert!(!self.text.contains(leak), "an error shows its inside: {self:?}");
        }
    }

    /// The code of an error.
    pub fn code(&self) -> Option<&str> {
        self.body["code"].as_str()
    }

    /// A text in the body, by JSON pointer or by the name of a field.
    ///
    /// # Panics
    /// It is not there.
    pub fn text_at(&self, field: &str) -> String {
        let value = if field.starts_with('/') { self.body.pointer(field) } else { self.body.get(field) };
        value.and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {field}: {self:?}")).to_owned()
    }

    /// Where it redirects to.
    ///
    /// # Panics
    /// It does not redirect.
    pub fn location(&self) -> String {
        let location = self.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        location.unwrap_or_else(|| panic!("no redirect: {self:?}")).to_owned()
    }
}
