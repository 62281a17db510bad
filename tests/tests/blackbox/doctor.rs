//! `pitlane doctor`: a sound database passes, and each broken invariant is found. The schema refuses what it can.

use reqwest::Method;
use serde_json::json;
use tests::money::{GOOD_CARD, intake_body};
use tests::server::{printed, run_with};
use tests::{Backend, TestServer};

use super::applications::sent;

/// One way to break an invariant past the product's guards: what the doctor then says, the statements that break it,
/// and those that mend it.
struct Break {
    says: &'static str,
    breaks: &'static str,
    mends: &'static str,
}

/// A line of a log comes back.
const PUT_BACK: &str = "INSERT INTO session_events SELECT * FROM kept_line; DROP TABLE kept_line";

const BREAKS: &[Break] = &[
    Break {
        says: "its last step is refused",
        breaks: "UPDATE application_steps SET kind = 'refused', text = 'No.' WHERE kind = 'approved'",
        mends: "UPDATE application_steps SET kind = 'approved', text = '' WHERE kind = 'refused'",
    },
    Break {
        says: "was approved and nothing came of it",
        breaks: "UPDATE mechanics SET approval = 'pending', decided_by = NULL, decided_at = NULL \
                 WHERE user_id IN (SELECT user_id FROM applications)",
        mends: "UPDATE mechanics SET approval = 'approved', decided_at = created_at WHERE approval = 'pending'",
    },
    Break {
        says: "against their suspensions",
        breaks: "UPDATE users SET status = 'active' WHERE status = 'suspended'",
        mends: "UPDATE users SET status = 'suspended' WHERE id IN (SELECT user_id FROM suspensions)",
    },
    Break {
        says: "is suspended and signed in",
        breaks: "UPDATE sign_ins SET revoked_at = NULL WHERE user_id IN (SELECT user_id FROM suspensions)",
        mends: "UPDATE sign_ins SET revoked_at = created_at WHERE user_id IN (SELECT user_id FROM suspensions)",
    },
    Break {
        says: "without its money",
        breaks: "UPDATE payments SET amount_cents = amount_cents + 1",
        mends: "UPDATE payments SET amount_cents = amount_cents - 1",
    },
    Break {
        says: "not what was asked back",
        breaks: "UPDATE payments SET asked_back_cents = 1",
        mends: "UPDATE payments SET asked_back_cents = 0",
    },
    Break {
        says: "nobody paid for it",
        breaks: "UPDATE orders SET kind = 'upgrade'",
        mends: "UPDATE orders SET kind = 'session'",
    },
    Break {
        says: "accepts",
        breaks: "UPDATE request_offers SET status = 'declined' WHERE status = 'accepted'",
        mends: "UPDATE request_offers SET status = 'accepted' WHERE status = 'declined'",
    },
    Break {
        says: "its money is not on the way back",
        breaks: "CREATE TABLE kept AS SELECT id, session_id, fulfilled_at FROM orders; \
                 UPDATE orders SET status = 'paid', session_id = NULL, fulfilled_at = NULL WHERE plan = 'chat10'",
        mends: "UPDATE orders SET status = 'fulfilled', \
                session_id = (SELECT session_id FROM kept WHERE kept.id = orders.id), \
                fulfilled_at = (SELECT fulfilled_at FROM kept WHERE kept.id = orders.id) WHERE plan = 'chat10'; \
                DROP TABLE kept",
    },
    Break {
        says: "session",
        breaks: "UPDATE session_events SET body = replace(body, 'grinds', 'sings') WHERE kind = 'message'",
        mends: "UPDATE session_events SET body = replace(body, 'sings', 'grinds') WHERE kind = 'message'",
    },
    Break {
        says: "session",
        breaks: "UPDATE session_events SET seq = 99 WHERE kind = 'message'",
        mends: "UPDATE session_events SET seq = 5 WHERE kind = 'message'",
    },
    Break {
        says: "session",
        breaks: "UPDATE sessions SET last_seq = last_seq + 1",
        mends: "UPDATE sessions SET last_seq = last_seq - 1",
    },
    Break {
        says: "session",
        breaks: "CREATE TABLE kept_line AS SELECT * FROM session_events WHERE kind = 'message'; \
                 DELETE FROM session_events WHERE kind = 'message'",
        mends: PUT_BACK,
    },
    Break {
        says: "session",
        breaks: "CREATE TABLE kept_line AS SELECT * FROM session_events WHERE kind = 'started'; \
                 DELETE FROM session_events WHERE kind = 'started'",
        mends: PUT_BACK,
    },
    // Deleted, and the numbers made to fit.
    Break {
        says: "session",
        breaks: "CREATE TABLE kept_line AS SELECT * FROM session_events WHERE kind = 'message'; \
                 DELETE FROM session_events WHERE kind = 'message'; \
                 UPDATE sessions SET last_seq = last_seq - 1 WHERE id IN (SELECT session_id FROM kept_line)",
        mends: "UPDATE sessions SET last_seq = last_seq + 1 WHERE id IN (SELECT session_id FROM kept_line); \
                INSERT INTO session_events SELECT * FROM kept_line; DROP TABLE kept_line",
    },
    // Two lines in each other's place.
    Break {
        says: "session",
        breaks: "UPDATE session_events SET seq = 1000 WHERE kind = 'started'; \
                 UPDATE session_events SET seq = 4 WHERE kind = 'message'; \
                 UPDATE session_events SET seq = 5 WHERE kind = 'started'",
        mends: "UPDATE session_events SET seq = 1000 WHERE kind = 'started'; \
                UPDATE session_events SET seq = 5 WHERE kind = 'message'; \
                UPDATE session_events SET seq = 4 WHERE kind = 'started'",
    },
    // What one line says, put into another with all that proves it.
    Break {
        says: "session",
        breaks: "CREATE TABLE kept_line AS SELECT * FROM session_events WHERE kind = 'message'; \
                 UPDATE session_events SET body = (SELECT body FROM session_events WHERE kind = 'started'), \
                   salt = (SELECT salt FROM session_events WHERE kind = 'started'), \
                   commitment = (SELECT commitment FROM session_events WHERE kind = 'started') \
                 WHERE kind = 'message'",
        mends: "DELETE FROM session_events WHERE kind = 'message'; \
                INSERT INTO session_events SELECT * FROM kept_line; DROP TABLE kept_line",
    },
    Break {
        says: "was over before its time was",
        breaks: "UPDATE sessions SET status = 'completed', end_reason = 'time_limit', ended_at = started_at \
                 WHERE status = 'in_progress'",
        mends: "UPDATE sessions SET status = 'in_progress', end_reason = NULL, ended_at = NULL \
                WHERE end_reason = 'time_limit'",
    },
    Break {
        says: "is completed for no_show_mechanic",
        breaks: "UPDATE sessions SET status = 'completed', end_reason = 'no_show_mechanic', ended_at = started_at \
                 WHERE status = 'in_progress'",
        mends: "UPDATE sessions SET status = 'in_progress', end_reason = NULL, ended_at = NULL \
                WHERE end_reason = 'no_show_mechanic'",
    },
    Break {
        says: "takes no part",
        breaks: "UPDATE session_participants SET role = 'observer' WHERE role = 'mechanic'",
        mends: "UPDATE session_participants SET role = 'mechanic' WHERE role = 'observer'",
    },
    Break {
        says: "in the mailbox and its delivery is failed",
        breaks: "UPDATE deliveries SET status = 'failed', sent_at = NULL WHERE milestone = 'booking_confirmed'",
        mends: "UPDATE deliveries SET status = 'sent', sent_at = created_at WHERE milestone = 'booking_confirmed'",
    },
];

