//! A customer, a mechanic, an admin.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Client;
use crate::server::TestServer;
use crate::socket::Socket;

/// The password of the demo accounts.
pub const DEMO_PASSWORD: &str = "pitlane-demo";

/// The password of people who register in tests.
pub const PASSWORD: &str = "a long enough password 42";

/// Somebody who has signed in.
pub struct Person {
    /// Their client, with their sign-in.
    pub client: Client,
    /// Their user id.
    pub id: String,
    /// Their e-mail address.
    pub email: String,
    /// Their name.
    pub name: String,
}

impl Person {
    fn of(client: Client, user: &Value) -> Self {
        let text =
            |field: &str| user[field].as_str().unwrap_or_else(|| panic!("no {field} in {user}")).to_owned();
        Self { client, id: text("id"), email: text("email"), name: text("name") }
    }

    /// A socket with their sign-in.
    pub async fn socket(&self, server: &TestServer) -> Socket {
        Socket::connect(server, &self.client).await
    }

    /// The channel that is theirs alone.
    pub fn channel(&self, kind: &str) -> String {
        format!("{kind}:{}", self.id)
    }
}

impl TestServer {
    /// Signs in with a password.
    ///
    /// # Panics
    /// It is refused.
    pub async fn sign_in(&self, email: &str, password: &str) -> Person {
        let client = self.guest();
        let answer = client.post("/api/auth/login", json!({ "email": email, "password": password })).await;
        let answer = answer.expect_status(200);
        Person::of(client, &answer.body["user"])
    }

    /// One of the demo accounts.
    ///
    /// # Panics
    /// It is not there.
    pub async fn demo(&self, name: &str) -> Person {
        self.sign_in(&format!("{name}@example.com"), DEMO_PASSWORD).await
    }

    /// The admin of the demo accounts.
    ///
    /// # Panics
    /// It is not there.
    pub async fn admin(&self) -> Person {
        self.demo("admin").await
    }

    /// Somebody new, with an e-mail address that is not verified.
    ///
    /// # Panics
    /// Registering is refused.
    pub async fn register(&self, role: &str, name: &str) -> Person {
        let client = self.guest();
        let email = format!("{role}.{}@example.com", Uuid::new_v4().simple());
        let body = json!({ "email": email, "password": PASSWORD, "name": name, "role": role });
        let answer = client.post("/api/auth/register", body).await.expect_status(201);
        Person::of(client, &answer.body["user"])
    }

    /// A new customer who followed the link of the verification mail.
    ///
    /// # Panics
    /// A step is refused.
    pub async fn customer(&self) -> Person {
        let person = self.register("customer", "Dana Driver").await;
        self.verify(&person).await;
        person
    }

    /// A new mechanic: verified, approved by an admin, on duty.
    ///
    /// # Panics
    /// A step is refused.
    pub async fn mechanic(&self) -> Person {
        let person = self.register("mechanic", "Max Mechanic").await;
        self.verify(&person).await;
        let approve = format!("/api/admin/mechanics/{}/approve", person.id);
        let answer = self.admin().await.client.post_nothing(&approve).await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
        person.client.put_duty(true).await;
        person
    }

    /// Follows the link of the verification mail.
    ///
    /// # Panics
    /// There is no mail, or its token is refused.
    pub async fn verify(&self, person: &Person) {
        let token = self.mailed_token(&person.email, "verification", "/auth/verify/").await;
        self.guest().post("/api/auth/verify", json!({ "token": token })).await.expect_status(204);
    }

    /// The token at the end of a mailed link.
    ///
    /// # Panics
    /// There is no such mail or link.
    pub async fn mailed_token(&self, address: &str, milestone: &str, path: &str) -> String {
        let message = self.message_to(address, milestone).await;
        let links = message["links"].as_array().expect("a list of links");
        let mut tokens = links.iter().filter_map(Value::as_str).filter_map(|link| link.split_once(path));
        let (_, token) = tokens.next().unwrap_or_else(|| panic!("no link {path} in {message}"));
        token.split(['?', '#']).next().unwrap_or_default().to_owned()
    }
}

impl Client {
    /// Goes on duty, or off.
    ///
    /// # Panics
    /// It is refused.
    pub async fn put_duty(&self, on_duty: bool) {
        let answer = self
            .send(reqwest::Method::PUT, "/api/mechanics/me/duty", Some(json!({ "on_duty": on_duty })))
            .await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
    }
}
