//! Money that goes back many times at once, by admins, by itself and at the provider: never more than was paid, and
//! everybody is told what became of their call.

use futures_util::future::join_all;
use serde_json::json;
use tests::money::{GOOD_CARD, Meeting};
use tests::{Answer, Person, TestServer, on_both, until};

use crate::blackbox::money_back::{balance, meeting_with_card, upgrade};

/// A sum over a table, in cents.
fn sum(server: &TestServer, column: &str, of: &str) -> i64 {
    server
        .database()
        .number(&format!("SELECT CAST(coalesce(sum({column}), 0) AS bigint) AS number FROM {of}"))
}

/// What is asked back by the books: on its way, or gone.
fn asked_back(server: &TestServer) -> i64 {
    sum(server, "amount_cents", "refunds WHERE status <> 'failed'")
}

/// How much the provider has sent back.
async fn sent_by_provider(server: &TestServer) -> i64 {
    let list = server.provider().get("/v1/refunds?limit=100").await.expect_status(200);
    assert_eq!(list.body["has_more"], false, "one page holds them");
    let refunds = list.body["data"].as_array().expect("a list");
    refunds.iter().filter_map(|refund| refund["amount"].as_i64()).sum()
}

/// Waits until nothing is on its way any more; then the books, the provider and the ledger say the same.
async fn agrees_in_the_end(server: &TestServer) -> i64 {
    until("no refund to be on its way", async || {
        let open = server.database().count("refunds", "status NOT IN ('succeeded', 'failed')");
        (open == 0 && asked_back(server) == sent_by_provider(server).await).then_some(())
    })
    .await;
    let (paid, back) = (sum(server, "amount_cents", "payments"), asked_back(server));
    assert!(back <= paid, "{back} of {paid} went back");
    assert_eq!(sum(server, "asked_back_cents", "payments"), back);
    assert_eq!(sum(server, "amount_cents", "ledger_entries"), 0, "the ledger sums to zero");
    assert_eq!(balance(server, "stripe_clearing"), paid - back, "what the provider holds");
    let doctor = server.pitlane(&["doctor"]);
    assert!(doctor.status.success(), "{}", tests::server::printed(&doctor));
    back
}

async fn refund(admin: &Person, session: &str, amount: Option<i64>) -> Answer {
    let body = match amount {
        Some(cents) => json!({ "amount_cents": cents, "reason": "A race." }),
        None => json!({ "reason": "A race." }),
    };
    admin.client.post(&format!("/api/admin/sessions/{session}/refund"), body).await
}

/// Of calls at once, those that were carried out; the others were refused for this and nothing else.
fn done(answers: &[Answer], refusal: (u16, &str)) -> usize {
    let (done, refused): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|one| one.status == 200);
    for answer in refused {
        answer.refused(refusal.0, refusal.1);
    }
    done.len()
}

