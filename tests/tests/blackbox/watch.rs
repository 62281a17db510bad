//! Somebody looks after sessions: mechanics are asked to begin, and support hears once of what needs a person.

use serde_json::{Value, json};
use tests::money::{GOOD_CARD, Meeting};
use tests::server::{CRON_SECRET, run_with};
use tests::{Backend, Person, Socket, TestServer, on_both, until};

const SUPPORT: &str = "support@example.com";
const CRON: &str = "/api/cron/monitor-sessions";
/// So short that who leaves is gone at once.
const PRESENCE: [(&str, &str); 1] = [("PITLANE_DISPATCH__PRESENCE_GRACE_SECONDS", "1")];

async fn settled(server: &TestServer) {
    until("the jobs to be done", async || (server.jobs_left() == 0).then_some(())).await;
}

async fn mails(server: &TestServer, address: &str, milestone: &str) -> usize {
    let all = server.messages_to(address).await;
    all.iter().filter(|mail| mail["milestone"] == milestone).count()
}

/// A paid chat that a mechanic has accepted and nobody has started.
async fn accepted(server: &TestServer) -> Meeting {
    let (customer, mechanic) = (server.customer().await, server.mechanic().await);
    let session = customer.paid_session("chat10").await;
    mechanic.accept(&session).await;
    Meeting { customer, mechanic, session }
}

async fn present(server: &TestServer, count: i64) {
    until(&format!("{count} people to be in the room"), async || {
        let there = "seen_at IS NOT NULL AND gone_at IS NULL";
        (server.database().count("session_participants", there) == count).then_some(())
    })
    .await;
}

async fn comes(server: &TestServer, person: &Person, session: &str) -> Socket {
    let mut socket = person.socket(server).await;
    socket.join(&format!("session:{session}"), 0).await;
    socket
}

async fn staff_socket(server: &TestServer, person: &Person) -> Socket {
    let mut socket = person.socket(server).await;
    socket.join("admin", 0).await;
    socket
}

async fn alerts(person: &Person) -> Vec<Value> {
    let list = person.client.get("/api/admin/alerts?limit=100").await.expect_status(200);
    list.body["items"].as_array().expect("a list").clone()
}

/// The alerts that wait for somebody.
pub async fn waiting(person: &Person) -> Vec<Value> {
    let all = alerts(person).await;
    all.into_iter().filter(|one| one["ended_at"].is_null() && one["seen_at"].is_null()).collect()
}

async fn looks(server: &TestServer) -> Value {
    let answer = server.guest().with_token(CRON_SECRET).post_nothing(CRON).await;
    answer.expect_status(200).body
}

/// An hour with whatever repeats, so that anything that would be told twice is.
async fn an_hour_passes(server: &TestServer) {
    for _ in 0..4 {
        server.advance_clock(900).await;
        settled(server).await;
    }
}

