//! Nobody accepts in time: the session expires and the money goes back by itself.

use tests::{on_both, until};

on_both! {
    async fn a_request_that_nobody_accepts_expires_and_is_refunded_in_full(server) {
        let (customer, mechanic) = (server.customer().await, server.mechanic().await);
        let session = customer.paid_session("chat10").await;
        let offer = mechanic.offer_of(&session).await;
        server.advance_clock(3_601).await;
        let expired = until("the session to expire", async || {
            let session = customer.session(&session).await;
            (session["payment_status"] == "refunded").then_some(session)
        })
        .await;
        assert_eq!((&expired["status"], &expired["end_reason"]), (&"expired".into(), &"unaccepted".into()));
        let id = offer["id"].as_str().expect("an id");
        let late = mechanic.client.post_nothing(&format!("/api/requests/{id}/accept")).await;
        assert_eq!(late.status, 409, "{}", late.text);
        until("the mail about the refund", async || {
            let mails = server.messages_to(&customer.email).await;
            mails.iter().any(|mail| mail["milestone"] == "refunded").then_some(())
        })
        .await;
    }

    async fn a_free_session_that_nobody_took_can_be_had_again(server) {
        let customer = server.customer().await;
        let ask = || customer.client.post("/api/intake/start", tests::money::intake_body("free"));
        let session = ask().await.expect_status(201).text_at("session_id");
        ask().await.refused(409, "free_session_used");
        server.advance_clock(3_601).await;
        until("the session to expire", async || {
            (customer.session(&session).await["status"] == "expired").then_some(())
        })
        .await;
        let thanks = customer.client.get(&format!("/thank-you?session={session}")).await.expect_status(200);
        assert!(thanks.text.contains("Your free session is still yours"), "{}", thanks.text);
        let again = ask().await.expect_status(201).text_at("session_id");
        assert_ne!(again, session);
        ask().await.refused(409, "free_session_used");
    }

    async fn a_request_that_was_accepted_stays_accepted(server) {
        let (customer, mechanic) = (server.customer().await, server.mechanic().await);
        let session = customer.paid_session("chat10").await;
        mechanic.accept(&session).await;
        server.advance_clock(3_601).await;
        until("the job to be done", async || (server.jobs_left() == 0).then_some(())).await;
        let session = customer.session(&session).await;
        assert_eq!((&session["status"], &session["payment_status"]), (&"accepted".into(), &"paid".into()));
    }
}
