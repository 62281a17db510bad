//! What protects an account: the authenticator app, changes of address and password, and the mails that tell of them.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde_json::{Value, json};
use tests::people::PASSWORD;
use tests::{Backend, Client, Person, TestServer, on_both, server};
use totp_rs::Totp;

/// An authenticator app on somebody's phone.
pub struct Phone(Totp);

impl Phone {
    /// The code that it shows, that many seconds from now.
    pub fn code(&self, ahead_seconds: u64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        self.0.generate(now + ahead_seconds).to_string()
    }
}

/// Sets an app up; with the recovery codes.
pub async fn enrol(person: &Person, password: &str) -> (Phone, Vec<String>) {
    let begun = person.client.post("/api/me/second-factor", json!({ "current_password": password })).await;
    let phone = Phone(Totp::from_url(begun.expect_status(201).text_at("otpauth_url")).expect("an address"));
    let code = json!({ "code": phone.code(0) });
    let codes = person.client.post("/api/me/second-factor/confirm", code).await.expect_status(200);
    let codes = codes.body["recovery_codes"].as_array().expect("a list").iter();
    (phone, codes.map(|code| code.as_str().expect("a text").to_owned()).collect())
}

async fn log_in(server: &TestServer, email: &str, code: Option<&str>) -> tests::client::Answer {
    let mut body = json!({ "email": email, "password": PASSWORD });
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    server.guest().post("/api/auth/login", body).await
}

async fn change(client: &Client, body: Value) -> tests::client::Answer {
    client.send(Method::PATCH, "/api/me", Some(body)).await
}

