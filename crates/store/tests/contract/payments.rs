//! The port of `payments`, through the domain functions that use it, and the doctor's eyes for money.

use accounts::register::{NewUser, register};
use accounts::{Email, Name, TimeZone};
use diesel::connection::SimpleConnection;
use intake::submit::NewIntake;
use intake::{Routing, VehicleForm, Waiver, Waivers, submit};
use kernel::id::{IntakeId, OrderId, PaymentId, SessionId, UserId};
use kernel::{BasisPoints, Context, Currency, Money, PlanCode, Role, SessionType, StoreError};
use payments::gateway::{ProviderRefund, ProviderRefundStatus};
use payments::{
    Charge, Error, InboxEvent, NewOrder, Order, OrderStatus, Outcome, Payment, Placement, Purchase, Refund,
    RefundReason, RefundStatus, Settlement, Store as _,
};
use store::doctor::examine;
use store::{Stored, Tx};

use crate::world::World;

const fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::Usd)
}

/// Runs one transaction that many seconds after the start.
async fn at<T: Send + 'static>(
    world: &World,
    seconds: i64,
    work: impl Fn(&mut Tx<'_>, &Context) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let cx = world.context(seconds);
    world.db.write(move |tx| work(tx, &cx)).await
}

async fn customer(world: &World, email: &'static str) -> UserId {
    let cx = world.context(0);
    let user = world.db.write(move |tx| {
        let new = NewUser {
            id: UserId::new(cx.id()),
            email: Email::parse(email).expect("an address"),
            name: Name::parse("A Driver").expect("a name"),
            role: Role::Customer,
            time_zone: TimeZone::utc(),
            password: None,
            workshop: None,
        };
        register(tx, new, &cx)
    });
    user.await.expect("registers").id()
}

async fn intake(world: &World, customer: UserId, plan: PlanCode) -> IntakeId {
    let cx = world.context(0);
    let waiver = Waiver::parse("2025-10", "# Waiver\n\nSome text.").expect("a waiver");
    let waivers = Waivers::new(vec![waiver]).expect("versions");
    let new = NewIntake {
        customer,
        plan: Some(plan),
        vehicle: VehicleForm {
            year: 2003,
            make: "Honda".into(),
            model: "Accord".into(),
            vin: None,
            mileage: None,
        },
        concern: "It shakes when I brake".into(),
        accept_waiver: true,
        waiver_shown: None,
        address: "192.0.2.1".into(),
        routing: Some(Routing::Broadcast),
        preferred_provider: None,
        provider_type: None,
        hold: None,
        upsell: None,
        files: vec![],
        faults: vec![],
    };
    let written = world.db.write(move |tx| submit(tx, &waivers, new.clone(), &cx)).await;
    written.expect("an intake").intake.id
}

fn new_order(customer: UserId, intake: IntakeId, plan: PlanCode) -> NewOrder {
    NewOrder {
        customer,
        intake,
        purchase: Purchase::Session,
        plan,
        book: "2025-10".into(),
        multiplier: BasisPoints::ONE,
        amount: if plan == PlanCode::Free { usd(0) } else { usd(999) },
        tax_rate: BasisPoints::new(1_900),
        fee_rate: BasisPoints::new(2_000),
        lifetime_seconds: 3_600,
    }
}

async fn place(world: &World, seconds: i64, new: &NewOrder) -> Result<Placement, Error> {
    let new = new.clone();
    at(world, seconds, move |tx, cx| payments::place(tx, new.clone(), cx)).await
}

/// A customer's first chat order.
async fn placed(world: &World) -> Order {
    let customer = customer(world, "driver@example.com").await;
    let intake = intake(world, customer, PlanCode::Chat10).await;
    match place(world, 0, &new_order(customer, intake, PlanCode::Chat10)).await.expect("is placed") {
        Placement::Placed(order) => order,
        other @ (Placement::Reused(_) | Placement::Bought(_)) => {
            panic!("the first order of a quote is new: {other:?}")
        }
    }
}

fn charge(payment_intent: &str, minor: i64) -> Charge {
    Charge { payment_intent: payment_intent.into(), amount: usd(minor) }
}

