//! The Stripe client against the sandbox, over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::{App, HttpServer};
use gateways::stripe::{Settings, Stripe};
use kernel::id::{OrderId, RefundId, UserId};
use kernel::{Currency, Money, Timestamp};
use payments::gateway::{
    CallbackError, CheckoutLine, CheckoutStatus, EventSubject, Gateway, GatewayError, IntentStatus,
    NewCheckout, NewCustomer, NewProviderRefund, ProviderRefundStatus,
};
use uuid::Uuid;

const NOW: i64 = 1_760_860_800;
const SECRET: &str = "whsec_test";

struct Shop {
    stripe: Stripe,
    base: String,
    clock: Arc<AtomicI64>,
    server: actix_web::dev::ServerHandle,
    _folder: tempfile::TempDir,
}

impl Shop {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("bound"));
        let clock = Arc::new(AtomicI64::new(NOW));
        let reading = Arc::clone(&clock);
        let sandbox = sandbox::Sandbox::open(
            sandbox::Settings {
                database: folder.path().join("sandbox.db"),
                webhook_url: format!("{base}/nobody"),
                webhook_secret: SECRET.into(),
                public_url: base.clone(),
                api_version: "2026-09-30.endive".into(),
            },
            Arc::new(move || reading.load(Ordering::SeqCst)),
        )
        .expect("a sandbox");
        let routes = sandbox.routes();
        let server = HttpServer::new(move || App::new().configure(routes.clone()))
            .workers(1)
            .disable_signals()
            .listen(listener)
            .expect("listening")
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        let stripe = Stripe::new(Settings {
            secret_key: "sk_test_gateways".into(),
            api_base: Some(base.clone()),
            webhook_secrets: vec![SECRET.into()],
            webhook_tolerance_seconds: 300,
        })
        .expect("a client");
        Self { stripe, base, clock, server: handle, _folder: folder }
    }

    async fn customer(&self) -> String {
        let customer = NewCustomer {
            customer: UserId::new(Uuid::from_u128(1)),
            email: "driver@example.com".into(),
            name: "A Driver".into(),
        };
        self.stripe.customer_create(&customer).await.expect("a customer")
    }

    async fn checkout(&self, order: u128) -> NewCheckout {
        NewCheckout {
            order: OrderId::new(Uuid::from_u128(order)),
            idempotency_key: format!("checkout:{order}"),
            customer: self.customer().await,
            line: CheckoutLine { name: "Quick Chat".into(), amount: usd(999), price: None },
            success_url: format!("{}/checkout/success?session_id={{CHECKOUT_SESSION_ID}}", self.base),
            cancel_url: format!("{}/dashboard", self.base),
            expires_at: Timestamp::from_unix_seconds(NOW + 3_600).expect("in range"),
            metadata: BTreeMap::from([("plan".to_owned(), "chat10".to_owned())]),
        }
    }

    async fn pay(&self, checkout: &str, card: &str) -> u16 {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        client
            .expect("a client")
            .post(format!("{}/sandbox/checkout/{checkout}/pay", self.base))
            .form(&[("card_number", card), ("exp", "12/34"), ("cvc", "123")])
            .send()
            .await
            .expect("an answer")
            .status()
            .as_u16()
    }

    /// A payment page that was paid with the card that always works.
    async fn paid(&self, order: u128) -> payments::gateway::Checkout {
        let checkout = self.stripe.checkout_create(&self.checkout(order).await).await.expect("a page");
        assert_eq!(self.pay(&checkout.id, "4242424242424242").await, 303);
        self.stripe.checkout_by_id(&checkout.id).await.expect("a page")
    }

    async fn close(self) {
        self.server.stop(false).await;
    }
}

const fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::Usd)
}