on_both! {
    async fn a_mechanic_who_does_not_begin_is_asked_once(server) {
        let it = accepted(server).await;
        let mut socket = it.mechanic.socket(server).await;
        let channel = it.mechanic.channel("mechanic");
        socket.join(&channel, 0).await;
        server.advance_clock(150).await;
        settled(server).await;
        assert_eq!(server.database().count("personal_notices", "kind = 'start_nudge'"), 0, "not yet");
        server.advance_clock(40).await;
        let told = socket.of_type("start_nudge").await;
        assert_eq!((&told["channel"], &told["session_id"]), (&json!(channel), &json!(it.session)));
        assert_eq!((&told["customer_name"], &told["session_type"]), (&json!("Dana Driver"), &json!("chat")));
        assert!(told["event_id"].is_string() && told["due_at"].is_string(), "{told}");
        let mail = server.message_to(&it.mechanic.email, "start_nudge").await;
        assert_eq!(mail["subject"], "Dana Driver is waiting for you");
        let link = mail["links"][0].as_str().unwrap_or_default().to_owned();
        assert!(link.ends_with(&format!("/chat/{}", it.session)), "{mail}");

        socket.send(json!({ "type": "ack", "channel": channel, "event_id": told["event_id"] })).await;
        until("the acknowledgement", async || {
            (server.database().count("personal_notices", "acknowledged_at IS NOT NULL") == 1).then_some(())
        })
        .await;
        an_hour_passes(server).await;
        assert_eq!(mails(server, &it.mechanic.email, "start_nudge").await, 1);
        assert_eq!(server.database().count("personal_notices", "kind = 'start_nudge'"), 1);
        assert_eq!(server.database().count("deliveries", "milestone = 'start_nudge' AND channel = 'sms'"), 0);
    }

    async fn a_mechanic_whose_pages_show_nothing_gets_a_text_message_too(server) {
        let it = accepted(server).await;
        let verified = "UPDATE users SET phone = '+15550100199', phone_verified_at = created_at WHERE role = 'mechanic'";
        server.database().execute(verified).expect("a telephone");
        server.advance_clock(185).await;
        server.message_to(&it.mechanic.email, "start_nudge").await;
        server.advance_clock(21).await;
        let text = server.message_to("+15550100199", "start_nudge").await;
        let words = text["text"].as_str().unwrap_or_default();
        assert!(words.starts_with("Dana Driver is waiting for you on Pitlane."), "{text}");
        assert!(words.ends_with(&format!("/chat/{}", it.session)), "{text}");
        an_hour_passes(server).await;
        assert_eq!(mails(server, "+15550100199", "start_nudge").await, 1);
    }

    async fn nobody_is_asked_for_a_session_that_began_in_time_or_was_called_off(server) {
        let (begun, off) = (accepted(server).await, accepted(server).await);
        server.advance_clock(140).await;
        begun.mechanic.step(&begun.session, "start").await.expect_status(200);
        off.customer.step(&off.session, "cancel").await.expect_status(200);
        server.advance_clock(60).await;
        settled(server).await;
        assert_eq!(looks(server).await["nudged"], 0);
        assert_eq!(server.database().count("deliveries", "milestone = 'start_nudge'"), 0);
    }

    async fn a_booked_session_is_due_at_its_time_and_a_new_mechanic_is_asked_anew(server) {
        let it = accepted(server).await;
        let later = "UPDATE sessions SET scheduled_for = (SELECT expires_at FROM session_requests)";
        server.database().execute(later).expect("booked for an hour later");
        server.advance_clock(600).await;
        settled(server).await;
        assert_eq!(mails(server, &it.mechanic.email, "start_nudge").await, 0, "it is not due");
        server.advance_clock(3_280).await;
        server.message_to(&it.mechanic.email, "start_nudge").await;
        settled(server).await;

        let (other, admin) = (server.mechanic().await, server.admin().await);
        let path = format!("/api/admin/sessions/{}/assign", it.session);
        admin.client.post(&path, json!({ "mechanic_id": other.id })).await.expect_status(200);
        server.advance_clock(140).await;
        settled(server).await;
        assert_eq!(mails(server, &other.email, "start_nudge").await, 0, "three minutes are theirs, too");
        server.advance_clock(50).await;
        server.message_to(&other.email, "start_nudge").await;
        settled(server).await;
        assert_eq!(mails(server, &it.mechanic.email, "start_nudge").await, 1);
    }

    async fn a_timer_with_the_secret_has_everything_done_that_is_due(server) {
        let it = accepted(server).await;
        let running = server.meeting().await;
        // Whoever runs these jobs is late.
        let late = "DELETE FROM jobs WHERE kind IN ('start_nudge', 'monitor')";
        server.database().execute(late).expect("nothing runs by itself");
        server.advance_clock(185).await;
        settled(server).await;
        assert_eq!(server.database().count("personal_notices", "kind = 'start_nudge'"), 0);

        for (client, why) in [
            (server.guest(), "no secret"),
            (server.guest().with_token("cron-secret-of-the-test"), "one letter less"),
            (server.guest().with_token("cron-secret-of-the-testS"), "another letter"),
        ] {
            let answer = client.post_nothing(CRON).await;
            assert_eq!((answer.status, answer.code()), (401, Some("not_signed_in")), "{why}");
        }
        server.admin().await.client.post_nothing(CRON).await.refused(401, "not_signed_in");

        assert_eq!(looks(server).await, json!({ "nudged": 1, "alerted": 2, "ended": 0 }));
        assert_eq!(looks(server).await, json!({ "nudged": 0, "alerted": 0, "ended": 0 }));
        server.message_to(&it.mechanic.email, "start_nudge").await;
        let admin = server.admin().await;
        let absent: Vec<Value> = waiting(&admin).await;
        assert!(absent.iter().all(|one| one["session_id"] == running.session.as_str()), "{absent:?}");
        running.customer.step(&running.session, "end").await.expect_status(200);
        assert_eq!(waiting(&admin).await, Vec::<Value>::new(), "it is over");
        assert_eq!(looks(server).await["ended"], 0);
    }

    async fn support_and_admins_hear_of_a_dispute_once_until_it_is_decided(server) {
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let (session, max) = (dana.session_of(&checkout).await, server.mechanic().await);
        max.accept(&session).await;
        for step in ["start", "end"] {
            max.step(&session, step).await.expect_status(200);
        }
        let (admin, support) = (server.admin().await, server.demo("support").await);
        let mut board = staff_socket(server, &support).await;
        let dispute = server.dispute(&server.intent_of(&checkout).await).await;
        let told = board.of_type("support_alert").await;
        assert_eq!((&told["cause"], &told["session_id"]), (&json!("dispute"), &json!(session)));
        assert_eq!(told["channel"], "admin");

        let mail = server.message_to(&admin.email, "dispute_opened").await;
        let text = mail["text"].as_str().unwrap_or_default();
        assert!(text.contains("Answer by: ") && text.contains("$9.99"), "{text}");
        assert!(text.contains(&format!("/sessions/{session}/transcript")), "{text}");
        let mail = server.message_to(SUPPORT, "support_alert").await;
        assert_eq!(mail["subject"], "Needs attention: A payment is disputed");
        assert!(mail["text"].as_str().is_some_and(|text| text.contains("Answer it by ")), "{mail}");
        let page = admin.client.get("/admin").await.expect_status(200);
        assert!(page.text.contains("A payment is disputed") && page.text.contains("Dana Driver has taken $9.99"), "{}", page.text);

        an_hour_passes(server).await;
        assert_eq!(mails(server, &admin.email, "dispute_opened").await, 1);
        assert_eq!(waiting(&support).await.len(), 1);
        let path = format!("/sandbox/disputes/{dispute}/decide");
        server.guest().post(&path, json!({ "outcome": "won" })).await.expect_status(200);
        let ended = board.of_type("support_alert_ended").await;
        assert_eq!(ended["alert_id"], told["alert_id"]);
        assert_eq!(waiting(&support).await, Vec::<Value>::new());
        an_hour_passes(server).await;
        assert_eq!(server.database().count("deliveries", "milestone = 'support_alert'"), 1);
    }

    async fn support_hears_of_a_refused_refund_and_marks_it_as_seen(server) {
        let dana = server.customer().await;
        let checkout = dana.checkout("chat10").await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        let session = dana.session_of(&checkout).await;
        // Somebody sends it back at the provider by hand, and nobody tells us.
        server.control_webhooks(json!({ "drop": true })).await;
        let intent = server.intent_of(&checkout).await;
        let form = [("payment_intent", intent.as_str())];
        server.provider().post_form("/v1/refunds", &form).await.expect_status(200);
        dana.step(&session, "cancel").await.expect_status(200);
        let mail = server.message_to(SUPPORT, "support_alert").await;
        assert_eq!(mail["subject"], "Needs attention: A refund was refused");
        assert!(mail["text"].as_str().is_some_and(|text| text.contains("Dana Driver")), "{mail}");
        an_hour_passes_with_a_dead_job(server).await;
        assert_eq!(mails(server, SUPPORT, "support_alert").await, 1, "the job that died of it is the same cause");

        let support = server.demo("support").await;
        let mut board = staff_socket(server, &support).await;
        let [alert] = waiting(&support).await.try_into().expect("one alert");
        assert_eq!((&alert["cause"], &alert["session_id"]), (&json!("refund_failed"), &json!(session)));
        let path = format!("/api/admin/alerts/{}/seen", alert["id"].as_str().unwrap_or_default());
        dana.client.post_nothing(&path).await.refused(403, "wrong_role");
        let seen = support.client.post_nothing(&path).await.expect_status(200);
        assert_eq!(seen.body["seen_by"], support.id.as_str());
        board.of_type("support_alert_ended").await;
        let admin = server.admin().await;
        let again = admin.client.post_nothing(&path).await.expect_status(200);
        assert_eq!(again.body["seen_by"], support.id.as_str(), "the first who saw it stays");
        assert_eq!(waiting(&admin).await, Vec::<Value>::new());
        assert!(!admin.client.get("/admin").await.text.contains("A refund was refused"));
        let log = admin.client.get("/api/admin/audit?action=alert.see").await.expect_status(200);
        assert_eq!(log.body["items"].as_array().map(Vec::len), Some(2), "{log:?}");
        support.client.post_nothing("/api/admin/alerts/01900000-0000-7000-8000-000000000001/seen").await.refused(404, "not_found");
        server.database().execute("DELETE FROM jobs WHERE status = 'dead'").expect("somebody saw to it");
    }

    async fn support_hears_of_vital_work_that_was_given_up_until_it_runs_again(server) {
        let dana = server.customer().await;
        dana.checkout("chat10").await;
        let dead = "UPDATE jobs SET status = 'dead', attempts = 20, last_error = 'no answer', finished_at = created_at
            WHERE kind = 'expire_order'";
        server.database().execute(dead).expect("a job is dead");
        server.advance_clock(31).await;
        let mail = server.message_to(SUPPORT, "support_alert").await;
        assert!(mail["text"].as_str().is_some_and(|text| text.contains("“expire order”")), "{mail}");
        let admin = server.admin().await;
        let [alert] = waiting(&admin).await.try_into().expect("one alert");
        assert_eq!(alert["cause"], "job_dead");
        let retry = format!("/api/admin/jobs/{}/retry", alert["object_id"].as_str().unwrap_or_default());
        admin.client.post_nothing(&retry).await.expect_status(200);
        server.advance_clock(31).await;
        settled(server).await;
        assert_eq!(waiting(&admin).await, Vec::<Value>::new());
        assert_eq!(mails(server, SUPPORT, "support_alert").await, 1);
    }

    async fn each_failure_of_work_that_repeats_is_one_cause_until_it_succeeds(server) {
        let admin = server.admin().await;
        let dead = "INSERT INTO jobs (id, kind, payload, run_at, status, attempts, last_error, created_at, finished_at)
            SELECT {id}, 'reconcile', payload, run_at, 'dead', 5, 'no answer', created_at, {at} FROM jobs WHERE kind = 'prune' LIMIT 1";
        let sqlite = server.database().is_sqlite();
        // Later than any run that was done, so that it looks as if the last ones had failed.
        let (ids, at) = if sqlite {
            (["X'01900000000070008000000000000001'", "X'01900000000070008000000000000002'"], "'2090-01-01T00:00:00.000000Z'")
        } else {
            (["'01900000-0000-7000-8000-000000000001'", "'01900000-0000-7000-8000-000000000002'"], "'2090-01-01T00:00:00Z'")
        };
        for id in ids {
            server.database().execute(&dead.replace("{id}", id).replace("{at}", at)).expect("a dead job");
        }
        looks(server).await;
        let found = waiting(&admin).await;
        assert_eq!(found.iter().filter(|one| one["cause"] == "job_dead").count(), 1, "{found:?}");
        let past = "UPDATE jobs SET finished_at = created_at WHERE kind = 'reconcile' AND status = 'dead'";
        server.database().execute(past).expect("it was before the last run");
        let alerts_too = "UPDATE support_alerts SET since = raised_at";
        server.database().execute(alerts_too).expect("the alert says so");
        server.advance_clock(61).await;
        until("a run that succeeds", async || waiting(&admin).await.is_empty().then_some(())).await;
        server.database().execute("DELETE FROM jobs WHERE status = 'dead'").expect("clean");
    }
}

