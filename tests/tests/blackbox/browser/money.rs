//! Whoever runs the place sends money back and looks into a dispute, at a desk and on a phone; and the time that is left
//! stands in lists, by the server's clock.

use serde_json::Value;
use tests::browser::{Browser, Screen, in_browser, keyboard};
use tests::{Backend, TestServer, until};

use crate::blackbox::money_back::{meeting_with_card, upgrade};
use crate::blackbox::session_money::disputed;

const SUMS: &str =
    "return [...document.querySelectorAll('[data-sum]')].map((one) => one.textContent).join('|');";
/// Sends the refund that is open three times at once, as an impatient thumb does.
const TAPS: &str = "
    const button = document.querySelector('dialog[open] [data-send]');
    for (let tap = 0; tap < 3; tap += 1) { button.disabled = false; button.click(); }";

/// Answers that are lost after the server gave them, for as long as it is said.
const LOSE_ANSWERS: &str = "
    window.real = window.fetch;
    window.fetch = async (...asked) => { await window.real(...asked); throw new TypeError('lost'); };";
const KEEP_ANSWERS: &str = "window.fetch = window.real;";

fn refunds(server: &TestServer) -> (i64, i64) {
    let sum = "SELECT CAST(coalesce(sum(amount_cents), 0) AS bigint) AS number FROM refunds";
    (server.database().count("refunds", "1 = 1"), server.database().number(sum))
}

async fn reaches_the_money(admin: &Browser, session: &str) {
    admin.open("/admin").await;
    admin.reads("Active sessions").await;
    admin.click("td[data-label=Paid] a").await;
    admin.arrives_at(&format!("/admin/sessions/{session}")).await;
    admin.reads("$29.99 can still go back").await;
}

#[test]
fn an_admin_sends_a_part_back_and_then_the_rest_and_no_tap_counts_twice() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = meeting_with_card(server).await;
        let session = &meeting.session;
        upgrade(&meeting.customer, session).await;
        let desk = driver.open(server, Screen::Desk).await;
        desk.sign_in_as(&server.admin().await).await;
        reaches_the_money(&desk, session).await;
        desk.picture("money-desk").await;

        // What is missing is said beside its field, and nothing is sent.
        desk.press("Send $29.99 back").await;
        desk.reads("Write down why.").await;
        assert_eq!(desk.focused().await, "reason", "the field that is missing has the focus");
        desk.click("[name=how][value=part]").await;
        for (typed, told) in [
            ("", "Write an amount such as 5.00."),
            ("0", "Write an amount"),
            ("5.001", "Write an amount"),
            ("30", "At most $29.99 can go back."),
        ] {
            desk.script("document.querySelector('#amount').value = '';").await;
            desk.keys("#amount", &format!("{typed}{}", keyboard::ENTER)).await;
            desk.reads(told).await;
            assert_eq!(desk.count("dialog[open]").await, 0, "{typed}");
        }
        desk.fill("amount", "5").await;
        desk.keys("#reason", "The call broke off.").await;
        assert_eq!(desk.script(SUMS).await, "$5.00|$5.00|$5.00");
        desk.press("Send $5.00 back").await;
        desk.reads("Send $5.00 back to Dana Driver?").await;
        desk.picture("refund-dialog-desk").await;
        assert_eq!(refunds(server), (0, 0), "nothing before it was confirmed");
        desk.script(TAPS).await;
        desk.reads("$5.00 goes back to the customer's card.").await;
        desk.reads("$24.99 can still go back").await;
        desk.reads("The call broke off.").await;
        assert_eq!(refunds(server), (1, 500), "three taps are one refund");

        // On a phone, with the keys, and with an answer that was lost.
        let phone = driver.open(server, Screen::Phone).await;
        phone.sign_in_as(&server.admin().await).await;
        phone.open(&format!("/admin/sessions?q={}", meeting.customer.email.replace('@', "%40"))).await;
        phone.click("tbody a").await;
        phone.reads("$24.99 can still go back").await;
        assert!(!phone.scrolls_sideways().await, "the money is too wide");
        phone.keys("#reason", "All of it.\nShe asked for it.").await;
        phone.picture("money-phone").await;
        phone.press("Send $24.99 back").await;
        phone.reads("Send $24.99 back to Dana Driver?").await;
        phone.picture("refund-dialog-phone").await;
        phone.press_key(keyboard::ESCAPE).await;
        until("the dialogue to be closed", async || (phone.count("dialog[open]").await == 0).then_some(()))
            .await;
        assert_eq!(refunds(server), (1, 500));
        phone.press("Send $24.99 back").await;
        phone.script(LOSE_ANSWERS).await;
        phone.click("dialog[open] [data-send]").await;
        phone.reads("Try again: nothing is sent back twice.").await;
        phone.script(KEEP_ANSWERS).await;
        phone.click("dialog[open] [data-send]").await;
        phone.reads("Nothing can go back").await;
        assert_eq!(refunds(server).1, 2_999, "what was sent twice went back once");
        phone.reads("All of it. She asked for it.").await;

        // Somebody else's page still offers it, and is told.
        desk.keys("#reason", "Once more.").await;
        desk.press("Send $24.99 back").await;
        desk.click("dialog[open] [data-send]").await;
        desk.reads("At most $0.00 of this payment can go back.").await;
        assert_eq!(refunds(server).1, 2_999);
        desk.close().await;
        phone.close().await;
    });
}

