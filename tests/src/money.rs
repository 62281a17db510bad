//! An intake, a checkout, and the sandbox's payment page.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::people::Person;
use crate::server::TestServer;
use crate::wait::until;

/// A card that pays.
pub const GOOD_CARD: &str = "4242424242424242";

/// A card that is declined.
pub const DECLINED_CARD: &str = "4000000000000002";

/// A card whose holder must confirm.
pub const AUTHENTICATED_CARD: &str = "4000002500003155";

/// A card that pays a few seconds later.
pub const DELAYED_CARD: &str = "4000000000000077";

/// What a checkout answered.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// Our order.
    pub order_id: String,
    /// Stripe's id of the payment page.
    pub id: String,
    /// The payment page.
    pub url: String,
}

/// The body of an intake.
pub fn intake_body(plan: &str) -> Value {
    json!({
        "plan": plan,
        "vehicle": { "year": 2016, "make": "Honda", "model": "Civic", "mileage": 84_000 },
        "concern": "A grinding noise from the front left when braking.",
        "accept_waiver": true,
    })
}

impl Person {
    /// Describes the car and accepts the waiver.
    ///
    /// # Panics
    /// It is refused.
    pub async fn intake(&self, plan: &str) -> Answer {
        self.client.post("/api/intake/start", intake_body(plan)).await.expect_status(201)
    }

    /// Goes to the payment page.
    ///
    /// # Panics
    /// It is refused.
    pub async fn checkout(&self, plan: &str) -> Checkout {
        let intake = self.intake(plan).await.text_at("intake_id");
        self.checkout_of(&intake).await
    }

    /// Goes to the payment page of an intake.
    ///
    /// # Panics
    /// It is refused.
    pub async fn checkout_of(&self, intake: &str) -> Checkout {
        let answer =
            self.client.post("/api/checkout", json!({ "intake_id": intake })).await.expect_status(201);
        Checkout {
            order_id: answer.text_at("order_id"),
            id: answer.text_at("checkout_session_id"),
            url: answer.text_at("checkout_url"),
        }
    }

    /// Types a card into the payment page.
    pub async fn pay(&self, checkout: &Checkout, card: &str) -> Answer {
        let path = format!("/sandbox/checkout/{}/pay", checkout.id);
        self.client.post_form(&path, &[("card_number", card), ("exp", "12/34"), ("cvc", "123")]).await
    }

    /// Types a card into the payment page and ticks that it may be kept.
    pub async fn pay_and_keep(&self, checkout: &Checkout, card: &str) -> Answer {
        let path = format!("/sandbox/checkout/{}/pay", checkout.id);
        let form = [
            ("card_number", card),
            ("exp", "12/34"),
            ("cvc", "123"),
            ("name", &self.name),
            ("email", &self.email),
            ("save_card", "on"),
        ];
        self.client.post_form(&path, &form).await
    }

    /// A paid session whose card is kept.
    ///
    /// # Panics
    /// A step is refused.
    pub async fn session_with_card(&self, plan: &str, card: &str) -> String {
        let checkout = self.checkout(plan).await;
        self.pay_and_keep(&checkout, card).await.expect_status(303);
        self.session_of(&checkout).await
    }

    /// The session of a paid checkout, by the call of the return page.
    ///
    /// # Panics
    /// It is not fulfilled in time.
    pub async fn session_of(&self, checkout: &Checkout) -> String {
        until("the order to be fulfilled", async || {
            let answer = self.client.get(&resolve_path(checkout)).await;
            assert!(answer.status == 200 || answer.status == 202, "{answer:?}");
            (answer.status == 200).then(|| answer.text_at("session_id"))
        })
        .await
    }

    /// From the intake to a paid session.
    ///
    /// # Panics
    /// A step is refused.
    pub async fn paid_session(&self, plan: &str) -> String {
        let checkout = self.checkout(plan).await;
        self.pay(&checkout, GOOD_CARD).await.expect_status(303);
        self.session_of(&checkout).await
    }

    /// The open offer of a session, as the mechanic's queue shows it.
    ///
    /// # Panics
    /// It does not arrive in time.
    pub async fn offer_of(&self, session: &str) -> Value {
        until("the request to be offered", async || {
            let answer = self.client.get("/api/requests").await.expect_status(200);
            let items = answer.body["items"].as_array().expect("a list").clone();
            items.into_iter().find(|item| item["session_id"] == session)
        })
        .await
    }

