//! What each mail says, word for word. After a change that is meant: `cargo insta review`, or `INSTA_UPDATE=always`.

use std::collections::BTreeSet;
use std::path::Path;

use web::mail::{
    AccountNotice, BookingConfirmed, CancelledBy, Happening, Mail, MechanicAssigned, Message, Refund,
    RefundReason, Sender, SessionCancelled, SessionEnded, SummaryDelivered,
};
use web::money::Amount;

use super::{files, root, samples};

fn written(mail: &Mail) -> String {
    let Mail { subject, text, html } = mail;
    format!("Subject: {subject}\n\n==== text ====\n{text}\n==== html ====\n{html}")
}

/// Settings that keep what differs from machine to machine out of the snapshots.
fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

#[test]
fn every_mail_says_what_it_said() {
    let mails = samples::mails().expect("every mail can be written");
    let named: BTreeSet<&str> = mails.iter().map(|(name, _)| *name).collect();
    let templates = files(&root().join("templates/mail"), "txt");
    let known: BTreeSet<&str> =
        templates.iter().filter_map(|(path, _)| Path::new(path).file_stem()?.to_str()).collect();
    assert_eq!(named, known, "each mail has a template and a sample");
    settings().bind(|| {
        for (name, mail) in &mails {
            insta::assert_snapshot!(format!("mail-{name}"), written(mail));
        }
    });
}

#[test]
fn a_free_session_has_no_receipt_and_an_unknown_car_no_line() {
    let session_url = "http://localhost:8080/chat/1".to_owned();
    let (name, plan_name) = ("Maya Torres".to_owned(), "First Chat".to_owned());
    let booked = BookingConfirmed {
        name: name.clone(),
        plan_name: plan_name.clone(),
        duration_minutes: 5,
        booked_at: "2026-11-20T14:25:00Z".to_owned(),
        refund_after_minutes: 60,
        session_url: session_url.clone(),
        ..BookingConfirmed::default()
    };
    let assigned = MechanicAssigned {
        name: name.clone(),
        mechanic_name: "Dana Kowalski".to_owned(),
        plan_name: plan_name.clone(),
        duration_minutes: 5,
        session_url: session_url.clone(),
        ..MechanicAssigned::default()
    };
    let ended = SessionEnded {
        name,
        mechanic_name: "Dana Kowalski".to_owned(),
        plan_name,
        ended_at: "2026-11-20T14:35:00Z".to_owned(),
        session_url: session_url.clone(),
        ..SessionEnded::default()
    };
    let summary = SummaryDelivered {
        name: "Maya Torres".to_owned(),
        mechanic_name: "Dana Kowalski".to_owned(),
        findings: "Nothing is broken.".to_owned(),
        written_at: "2026-11-20T14:40:00Z".to_owned(),
        summary_url: session_url.clone(),
        ..SummaryDelivered::default()
    };
    settings().bind(|| {
        for (name, mail) in [
            ("booking_confirmed", booked.compose()),
            ("mechanic_assigned", assigned.compose()),
            ("session_ended", ended.compose()),
            ("summary_delivered", summary.compose()),
        ] {
            insta::assert_snapshot!(format!("mail-{name}-free"), written(&mail.expect("a mail")));
        }
    });
}

