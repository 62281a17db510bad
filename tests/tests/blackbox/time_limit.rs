//! The paid time of a session: the warning, the end at the deadline, and a server that was away in between.

use serde_json::{Value, json};
use tests::server::run_with;
use tests::{Backend, Meeting, TestServer, on_both, until};

async fn ended(server: &TestServer, meeting: &Meeting) -> Value {
    until("the session to end", async || {
        let session = meeting.customer.session(&meeting.session).await;
        assert_eq!(server.database().count("jobs", "status = 'dead'"), 0);
        (session["status"] == "completed").then_some(session)
    })
    .await
}

async fn of_kind(meeting: &Meeting, kind: &str) -> Vec<Value> {
    let events = meeting.customer.events(&meeting.session).await;
    events.into_iter().filter(|event| event["kind"] == kind).collect()
}

async fn settled(server: &TestServer) {
    until("the jobs to be done", async || (server.jobs_left() == 0).then_some(())).await;
}

on_both! {
    async fn both_sides_are_warned_two_minutes_before_the_end_and_the_session_ends_at_the_deadline(server) {
        let meeting = server.meeting().await;
        let channel = format!("session:{}", meeting.session);
        let mut customer = meeting.customer.socket(server).await;
        let mut mechanic = meeting.mechanic.socket(server).await;
        customer.join(&channel, 0).await;
        mechanic.join(&channel, 0).await;
        let deadline = meeting.customer.session(&meeting.session).await["deadline_at"].clone();
        settled(server).await;
        server.advance_clock(470).await;
        settled(server).await;
        assert!(of_kind(&meeting, "time_warning").await.is_empty(), "ten seconds too early");
        server.advance_clock(11).await;
        for socket in [&mut customer, &mut mechanic] {
            let warning = socket.event("time_warning").await;
            assert_eq!(warning["body"]["deadline_at"], deadline);
            let left = warning["body"]["seconds_left"].as_i64().expect("a number");
            assert!((100..=120).contains(&left), "{warning}");
            assert_eq!(warning["actor"]["role"], "system");
        }
        // Who opens the room now finds it said there, before a script has counted.
        let room = meeting.customer.client.get(&format!("/chat/{}", meeting.session)).await.expect_status(200);
        assert!(room.text.contains("2 minutes left, until "), "{}", room.text);
        meeting.customer.say(&meeting.session, "last", "Thank you.").await.expect_status(201);
        server.advance_clock(120).await;
        for socket in [&mut customer, &mut mechanic] {
            let end = socket.event("ended").await;
            assert_eq!(
                (&end["body"]["status"], &end["body"]["end_reason"], &end["actor"]["role"]),
                (&json!("completed"), &json!("time_limit"), &json!("system"))
            );
        }
        let session = ended(server, &meeting).await;
        assert_eq!(session["end_reason"], "time_limit");
        assert!(session["ended_at"].as_str() >= deadline.as_str(), "{session}");
        for person in [&meeting.customer, &meeting.mechanic] {
            person.say(&meeting.session, "late", "One more thing").await.refused(409, "session_closed");
            person.step(&meeting.session, "end").await.refused(409, "invalid_transition");
        }
        server.message_to(&meeting.customer.email, "session_ended").await;
        settled(server).await;
        assert_eq!(of_kind(&meeting, "time_warning").await.len(), 1);
        assert_eq!(of_kind(&meeting, "ended").await.len(), 1);
        let journey = meeting.customer.client.get("/api/crm/interactions").await.expect_status(200);
        let completed = journey.body["items"].as_array().expect("a list").clone();
        let completed: Vec<_> =
            completed.iter().filter(|one| one["interaction_type"] == "session_completed").collect();
        assert_eq!(completed.len(), 1, "{}", journey.text);
    }

    async fn a_session_that_was_ended_by_hand_is_neither_warned_nor_ended_again(server) {
        let meeting = server.meeting().await;
        meeting.mechanic.step(&meeting.session, "end").await.expect_status(200);
        server.advance_clock(7_200).await;
        settled(server).await;
        assert!(of_kind(&meeting, "time_warning").await.is_empty());
        let session = meeting.customer.session(&meeting.session).await;
        assert_eq!(session["end_reason"], "mechanic");
        let mails = server.messages_to(&meeting.customer.email).await;
        assert_eq!(mails.iter().filter(|mail| mail["milestone"] == "session_ended").count(), 1);
    }

    async fn a_deadline_that_moves_takes_its_warning_and_its_end_along(server) {
        let meeting = server.meeting().await;
        settled(server).await;
        server.advance_clock(500).await;
        until("the first warning", async || (of_kind(&meeting, "time_warning").await.len() == 1).then_some(())).await;
        // What an upgrade or an extension does to the session.
        let longer = "UPDATE sessions SET allowance_minutes = 30";
        server.database().execute(longer).expect("changed");
        server.advance_clock(600).await;
        settled(server).await;
        assert_eq!(meeting.customer.session(&meeting.session).await["status"], "in_progress", "the old deadline");
        assert_eq!(of_kind(&meeting, "time_warning").await.len(), 1);
        server.advance_clock(600).await;
        until("the second warning", async || (of_kind(&meeting, "time_warning").await.len() == 2).then_some(())).await;
        server.advance_clock(120).await;
        assert_eq!(ended(server, &meeting).await["end_reason"], "time_limit");
    }
}

