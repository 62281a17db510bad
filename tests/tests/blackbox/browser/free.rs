//! The free plan: from the landing page to the chat, once.

use tests::Backend;
use tests::browser::{Screen, in_browser};

use super::steps;

#[test]
fn the_free_plan_leads_from_the_landing_page_to_the_chat_and_is_offered_once() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let phone = driver.open(server, Screen::Phone).await;
        phone.open("/").await;
        phone.reads("First diagnostic free.").await;
        phone.press("Choose Free").await;
        phone.arrives_at("/start").await;
        phone.reads("Your request is waiting").await;
        phone.press("Create account").await;
        steps::register(&phone, "Fred Free", "fred@example.com").await;
        phone.arrives_at("/intake").await;
        phone.reads("Confirm your e-mail address first").await;

        server.message_to("fred@example.com", "verification").await;
        phone.open("/dev/mailbox").await;
        phone.click("a[href*=\"/auth/verify/\"]").await;
        phone.press("This address is mine").await;
        phone.reads("Confirmed").await;
        phone.press("Go on").await;
        phone.arrives_at("/dashboard").await;
        phone.reads("Your first diagnostic is free.").await;
        phone.click("[name=\"plan\"][value=\"free\"]").await;
        phone.press("Continue").await;
        steps::describe_the_car(&phone).await;
        phone.press("Start the free session").await;
        phone.arrives_at("/chat/").await;
        phone.reads("Waiting for a mechanic to join").await;

        phone.open("/dashboard").await;
        phone.reads("Choose your plan").await;
        assert_eq!(phone.count("[name=\"plan\"][value=\"free\"]").await, 0, "it is not offered again");
        phone.open("/").await;
        phone.reads("Every price, nothing hidden").await;
        assert_eq!(phone.count("a[href=\"/intake?plan=free\"]").await, 0, "nor on the landing page");
        assert_eq!(phone.count("a[href=\"/intake?plan=chat10\"]").await, 1);
        phone.open("/intake?plan=free").await;
        phone.reads("You have had your free session. Choose another plan.").await;
        phone.close().await;
    });
}
