//! Photos at the intake: chosen, shown, refused with a reason, and seen by the mechanic.

use std::fs;

use tests::browser::{Screen, in_browser};
use tests::pictures::photo;
use tests::server::root;
use tests::{Backend, until};

use super::steps::{self, pay};

#[test]
fn a_photo_is_shown_at_the_intake_and_to_the_mechanic_and_what_is_wrong_with_others_is_said() {
    let most = ("PITLANE_FILES__MAX_FILE_BYTES", "2000000");
    in_browser(Backend::Sqlite, &[most], async |server, driver| {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let photo = server.folder().join("brake.png");
        fs::copy(root().join("docs/screenshots/chat-desk.png"), &photo).expect("a photo");
        let (text, huge) = (server.folder().join("notes.txt"), server.folder().join("huge.png"));
        fs::write(&text, "It grinds.").expect("a text");
        fs::write(&huge, vec![0_u8; 2_000_001]).expect("a large file");

        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(&dana).await;
        phone.open("/intake?plan=chat10").await;
        phone.attach("#file_ids", &photo).await;
        phone.reads("uploaded").await;
        phone.element("[data-picture]:not([hidden])").await;
        phone.attach("#file_ids", &huge).await;
        phone.reads("huge.png is larger than 2 MB.").await;
        phone.attach("#file_ids", &text).await;
        phone.reads("notes.txt").await;
        phone.reads("Send a photo, a video, a sound or a PDF.").await;
        phone.picture("intake-files-phone").await;
        assert_eq!(phone.count("[name=\"file_ids\"]").await, 1, "only the photo will be sent");
        phone.click("[aria-label=\"Remove notes.txt\"]").await;
        phone.reads_no_more("notes.txt").await;
        assert_eq!(
            phone.script("return document.activeElement.id;").await,
            "file_ids",
            "the focus is kept near"
        );

        // A form that comes back keeps the photo.
        phone.fill("vin", "1HGCM82633A004353").await;
        steps::describe_the_car(&phone).await;
        phone.press("Continue to payment").await;
        phone.reads("One thing to fix").await;
        phone.reads("brake.png").await;
        phone.fill("vin", "").await;
        phone.press("Continue to payment").await;
        pay(&phone, "4242 4242 4242 4242", "$9.99").await;
        phone.arrives_at("/chat/").await;

        let desk = driver.open(server, Screen::Desk).await;
        desk.sign_in_as(&max).await;
        desk.open("/mechanic").await;
        desk.press("Accept").await;
        desk.arrives_at("/chat/").await;
        for browser in [&phone, &desk] {
            browser.reads("A grinding noise").await;
            browser.element(".intro img[alt=\"brake.png\"]").await;
            let loaded = "return [...document.querySelectorAll('.intro img, .room-side img')].every(one => one.naturalWidth > 0 || !one.offsetParent);";
            until("the photo to be loaded", async || (browser.script(loaded).await == true).then_some(()))
                .await;
        }
        desk.picture("chat-photo-desk").await;
        phone.close().await;
        desk.close().await;
    });
}

#[test]
fn files_go_with_a_message_and_are_seen_small_and_whole() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        let [brake, other, paper] =
            ["brake.jpg", "wheel.jpg", "invoice.pdf"].map(|name| server.folder().join(name));
        fs::write(&brake, photo(1_600, 1_200)).expect("a photo");
        fs::write(&other, photo(800, 600)).expect("a photo");
        fs::write(&paper, b"%PDF-1.7\n1 0 obj").expect("a document");
        let text = server.folder().join("notes.txt");
        fs::write(&text, "It grinds.").expect("a text");
        let (phone, desk) =
            (driver.open(server, Screen::Phone).await, driver.open(server, Screen::Desk).await);
        for (browser, person) in [(&phone, dana), (&desk, max)] {
            browser.sign_in_as(person).await;
            browser.open(&format!("/chat/{session}")).await;
            browser.element("chat-room:defined [data-composer]").await;
        }
        // What is wrong is said beside the file, and can be taken away.
        phone.attach("#attach", &text).await;
        phone.reads("Send a photo, a video, a sound or a PDF.").await;
        phone.click("[aria-label=\"Remove notes.txt\"]").await;
        phone.reads_no_more("Send a photo, a video, a sound or a PDF.").await;
        for file in [&brake, &other, &paper] {
            phone.attach("#attach", file).await;
        }
        until("three files to be ready", async || {
            (phone.count("[data-attached] [data-state=\"sent\"]").await == 3).then_some(())
        })
        .await;
        phone.picture("chat-attached-phone").await;
        phone.keys("#say", "Like this").await;
        phone.click("[data-composer] [type=\"submit\"]").await;
        let loaded = "return [...document.querySelectorAll('.line .shot img')].filter(one => one.naturalWidth > 0 && one.naturalHeight > one.naturalWidth).length;";
        for browser in [&phone, &desk] {
            browser.reads("Like this").await;
            browser.element(".line-files .file-row").await;
            until("the photos to be shown", async || (browser.script(loaded).await == 2).then_some(())).await;
            let place = browser.script("const one = document.querySelector('.line .shot img'); return [one.width / one.height, Number(one.getAttribute('width')) / Number(one.getAttribute('height'))].map(each => each.toFixed(1));").await;
            assert_eq!(place, serde_json::json!(["0.8", "0.8"]), "their place is known before they come");
            assert_eq!(
                browser.script("return document.querySelectorAll('[data-side-files] li').length;").await,
                3
            );
        }
        assert_eq!(phone.count("[data-attached] li").await, 0);
        desk.picture("chat-files-desk").await;
        phone.picture("chat-files-phone").await;
        // The whole picture, and back to where one was.
        desk.click(".shot").await;
        let whole = "const one = document.querySelector('dialog[open] img'); return one?.naturalWidth;";
        until("the whole picture", async || (desk.script(whole).await == 1_200).then_some(())).await;
        desk.picture("chat-picture-desk").await;
        desk.click("[aria-label=\"Close the picture\"]").await;
        assert_eq!(desk.script("return document.activeElement.className;").await, "shot");
        // Handed in without a page, and seen on both.
        super::super::files::send_to(
            &max.client,
            &format!("/api/sessions/{session}/files"),
            &[("file", "scan.jpg", &photo(320, 240))],
        )
        .await
        .expect_status(201);
        for browser in [&phone, &desk] {
            browser.element(".line img[alt=\"scan.jpg\"]").await;
            until("the list", async || {
                (browser.script("return document.querySelectorAll('[data-side-files] li').length;").await
                    == 4)
                    .then_some(())
            })
            .await;
        }
        phone.reload().await;
        until("the photos to be shown", async || (phone.script(loaded).await == 3).then_some(())).await;
        phone.close().await;
        desk.close().await;
    });
}