async fn after_a_long_stop(server: &mut TestServer) {
    let meeting = server.meeting().await;
    server.kill9();
    server.start().await;
    server.advance_clock(490).await;
    until("the warning", async || (of_kind(&meeting, "time_warning").await.len() == 1).then_some(())).await;
    server.stop();
    server.start().await;
    settled(server).await;
    assert_eq!(of_kind(&meeting, "time_warning").await.len(), 1, "once for its deadline");
    server.advance_clock(3_600).await;
    server.crash().await;
    ended(server, &meeting).await;
    settled(server).await;
    assert_eq!(of_kind(&meeting, "ended").await.len(), 1);
    assert_eq!(of_kind(&meeting, "time_warning").await.len(), 1);
    server.message_to(&meeting.customer.email, "session_ended").await;
    let mails = server.messages_to(&meeting.customer.email).await;
    assert_eq!(mails.iter().filter(|mail| mail["milestone"] == "session_ended").count(), 1);
}

async fn without_a_job(server: &mut TestServer) {
    let meeting = server.meeting().await;
    settled(server).await;
    server.stop();
    server
        .database()
        .execute("DELETE FROM jobs WHERE kind = 'time_limit'")
        .expect("as an older version left it");
    server.start().await;
    server.advance_clock(601).await;
    ended(server, &meeting).await;
}

#[test]
fn a_stop_over_the_deadline_ends_the_session_once_at_the_next_start_on_sqlite() {
    run_with(Backend::Sqlite, &[], after_a_long_stop);
}

#[test]
fn a_stop_over_the_deadline_ends_the_session_once_at_the_next_start_on_postgres() {
    run_with(Backend::Postgres, &[], after_a_long_stop);
}

#[test]
fn a_session_that_an_older_version_started_ends_at_its_deadline_too() {
    run_with(Backend::Sqlite, &[], without_a_job);
}

#[test]
fn the_configuration_says_how_long_before_the_end_the_warning_comes() {
    let settings = [("PITLANE_SESSIONS__TIME_LIMIT_WARNING_SECONDS", "300")];
    run_with(Backend::Sqlite, &settings, async |server| {
        let meeting = server.meeting().await;
        settled(server).await;
        server.advance_clock(301).await;
        until("the warning", async || (of_kind(&meeting, "time_warning").await.len() == 1).then_some(()))
            .await;
    });
}