async fn settle(world: &World, order: OrderId, charge: Charge) -> Result<Settlement, Error> {
    at(world, 10, move |tx, cx| payments::settle(tx, order, &charge, cx)).await
}

async fn order(world: &World, id: OrderId) -> Order {
    at(world, 0, move |tx, _| Ok(tx.order_by_id(id)?)).await.expect("reads").expect("is there")
}

async fn only_payment(world: &World, order: OrderId) -> Payment {
    let mut found = at(world, 0, move |tx, _| Ok(tx.payments_of_order(order)?)).await.expect("reads");
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// Makes a session by hand and completes the order with it.
async fn fulfil(world: &World, order: OrderId) -> SessionId {
    at(world, 20, move |tx, cx| {
        let order = tx.order_by_id(order)?.expect("is there");
        let new = sessions::NewSession {
            id: SessionId::new(cx.id()),
            customer: order.terms().customer,
            plan: order.terms().plan,
            session_type: SessionType::Chat,
            allowance_minutes: 10,
            intake: order.terms().intake,
            price_book: order.terms().book.clone(),
            scheduled_for: None,
            metadata: [].into(),
        };
        let session =
            sessions::open(tx, new, cx).map_err(|error| StoreError::Constraint(error.to_string()))?;
        payments::complete(tx, order, session.id(), cx)?;
        Ok(session.id())
    })
    .await
    .expect("is fulfilled")
}

async fn request(world: &World, payment: PaymentId, minor: i64) -> Result<Refund, Error> {
    at(world, 30, move |tx, cx| payments::request_refund(tx, payment, usd(minor), RefundReason::Admin, cx))
        .await
}

fn answer(refund: &Refund, status: ProviderRefundStatus) -> ProviderRefund {
    ProviderRefund { id: format!("re_{}", refund.id), refund: Some(refund.id), amount: refund.amount, status }
}

async fn record(world: &World, refund: &Refund, status: ProviderRefundStatus) -> Refund {
    let (id, answer) = (refund.id, answer(refund, status));
    at(world, 40, move |tx, cx| payments::record_refund(tx, id, &answer, cx)).await.expect("is recorded")
}

/// What the doctor finds broken, by number.
async fn broken(world: &World) -> Vec<u8> {
    let findings = world.db.read(examine).await.expect("the doctor looks");
    findings
        .into_iter()
        .filter(|finding| !finding.violations.is_empty())
        .map(|finding| finding.number)
        .collect()
}

/// The doctor finds nothing.
async fn sound(world: &World) {
    assert_eq!(broken(world).await, Vec::<u8>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_read_back_as_it_was_written_in_every_state() {
    for world in World::each() {
        let open = placed(&world).await;
        let id = open.id();
        assert_eq!(order(&world, id).await, open);
        let offered = at(&world, 1, move |tx, _| {
            payments::note_checkout(tx, id, "cs_1", Some("https://pay.example/cs_1"))
        });
        let offered = offered.await.expect("is noted");
        assert_eq!(order(&world, id).await, offered);
        let found = at(&world, 1, |tx, _| Ok(tx.order_by_checkout("cs_1")?)).await;
        assert_eq!(found, Ok(Some(offered)));
        let waiting = at(&world, 2, move |tx, _| payments::await_money(tx, id)).await.expect("is noted");
        assert_eq!(order(&world, id).await, waiting);
        let Ok(Settlement::Kept { order: paid, superseded }) = settle(&world, id, charge("pi_1", 999)).await
        else {
            panic!("the first charge is kept");
        };
        assert_eq!(superseded, []);
        assert_eq!(order(&world, id).await, paid);
        let session = fulfil(&world, id).await;
        assert_eq!(order(&world, id).await.session(), Some(session));
        sound(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_has_one_live_order_however_many_ask_at_once() {
    for world in World::each() {
        let customer = customer(&world, "driver@example.com").await;
        let new = new_order(customer, intake(&world, customer, PlanCode::Chat10).await, PlanCode::Chat10);
        let asking = (0..8).map(|_| {
            let (db, cx, new) = (world.db.clone(), world.context(0), new.clone());
            tokio::spawn(async move { db.write(move |tx| payments::place(tx, new.clone(), &cx)).await })
        });
        let mut placed = Vec::new();
        for answer in asking.collect::<Vec<_>>() {
            placed.push(answer.await.expect("no panic").expect("an order"));
        }
        let ids: std::collections::BTreeSet<OrderId> = placed
            .iter()
            .map(|placement| match placement {
                Placement::Placed(order) | Placement::Reused(order) | Placement::Bought(order) => order.id(),
            })
            .collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(placed.iter().filter(|placement| matches!(placement, Placement::Placed(_))).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_keeps_its_price_until_its_page_closes_and_is_then_replaced() {
    for world in World::each() {
        let first = placed(&world).await;
        let dearer = NewOrder {
            amount: usd(1_500),
            book: "2026-01".into(),
            ..new_order(first.terms().customer, first.terms().intake, PlanCode::Chat10)
        };
        assert_eq!(place(&world, 60, &dearer).await, Ok(Placement::Reused(first.clone())));
        // Its page was never made, and the provider would refuse one for so short a time.
        let Ok(Placement::Placed(second)) = place(&world, 1_800, &dearer).await else {
            panic!("a new order")
        };
        assert_eq!(second.terms().amount, usd(1_500));
        assert_eq!(order(&world, first.id()).await.status(), OrderStatus::Expired);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_free_plan_is_ordered_once_per_customer() {
    for world in World::each() {
        let customer = customer(&world, "driver@example.com").await;
        let one = new_order(customer, intake(&world, customer, PlanCode::Free).await, PlanCode::Free);
        let two = new_order(customer, intake(&world, customer, PlanCode::Free).await, PlanCode::Free);
        let Ok(Placement::Placed(order)) = place(&world, 0, &one).await else { panic!("a first order") };
        assert_eq!(place(&world, 0, &two).await, Err(Error::FreePlanUsed));
        let id = order.id();
        let paid = at(&world, 1, move |tx, cx| payments::settle_free(tx, id, cx)).await.expect("is settled");
        assert_eq!(paid.status(), OrderStatus::Paid);
        assert_eq!(place(&world, 0, &two).await, Err(Error::FreePlanUsed));
        fulfil(&world, id).await;
        assert_eq!(place(&world, 0, &two).await, Err(Error::FreePlanUsed));
        sound(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_costs_something_is_not_settled_for_free() {
    for world in World::each() {
        let id = placed(&world).await.id();
        let answer = at(&world, 1, move |tx, cx| payments::settle_free(tx, id, cx)).await;
        assert_eq!(answer, Err(Error::WrongPrice(usd(999))));
        assert_eq!(order(&world, id).await.status(), OrderStatus::Open);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_charge_counts_once_and_a_second_one_goes_back() {
    for world in World::each() {
        let id = placed(&world).await.id();
        assert!(matches!(settle(&world, id, charge("pi_1", 999)).await, Ok(Settlement::Kept { .. })));
        assert!(matches!(settle(&world, id, charge("pi_1", 999)).await, Ok(Settlement::Replayed(_))));
        only_payment(&world, id).await;
        let Ok(Settlement::Surplus { refund, .. }) = settle(&world, id, charge("pi_2", 999)).await else {
            panic!("a second charge buys nothing");
        };
        assert_eq!((refund.amount, refund.reason), (usd(999), RefundReason::Duplicate));
        assert!(matches!(settle(&world, id, charge("pi_2", 999)).await, Ok(Settlement::Replayed(_))));
        fulfil(&world, id).await;
        record(&world, &refund, ProviderRefundStatus::Succeeded).await;
        assert_eq!(order(&world, id).await.status(), OrderStatus::Fulfilled);
        sound(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_charges_that_arrive_at_once_exactly_one_is_kept() {
    for world in World::each() {
        let id = placed(&world).await.id();
        let settling: Vec<_> = (0..6)
            .map(|number| {
                let (db, cx) = (world.db.clone(), world.context(10));
                let charge = charge(&format!("pi_{}", number / 2), 999);
                tokio::spawn(async move { db.write(move |tx| payments::settle(tx, id, &charge, &cx)).await })
            })
            .collect();
        let (mut kept, mut surplus, mut replayed) = (0, 0, 0);
        for answer in settling {
            match answer.await.expect("no panic").expect("is settled") {
                Settlement::Kept { .. } => kept += 1,
                Settlement::Surplus { .. } => surplus += 1,
                Settlement::Replayed(_) => replayed += 1,
            }
        }
        assert_eq!((kept, surplus, replayed), (1, 2, 3));
        fulfil(&world, id).await;
        sound(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_amount_than_agreed_goes_back_and_closes_the_order() {
    for world in World::each() {
        for (index, wrong) in [usd(998), usd(1_000), Money::new(999, Currency::Eur)].into_iter().enumerate() {
            let email: &'static str = ["a@example.com", "b@example.com", "c@example.com"][index];
            let customer = customer(&world, email).await;
            let new = new_order(customer, intake(&world, customer, PlanCode::Chat10).await, PlanCode::Chat10);
            let Ok(Placement::Placed(placed)) = place(&world, 0, &new).await else { panic!("a first order") };
            let charge = Charge { payment_intent: format!("pi_{index}"), amount: wrong };
            let Ok(Settlement::Surplus { order: closed, refund }) = settle(&world, placed.id(), charge).await
            else {
                panic!("{wrong} was not agreed");
            };
            assert_eq!((closed.status(), refund.reason), (OrderStatus::Failed, RefundReason::WrongAmount));
            assert_eq!(refund.amount, wrong);
        }
        sound(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_money_is_kept_when_nothing_else_was_paid_and_closes_the_order_that_followed() {
    for world in World::each() {
        let first = placed(&world).await;
        let again = new_order(first.terms().customer, first.terms().intake, PlanCode::Chat10);
        let Ok(Placement::Placed(second)) = place(&world, 3_700, &again).await else { panic!("a new order") };
        let late = settle(&world, first.id(), charge("pi_1", 999)).await;
        let Ok(Settlement::Kept { order: kept, superseded }) = late else { panic!("is kept: {late:?}") };
        assert_eq!((kept.status(), superseded), (OrderStatus::Paid, vec![second.id()]));
        assert_eq!(order(&world, second.id()).await.status(), OrderStatus::Failed);
        fulfil(&world, first.id()).await;
        assert_eq!(
            place(&world, 3_800, &again).await,
            Ok(Placement::Bought(order(&world, first.id()).await))
        );
        // Its page was still open somewhere, and the customer paid there too.
        let twice = settle(&world, second.id(), charge("pi_2", 999)).await;
        assert!(matches!(twice, Ok(Settlement::Surplus { .. })), "{twice:?}");
        sound(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_refund_ends_the_order_once_it_went_out_and_a_bounce_takes_that_back() {
    for world in World::each() {
        let id = placed(&world).await.id();
        settle(&world, id, charge("pi_1", 999)).await.expect("is kept");
        fulfil(&world, id).await;
        let payment = only_payment(&world, id).await;
        let refund = request(&world, payment.id, 999).await.expect("is written");
        assert_eq!(order(&world, id).await.status(), OrderStatus::Fulfilled);
        sound(&world).await;

        let in_hand = record(&world, &refund, ProviderRefundStatus::Pending).await;
        assert_eq!(in_hand.status(), RefundStatus::Pending);
        assert!(in_hand.provider_id().is_some());
        for _ in 0..2 {
            let done = record(&world, &refund, ProviderRefundStatus::Succeeded).await;
            assert_eq!(done.status(), RefundStatus::Succeeded);
        }
        // News that is older than what is known changes nothing.
        let old = record(&world, &refund, ProviderRefundStatus::Pending).await;
        assert_eq!(old.status(), RefundStatus::Succeeded);
        assert_eq!(order(&world, id).await.status(), OrderStatus::Refunded);
        sound(&world).await;

        let bounced = record(&world, &refund, ProviderRefundStatus::Failed).await;
        assert_eq!(bounced.status(), RefundStatus::Failed);
        assert_eq!(order(&world, id).await.status(), OrderStatus::Fulfilled);
        assert_eq!(only_payment(&world, id).await.asked_back(), usd(0));
        sound(&world).await;
        let again = request(&world, payment.id, 999).await.expect("can be asked for again");
        record(&world, &again, ProviderRefundStatus::Succeeded).await;
        assert_eq!(order(&world, id).await.status(), OrderStatus::Refunded);
        sound(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partial_refunds_never_exceed_the_payment_even_at_once() {
    for world in World::each() {
        let id = placed(&world).await.id();
        settle(&world, id, charge("pi_1", 999)).await.expect("is kept");
        fulfil(&world, id).await;
        let payment = only_payment(&world, id).await.id;
        let asking: Vec<_> = (0..6)
            .map(|_| {
                let (db, cx) = (world.db.clone(), world.context(30));
                tokio::spawn(async move {
                    let work = move |tx: &mut Tx<'_>| {
                        payments::request_refund(tx, payment, usd(333), RefundReason::Admin, &cx)
                    };
                    db.write(work).await
                })
            })
            .collect();
        let mut written = Vec::new();
        for answer in asking {
            match answer.await.expect("no panic") {
                Ok(refund) => written.push(refund),
                Err(error) => assert_eq!(error, Error::RefundExceedsPayment { remaining: usd(0) }),
            }
        }
        assert_eq!(written.len(), 3);
        for (index, refund) in written.iter().enumerate() {
            assert_eq!(order(&world, id).await.status(), OrderStatus::Fulfilled, "{index} went out");
            record(&world, refund, ProviderRefundStatus::Succeeded).await;
        }
        assert_eq!(order(&world, id).await.status(), OrderStatus::Refunded);
        sound(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_remembered_until_the_truth_is_known() {
    for world in World::each() {
        let id = placed(&world).await.id();
        settle(&world, id, charge("pi_1", 999)).await.expect("is kept");
        fulfil(&world, id).await;
        let refund = request(&world, only_payment(&world, id).await.id, 999).await.expect("is written");
        let lost = refund.id;
        at(&world, 31, move |tx, _| payments::refund_answer_lost(tx, lost)).await.expect("is noted");
        let open = at(&world, 31, |tx, cx| Ok(tx.refunds_unresolved(cx.now, 10)?)).await.expect("reads");
        assert_eq!(
            open.iter().map(|refund| (refund.id, refund.status())).collect::<Vec<_>>(),
            [(lost, RefundStatus::Unknown)]
        );
        record(&world, &refund, ProviderRefundStatus::Succeeded).await;
        at(&world, 50, move |tx, _| payments::refund_answer_lost(tx, lost)).await.expect("changes nothing");
        let open = at(&world, 51, |tx, cx| Ok(tx.refunds_unresolved(cx.now, 10)?)).await.expect("reads");
        assert_eq!(open, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_made_at_the_provider_enters_the_books_once() {
    for world in World::each() {
        let id = placed(&world).await.id();
        settle(&world, id, charge("pi_1", 999)).await.expect("is kept");
        fulfil(&world, id).await;
        let payment = only_payment(&world, id).await;
        let found = ProviderRefund {
            id: "re_by_hand".into(),
            refund: None,
            amount: usd(999),
            status: ProviderRefundStatus::Succeeded,
        };
        for _ in 0..2 {
            let (payment, found) = (payment.clone(), found.clone());
            let adopted =
                at(&world, 50, move |tx, cx| payments::adopt_refund(tx, &payment, &found, cx)).await;
            let refund = adopted.expect("is recorded").expect("is taken");
            assert_eq!((refund.reason, refund.status()), (RefundReason::External, RefundStatus::Succeeded));
        }
        assert_eq!(order(&world, id).await.status(), OrderStatus::Refunded);
        let more = ProviderRefund { id: "re_more".into(), amount: usd(1), ..found };
        let ignored = at(&world, 60, move |tx, cx| payments::adopt_refund(tx, &payment, &more, cx)).await;
        assert_eq!(ignored, Ok(None));
        sound(&world).await;
    }
}

fn event(id: &str, seconds: i64, world: &World) -> InboxEvent {
    InboxEvent {
        id: id.into(),
        kind: "checkout.session.completed".into(),
        created_at: world.context(seconds).now,
        body: r#"{"b":1,  "a":2}"#.into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_claimed_once_and_only_with_its_effects() {
    for world in World::each() {
        let news = event("evt_1", 0, &world);
        let failing = news.clone();
        let failed = at(&world, 1, move |tx, cx| {
            assert!(payments::claim_event(tx, &failing, cx)?);
            Err::<(), _>(Error::Missing("order"))
        });
        assert_eq!(failed.await, Err(Error::Missing("order")));
        let claims: Vec<_> = (0..6)
            .map(|_| {
                let (db, cx, news) = (world.db.clone(), world.context(2), news.clone());
                tokio::spawn(async move {
                    db.write(move |tx| {
                        let claimed = payments::claim_event(tx, &news, &cx)?;
                        if claimed {
                            tx.event_conclude(&news.id, Outcome::Recorded, None)?;
                        }
                        Ok::<_, Error>(claimed)
                    })
                    .await
                })
            })
            .collect();
        let mut claimed = 0;
        for answer in claims {
            claimed += u32::from(answer.await.expect("no panic").expect("an answer"));
        }
        assert_eq!(claimed, 1);
        let asked = vec!["evt_1".to_owned(), "evt_2".to_owned()];
        let known = at(&world, 3, move |tx, _| Ok(tx.events_known(&asked)?)).await;
        assert_eq!(known, Ok(vec!["evt_1".to_owned()]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_comparison_begins_at_the_newest_event_that_was_compared() {
    for world in World::each() {
        for (id, seconds) in [("evt_1", 5), ("evt_2", 9), ("evt_3", 7)] {
            let news = event(id, seconds, &world);
            at(&world, 10, move |tx, cx| payments::claim_event(tx, &news, cx)).await.expect("is claimed");
        }
        assert_eq!(at(&world, 10, |tx, _| Ok(tx.event_watermark()?)).await, Ok(None));
        let compared = vec!["evt_1".to_owned(), "evt_3".to_owned()];
        at(&world, 10, move |tx, cx| Ok(tx.events_compared(&compared, cx.now)?)).await.expect("is noted");
        assert_eq!(at(&world, 10, |tx, _| Ok(tx.event_watermark()?)).await, Ok(Some(world.context(7).now)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_overdue_is_found_and_nothing_else() {
    for world in World::each() {
        let id = placed(&world).await.id();
        for (seconds, expected) in [(0, 0), (3_600, 0), (3_601, 1)] {
            let found =
                at(&world, seconds, |tx, cx| Ok(tx.orders_overdue(cx.now, 10)?)).await.expect("reads");
            assert_eq!(found.len(), expected, "after {seconds} seconds");
        }
        at(&world, 1, move |tx, _| payments::await_money(tx, id)).await.expect("is noted");
        let found = at(&world, 2, |tx, cx| Ok(tx.orders_overdue(cx.now, 10)?)).await.expect("reads");
        assert_eq!(found.len(), 1);
        settle(&world, id, charge("pi_1", 999)).await.expect("is kept");
        fulfil(&world, id).await;
        let found = at(&world, 9_999, |tx, cx| Ok(tx.orders_overdue(cx.now, 10)?)).await.expect("reads");
        assert_eq!(found, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_reference_is_kept_replaced_and_forgotten() {
    for world in World::each() {
        let customer = customer(&world, "driver@example.com").await;
        for reference in ["cus_1", "cus_2"] {
            at(&world, 0, move |tx, cx| Ok(tx.customer_reference_put(customer, reference, cx.now)?))
                .await
                .expect("is kept");
            let found = at(&world, 0, move |tx, _| Ok(tx.customer_reference(customer)?)).await;
            assert_eq!(found, Ok(Some(reference.to_owned())));
        }
        at(&world, 0, move |tx, _| Ok(tx.customer_reference_delete(customer)?)).await.expect("is forgotten");
        assert_eq!(at(&world, 0, move |tx, _| Ok(tx.customer_reference(customer)?)).await, Ok(None));
    }
}

/// Changes the database behind the domain's back.
async fn by_hand(world: &World, statements: &'static str) -> Result<(), StoreError> {
    world.db.write(move |tx| tx.conn().batch_execute(statements).stored()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_only_ever_appended_to() {
    for world in World::each() {
        let id = placed(&world).await.id();
        settle(&world, id, charge("pi_1", 999)).await.expect("is kept");
        fulfil(&world, id).await;
        for statement in [
            "UPDATE ledger_entries SET amount_cents = amount_cents + 1",
            "DELETE FROM ledger_entries",
            "UPDATE ledger_transactions SET kind = 'surplus'",
            "DELETE FROM ledger_transactions",
        ] {
            assert!(by_hand(&world, statement).await.is_err(), "{statement}");
        }
        sound(&world).await;
    }
}

/// Each guard is taken away and broken in turn; the doctor must see it.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_sees_every_broken_invariant_of_money() {
    let cases: [(u8, &str); 9] = [
        (
            1,
            "DROP INDEX payments_one_kept_per_order; \
             INSERT INTO payments SELECT (SELECT max_id.id FROM (SELECT id FROM users) AS max_id LIMIT 1), order_id, \
             'pi_other', amount_cents, currency, surplus, asked_back_cents, created_at FROM payments",
        ),
        (1, "UPDATE payments SET amount_cents = amount_cents + 1"),
        (1, "UPDATE orders SET payment_intent = 'pi_other'"),
        (3, "UPDATE payments SET asked_back_cents = 1"),
        (
            4,
            "INSERT INTO ledger_entries SELECT transaction_id, 50, account, 7, currency FROM ledger_entries \
             WHERE account = 'stripe_clearing'",
        ),
        (
            4,
            "INSERT INTO ledger_transactions SELECT (SELECT id FROM users LIMIT 1), kind, 'invented', order_id, payment_id, refund_id, \
             created_at FROM ledger_transactions",
        ),
        (8, "UPDATE orders SET status = 'paid', session_id = NULL, fulfilled_at = NULL"),
        (
            6,
            "UPDATE orders SET status = 'paid', session_id = NULL, fulfilled_at = NULL; \
             UPDATE sessions SET status = 'in_progress', started_at = created_at",
        ),
        (
            12,
            "DROP INDEX orders_one_free_per_customer; DROP INDEX orders_one_live_per_quote; \
             UPDATE orders SET plan = 'free', amount_cents = 0, payment_intent = NULL; \
             INSERT INTO orders (id, customer_id, intake_id, kind, quote, plan, price_book, multiplier_bps, amount_cents, \
             currency, tax_rate_bps, idempotency_key, status, created_at, expires_at, paid_at) \
             SELECT (SELECT id FROM users LIMIT 1), customer_id, intake_id, kind, quote, plan, price_book, \
             multiplier_bps, amount_cents, currency, tax_rate_bps, 'other', 'paid', created_at, expires_at, paid_at \
             FROM orders",
        ),
    ];
    for (number, statements) in cases {
        for world in World::each() {
            let id = placed(&world).await.id();
            settle(&world, id, charge("pi_1", 999)).await.expect("is kept");
            fulfil(&world, id).await;
            sound(&world).await;
            by_hand(&world, statements).await.expect("the guards are down");
            let found = broken(&world).await;
            assert!(found.contains(&number), "{number} is not among {found:?} after {statements}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_a_hand_has_spoilt_is_refused() {
    for world in World::each() {
        let id = placed(&world).await.id();
        settle(&world, id, charge("pi_1", 999)).await.expect("is kept");
        by_hand(&world, "UPDATE orders SET kind = 'upgrade'").await.expect("the schema allows it");
        let read = at(&world, 0, move |tx, _| Ok(tx.order_by_id(id)?)).await;
        assert!(matches!(read, Err(Error::Store(StoreError::Corrupt(_)))), "{read:?}");
    }
}
