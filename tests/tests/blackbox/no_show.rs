//! One side does not come: the session is called off, and the price book says what goes back.

use serde_json::{Value, json};
use tests::server::run_with;
use tests::{Backend, Person, Socket, TestServer, on_both, until};

/// A paid chat that a mechanic has accepted and nobody has started.
struct Appointment {
    customer: Person,
    mechanic: Person,
    session: String,
}

impl Appointment {
    async fn on(server: &TestServer) -> Self {
        let (customer, mechanic) = (server.customer().await, server.mechanic().await);
        let session = customer.paid_session("chat10").await;
        mechanic.accept(&session).await;
        Self { customer, mechanic, session }
    }

    async fn status(&self) -> Value {
        let session = self.customer.session(&self.session).await;
        json!([session["status"], session["end_reason"], session["payment_status"]])
    }

    async fn becomes(&self, status: &str, reason: &str, payment: &str) {
        let wanted = json!([status, reason, payment]);
        let what = format!("the session to be {wanted}");
        until(&what, async || (self.status().await == wanted).then_some(())).await;
    }
}

/// Comes into the room, and waits until that is written down.
async fn comes(server: &TestServer, person: &Person, session: &str) -> Socket {
    let before = server.database().count("session_participants", "seen_at IS NOT NULL AND gone_at IS NULL");
    let mut socket = person.socket(server).await;
    socket.join(&format!("session:{session}"), 0).await;
    until("the arrival to be written down", async || {
        let now = server.database().count("session_participants", "seen_at IS NOT NULL AND gone_at IS NULL");
        (now > before).then_some(())
    })
    .await;
    socket
}

async fn settled(server: &TestServer) {
    until("the jobs to be done", async || (server.jobs_left() == 0).then_some(())).await;
}

async fn milestones(server: &TestServer, person: &Person) -> Vec<String> {
    let mails = server.messages_to(&person.email).await;
    mails.iter().map(|mail| mail["milestone"].as_str().unwrap_or_default().to_owned()).collect()
}

