//! A chat becomes video on the page that is open.

use tests::browser::{Browser, Driver, Screen, in_browser};
use tests::money::GOOD_CARD;
use tests::{Backend, Meeting, TestServer, until};

use super::call::{Pair, close, in_two_browsers, sees};

/// Two people in a chat that runs, and the customer's card is kept.
pub(super) async fn chat(server: &TestServer, driver: &Driver) -> Pair {
    let (customer, mechanic) = (server.customer().await, server.mechanic().await);
    let session = customer.session_with_card("chat10", GOOD_CARD).await;
    mechanic.accept(&session).await;
    mechanic.step(&session, "start").await.expect_status(200);
    in_two_browsers(server, driver, Meeting { customer, mechanic, session }).await
}

pub(super) async fn they_open_the_chat(pair: &Pair) {
    for browser in [&pair.phone, &pair.desk] {
        browser.open(&format!("/chat/{}", pair.meeting.session)).await;
        browser.stays().await;
    }
    pair.phone.reads("1 mechanic connected").await;
}

/// The mechanic suggests video, and the customer pays for it with one tap.
pub(super) async fn they_upgrade(pair: &Pair) {
    let Pair { phone, desk, .. } = pair;
    desk.press("Suggest video").await;
    phone.reads("Your mechanic suggests upgrading to video for better diagnosis.").await;
    phone.press("Upgrade to Video, $20.00 more").await;
    phone.reads("Total after upgrade").await;
    phone.reads("Visa ending in 4242 is charged.").await;
    phone.picture("upgrade-dialog-phone").await;
    phone.press("Pay $20.00 & Upgrade").await;
    phone.reads("Your session is a video call now. Please enable your camera.").await;
    desk.reads("Dana Driver upgraded to video call. Please enable your camera.").await;
}

/// One tap each, and no check stands in between.
pub(super) async fn they_enable_their_cameras(pair: &Pair) {
    for browser in [&pair.phone, &pair.desk] {
        browser.press("Enable Camera").await;
    }
    sees(&pair.phone, "the customer").await;
    sees(&pair.desk, "the mechanic").await;
}

/// Takes the picture in light and in dark.
async fn in_both_themes(browser: &Browser, name: &str) {
    browser.picture(&format!("{name}-light")).await;
    browser.set_dark(true).await;
    browser.picture(&format!("{name}-dark")).await;
    browser.set_dark(false).await;
}

#[test]
fn a_chat_is_upgraded_with_one_tap_and_asks_both_for_the_camera_without_loading_the_page_again() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let pair = chat(server, driver).await;
        let Pair { phone, desk, .. } = &pair;
        they_open_the_chat(&pair).await;
        for browser in [phone, desk] {
            browser
                .script("document.querySelector('video-room').hidden || document.body.append('too early');")
                .await;
        }
        they_upgrade(&pair).await;
        phone.picture("room-upgraded-phone").await;
        for browser in [phone, desk] {
            browser.reads_no_more("too early").await;
        }
        they_enable_their_cameras(&pair).await;
        // The details beside the call say what the session is now.
        for browser in [phone, desk] {
            let terms = "return document.getElementById('side-terms').textContent;";
            until("the details to follow", async || {
                let told = browser.script(terms).await;
                told.as_str()?.contains("Quick Chat, upgraded to video, 30 minutes").then_some(())
            })
            .await;
        }
        in_both_themes(phone, "room-upgraded-call-phone").await;
        in_both_themes(desk, "room-upgraded-call-desk").await;
        assert!(phone.has_stayed().await && desk.has_stayed().await, "nothing was loaded again");
        close(pair).await;
    });
}

/// Where the way out of the dialog leads.
async fn payment_page(phone: &Browser) -> String {
    phone.reads("One step is missing.").await;
    let link = phone.script("return document.querySelector('[data-recovery] [data-page]').href;").await;
    link.as_str().expect("an address").to_owned()
}

/// Closes the dialog and opens it again.
async fn thinks_again(phone: &Browser) {
    phone.click("[data-upgrade-dialog] .dialog-head [data-hide]").await;
    phone.press("Upgrade to Video").await;
    phone.reads("Pay $20.00 & Upgrade").await;
    phone.reads_no_more("One step is missing.").await;
}

#[test]
fn who_must_go_to_the_payment_page_gets_one_that_is_open_whenever_the_dialog_opens() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = server.meeting().await;
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(&meeting.customer).await;
        phone.open(&format!("/chat/{}", meeting.session)).await;
        phone.press("Upgrade to Video").await;
        phone.reads("You type your card on the payment page next.").await;
        phone.press("Pay $20.00 & Upgrade").await;
        let first = payment_page(&phone).await;
        thinks_again(&phone).await;
        phone.press("Pay $20.00 & Upgrade").await;
        assert_eq!(payment_page(&phone).await, first, "it is open still");

        let page = first.rsplit('/').next().expect("an id");
        let expire = format!("/v1/checkout/sessions/{page}/expire");
        server.provider().post_form(&expire, &[]).await.expect_status(200);
        thinks_again(&phone).await;
        phone.press("Pay $20.00 & Upgrade").await;
        let next = payment_page(&phone).await;
        assert_ne!(next, first, "the first is over");
        phone.press("Continue to the payment page, $20.00").await;
        phone.arrives_at("/sandbox/checkout/").await;
        assert!(next.ends_with(&phone.path().await), "{next}");
        phone.close().await;
    });
}
