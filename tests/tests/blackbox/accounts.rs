//! Registering, signing in and out, links by mail, API tokens, roles.

use serde_json::{Value, json};
use tests::people::{DEMO_PASSWORD, PASSWORD};
use tests::{Backend, Client, on_both};

on_both! {
    async fn a_registered_person_is_signed_in_and_their_mail_verifies_them(server) {
        let dana = server.register("customer", "Dana Driver").await;
        let me = dana.client.get("/api/me").await.expect_status(200);
        let user = me.body.get("user").unwrap_or(&me.body);
        assert_eq!(user["email_verified"], false);
        assert_eq!(user["role"], "customer");
        assert_eq!(user["has_used_free_session"], false);
        server.verify(&dana).await;
        let me = dana.client.get("/api/me").await.expect_status(200);
        let user = me.body.get("user").unwrap_or(&me.body);
        assert_eq!(user["email_verified"], true);
    }

    async fn the_cookie_is_out_of_reach_of_scripts(server) {
        let guest = server.guest();
        let body = json!({ "email": "customer@example.com", "password": DEMO_PASSWORD });
        let answer = guest.post("/api/auth/login", body).await.expect_status(200);
        let cookie = answer.headers["set-cookie"].to_str().expect("text").to_ascii_lowercase();
        assert!(cookie.contains("httponly") && cookie.contains("samesite=lax"), "{cookie}");
        assert!(!cookie.contains("secure"), "a cookie for https alone never comes back over http: {cookie}");
    }

    async fn a_wrong_password_and_an_unknown_address_look_the_same(server) {
        let guest = server.guest();
        let ask = async |email: &str| {
            guest.post("/api/auth/login", json!({ "email": email, "password": "not the password" })).await
        };
        let (wrong, unknown) = (ask("customer@example.com").await, ask("nobody@example.com").await);
        assert_eq!(wrong.status, 401, "{wrong:?}");
        wrong.assert_is_problem();
        let told = |answer: &tests::Answer| (answer.status, answer.body["code"].clone(), answer.body["detail"].clone());
        assert_eq!(told(&wrong), told(&unknown));
    }

    async fn signing_out_ends_the_sign_in_and_only_this_one(server) {
        let (first, second) = (server.demo("customer").await, server.demo("customer").await);
        let stolen = first.client.another_tab();
        first.client.post_nothing("/api/auth/logout").await.expect_status(204);
        stolen.get("/api/me").await.refused(401, "not_signed_in");
        second.client.get("/api/me").await.expect_status(200);
    }

    async fn an_address_is_registered_once_whatever_its_case(server) {
        let dana = server.register("customer", "Dana Driver").await;
        let body = json!({
            "email": dana.email.to_ascii_uppercase(), "password": PASSWORD, "name": "Another", "role": "customer",
        });
        let answer = server.guest().post("/api/auth/register", body).await;
        assert!(answer.status == 409 || answer.status == 422, "{answer:?}");
        answer.assert_is_problem();
    }

    async fn nobody_registers_as_an_admin(server) {
        for role in ["admin", "support", "workshop", "root", ""] {
            let body = json!({ "email": "new@example.com", "password": PASSWORD, "name": "New", "role": role });
            let answer = server.guest().post("/api/auth/register", body).await;
            assert_eq!(answer.status, 422, "{role}: {answer:?}");
            answer.assert_is_problem();
        }
    }

    async fn a_mailed_link_signs_in_once_and_only_when_its_button_is_pressed(server) {
        let dana = server.customer().await;
        let guest = server.guest();
        guest.post("/api/auth/magic-link", json!({ "email": dana.email })).await.expect_status(202);
        let token = server.mailed_token(&dana.email, "magic_link", "/auth/magic/").await;
        let page = format!("/auth/magic/{token}");
        // A mail scanner opens links; that must not use them up.
        for _ in 0..3 {
            guest.get(&page).await.expect_status(200);
        }
        guest.get("/api/me").await.refused(401, "not_signed_in");
        let answer = guest.post_form(&page, &[]).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let me = guest.get("/api/me").await.expect_status(200);
        assert!(me.text.contains(&dana.email));
        let again = server.guest();
        let refused = again.post_form(&page, &[]).await;
        assert!((400..500).contains(&refused.status), "{refused:?}");
        again.get("/api/me").await.refused(401, "not_signed_in");
    }

    async fn asking_for_a_link_says_nothing_about_who_is_known(server) {
        for path in ["/api/auth/magic-link", "/api/auth/password/forgot"] {
            let known = server.guest().post(path, json!({ "email": "customer@example.com" })).await.expect_status(202);
            let unknown = server.guest().post(path, json!({ "email": "nobody@example.com" })).await.expect_status(202);
            assert_eq!(known.text, unknown.text, "{path}");
        }
        assert_eq!(server.messages_to("nobody@example.com").await, Vec::<Value>::new());
    }

    async fn a_reset_changes_the_password_and_ends_every_other_sign_in(server) {
        let dana = server.customer().await;
        server.guest().post("/api/auth/password/forgot", json!({ "email": dana.email })).await.expect_status(202);
        let message = server.message_to(&dana.email, "password_reset").await;
        let link = message["links"][0].as_str().expect("a link").to_owned();
        let token = link.split(['/', '=']).next_back().expect("a token").to_owned();
        let new = "another long password 43";
        let body = json!({ "token": token, "password": new });
        server.guest().post("/api/auth/password/reset", body.clone()).await.expect_status(204);
        dana.client.get("/api/me").await.refused(401, "not_signed_in");
        server.sign_in(&dana.email, new).await;
        let old = server.guest().post("/api/auth/login", json!({ "email": dana.email, "password": PASSWORD })).await;
        assert_eq!(old.status, 401, "{old:?}");
        let twice = server.guest().post("/api/auth/password/reset", body).await;
        assert!((400..500).contains(&twice.status), "{twice:?}");
        twice.assert_is_problem();
    }

    async fn a_new_password_needs_the_current_one_and_ends_every_other_sign_in(server) {
        let dana = server.customer().await;
        let (phone, stolen) = (server.sign_in(&dana.email, PASSWORD).await, dana.client.another_tab());
        let mut listening = phone.socket(server).await;
        listening.join(&phone.channel("customer"), 0).await;
        let new = "another long password 43";
        let change = async |body: Value| dana.client.send(reqwest::Method::PATCH, "/api/me", Some(body)).await;
        for (body, field, code) in [
            (json!({ "password": new }), "current_password", "required"),
            (json!({ "password": new, "current_password": "not the password" }), "current_password", "wrong"),
            (json!({ "password": new, "current_password": "" }), "current_password", "wrong"),
            (json!({ "password": "short", "current_password": PASSWORD }), "password", "too_short"),
        ] {
            let answer = change(body.clone()).await;
            let told = &answer.body["errors"][0];
            assert_eq!((&told["field"], &told["code"]), (&json!(field), &json!(code)), "{body}: {answer:?}");
            answer.refused(422, "invalid");
        }
        // A refusal changes nothing else in the request either.
        change(json!({ "password": new, "current_password": "wrong", "name": "Somebody Else" })).await.refused(422, "invalid");
        assert_eq!(dana.client.get("/api/me").await.expect_status(200).text_at("name"), "Dana Driver");
        phone.client.get("/api/me").await.expect_status(200);
        change(json!({ "password": new, "current_password": PASSWORD })).await.expect_status(200);
        dana.client.get("/api/me").await.expect_status(200);
        stolen.get("/api/me").await.expect_status(200);
        phone.client.get("/api/me").await.refused(401, "not_signed_in");
        listening.closed().await;
        let old = json!({ "email": dana.email, "password": PASSWORD });
        server.guest().post("/api/auth/login", old).await.refused(401, "wrong_credentials");
        server.sign_in(&dana.email, new).await;
    }

    async fn an_api_token_changes_neither_password_nor_address(server) {
        let dana = server.customer().await;
        let made = dana.client.post("/api/me/tokens", json!({ "name": "script" })).await.expect_status(201);
        let script = Client::new(server.url()).with_token(&made.text_at("token"));
        let change = async |body: Value| script.send(reqwest::Method::PATCH, "/api/me", Some(body)).await;
        for body in [
            json!({ "password": "another long password 43", "current_password": PASSWORD }),
            json!({ "password": "another long password 43" }),
            json!({ "email": "elsewhere@example.com", "current_password": PASSWORD }),
            json!({ "email": "elsewhere@example.com", "current_password": PASSWORD, "name": "Somebody Else" }),
        ] {
            change(body).await.refused(403, "token_not_allowed");
        }
        let me = change(json!({ "name": "Dana D." })).await.expect_status(200);
        assert_eq!((me.text_at("name"), me.text_at("email")), ("Dana D.".to_owned(), dana.email.clone()));
        server.sign_in(&dana.email, PASSWORD).await;
    }

    async fn of_two_new_passwords_at_once_one_wins(server) {
        let dana = server.customer().await;
        let other = server.sign_in(&dana.email, PASSWORD).await;
        let change = async |client: &Client, new: &str| {
            let body = json!({ "password": new, "current_password": PASSWORD });
            client.send(reqwest::Method::PATCH, "/api/me", Some(body)).await
        };
        let (first, second) = ("the first new password 1", "the second new password 2");
        let (one, two) = futures_util::join!(change(&dana.client, first), change(&other.client, second));
        let won = [(one.status, first), (two.status, second)].map(|(status, new)| (status == 200).then_some(new));
        let (winner, loser) = match won {
            [Some(winner), None] => (winner, &two),
            [None, Some(winner)] => (winner, &one),
            _ => panic!("{one:?}\n{two:?}"),
        };
        assert!(loser.status == 401 || loser.status == 422, "{loser:?}");
        loser.assert_is_problem();
        server.sign_in(&dana.email, winner).await;
    }

    async fn a_mailed_link_to_an_address_that_was_never_verified_throws_the_first_owner_out(server) {
        let squatter = server.register("customer", "Not the owner").await;
        let owner = server.guest();
        owner.post("/api/auth/magic-link", json!({ "email": squatter.email })).await.expect_status(202);
        let token = server.mailed_token(&squatter.email, "magic_link", "/auth/magic/").await;
        owner.post_form(&format!("/auth/magic/{token}"), &[]).await.expect_status(303);
        owner.get("/api/me").await.expect_status(200);
        squatter.client.get("/api/me").await.refused(401, "not_signed_in");
        let body = json!({ "email": squatter.email, "password": PASSWORD });
        let answer = server.guest().post("/api/auth/login", body).await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }

    async fn an_api_token_acts_for_its_owner_but_makes_no_tokens_and_ends_when_revoked(server) {
        let dana = server.customer().await;
        let made = dana.client.post("/api/me/tokens", json!({ "name": "script" })).await.expect_status(201);
        let token = made.text_at("token");
        let id = made.body.get("id").or_else(|| made.body.pointer("/item/id")).and_then(Value::as_str).expect("an id");
        let script = Client::new(server.url()).with_token(&token);
        script.get("/api/me").await.expect_status(200);
        let listed = dana.client.get("/api/me/tokens").await.expect_status(200);
        assert!(!listed.text.contains(&token), "a token is shown once");
        let more = script.post("/api/me/tokens", json!({ "name": "more" })).await;
        assert_eq!(more.status, 403, "{more:?}");
        let gone = dana.client.send(reqwest::Method::DELETE, &format!("/api/me/tokens/{id}"), None).await;
        assert!((200..300).contains(&gone.status), "{gone:?}");
        script.get("/api/me").await.refused(401, "not_signed_in");
    }

    async fn a_page_of_another_origin_changes_nothing(server) {
        let dana = server.customer().await;
        let cookie = dana.client.cookie().expect("a cookie");
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let evil = server.guest().with_header("cookie", &cookie).with_header(name, value);
            evil.post_nothing("/api/auth/logout").await.refused(403, "cross_origin");
        }
        dana.client.get("/api/me").await.expect_status(200);
        let own = server.guest().with_header("cookie", &cookie).with_header("origin", &server.url());
        own.post_nothing("/api/auth/logout").await.expect_status(204);
    }

    async fn a_mechanic_waits_for_approval(server) {
        let max = server.register("mechanic", "Max Mechanic").await;
        server.verify(&max).await;
        let answer = max.client.get("/api/requests").await;
        assert_eq!(answer.status, 403, "{answer:?}");
        let approve = format!("/api/admin/mechanics/{}/approve", max.id);
        max.client.post_nothing(&approve).await.refused(403, "wrong_role");
        let answer = server.admin().await.client.post_nothing(&approve).await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
        max.client.get("/api/requests").await.expect_status(200);
    }

    async fn pages_send_guests_to_the_start_and_nowhere_else_afterwards(server) {
        for page in ["/dashboard", "/mechanic", "/admin", "/account"] {
            let answer = server.guest().get(page).await.expect_status(303);
            assert_eq!(answer.location(), format!("/start?redirect={}", page.replace('/', "%2F")), "{page}");
        }
        let customer = server.demo("customer").await;
        for page in ["/mechanic", "/admin"] {
            let answer = customer.client.get(page).await;
            assert_eq!(answer.status, 403, "{page}: {answer:?}");
        }
    }

    async fn the_answer_of_a_form_can_be_loaded_again(server) {
        for (form, page) in [
            ("/start/login", "/start"),
            ("/start/code", "/start"),
            ("/start/register", "/start?mode=register"),
            ("/start/magic-link", "/start?mode=magic-link"),
            ("/start/forgot", "/start?mode=forgot"),
        ] {
            assert_eq!(server.guest().get(form).await.expect_status(303).location(), page, "{form}");
        }
        let customer = server.demo("customer").await;
        for form in ["confirm", "codes", "off"] {
            let answer = customer.client.get(&format!("/account/second-factor/{form}")).await;
            assert_eq!(answer.expect_status(303).location(), "/account/second-factor", "{form}");
        }
    }
}

