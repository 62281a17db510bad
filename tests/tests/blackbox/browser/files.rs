//! Photos at the intake: chosen, shown, refused with a reason, and seen by the mechanic.

use std::fs;

use tests::Backend;
use tests::browser::{Screen, in_browser};
use tests::server::root;

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
            tests::until("the photo to be loaded", async || {
                (browser.script(loaded).await == true).then_some(())
            })
            .await;
        }
        desk.picture("chat-photo-desk").await;
        phone.close().await;
        desk.close().await;
    });
}