/// The same for a session that was upgraded and is over.
const BREAKS_OF_MONEY: &[Break] = &[
    Break {
        says: "are not it",
        breaks: "UPDATE orders SET price_book = '2025-01' WHERE kind = 'upgrade'",
        mends: "UPDATE orders SET price_book = '2025-10' WHERE kind = 'upgrade'",
    },
    Break {
        says: "its upgrade was paid 0 times",
        breaks: "UPDATE orders SET kind = 'extension' WHERE kind = 'upgrade'",
        mends: "UPDATE orders SET kind = 'upgrade' WHERE kind = 'extension'",
    },
    Break {
        says: "tells its upgrade 0 times",
        breaks: "UPDATE session_events SET kind = 'summary' WHERE kind = 'session_upgraded'",
        mends: "UPDATE session_events SET kind = 'session_upgraded' WHERE kind = 'summary'",
    },
    Break {
        says: "was upgraded after its end",
        breaks: "CREATE TABLE kept AS SELECT upgraded_at, ended_at FROM sessions; \
                 UPDATE sessions SET upgraded_at = ended_at, ended_at = started_at",
        mends: "UPDATE sessions SET upgraded_at = (SELECT upgraded_at FROM kept), ended_at = (SELECT ended_at FROM kept); \
                DROP TABLE kept",
    },
    Break {
        says: "what was earned with it is not what the ledger says",
        breaks: "UPDATE provider_earnings SET fee_cents = fee_cents + 1, payable_cents = payable_cents - 1",
        mends: "UPDATE provider_earnings SET fee_cents = fee_cents - 1, payable_cents = payable_cents + 1",
    },
    Break {
        says: "what was earned with it is not what the ledger says",
        breaks: "CREATE TABLE kept_earning AS SELECT * FROM provider_earnings; DELETE FROM provider_earnings",
        mends: "INSERT INTO provider_earnings SELECT * FROM kept_earning; DROP TABLE kept_earning",
    },
];