async fn an_hour_passes_with_a_dead_job(server: &TestServer) {
    for _ in 0..4 {
        server.advance_clock(900).await;
        until("all but the dead job to be done", async || (server.jobs_left() == 1).then_some(())).await;
    }
}

async fn away_and_back(server: &TestServer) {
    let Meeting { customer, mechanic, session } = server.meeting().await;
    let admin = server.admin().await;
    let mut board = staff_socket(server, &admin).await;
    let (at_desk, on_phone) =
        (comes(server, &mechanic, &session).await, comes(server, &customer, &session).await);
    present(server, 2).await;
    server.advance_clock(60).await;
    settled(server).await;

    // Gone for less than two minutes.
    drop(on_phone);
    present(server, 1).await;
    server.advance_clock(80).await;
    settled(server).await;
    let back = comes(server, &customer, &session).await;
    present(server, 2).await;
    server.advance_clock(120).await;
    settled(server).await;
    assert_eq!(alerts(&admin).await, Vec::<Value>::new(), "the customer came back in time");

    // Gone for longer.
    drop(back);
    present(server, 1).await;
    server.advance_clock(150).await;
    let told = board.of_type("support_alert").await;
    assert_eq!((&told["cause"], &told["session_id"]), (&json!("participant_absent"), &json!(session)));
    assert_eq!(told["object_id"], customer.id.as_str());
    let mail = server.message_to(SUPPORT, "support_alert").await;
    assert_eq!(mail["subject"], "Needs attention: The customer is away from a live session");
    let page = admin.client.get("/admin").await.expect_status(200);
    assert!(
        page.text.contains("Dana Driver, in a session with Max Mechanic, is not in the room."),
        "{}",
        page.text
    );
    server.advance_clock(60).await;
    settled(server).await;
    assert_eq!(alerts(&admin).await.len(), 1, "once for each cause");

    // The line goes when they are back.
    let back = comes(server, &customer, &session).await;
    board.of_type("support_alert_ended").await;
    assert!(!admin.client.get("/admin").await.text.contains("is not in the room"));
    mechanic.step(&session, "end").await.expect_status(200);
    drop((back, at_desk));
    present(server, 0).await;
    server.advance_clock(600).await;
    settled(server).await;
    assert_eq!(alerts(&admin).await.len(), 1, "what is over needs nobody");
    assert_eq!(mails(server, SUPPORT, "support_alert").await, 1);
}

