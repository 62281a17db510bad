//! What many of the paths begin with.

use tests::browser::{Browser, keyboard};
use tests::people::PASSWORD;

/// Signs in on the page for it, which must be the one that is shown.
pub async fn sign_in(browser: &Browser, email: &str, password: &str) {
    browser.arrives_at("/start").await;
    browser.fill("email", email).await;
    browser.fill("password", password).await;
    browser.click("form button.button-primary").await;
}

/// Registers on the page for it, which must be the one that is shown.
pub async fn register(browser: &Browser, name: &str, email: &str) {
    browser.reads("Create your account").await;
    browser.fill("name", name).await;
    browser.fill("email", email).await;
    browser.fill("password", PASSWORD).await;
    browser.click("form button.button-primary").await;
}

/// Fills in the intake and accepts the waiver.
pub async fn describe_the_car(browser: &Browser) {
    browser.arrives_at("/intake").await;
    browser.fill("year", "2016").await;
    browser.fill("make", "Honda").await;
    browser.fill("model", "Civic").await;
    browser.fill("concern", "A grinding noise from the front left when braking.").await;
    browser.click("[name=\"accept_waiver\"]").await;
}

/// Types a card into the payment page and pays.
pub async fn pay(browser: &Browser, card: &str, price: &str) {
    browser.arrives_at("/sandbox/checkout/").await;
    browser.fill("card_number", card).await;
    browser.fill("exp", "12/34").await;
    browser.fill("cvc", "123").await;
    browser.press(&format!("Pay {price}")).await;
}

/// Says something in the chat, as most people do: with Enter.
pub async fn say(browser: &Browser, text: &str) {
    browser.keys("textarea", &format!("{text}{}", keyboard::ENTER)).await;
}