#[test]
fn a_file_goes_on_by_itself_when_the_connection_is_back_and_is_uploaded_once() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = server.meeting().await;
        let (dana, session) = (&meeting.customer, &meeting.session);
        let brake = server.folder().join("brake.jpg");
        fs::write(&brake, photo(320, 240)).expect("a photo");
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(dana).await;
        phone.open(&format!("/chat/{session}")).await;
        phone.element("chat-room:defined [data-composer]").await;
        // The first answer is lost on its way: the file has arrived, and the page can't know it.
        let lose = "const add = XMLHttpRequest.prototype.addEventListener; let lost = false; \
                    XMLHttpRequest.prototype.addEventListener = function (kind, listener, options) { \
                      if (kind !== 'load' || lost) return add.call(this, kind, listener, options); \
                      lost = true; \
                      return add.call(this, kind, () => this.dispatchEvent(new ProgressEvent('error')), options); };";
        phone.script(lose).await;
        phone.attach("#attach", &brake).await;
        phone.keys("#say", "Look").await;
        phone.click("[data-composer] [type=\"submit\"]").await;
        phone.element(".line img[alt=\"brake.jpg\"]").await;
        until("the message", async || {
            let events = dana.events(session).await;
            events
                .iter()
                .any(|event| {
                    event["body"]["text"] == "Look" && event["body"]["files"][0]["name"] == "brake.jpg"
                })
                .then_some(())
        })
        .await;
        assert_eq!(server.database().count("files", "1 = 1"), 1);
        phone.close().await;
    });
}

/// A picture as a page makes one, as if it came from the clipboard or another window.
const CARRIED: &str = "
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 40;
    canvas.getContext('2d').fillRect(0, 0, 40, 40);
    const bytes = await new Promise((done) => canvas.toBlob(done, 'image/png'));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type: 'image/png' }));";

#[test]
fn files_are_pasted_dropped_and_taken_with_the_camera() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = server.meeting().await;
        let taken = server.folder().join("taken.jpg");
        fs::write(&taken, photo(640, 480)).expect("a photo");
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(&meeting.customer).await;
        phone.open(&format!("/chat/{}", meeting.session)).await;
        phone.element("chat-room:defined [data-composer]").await;
        let carried = |name: &str, event: &str| {
            format!("return (async () => {{ const name = '{name}'; {CARRIED} {event} }})();")
        };
        let ready = async |count: usize| {
            until(&format!("{count} files to be ready"), async || {
                (phone.count("[data-attached] [data-state=sent]").await == count).then_some(())
            })
            .await;
        };

        let paste = "const paste = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
            document.querySelector('#say').dispatchEvent(paste); return paste.defaultPrevented;";
        assert_eq!(
            phone.script(&carried("pasted.png", paste)).await,
            true,
            "nothing is pasted into the text"
        );
        phone.reads("pasted.png").await;
        ready(1).await;

        let over = "const place = document.querySelector('[data-drop-here]');
            place.dispatchEvent(new DragEvent('dragover', { dataTransfer: data, bubbles: true, cancelable: true }));
            return place.classList.contains('is-over');";
        assert_eq!(
            phone.script(&carried("dropped.png", over)).await,
            true,
            "the place shows that it takes files"
        );
        let drop = "const place = document.querySelector('[data-drop-here]');
            const drop = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
            place.dispatchEvent(drop); return [drop.defaultPrevented, place.classList.contains('is-over')];";
        let dropped = phone.script(&carried("dropped.png", drop)).await;
        assert_eq!(dropped, serde_json::json!([true, false]), "the browser doesn't open it instead");
        phone.reads("dropped.png").await;
        ready(2).await;

        // Text stays text.
        let text = "const data2 = new DataTransfer(); data2.setData('text/plain', 'P0301');
            const paste = new ClipboardEvent('paste', { clipboardData: data2, bubbles: true, cancelable: true });
            document.querySelector('#say').dispatchEvent(paste); return paste.defaultPrevented;";
        assert_eq!(phone.script(&carried("text.png", text)).await, false);

        phone.attach("[capture=environment]", &taken).await;
        phone.reads("taken.jpg").await;
        ready(3).await;
        phone.keys("#say", "Three ways").await;
        phone.click("[data-composer] [type=submit]").await;
        phone.reads("Three ways").await;
        until("three pictures in one message", async || {
            (phone.count(".line .shot img").await == 3).then_some(())
        })
        .await;
        let files = &meeting.customer.events(&meeting.session).await;
        let last = files.last().expect("a message");
        assert_eq!(last["body"]["files"].as_array().map(Vec::len), Some(3), "{last}");
        phone.close().await;
    });
}