#[test]
fn support_hears_of_who_is_away_for_two_minutes_and_not_of_who_came_back() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        run_with(backend, &PRESENCE, async |server| away_and_back(server).await);
    }
}

async fn over_a_stop(server: &mut TestServer) {
    let it = accepted(server).await;
    server.kill9();
    server.start().await;
    server.advance_clock(185).await;
    server.message_to(&it.mechanic.email, "start_nudge").await;
    settled(server).await;
    server.crash().await;
    an_hour_passes(server).await;
    assert_eq!(mails(server, &it.mechanic.email, "start_nudge").await, 1);
    assert_eq!(server.database().count("personal_notices", "kind = 'start_nudge'"), 1);
}

#[test]
fn a_mechanic_is_asked_once_although_the_server_is_killed_before_and_after() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        run_with(backend, &[], over_a_stop);
    }
}

async fn gone_with_the_server(server: &mut TestServer) {
    let Meeting { customer, mechanic, session } = server.meeting().await;
    let sockets = (comes(server, &mechanic, &session).await, comes(server, &customer, &session).await);
    present(server, 2).await;
    server.kill9();
    drop(sockets);
    server.start().await;
    let back = comes(server, &mechanic, &session).await;
    server.advance_clock(80).await;
    settled(server).await;
    let admin = server.admin().await;
    assert_eq!(alerts(&admin).await, Vec::<Value>::new(), "nobody could be there while the server was away");
    server.advance_clock(75).await;
    server.message_to(SUPPORT, "support_alert").await;
    settled(server).await;
    let [alert] = alerts(&admin).await.try_into().expect("one alert");
    assert_eq!(alert["object_id"], customer.id.as_str(), "the mechanic came back");
    drop(back);
}

