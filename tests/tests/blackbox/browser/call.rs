//! Two people see each other: two browsers with cameras that work, and nothing between them but the server.

use std::time::{Duration, Instant};

use tests::browser::{Browser, Driver, Screen, in_browser};
use tests::{Backend, Meeting, TestServer, until};

use crate::blackbox::signal::accepted_video;

/// How many frames of the other side have been shown.
const FRAMES: &str = "
    const video = document.querySelector('[data-remote]');
    const seen = video && video.videoWidth > 0 && video.offsetParent !== null && getComputedStyle(video).visibility === 'visible';
    return seen ? video.getVideoPlaybackQuality().totalVideoFrames : 0;";
/// How many tracks of one's own devices are running.
pub(super) const OWN: &str = "
    const video = document.querySelector('[data-self] video');
    return video && video.srcObject ? video.srcObject.getVideoTracks().filter((one) => one.readyState === 'live').length : 0;";

/// Opens the room, looks at the check and joins.
async fn joins(browser: &Browser, session: &str) {
    browser.open(&format!("/sessions/{session}/room")).await;
    checks(browser).await;
    joins_from_the_check(browser).await;
}

/// Looks at what the camera sees, as everybody does who booked video.
pub(super) async fn checks(browser: &Browser) {
    browser.press("Check camera, then join").await;
    browser.reads("Both work.").await;
}

pub(super) async fn joins_from_the_check(browser: &Browser) {
    browser.click("[data-dialog=check] [data-do=enter]").await;
}

/// Waits until the other side moves.
pub(super) async fn sees(browser: &Browser, who: &str) {
    let first = until(&format!("{who} to see the other side"), async || {
        browser.script(FRAMES).await.as_u64().filter(|frames| *frames > 0)
    })
    .await;
    until(&format!("the picture that {who} sees to move"), async || {
        browser.script(FRAMES).await.as_u64().filter(|frames| *frames > first + 3)
    })
    .await;
}

pub(super) async fn state(browser: &Browser, state: &str) {
    let script = "return document.querySelector('video-room').getAttribute('state');";
    until(&format!("the call to be {state}"), async || (browser.script(script).await == state).then_some(()))
        .await;
}

pub(super) async fn presses(browser: &Browser, what: &str) {
    browser.element(&format!("[data-do={what}]")).await;
    browser.script(&format!("document.querySelector('[data-do={what}]').click();")).await;
}

/// Two people in one call.
pub(super) struct Pair {
    pub(super) meeting: Meeting,
    pub(super) phone: Browser,
    pub(super) desk: Browser,
}

pub(super) async fn pair(server: &TestServer, driver: &Driver) -> Pair {
    in_two_browsers(server, driver, accepted_video(server).await).await
}

/// The customer at a phone and the mechanic at a desk, both with cameras.
pub(super) async fn in_two_browsers(server: &TestServer, driver: &Driver, meeting: Meeting) -> Pair {
    let phone = driver.open_with_camera(server, Screen::Phone).await;
    let desk = driver.open_with_camera(server, Screen::Desk).await;
    phone.sign_in_as(&meeting.customer).await;
    desk.sign_in_as(&meeting.mechanic).await;
    Pair { meeting, phone, desk }
}

pub(super) async fn they_meet(pair: &Pair) {
    joins(&pair.phone, &pair.meeting.session).await;
    pair.phone.reads("Waiting for Max Mechanic to join the video.").await;
    joins(&pair.desk, &pair.meeting.session).await;
    sees(&pair.phone, "the customer").await;
    sees(&pair.desk, "the mechanic").await;
}

async fn two_meet_mute_and_part(server: &mut TestServer, driver: &Driver) {
    let pair = pair(server, driver).await;
    let Pair { meeting, phone, desk } = &pair;
    they_meet(&pair).await;
    assert!(!phone.scrolls_sideways().await, "the room is too wide");
    phone.reads("Good connection").await;
    phone.picture("room-video-phone").await;
    desk.picture("room-video-desk").await;

    presses(phone, "microphone").await;
    desk.reads("Microphone off").await;
    presses(phone, "microphone").await;
    desk.reads_no_more("Microphone off").await;
    presses(phone, "camera").await;
    desk.reads("Dana Driver has the camera off.").await;
    assert_eq!(phone.script(OWN).await, 0, "the camera is let go of");
    presses(phone, "camera").await;
    desk.reads_no_more("has the camera off.").await;
    sees(desk, "the mechanic, again,").await;

    desk.press("Start the session").await;
    presses(desk, "leave").await;
    desk.reads("You left the video.").await;
    phone.reads("Waiting for Max Mechanic to join the video.").await;
    assert_eq!(desk.script(OWN).await, 0);
    desk.press("Join again").await;
    sees(phone, "the customer, again,").await;
    meeting.mechanic.step(&meeting.session, "end").await.expect_status(200);
    for browser in [phone, desk] {
        browser.reads("Camera and microphone are off.").await;
        assert_eq!(browser.script(OWN).await, 0, "nothing is on after the end");
    }
    close(pair).await;
}

#[test]
fn two_meet_mute_and_part_on_sqlite() {
    in_browser(Backend::Sqlite, &[], two_meet_mute_and_part);
}

#[test]
fn two_meet_mute_and_part_on_postgres() {
    in_browser(Backend::Postgres, &[], two_meet_mute_and_part);
}

pub(super) async fn close(pair: Pair) {
    pair.phone.close().await;
    pair.desk.close().await;
}

