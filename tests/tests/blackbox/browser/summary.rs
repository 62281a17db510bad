//! The summary: written with a draft that survives a closed tab, and read on the page that the customer takes home.

use std::fs;

use tests::Backend;
use tests::browser::{Screen, in_browser};
use tests::server::root;

#[test]
fn a_mechanic_writes_the_summary_over_a_closed_tab_and_the_customer_reads_it() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = server.meeting().await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        dana.say(session, "1", "It shakes at idle.").await.expect_status(201);
        let photo = server.folder().join("coil.png");
        fs::copy(root().join("docs/screenshots/chat-desk.png"), &photo).expect("a photo");

        let desk = driver.open(server, Screen::Desk).await;
        desk.sign_in_as(max).await;
        desk.open(&format!("/chat/{session}")).await;
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(dana).await;
        phone.open(&format!("/chat/{session}")).await;
        max.step(session, "end").await.expect_status(200);
        desk.press("Write the summary").await;
        desk.arrives_at(&format!("/sessions/{session}/summary")).await;
        desk.picture("summary-empty-desk").await;
        desk.press("Send the summary to Dana Driver").await;
        assert!(desk.path().await.ends_with("/summary"), "nothing was sent");
        desk.keys("#findings", "The third coil fails.\nSafe to drive gently.").await;
        desk.reads("Draft kept").await;
        desk.keys("#next_steps", "Change it within two weeks.").await;
        // The tab is closed at once: the last words go with it.
        desk.open("/mechanic").await;
        desk.press("Write the summary").await;
        desk.arrives_at(&format!("/sessions/{session}/summary")).await;
        desk.open(&format!("/sessions/{session}/summary")).await;
        desk.reads("Draft kept").await;
        let kept = "return [document.querySelector('#findings').value, document.querySelector('#next_steps').value].join('|');";
        assert_eq!(
            desk.script(kept).await,
            "The third coil fails.\nSafe to drive gently.|Change it within two weeks."
        );
        desk.attach("#photo_file_ids", &photo).await;
        desk.reads("uploaded").await;
        desk.picture("summary-form-desk").await;

        // The customer waits on the page; it fills itself.
        phone.press("Summary, receipt and what comes next").await;
        phone.reads("The summary is on its way").await;
        phone.picture("complete-waiting-phone").await;
        let wide = driver.open(server, Screen::Desk).await;
        wide.sign_in_as(dana).await;
        wide.open(&format!("/chat/{session}")).await;
        wide.reads("Session over").await;
        desk.press("Send the summary to Dana Driver").await;
        desk.reads("Correct the summary").await;
        desk.picture("summary-desk").await;
        wide.reads("Max Mechanic wrote the summary.").await;
        phone.reads("Change it within two weeks.").await;
        phone.reload().await;
        phone.reads("The third coil fails.").await;
        phone.picture("complete-phone").await;
        phone.reads("Print or save").await;
        let told = "return document.querySelector('details.transcript').open;";
        for (event, on_paper) in [("beforeprint", true), ("afterprint", false)] {
            phone.script(&format!("dispatchEvent(new Event('{event}'));")).await;
            assert_eq!(phone.script(told).await, on_paper, "what was said, at {event}");
        }
        assert!(!phone.scrolls_sideways().await, "the page is too wide");
        phone.click(".transcript > summary").await;
        phone.reads("It shakes at idle.").await;
        phone.press("Book Quick Chat again").await;
        phone.arrives_at("/intake").await;
        wide.open(&format!("/session/{session}/complete")).await;
        wide.reads("The third coil fails.").await;
        wide.picture("complete-desk").await;
        wide.open(&format!("/chat/{session}")).await;
        wide.reads("Max Mechanic wrote the summary.").await;

        desk.press("Correct the summary").await;
        desk.reads("Save the correction").await;
        desk.fill("next_steps", "Change it this week.").await;
        desk.press("Save the correction").await;
        desk.reads("corrected").await;
        wide.reads("Max Mechanic corrected the summary.").await;
        for browser in [phone, desk, wide] {
            browser.close().await;
        }
    });
}

#[test]
fn a_summary_that_is_sent_without_a_network_stays_on_the_page() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = server.meeting().await;
        let (max, session) = (&meeting.mechanic, &meeting.session);
        max.step(session, "end").await.expect_status(200);
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(max).await;
        phone.open(&format!("/sessions/{session}/summary")).await;
        phone.keys("#findings", "The third coil fails.").await;
        phone.reads("Draft kept").await;
        phone.stays().await;
        phone.set_offline(true).await;
        phone.keys("#steps_taken", "Changed places with the first.").await;
        phone.press("Send the summary to Dana Driver").await;
        phone.reads("You are offline. Your text stays here").await;
        // A network that leads nowhere is one to the browser.
        phone.script("Object.defineProperty(navigator, 'onLine', { get: () => true });").await;
        phone.script("document.querySelector('[data-draft]').textContent = '';").await;
        phone.press("Send the summary to Dana Driver").await;
        phone.reads("You are offline. Your text stays here").await;
        assert!(phone.has_stayed().await, "the form was not sent");
        phone.set_offline(false).await;
        phone.press("Send the summary to Dana Driver").await;
        phone.reads("Correct the summary").await;
        phone.reads("Changed places with the first.").await;
        phone.close().await;
    });
}