#[test]
fn every_reason_for_a_refund_is_told() {
    let reasons = [
        RefundReason::Unaccepted,
        RefundReason::Cancelled,
        RefundReason::MechanicCancelled,
        RefundReason::SupportCancelled,
        RefundReason::NotFulfilled,
        RefundReason::MechanicNoShow,
        RefundReason::CustomerNoShow,
        RefundReason::NoVideo,
        RefundReason::Duplicate,
        RefundReason::WrongAmount,
        RefundReason::Support,
    ];
    let told = reasons.map(|reason| {
        // Compiles only while every reason is in the list.
        match reason {
            RefundReason::Unaccepted
            | RefundReason::Cancelled
            | RefundReason::MechanicCancelled
            | RefundReason::SupportCancelled
            | RefundReason::NotFulfilled
            | RefundReason::MechanicNoShow
            | RefundReason::CustomerNoShow
            | RefundReason::NoVideo
            | RefundReason::Duplicate
            | RefundReason::WrongAmount
            | RefundReason::Support => {}
        }
        let refund = Refund {
            name: "Maya Torres".to_owned(),
            bought: "Quick Chat".to_owned(),
            amount: Amount::new(500, "usd"),
            paid: Amount::new(999, "usd"),
            reason,
            refunded_at: "2026-11-20T14:25:00Z".to_owned(),
            ..Refund::default()
        };
        let mail = refund.compose().expect("a mail");
        format!("==== {reason:?} ====\nSubject: {}\n\n{}", mail.subject, mail.text)
    });
    settings().bind(|| insta::assert_snapshot!("mail-refund-reasons", told.join("\n")));
}

#[test]
fn refunds_of_one_session_are_told_apart_by_their_subjects() {
    let subject = |bought: &str| {
        let refund =
            Refund { bought: bought.to_owned(), amount: Amount::new(999, "usd"), ..Refund::default() };
        refund.compose().expect("a mail").subject
    };
    assert_eq!(subject("Quick Chat"), "$9.99 is on its way back to you: Quick Chat");
    assert_ne!(subject("Quick Chat"), subject("More time"));
}

#[test]
fn a_session_that_came_to_nothing_is_told_to_the_side_that_did_not_call_it_off() {
    let all = [
        CancelledBy::Nobody,
        CancelledBy::Customer,
        CancelledBy::Mechanic,
        CancelledBy::Support,
        CancelledBy::Bank,
    ];
    let mut told = Vec::new();
    for (to_customer, receipt) in [(true, false), (true, true), (false, false)] {
        for by in all {
            // Compiles only while everybody is in the list.
            match by {
                CancelledBy::Nobody
                | CancelledBy::Customer
                | CancelledBy::Mechanic
                | CancelledBy::Support
                | CancelledBy::Bank => {}
            }
            let cancelled = SessionCancelled {
                name: if to_customer { "Maya Torres" } else { "Dana Kowalski" }.to_owned(),
                to_customer,
                by,
                customer_name: "Maya Torres".to_owned(),
                plan_name: "Quick Chat".to_owned(),
                url: "http://localhost:8080/dashboard".to_owned(),
                receipt_url: receipt.then(|| "http://localhost:8080/orders/1/receipt".to_owned()),
                ..SessionCancelled::default()
            };
            let mail = cancelled.compose().expect("a mail");
            let paid = if receipt { ", paid" } else { "" };
            let side = if to_customer { "customer" } else { "mechanic" };
            told.push(format!(
                "==== {by:?}, to the {side}{paid} ====\nSubject: {}\n\n{}",
                mail.subject, mail.text
            ));
        }
    }
    settings().bind(|| insta::assert_snapshot!("mail-session_cancelled-sides", told.join("\n")));
}

#[test]
fn the_earlier_address_is_told_whom_to_write_to() {
    let notice = AccountNotice {
        sender: Sender { support_address: "help@pitlane.example".to_owned(), ..Sender::default() },
        name: "Maya Torres".to_owned(),
        happening: Happening::EmailChanged,
        happened_at: "2026-11-20T14:25:00Z".to_owned(),
        account_url: "http://localhost:8080/account".to_owned(),
    };
    let mail = notice.compose().expect("a mail");
    for body in [&mail.text, &mail.html] {
        assert!(body.contains("write to help@pitlane.example now"), "{body}");
        assert!(!body.contains("/account") && !body.contains("new password"), "{body}");
    }
    settings().bind(|| insta::assert_snapshot!("mail-account_notice-moved", written(&mail)));
}
