//! A workshop that was approved invites its mechanics, and lets them go.

use serde_json::{Value, json};
use tests::people::PASSWORD;
use tests::{Person, TestServer, on_both};

use super::applications::{sent, workshop};

async fn invite(owner: &Person, email: &str) -> String {
    let invited = owner.client.post("/api/workshops/me/invitations", json!({ "email": email })).await;
    invited.expect_status(201).text_at("id")
}

async fn token(server: &TestServer, email: &str) -> String {
    server.mailed_token(email, "workshop_invitation", "/workshop/join/").await
}

async fn team(owner: &Person) -> Value {
    owner.client.get("/api/workshops/me").await.expect_status(200).body
}

on_both! {
    async fn who_answers_for_a_workshop_must_have_an_open_account(server) {
        let (owner, admin) = (workshop(server, "Northside Motors").await, server.admin().await);
        invite(&owner, "tom.new@example.com").await;
        let token = token(server, "tom.new@example.com").await;
        let path = format!("/api/admin/users/{}/suspend", owner.id);
        admin.client.post(&path, json!({ "reason": "The papers are forged." })).await.expect_status(200);
        let body = json!({ "token": token, "name": "Tom Lind", "password": PASSWORD });
        server.guest().post("/api/workshops/join", body.clone()).await.refused(422, "invalid_token");
        assert_eq!(server.guest().get(&format!("/workshop/join/{token}")).await.status, 410);
        let path = format!("/api/admin/users/{}/restore", owner.id);
        admin.client.post_nothing(&path).await.expect_status(200);
        server.guest().post("/api/workshops/join", body).await.expect_status(201);
    }

    async fn a_workshop_that_leaves_takes_its_approval_along(server) {
        let owner = workshop(server, "Northside Motors").await;
        let approved = server.mechanic().await;
        let tom = server.guest();
        for email in ["tom.new@example.com", approved.email.as_str(), "open@example.com"] {
            invite(&owner, email).await;
        }
        let join = json!({ "token": token(server, "tom.new@example.com").await, "name": "Tom Lind", "password": PASSWORD });
        tom.post("/api/workshops/join", join).await.expect_status(201);
        let join = json!({ "token": token(server, &approved.email).await });
        approved.client.post("/api/workshops/join", join).await.expect_status(200);
        let open = token(server, "open@example.com").await;
        tom.put_duty(true).await;
        tom.get("/api/requests").await.expect_status(200);
        owner.client.send(reqwest::Method::DELETE, "/api/me", None).await.expect_status(204);

        tom.get("/api/requests").await.refused(403, "not_approved");
        let page = tom.get("/mechanic").await.expect_status(200);
        assert!(page.text.contains("Apply to see requests"), "{}", page.text);
        tom.get("/mechanic/apply").await.expect_status(200);
        approved.client.get("/api/requests").await.expect_status(200);
        assert_eq!(server.guest().get(&format!("/workshop/join/{open}")).await.status, 410);
        let join = json!({ "token": open, "name": "Olga", "password": PASSWORD });
        server.guest().post("/api/workshops/join", join).await.refused(422, "invalid_token");
        let left = "revoked_at IS NULL AND accepted_at IS NULL";
        assert_eq!(server.database().count("workshop_invitations", left), 0);
        // What nobody accepted is not kept for ever.
        server.advance_clock(30 * 86_400).await;
        let unused = async || (server.database().count("workshop_invitations", "accepted_at IS NULL") == 0).then_some(());
        tests::until("the unused invitation to be gone", unused).await;
    }

    async fn a_workshop_invites_somebody_new_who_works_under_it_at_once(server) {
        let owner = workshop(server, "Northside Motors").await;
        let me = owner.client.get("/api/me").await.expect_status(200);
        assert_eq!((&me.body["role"], &me.body["account_type"]), (&json!("workshop"), &json!("business")));
        assert_eq!(team(&owner).await["name"], "Northside Motors");
        owner.client.get("/workshop").await.expect_status(200);
        owner.client.post("/api/workshops/me/invitations", json!({ "email": "nonsense" })).await.refused(422, "invalid");
        let email = "tom.new@example.com";
        invite(&owner, email).await;
        let token = token(server, email).await;
        let guest = server.guest();
        let page = guest.get(&format!("/workshop/join/{token}")).await.expect_status(200);
        assert!(page.text.contains("Join Northside Motors") && page.text.contains(email));
        guest.post("/api/workshops/join", json!({ "token": token })).await.refused(422, "invalid");
        let weak = json!({ "token": token, "name": "Tom", "password": "short" });
        guest.post("/api/workshops/join", weak).await.refused(422, "invalid");
        let body = json!({ "token": token, "name": "Tom Lind", "password": PASSWORD });
        let joined = guest.post("/api/workshops/join", body.clone()).await.expect_status(201);
        assert_eq!((&joined.body["user"]["email_verified"], &joined.body["workshop_name"]), (&json!(true), &json!("Northside Motors")));
        server.guest().post("/api/workshops/join", body).await.refused(422, "invalid_token");
        assert_eq!(server.guest().get(&format!("/workshop/join/{token}")).await.status, 410);
        guest.put_duty(true).await;
        guest.get("/api/requests").await.expect_status(200);
        let team = team(&owner).await;
        assert_eq!((&team["mechanics"][0]["name"], &team["mechanics"][0]["on_duty"]), (&json!("Tom Lind"), &json!(true)));
        assert_eq!(team["invitations"], json!([]));
        invite_again_is_refused(&owner, email).await;
    }

    async fn who_is_let_go_is_off_duty_and_their_sockets_end_within_a_second(server) {
        let owner = workshop(server, "Northside Motors").await;
        let lena = server.register("mechanic", "Lena Brandt").await;
        lena.client.post("/api/mechanics/apply", sent(&lena).await).await.expect_status(201);
        invite(&owner, &lena.email).await;
        let token = token(server, &lena.email).await;
        let joined = lena.client.post("/api/workshops/join", json!({ "token": token })).await.expect_status(200);
        assert_eq!(joined.text_at("workshop_name"), "Northside Motors");
        let application = lena.client.get("/api/mechanics/application").await.expect_status(200);
        assert_eq!(application.body["status"], "withdrawn");
        lena.client.put_duty(true).await;
        let mut socket = lena.socket(server).await;
        let remove = format!("/api/workshops/me/mechanics/{}", lena.id);
        workshop(server, "Another").await.client.send(reqwest::Method::DELETE, &remove, None).await.refused(404, "not_found");
        let since = std::time::Instant::now();
        owner.client.send(reqwest::Method::DELETE, &remove, None).await.expect_status(204);
        socket.closed().await;
        assert!(since.elapsed() < std::time::Duration::from_secs(1), "{:?}", since.elapsed());
        lena.client.get("/api/requests").await.refused(403, "not_approved");
        let me = lena.client.get("/api/me").await.expect_status(200);
        assert_eq!((&me.body["mechanic"]["approval"], &me.body["mechanic"]["on_duty"]), (&json!("pending"), &json!(false)));
        assert_eq!(me.body["mechanic"]["provider_id"], json!(lena.id), "alone again");
        assert_eq!(team(&owner).await["mechanics"], json!([]));
        owner.client.send(reqwest::Method::DELETE, &remove, None).await.refused(404, "not_found");
    }

    async fn an_approved_mechanic_who_leaves_is_approved_as_before_and_a_refused_one_cannot_join(server) {
        let (owner, max, admin) = (workshop(server, "Northside Motors").await, server.mechanic().await, server.admin().await);
        invite(&owner, &max.email).await;
        let link = token(server, &max.email).await;
        max.client.post("/api/workshops/join", json!({ "token": link })).await.expect_status(200);
        let remove = format!("/api/workshops/me/mechanics/{}", max.id);
        owner.client.send(reqwest::Method::DELETE, &remove, None).await.expect_status(204);
        max.client.get("/api/requests").await.expect_status(200);

        let eve = server.register("mechanic", "Eve Refused").await;
        let refuse = format!("/api/admin/mechanics/{}/refuse", eve.id);
        admin.client.post(&refuse, json!({ "reason": "Forged papers." })).await.expect_status(200);
        invite(&owner, &eve.email).await;
        let link = token(server, &eve.email).await;
        eve.client.post("/api/workshops/join", json!({ "token": link })).await.refused(403, "not_approved");
    }

    async fn an_invitation_is_for_its_address_can_be_taken_back_and_ends(server) {
        let owner = workshop(server, "Northside Motors").await;
        let (lena, eve) = (server.register("mechanic", "Lena").await, server.register("mechanic", "Eve").await);
        let first = invite(&owner, &lena.email).await;
        let link = token(server, &lena.email).await;
        eve.client.post("/api/workshops/join", json!({ "token": link })).await.refused(409, "invitation_for_another");
        let page = eve.client.get(&format!("/workshop/join/{link}")).await.expect_status(200);
        assert!(page.text.contains("Sign out"));
        server.guest().post("/api/workshops/join", json!({ "token": link, "name": "Eve", "password": PASSWORD }))
            .await.refused(409, "email_taken");
        let revoke = |id: &str| format!("/api/workshops/me/invitations/{id}");
        owner.client.send(reqwest::Method::DELETE, &revoke(&first), None).await.expect_status(204);
        owner.client.send(reqwest::Method::DELETE, &revoke(&first), None).await.refused(404, "not_found");
        lena.client.post("/api/workshops/join", json!({ "token": link })).await.refused(422, "invalid_token");

        // A second invitation to the same address replaces the first.
        invite(&owner, "tom@example.com").await;
        invite(&owner, "tom@example.com").await;
        assert_eq!(team(&owner).await["invitations"].as_array().expect("a list").len(), 1);
        server.advance_clock(8 * 86_400).await;
        let owner = server.sign_in(&owner.email, PASSWORD).await;
        assert_eq!(team(&owner).await["invitations"], json!([]));
        invite(&owner, "tom@example.com").await;
    }

    async fn two_who_use_one_link_at_once_make_one_account(server) {
        let owner = workshop(server, "Northside Motors").await;
        let email = "both@example.com";
        invite(&owner, email).await;
        let link = token(server, email).await;
        let body = json!({ "token": link, "name": "Both", "password": PASSWORD });
        let guests: Vec<_> = (0..4).map(|_| server.guest()).collect();
        let calls = guests.iter().map(|guest| guest.post("/api/workshops/join", body.clone()));
        let answers = futures_util::future::join_all(calls).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
        assert_eq!(team(&owner).await["mechanics"].as_array().expect("a list").len(), 1);
    }

    async fn only_who_runs_a_workshop_invites(server) {
        let max = server.mechanic().await;
        for person in [&max, &server.customer().await, &server.admin().await] {
            let body = json!({ "email": "a@example.com" });
            person.client.post("/api/workshops/me/invitations", body).await.refused(403, "wrong_role");
            person.client.get("/api/workshops/me").await.refused(403, "wrong_role");
        }
        let riverside = server.demo("workshop").await;
        assert_eq!(team(&riverside).await["mechanics"].as_array().expect("a list").len(), 2, "the demo's two");
        assert!(riverside.client.get("/mechanic").await.expect_status(200).text.contains("Riverside Garage"));
    }
}

async fn invite_again_is_refused(owner: &Person, email: &str) {
    let again = owner.client.post("/api/workshops/me/invitations", json!({ "email": email })).await;
    again.refused(422, "invalid");
    assert_eq!(again.body["errors"][0]["code"], "already_member");
}
