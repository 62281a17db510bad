//! One session as a bad day has it: a chat, the switch to video, a page that is loaded again, a network that goes away and
//! comes back, and the end.

use tests::browser::{Browser, in_browser};
use tests::{Backend, until};

use super::call::{OWN, Pair, close, sees, state};
use super::steps::say;
use super::upgrade::{chat, they_enable_their_cameras, they_open_the_chat, they_upgrade};

/// Keeps every socket and every connection of a page.
const KEEP_LINES: &str = "
    window.sockets = [];
    window.connections = [];
    window.WebSocket = class extends WebSocket {
        constructor(...how) { super(...how); window.sockets.push(this); }
    };
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...how) { super(...how); window.connections.push(this); }
    };";

#[test]
fn a_chat_becomes_video_outlives_a_reload_and_a_cut_and_ends_for_both() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let pair = chat(server, driver).await;
        let Pair { phone, desk, .. } = &pair;
        for browser in [phone, desk] {
            browser.before_each_page(KEEP_LINES).await;
        }
        they_open_the_chat(&pair).await;
        say(phone, "It grinds when I brake.").await;
        desk.reads("It grinds when I brake.").await;

        they_upgrade(&pair).await;
        they_enable_their_cameras(&pair).await;
        assert!(phone.has_stayed().await && desk.has_stayed().await, "the chat's page shows the video");

        phone.reload().await;
        sees(phone, "who loaded the page again").await;
        sees(desk, "who stayed").await;
        phone.reads("It grinds when I brake.").await;

        the_network_goes(phone, desk).await;
        the_network_comes_back(phone, desk).await;
        they_end(&pair).await;
        close(pair).await;
    });
}

async fn the_network_goes(phone: &Browser, desk: &Browser) {
    phone.set_offline(true).await;
    // Chromium cuts only what begins after that.
    phone.script("for (const one of [...sockets, ...connections]) one.close();").await;
    phone.reads("Connection lost.").await;
    desk.reads("The connection to Dana Driver broke. Reconnecting.").await;
    say(phone, "Written in a tunnel.").await;
    phone.reads("kept here, sends by itself").await;
    let tried = phone.script("return sockets.length;").await;
    until("the phone to try again", async || {
        (phone.script("return sockets.length;").await.as_u64() > tried.as_u64()).then_some(())
    })
    .await;
    let open = "return sockets.filter((one) => one.readyState === 1).length;";
    assert_eq!(phone.script(open).await, 0, "there is no network");
    phone.picture("journey-cut-phone").await;
    desk.picture("journey-cut-desk").await;
}

async fn the_network_comes_back(phone: &Browser, desk: &Browser) {
    phone.set_offline(false).await;
    phone.reads("Connected again.").await;
    phone.reads_no_more("Connection lost.").await;
    desk.reads("Written in a tunnel.").await;
    for (browser, who) in [(phone, "who was away, again,"), (desk, "who was not, again,")] {
        let way = "return connections.at(-1).connectionState;";
        until("a new way", async || (browser.script(way).await == "connected").then_some(())).await;
        state(browser, "live").await;
        sees(browser, who).await;
    }
}

async fn they_end(pair: &Pair) {
    let Pair { meeting, phone, desk } = pair;
    desk.click("header [data-open=\"end\"]").await;
    desk.click("dialog[open] [data-action=\"end\"]").await;
    for browser in [phone, desk] {
        browser.reads("This session has ended.").await;
        browser.reads("Camera and microphone are off.").await;
        browser.reads("Session over").await;
        assert_eq!(browser.script(OWN).await, 0, "nothing is on after the end");
    }
    phone.press("Summary, receipt and what comes next").await;
    phone.arrives_at(&format!("/sessions/{}/complete", meeting.session)).await;
    phone.reads("The summary is on its way").await;
    desk.press("Write the summary").await;
    desk.arrives_at(&format!("/sessions/{}/summary", meeting.session)).await;
}
