//! Which mails a person wants: chosen in the account, stopped by one click, and looked at when a mail is sent.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Meeting, Person, TestServer, on_both, until};

const WEEK: u32 = 7 * 86_400;
const MILESTONE: &str = "next_steps_reminder";

fn summary(next_steps: &str) -> Value {
    json!({
        "findings": "The third coil fails.", "steps_taken": "", "parts_needed": "One coil, $60.",
        "next_steps": next_steps, "photo_file_ids": [],
    })
}

/// A session that is over, with a summary.
async fn summed(server: &TestServer, next_steps: &str) -> Meeting {
    let meeting = server.meeting().await;
    let Meeting { mechanic, session, .. } = &meeting;
    let path = format!("/api/sessions/{session}/summary");
    mechanic.client.post(&path, summary(next_steps)).await.expect_status(201);
    mechanic.step(session, "end").await.expect_status(200);
    meeting
}

async fn a_week_later(server: &TestServer) {
    server.advance_clock(WEEK + 60).await;
    until("everything that came due to be done", async || (server.jobs_left() == 0).then_some(())).await;
}

async fn reminders(server: &TestServer, person: &Person) -> Vec<Value> {
    let mails = server.messages_to(&person.email).await;
    mails.into_iter().filter(|mail| mail["milestone"] == MILESTONE).collect()
}

async fn choose(person: &Person, choice: Value) -> tests::Answer {
    person.client.send(Method::PUT, "/api/me/notifications", Some(choice)).await
}

fn path_of(url: &str) -> String {
    format!("/unsubscribe/{}", url.split_once("/unsubscribe/").expect("an address to unsubscribe at").1)
}

fn stopped(server: &TestServer) -> i64 {
    server.database().count("deliveries", "status = 'suppressed' AND last_error = 'unsubscribed'")
}

on_both! {
    async fn the_account_page_asks_customers_alone_which_mails_they_want(server) {
        let account = async |person: &Person| person.client.get("/account").await.expect_status(200).text;
        let (hers, his) = (account(&server.customer().await).await, account(&server.mechanic().await).await);
        for asked in ["Save my choice", "Your mechanic never sees it."] {
            assert!(hers.contains(asked) && !his.contains(asked), "{asked}");
        }
    }

    async fn what_is_wanted_is_read_back_and_what_must_come_cannot_be_switched_off(server) {
        let dana = server.customer().await;
        let read = async || dana.client.get("/api/me/notifications").await.expect_status(200).body;
        let everything = json!({
            "follow_up": true, "reviews": true, "recommendations": false, "transactional": true, "security": true,
        });
        assert_eq!(read().await, everything);
        let changed = choose(&dana, json!({ "follow_up": false, "recommendations": true })).await.expect_status(200);
        assert_eq!((&changed.body["follow_up"], &changed.body["reviews"]), (&json!(false), &json!(true)));
        assert_eq!(read().await, changed.body);
        choose(&dana, json!({ "transactional": true })).await.expect_status(200);
        for fixed in ["transactional", "security"] {
            let answer = choose(&dana, json!({ fixed: false, "reviews": false })).await;
            answer.refused(422, "invalid");
            assert_eq!(answer.body["errors"][0]["code"], "always_on");
        }
        choose(&dana, json!({ "newsletter": true })).await.refused(422, "unknown_field");
        choose(&dana, json!({ "reviews": "yes" })).await.assert_is_problem();
        assert_eq!(read().await, changed.body, "what is refused changes nothing");
        let export = dana.client.get("/api/me/export").await.expect_status(200);
        assert_eq!(export.body["notifications"], changed.body);
    }

    async fn a_week_after_a_summary_its_next_steps_come_once_and_can_be_stopped_by_one_click(server) {
        let Meeting { customer: dana, session, .. } = summed(server, "Change it within two weeks.").await;
        server.advance_clock(WEEK - 60).await;
        assert_eq!(reminders(server, &dana).await.len(), 0);
        a_week_later(server).await;
        let mails = reminders(server, &dana).await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        let mail = &mails[0];
        let text = mail["text"].as_str().expect("text");
        for part in ["Change it within two weeks.", "One coil, $60.", &format!("/sessions/{session}/complete")] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let url = mail["unsubscribe_url"].as_str().expect("an address to unsubscribe at");
        assert!(text.contains(url) && mail["html"].as_str().expect("html").contains(url), "{mail}");
        let paid = server.message_to(&dana.email, "receipt").await;
        assert_eq!(paid["unsubscribe_url"], Value::Null, "what was bought can't be switched off");

        let path = path_of(url);
        let page = server.guest().get(&path).await.expect_status(200);
        assert!(page.text.contains("No more of these mails?"), "{page:?}");
        let wanted = async || dana.client.get("/api/me/notifications").await.body["follow_up"].clone();
        assert_eq!(wanted().await, true, "opening the address stops nothing");
        // As a mail program does it: from nowhere, without a sign-in.
        let one_click = [("List-Unsubscribe", "One-Click")];
        let done = server.guest().post_form(&path, &one_click).await.expect_status(200);
        assert!(done.text.contains("You are unsubscribed"), "{done:?}");
        server.guest().post_form(&path, &one_click).await.expect_status(200);
        assert_eq!(wanted().await, false);
        server.guest().post_nothing(&path).await.expect_status(200);
        server.guest().post_form(&path, &[("again", "1")]).await.expect_status(200);
        assert_eq!(wanted().await, true);
    }

    async fn a_choice_counts_also_for_what_was_on_its_way_already(server) {
        let Meeting { customer: dana, .. } = summed(server, "Change it.").await;
        choose(&dana, json!({ "follow_up": false })).await.expect_status(200);
        a_week_later(server).await;
        assert_eq!(reminders(server, &dana).await.len(), 0);
        assert_eq!(stopped(server), 1);
    }

    async fn nothing_to_do_is_not_brought_to_mind(server) {
        let Meeting { customer: dana, .. } = summed(server, " ").await;
        a_week_later(server).await;
        assert_eq!(reminders(server, &dana).await.len(), 0);
        assert_eq!(server.database().count("deliveries", "milestone = 'next_steps_reminder' AND status = 'failed'"), 1);
    }

    async fn a_link_that_is_not_ours_changes_nothing(server) {
        let dana = server.customer().await;
        let id = dana.id.replace('-', "");
        for token in ["nonsense", &format!("follow_up.{id}.{}", "0".repeat(32)), &format!("follow_up.{id}."), "a..b", "%00"] {
            let path = format!("/unsubscribe/{token}");
            server.guest().get(&path).await.expect_status(404);
            server.guest().post_form(&path, &[("List-Unsubscribe", "One-Click")]).await.expect_status(404);
        }
        assert_eq!(server.database().count("notification_preferences", "1 = 1"), 0);
    }
}