on_both! {
    async fn a_mechanic_who_does_not_come_costs_the_customer_nothing(server) {
        let it = Appointment::on(server).await;
        let mut customer = comes(server, &it.customer, &it.session).await;
        let mut own = it.customer.socket(server).await;
        own.join(&it.customer.channel("customer"), 0).await;
        server.advance_clock(590).await;
        settled(server).await;
        assert_eq!(it.status().await, json!(["accepted", null, "paid"]), "there are ten seconds left");
        server.advance_clock(15).await;
        let end = customer.event("ended").await;
        assert_eq!((&end["body"]["end_reason"], &end["actor"]["role"]), (&json!("no_show_mechanic"), &json!("system")));
        let told = own.frame("the notification", |frame| frame["title"] == "Your mechanic did not come").await;
        assert_eq!(told["type"], "notification");
        it.becomes("cancelled", "no_show_mechanic", "refunded").await;
        let refund = server.message_to(&it.customer.email, "refunded").await;
        assert!(refund["text"].as_str().is_some_and(|text| text.contains("mechanic did not come")), "{refund}");
        let mail = server.message_to(&it.customer.email, "no_show").await;
        assert_eq!(mail["subject"], "Your mechanic did not come");
        assert!(mail["text"].as_str().is_some_and(|text| text.contains("$9.99 of the $9.99")), "{mail}");
        assert_eq!(server.message_to(&it.mechanic.email, "no_show").await["subject"], "You missed a session");
        it.mechanic.step(&it.session, "start").await.refused(409, "invalid_transition");
        server.advance_clock(86_400).await;
        settled(server).await;
        let sent = milestones(server, &it.customer).await;
        assert_eq!(sent.iter().filter(|one| *one == "no_show").count(), 1, "{sent:?}");
        assert_eq!(server.database().count("refunds", "1 = 1"), 1);
    }

    async fn a_customer_who_does_not_come_is_charged_when_the_mechanic_has_waited(server) {
        let it = Appointment::on(server).await;
        let _mechanic = comes(server, &it.mechanic, &it.session).await;
        server.advance_clock(590).await;
        settled(server).await;
        assert_eq!(it.status().await, json!(["accepted", null, "paid"]));
        server.advance_clock(30).await;
        it.becomes("cancelled", "no_show_customer", "paid").await;
        let mail = server.message_to(&it.customer.email, "no_show").await;
        assert_eq!(mail["subject"], "You were missed");
        let text = mail["text"].as_str().unwrap_or_default();
        assert!(text.contains("waited 10 minutes") && text.contains("nothing of the $9.99 goes back"), "{text}");
        assert_eq!(server.message_to(&it.mechanic.email, "no_show").await["subject"], "The customer did not come");
        settled(server).await;
        assert_eq!(server.database().count("refunds", "1 = 1"), 0);
        assert!(!milestones(server, &it.customer).await.contains(&"refunded".to_owned()));
    }

    async fn a_mechanic_who_is_there_and_never_begins_is_missing_too(server) {
        let it = Appointment::on(server).await;
        let _customer = comes(server, &it.customer, &it.session).await;
        let _mechanic = comes(server, &it.mechanic, &it.session).await;
        server.advance_clock(610).await;
        it.becomes("cancelled", "no_show_mechanic", "refunded").await;
    }

    async fn a_session_that_began_in_time_is_never_missed(server) {
        let it = Appointment::on(server).await;
        let _customer = comes(server, &it.customer, &it.session).await;
        server.advance_clock(500).await;
        it.mechanic.step(&it.session, "start").await.expect_status(200);
        server.advance_clock(300).await;
        settled(server).await;
        assert_eq!(it.status().await, json!(["in_progress", null, "paid"]));
    }

    async fn a_customer_who_writes_without_a_socket_is_there(server) {
        let it = Appointment::on(server).await;
        let _mechanic = comes(server, &it.mechanic, &it.session).await;
        server.advance_clock(550).await;
        it.customer.say(&it.session, "here", "I am here.").await.expect_status(201);
        server.advance_clock(100).await;
        settled(server).await;
        assert_eq!(it.status().await, json!(["accepted", null, "paid"]), "ten minutes from the last word");
        server.advance_clock(510).await;
        it.becomes("cancelled", "no_show_customer", "paid").await;
    }

    async fn when_nobody_comes_the_session_waits_for_a_day_and_then_the_money_goes_back(server) {
        let it = Appointment::on(server).await;
        server.advance_clock(80_000).await;
        settled(server).await;
        assert_eq!(it.status().await, json!(["accepted", null, "paid"]));
        server.advance_clock(6_500).await;
        it.becomes("cancelled", "no_show_mechanic", "refunded").await;
    }

    async fn somebody_who_comes_late_is_waited_with_from_then(server) {
        let it = Appointment::on(server).await;
        server.advance_clock(3_600).await;
        let _customer = comes(server, &it.customer, &it.session).await;
        server.advance_clock(590).await;
        settled(server).await;
        assert_eq!(it.status().await, json!(["accepted", null, "paid"]));
        server.advance_clock(20).await;
        it.becomes("cancelled", "no_show_mechanic", "refunded").await;
    }

    async fn a_booked_session_is_due_at_its_time_and_a_new_mechanic_gets_the_grace_anew(server) {
        let it = Appointment::on(server).await;
        let later = "UPDATE sessions SET scheduled_for = (SELECT expires_at FROM session_requests)";
        server.database().execute(later).expect("booked for an hour later");
        let _customer = comes(server, &it.customer, &it.session).await;
        server.advance_clock(3_500).await;
        settled(server).await;
        assert_eq!(it.status().await, json!(["accepted", null, "paid"]));
        let (other, admin) = (server.mechanic().await, server.admin().await);
        server.advance_clock(600).await;
        let path = format!("/api/admin/sessions/{}/assign", it.session);
        admin.client.post(&path, json!({ "mechanic_id": other.id })).await.expect_status(200);
        server.advance_clock(300).await;
        settled(server).await;
        assert_eq!(it.status().await, json!(["accepted", null, "paid"]), "the new one has ten minutes too");
        server.advance_clock(310).await;
        it.becomes("cancelled", "no_show_mechanic", "refunded").await;
    }
}

async fn over_a_stop(server: &mut TestServer) {
    let it = Appointment::on(server).await;
    let socket = comes(server, &it.customer, &it.session).await;
    server.kill9();
    drop(socket);
    server.start().await;
    server.advance_clock(700).await;
    settled(server).await;
    // The one who was there could not stay, and nobody can be blamed for a server that was away.
    it.becomes("cancelled", "no_show_mechanic", "refunded").await;
    settled(server).await;
    assert_eq!(server.database().count("refunds", "1 = 1"), 1);
}

#[test]
fn who_was_waiting_when_the_server_was_killed_is_not_forgotten() {
    run_with(Backend::Sqlite, &[], over_a_stop);
}

#[test]
fn who_leaves_the_room_is_gone_after_the_grace_of_presence() {
    let settings = [("PITLANE_DISPATCH__PRESENCE_GRACE_SECONDS", "1")];
    run_with(Backend::Sqlite, &settings, async |server| {
        let it = Appointment::on(server).await;
        drop(comes(server, &it.mechanic, &it.session).await);
        until("the departure to be written down", async || {
            (server.database().count("session_participants", "gone_at IS NOT NULL") == 1).then_some(())
        })
        .await;
        server.advance_clock(700).await;
        settled(server).await;
        assert_eq!(
            it.status().await,
            json!(["accepted", null, "paid"]),
            "nobody waited to the end of the grace"
        );
    });
}
