//! Accounts that an admin closes for now, and looking people up.

use serde_json::{Value, json};
use tests::people::PASSWORD;
use tests::{Person, TestServer, on_both};

async fn suspend(admin: &Person, id: &str, reason: &str) -> tests::Answer {
    admin.client.post(&format!("/api/admin/users/{id}/suspend"), json!({ "reason": reason })).await
}

async fn log_in(server: &TestServer, email: &str, password: &str) -> tests::Answer {
    server.guest().post("/api/auth/login", json!({ "email": email, "password": password })).await
}

async fn found(admin: &Person, query: &str) -> Vec<String> {
    let page = admin.client.get(&format!("/api/admin/users?{query}")).await.expect_status(200);
    let items = page.body["items"].as_array().expect("a list");
    items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}

on_both! {
    async fn a_mechanic_who_is_refused_or_suspended_gets_the_reason_by_mail(server) {
        let admin = server.admin().await;
        for (verb, heading) in [("refuse", "We can’t approve you now"), ("suspend", "You can’t work on Pitlane for now")] {
            let max = match verb {
                "suspend" => server.mechanic().await,
                _ => server.register("mechanic", "Max Mechanic").await,
            };
            let path = format!("/api/admin/mechanics/{}/{verb}", max.id);
            let reason = json!({ "reason": "The certificate is somebody else's." });
            admin.client.post(&path, reason.clone()).await.expect_status(200);
            let mail = server.message_to(&max.email, "approval_ended").await;
            assert_eq!(mail["subject"], heading);
            assert!(mail["text"].as_str().expect("text").contains("The certificate is somebody else's."), "{mail}");
            // Saying it again is no news.
            admin.client.post(&path, reason).await.expect_status(200);
            let all = server.messages_to(&max.email).await;
            assert_eq!(all.iter().filter(|mail| mail["milestone"] == "approval_ended").count(), 1);
        }
    }

    async fn an_admin_sees_an_address_that_mail_came_back_from_and_writes_again(server) {
        let (dana, admin) = (server.customer().await, server.admin().await);
        let path = format!("/api/admin/users/{}", dana.id);
        assert_eq!(admin.client.get(&path).await.expect_status(200).body["suppression"], Value::Null);
        let lift = format!("{path}/suppression");
        let delete = async |who: &Person| who.client.send(reqwest::Method::DELETE, &lift, None).await;
        delete(&admin).await.refused(404, "not_found");
        let bounced = format!(
            "INSERT INTO suppressions (channel, address, reason, created_at)
             VALUES ('mail', '{}', 'bounced', '2026-11-01T00:00:00.000000Z')",
            dana.email
        );
        server.database().execute(&bounced).expect("mail came back");
        assert_eq!(admin.client.get(&path).await.body["suppression"]["reason"], "bounced");
        let page = admin.client.get(&format!("/admin/users/{}", dana.id)).await.expect_status(200);
        assert!(page.text.contains("Mail to this address came back") && page.text.contains("Write again"), "{}", page.text);
        let own = dana.client.get("/account").await.expect_status(200);
        assert!(own.text.contains("Mail to this address came back"), "{}", own.text);
        dana.client.post("/api/auth/magic-link", json!({ "email": dana.email })).await.expect_status(202);
        tests::until("the link to be stopped", async || {
            (server.database().count("deliveries", "status = 'suppressed'") == 1).then_some(())
        })
        .await;
        delete(&dana).await.refused(403, "wrong_role");
        let known = delete(&admin).await.expect_status(200);
        assert_eq!(known.body["suppression"], Value::Null);
        delete(&admin).await.refused(404, "not_found");
        dana.client.post("/api/auth/magic-link", json!({ "email": dana.email })).await.expect_status(202);
        server.message_to(&dana.email, "magic_link").await;
        let audit = admin.client.get("/api/admin/audit?action=user.write_again").await.expect_status(200);
        assert_eq!(audit.body["items"][0]["object_id"], json!(dana.id));
        let own = dana.client.get("/account").await.expect_status(200);
        assert!(!own.text.contains("came back"));
    }

    async fn a_suspended_person_is_out_at_once_and_back_after_it_is_lifted(server) {
        let (dana, admin) = (server.customer().await, server.admin().await);
        let made = dana.client.post("/api/me/tokens", json!({ "name": "Calendar" })).await.expect_status(201);
        let program = server.guest().with_token(&made.text_at("token"));
        program.get("/api/me").await.expect_status(200);
        let (mut socket, mut other) = (dana.socket(server).await, tests::Socket::connect(server, &program).await);
        let since = std::time::Instant::now();
        let known = suspend(&admin, &dana.id, "Three chargebacks.").await.expect_status(200);
        assert_eq!((&known.body["status"], &known.body["suspension"]["reason"]), (&json!("suspended"), &json!("Three chargebacks.")));
        socket.closed().await;
        other.closed().await;
        assert!(since.elapsed() < std::time::Duration::from_secs(1), "{:?}", since.elapsed());
        dana.client.get("/api/me").await.refused(401, "not_signed_in");
        program.get("/api/me").await.refused(401, "not_signed_in");
        log_in(server, &dana.email, "a wrong password").await.refused(401, "wrong_credentials");
        let refused = log_in(server, &dana.email, PASSWORD).await;
        refused.refused(403, "account_suspended");
        assert!(refused.text_at("detail").contains('@'), "it names the support: {refused:?}");
        let form = [("email", dana.email.as_str()), ("password", PASSWORD)];
        let page = server.guest().post_form("/start/login", &form).await.expect_status(403);
        assert!(page.text.contains("This account is suspended"));
        server.guest().post("/api/auth/magic-link", json!({ "email": dana.email })).await.expect_status(202);
        let mail = server.message_to(&dana.email, "account_suspended").await;
        assert!(mail["text"].as_str().expect("text").contains("Three chargebacks."));
        suspend(&admin, &dana.id, "Again.").await.refused(409, "invalid_transition");

        let restore = format!("/api/admin/users/{}/restore", dana.id);
        let known = admin.client.post_nothing(&restore).await.expect_status(200);
        assert_eq!((&known.body["status"], &known.body["suspension"]), (&json!("active"), &Value::Null));
        admin.client.post_nothing(&restore).await.refused(409, "invalid_transition");
        let mail = server.message_to(&dana.email, "account_restored").await;
        assert!(mail["text"].as_str().is_some_and(|text| text.contains("You can sign in as before")), "{mail}");
        log_in(server, &dana.email, PASSWORD).await.expect_status(200);
        dana.client.get("/api/me").await.refused(401, "not_signed_in");
        program.get("/api/me").await.refused(401, "not_signed_in");
        let audit = admin.client.get("/api/admin/audit").await.expect_status(200);
        let actions: Vec<_> = audit.body["items"].as_array().expect("a log").iter()
            .filter(|line| line["object_id"] == json!(dana.id)).map(|line| line["action"].clone()).collect();
        assert_eq!(actions, [json!("user.restore"), json!("user.suspend")]);
        let magic = server.messages_to(&dana.email).await;
        assert!(magic.iter().all(|mail| mail["milestone"] != "magic_link"), "no link for a closed account");
    }

    async fn a_suspended_mechanic_is_offered_nothing_and_their_session_goes_to_another(server) {
        let meeting = server.meeting().await;
        let (dana, max, admin) = (&meeting.customer, &meeting.mechanic, server.admin().await);
        let mut her = dana.socket(server).await;
        her.join(&dana.channel("customer"), 0).await;
        let known = suspend(&admin, &max.id, "Rude to customers.").await.expect_status(200);
        assert_eq!(known.body["mechanic"]["on_duty"], false);
        assert_eq!(known.body["open_sessions"][0]["session_id"], json!(meeting.session));
        assert_eq!(her.of_type("notification").await["title"], "Somebody has left your session");
        let waiting = server.customer().await.paid_session("chat10").await;
        let live = admin.client.get("/api/admin/sessions/active").await.expect_status(200);
        assert!(live.body["items"].as_array().expect("a list").iter().any(|it| it["id"] == json!(waiting)));
        let other = server.mechanic().await;
        let page = admin.client.get(&format!("/admin/users/{}", max.id)).await.expect_status(200);
        assert!(page.text.contains("Give it to somebody else"));
        let assign = format!("/admin?q={0}&assign={0}", meeting.session);
        assert!(admin.client.get(&assign).await.expect_status(200).text.contains("Assign a mechanic by hand"));
        let assign = format!("/api/admin/sessions/{}/assign", meeting.session);
        admin.client.post(&assign, json!({ "mechanic_id": max.id })).await.expect_status(422);
        admin.client.post(&assign, json!({ "mechanic_id": other.id })).await.expect_status(200);
        other.say(&meeting.session, "1", "I take over.").await.expect_status(201);
        admin.client.post_nothing(&format!("/api/admin/users/{}/restore", max.id)).await.expect_status(200);
        let back = server.sign_in(&max.email, PASSWORD).await;
        let me = back.client.get("/api/me").await.expect_status(200);
        assert_eq!((&me.body["mechanic"]["approval"], &me.body["mechanic"]["on_duty"]), (&json!("approved"), &json!(false)));
        back.client.put_duty(true).await;
        back.offer_of(&waiting).await;
    }

    async fn no_admin_suspends_themself_and_one_is_always_left(server) {
        let admin = server.admin().await;
        suspend(&admin, &admin.id, "Bye.").await.refused(409, "own_account");
        for empty in ["", " ", &"x".repeat(501)] {
            suspend(&admin, &server.customer().await.id, empty).await.refused(422, "invalid");
        }
        suspend(&admin, &uuid::Uuid::nil().to_string(), "Nobody.").await.refused(404, "not_found");
        let made = server.pitlane(&["user", "create", "--role", "admin", "--email", "second@example.com",
            "--name", "Second Admin", "--password", PASSWORD]);
        assert!(made.status.success(), "{}", tests::server::printed(&made));
        let second = server.sign_in("second@example.com", PASSWORD).await;
        let (one, other) = futures_util::join!(suspend(&admin, &second.id, "You."), suspend(&second, &admin.id, "No, you."));
        let statuses = [one.status, other.status];
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{one:?} {other:?}");
        let left = if one.status == 200 { &admin } else { &second };
        left.client.get("/api/admin/users").await.expect_status(200);
    }

    async fn people_are_found_by_address_name_and_id_in_any_case(server) {
        let admin = server.admin().await;
        let elodie = server.register("customer", "Élodie Ünal").await;
        let max = server.register("mechanic", "100%_Max").await;
        for (query, names) in [
            ("q=%C3%89LODIE", vec!["Élodie Ünal"]),
            ("q=%C3%A9lodie%20%C3%BC", vec!["Élodie Ünal"]),
            ("q=100%25_m", vec!["100%_Max"]),
            ("q=100__m", vec![]),
            ("q=MECHANIC2%40", vec!["Lena Brandt"]),
            ("q=brandt", vec!["Lena Brandt"]),
            ("q=xample.com", vec![]),
            ("role=admin", vec!["Alex Kim"]),
            ("role=workshop&status=active", vec!["Riverside Garage"]),
            ("status=suspended", vec![]),
        ] {
            assert_eq!(found(&admin, query).await, names, "{query}");
        }
        assert_eq!(found(&admin, &format!("q={}", elodie.id)).await, ["Élodie Ünal"]);
        assert_eq!(found(&admin, &format!("q={}", elodie.id.to_uppercase())).await, ["Élodie Ünal"]);
        suspend(&admin, &max.id, "Spam.").await.expect_status(200);
        assert_eq!(found(&admin, "status=suspended").await, ["100%_Max"]);
        let renamed = json!({ "name": "ÉMILE" });
        elodie.client.send(reqwest::Method::PATCH, "/api/me", Some(renamed)).await.expect_status(200);
        assert_eq!(found(&admin, "q=%C3%A9mile").await, ["ÉMILE"]);

        let first = admin.client.get("/api/admin/users?limit=3").await.expect_status(200);
        let cursor = first.text_at("next_cursor");
        let rest = admin.client.get(&format!("/api/admin/users?limit=100&cursor={cursor}")).await.expect_status(200);
        let count = |page: &tests::Answer| page.body["items"].as_array().expect("a list").len();
        assert_eq!(count(&first) + count(&rest), 11, "nine demo accounts and two new ones, each once");
        for query in ["role=king", "status=gone", "cursor=x", &format!("q={}", "x".repeat(255))] {
            admin.client.get(&format!("/api/admin/users?{query}")).await.refused(422, "invalid");
        }
        admin.client.get("/admin/users?q=lena&role=&status=").await.expect_status(200);
        admin.client.get(&format!("/api/admin/users/{}", uuid::Uuid::nil())).await.refused(404, "not_found");
        elodie.client.get("/api/admin/users").await.refused(403, "wrong_role");
    }
}