#[test]
fn guessing_passwords_is_slowed_down_without_locking_the_address_for_everyone_else() {
    let settings = [("PITLANE_AUTH__LOGIN_ATTEMPTS_PER_MINUTE", "3")];
    tests::server::run_with(Backend::Sqlite, &settings, async |server| {
        let body = json!({ "email": "customer@example.com", "password": "a wrong guess" });
        let mut statuses = Vec::new();
        for _ in 0..5 {
            let answer = server.guest().post("/api/auth/login", body.clone()).await;
            if answer.status == 429 {
                assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
                answer.assert_is_problem();
            }
            statuses.push(answer.status);
        }
        assert_eq!(statuses, [401, 401, 401, 429, 429]);
        server.sign_in("customer2@example.com", DEMO_PASSWORD).await;
        server.advance_clock(61).await;
        server.sign_in("customer@example.com", DEMO_PASSWORD).await;
    });
}

#[test]
fn guessing_the_current_password_of_a_stolen_sign_in_is_slowed_down() {
    let settings = [("PITLANE_AUTH__LOGIN_ATTEMPTS_PER_MINUTE", "3")];
    tests::server::run_with(Backend::Sqlite, &settings, async |server| {
        let dana = server.demo("customer").await;
        let guess = async |current: &str| {
            let body = json!({ "password": "another long password 43", "current_password": current });
            dana.client.send(reqwest::Method::PATCH, "/api/me", Some(body)).await.status
        };
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(guess("a wrong guess").await);
        }
        assert_eq!(statuses, [422, 422, 422, 429, 429]);
        assert_eq!(guess(DEMO_PASSWORD).await, 429, "the right one tells nothing now");
        server.advance_clock(61).await;
        assert_eq!(guess(DEMO_PASSWORD).await, 200);
    });
}
