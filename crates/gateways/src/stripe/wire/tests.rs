use std::collections::BTreeSet;

use kernel::id::{OrderId, RefundId, UserId};
use stripe::StripeRequest;
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn order() -> OrderId {
    OrderId::new(Uuid::from_u128(1))
}

fn new_checkout(price: Option<&str>) -> NewCheckout {
    NewCheckout {
        order: order(),
        idempotency_key: "checkout:1".into(),
        customer: "cus_1".into(),
        line: payments::gateway::CheckoutLine {
            name: "Quick Chat".into(),
            amount: Money::new(999, Currency::Usd),
            price: price.map(str::to_owned),
        },
        success_url: "http://localhost:8080/checkout/success?session_id={CHECKOUT_SESSION_ID}".into(),
        cancel_url: "http://localhost:8080/dashboard".into(),
        expires_at: Timestamp::UNIX_EPOCH.plus_seconds(3_600),
        metadata: [("plan".to_owned(), "chat10".to_owned())].into(),
    }
}

/// The form as a set: the order of metadata doesn't matter on the wire.
fn form(request: &impl StripeRequest) -> BTreeSet<String> {
    let body = request.build().body.expect("a form");
    body.split('&').map(|pair| pair.replace("%5B", "[").replace("%5D", "]")).collect()
}

#[test]
fn a_price_stands_in_the_request_when_none_is_configured() {
    let form = form(&checkout_request(&new_checkout(None)));
    for pair in [
        "mode=payment",
        "customer=cus_1",
        "expires_at=3600",
        "line_items[0][quantity]=1",
        "line_items[0][price_data][currency]=usd",
        "line_items[0][price_data][unit_amount]=999",
        "line_items[0][price_data][product_data][name]=Quick+Chat",
        "metadata[plan]=chat10",
        "metadata[order_id]=00000000-0000-0000-0000-000000000001",
        "payment_intent_data[metadata][order_id]=00000000-0000-0000-0000-000000000001",
        "client_reference_id=00000000-0000-0000-0000-000000000001",
    ] {
        assert!(form.contains(pair), "{pair} is missing from {form:#?}");
    }
}

#[test]
fn a_configured_price_replaces_the_inline_one() {
    let form = form(&checkout_request(&new_checkout(Some("price_1"))));
    assert!(form.contains("line_items[0][price]=price_1"), "{form:#?}");
    assert!(!form.iter().any(|pair| pair.contains("price_data")), "{form:#?}");
}

#[test]
fn a_refund_names_its_payment_and_itself() {
    let new = NewProviderRefund {
        refund: RefundId::new(Uuid::from_u128(2)),
        payment_intent: "pi_1".into(),
        amount: Money::new(400, Currency::Usd),
        idempotency_key: "refund:2".into(),
    };
    let expected: BTreeSet<String> =
        ["payment_intent=pi_1", "amount=400", "metadata[refund_id]=00000000-0000-0000-0000-000000000002"]
            .map(str::to_owned)
            .into();
    assert_eq!(form(&refund_request(&new)), expected);
}

#[test]
fn a_customer_is_made_with_the_persons_own_id() {
    let new = NewCustomer {
        customer: UserId::new(Uuid::from_u128(3)),
        email: "a@example.com".into(),
        name: "A".into(),
    };
    assert!(form(&customer_request(&new)).contains("metadata[user_id]=00000000-0000-0000-0000-000000000003"));
}

const PAID: &str = r#"{"id":"cs_1","object":"checkout.session","status":"complete","payment_status":"paid","url":null,
    "payment_intent":"pi_1","amount_total":999,"currency":"usd","a_field_of_tomorrow":{"x":[1]},
    "metadata":{"order_id":"00000000-0000-0000-0000-000000000001"}}"#;

fn event_of(kind: &str, object: &str) -> String {
    format!(
        r#"{{"id":"evt_1","type":"{kind}","created":1760860800,"api_version":"2019-01-01","data":{{"object":{object}}}}}"#
    )
}