/// What the schema itself must refuse, whoever asks.
const REFUSED: &[(&str, &str)] = &[
    ("a changed ledger", "UPDATE ledger_entries SET amount_cents = amount_cents + 1"),
    ("a shortened ledger", "DELETE FROM ledger_entries"),
    ("the free plan twice", "UPDATE orders SET plan = 'free', amount_cents = 0 WHERE plan = 'chat10'"),
    ("more asked back than paid", "UPDATE payments SET asked_back_cents = amount_cents + 1"),
    ("a second mechanic", "UPDATE request_offers SET status = 'accepted' WHERE status <> 'accepted'"),
    ("a session in an unknown state", "UPDATE sessions SET status = 'lost'"),
    ("an order of nobody", "UPDATE orders SET customer_id = id"),
    ("a second delivery under one key", "UPDATE deliveries SET send_once_key = 'one'"),
    (
        "a message under the reference of another",
        "UPDATE session_events SET client_ref = 'x' WHERE kind <> 'message'",
    ),
];

/// A database with a bit of everything, and nobody at work in it.
async fn furnish(server: &mut TestServer) {
    let (dana, max, idle) = (server.customer().await, server.mechanic().await, server.mechanic().await);
    dana.client.post("/api/intake/start", intake_body("free")).await.expect_status(201);
    let session = dana.paid_session("chat10").await;
    idle.offer_of(&session).await;
    max.accept(&session).await;
    max.step(&session, "start").await.expect_status(200);
    dana.say(&session, "d1", "It grinds when I brake.").await.expect_status(201);
    let (sam, gone, admin) =
        (server.register("mechanic", "Sam Okafor").await, server.customer().await, server.admin().await);
    let applied = sam.client.post("/api/mechanics/apply", sent(&sam).await).await.expect_status(201);
    let approve = format!("/api/admin/applications/{}/approve", applied.text_at("id"));
    admin.client.post_nothing(&approve).await.expect_status(200);
    let suspend = format!("/api/admin/users/{}/suspend", gone.id);
    admin.client.post(&suspend, json!({ "reason": "Spam." })).await.expect_status(200);
    server.message_to(&gone.email, "account_suspended").await;
    server.message_to(&sam.email, "application_approved").await;
    server.message_to(&dana.email, "booking_confirmed").await;
    server.message_to(&dana.email, "mechanic_assigned").await;
    server.judge().await;
    server.kill9();
}

