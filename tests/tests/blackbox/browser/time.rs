//! The paid time as both sides see it: the same figures whatever their clocks say, the warning, and its end.

use tests::browser::{Browser, Screen, in_browser};
use tests::money::GOOD_CARD;
use tests::{Backend, until};

/// Sets the clock of the page wrong by an hour, and has the room made anew from the page.
const AN_HOUR_AHEAD: &str = "
    const real = Date.now.bind(Date);
    Date.now = () => real() + 3600_000;
    const room = document.querySelector('chat-room');
    room.replaceWith(room.cloneNode(true));";
/// Sets the clock of the page wrong while the room runs.
const AN_HOUR_BACK: &str = "
    const real = Date.now.bind(Date);
    Date.now = () => real() - 3600_000;";
const LEFT: &str = "return document.querySelector('[data-left]').textContent;";
const SAID: &str = "return document.querySelector('[data-time-said]').textContent;";

/// The seconds that the page says are left.
async fn left(browser: &Browser) -> Option<i64> {
    let shown = browser.script(LEFT).await;
    let parts: Option<Vec<i64>> = shown.as_str()?.split(':').map(|part| part.parse().ok()).collect();
    Some(parts?.into_iter().fold(0, |sum, part| sum * 60 + part))
}

async fn agree(browsers: [&Browser; 2], seconds: std::ops::RangeInclusive<i64>) {
    until("both sides to show the same time", async || {
        let (one, other) = (left(browsers[0]).await?, left(browsers[1]).await?);
        (seconds.contains(&one) && seconds.contains(&other) && (one - other).abs() <= 2).then_some(())
    })
    .await;
}

#[test]
fn both_sides_see_the_same_time_whatever_their_clocks_say_and_are_told_of_its_end_without_reloading() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = server.meeting().await;
        let phone = driver.open(server, Screen::Phone).await;
        let desk = driver.open(server, Screen::Desk).await;
        phone.sign_in_as(&meeting.customer).await;
        desk.sign_in_as(&meeting.mechanic).await;
        for browser in [&phone, &desk] {
            browser.open(&format!("/chat/{}", meeting.session)).await;
        }
        agree([&phone, &desk], 400..=600).await;
        phone.script(AN_HOUR_AHEAD).await;
        agree([&phone, &desk], 400..=600).await;
        desk.script(AN_HOUR_BACK).await;
        agree([&phone, &desk], 400..=600).await;
        assert_eq!(phone.count("[data-time-notice]:not([hidden])").await, 0, "there is time enough");

        server.advance_clock(500).await;
        for browser in [&phone, &desk] {
            browser.reads("minutes left, until").await;
            browser.reads("The paid time is nearly over.").await;
        }
        agree([&phone, &desk], 1..=110).await;
        assert!(phone.script(SAID).await.as_str().is_some_and(|said| said.contains("minutes left")));
        phone.picture("time-low-phone").await;
        desk.picture("time-low-desk").await;
        assert!(!phone.scrolls_sideways().await, "the warning is too wide");

        server.advance_clock(120).await;
        for browser in [&phone, &desk] {
            browser.reads("The paid time is over.").await;
            browser.reads("The paid time was used up. The session ended.").await;
            assert_eq!(browser.script(SAID).await, "The paid time is over.");
            assert_eq!(browser.count("[data-composer]:not([hidden])").await, 0, "nobody writes any more");
            assert_eq!(browser.count("[data-time-notice]:not([hidden])").await, 0);
        }
        phone.picture("time-over-phone").await;
        phone.reads("Summary, receipt and what comes next").await;
        desk.reads("Write the summary").await;
        phone.close().await;
        desk.close().await;
    });
}

#[test]
fn from_an_hour_on_the_hours_are_shown() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = server.meeting().await;
        server.database().execute("UPDATE sessions SET allowance_minutes = 65").expect("changed");
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(&meeting.customer).await;
        phone.open(&format!("/chat/{}", meeting.session)).await;
        until("the hours to be shown", async || {
            phone.script(LEFT).await.as_str().is_some_and(|text| text.starts_with("1:0")).then_some(())
        })
        .await;
        phone.picture("time-hours-phone").await;
        phone.close().await;
    });
}

#[test]
fn more_time_is_bought_with_one_tap_and_both_see_it() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = dana.session_with_card("chat10", GOOD_CARD).await;
        max.accept(&session).await;
        max.step(&session, "start").await.expect_status(200);
        let (desk, phone) =
            (driver.open(server, Screen::Desk).await, driver.open(server, Screen::Phone).await);
        desk.sign_in_as(&dana).await;
        phone.sign_in_as(&max).await;
        for browser in [&desk, &phone] {
            browser.open(&format!("/chat/{session}")).await;
        }
        desk.press("Add 10 minutes, $9.99").await;
        desk.reads("Add 10 minutes?").await;
        desk.picture("extension-desk").await;
        desk.press("Pay $9.99 and add 10 minutes").await;
        for browser in [&desk, &phone] {
            until("ten minutes more", async || left(browser).await.filter(|seconds| *seconds > 18 * 60))
                .await;
        }
        // The details beside the room tell it too, without a reload.
        desk.reads("Quick Chat, 20 minutes").await;
        desk.reads("$19.98").await;
        assert_eq!(dana.session(&session).await["extension_price_cents"], 999);
        desk.close().await;
        phone.close().await;
    });
}
