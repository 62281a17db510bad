use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::id::{IntakeId, UserId};
use kernel::{Currency, Entropy, PlanCode};
use proptest::prelude::{any, proptest};
use uuid::Uuid;

use super::*;
use crate::order::OrderKind;
use crate::refund::RefundReason;

struct Counter(AtomicU64);

impl Entropy for Counter {
    fn id(&self, _now: Timestamp) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

fn context() -> Context {
    Context::new(Timestamp::UNIX_EPOCH, Arc::new(Counter(AtomicU64::new(1))))
}

const fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::Usd)
}

fn terms(amount: i64, tax_rate: u32, cx: &Context) -> OrderTerms {
    OrderTerms {
        id: OrderId::new(cx.id()),
        customer: UserId::new(cx.id()),
        intake: IntakeId::new(cx.id()),
        kind: OrderKind::Session,
        session: None,
        quote: "session:1".into(),
        plan: PlanCode::Video15,
        book: "2025-10".into(),
        multiplier: BasisPoints::ONE,
        amount: usd(amount),
        tax_rate: BasisPoints::new(tax_rate),
        fee_rate: BasisPoints::new(2_000),
        idempotency_key: "checkout:1".into(),
        created_at: cx.now,
        expires_at: cx.now,
    }
}

fn payment(terms: &OrderTerms, cx: &Context) -> Payment {
    Payment::new(PaymentId::new(cx.id()), terms.id, "pi_1".into(), terms.amount, false, cx.now)
}

fn balance(book: &[Transaction], account: Account) -> i64 {
    book.iter()
        .flat_map(Transaction::entries)
        .filter(|entry| entry.account == account)
        .map(|entry| entry.amount.minor())
        .sum()
}

#[test]
fn a_charge_is_deferred_revenue_and_the_tax_in_it() {
    let cx = context();
    for (amount, rate, net, tax) in [(2_999, 0, 2_999, 0), (2_999, 1_900, 2_520, 479), (999, 2_500, 799, 200)]
    {
        let terms = terms(amount, rate, &cx);
        let charge = Transaction::charge(&payment(&terms, &cx), terms.tax_rate, &cx).expect("balances");
        let book = [charge];
        assert_eq!(balance(&book, Account::StripeClearing), amount);
        assert_eq!(balance(&book, Account::DeferredRevenue), -net, "{amount} at {rate}");
        assert_eq!(balance(&book, Account::TaxPayable), -tax, "{amount} at {rate}");
    }
}

#[test]
fn a_line_of_nothing_is_left_out() {
    let cx = context();
    let terms = terms(999, 0, &cx);
    let charge = Transaction::charge(&payment(&terms, &cx), terms.tax_rate, &cx).expect("balances");
    assert_eq!(charge.entries().len(), 2);
}

#[test]
fn entries_that_do_not_balance_are_refused() {
    let lopsided = [(Account::StripeClearing, usd(1)), (Account::DeferredRevenue, usd(-2))];
    assert_eq!(balanced(&lopsided), Err(Error::Unbalanced));
    assert_eq!(balanced(&[]), Err(Error::Unbalanced));
    let mixed =
        [(Account::StripeClearing, usd(1)), (Account::DeferredRevenue, Money::new(-1, Currency::Eur))];
    assert!(matches!(balanced(&mixed), Err(Error::Money(_))));
}

proptest! {
    #[test]
    fn the_tax_and_the_net_make_the_price(price in 0i64..=1_000_000_000_000, rate in 0u32..=10_000) {
        let tax = tax_contained(usd(price), BasisPoints::new(rate)).expect("in range");
        assert!(tax.minor() >= 0 && tax.minor() <= price);
    }

    #[test]
    fn tax_never_wraps(price in any::<i64>(), rate in any::<u32>()) {
        let _ = tax_contained(usd(price), BasisPoints::new(rate));
    }

    /// However a payment is returned in parts, the books end empty, tax included; a part that fails leaves them as
    /// they were before it.
    #[test]
    fn refunding_everything_in_parts_empties_every_account(
        price in 2i64..1_000_000, rate in 0u32..=10_000, cuts in proptest::collection::vec((1i64..1_000_000, any::<bool>()), 1..8)
    ) {
        let cx = context();
        let terms = terms(price, rate, &cx);
        let mut payment = payment(&terms, &cx);
        let mut book = vec![Transaction::charge(&payment, terms.tax_rate, &cx).expect("balances")];
        let mut parts: Vec<(i64, bool)> = cuts;
        parts.push((price, false));
        for (part, fails) in parts {
            let left = payment.remaining().expect("in range").minor();
            let part = usd(part.min(left));
            if part.is_zero() { break }
            let before = payment.asked_back();
            let refund = Refund::new(payment.id, terms.id, part, RefundReason::Admin, &cx);
            payment = payment.set_aside(part).expect("not more than is left");
            book.push(Transaction::refund_requested(&refund, before, &terms, &cx).expect("balances"));
            if fails {
                payment = payment.take_back(part).expect("was set aside");
                book.push(Transaction::refund_released(&refund, payment.asked_back(), &terms, &cx).expect("balances"));
            } else {
                book.push(Transaction::refund_paid(&refund, &cx).expect("balances"));
            }
        }
        for transaction in &book {
            assert_eq!(transaction.entries().iter().map(|entry| entry.amount.minor()).sum::<i64>(), 0);
        }
        for account in Account::ALL {
            assert_eq!(balance(&book, account), 0, "{}", account.as_str());
        }
    }
}
