//! The buttons of a call that need more than a made-up camera has: the light, another camera, the screen; and sound only
//! when the line is poor.

use serde_json::{Value, json};
use tests::browser::{Browser, in_browser};
use tests::{Backend, until};

use super::call::{Pair, checks, close, joins_from_the_check, pair, presses, sees, state, they_meet};

/// A telephone with two cameras of which one has a light, and a screen that is red. What is asked of them is kept.
const TELEPHONE: &str = "
    const devices = navigator.mediaDevices;
    window.asked = { cameras: [], light: [] };
    const list = devices.enumerateDevices.bind(devices);
    devices.enumerateDevices = async () => {
      const found = await list();
      const rear = { kind: 'videoinput', deviceId: 'rear', label: 'Rear camera', groupId: 'rear' };
      return [...found.filter((one) => one.kind !== 'videoinput'), ...found.filter((one) => one.kind === 'videoinput').slice(0, 1), rear];
    };
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = (wanted) => {
      const camera = wanted.video && (wanted.video.deviceId?.exact ?? wanted.video.facingMode?.ideal);
      if (camera) asked.cameras.push(camera);
      return open(camera === 'rear' ? { ...wanted, video: true } : wanted);
    };
    MediaStreamTrack.prototype.getCapabilities = () => ({ torch: true });
    MediaStreamTrack.prototype.applyConstraints = async (wanted) => asked.light.push(wanted.advanced[0].torch);
    devices.getDisplayMedia = async () => {
      const canvas = document.createElement('canvas');
      canvas.width = 320; canvas.height = 180;
      const pen = canvas.getContext('2d');
      setInterval(() => { pen.fillStyle = 'red'; pen.fillRect(0, 0, 320, 180); }, 50);
      const stream = canvas.captureStream(20);
      window.shared = stream.getVideoTracks()[0];
      return stream;
    };";

/// The colour in the middle of the other side's picture: red, green, blue.
const COLOUR: &str = "
    const video = document.querySelector('[data-remote]');
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 1;
    const pen = canvas.getContext('2d');
    pen.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 1, 1, 0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);";

async fn is_red(browser: &Browser, red: bool) {
    until(&format!("the screen to be seen: {red}"), async || {
        let colour = browser.script(COLOUR).await;
        let part = |place: usize| colour[place].as_u64().unwrap_or(0);
        (red == (part(0) > 180 && part(1) < 80 && part(2) < 80)).then_some(())
    })
    .await;
}

async fn label(browser: &Browser, what: &str) -> Value {
    browser
        .script(&format!("return document.querySelector('[data-do={what}]').getAttribute('aria-label');"))
        .await
}

async fn is_offered(browser: &Browser, what: &str) {
    browser.element(&format!("[data-do={what}]:not([hidden])")).await;
}

#[test]
fn the_light_the_other_camera_and_the_screen_are_switched() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let pair = pair(server, driver).await;
        let Pair { meeting, phone, desk } = &pair;
        let room = format!("/sessions/{}/room", meeting.session);
        desk.open(&room).await;
        checks(desk).await;
        joins_from_the_check(desk).await;
        phone.open(&room).await;
        phone.script(TELEPHONE).await;
        checks(phone).await;
        joins_from_the_check(phone).await;
        sees(desk, "the mechanic").await;

        is_offered(phone, "torch").await;
        presses(phone, "torch").await;
        until("the light to be on", async || (label(phone, "torch").await == "Light off").then_some(()))
            .await;
        presses(phone, "torch").await;
        until("the light to be off", async || (label(phone, "torch").await == "Light on").then_some(()))
            .await;
        assert_eq!(phone.script("return asked.light;").await, json!([true, false]));

        is_offered(phone, "flip").await;
        phone.picture("room-controls-phone").await;
        presses(phone, "flip").await;
        until("the rear camera to be asked for", async || {
            (phone.script("return asked.cameras.at(-1);").await == "rear").then_some(())
        })
        .await;
        sees(desk, "the mechanic, through the other camera,").await;

        phone.click("[data-open=devices]").await;
        is_offered(phone, "screen").await;
        presses(phone, "screen").await;
        is_red(desk, true).await;
        let says = "return document.querySelector('[data-do=screen]').textContent;";
        until("the button to stop it", async || {
            phone.script(says).await.as_str().filter(|text| text.contains("Stop sharing")).map(drop)
        })
        .await;
        // The browser's own bar has a button to stop as well.
        phone.script("shared.stop(); shared.dispatchEvent(new Event('ended'));").await;
        is_red(desk, false).await;
        sees(desk, "the mechanic, the camera again,").await;
        close(pair).await;
    });
}

