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
const OWN: &str = "
    const video = document.querySelector('[data-self] video');
    return video && video.srcObject ? video.srcObject.getVideoTracks().filter((one) => one.readyState === 'live').length : 0;";

/// Opens the room and joins.
async fn joins(browser: &Browser, session: &str) {
    browser.open(&format!("/sessions/{session}/room")).await;
    browser.press("Join with camera").await;
}

/// Waits until the other side moves.
async fn sees(browser: &Browser, who: &str) {
    let first = until(&format!("{who} to see the other side"), async || {
        browser.script(FRAMES).await.as_u64().filter(|frames| *frames > 0)
    })
    .await;
    until(&format!("the picture that {who} sees to move"), async || {
        browser.script(FRAMES).await.as_u64().filter(|frames| *frames > first + 3)
    })
    .await;
}

async fn state(browser: &Browser, state: &str) {
    let script = "return document.querySelector('video-room').getAttribute('state');";
    until(&format!("the call to be {state}"), async || (browser.script(script).await == state).then_some(()))
        .await;
}

async fn presses(browser: &Browser, what: &str) {
    browser.element(&format!("[data-do={what}]")).await;
    browser.script(&format!("document.querySelector('[data-do={what}]').click();")).await;
}

/// Two people in one call.
struct Pair {
    meeting: Meeting,
    phone: Browser,
    desk: Browser,
}

async fn pair(server: &TestServer, driver: &Driver) -> Pair {
    let meeting = accepted_video(server).await;
    let phone = driver.open_with_camera(server, Screen::Phone).await;
    let desk = driver.open_with_camera(server, Screen::Desk).await;
    phone.sign_in_as(&meeting.customer).await;
    desk.sign_in_as(&meeting.mechanic).await;
    Pair { meeting, phone, desk }
}

async fn they_meet(pair: &Pair) {
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

async fn close(pair: Pair) {
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
        desk.reads("Join with camera").await;
        let joined = Instant::now();
        desk.press("Join with camera").await;
        state(desk, "live").await;
        let took = joined.elapsed();
        eprintln!("the two were connected after {} ms", took.as_millis());
        assert!(took < Duration::from_secs(5), "{took:?}");
        sees(phone, "the customer").await;
        sees(desk, "the mechanic").await;

        // Either side loads its page again, and is back without a word.
        for (one, other) in [(phone, desk), (desk, phone)] {
            one.reload().await;
            sees(one, "who loaded the page again").await;
            sees(other, "who stayed").await;
        }

        let first = phone.second_tab(&format!("/chat/{}", meeting.session)).await;
        phone.press("Join with camera").await;
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
