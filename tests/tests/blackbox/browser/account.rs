//! The account page, and the ways back into an account without its password.

use tests::Backend;
use tests::browser::{Browser, Screen, in_browser};
use tests::people::PASSWORD;
use tests::{Client, TestServer};

use super::steps;

const NEW_PASSWORD: &str = "another long password 43";

#[test]
fn an_account_can_be_changed_given_tokens_and_signed_out_of() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let dana = server.customer().await;
        let desk = driver.open(server, Screen::Desk).await;
        desk.open("/account").await;
        steps::sign_in(&desk, &dana.email, PASSWORD).await;
        desk.arrives_at("/account").await;
        desk.fill("name", "Dana Driver-Doe").await;
        desk.press("Save").await;
        desk.reads("Saved.").await;
        desk.fill("time_zone", "my own time").await;
        desk.press("Save").await;
        desk.element("#time_zone[aria-invalid=\"true\"]").await;
        desk.reload().await;
        assert_eq!(desk.script("return document.querySelector('#name').value;").await, "Dana Driver-Doe");
        a_token_is_shown_once(server, &desk).await;
        other_devices_can_be_signed_out(&desk, &dana.client).await;
        desk.press("Sign out").await;
        desk.arrives_at("/").await;
        desk.reads("Sign in").await;
        desk.open("/account").await;
        desk.arrives_at("/start").await;
        desk.close().await;
    });
}

async fn a_token_is_shown_once(server: &TestServer, desk: &Browser) {
    desk.keys("#token_name", "Workshop calendar").await;
    desk.press("Make a token").await;
    desk.reads("Copy it now.").await;
    desk.picture("account-token-desk").await;
    let shown = desk.script("return document.querySelector('[data-secret]').textContent;").await;
    let token = shown.as_str().expect("a token").to_owned();
    let program = Client::new(server.url()).with_token(&token);
    assert_eq!(program.get("/api/me").await.expect_status(200).text_at("name"), "Dana Driver-Doe");
    desk.reload().await;
    desk.reads("Workshop calendar").await;
    let page = desk.script("return document.documentElement.outerHTML;").await;
    assert!(!page.as_str().expect("a page").contains(&token), "it is shown once");
    desk.press("Revoke Workshop calendar").await;
    desk.reads_no_more("Workshop calendar").await;
    program.get("/api/me").await.refused(401, "not_signed_in");
}

async fn other_devices_can_be_signed_out(desk: &Browser, elsewhere: &Client) {
    elsewhere.get("/api/me").await.expect_status(200);
    desk.reads("This one").await;
    desk.click("form[action^=\"/api/me/sign-ins/\"] button").await;
    tests::until("the other device to be signed out", async || {
        (desk.count("form[action^=\"/api/me/sign-ins/\"]").await == 0).then_some(())
    })
    .await;
    elsewhere.get("/api/me").await.refused(401, "not_signed_in");
}

#[test]
fn without_a_network_the_page_says_so_where_it_is_read_and_a_change_that_fails_is_told_as_a_fault() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(&server.customer().await).await;
        phone.open("/account").await;
        phone.script("scrollTo(0, document.body.scrollHeight);").await;
        phone.set_offline(true).await;
        let in_view = "
            const { top, bottom } = document.querySelector('offline-notice > *').getBoundingClientRect();
            const there = document.elementFromPoint(innerWidth / 2, (top + bottom) / 2);
            return bottom > top && there?.closest('offline-notice') != null;";
        tests::until("the notice to be in view", async || {
            (phone.script(in_view).await == true).then_some(())
        })
        .await;
        phone.press("Save").await;
        phone.reads("We can't reach Pitlane right now.").await;
        let told = "
            const faults = [...document.querySelectorAll('[data-fault]')].filter((place) => !place.hidden);
            const outcomes = [...document.querySelectorAll('[data-outcome]')].map((place) => place.textContent);
            return faults.length === 1 && faults[0].matches('.error[role=alert]') && outcomes.join('') === '';";
        assert_eq!(phone.script(told).await, true, "as a fault, and nothing as done");
        phone.set_offline(false).await;
        phone.press("Save").await;
        phone.reads("Saved.").await;
        phone.reads_no_more("We can't reach Pitlane right now.").await;
        phone.close().await;
    });
}

#[test]
fn a_mailed_link_signs_in_and_another_sets_a_new_password() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let dana = server.customer().await;
        let phone = driver.open(server, Screen::Phone).await;
        a_link_signs_in(server, &phone, &dana.email).await;
        phone.forget_sign_in().await;
        a_forgotten_password_is_replaced(server, &phone, &dana.email).await;
        phone.close().await;
    });
}

async fn a_link_signs_in(server: &TestServer, phone: &Browser, address: &str) {
    phone.open("/account").await;
    phone.arrives_at("/start").await;
    phone.fill("email", address).await;
    phone.press("E-mail me a sign-in link").await;
    phone.reads("Check your mail").await;
    server.message_to(address, "magic_link").await;
    phone.press("Open the mailbox of this server").await;
    phone.arrives_at("/dev/mailbox").await;
    phone.click("a[href*=\"/auth/magic/\"]").await;
    phone.reads("You are one tap away").await;
    let link = phone.path().await;
    phone.press("Sign in").await;
    phone.arrives_at("/account").await;
    phone.reads(address).await;
    phone.open(&link).await;
    phone.reads("This link has run out").await;
}

async fn a_forgotten_password_is_replaced(server: &TestServer, phone: &Browser, address: &str) {
    phone.open("/start").await;
    phone.press("Forgot it?").await;
    phone.fill("email", address).await;
    phone.press("E-mail me a link").await;
    phone.reads("Check your mail").await;
    server.message_to(address, "password_reset").await;
    phone.open("/dev/mailbox").await;
    phone.click("a[href*=\"/auth/reset/\"]").await;
    phone.fill("password", "short").await;
    phone.press("Save the new password").await;
    phone.element("#password[aria-invalid=\"true\"]").await;
    phone.fill("password", NEW_PASSWORD).await;
    phone.press("Save the new password").await;
    phone.reads("Your password is new").await;
    phone.press("Sign in").await;
    steps::sign_in(phone, address, PASSWORD).await;
    phone.element("[role=\"alert\"]").await;
    steps::sign_in(phone, address, NEW_PASSWORD).await;
    phone.arrives_at("/dashboard").await;
}
