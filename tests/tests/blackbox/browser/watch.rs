//! What a mechanic sees who should have begun, and what an admin sees of what needs a person.

use tests::browser::{Browser, Screen, in_browser};
use tests::server::CRON_SECRET;
use tests::{Backend, TestServer, until};

use crate::blackbox::phones::confirm_phone;

#[test]
fn a_mechanic_who_should_have_begun_is_asked_on_whatever_page_is_open() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let session = dana.paid_session("chat10").await;
        max.accept(&session).await;
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(&max).await;
        phone.open("/mechanic").await;
        phone.reads("My sessions").await;
        joins_own_channel(&phone).await;
        server.advance_clock(185).await;
        phone.reads("Dana Driver is waiting for you.").await;
        assert!(!phone.scrolls_sideways().await, "the notice is too wide");
        phone.picture_of_top("mechanic-nudged-phone").await;
        until("what was shown to be acknowledged", async || {
            (server.database().count("personal_notices", "acknowledged_at IS NOT NULL") == 1).then_some(())
        })
        .await;
        phone.click("[data-notice] a").await;
        phone.arrives_at(&format!("/chat/{session}")).await;
        until("the room to be joined", async || {
            (server.database().count("session_participants", "seen_at IS NOT NULL") == 1).then_some(())
        })
        .await;
        phone.close().await;

        // In the room itself there is nowhere to go, and the button is there.
        let other = dana.paid_session("chat10").await;
        max.accept(&other).await;
        let desk = driver.open(server, Screen::Desk).await;
        desk.sign_in_as(&max).await;
        desk.open(&format!("/chat/{other}")).await;
        desk.reads("Start the session").await;
        until("the room to be joined", async || {
            (server.database().count("session_participants", "seen_at IS NOT NULL") == 2).then_some(())
        })
        .await;
        server.advance_clock(185).await;
        desk.reads("Dana Driver is waiting for you.").await;
        assert_eq!(desk.count("[data-notice] a").await, 0);
        desk.picture_of_top("chat-nudged-desk").await;
        desk.press("Start the session").await;
        desk.reads_no_more("Dana Driver is waiting for you.").await;
        desk.close().await;
    });
}

#[test]
fn a_tab_that_nobody_sees_acknowledges_nothing_and_the_text_message_follows() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        confirm_phone(server, &max, "+15550100199").await;
        let session = dana.paid_session("chat10").await;
        max.accept(&session).await;
        let desk = driver.open(server, Screen::Desk).await;
        desk.sign_in_as(&max).await;
        desk.open("/mechanic").await;
        desk.reads("My sessions").await;
        joins_own_channel(&desk).await;
        desk.script(HIDE).await;
        server.advance_clock(185).await;
        // A part of the page that reads itself again does so a moment after the frame, and acknowledges then.
        let heard = "return window.heard > 0 && performance.now() - window.heard > 1500;";
        until("the tab to have heard of it", async || (desk.script(heard).await == true).then_some(())).await;
        assert_eq!(server.database().count("personal_notices", "1 = 1"), 1);
        assert_eq!(server.database().count("personal_notices", "acknowledged_at IS NOT NULL"), 0);
        assert_eq!(desk.count("[data-notice]").await, 0);
        server.advance_clock(21).await;
        server.message_to("+15550100199", "start_nudge").await;
        assert_eq!(server.database().count("personal_notices", "acknowledged_at IS NOT NULL"), 0);

        desk.script(SHOW).await;
        desk.reads("Dana Driver is waiting for you.").await;
        until("what was shown to be acknowledged", async || {
            (server.database().count("personal_notices", "acknowledged_at IS NOT NULL") == 1).then_some(())
        })
        .await;
        desk.close().await;
    });
}

/// Hides the tab, and notes when the frame is heard all the same.
const HIDE: &str = "
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
    window.heard = 0;
    const parse = JSON.parse;
    JSON.parse = (text, ...rest) => {
      if (String(text).includes('\"start_nudge\"')) window.heard ||= performance.now();
      return parse(text, ...rest);
    };";
const SHOW: &str = "
    Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true });
    Object.defineProperty(document, 'hidden', { value: false, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));";

/// Waits until the page has joined the mechanic's channel: the queue is read then.
async fn joins_own_channel(browser: &Browser) {
    let read =
        "return performance.getEntriesByType('resource').some((one) => one.name.includes('/api/requests'));";
    until("the channel to be joined", async || (browser.script(read).await == true).then_some(())).await;
}

#[test]
fn an_admin_sees_what_needs_attention_and_marks_it_as_seen_at_a_desk_and_on_a_phone() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let admin = server.admin().await;
        let desk = driver.open(server, Screen::Desk).await;
        let phone = driver.open(server, Screen::Phone).await;
        for browser in [&desk, &phone] {
            browser.sign_in_as(&admin).await;
            browser.open("/admin").await;
            browser.reads("Nothing waits for you.").await;
            browser.stays().await;
        }
        trouble(server).await;
        for (browser, size) in [(&desk, "desk"), (&phone, "phone")] {
            browser.reads("A payment is disputed").await;
            browser.reads("The customer is away from a live session").await;
            browser.reads("The mechanic is away from a live session").await;
            assert!(browser.has_stayed().await, "nobody reloads");
            assert!(!browser.scrolls_sideways().await, "the board is too wide");
            browser.picture_of_top(&format!("admin-attention-{size}")).await;
        }
        desk.press("Mark as seen: A payment is disputed").await;
        for browser in [&desk, &phone] {
            browser.reads_no_more("A payment is disputed").await;
        }
        desk.press("Open the session").await;
        desk.arrives_at("/chat/").await;
        desk.close().await;
        phone.close().await;
    });
}

/// A dispute, and a session that both have left.
async fn trouble(server: &TestServer) {
    server.disputed_chat().await;
    server.meeting().await;
    server.advance_clock(150).await;
    let timer = server.guest().with_token(CRON_SECRET);
    timer.post_nothing("/api/cron/monitor-sessions").await.expect_status(200);
}