#[test]
fn a_dispute_leads_to_its_case_and_to_the_money() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = meeting_with_card(server).await;
        let intent = upgrade(&meeting.customer, &meeting.session).await;
        meeting.customer.step(&meeting.session, "end").await.expect_status(200);
        let admin = server.admin().await;
        let (case, _) = disputed(server, &admin, &intent).await;
        for (screen, size) in [(Screen::Desk, "desk"), (Screen::Phone, "phone")] {
            let browser = driver.open(server, screen).await;
            browser.sign_in_as(&admin).await;
            browser.open("/admin").await;
            browser.click(".topnav a[href='/admin/sessions']").await;
            browser.arrives_at("/admin/sessions").await;
            browser.press("Disputes 1").await;
            browser.reads("1 dispute waits for an answer").await;
            assert!(!browser.scrolls_sideways().await, "the list is too wide on a {size}");
            browser.picture(&format!("disputes-{size}")).await;
            browser.click("tbody a.button").await;
            browser.arrives_at(&format!("/admin/disputes/{case}")).await;
            browser.reads("What speaks for us").await;
            assert!(!browser.scrolls_sideways().await, "the case is too wide on a {size}");
            browser.picture(&format!("dispute-{size}")).await;
            browser.press("Money of the session").await;
            browser.arrives_at(&format!("/admin/sessions/{}", meeting.session)).await;
            browser.press("Open the case").await;
            browser.arrives_at(&format!("/admin/disputes/{case}")).await;
            browser.close().await;
        }
    });
}

/// The seconds that the count-downs of a page show.
async fn counted(browser: &Browser) -> Vec<i64> {
    let script =
        "return [...document.querySelectorAll('count-down:not([hidden])')].map((one) => one.textContent);";
    let shown = browser.script(script).await;
    let seconds = |text: &Value| {
        let figures = text.as_str()?.trim_start_matches(", ").strip_suffix(" left")?.to_owned();
        let parts: Option<Vec<i64>> = figures.split(':').map(|part| part.parse().ok()).collect();
        Some(parts?.into_iter().fold(0, |sum, part| sum * 60 + part))
    };
    shown.as_array().expect("a list").iter().filter_map(seconds).collect()
}

/// Waits until all of at least `count` show so much, and go on.
async fn counts_down(browser: &Browser, count: usize, within: std::ops::RangeInclusive<i64>) {
    let first = until("the time that is left", async || {
        let shown = counted(browser).await;
        (shown.len() >= count && shown.iter().all(|one| within.contains(one))).then_some(shown[0])
    })
    .await;
    until("it to become less", async || (counted(browser).await.first()? < &first).then_some(())).await;
}

const WRONG_CLOCK: &str = "
    const real = Date.now.bind(Date);
    Date.now = () => real() + 3600_000;
    for (const one of document.querySelectorAll('live-section')) one.renew();";

#[test]
fn lists_count_the_time_that_is_left_whatever_the_device_says() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = server.meeting().await;
        let phone = driver.open(server, Screen::Phone).await;
        let desk = driver.open(server, Screen::Desk).await;
        let admin = driver.open(server, Screen::Desk).await;
        phone.sign_in_as(&meeting.customer).await;
        desk.sign_in_as(&meeting.mechanic).await;
        admin.sign_in_as(&server.admin().await).await;
        for (browser, path, count) in
            [(&phone, "/dashboard", 2), (&desk, "/mechanic", 1), (&admin, "/admin", 1)]
        {
            browser.open(path).await;
            counts_down(browser, count, 400..=600).await;
            browser.script(WRONG_CLOCK).await;
            counts_down(browser, count, 400..=600).await;
        }
        assert!(!phone.scrolls_sideways().await, "the dashboard is too wide");
        phone.picture("dashboard-time-phone").await;
        desk.picture("mechanic-time-desk").await;

        // Little is left: it is marked. Nothing is: the list says that it is over.
        server.advance_clock(500).await;
        desk.reload().await;
        counts_down(&desk, 1, 1..=110).await;
        assert_eq!(desk.count("count-down.is-low").await, 1);
        server.advance_clock(120).await;
        desk.reads("Write the summary").await;
        assert_eq!(desk.count("count-down:not([hidden])").await, 0);
        for browser in [phone, desk, admin] {
            browser.close().await;
        }
    });
}

#[test]
fn an_offer_says_how_long_it_still_stands() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let (dana, max) = (server.customer().await, server.mechanic().await);
        let first = dana.paid_session("chat10").await;
        max.offer_of(&first).await;
        let desk = driver.open(server, Screen::Desk).await;
        desk.sign_in_as(&max).await;
        desk.open("/mechanic").await;
        let (least, most) = (3_000, 3_600);
        counts_down(&desk, 1, least..=most).await;
        // One that comes while the page is open, on a device whose clock is wrong.
        desk.script(WRONG_CLOCK).await;
        dana.paid_session("video15").await;
        counts_down(&desk, 2, least..=most).await;
        desk.picture("mechanic-offers-desk").await;
        desk.resize(390, 844).await;
        assert!(!desk.scrolls_sideways().await, "the queue is too wide");
        desk.picture("mechanic-offers-phone").await;
        assert_eq!(desk.count("[data-request] count-down.is-low").await, 0);
        desk.close().await;
    });
}