    /// Accepts the request of a session.
    ///
    /// # Panics
    /// It is refused.
    pub async fn accept(&self, session: &str) {
        let offer = self.offer_of(session).await;
        let id = offer["id"].as_str().expect("an id").to_owned();
        let answer = self.client.post_nothing(&format!("/api/requests/{id}/accept")).await.expect_status(200);
        assert_eq!(answer.text_at("session_id"), session);
    }

    /// Starts a session, ends it, or cancels it.
    pub async fn step(&self, session: &str, step: &str) -> Answer {
        self.client.post_nothing(&format!("/api/sessions/{session}/{step}")).await
    }

    /// Says something by REST.
    pub async fn say(&self, session: &str, client_ref: &str, text: &str) -> Answer {
        let body = json!({ "client_ref": client_ref, "text": text });
        self.client.post(&format!("/api/sessions/{session}/messages"), body).await
    }

    /// The whole log of a session, asserting that its numbers have no gap.
    ///
    /// # Panics
    /// There is a gap, or the call is refused.
    pub async fn events(&self, session: &str) -> Vec<Value> {
        let answer = self.client.get(&format!("/api/sessions/{session}/events?after_seq=0&limit=500")).await;
        let answer = answer.expect_status(200);
        let items = answer.body["items"].as_array().expect("a list").clone();
        for (index, event) in items.iter().enumerate() {
            assert_eq!(event["seq"].as_u64(), u64::try_from(index + 1).ok(), "a gap: {event}");
        }
        items
    }

    /// How a session looks to this person.
    ///
    /// # Panics
    /// The call is refused.
    pub async fn session(&self, session: &str) -> Value {
        self.client.get(&format!("/api/sessions/{session}")).await.expect_status(200).body
    }
}

/// The call of the return page.
pub fn resolve_path(checkout: &Checkout) -> String {
    format!("/api/sessions/resolve-by-stripe?session_id={}", checkout.id)
}

/// A customer, a mechanic, and a session between them.
pub struct Meeting {
    /// Who pays.
    pub customer: Person,
    /// Who helps.
    pub mechanic: Person,
    /// The session.
    pub session: String,
}

/// A chat whose payment its customer has taken to their bank.
pub struct Disputed {
    /// Who paid and doubts it.
    pub customer: Person,
    /// The session.
    pub session: String,
    /// The charge.
    pub intent: String,
}

impl TestServer {
    /// The shop's own view of the sandbox, by Stripe's API.
    pub fn provider(&self) -> Client {
        self.guest().with_token("sk_test_sandbox")
    }

    /// The charge of a payment page that was paid.
    ///
    /// # Panics
    /// It was not.
    pub async fn intent_of(&self, checkout: &Checkout) -> String {
        let page = self.provider().get(&format!("/v1/checkout/sessions/{}", checkout.id)).await;
        page.expect_status(200).text_at("payment_intent")
    }

    /// Whoever paid takes a charge to their bank; answers the provider's id of the dispute.
    ///
    /// # Panics
    /// The sandbox refuses.
    pub async fn dispute(&self, intent: &str) -> String {
        let opened = self.guest().post("/sandbox/disputes", json!({ "payment_intent": intent })).await;
        opened.expect_status(200).text_at("id")
    }

    /// A paid chat that nobody has accepted, whose payment is disputed at the provider.
    ///
    /// # Panics
    /// A step is refused.
    pub async fn disputed_chat(&self) -> Disputed {
        let customer = self.customer().await;
        let checkout = customer.checkout("chat10").await;
        customer.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let session = customer.session_of(&checkout).await;
        let intent = self.intent_of(&checkout).await;
        self.dispute(&intent).await;
        Disputed { customer, session, intent }
    }

    /// A paid chat that a mechanic has accepted and started.
    ///
    /// # Panics
    /// A step is refused.
    pub async fn meeting(&self) -> Meeting {
        let (customer, mechanic) = (self.customer().await, self.mechanic().await);
        let session = customer.paid_session("chat10").await;
        mechanic.accept(&session).await;
        mechanic.step(&session, "start").await.expect_status(200);
        Meeting { customer, mechanic, session }
    }
}
