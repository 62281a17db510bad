//! A video session paid with a card whose holder must confirm (TST-04), and who is in the room meanwhile.

use tests::Backend;
use tests::browser::{Screen, in_browser};

use super::steps::{self, pay};

#[test]
fn a_confirmed_card_leads_to_the_thank_you_page_and_the_room_and_only_the_room_counts_as_being_there() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(&dana).await;
        phone.open("/intake?plan=video15").await;
        steps::describe_the_car(&phone).await;
        phone.press("Continue to payment, $29.99").await;
        pay(&phone, "4000 0025 0000 3155", "$29.99").await;
        phone.reads("Is this payment yours?").await;
        phone.press("Fail").await;
        phone.reads("Nothing was charged.").await;
        pay(&phone, "4000 0025 0000 3155", "$29.99").await;
        phone.press("Complete").await;
        phone.arrives_at("/thank-you").await;
        phone.reads("Paid. We are asking mechanics now").await;
        phone.stays().await;

        let desk = driver.open(server, Screen::Desk).await;
        desk.sign_in_as(&max).await;
        desk.open("/mechanic").await;
        desk.press("Accept").await;
        desk.arrives_at("/chat/").await;
        phone.reads("Your mechanic is ready").await;
        desk.reads("Customer away, messages are kept").await;
        desk.press("Start the session").await;
        phone.reads("Your session is live").await;
        assert!(phone.has_stayed().await, "the page followed by itself");
        let title = phone.script("return document.title;").await;
        assert_eq!(title, "Your session is live \u{b7} Pitlane");
        desk.reads("Customer away, messages are kept").await;
        phone.picture_of_top("thank-you-phone").await;

        phone.press("Join session").await;
        phone.arrives_at("/sessions/").await;
        phone.reads("1 mechanic connected").await;
        desk.reads("Customer connected").await;
        steps::say(&phone, "Can you hear me?").await;
        desk.reads("Can you hear me?").await;
        phone.close().await;
        desk.close().await;
    });
}
