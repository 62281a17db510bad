//! What somebody can take along.

use serde_json::json;
use tests::on_both;

use super::applications::sent;
use super::files::photo;

on_both! {
    async fn an_export_holds_everything_of_a_person_and_nothing_of_another(server) {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        let picture = photo(&dana.client).await;
        let said = json!({ "client_ref": "1", "text": "It shakes at idle.", "file_ids": [picture] });
        dana.client.post(&format!("/api/sessions/{session}/messages"), said).await.expect_status(201);
        max.say(session, "2", "Since when?").await.expect_status(201);
        let summary = json!({ "findings": "The third coil." });
        max.client.post(&format!("/api/sessions/{session}/summary"), summary).await.expect_status(201);
        let draft = json!({ "findings": "A second look." });
        let late = dana.paid_session("video15").await;
        max.accept(&late).await;
        max.step(&late, "start").await.expect_status(200);
        let path = format!("/api/sessions/{late}/summary/draft");
        max.client.send(reqwest::Method::PUT, &path, Some(draft)).await.expect_status(200);
        let car = json!({ "year": 2001, "make": "Lancia", "model": "Lybra" });
        let car = dana.client.post("/api/me/vehicles", car).await.expect_status(201).text_at("id");
        dana.client.send(reqwest::Method::DELETE, &format!("/api/me/vehicles/{car}"), None).await.expect_status(204);
        dana.checkout("diagnostic").await;
        server.admin().await.client.get(&format!("/api/crm/interactions?customer_id={}", dana.id)).await.expect_status(200);
        let complained = format!(
            "INSERT INTO suppressions (channel, address, reason, created_at)
             VALUES ('mail', '{}', 'complained', '2026-11-01T00:00:00.000000Z')",
            dana.email
        );
        server.database().execute(&complained).expect("a complaint");
        let other = server.customer().await;
        other.paid_session("chat10").await;

        let answer = dana.client.get("/api/me/export").await.expect_status(200);
        assert!(answer.headers["content-disposition"].to_str().expect("text").starts_with("attachment"));
        let archive = &answer.body;
        assert_eq!(archive["user"]["email"], dana.email.as_str());
        assert_eq!(archive["vehicles"][0]["make"], "Honda");
        assert!(archive["intakes"][0]["concern"].as_str().expect("text").contains("grinding"), "{archive}");
        assert!(archive["intakes"][0]["waiver"]["version"].is_string());
        assert_eq!(archive["orders"][0]["total_cents"], 999);
        assert_eq!(archive["files"][0]["id"], picture.as_str());
        let sessions = archive["sessions"].as_array().expect("a list");
        assert_eq!(sessions.len(), 2);
        assert!(sessions.iter().all(|one| one["summary_draft"].is_null()), "what the mechanic has not handed in is the mechanic's");
        assert_eq!(archive["removed_vehicles"][0]["vehicle"], "2001 Lancia Lybra");
        assert_eq!((&archive["unpaid_orders"][0]["plan"], &archive["unpaid_orders"][0]["status"]), (&json!("diagnostic"), &json!("open")));
        assert_eq!(archive["suppression"]["reason"], "complained");
        assert_eq!((&archive["audit"][0]["action"], &archive["audit"][0]["by_role"]), (&json!("customer.read"), &json!("admin")));
        let texts: Vec<_> = sessions[1]["events"].as_array().expect("a list").iter()
            .filter_map(|event| event["body"]["text"].as_str()).collect();
        assert_eq!(texts, ["It shakes at idle.", "Since when?"]);
        assert_eq!(sessions[1]["summary"]["findings"], "The third coil.");
        assert!(!archive["journey"].as_array().expect("a list").is_empty());
        let milestones: Vec<&str> = archive["deliveries"].as_array().expect("a list").iter()
            .filter_map(|sent| sent["milestone"].as_str()).collect();
        assert!(milestones.contains(&"verification") && milestones.contains(&"booking_confirmed"), "{milestones:?}");
        assert_eq!((&archive["cards"], &archive["suspensions"], &archive["mechanic"]), (&json!([]), &json!([]), &json!(null)));
        assert!(!answer.text.contains(&other.email) && !answer.text.contains(&other.id));
        assert!(!answer.text.contains("password") && !answer.text.contains("token_hash"));
        let sam = server.register("mechanic", "Sam Okafor").await;
        sam.client.post("/api/mechanics/apply", sent(&sam).await).await.expect_status(201);
        let sams = sam.client.get("/api/me/export").await.expect_status(200);
        assert_eq!(sams.body["applications"][0]["phone"], "+15550100199");
        assert_eq!(archive["applications"], json!([]));
        let his = max.client.get("/api/me/export").await.expect_status(200);
        assert_eq!(his.body["sessions"].as_array().map(Vec::len), Some(2));
        assert_eq!(his.body["sessions"][0]["summary_draft"]["findings"], "A second look.");
        assert_eq!(his.body["orders"], json!([]), "he paid for nothing");
        assert_eq!((&his.body["mechanic"]["approval"], &his.body["mechanic"]["on_duty"]), (&json!("approved"), &json!(true)));
        server.guest().get("/api/me/export").await.refused(401, "not_signed_in");
    }
}
