//! The parts of the account page, on a phone: the telephone, the mails, the kept cards, the devices.

use serde_json::Value;
use tests::browser::{Browser, Screen, in_browser};
use tests::people::PASSWORD;
use tests::{Backend, Person, TestServer};

const NUMBER: &str = "+15550100199";

#[test]
fn every_part_of_the_account_page_does_what_it_says() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let dana = server.customer().await;
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(&dana).await;
        phone.open("/account").await;
        a_telephone_is_confirmed(server, &phone, &dana).await;
        mails_are_switched_off(&phone, &dana).await;
        cars_are_kept(&phone, &dana).await;
        a_card_is_removed(&phone, &dana).await;
        other_devices_are_signed_out(server, &phone, &dana).await;
        phone.close().await;
    });
}

async fn a_telephone_is_confirmed(server: &TestServer, phone: &Browser, dana: &Person) {
    phone.fill("phone", "0171 1234567").await;
    phone.press("Send me a code").await;
    phone.element("#phone[aria-invalid=\"true\"]").await;
    phone.fill("phone", "+1 (555) 010-0199").await;
    phone.press("Send me a code").await;
    phone.reads("Not confirmed yet").await;
    let message = server.message_to(NUMBER, "phone_code").await;
    let code = message["text"].as_str().and_then(|text| text.split_whitespace().next()).expect("a code");
    phone.fill("code", "12345").await;
    phone.press("Confirm my number").await;
    phone.reads("This code is wrong or too old.").await;
    phone.picture("account-phone-code").await;
    phone.press("Send the code again").await;
    phone.reads("Too many tries.").await;
    phone.fill("code", code).await;
    phone.press("Confirm my number").await;
    phone.reads_no_more("Not confirmed yet").await;
    phone.reads(NUMBER).await;
    phone.picture("account-phone-confirmed").await;
    let me = dana.client.get("/api/me").await.expect_status(200);
    assert_eq!(me.body["phone_verified"], true);
    phone.press(&format!("Remove {NUMBER}")).await;
    phone.element("#phone").await;
}

async fn mails_are_switched_off(phone: &Browser, dana: &Person) {
    phone.click("[name=\"follow_up\"]").await;
    phone.press("Save my choice").await;
    tests::until("the choice to be kept", async || {
        let wanted = dana.client.get("/api/me/notifications").await.body["follow_up"].clone();
        (wanted == Value::Bool(false)).then_some(())
    })
    .await;
    phone.reload().await;
    assert_eq!(phone.script("return document.querySelector('[name=follow_up]').checked;").await, false);
    assert_eq!(phone.script("return document.querySelector('[name=reviews]').checked;").await, true);
}

async fn cars_are_kept(phone: &Browser, dana: &Person) {
    phone.reads("No car yet.").await;
    phone.click("#cars > details > summary").await;
    phone.fill("year", "20x6").await;
    phone.fill("make", "Honda").await;
    phone.fill("model", "Civic").await;
    phone.fill("mileage", "84,000").await;
    phone.press("Add the car").await;
    phone.reads("Enter a model year from 1950").await;
    phone.picture("account-phone-cars-wrong").await;
    phone.fill("year", "2016").await;
    phone.press("Add the car").await;
    phone.reads("2016 Honda Civic").await;
    phone.reads("84,000 miles").await;
    phone.click("#cars li summary").await;
    phone.fill("model", "Accord").await;
    phone.fill("mileage", "").await;
    phone.script("document.querySelector('#cars').scrollIntoView();").await;
    phone.picture("account-phone-cars").await;
    phone.click("#cars li button.button-primary").await;
    phone.reads("2016 Honda Accord").await;
    phone.reads("Mileage and VIN not given").await;

    // The next request is about that car unless another is chosen.
    let field = async |name: &str| {
        phone.script(&format!("return document.querySelector('[name={name}]').value;")).await
    };
    phone.open("/intake?plan=chat10").await;
    assert_eq!((field("year").await, field("model").await), ("2016".into(), "Accord".into()));
    phone.script("document.querySelector('car-picker').scrollIntoView();").await;
    phone.picture("intake-phone-cars").await;
    phone.click("car-picker label:last-of-type").await;
    assert_eq!((field("year").await, field("model").await), ("".into(), "".into()));
    phone.click("car-picker label:first-of-type").await;
    assert_eq!(field("make").await, "Honda");
    phone.fill("model", "Pilot").await;
    let another = "return document.querySelector('car-picker label:last-of-type input').checked;";
    assert_eq!(phone.script(another).await, true, "it is not the car that is kept");

    phone.open("/account").await;
    phone.press("Remove 2016 Honda Accord").await;
    phone.reads("No car yet.").await;
    let left = dana.client.get("/api/me/vehicles").await.expect_status(200);
    assert_eq!(left.body["items"], Value::Array(vec![]));
}

async fn a_card_is_removed(phone: &Browser, dana: &Person) {
    phone.reads("No card is saved.").await;
    let checkout = dana.checkout("chat10").await;
    let form = [("card_number", "4242424242424242"), ("exp", "12/34"), ("cvc", "123"), ("save_card", "on")];
    let pay = format!("/sandbox/checkout/{}/pay", checkout.id);
    dana.client.post_form(&pay, &form).await.expect_status(303);
    dana.session_of(&checkout).await;
    phone.reload().await;
    phone.reads("Visa ending in 4242").await;
    phone.script("document.querySelector('#cards').scrollIntoView();").await;
    phone.picture("account-phone-cards").await;
    phone.press("Remove Visa ending in 4242").await;
    phone.reads("No card is saved.").await;
    let left = dana.client.get("/api/me/cards").await.expect_status(200);
    assert_eq!(left.body["items"], Value::Array(vec![]));
}

async fn other_devices_are_signed_out(server: &TestServer, phone: &Browser, dana: &Person) {
    phone.reads("You are signed in nowhere else.").await;
    let elsewhere = server.sign_in(&dana.email, PASSWORD).await;
    phone.reload().await;
    phone.script("document.querySelector('#sign-ins-title').scrollIntoView();").await;
    phone.picture("account-phone-devices").await;
    phone.press("Sign out everywhere else").await;
    phone.reads("You are signed in nowhere else.").await;
    elsewhere.client.get("/api/me").await.refused(401, "not_signed_in");
    phone.reads("This one").await;
}