#[test]
fn a_poor_line_carries_sound_alone_and_the_picture_comes_back_by_a_tap() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let pair = pair(server, driver).await;
        they_meet(&pair).await;
        let Pair { phone, desk, .. } = &pair;
        // One bad measurement is a hiccup.
        let poor = "document.querySelector('connection-quality').dispatchEvent(new CustomEvent('quality', { detail: { level: 'poor' } }));";
        let good = poor.replace("poor", "good");
        for _ in 0..4 {
            phone.script(poor).await;
        }
        phone.script(&good).await;
        let chosen = "return document.querySelector('[data-sound=poor]').hidden;";
        assert_eq!(phone.script(chosen).await, true, "four bad ones and a good one change nothing");
        phone.script(&poor.repeat(5)).await;
        phone.reads("Poor connection, sound only for now").await;
        desk.reads("Dana Driver has the camera off.").await;
        phone.picture("room-sound-only-phone").await;
        phone.click("[data-open=devices]").await;
        presses(phone, "sound").await;
        phone.reads_no_more("Poor connection, sound only for now").await;
        desk.reads_no_more("has the camera off.").await;
        sees(desk, "the mechanic, again,").await;
        close(pair).await;
    });
}

/// Keeps what a page asks the browser for, and what it sends to the other side.
const KEEP_ASKED: &str = "
    window.asked = [];
    window.connections = [];
    if (navigator.mediaDevices) {
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = (wanted) => { asked.push(Object.keys(wanted).sort().join()); return open(wanted); };
    }
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...how) { super(...how); window.connections.push(this); }
    };";
/// What is sent: which kinds of tracks, and whether they are switched on.
const SENT: &str = "
    const tracks = connections.at(-1).getSenders().map((one) => one.track).filter(Boolean);
    return tracks.map((one) => [one.kind, one.enabled]);";

#[test]
fn a_reload_keeps_the_microphone_the_camera_and_sound_only_as_they_were() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let pair = pair(server, driver).await;
        pair.phone.before_each_page(KEEP_ASKED).await;
        they_meet(&pair).await;
        let Pair { phone, desk, .. } = &pair;
        presses(phone, "microphone").await;
        presses(phone, "camera").await;
        desk.reads("Microphone off").await;
        desk.reads("Dana Driver has the camera off.").await;
        phone.reload().await;
        sees(phone, "who loaded the page again").await;
        assert_eq!(label(phone, "microphone").await, "Switch microphone on");
        assert_eq!(label(phone, "camera").await, "Switch camera on");
        assert_eq!(phone.script("return asked;").await, json!(["audio"]), "the camera stays off");
        assert_eq!(phone.script(SENT).await, json!([["audio", false]]), "the microphone stays muted");
        state(desk, "live").await;
        desk.reads("Microphone off").await;
        desk.reads("Dana Driver has the camera off.").await;

        // Both come back when they are wanted, and stay so.
        presses(phone, "microphone").await;
        presses(phone, "camera").await;
        desk.reads_no_more("Microphone off").await;
        sees(desk, "the mechanic, the camera again,").await;
        phone.reload().await;
        sees(desk, "the mechanic, after a reload,").await;
        assert_eq!(label(phone, "microphone").await, "Mute microphone");
        assert_eq!(phone.script("return asked;").await, json!(["audio,video"]));

        presses(phone, "sound").await;
        phone.reads("Sound only").await;
        desk.reads("Dana Driver has the camera off.").await;
        phone.reload().await;
        state(phone, "live").await;
        phone.reads("Sound only").await;
        assert_eq!(phone.script("return asked;").await, json!(["audio"]), "it is sound only still");
        desk.reads("Dana Driver has the camera off.").await;
        presses(phone, "sound").await;
        sees(desk, "the mechanic, with pictures again,").await;
        sees(phone, "the customer, with pictures again,").await;
        close(pair).await;
    });
}