#[test]
fn who_does_not_come_back_after_a_crash_is_away_from_then() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        run_with(backend, &[], gone_with_the_server);
    }
}

async fn no_picture(server: &TestServer) {
    let (dana, max) = (server.customer().await, server.mechanic().await);
    let session = dana.paid_session("video15").await;
    max.accept(&session).await;
    max.step(&session, "start").await.expect_status(200);
    let sockets = (comes(server, &max, &session).await, comes(server, &dana, &session).await);
    present(server, 2).await;
    server.advance_clock(155).await;
    let mail = server.message_to(SUPPORT, "support_alert").await;
    assert_eq!(mail["subject"], "Needs attention: Video does not come about");
    settled(server).await;
    let admin = server.admin().await;
    assert_eq!(waiting(&admin).await.len(), 1);
    for person in [&dana, &max] {
        let body = json!({ "state": "connected", "connection_id": person.name });
        let answer = person.client.post(&format!("/api/sessions/{session}/media"), body).await;
        assert!(answer.status < 300, "{answer:?}");
    }
    server.advance_clock(31).await;
    settled(server).await;
    assert_eq!(waiting(&admin).await, Vec::<Value>::new(), "they see each other");
    assert_eq!(mails(server, SUPPORT, "support_alert").await, 1);
    drop(sockets);
}

#[test]
fn support_hears_of_video_that_does_not_come_while_both_wait_for_it() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        run_with(backend, &[], async |server| no_picture(server).await);
    }
}

#[test]
fn without_a_secret_there_is_no_timer_and_the_secret_is_masked() {
    run_with(Backend::Sqlite, &[], async |server| {
        let config = server.pitlane(&["config"]);
        let told = String::from_utf8_lossy(&config.stdout).into_owned();
        assert!(told.contains("cron_secret") && !told.contains(CRON_SECRET), "{told}");
        server.stop();
        server.set("CRON_SECRET", "");
        server.start().await;
        for client in [server.guest(), server.guest().with_token(CRON_SECRET), server.guest().with_token("")]
        {
            client.post_nothing(CRON).await.refused(404, "not_found");
        }
    });
}
