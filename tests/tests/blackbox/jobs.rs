//! Jobs that were given up: an admin sees them, and has them run again.

use serde_json::json;
use tests::on_both;
use tests::wait::until;

/// Takes the mails' jobs that are done as given up.
pub const GIVE_UP: &str = "UPDATE jobs SET status = 'dead', attempts = 12, last_error = 'the carrier was away' \
    WHERE kind = 'mail' AND status = 'done'";

on_both! {
    async fn a_job_that_was_given_up_is_listed_and_runs_again_once(server) {
        let dana = server.customer().await;
        let all_done = async || (server.database().count("jobs", "kind = 'mail' AND status <> 'done'") == 0).then_some(());
        until("the mail is sent", all_done).await;
        server.database().execute(GIVE_UP).expect("a job is dead");
        let admin = server.admin().await;
        let dead = admin.client.get("/api/admin/jobs?status=dead").await.expect_status(200);
        assert_eq!(dead.body["items"].as_array().map(Vec::len), Some(1), "{dead:?}");
        let job = &dead.body["items"][0];
        assert_eq!((&job["kind"], &job["attempts"], &job["max_attempts"]), (&json!("mail"), &json!(12), &json!(12)));
        assert_eq!(job["last_error"], "the carrier was away");
        assert!(job.get("payload").is_none(), "{job}");
        let retry = format!("/api/admin/jobs/{}/retry", dead.text_at("/items/0/id"));
        dana.client.post_nothing(&retry).await.refused(403, "wrong_role");
        let page = admin.client.get("/admin/jobs").await.expect_status(200);
        assert!(page.text.contains("1 job has failed") && page.text.contains("the carrier was away"), "{}", page.text);

        let again = admin.client.post_nothing(&retry).await.expect_status(200);
        assert_eq!((&again.body["status"], &again.body["attempts"]), (&json!("queued"), &json!(0)));
        until("it was done again", all_done).await;
        assert_eq!(server.database().count("jobs", "kind = 'mail' AND attempts = 1"), 1, "it ran once");
        admin.client.post_nothing(&retry).await.refused(409, "job_not_retryable");
        let audit = admin.client.get("/api/admin/audit?action=job.retry").await.expect_status(200);
        assert_eq!(audit.body["items"].as_array().map(Vec::len), Some(1), "{audit:?}");
        assert_eq!(audit.body["items"][0]["details"]["kind"], "mail");

        let none = "/api/admin/jobs/01900000-0000-7000-8000-000000000001/retry";
        admin.client.post_nothing(none).await.refused(404, "not_found");
        admin.client.get("/api/admin/jobs?status=lost").await.refused(422, "invalid");
        let page = admin.client.get("/admin/jobs?status=done").await.expect_status(200);
        assert!(page.text.contains("No job has failed"), "{}", page.text);
    }
}