on_both! {
    async fn signing_in_asks_for_a_code_that_works_once(server) {
        let max = server.mechanic().await;
        let off = max.client.get("/api/me/second-factor").await.expect_status(200);
        assert_eq!(off.body, json!({ "enabled": false, "confirmed_at": null, "recovery_codes_left": 0, "required": false }));
        max.client.post("/api/me/second-factor", json!({})).await.refused(422, "invalid");
        max.client.post("/api/me/second-factor/confirm", json!({ "code": "123456" })).await.refused(404, "not_found");
        let (phone, codes) = enrol(&max, PASSWORD).await;
        assert_eq!(codes.len(), 10);
        max.client.post("/api/me/second-factor", json!({ "current_password": PASSWORD })).await.refused(409, "second_factor_on");
        let on = max.client.get("/api/me/second-factor").await.expect_status(200);
        assert_eq!((&on.body["enabled"], &on.body["recovery_codes_left"]), (&json!(true), &json!(10)));
        server.message_to(&max.email, "second_factor_on").await;

        log_in(server, &max.email, None).await.refused(401, "second_factor_required");
        log_in(server, &max.email, Some("000000")).await.refused(401, "wrong_code");
        log_in(server, &max.email, Some(&phone.code(0))).await.refused(401, "wrong_code");
        server.advance_clock(30).await;
        log_in(server, &max.email, Some(&phone.code(30))).await.expect_status(200);
        log_in(server, &max.email, Some(&phone.code(30))).await.refused(401, "wrong_code");
        log_in(server, &max.email, Some(&codes[0].to_uppercase())).await.expect_status(200);
        log_in(server, &max.email, Some(&codes[0])).await.refused(401, "wrong_code");
        // Without the password a code opens nothing.
        let body = json!({ "email": max.email, "password": "not the password", "code": codes[1] });
        server.guest().post("/api/auth/login", body).await.refused(401, "wrong_credentials");
        log_in(server, &max.email, Some(&codes[1])).await.expect_status(200);
    }

    async fn the_pages_ask_for_the_code_after_a_password_and_after_a_mailed_link(server) {
        let max = server.mechanic().await;
        let (_, codes) = enrol(&max, PASSWORD).await;
        let ticket = |page: &str| {
            let (_, rest) = page.split_once("name=\"ticket\" value=\"").expect("a ticket");
            rest.split('"').next().expect("a value").to_owned()
        };
        let browser = server.guest();
        let fields = [("email", max.email.as_str()), ("password", PASSWORD), ("redirect", "/account")];
        let asked = browser.post_form("/start/login", &fields).await.expect_status(200);
        browser.get("/api/me").await.refused(401, "not_signed_in");
        let ticket_one = ticket(&asked.text);
        let wrong = browser.post_form("/start/code", &[("ticket", &ticket_one), ("code", "000000")]).await;
        assert!(wrong.expect_status(401).text.contains("That code is wrong"));
        let right = [("ticket", ticket_one.as_str()), ("code", codes[0].as_str())];
        let entered = browser.post_form("/start/code", &right).await.expect_status(303);
        assert_eq!(entered.location(), "/account");
        browser.get("/api/me").await.expect_status(200);
        let twice = server.guest().post_form("/start/code", &[("ticket", &ticket_one), ("code", &codes[1])]).await;
        assert_eq!(twice.expect_status(303).location(), "/start", "a ticket works once");

        let other = server.guest();
        other.post("/api/auth/magic-link", json!({ "email": max.email })).await.expect_status(202);
        let token = server.mailed_token(&max.email, "magic_link", "/auth/magic/").await;
        let asked = other.post_form(&format!("/auth/magic/{token}"), &[]).await.expect_status(200);
        other.get("/api/me").await.refused(401, "not_signed_in");
        let fields = [("ticket", ticket(&asked.text)), ("code", codes[1].clone())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        other.post_form("/start/code", &fields).await.expect_status(303);
        other.get("/api/me").await.expect_status(200);
    }

    async fn new_recovery_codes_replace_the_old_ones_and_the_app_is_turned_off_by_a_code_only(server) {
        let max = server.mechanic().await;
        let (_, old) = enrol(&max, PASSWORD).await;
        let path = "/api/me/second-factor/recovery-codes";
        max.client.post(path, json!({ "code": "000000" })).await.refused(422, "invalid");
        let fresh = max.client.post(path, json!({ "code": old[0] })).await.expect_status(200);
        let fresh = fresh.body["recovery_codes"][0].as_str().expect("a code").to_owned();
        log_in(server, &max.email, Some(&old[1])).await.refused(401, "wrong_code");
        let off = async |code: &str| {
            max.client.send(Method::DELETE, "/api/me/second-factor", Some(json!({ "code": code }))).await
        };
        off("000000").await.refused(422, "invalid");
        off(&fresh).await.expect_status(204);
        off(&fresh).await.refused(409, "second_factor_off");
        server.message_to(&max.email, "second_factor_off").await;
        log_in(server, &max.email, None).await.expect_status(200);
        let made = max.client.post("/api/me/tokens", json!({ "name": "script" })).await.expect_status(201);
        let script = Client::new(server.url()).with_token(&made.text_at("token"));
        script.post("/api/me/second-factor", json!({ "current_password": PASSWORD })).await.refused(403, "token_not_allowed");
    }

    async fn an_operator_resets_the_app_of_somebody_who_lost_everything(server) {
        let max = server.mechanic().await;
        enrol(&max, PASSWORD).await;
        let done = server.pitlane(&["user", "reset-second-factor", &max.email]);
        assert!(done.status.success(), "{}", server::printed(&done));
        log_in(server, &max.email, None).await.expect_status(200);
        server.message_to(&max.email, "second_factor_off").await;
        let again = server.pitlane(&["user", "reset-second-factor", &max.email]);
        assert!(server::printed(&again).contains("has no authenticator app"), "{}", server::printed(&again));
        let nobody = server.pitlane(&["user", "reset-second-factor", "nobody@example.com"]);
        assert!(!nobody.status.success(), "{}", server::printed(&nobody));
    }

    async fn a_new_address_is_taken_once_its_own_link_is_opened(server) {
        let dana = server.customer().await;
        let new = format!("new-{}", dana.email);
        let eve = server.customer().await;
        change(&dana.client, json!({ "email": new })).await.refused(422, "invalid");
        change(&dana.client, json!({ "email": eve.email, "current_password": PASSWORD })).await.refused(409, "email_taken");
        let asked = change(&dana.client, json!({ "email": new, "current_password": PASSWORD })).await.expect_status(200);
        assert_eq!((asked.text_at("email"), asked.text_at("pending_email")), (dana.email.clone(), new.clone()));
        let told = server.message_to(&dana.email, "email_change_asked").await;
        assert!(!told["text"].as_str().expect("text").contains(&new), "the earlier address is told no more than it has to");
        log_in(server, &new, None).await.refused(401, "wrong_credentials");

        // A second wish voids the first.
        let first = server.mailed_token(&new, "email_change", "/auth/verify/").await;
        let newer = format!("newer-{}", dana.email);
        change(&dana.client, json!({ "email": newer, "current_password": PASSWORD })).await.expect_status(200);
        server.guest().post("/api/auth/verify", json!({ "token": first })).await.refused(422, "invalid_token");
        let token = server.mailed_token(&newer, "email_change", "/auth/verify/").await;
        let page = server.guest().get(&format!("/auth/verify/{token}")).await.expect_status(200);
        assert!(page.text.contains("This address is mine"), "looking at it does nothing");
        assert_eq!(dana.client.get("/api/me").await.expect_status(200).text_at("email"), dana.email);
        server.guest().post("/api/auth/verify", json!({ "token": token })).await.expect_status(204);
        let told = server.message_to(&dana.email, "email_changed").await;
        let text = told["text"].as_str().expect("text");
        assert!(text.contains("this one no longer belongs to it") && !text.contains(&newer), "{told}");
        let me = dana.client.get("/api/me").await.expect_status(200);
        assert_eq!((me.text_at("email"), &me.body["email_verified"], &me.body["pending_email"]), (newer.clone(), &json!(true), &json!(null)));
        server.guest().post("/api/auth/verify", json!({ "token": token })).await.refused(422, "invalid_token");
        log_in(server, &dana.email, None).await.refused(401, "wrong_credentials");
        log_in(server, &newer, None).await.expect_status(200);
    }

    async fn an_address_that_somebody_took_meanwhile_is_not_taken_twice(server) {
        let dana = server.customer().await;
        let wanted = format!("wanted-{}", dana.email);
        change(&dana.client, json!({ "email": wanted, "current_password": PASSWORD })).await.expect_status(200);
        let token = server.mailed_token(&wanted, "email_change", "/auth/verify/").await;
        let body = json!({ "email": wanted, "password": PASSWORD, "name": "Quick", "role": "customer" });
        server.guest().post("/api/auth/register", body).await.expect_status(201);
        server.guest().post("/api/auth/verify", json!({ "token": token })).await.refused(409, "email_taken");
        assert_eq!(dana.client.get("/api/me").await.expect_status(200).text_at("email"), dana.email);
    }

    async fn a_new_password_is_told_by_mail_and_voids_what_the_old_one_asked_for(server) {
        let dana = server.customer().await;
        let stolen = format!("thief-{}", dana.email);
        change(&dana.client, json!({ "email": stolen, "current_password": PASSWORD })).await.expect_status(200);
        let token = server.mailed_token(&stolen, "email_change", "/auth/verify/").await;
        change(&dana.client, json!({ "password": "another long password 43", "current_password": PASSWORD })).await.expect_status(200);
        server.message_to(&dana.email, "password_changed").await;
        server.guest().post("/api/auth/verify", json!({ "token": token })).await.refused(422, "invalid_token");
        assert_eq!(dana.client.get("/api/me").await.expect_status(200).text_at("email"), dana.email);
    }
}

#[test]
fn codes_are_not_guessed_for_long() {
    let settings = [("PITLANE_AUTH__LOGIN_ATTEMPTS_PER_MINUTE", "4")];
    server::run_with(Backend::Sqlite, &settings, async |server| {
        let max = server.register("mechanic", "Max").await;
        let (_, codes) = enrol(&max, PASSWORD).await;
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(log_in(server, &max.email, Some("000000")).await.status);
        }
        assert_eq!(statuses, [401, 401, 401, 401, 429]);
        log_in(server, &max.email, Some(&codes[0])).await.refused(429, "too_many_requests");
        server.advance_clock(61).await;
        log_in(server, &max.email, Some(&codes[0])).await.expect_status(200);
    });
}

