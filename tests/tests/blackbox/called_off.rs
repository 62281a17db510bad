//! A session is called off, or nobody takes it: each side hears by mail what the other did, and never that they did it.

use reqwest::Method;
use serde_json::Value;
use tests::money::intake_body;
use tests::{Person, TestServer, on_both, until};

/// A free session that nobody has accepted.
async fn free_session(customer: &Person) -> String {
    let answer = customer.client.post("/api/intake/start", intake_body("free")).await;
    answer.expect_status(201).text_at("session_id")
}

async fn settled(server: &TestServer) {
    until("the jobs to be done", async || (server.jobs_left() == 0).then_some(())).await;
}

/// How many mails about this milestone the person got.
async fn count(server: &TestServer, person: &Person, milestone: &str) -> usize {
    server.messages_to(&person.email).await.iter().filter(|mail| mail["milestone"] == milestone).count()
}

fn text(mail: &Value) -> &str {
    mail["text"].as_str().unwrap_or_default()
}

on_both! {
    async fn a_mechanic_who_cancels_is_not_taken_for_the_customer(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = dana.paid_session("chat10").await;
        max.accept(&session).await;
        max.step(&session, "cancel").await.expect_status(200);
        let mail = server.message_to(&dana.email, "refunded").await;
        assert_eq!(mail["subject"], "$9.99 is on its way back to you: Quick Chat");
        assert!(text(&mail).contains("Your mechanic had to cancel."), "{mail}");
        assert!(!text(&mail).contains("You cancelled"), "{mail}");
        settled(server).await;
        assert_eq!(count(server, &dana, "session_cancelled").await, 0, "the mail about the money says it");
        assert_eq!(count(server, &max, "session_cancelled").await, 0, "he knows");
    }

    async fn a_mechanic_who_leaves_for_good_has_cancelled_too(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = dana.paid_session("chat10").await;
        max.accept(&session).await;
        max.client.send(Method::DELETE, "/api/me", None).await.expect_status(204);
        let mail = server.message_to(&dana.email, "refunded").await;
        assert!(text(&mail).contains("Your mechanic had to cancel."), "{mail}");
    }

    async fn a_customer_who_cancels_before_anybody_accepts_is_told_so(server) {
        let dana = server.customer().await;
        let session = dana.paid_session("chat10").await;
        dana.step(&session, "cancel").await.expect_status(200);
        let mail = server.message_to(&dana.email, "refunded").await;
        assert!(text(&mail).contains("You cancelled the session."), "{mail}");
        settled(server).await;
        assert_eq!(count(server, &dana, "session_cancelled").await, 0);
    }

    async fn who_paid_nothing_hears_that_the_mechanic_cancelled(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = free_session(&dana).await;
        max.accept(&session).await;
        max.step(&session, "cancel").await.expect_status(200);
        let mail = server.message_to(&dana.email, "session_cancelled").await;
        assert_eq!(mail["subject"], "Your mechanic had to cancel");
        assert!(text(&mail).contains("your free session is still yours"), "{mail}");
        assert!(text(&mail).contains("Plan: Free Diagnostic") && text(&mail).contains("/dashboard"), "{mail}");
        settled(server).await;
        assert_eq!(count(server, &dana, "refunded").await, 0);
        assert_eq!(count(server, &max, "session_cancelled").await, 0);
    }

    async fn who_paid_nothing_hears_once_that_nobody_came(server) {
        let dana = server.customer().await;
        let session = free_session(&dana).await;
        server.advance_clock(3_601).await;
        let mail = server.message_to(&dana.email, "session_cancelled").await;
        assert_eq!(mail["subject"], "Nobody could take your request");
        assert_eq!(dana.session(&session).await["status"], "expired");
        server.advance_clock(3_601).await;
        settled(server).await;
        assert_eq!(count(server, &dana, "session_cancelled").await, 1);
    }

    async fn a_mechanic_hears_that_the_customer_cancelled_what_was_accepted(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = dana.paid_session("chat10").await;
        max.accept(&session).await;
        dana.step(&session, "cancel").await.expect_status(200);
        let mail = server.message_to(&max.email, "session_cancelled").await;
        assert_eq!(mail["subject"], "Dana Driver called the session off");
        assert!(text(&mail).contains("You are free for the next one."), "{mail}");
        assert!(text(&mail).contains(&format!("/chat/{session}")) && !text(&mail).contains("Receipt"), "{mail}");
        settled(server).await;
        assert_eq!(count(server, &dana, "session_cancelled").await, 0, "she knows");
        assert_eq!(count(server, &dana, "refunded").await, 0, "nothing goes back");
    }

    async fn when_support_calls_it_off_both_sides_hear_who_it_was(server) {
        let (dana, max, admin) = (server.customer().await, server.mechanic().await, server.admin().await);
        let paid = dana.paid_session("chat10").await;
        max.accept(&paid).await;
        admin.step(&paid, "cancel").await.expect_status(200);
        let refund = server.message_to(&dana.email, "refunded").await;
        assert!(text(&refund).contains("Our support team called the session off."), "{refund}");
        let mail = server.message_to(&max.email, "session_cancelled").await;
        assert_eq!(mail["subject"], "The session with Dana Driver was called off");
        let carl = server.customer().await;
        let free = free_session(&carl).await;
        admin.step(&free, "cancel").await.expect_status(200);
        let mail = server.message_to(&carl.email, "session_cancelled").await;
        assert_eq!(mail["subject"], "Your session was called off");
        settled(server).await;
        assert_eq!(count(server, &dana, "session_cancelled").await, 0);
    }
}
