//! What people do, in a real browser: the driver on a phone, the mechanic and the admin at a desk.

mod accessible;
mod account;
mod account_parts;
mod admin;
mod applying;
mod call;
mod check;
mod controls;
mod files;
mod free;
mod journey;
mod keys;
mod mails;
mod money;
mod scenes;
mod steady;
mod steps;
mod summary;
mod time;
mod upgrade;
mod video;
mod watch;

use serde_json::json;
use tests::browser::{Browser, Driver, Screen, in_browser};
use tests::people::DEMO_PASSWORD;
use tests::{Backend, TestServer, until};

use steps::{pay, say};

/// The first path of the product, with the mistakes that people make: a card that is declined, the back button, a second
/// tab, a connection that goes away.
async fn a_driver_pays_and_a_mechanic_answers(server: &mut TestServer, driver: &Driver) {
    let phone = driver.open(server, Screen::Phone).await;
    let desk = driver.open(server, Screen::Desk).await;
    mechanic_goes_on_duty(&desk).await;
    driver_pays(&phone).await;
    let chat = phone.path().await;
    mechanic_accepts(&desk).await;
    they_talk(&phone, &desk).await;
    a_second_tab_shows_the_same(&phone, &desk, &chat).await;
    the_connection_goes_and_comes_back(server, &phone, &desk).await;
    they_part(&phone, &desk).await;
    phone.close().await;
    desk.close().await;
}

#[test]
fn a_driver_pays_and_a_mechanic_answers_on_sqlite() {
    in_browser(Backend::Sqlite, &[], a_driver_pays_and_a_mechanic_answers);
}

#[test]
fn a_driver_pays_and_a_mechanic_answers_on_postgres() {
    in_browser(Backend::Postgres, &[], a_driver_pays_and_a_mechanic_answers);
}

async fn mechanic_goes_on_duty(desk: &Browser) {
    desk.open("/mechanic").await;
    steps::sign_in(desk, "mechanic@example.com", DEMO_PASSWORD).await;
    desk.arrives_at("/mechanic").await;
    if desk.script("return document.querySelector('duty-switch input').checked;").await == false {
        desk.click("duty-switch .switch").await;
    }
    desk.reads("No requests yet").await;
    desk.picture("mechanic-empty").await;
}

async fn driver_pays(phone: &Browser) {
    phone.open("/").await;
    phone.reads("9.99").await;
    phone.picture("landing-phone").await;
    assert!(!phone.scrolls_sideways().await, "the landing page is too wide");
    phone.open("/intake?plan=chat10").await;
    phone.arrives_at("/start").await;
    phone.press("Create account").await;
    steps::register(phone, "Dana Driver", "dana@example.com").await;
    steps::describe_the_car(phone).await;
    phone.picture_of_top("intake-phone").await;
    phone.press("Continue to payment").await;
    pay(phone, "4000 0000 0000 0002", "$9.99").await;
    phone.reads("declined").await;
    phone.picture("payment-declined-phone").await;
    phone.back().await;
    pay(phone, "4242 4242 4242 4242", "$9.99").await;
    phone.arrives_at("/chat/").await;
    phone.reads("Waiting for a mechanic to join").await;
    phone.picture("chat-waiting-phone").await;
    assert!(!phone.scrolls_sideways().await, "the chat is too wide");
}

async fn mechanic_accepts(desk: &Browser) {
    // Nobody reloads: the request arrives by itself.
    desk.reads("grinding noise").await;
    desk.picture("mechanic-request").await;
    desk.press("Accept").await;
    desk.arrives_at("/chat/").await;
    desk.press("Start the session").await;
}

async fn they_talk(phone: &Browser, desk: &Browser) {
    phone.reads("1 mechanic connected").await;
    say(phone, "It grinds when I brake.").await;
    desk.reads("It grinds when I brake.").await;
    say(desk, "Since when, and does the wheel get hot?").await;
    phone.reads("Since when, and does the wheel get hot?").await;
    phone.picture("chat-phone").await;
    desk.picture("chat-desk").await;
}

async fn a_second_tab_shows_the_same(phone: &Browser, desk: &Browser, chat: &str) {
    let first = phone.second_tab(chat).await;
    phone.reads("It grinds when I brake.").await;
    say(desk, "Can you see this in both tabs?").await;
    phone.reads("Can you see this in both tabs?").await;
    phone.show_tab(first).await;
    phone.reads("Can you see this in both tabs?").await;
}

async fn the_connection_goes_and_comes_back(server: &mut TestServer, phone: &Browser, desk: &Browser) {
    server.kill9();
    phone.reads("Connection lost.").await;
    say(phone, "Written in a tunnel.").await;
    phone.reads("kept here, sends by itself").await;
    phone.picture("chat-offline-phone").await;
    // On PostgreSQL another node might hold the jobs of the dead one until their leases end.
    server.recover().await;
    desk.reads("Written in a tunnel.").await;
    say(desk, "I am back.").await;
    phone.reads("I am back.").await;
    phone.reload().await;
    phone.reads("I am back.").await;
    for text in ["I am back.", "Written in a tunnel."] {
        let script = format!("return document.body.innerText.split('{text}').length - 1;");
        assert_eq!(phone.script(&script).await, 1, "{text} is shown once");
    }
}

async fn they_part(phone: &Browser, desk: &Browser) {
    desk.click("header [data-open=\"end\"]").await;
    desk.click("dialog[open] [data-action=\"end\"]").await;
    desk.reads("This session has ended.").await;
    phone.reads("This session has ended.").await;
    phone.reads("Session over").await;
    phone.picture("chat-ended-phone").await;
    phone.open("/dashboard").await;
    phone.picture("dashboard-phone").await;
    assert!(!phone.scrolls_sideways().await, "the dashboard is too wide");
}

/// As an operator, or a program of theirs, may do it: no line of the log tells of it.
#[test]
fn a_mechanic_who_was_put_into_the_database_is_seen_once_they_are_connected() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = dana.paid_session("chat10").await;
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(&dana).await;
        phone.open(&format!("/chat/{session}")).await;
        phone.reads("Waiting for a mechanic to join").await;
        let bytes = |id: &str| format!("x'{}'", id.replace('-', ""));
        let row = format!("session_id = {} AND user_id = {}", bytes(&session), bytes(&max.id));
        let added = format!(
            "INSERT INTO session_participants (session_id, user_id, role) VALUES ({}, {}, 'mechanic')",
            bytes(&session),
            bytes(&max.id)
        );
        assert_eq!(server.database().execute(&added), Ok(()));
        let mut socket = max.socket(server).await;
        socket.join(&format!("session:{session}"), 0).await;
        phone.reads("1 mechanic connected").await;
        phone.reads("Max Mechanic").await;
        let typing = async |shown: bool| {
            let script = "return !document.querySelector('[data-typing]').hidden;";
            until("the sign of typing", async || (phone.script(script).await == shown).then_some(())).await;
        };
        socket.send(json!({ "type": "typing", "channel": format!("session:{session}") })).await;
        typing(true).await;
        // Nobody says that they have stopped.
        typing(false).await;
        drop(socket);
        phone.close().await;
        // The doctor would tell of somebody who took part without a line.
        assert_eq!(
            server.database().execute(&format!("DELETE FROM session_participants WHERE {row}")),
            Ok(())
        );
    });
}
