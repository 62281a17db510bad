//! Who booked video looks at their own picture before they join.

use tests::browser::keyboard::ESCAPE;
use tests::browser::{Browser, in_browser};
use tests::{Backend, until};

use super::call::{OWN, Pair, checks, close, joins_from_the_check, pair, sees, state};

/// How wide the picture of the check is, while it moves.
const PREVIEW: &str = "
    const video = document.querySelector('device-check video');
    return video.offsetParent !== null && !video.paused ? video.videoWidth : 0;";
/// The main button of the pane.
const MAIN: &str = "
    const seen = [...document.querySelectorAll('.stage-word .button-primary')].filter((one) => one.offsetParent !== null);
    return seen.map((one) => one.textContent.trim()).join(', ');";
/// What is sent to the other side, by the names of the devices.
const SENT: &str = "
    const senders = window.connections.at(-1)?.getSenders() ?? [];
    return senders.map((one) => one.track?.label).sort().join(', ');";
const WATCHED: &str = "
    window.connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...how) { super(...how); window.connections.push(this); }
    };";
const REFUSE: &str =
    "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));";

/// Waits until the script answers this.
async fn becomes(browser: &Browser, script: &str, expected: &str) {
    until(expected, async || (browser.script(script).await == expected).then_some(())).await;
}

#[test]
fn a_direct_booking_starts_with_the_check_and_is_joined_with_what_was_chosen_there() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let pair = pair(server, driver).await;
        let Pair { meeting, phone, desk } = &pair;
        let room = format!("/sessions/{}/room", meeting.session);
        phone.open(&room).await;
        becomes(phone, MAIN, "Check camera, then join").await;
        phone.reads("Join without checking").await;
        phone.picture("room-unchecked-phone").await;
        checks(phone).await;
        until("the preview to run", async || phone.script(PREVIEW).await.as_u64().filter(|width| *width > 0))
            .await;
        until("the microphone to be heard", async || {
            let level = phone.script("return document.querySelector('meter').value;").await;
            level.as_f64().filter(|level| *level > 0.05)
        })
        .await;
        let inside = "return document.activeElement.closest('[data-dialog=check]') !== null;";
        assert_eq!(phone.script(inside).await, true, "the dialog has the focus");
        phone.picture("room-check-phone").await;

        // Closed, it lets go of the camera; who has looked need not look again.
        phone.press_key(ESCAPE).await;
        let released = "return document.querySelector('device-check video').srcObject === null;";
        until("the check to let go of the camera", async || {
            (phone.script(released).await == true).then_some(())
        })
        .await;
        becomes(phone, MAIN, "Join with camera").await;
        until("the focus to go on", async || (phone.focused().await == "Join with camera").then_some(()))
            .await;
        phone.reload().await;
        becomes(phone, MAIN, "Join with camera").await;

        phone.press("Check camera and microphone").await;
        phone.reads("Both work.").await;
        phone.element("[name=camera] option:nth-child(3)").await;
        phone.element("[name=microphone] option:nth-child(3)").await;
        phone.choose_labelled("microphone", "Fake Audio Input 2").await;
        phone.choose_labelled("camera", "fake_device_2").await;
        let shown =
            "return document.querySelector('device-check video').srcObject?.getVideoTracks()[0].label;";
        becomes(phone, shown, "fake_device_2").await;
        phone.script(WATCHED).await;
        joins_from_the_check(phone).await;
        state(phone, "waiting").await;

        desk.open(&room).await;
        desk.press("Join without checking").await;
        sees(desk, "the mechanic").await;
        sees(phone, "the customer").await;
        becomes(phone, SENT, "Fake Audio Input 2, fake_device_2").await;
        close(pair).await;
    });
}

#[test]
fn what_stands_in_the_way_of_a_camera_is_said_and_one_can_watch_all_the_same() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let pair = pair(server, driver).await;
        let Pair { meeting, phone, desk } = &pair;
        let room = format!("/sessions/{}/room", meeting.session);
        desk.open(&room).await;
        desk.script(REFUSE).await;
        desk.press("Check camera, then join").await;
        desk.reads("The browser blocks them.").await;
        desk.press("Check again").await;
        desk.reads("The browser blocks them.").await;
        joins_from_the_check(desk).await;
        desk.reads("The browser blocks the camera or the microphone.").await;
        desk.press("Join to watch and listen").await;
        phone.open(&room).await;
        checks(phone).await;
        phone.click("[data-dialog=check] [data-do=enter-sound]").await;
        state(phone, "live").await;
        assert_eq!(phone.script(OWN).await, 0, "sound only was wanted");
        phone.reads("Max Mechanic has the camera off.").await;
        phone.click("[data-do=camera]").await;
        sees(desk, "who only watches").await;
        desk.reload().await;
        sees(desk, "who only watches, again,").await;
        assert_eq!(desk.script(OWN).await, 0, "who watches is not asked for a camera after a reload");
        close(pair).await;
    });
}
