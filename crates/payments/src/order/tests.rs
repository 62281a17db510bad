use std::sync::Arc;

use kernel::{Currency, Entropy};
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use uuid::Uuid;

use super::*;

struct Fixed;

impl Entropy for Fixed {
    fn id(&self, _now: Timestamp) -> Uuid {
        Uuid::from_u128(7)
    }
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

fn context() -> Context {
    Context::new(Timestamp::UNIX_EPOCH.plus_millis(1_500), Arc::new(Fixed))
}

fn order() -> Order {
    let new = NewOrder {
        customer: UserId::new(Uuid::from_u128(1)),
        intake: IntakeId::new(Uuid::from_u128(2)),
        purchase: Purchase::Session,
        plan: PlanCode::Chat10,
        book: "2025-10".into(),
        multiplier: BasisPoints::ONE,
        amount: Money::new(999, Currency::Usd),
        tax_rate: BasisPoints::ZERO,
        fee_rate: BasisPoints::new(2_000),
        lifetime_seconds: 3_600,
    };
    Order::new(new, 1, &context())
}

fn session() -> SessionId {
    SessionId::new(Uuid::from_u128(3))
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Processing,
    Paid,
    Fulfilled,
    Expired,
    Failed,
    Refunded,
    RefundBounced,
}

const STEPS: [Step; 7] = [
    Step::Processing,
    Step::Paid,
    Step::Fulfilled,
    Step::Expired,
    Step::Failed,
    Step::Refunded,
    Step::RefundBounced,
];

fn take(order: Order, step: Step) -> Result<Order, Error> {
    let now = Timestamp::UNIX_EPOCH.plus_seconds(5);
    match step {
        Step::Processing => order.processing(),
        Step::Paid => order.paid(Some("pi_1".into()), now),
        Step::Fulfilled => order.fulfilled(session(), now),
        Step::Expired => order.expired(now),
        Step::Failed => order.failed(now),
        Step::Refunded => order.refunded(now),
        Step::RefundBounced => order.refund_bounced(),
    }
}

#[test]
fn every_step_is_allowed_or_refused_as_drawn() {
    use Step::{Expired, Failed, Fulfilled, Paid, Processing, RefundBounced, Refunded};
    let rows: [(&[Step], &[Step]); 8] = [
        (&[], &[Processing, Paid, Expired, Failed]),
        (&[Processing], &[Processing, Paid, Failed]),
        (&[Paid], &[Fulfilled, Refunded]),
        (&[Paid, Fulfilled], &[Refunded]),
        (&[Expired], &[Paid]),
        (&[Failed], &[Paid]),
        (&[Paid, Refunded], &[RefundBounced]),
        (&[Paid, Fulfilled, Refunded], &[RefundBounced]),
    ];
    for (path, allowed) in rows {
        let start = path.iter().try_fold(order(), |order, &step| take(order, step)).expect("a drawn path");
        for step in STEPS {
            let expected =
                allowed.iter().any(|&other| std::mem::discriminant(&other) == std::mem::discriminant(&step));
            assert_eq!(take(start.clone(), step).is_ok(), expected, "{path:?} then {step:?}");
        }
    }
}

#[test]
fn a_bounced_refund_puts_the_order_back_where_it_was() {
    let paid = take(take(order(), Step::Paid).expect("paid"), Step::Refunded).expect("refunded");
    assert_eq!(paid.refund_bounced().map(|order| order.status()), Ok(OrderStatus::Paid));
    let path = [Step::Paid, Step::Fulfilled, Step::Refunded];
    let fulfilled = path.iter().try_fold(order(), |order, &step| take(order, step)).expect("a drawn path");
    assert_eq!(fulfilled.refund_bounced().map(|order| order.status()), Ok(OrderStatus::Fulfilled));
}

#[test]
fn one_payment_page_belongs_to_an_order() {
    let offered = order().offered("cs_1", Some("https://pay.example/1")).expect("the first page");
    assert_eq!(offered.clone().offered("cs_1", None), Ok(offered.clone()));
    assert_eq!(offered.offered("cs_2", None), Err(Error::CheckoutConflict));
}

#[test]
fn the_page_closes_at_a_whole_second() {
    assert_eq!(order().terms().expires_at, Timestamp::UNIX_EPOCH.plus_seconds(3_601));
}

proptest! {
    #[test]
    fn what_any_walk_reaches_can_be_stored_and_read_again(
        walk in proptest::collection::vec(
            prop_oneof![
                Just(Step::Processing), Just(Step::Paid), Just(Step::Fulfilled), Just(Step::Expired),
                Just(Step::Failed), Just(Step::Refunded), Just(Step::RefundBounced),
            ].boxed(),
            0..12,
        )
    ) {
        let mut now = order();
        for step in walk {
            now = take(now.clone(), step).unwrap_or(now);
            let again = Order::restore(now.terms().clone(), now.state().clone());
            assert_eq!(again.as_ref(), Ok(&now));
            // A session is there exactly when the order was fulfilled, and never without money having arrived.
            if now.session().is_some() {
                assert!(now.state().paid_at.is_some());
            }
        }
    }
}
