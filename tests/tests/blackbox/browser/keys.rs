//! Without a mouse: Tab and Enter through the intake, the payment and the chat, and what a screen reader hears there.

use tests::Backend;
use tests::browser::keyboard::{ENTER, ESCAPE, SHIFT, TAB};
use tests::browser::{Browser, Screen, in_browser};

#[test]
fn a_keyboard_is_enough_from_the_intake_to_the_end_of_the_chat() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let desk = driver.open(server, Screen::Desk).await;
        desk.sign_in_as(&dana).await;
        desk.open("/intake?plan=chat10").await;
        the_intake(&desk).await;
        the_payment(&desk).await;
        let path = desk.path().await;
        let session = path.trim_start_matches("/chat/").to_owned();
        max.accept(&session).await;
        max.step(&session, "start").await.expect_status(200);
        the_chat(&desk).await;
        only_what_is_new_is_announced(&desk, async |text: &str| {
            max.say(&session, text, text).await.expect_status(201);
        })
        .await;
        the_end(&desk).await;
        desk.close().await;
    });
}

async fn the_intake(desk: &Browser) {
    desk.press_key(TAB).await;
    assert_eq!(desk.focused().await, "Skip to content", "the first thing is a way past the navigation");
    desk.press_key(ENTER).await;
    // Past the navigation the order is the one in which the page is read.
    assert!(desk.tab_to("concern").await.is_empty(), "nothing stands between the link and the first field");
    desk.type_keys("It grinds when braking.").await;
    assert_eq!(desk.tab_to("year").await, ["file_ids"]);
    desk.type_keys("2016").await;
    for (field, typed) in [("make", "Honda"), ("model", "Civic"), ("mileage", "84000"), ("vin", "")] {
        assert!(desk.tab_to(field).await.is_empty(), "{field} is next");
        if !typed.is_empty() {
            desk.type_keys(typed).await;
        }
    }
    assert!(desk.tab_to("accept_waiver").await.is_empty());
    desk.type_keys(" ").await;
    desk.press_key(ENTER).await;
    desk.arrives_at("/sandbox/checkout/").await;
}

async fn the_payment(desk: &Browser) {
    desk.tab_to("card_number").await;
    desk.type_keys("4242424242424242").await;
    assert!(desk.tab_to("exp").await.is_empty());
    desk.type_keys("1234").await;
    assert!(desk.tab_to("cvc").await.is_empty());
    desk.type_keys("123").await;
    desk.press_key(ENTER).await;
    desk.arrives_at("/chat/").await;
}

async fn the_chat(desk: &Browser) {
    desk.reads("Max Mechanic started the session.").await;
    desk.tab_to("say").await;
    desk.type_keys("One line").await;
    desk.press_key_with(SHIFT, ENTER).await;
    desk.type_keys("and another").await;
    assert_eq!(
        desk.script("return document.querySelectorAll('.line').length;").await,
        0,
        "nothing is sent yet"
    );
    desk.press_key(ENTER).await;
    desk.element(".line[data-seq]").await;
    let said = desk.script("return document.querySelector('.line [data-text]').textContent;").await;
    assert_eq!(said, "One line\nand another");
    assert_eq!(desk.focused().await, "say", "one can go on writing");
    assert!(desk.tab_to("Send").await.is_empty());
}

async fn only_what_is_new_is_announced(desk: &Browser, mechanic_says: impl AsyncFn(&str)) {
    let announced = "return document.querySelector('[data-announcer]').innerText.trim();";
    assert_eq!(desk.script(announced).await, "", "not what one says oneself");
    mechanic_says("Does it smell?").await;
    desk.reads("Does it smell?").await;
    assert_eq!(desk.script(announced).await, "Max Mechanic: Does it smell?");
    desk.reload().await;
    desk.reads("Does it smell?").await;
    mechanic_says("Or smoke?").await;
    desk.reads("Or smoke?").await;
    assert_eq!(desk.script(announced).await, "Max Mechanic: Or smoke?", "not what was there before");
    // Everything else on the page that speaks by itself is about the connection, who is there, and faults.
    let speaking =
        "return [...document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=log]')]
        .filter(one => one.contains(document.querySelector('[data-lines]'))).length;";
    assert_eq!(desk.script(speaking).await, 0, "the history itself does not speak");
}

async fn the_end(desk: &Browser) {
    desk.tab_to("React to this message").await;
    desk.press_key(ENTER).await;
    assert_eq!(desk.focused().await, "Thumbs up");
    desk.press_key(ESCAPE).await;
    assert_eq!(desk.focused().await, "React to this message", "the focus comes back");
    desk.press_key(ENTER).await;
    desk.press_key(ENTER).await;
    desk.element("[data-reactions] [data-emoji=\"👍\"]").await;
    desk.reload().await;
    desk.tab_to("End session").await;
    desk.press_key(ENTER).await;
    desk.reads("End this session?").await;
    assert_eq!(desk.focused().await, "Keep talking", "the harmless answer has the focus");
    desk.press_key(ESCAPE).await;
    desk.reads_no_more("End this session?").await;
    assert_eq!(desk.focused().await, "End session");
    desk.press_key(ENTER).await;
    desk.reads("End this session?").await;
    desk.press_key_with(SHIFT, TAB).await;
    desk.press_key(ENTER).await;
    desk.reads("This session has ended.").await;
}