#[test]
fn an_admin_of_a_real_server_works_only_with_an_authenticator_app() {
    server::run_with(Backend::Sqlite, &[], async |server| {
        let dana = server.customer().await;
        let session = dana.paid_session("chat10").await;
        server.stop();
        for (name, value) in [
            ("PITLANE_SERVER__ENVIRONMENT", "production"),
            ("PITLANE_PAYMENTS__PROVIDER", "stripe"),
            ("STRIPE_SECRET_KEY", "sk_test_1234567890"),
            ("PITLANE_AUTH__SECRET", "0123456789abcdef0123456789abcdef"),
        ] {
            server.set(name, value);
        }
        server.start().await;
        let made = server.pitlane(&[
            "user",
            "create",
            "--role",
            "admin",
            "--email",
            "boss@example.com",
            "--password",
            PASSWORD,
        ]);
        assert!(made.status.success(), "{}", server::printed(&made));
        let admin = server.sign_in("boss@example.com", PASSWORD).await;
        for path in ["/api/admin/sessions/active", "/api/sessions", &format!("/api/sessions/{session}")] {
            admin.client.get(path).await.refused(403, "second_factor_setup_required");
        }
        assert_eq!(admin.client.get("/admin").await.expect_status(303).location(), "/account/second-factor");
        let socket = tests::Socket::try_connect(server, &admin.client, None).await;
        assert_eq!(socket.err(), Some(403), "no socket either");
        let page = admin.client.get("/account/second-factor").await.expect_status(200);
        assert!(page.text.contains("Admins need one here"));
        assert_eq!(admin.client.get("/api/me/second-factor").await.expect_status(200).body["required"], true);
        enrol(&admin, PASSWORD).await;
        admin.client.get("/api/admin/sessions/active").await.expect_status(200);
        // Nobody else has to have one.
        dana.client.get("/api/sessions").await.expect_status(200);
    });
}
