//! Two people at once in a real browser: the driver on a phone, the mechanic at a desk.

use tests::browser::{Browser, Driver, Screen};
use tests::people::{DEMO_PASSWORD, PASSWORD};
use tests::server::run_with;
use tests::{Backend, TestServer};

/// The first path of the product, with the mistakes that people make: a card that is declined, the back button, a second
/// tab, a connection that goes away.
#[test]
fn a_driver_pays_and_a_mechanic_answers() {
    if !Driver::is_available() {
        eprintln!("skipped: no chromedriver; `cargo xtask test` finds or installs it");
        return;
    }
    run_with(Backend::Sqlite, &[], async |server| {
        let driver = Driver::start().await;
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
    });
}

async fn mechanic_goes_on_duty(desk: &Browser) {
    desk.open("/mechanic").await;
    desk.arrives_at("/start").await;
    desk.fill("email", "mechanic@example.com").await;
    desk.fill("password", DEMO_PASSWORD).await;
    desk.picture("start-desk").await;
    desk.click("form button.button-primary").await;
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
    phone.reads("Create your account").await;
    phone.fill("name", "Dana Driver").await;
    phone.fill("email", "dana@example.com").await;
    phone.fill("password", PASSWORD).await;
    phone.picture_of_top("register-phone").await;
    phone.click("form button.button-primary").await;
    phone.arrives_at("/intake").await;
    phone.fill("year", "2016").await;
    phone.fill("make", "Honda").await;
    phone.fill("model", "Civic").await;
    phone.fill("concern", "A grinding noise from the front left when braking.").await;
    phone.click("[name=\"accept_waiver\"]").await;
    phone.picture_of_top("intake-phone").await;
    phone.press("Continue to payment").await;
    phone.arrives_at("/sandbox/checkout/").await;
    pay(phone, "4000 0000 0000 0002").await;
    phone.reads("declined").await;
    phone.picture("payment-declined-phone").await;
    phone.back().await;
    phone.arrives_at("/sandbox/checkout/").await;
    pay(phone, "4242 4242 4242 4242").await;
    phone.arrives_at("/chat/").await;
    phone.reads("Waiting for a mechanic to join").await;
    phone.picture("chat-waiting-phone").await;
    assert!(!phone.scrolls_sideways().await, "the chat is too wide");
}

async fn pay(phone: &Browser, card: &str) {
    phone.fill("card_number", card).await;
    phone.fill("exp", "12/34").await;
    phone.fill("cvc", "123").await;
    phone.press("Pay $9.99").await;
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

async fn say(browser: &Browser, text: &str) {
    browser.keys("textarea", text).await;
    browser.keys("textarea", "\u{e007}").await;
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
    server.start().await;
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
    phone.picture("chat-ended-phone").await;
    phone.open("/dashboard").await;
    phone.picture("dashboard-phone").await;
    assert!(!phone.scrolls_sideways().await, "the dashboard is too wide");
}