on_both! {
    async fn many_admins_at_once_send_back_no_more_than_was_paid(server) {
        let Meeting { customer: dana, session, .. } = meeting_with_card(server).await;
        upgrade(&dana, &session).await;
        dana.step(&session, "end").await.expect_status(200);
        let admin = server.admin().await;
        // The small ones alone come to more than was paid, so that one of them is refused in any order.
        let amounts = (0..36).map(|at| if at % 3 == 0 { 700 } else { 130 });
        let answers = join_all(amounts.map(|cents| refund(&admin, &session, Some(cents)))).await;
        let (some, told) = (done(&answers, (409, "refund_exceeds_payment")), asked_back(server));
        assert!((5..=23).contains(&some), "some fit and some do not: {some}");
        assert!(told <= 2_999 && 2_999 - told < 130, "as much as fits: {told}");
        let noted = server.database().count("audit_log", "action = 'session.refund'");
        assert_eq!(usize::try_from(noted), Ok(some), "each that was carried out is in the audit log, no other");

        // What is left goes back whole, once.
        let answers = join_all((0..8).map(|_| refund(&admin, &session, None))).await;
        assert_eq!(done(&answers, (409, "refund_exceeds_payment")), usize::from(told < 2_999));
        assert_eq!(agrees_in_the_end(server).await, 2_999);
        assert_eq!((balance(server, "platform_revenue"), balance(server, "provider_payable")), (0, 0));
        assert_eq!(dana.session(&session).await["payment_status"], "refunded");
    }

    async fn a_cancellation_amid_refunds_by_hand_sends_back_the_rest_and_no_more(server) {
        let (dana, admin) = (server.customer().await, server.admin().await);
        for _ in 0..3 {
            let session = dana.paid_session("chat10").await;
            let before = asked_back(server);
            let by_hand = join_all((0..12).map(|at| refund(&admin, &session, Some(90 + at))));
            let whole = join_all((0..2).map(|_| refund(&admin, &session, None)));
            let cancelled = join_all((0..3).map(|_| dana.step(&session, "cancel")));
            let (by_hand, whole, cancelled) = futures_util::join!(by_hand, whole, cancelled);
            done(&by_hand, (409, "refund_exceeds_payment"));
            done(&whole, (409, "refund_exceeds_payment"));
            assert!(cancelled.iter().any(|answer| answer.status == 200), "{cancelled:?}");
            for answer in cancelled.iter().filter(|answer| answer.status != 200) {
                answer.refused(409, "invalid_transition");
            }
            assert_eq!(asked_back(server) - before, 999, "all of it, once");
            assert_eq!(dana.session(&session).await["payment_status"], "refunded");
        }
        assert_eq!(agrees_in_the_end(server).await, 3 * 999);
    }

    async fn a_tap_that_is_sent_many_times_sends_money_back_once(server) {
        let (dana, admin) = (server.customer().await, server.admin().await);
        let session = dana.paid_session("chat10").await;
        let path = format!("/api/admin/sessions/{session}/refund");
        let body = json!({ "amount_cents": 100, "reason": "One tap." });
        let answers = join_all((0..10).map(|_| admin.client.post_once(&path, "tap", body.clone()))).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
        assert_eq!(asked_back(server), 100);
        let other = json!({ "amount_cents": 200, "reason": "One tap." });
        admin.client.post_once(&path, "tap", other).await.refused(422, "idempotency_mismatch");
        assert_eq!(agrees_in_the_end(server).await, 100);
    }

    async fn refunds_at_the_provider_amid_our_own_enter_the_books_and_exceed_nothing(server) {
        let (dana, admin) = (server.customer().await, server.admin().await);
        let checkout = dana.checkout("chat10").await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let session = dana.session_of(&checkout).await;
        let intent = server.intent_of(&checkout).await;
        let fields = [("payment_intent", intent.as_str()), ("amount", "150")];
        let stripe = server.provider();
        let theirs = join_all((0..4).map(|_| stripe.post_form("/v1/refunds", &fields)));
        let ours = join_all((0..8).map(|_| refund(&admin, &session, Some(120))));
        let (theirs, ours) = futures_util::join!(theirs, ours);
        assert!(theirs.iter().all(|answer| answer.status == 200 || answer.status == 400), "{theirs:?}");
        assert!(theirs.iter().any(|answer| answer.status == 200), "{theirs:?}");
        done(&ours, (409, "refund_exceeds_payment"));
        // What is left of it goes back; what the provider refuses because it went back there is told of as a failed job.
        refund(&admin, &session, None).await;
        let back = agrees_in_the_end(server).await;
        assert!(back > 150, "{back}");
        let (failed, dead) = (server.database().count("refunds", "status = 'failed'"), dead_refunds(server));
        assert_eq!(failed, dead, "each refund that was refused waits for a person");
        server.database().execute("UPDATE jobs SET status = 'done' WHERE status = 'dead'").expect("they are looked at");
    }

    async fn what_the_bank_has_taken_goes_back_only_after_the_dispute_was_won(server) {
        let Meeting { customer: dana, session, .. } = meeting_with_card(server).await;
        let intent = upgrade(&dana, &session).await;
        dana.step(&session, "end").await.expect_status(200);
        let admin = server.admin().await;
        let dispute = server.dispute(&intent).await;
        taken(server, 1).await;
        // The twenty dollars of the upgrade are at the bank; the chat's money is not.
        let too_much = refund(&admin, &session, Some(1_000)).await;
        too_much.refused(409, "refund_exceeds_payment");
        assert!(too_much.body["detail"].as_str().is_some_and(|text| text.contains("$9.99")), "{too_much:?}");
        refund(&admin, &session, None).await.expect_status(200);
        assert_eq!(asked_back(server), 999);
        refund(&admin, &session, None).await.refused(409, "payment_disputed");
        refund(&admin, &session, Some(1)).await.refused(409, "payment_disputed");

        let path = format!("/sandbox/disputes/{dispute}/decide");
        server.guest().post(&path, json!({ "outcome": "won" })).await.expect_status(200);
        until("the verdict", async || {
            (server.database().count("disputes", "status = 'won'") == 1).then_some(())
        })
        .await;
        refund(&admin, &session, None).await.expect_status(200);
        assert_eq!(agrees_in_the_end(server).await, 2_999);
    }

    async fn nothing_goes_back_by_itself_of_a_session_whose_money_the_bank_holds(server) {
        let (cancelled, expired) = (server.disputed_chat().await, server.disputed_chat().await);
        taken(server, 2).await;
        cancelled.customer.step(&cancelled.session, "cancel").await.expect_status(200);
        server.advance_clock(3_601).await;
        until("the session to expire", async || {
            (expired.customer.session(&expired.session).await["status"] == "expired").then_some(())
        })
        .await;
        until("the jobs to be done", async || (server.jobs_left() == 0).then_some(())).await;
        assert_eq!(server.database().count("refunds", "1 = 1"), 0, "nothing is asked back");
        assert_eq!(sent_by_provider(server).await, 0);
        for one in [&cancelled, &expired] {
            assert_eq!(asked_of_provider(server, &one.intent).await, Vec::<i64>::new());
            assert_eq!(mails_of_refunds(server, &one.customer).await, 0);
        }
        assert!(!server.log().contains("a refund was refused"), "the provider was not asked");
    }

    async fn a_cancellation_sends_back_what_the_bank_does_not_hold(server) {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = dana.session_with_card("chat10", GOOD_CARD).await;
        max.accept(&session).await;
        let intent = upgrade(&dana, &session).await;
        let dispute = server.dispute(&intent).await;
        taken(server, 1).await;
        // A mechanic's cancellation gives everything back; here it is the chat, and not its upgrade.
        max.step(&session, "cancel").await.expect_status(200);
        assert_eq!(server.database().count("refunds", "amount_cents = 999"), 1);
        assert_eq!(server.database().count("refunds", "1 = 1"), 1, "of the chat, not of its upgrade");
        until("the chat's money to have gone back", async || {
            (server.database().count("refunds", "status = 'succeeded'") == 1).then_some(())
        })
        .await;
        until("the jobs to be done", async || (server.jobs_left() == 0).then_some(())).await;
        assert_eq!((asked_back(server), sent_by_provider(server).await), (999, 999));
        assert_eq!(asked_of_provider(server, &intent).await, Vec::<i64>::new());
        assert_eq!(mails_of_refunds(server, &dana).await, 1);
        assert!(!server.log().contains("a refund was refused"), "the provider was not asked");

        let path = format!("/sandbox/disputes/{dispute}/decide");
        server.guest().post(&path, json!({ "outcome": "won" })).await.expect_status(200);
        until("the verdict", async || {
            (server.database().count("disputes", "status = 'won'") == 1).then_some(())
        })
        .await;
        refund(&server.admin().await, &session, None).await.expect_status(200);
        assert_eq!(agrees_in_the_end(server).await, 2_999);
    }
}

/// Waits until it is known of so many disputes that the bank has taken the money.
async fn taken(server: &TestServer, disputes: i64) {
    until("the disputes", async || {
        (server.database().count("disputes", "withdrawn") == disputes).then_some(())
    })
    .await;
}

/// What the provider has sent back of a charge, or tried to.
async fn asked_of_provider(server: &TestServer, intent: &str) -> Vec<i64> {
    let list =
        server.provider().get(&format!("/v1/refunds?payment_intent={intent}")).await.expect_status(200);
    let refunds = list.body["data"].as_array().expect("a list");
    refunds.iter().filter_map(|refund| refund["amount"].as_i64()).collect()
}

async fn mails_of_refunds(server: &TestServer, customer: &Person) -> usize {
    let all = server.messages_to(&customer.email).await;
    all.iter().filter(|mail| mail["milestone"] == "refunded").count()
}

fn dead_refunds(server: &TestServer) -> i64 {
    server.database().count("jobs", "status = 'dead' AND kind = 'refund'")
}
