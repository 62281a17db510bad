//! What operators do at the command line is in the audit log, as the system's.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};
use tests::people::PASSWORD;
use tests::server::printed;
use tests::{Person, TestServer, on_both};

use super::security::enrol;

fn done(server: &TestServer, arguments: &[&str]) -> String {
    let output = server.pitlane(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", printed(&output));
    printed(&output)
}

async fn noted(admin: &Person, action: &str) -> Value {
    let log = admin.client.get(&format!("/api/admin/audit?action={action}")).await.expect_status(200);
    let lines = log.body["items"].as_array().expect("lines").clone();
    assert_eq!(lines.len(), 1, "{action}: {lines:?}");
    assert_eq!((&lines[0]["actor_id"], &lines[0]["actor_role"]), (&Value::Null, &json!("system")));
    lines[0].clone()
}

on_both! {
    async fn what_is_done_at_the_command_line_is_written_down(server) {
        let admin = server.admin().await;
        let made = ["user", "create", "--role", "support", "--email", "sue@example.com", "--password", PASSWORD];
        done(server, &made);
        let line = noted(&admin, "user.create").await;
        assert_eq!((&line["details"]["role"], &line["details"]["command"]), (&json!("support"), &json!("pitlane user create")));
        let sue = server.sign_in("sue@example.com", PASSWORD).await;
        assert_eq!(line["object_id"], json!(sue.id));
        enrol(&sue, PASSWORD).await;
        done(server, &["user", "reset-second-factor", "sue@example.com"]);
        assert_eq!(noted(&admin, "user.reset_second_factor").await["object_id"], json!(sue.id));
    }

    async fn somebody_who_cant_sign_in_gets_their_data_and_is_erased(server) {
        let (dana, admin) = (server.customer().await, server.admin().await);
        let session = dana.paid_session("chat10").await;
        let suspend = format!("/api/admin/users/{}/suspend", dana.id);
        admin.client.post(&suspend, json!({ "reason": "Three chargebacks." })).await.expect_status(200);
        let file = server.folder().join("dana.json");
        let path = file.to_str().expect("a path");
        let nobody = server.pitlane(&["user", "export", "nobody@example.com", path]);
        assert!(!nobody.status.success() && !file.exists(), "{}", printed(&nobody));
        done(server, &["user", "export", &dana.email, path]);
        assert_eq!(fs::metadata(&file).expect("the file").mode() & 0o777, 0o600);
        let archive: Value = serde_json::from_slice(&fs::read(&file).expect("the file")).expect("JSON");
        assert_eq!(archive["user"]["email"], dana.email.as_str());
        assert_eq!((&archive["sessions"][0]["id"], &archive["suspensions"][0]["reason"]), (&json!(session), &json!("Three chargebacks.")));
        let again = server.pitlane(&["user", "export", &dana.email, path]);
        assert!(!again.status.success(), "a file that is there is left alone");
        assert_eq!(noted(&admin, "user.export").await["object_id"], json!(dana.id));

        done(server, &["user", "erase", &dana.email]);
        assert_eq!(noted(&admin, "user.erase").await["object_id"], json!(dana.id));
        assert_eq!(server.database().count("users", "status = 'erased'"), 1);
        // What ran is ended and paid back, as if they had done it themself.
        assert_eq!(server.database().count("sessions", "status = 'cancelled' AND end_reason = 'customer'"), 1);
        assert_eq!(server.database().count("refunds", "amount_cents = 999"), 1);
        assert_eq!(server.database().places(&dana.email), Vec::<String>::new());
        assert!(!server.pitlane(&["user", "erase", &dana.email]).status.success());
        tests::until("the refund to be done", async || {
            (server.database().count("refunds", "status = 'succeeded'") == 1).then_some(())
        })
        .await;
    }
}