fn doctor(server: &TestServer) -> (bool, String) {
    let output = server.pitlane(&["doctor"]);
    (output.status.success(), printed(&output))
}

/// Breaks and mends one after the other; the doctor sees each.
fn each_is_found(server: &TestServer, breaks: &[Break]) {
    for case in breaks {
        let shown = case.breaks;
        server.database().execute(case.breaks).unwrap_or_else(|error| panic!("{shown}: {error}"));
        let (sound, told) = doctor(server);
        assert!(
            !sound && told.contains(case.says),
            "the doctor does not say {:?} after {shown}:\n{told}",
            case.says
        );
        server.database().execute(case.mends).unwrap_or_else(|error| panic!("{}: {error}", case.mends));
        let (sound, told) = doctor(server);
        assert!(sound, "not mended after {shown}:\n{told}");
    }
}

async fn examine_money(server: &mut TestServer) {
    let (dana, max) = (server.customer().await, server.mechanic().await);
    let session = dana.session_with_card("chat10", GOOD_CARD).await;
    max.accept(&session).await;
    max.step(&session, "start").await.expect_status(200);
    let body = json!({ "session_id": session, "upgrade_amount": 20.00 });
    let paid = dana.client.post("/api/sessions/upgrade/payment", body).await.expect_status(200);
    let body = json!({ "payment_intent_id": paid.text_at("payment_intent_id") });
    let path = format!("/api/sessions/{session}/upgrade");
    dana.client.send(Method::PATCH, &path, Some(body)).await.expect_status(200);
    dana.step(&session, "end").await.expect_status(200);
    server.judge().await;
    server.kill9();
    each_is_found(server, BREAKS_OF_MONEY);
    server.start().await;
}

async fn examine(server: &mut TestServer) {
    furnish(server).await;
    each_is_found(server, BREAKS);
    for (what, statements) in REFUSED {
        let result = server.database().execute(statements);
        assert!(result.is_err(), "the schema allows {what}");
    }
    unguarded(server);
    server.start().await;
}

/// What the schema refuses is also the doctor's business, for a database whose guards were taken away.
fn unguarded(server: &TestServer) {
    let database = server.database();
    let (open, close) = if database.is_sqlite() {
        ("DROP TRIGGER ledger_entries_no_update;", "")
    } else {
        (
            "ALTER TABLE ledger_entries DISABLE TRIGGER USER;",
            "ALTER TABLE ledger_entries ENABLE TRIGGER USER;",
        )
    };
    let change = |by: &str, before: &str, after: &str| {
        let statement = format!(
            "{before} UPDATE ledger_entries SET amount_cents = amount_cents {by} WHERE line = 1; {after}"
        );
        database.execute(&statement).expect("the guard is gone");
    };
    change("+ 1", open, "");
    let (sound, told) = doctor(server);
    assert!(!sound && told.contains("does not sum to zero"), "{told}");
    change("- 1", "", close);
    database
        .execute("DROP INDEX orders_one_free_per_customer; UPDATE orders SET plan = 'free', amount_cents = 0 WHERE plan = 'chat10'")
        .expect("the guard is gone");
    let (sound, told) = doctor(server);
    assert!(!sound && told.contains("the free plan several times"), "{told}");
    database
        .execute("UPDATE orders SET plan = 'chat10', amount_cents = 999 WHERE payment_intent IS NOT NULL")
        .expect("the order is mended");
}

#[test]
fn each_broken_invariant_is_found_on_sqlite() {
    run_with(Backend::Sqlite, &[], examine);
}

#[test]
fn each_broken_invariant_is_found_on_postgres() {
    run_with(Backend::Postgres, &[], examine);
}

#[test]
fn each_broken_invariant_of_an_upgrade_is_found_on_sqlite() {
    run_with(Backend::Sqlite, &[], examine_money);
}

#[test]
fn each_broken_invariant_of_an_upgrade_is_found_on_postgres() {
    run_with(Backend::Postgres, &[], examine_money);
}