#[tokio::test]
async fn a_page_is_made_paid_and_read_again() {
    let shop = Shop::open().await;
    let new = shop.checkout(1).await;
    let open = shop.stripe.checkout_create(&new).await.expect("a page");
    assert_eq!((open.status, open.paid, open.amount), (CheckoutStatus::Open, false, Some(usd(999))));
    assert_eq!(open.order, Some(new.order));
    assert!(open.url.as_deref().is_some_and(|url| url.contains(&open.id)), "{:?}", open.url);

    assert_eq!(shop.pay(&open.id, "4242424242424242").await, 303);
    let paid = shop.stripe.checkout_by_id(&open.id).await.expect("a page");
    assert_eq!((paid.status, paid.paid, paid.amount), (CheckoutStatus::Complete, true, Some(usd(999))));
    let intent = shop.stripe.intent_by_id(paid.payment_intent.as_deref().expect("a payment")).await;
    let intent = intent.expect("a payment");
    assert_eq!(
        (intent.status, intent.amount, intent.received),
        (IntentStatus::Succeeded, usd(999), usd(999))
    );
    shop.close().await;
}

#[tokio::test]
async fn the_same_key_makes_one_page_and_one_customer_and_other_words_under_it_are_refused() {
    let shop = Shop::open().await;
    assert_eq!(shop.customer().await, shop.customer().await);
    let new = shop.checkout(1).await;
    let first = shop.stripe.checkout_create(&new).await.expect("a page");
    let again = shop.stripe.checkout_create(&new).await.expect("a page");
    assert_eq!(first.id, again.id);
    let mut other = new;
    other.line.amount = usd(1_000);
    let refused = shop.stripe.checkout_create(&other).await;
    assert!(matches!(refused, Err(GatewayError::Refused { .. })), "{refused:?}");
    shop.close().await;
}

#[tokio::test]
async fn a_declined_card_leaves_the_page_open_and_unpaid() {
    let shop = Shop::open().await;
    let open = shop.stripe.checkout_create(&shop.checkout(1).await).await.expect("a page");
    assert_eq!(shop.pay(&open.id, "4000000000000002").await, 402);
    let still = shop.stripe.checkout_by_id(&open.id).await.expect("a page");
    assert_eq!((still.status, still.paid), (CheckoutStatus::Open, false));
    assert_eq!(shop.pay(&open.id, "4242424242424242").await, 303);
    assert!(shop.stripe.checkout_by_id(&open.id).await.expect("a page").paid);
    shop.close().await;
}

#[tokio::test]
async fn money_goes_back_once_per_key_and_never_more_than_came() {
    let shop = Shop::open().await;
    let intent = shop.paid(1).await.payment_intent.expect("a payment");
    let part = NewProviderRefund {
        refund: RefundId::new(Uuid::from_u128(7)),
        payment_intent: intent.clone(),
        amount: usd(400),
        idempotency_key: "refund:7".into(),
    };
    let first = shop.stripe.refund_create(&part).await.expect("a refund");
    assert_eq!(
        (first.status, first.amount, first.refund),
        (ProviderRefundStatus::Succeeded, usd(400), Some(part.refund))
    );
    assert_eq!(shop.stripe.refund_create(&part).await, Ok(first.clone()));
    assert_eq!(shop.stripe.refunds_of_intent(&intent).await, Ok(vec![first]));
    let rest = NewProviderRefund { amount: usd(600), idempotency_key: "refund:8".into(), ..part };
    let refused = shop.stripe.refund_create(&rest).await;
    assert!(matches!(refused, Err(GatewayError::Refused { .. })), "{refused:?}");
    shop.close().await;
}

#[tokio::test]
async fn closing_a_page_says_what_it_is_now() {
    let shop = Shop::open().await;
    let open = shop.stripe.checkout_create(&shop.checkout(1).await).await.expect("a page");
    let closed = shop.stripe.checkout_expire(&open.id).await.expect("a page");
    assert_eq!(closed.status, CheckoutStatus::Expired);
    assert_eq!(
        shop.stripe.checkout_expire(&open.id).await.map(|page| page.status),
        Ok(CheckoutStatus::Expired)
    );
    let paid = shop.paid(2).await;
    let too_late = shop.stripe.checkout_expire(&paid.id).await.expect("a page");
    assert_eq!((too_late.status, too_late.paid), (CheckoutStatus::Complete, true));
    shop.close().await;
}

