//! Support looks and changes nothing.

use serde_json::json;
use tests::on_both;

on_both! {
    async fn support_reads_what_runs_and_changes_nothing(server) {
        let meeting = server.meeting().await;
        meeting.customer.say(&meeting.session, "one", "It shakes at idle.").await;
        let support = server.demo("support").await;
        let session = &meeting.session;
        let home = support.client.get("/admin").await.expect_status(200);
        for (text, there) in [
            (format!("/chat/{session}"), true),
            ("/admin/users".to_owned(), true),
            ("/admin/jobs".to_owned(), true),
            ("/admin/self-check".to_owned(), true),
            ("/admin/applications".to_owned(), false),
            ("/admin/audit".to_owned(), false),
            ("/approve".to_owned(), false),
        ] {
            assert_eq!(home.text.contains(&text), there, "{text}: {}", home.text);
        }
        for path in [
            "/admin/users".to_owned(),
            "/admin/jobs".to_owned(),
            "/admin/self-check".to_owned(),
            "/api/admin/sessions/active".to_owned(),
            "/api/admin/jobs".to_owned(),
            format!("/api/admin/users/{}", meeting.customer.id),
            format!("/chat/{session}"),
            format!("/api/sessions/{session}"),
        ] {
            support.client.get(&path).await.expect_status(200);
        }
        let person = support.client.get(&format!("/admin/users/{}", meeting.customer.id)).await.expect_status(200);
        assert!(!person.text.contains("Suspend "), "{}", person.text);
        let log = support.client.get(&format!("/api/sessions/{session}/events")).await.expect_status(200);
        assert!(log.text.contains("It shakes at idle."), "{}", log.text);

        let suspend = format!("/api/admin/users/{}/suspend", meeting.customer.id);
        support.client.post(&suspend, json!({ "reason": "No." })).await.refused(403, "wrong_role");
        let observe = format!("/api/admin/sessions/{session}/observe");
        support.client.post(&observe, json!({})).await.refused(403, "wrong_role");
        support.client.get("/api/admin/audit").await.refused(403, "wrong_role");
        support.client.get("/admin/applications").await.expect_status(403);
        for verb in ["start", "end", "cancel"] {
            let answer = support.client.post(&format!("/api/sessions/{session}/{verb}"), json!({})).await;
            answer.refused(404, "not_found");
        }

        let admin = server.admin().await;
        let reads = format!("/api/admin/audit?actor_id={}", support.id);
        let reads = admin.client.get(&reads).await.expect_status(200);
        let read = reads.body["items"].as_array().expect("lines");
        let read_session = read.iter().any(|line| line["action"] == "session.read" && line["object_id"] == session.as_str());
        assert!(read_session && read.iter().all(|line| line["actor_role"] == "support"), "{read:?}");
    }
}