#[test]
fn an_event_without_a_time_happened_when_it_came() {
    let told = event_of("invoice.paid", r#"{"id":"in_1"}"#);
    let now = Timestamp::from_unix_seconds(1_800_000_000).expect("in range");
    let of = |text: &str| event(text, now).expect("readable").inbox.created_at;
    assert_eq!(of(&told.replace(r#""created":1760860800,"#, "")), now);
    assert_eq!(of(&told).unix_seconds(), 1_760_860_800);
}

#[test]
fn a_paid_page_is_read_whether_its_payment_is_an_id_or_the_whole_object() {
    let plain = checkout(PAID).expect("readable");
    assert_eq!(plain.amount, Some(Money::new(999, Currency::Usd)));
    assert_eq!((plain.status, plain.paid, plain.order), (CheckoutStatus::Complete, true, Some(order())));
    let expanded = PAID
        .replace(r#""payment_intent":"pi_1""#, r#""payment_intent":{"id":"pi_1","object":"payment_intent"}"#);
    assert_eq!(checkout(&expanded), Ok(plain));
}

#[test]
fn paid_failed_and_expired_are_final_and_anything_else_is_asked_about_again() {
    let unpaid = PAID.replace(r#""payment_status":"paid""#, r#""payment_status":"unpaid""#);
    let expired = unpaid.replace(r#""status":"complete""#, r#""status":"expired""#);
    let foreign = PAID.replace(r#""currency":"usd""#, r#""currency":"jpy""#);
    let new_status = PAID.replace(r#""status":"complete""#, r#""status":"suspended""#);
    for (kind, object, expected_failed, expected_final) in [
        ("checkout.session.completed", PAID, false, true),
        ("checkout.session.async_payment_succeeded", PAID, false, true),
        ("checkout.session.completed", &unpaid, false, false),
        ("checkout.session.async_payment_failed", &unpaid, true, true),
        ("checkout.session.expired", &expired, false, true),
        ("checkout.session.completed", &foreign, false, false),
        ("checkout.session.completed", &new_status, false, false),
    ] {
        let event = event(&event_of(kind, object), NOW).expect("readable");
        let EventSubject::Checkout { checkout, failed, final_word } = event.subject else {
            panic!("{kind} is about a payment page");
        };
        assert_eq!(checkout.id, "cs_1", "{kind}");
        assert_eq!((failed, final_word), (expected_failed, expected_final), "{kind} {object}");
    }
}

#[test]
fn an_event_about_a_refund_names_the_payment() {
    for kind in ["charge.refunded", "refund.updated", "refund.failed"] {
        let event =
            event(&event_of(kind, r#"{"id":"re_1","payment_intent":"pi_1"}"#), NOW).expect("readable");
        assert_eq!(event.subject, EventSubject::Refunds { payment_intent: "pi_1".into() }, "{kind}");
    }
}

#[test]
fn other_events_are_taken_and_ignored_and_broken_ones_refused() {
    let other = event(&event_of("invoice.paid", r#"{"id":"in_1"}"#), NOW).expect("readable");
    assert_eq!(other.subject, EventSubject::Other);
    assert_eq!(other.inbox.body, event_of("invoice.paid", r#"{"id":"in_1"}"#));
    for text in
        ["", "{}", "[]", r#"{"id":"evt_1"}"#, r#"{"id":1,"type":"x","created":1,"data":{"object":{}}}"#]
    {
        assert!(event(text, NOW).is_err(), "{text}");
    }
}

#[test]
fn every_state_of_a_payment_and_a_refund_is_understood_and_a_new_one_is_not_guessed() {
    for (status, expected) in [
        ("requires_payment_method", Some(IntentStatus::NeedsCustomer)),
        ("requires_action", Some(IntentStatus::NeedsCustomer)),
        ("processing", Some(IntentStatus::Processing)),
        ("succeeded", Some(IntentStatus::Succeeded)),
        ("canceled", Some(IntentStatus::Cancelled)),
        ("floating", None),
    ] {
        let text = format!(r#"{{"id":"pi_1","status":"{status}","amount":1,"currency":"usd"}}"#);
        assert_eq!(intent(&text).ok().map(|intent| intent.status), expected, "{status}");
    }
    for (status, expected) in [
        (r#""succeeded""#, Some(ProviderRefundStatus::Succeeded)),
        (r#""failed""#, Some(ProviderRefundStatus::Failed)),
        (r#""canceled""#, Some(ProviderRefundStatus::Failed)),
        (r#""pending""#, Some(ProviderRefundStatus::Pending)),
        ("null", Some(ProviderRefundStatus::Pending)),
        (r#""lost""#, None),
    ] {
        let text = format!(r#"{{"id":"re_1","status":{status},"amount":1,"currency":"usd"}}"#);
        assert_eq!(refund(&text).ok().map(|refund| refund.status), expected, "{status}");
    }
}

#[test]
fn a_list_says_where_it_goes_on() {
    let refund = r#"{"id":"re_1","status":"succeeded","amount":1,"currency":"usd"}"#;
    for (more, expected) in [("true", Some("re_1")), ("false", None)] {
        let text = format!(r#"{{"object":"list","data":[{refund}],"has_more":{more}}}"#);
        assert_eq!(refunds(&text).expect("readable").after.as_deref(), expected);
    }
}
