//! A mechanic applies on a phone with a photo of the certificate, an admin asks and approves at a desk, and the
//! mechanic's page changes by itself (G-08).

use std::fs;

use tests::browser::{Browser, Screen, in_browser};
use tests::people::DEMO_PASSWORD;
use tests::server::root;
use tests::{Backend, TestServer};

use super::steps;

#[test]
fn a_mechanic_applies_on_a_phone_and_an_admin_asks_and_approves() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let phone = driver.open(server, Screen::Phone).await;
        let desk = driver.open(server, Screen::Desk).await;
        applies(server, &phone).await;
        desk.open("/admin").await;
        steps::sign_in(&desk, "admin@example.com", DEMO_PASSWORD).await;
        desk.reads("1 application waits").await;
        desk.press("Open the applications").await;
        desk.reads("Paula Phone").await;
        // The table renews itself once its channel is joined, so an element that was looked up may be gone.
        desk.script("document.querySelector('tbody a.button').click();").await;
        desk.reads("certificate.png").await;
        desk.picture("application-desk").await;
        asks(&desk, &phone).await;
        answers(&desk, &phone).await;
        desk.reload().await;
        desk.reads("Answered and sent again").await;
        desk.press("Approve Paula Phone").await;
        desk.reads("This application is closed").await;
        // Nobody reloads.
        phone.reads("You are off duty").await;
        phone.click("duty-switch .switch").await;
        phone.reads("No requests yet").await;
        phone.close().await;
        desk.close().await;
    });
}

async fn applies(server: &TestServer, phone: &Browser) {
    let photo = server.folder().join("certificate.png");
    fs::copy(root().join("docs/screenshots/chat-desk.png"), &photo).expect("a photo");
    phone.open("/start?mode=register&role=mechanic").await;
    steps::register(phone, "Paula Phone", "paula@example.com").await;
    phone.arrives_at("/mechanic").await;
    phone.reads("Apply to see requests").await;
    phone.press("Apply as a mechanic").await;
    phone.arrives_at("/mechanic/apply").await;
    phone.fill("phone", "+1 555 010 0199").await;
    phone.fill("years_experience", "12").await;
    phone.keys("#note", "Nights are fine.").await;
    phone.click("[name=specialties][value=brakes]").await;
    phone.press("Send the application").await;
    phone.reads("Add at least one licence or certificate.").await;
    assert!(!phone.scrolls_sideways().await, "the form is too wide");
    let kept = "return [document.querySelector('#phone').value, document.querySelector('#note').value, \
                document.querySelector('[value=brakes]').checked].join('|');";
    assert_eq!(phone.script(kept).await, "+1 555 010 0199|Nights are fine.|true", "what was typed stays");
    phone.attach("#file_ids", &photo).await;
    phone.reads("uploaded").await;
    phone.picture("apply-phone").await;
    phone.press("Send the application").await;
    phone.reads("We are looking at your application").await;
    phone.reads("certificate.png").await;
    phone.picture("applied-phone").await;
    phone.press("Back to your page").await;
    phone.arrives_at("/mechanic").await;
    phone.reads("We are looking at your application").await;
}

async fn asks(desk: &Browser, phone: &Browser) {
    desk.press("Ask again").await;
    desk.keys("#question", "Who issued the certificate?").await;
    desk.press("Send the question").await;
    desk.reads("Waits for an answer").await;
    phone.reads("Who issued the certificate?").await;
    phone.press("Answer").await;
    phone.arrives_at("/mechanic/apply").await;
}

async fn answers(desk: &Browser, phone: &Browser) {
    phone.reads("certificate.png").await;
    phone.keys("#answer", "The state of Oregon.").await;
    phone.press("Send it again").await;
    phone.reads("We are looking at your application").await;
    phone.press("Back to your page").await;
    phone.arrives_at("/mechanic").await;
    desk.reload().await;
    desk.reads("The state of Oregon.").await;
}

#[test]
fn a_workshop_invites_somebody_who_joins_on_a_phone() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let desk = driver.open(server, Screen::Desk).await;
        desk.sign_in_as(&server.demo("workshop").await).await;
        desk.open("/workshop").await;
        desk.reads("Ines Duarte").await;
        desk.fill("email", "nora@example.com").await;
        desk.press("Send the invitation").await;
        desk.reads("Not accepted yet").await;
        desk.picture("workshop-desk").await;
        let token = server.mailed_token("nora@example.com", "workshop_invitation", "/workshop/join/").await;
        let phone = driver.open(server, Screen::Phone).await;
        phone.open(&format!("/workshop/join/{token}")).await;
        phone.reads("Join Riverside Garage").await;
        phone.fill("name", "Nora New").await;
        phone.fill("password", "short").await;
        phone.press("Create the account and join").await;
        phone.reads("Use at least").await;
        phone.fill("password", tests::people::PASSWORD).await;
        phone.press("Create the account and join").await;
        phone.arrives_at("/mechanic").await;
        phone.reads("You are off duty").await;
        desk.reload().await;
        desk.reads("Nora New").await;
        desk.press("Remove Nora New").await;
        desk.reads_no_more("Nora New").await;
        phone.reload().await;
        phone.reads("Apply to see requests").await;
        phone.close().await;
        desk.close().await;
    });
}

#[test]
fn an_admin_finds_somebody_on_a_phone_and_suspends_them() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let dana = server.customer().await;
        let hers = driver.open(server, Screen::Desk).await;
        hers.sign_in_as(&dana).await;
        hers.open("/dashboard").await;
        hers.reads("No sessions yet").await;
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(&server.admin().await).await;
        phone.open("/admin/users").await;
        phone.fill("q", "DANA").await;
        phone.press("Search").await;
        phone.reads("1 shown").await;
        assert!(!phone.scrolls_sideways().await, "the table is too wide");
        phone.picture("people-phone").await;
        phone.press("Dana Driver").await;
        phone.press("Suspend this account").await;
        phone.keys("#reason", "Three chargebacks.").await;
        phone.press("Suspend Dana Driver and mail the reason").await;
        phone.reads("Suspended since").await;
        phone.picture("person-phone").await;
        hers.open("/dashboard").await;
        steps::sign_in(&hers, &dana.email, tests::people::PASSWORD).await;
        hers.reads("This account is suspended.").await;
        phone.press("Open the account again").await;
        phone.reads("Suspend this account").await;
        steps::sign_in(&hers, &dana.email, tests::people::PASSWORD).await;
        hers.arrives_at("/dashboard").await;
        hers.close().await;
        phone.close().await;
    });
}
