//! Mails with something in every field.

use web::mail::{
    AccountNotice, BookingConfirmed, CancelledBy, EmailChange, Happening, MagicLink, Mail, MechanicAssigned,
    Message, NextStepsReminder, NoShow, PasswordReset, Receipt, Refund, RefundReason, Sender,
    SessionCancelled, SessionEnded, SummaryDelivered, Verification,
};
use web::plan::ReceiptLine;

use super::{SESSION, usd};

#[expect(clippy::too_many_lines, reason = "one mail after the other")]
pub(super) fn mails() -> Result<Vec<(&'static str, Mail)>, web::Error> {
    let base = "http://localhost:8080";
    let sender = || Sender {
        public_url: base.to_owned(),
        support_address: "help@pitlane.example".to_owned(),
        time_zone: "America/Chicago".to_owned(),
        unsubscribe_url: None,
    };
    let name = || "Maya Torres".to_owned();
    let vehicle = || Some("2016 Honda Civic".to_owned());
    let (session_url, receipt_url) =
        (|| format!("{base}/chat/{SESSION}"), || Some(format!("{base}/orders/{SESSION}/receipt")));
    let at = || "2026-11-20T14:25:00Z".to_owned();
    let plan = || "Expert Video".to_owned();
    let verify = Verification {
        sender: sender(),
        name: name(),
        url: format!("{base}/auth/verify/abc"),
        valid_hours: 48,
    };
    let magic = MagicLink { sender: sender(), url: format!("{base}/auth/magic/abc"), valid_minutes: 15 };
    let reset = PasswordReset {
        sender: sender(),
        name: name(),
        url: format!("{base}/auth/reset/abc"),
        valid_minutes: 30,
    };
    let moved = EmailChange {
        sender: sender(),
        name: name(),
        url: format!("{base}/auth/verify/abc"),
        valid_hours: 24,
    };
    let noticed = AccountNotice {
        sender: sender(),
        name: name(),
        happening: Happening::PasswordChanged,
        happened_at: at(),
        account_url: format!("{base}/account"),
    };
    let booked = BookingConfirmed {
        sender: sender(),
        name: name(),
        plan_name: plan(),
        duration_minutes: 30,
        vehicle: vehicle(),
        total: usd(2999),
        tax: usd(0),
        booked_at: at(),
        refund_after_minutes: 60,
        session_url: session_url(),
        receipt_url: receipt_url(),
    };
    let assigned = MechanicAssigned {
        sender: sender(),
        name: name(),
        mechanic_name: "Dana Kowalski".to_owned(),
        plan_name: plan(),
        duration_minutes: 30,
        vehicle: vehicle(),
        session_url: session_url(),
    };
    let upgraded = web::mail::SessionUpgraded {
        sender: sender(),
        name: "Dana Kowalski".to_owned(),
        customer_name: name(),
        vehicle: vehicle(),
        session_url: session_url(),
    };
    let no_show = NoShow {
        sender: sender(),
        name: name(),
        other_name: "Dana Kowalski".to_owned(),
        to_customer: true,
        by_customer: true,
        plan_name: plan(),
        grace_minutes: 10,
        total: usd(2999),
        back: usd(0),
        session_url: session_url(),
    };
    let cancelled = SessionCancelled {
        sender: sender(),
        name: "Dana Kowalski".to_owned(),
        to_customer: false,
        by: CancelledBy::Customer,
        customer_name: name(),
        plan_name: plan(),
        vehicle: vehicle(),
        url: session_url(),
        receipt_url: None,
    };
    let ended = SessionEnded {
        sender: sender(),
        name: name(),
        mechanic_name: "Dana Kowalski".to_owned(),
        plan_name: plan(),
        vehicle: vehicle(),
        ended_at: at(),
        total: usd(2999),
        summary_follows: true,
        session_url: session_url(),
        receipt_url: receipt_url(),
    };
    let receipt = Receipt {
        sender: sender(),
        name: name(),
        order_id: "0198d7a0-0000-7000-8000-0000000044c1".to_owned(),
        lines: vec![ReceiptLine { label: plan(), amount: usd(2999) }],
        tax_rate_bps: 825,
        tax: usd(229),
        net: usd(2770),
        total: usd(2999),
        paid_at: at(),
        receipt_url: receipt_url().unwrap_or_default(),
    };
    let refund = Refund {
        sender: sender(),
        name: name(),
        bought: plan(),
        amount: usd(2999),
        paid: usd(2999),
        reason: RefundReason::Unaccepted,
        refunded_at: at(),
        receipt_url: receipt_url(),
    };
    Ok(vec![
        ("verification", verify.compose()?),
        ("magic_link", magic.compose()?),
        ("password_reset", reset.compose()?),
        ("email_change", moved.compose()?),
        ("account_notice", noticed.compose()?),
        ("booking_confirmed", booked.compose()?),
        ("mechanic_assigned", assigned.compose()?),
        ("session_upgraded", upgraded.compose()?),
        ("no_show", no_show.compose()?),
        ("session_cancelled", cancelled.compose()?),
        ("session_ended", ended.compose()?),
        ("receipt", receipt.compose()?),
        ("summary_delivered", summary().compose()?),
        ("refund", refund.compose()?),
        ("next_steps_reminder", reminder().compose()?),
    ])
}

fn reminder() -> NextStepsReminder {
    let SummaryDelivered {
        sender,
        name,
        mechanic_name,
        vehicle,
        next_steps,
        parts_needed,
        written_at,
        summary_url,
        ..
    } = summary();
    let unsubscribe_url = Some("http://localhost:8080/unsubscribe/follow_up.7d1f.abc".to_owned());
    let sender = Sender { unsubscribe_url, ..sender };
    NextStepsReminder {
        sender,
        name,
        mechanic_name,
        vehicle,
        next_steps,
        parts_needed,
        written_at,
        summary_url,
    }
}

fn summary() -> SummaryDelivered {
    SummaryDelivered {
        sender: Sender {
            public_url: "http://localhost:8080".to_owned(),
            support_address: "help@pitlane.example".to_owned(),
            time_zone: "America/Chicago".to_owned(),
            unsubscribe_url: None,
        },
        name: "Maya Torres".to_owned(),
        mechanic_name: "Dana Kowalski".to_owned(),
        vehicle: Some("2016 Honda Civic".to_owned()),
        findings: "Ignition coil on cylinder 3.\nSafe to drive gently until it is changed.".to_owned(),
        steps_taken: "Swapped coils 2 and 3; the misfire moved with the coil.".to_owned(),
        parts_needed: "Ignition coil, $55 to $80\nSpark plug tube seals, $18 to $30".to_owned(),
        next_steps: "Change the coil within two weeks. If the light flashes, stop.".to_owned(),
        photo_count: 2,
        written_at: "2026-11-20T14:25:00Z".to_owned(),
        summary_url: "https://pitlane.example/sessions/7d1f/complete".to_owned(),
        receipt_url: Some(format!("http://localhost:8080/orders/{SESSION}/receipt")),
    }
}