#[tokio::test]
async fn a_page_closes_by_itself_when_its_time_is_over() {
    let shop = Shop::open().await;
    let open = shop.stripe.checkout_create(&shop.checkout(1).await).await.expect("a page");
    shop.clock.store(NOW + 3_601, Ordering::SeqCst);
    let closed = shop.stripe.checkout_by_id(&open.id).await.expect("a page");
    assert_eq!(closed.status, CheckoutStatus::Expired);
    shop.close().await;
}

#[tokio::test]
async fn the_list_of_events_tells_of_the_payment_and_the_refund_oldest_first() {
    let shop = Shop::open().await;
    let paid = shop.paid(1).await;
    let intent = paid.payment_intent.clone().expect("a payment");
    let refund = NewProviderRefund {
        refund: RefundId::new(Uuid::from_u128(7)),
        payment_intent: intent.clone(),
        amount: usd(999),
        idempotency_key: "refund:7".into(),
    };
    shop.stripe.refund_create(&refund).await.expect("a refund");
    let since = Timestamp::from_unix_seconds(NOW).expect("in range");
    let events = shop.stripe.events_since(since).await.expect("events");
    let EventSubject::Intent(paid_intent) = &events.first().expect("an event").subject else {
        panic!("the first event is about the payment: {events:?}");
    };
    assert_eq!((&paid_intent.id, paid_intent.received), (&intent, usd(999)));
    let EventSubject::Checkout { checkout, failed, final_word } = &events[1].subject else {
        panic!("the second event is about the page: {events:?}");
    };
    assert_eq!((checkout.id.as_str(), *failed, *final_word), (paid.id.as_str(), false, true));
    let about_refunds = EventSubject::Refunds { payment_intent: intent };
    assert!(events[2..].iter().all(|event| event.subject == about_refunds), "{events:?}");
    assert!(!events[2..].is_empty());
    let later = since.plus_seconds(10);
    assert_eq!(shop.stripe.events_since(later).await, Ok(Vec::new()));
    shop.close().await;
}

#[tokio::test]
async fn a_webhook_of_the_sandbox_is_believed_and_a_changed_one_is_not() {
    let shop = Shop::open().await;
    shop.paid(1).await;
    let since = Timestamp::from_unix_seconds(NOW).expect("in range");
    let events = shop.stripe.events_since(since).await.expect("events");
    let of_page = events.into_iter().find(|event| event.inbox.kind == "checkout.session.completed");
    let body = of_page.expect("an event about the page").inbox.body;
    let header = sandbox::signature_header(SECRET, NOW, body.as_bytes());
    let event = shop.stripe.event_from_callback(body.as_bytes(), &header, since).expect("genuine");
    assert_eq!(event.inbox.kind, "checkout.session.completed");
    let changed = body.replace("999", "998");
    let answer = shop.stripe.event_from_callback(changed.as_bytes(), &header, since);
    assert_eq!(answer, Err(CallbackError::BadSignature));
    let late = since.plus_seconds(301);
    assert_eq!(shop.stripe.event_from_callback(body.as_bytes(), &header, late), Err(CallbackError::Stale));
    let signed_nonsense = sandbox::signature_header(SECRET, NOW, b"[]");
    let answer = shop.stripe.event_from_callback(b"[]", &signed_nonsense, since);
    assert!(matches!(answer, Err(CallbackError::Malformed(_))), "{answer:?}");
    shop.close().await;
}

#[tokio::test]
async fn what_does_not_exist_is_missing_and_a_closed_shop_is_unavailable() {
    let shop = Shop::open().await;
    assert_eq!(shop.stripe.checkout_by_id("cs_test_none").await, Err(GatewayError::Missing));
    let Shop { stripe, server, .. } = shop;
    server.stop(false).await;
    let answer = stripe.checkout_by_id("cs_test_none").await;
    assert!(matches!(answer, Err(GatewayError::Unavailable(_))), "{answer:?}");
    let refund = NewProviderRefund {
        refund: RefundId::new(Uuid::from_u128(7)),
        payment_intent: "pi_1".into(),
        amount: usd(1),
        idempotency_key: "refund:7".into(),
    };
    let answer = stripe.refund_create(&refund).await;
    assert!(matches!(answer, Err(GatewayError::Unavailable(_))), "a connection was never made: {answer:?}");
}