#[test]
fn a_call_is_there_within_seconds_and_survives_a_reload_and_a_second_tab() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let pair = pair(server, driver).await;
        let Pair { meeting, phone, desk } = &pair;
        joins(phone, &meeting.session).await;
        state(phone, "waiting").await;
        desk.open(&format!("/sessions/{}/room", meeting.session)).await;
        checks(desk).await;
        let joined = Instant::now();
        joins_from_the_check(desk).await;
        state(desk, "live").await;
        let took = joined.elapsed();
        eprintln!("the two were connected after {} ms", took.as_millis());
        // A second or two on an idle machine; tests share theirs.
        assert!(took < Duration::from_secs(15), "{took:?}");
        sees(phone, "the customer").await;
        sees(desk, "the mechanic").await;

        // Either side loads its page again, and is back without a word.
        for (one, other) in [(phone, desk), (desk, phone)] {
            one.reload().await;
            sees(one, "who loaded the page again").await;
            sees(other, "who stayed").await;
        }

        let first = phone.second_tab(&format!("/chat/{}", meeting.session)).await;
        checks(phone).await;
        joins_from_the_check(phone).await;
        sees(phone, "the second tab").await;
        let second = phone.current_tab().await;
        phone.show_tab(first).await;
        phone.reads("You are in this video in another tab or on another device.").await;
        assert_eq!(phone.script(OWN).await, 0, "the first tab has let go of the camera");
        sees(desk, "the mechanic").await;
        phone.press("Use this one").await;
        sees(phone, "the first tab").await;
        phone.show_tab(second).await;
        state(phone, "elsewhere").await;
        close(pair).await;
    });
}

/// Lets a test look at the connections that the page makes from now on.
const WATCHED: &str = "
    window.connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...how) { super(...how); window.connections.push(this); }
    };";
const WAY: &str = "
    const of = window.connections.at(-1);
    return [of.connectionState, /ice-ufrag:(\\S+)/.exec(of.localDescription?.sdp ?? '')?.[1] ?? ''].join(' ');";

#[test]
fn a_call_outlives_the_server_and_finds_a_new_way_when_the_old_one_breaks() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let pair = pair(server, driver).await;
        let Pair { meeting, phone, desk } = &pair;
        for browser in [phone, desk] {
            browser.open(&format!("/sessions/{}/room", meeting.session)).await;
            browser.script(WATCHED).await;
            checks(browser).await;
            joins_from_the_check(browser).await;
        }
        sees(phone, "the customer").await;
        sees(desk, "the mechanic").await;

        server.kill9();
        phone.reads("Connection lost.").await;
        sees(phone, "the customer, without a server,").await;
        server.recover().await;
        phone.reads_no_more("Connection lost.").await;
        desk.reads_no_more("Connection lost.").await;

        // The network changed: the two look for a way anew, and the picture goes on.
        let before = phone.script(WAY).await;
        phone.script("dispatchEvent(new Event('online'));").await;
        until("a new way", async || {
            let now = phone.script(WAY).await;
            (now != before && now.as_str().is_some_and(|way| way.starts_with("connected "))).then_some(())
        })
        .await;
        sees(phone, "the customer, on a new way,").await;
        sees(desk, "the mechanic, on a new way,").await;

        // The way is gone altogether, and one side doesn't even know. The other says so, if only for a moment.
        desk.script(
            "const told = () => document.body.innerText.includes('The connection to Dana Driver broke. Reconnecting.');
            new MutationObserver(() => { window.told ||= told(); })
                .observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });",
        )
        .await;
        phone.script("window.connections.at(-1).close();").await;
        until("the break to be said", async || {
            (desk.script("return window.told === true;").await == true).then_some(())
        })
        .await;
        sees(desk, "the mechanic, after the break,").await;
        sees(phone, "the customer, after the break,").await;
        let told = server.database().count("session_media", "disconnected_at IS NOT NULL");
        assert!(told >= 1, "the break was told to the server");
        close(pair).await;
    });
}

#[test]
fn a_still_is_marked_and_saved_among_the_messages() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let pair = pair(server, driver).await;
        let Pair { meeting, phone, desk } = &pair;
        they_meet(&pair).await;
        let open = "session_media";
        until("both sides to be told", async || {
            (server.database().count(open, "disconnected_at IS NULL") == 2).then_some(())
        })
        .await;
        presses(desk, "still").await;
        desk.reads("Frozen picture").await;
        desk.script(
            "const canvas = document.querySelector('canvas'), box = canvas.getBoundingClientRect();
            const at = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
                pointerId: 1, bubbles: true, clientX: box.left + box.width * x, clientY: box.top + box.height * y }));
            canvas.setPointerCapture = () => {};
            at('pointerdown', 0.3, 0.3); at('pointermove', 0.6, 0.4); at('pointermove', 0.5, 0.7); at('pointerup', 0.5, 0.7);",
        )
        .await;
        assert_eq!(desk.script("return document.querySelector('[data-still=undo]').disabled;").await, false);
        desk.picture("room-still-desk").await;
        desk.press("Save to the session").await;
        for browser in [phone, desk] {
            browser.element("[data-lines] img[alt^=\"still-\"]").await;
        }
        let events = meeting.customer.events(&meeting.session).await;
        let files: Vec<_> = events.iter().filter_map(|event| event["body"]["files"].get(0)).collect();
        assert_eq!(files.len(), 1, "{events:?}");
        assert_eq!(files[0]["content_type"], "image/jpeg");
        let file = files[0]["id"].as_str().expect("an id");
        meeting.customer.client.get(&format!("/api/files/{file}")).await.expect_status(303);
        sees(desk, "the mechanic, who went on,").await;

        // Sound alone, for a poor line, and back.
        presses(phone, "sound").await;
        phone.reads("Sound only").await;
        desk.reads("Dana Driver has the camera off.").await;
        presses(phone, "sound").await;
        sees(desk, "the mechanic, with pictures again,").await;
        close(pair).await;
    });
}
