//! The admin at work: approving a mechanic who registered, and assigning one by hand (TST-03).

use tests::browser::{Browser, Driver, Screen, in_browser};
use tests::people::DEMO_PASSWORD;
use tests::{Backend, TestServer};

use super::steps::{self, say};

#[test]
fn an_admin_approves_a_mechanic_and_assigns_by_hand_at_a_desk_and_on_a_phone() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let desk = driver.open(server, Screen::Desk).await;
        let phone = driver.open(server, Screen::Phone).await;
        for (admin, size, name) in [(&desk, "desk", "Nina Newman"), (&phone, "phone", "Omar Other")] {
            admin.open("/admin").await;
            steps::sign_in(admin, "admin@example.com", DEMO_PASSWORD).await;
            admin.arrives_at("/admin").await;
            one_round(server, driver, admin, size, name).await;
        }
        desk.close().await;
        phone.close().await;
    });
}

async fn one_round(server: &TestServer, driver: &Driver, admin: &Browser, size: &str, name: &str) {
    let mechanic = driver.open(server, Screen::Desk).await;
    let customer = driver.open(server, Screen::Phone).await;
    mechanic_applies(&mechanic, name).await;
    admin_approves(admin, size, name).await;
    // Nobody reloads.
    mechanic.reads("You are off duty").await;

    let dana = server.customer().await;
    let session = dana.paid_session("chat10").await;
    customer.sign_in_as(&dana).await;
    customer.open(&format!("/chat/{session}")).await;
    customer.reads("Waiting for a mechanic to join").await;
    say(&customer, "Is somebody there?").await;
    customer.stays().await;
    admin_assigns(admin, size, name).await;
    customer.reads("Mechanic assigned \u{2014} joining").await;

    // The page of a mechanic who is off duty shows what was assigned, too.
    mechanic.press("Quick Chat").await;
    mechanic.arrives_at("/chat/").await;
    mechanic.reads("Is somebody there?").await;
    customer.reads("1 mechanic connected").await;
    customer.reads(name).await;
    assert!(customer.has_stayed().await, "the customer saw it without loading the page again");
    mechanic.reads("Customer connected").await;
    mechanic.close().await;
    customer.close().await;
}

async fn mechanic_applies(mechanic: &Browser, name: &str) {
    mechanic.open("/").await;
    mechanic.press("Work as a mechanic").await;
    let address = name.to_lowercase().replace(' ', ".");
    steps::register(mechanic, name, &format!("{address}@example.com")).await;
    mechanic.arrives_at("/mechanic").await;
    mechanic.reads("Apply to see requests").await;
}

async fn admin_approves(admin: &Browser, size: &str, name: &str) {
    admin.reload().await;
    admin.reads(name).await;
    assert!(!admin.scrolls_sideways().await, "the admin's page is too wide");
    admin.picture_of_top(&format!("admin-approvals-{size}")).await;
    admin.press(&format!("Approve {name}")).await;
    admin.reads_no_more(name).await;
}

async fn admin_assigns(admin: &Browser, size: &str, name: &str) {
    admin.open("/admin?status=requested").await;
    admin.reads("Dana Driver").await;
    assert!(!admin.scrolls_sideways().await, "the table is too wide");
    assert!(!admin.scrolls_inside(".segmented").await, "the filters fit without a scroll bar");
    admin.picture_of_top(&format!("admin-live-{size}")).await;
    admin.click("tbody a.button").await;
    admin.reads("Assign a mechanic by hand").await;
    admin.choose_labelled("mechanic_id", &format!("{name}, off duty")).await;
    admin.click("#assign button[type=submit]").await;
    admin.reads_no_more("Assign a mechanic by hand").await;
    admin.open("/admin").await;
    admin.reads(name).await;
}
