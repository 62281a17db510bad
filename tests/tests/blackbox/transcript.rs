//! The transcript: the whole log as a page, for those who took part and for admins, who are noted.

use serde_json::json;
use tests::{Answer, Client, on_both};

async fn page(client: &Client, session: &str) -> Answer {
    client.get(&format!("/sessions/{session}/transcript")).await
}

on_both! {
    async fn everything_that_happened_is_on_the_page_in_words_with_the_proof_below(server) {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        dana.say(session, "1", "It grinds <b>when</b> I brake.").await.expect_status(201);
        let said = max.say(session, "2", "Since when?").await.expect_status(201);
        let mut socket = dana.socket(server).await;
        socket.join(&format!("session:{session}"), 0).await;
        let react = |emoji: &str, on: bool| {
            json!({ "type": "react", "channel": format!("session:{session}"), "seq": said.body["seq"], "emoji": emoji, "on": on })
        };
        for frame in [react("👍", true), react("🙏", true), react("🙏", false)] {
            socket.send(frame).await;
            socket.event("reaction").await;
        }
        let before = page(&dana.client, session).await.expect_status(200);
        assert!(before.text.contains("No summary was written."), "{}", before.text);
        server.advance_clock(601).await;
        tests::until("the session to end", async || {
            (dana.session(session).await["status"] == "completed").then_some(())
        })
        .await;
        let written = json!({
            "findings": "The pads are gone.", "steps_taken": "", "parts_needed": "", "next_steps": "", "photo_file_ids": []
        });
        max.client.post(&format!("/api/sessions/{session}/summary"), written).await.expect_status(201);
        for person in [dana, max] {
            let text = page(&person.client, session).await.expect_status(200).text;
            for part in [
                "Times are in ", "Dana Driver joined.", "Max Mechanic joined.", "started the session.",
                "It grinds &#60;b&#62;when", "Since when?", "👍 Dana Driver", "The paid time was used up.",
                "pitlane doctor</code> checks", "wrote the <a href",
            ] {
                assert!(text.contains(part), "no {part:?} in {text}");
            }
            assert!(!text.contains("🙏"), "taken back");
            assert!(text.find("It grinds").expect("there") < text.find("Since when?").expect("there"), "by seq");
        }
        let events = dana.events(session).await;
        let text = page(&dana.client, session).await.text;
        assert!(text.contains(&format!("The log has {} lines.", events.len())), "{text}");
        let proof = text.split_once("small hash\"><code>").and_then(|(_, rest)| rest.split_once("</code>"));
        let hash = proof.expect("the last hash").0;
        assert_eq!((hash.len(), hash.chars().all(|c| c.is_ascii_hexdigit())), (64, true), "{hash}");
        let complete = dana.client.get(&format!("/sessions/{session}/complete")).await.expect_status(200);
        assert!(complete.text.contains(&format!("/sessions/{session}/transcript")));
    }

    async fn nobody_else_reads_it_and_an_admin_who_does_is_noted(server) {
        let meeting = server.meeting().await;
        let (stranger, admin) = (server.customer().await, server.admin().await);
        assert_eq!(page(&stranger.client, &meeting.session).await.status, 404);
        assert_eq!(page(&server.guest(), &meeting.session).await.status, 303);
        page(&admin.client, &meeting.session).await.expect_status(200);
        let noted = format!(
            "action = 'session.read' AND object_id = '{}' AND CAST(details AS text) LIKE '%transcript%'",
            meeting.session
        );
        assert_eq!(server.database().count("audit_log", &noted), 1);
    }

    async fn what_was_erased_is_said_to_be_erased(server) {
        let meeting = server.meeting().await;
        meeting.customer.say(&meeting.session, "1", "My secret.").await.expect_status(201);
        meeting.mechanic.step(&meeting.session, "end").await.expect_status(200);
        meeting.customer.client.send(reqwest::Method::DELETE, "/api/me", Some(json!({ "current_password": tests::people::PASSWORD }))).await;
        tests::until("the words to be erased", async || {
            (server.database().count("session_events", "kind = 'message' AND body IS NULL") == 1).then_some(())
        })
        .await;
        let text = page(&meeting.mechanic.client, &meeting.session).await.expect_status(200).text;
        assert!(text.contains("This message has been erased."), "{text}");
        assert!(!text.contains("My secret."));
    }
}

#[test]
fn a_log_longer_than_a_room_shows_is_whole_on_the_page_and_read_again_by_who_is_far_behind() {
    const LINES: usize = 5_120;
    let settings = [("PITLANE_LIMITS__PERSON_PER_SECOND", "0")];
    tests::server::run_with(tests::Backend::Sqlite, &settings, async |server| {
        let meeting = server.meeting().await;
        let (dana, session) = (&meeting.customer, &meeting.session);
        let mut socket = dana.socket(server).await;
        let channel = format!("session:{session}");
        socket.join(&channel, 0).await;
        for number in 1..=LINES {
            let reference = format!("r{number}");
            socket.send(json!({
                "type": "send", "channel": channel, "client_ref": reference, "text": format!("Line {number}.")
            })).await;
            if number % 64 == 0 {
                socket
                    .frame("ack", |frame| frame["type"] == "ack" && frame["client_ref"] == reference.as_str())
                    .await;
            }
        }
        let last = dana.session(session).await["last_seq"].as_u64().expect("a number");
        // A join brings at most a thousand lines; who needs more reads them again.
        let mut late = dana.socket(server).await;
        late.send(json!({ "type": "join", "channel": channel, "after_seq": 0 })).await;
        assert_eq!(late.of_type("resync").await["channel"], channel.as_str());
        let joined = late.join(&channel, last - 900).await;
        assert_eq!(joined["events"].as_array().map(Vec::len), Some(900));
        let text = page(&dana.client, session).await.expect_status(200).text;
        for number in 1..=LINES {
            assert!(text.contains(&format!("Line {number}.")), "line {number}");
        }
    });
}
