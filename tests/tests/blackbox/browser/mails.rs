//! Every mail as a phone shows it: without a picture, nothing wider than the screen, and axe-core finds nothing, light
//! and dark.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tests::browser::{Browser, Screen, in_browser};
use tests::money::GOOD_CARD;
use tests::server::root;
use tests::{Backend, Person, TestServer, until};

const EVERY_MAIL: [&str; 10] = [
    "booking_confirmed",
    "magic_link",
    "mechanic_assigned",
    "next_steps_reminder",
    "password_reset",
    "receipt",
    "refunded",
    "session_ended",
    "summary_delivered",
    "verification",
];

#[test]
fn every_mail_reads_well_on_a_phone_without_pictures() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let dana = server.customer().await;
        everything_happens_to(server, &dana).await;
        let mails = server.messages_to(&dana.email).await;
        let told: BTreeSet<&str> = mails.iter().filter_map(|mail| mail["milestone"].as_str()).collect();
        assert_eq!(told, BTreeSet::from(EVERY_MAIL), "a new mail needs to happen here, too");
        let phone = driver.open(server, Screen::Phone).await;
        let mut faults = Vec::new();
        for name in EVERY_MAIL {
            let mail = mails.iter().find(|mail| mail["milestone"] == name).expect("it is there");
            let file = server.folder().join(format!("{name}.html"));
            fs::write(&file, html(mail)).expect("a file");
            phone.open_file(&file).await;
            faults.extend(judge(&phone, name).await);
        }
        // Those that happen to nobody here, and the other ways to say what does.
        for (name, html) in written() {
            let file = server.folder().join(format!("{name}.html"));
            fs::write(&file, html).expect("a file");
            phone.open_file(&file).await;
            faults.extend(judge(&phone, &format!("written-{name}")).await);
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        one_tap_unsubscribes(&phone, &mails).await;
        a_fault_is_found(&phone, server, html(&mails[0])).await;
        phone.close().await;
    });
}

/// Every mail that there is, as its snapshot holds it.
fn written() -> Vec<(String, String)> {
    let folder = root().join("crates/web/tests/pages/snapshots");
    let mut mails: Vec<(String, String)> = fs::read_dir(&folder)
        .expect("the snapshots")
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let name = name.strip_prefix("mail-")?.strip_suffix(".snap")?.to_owned();
            let text = fs::read_to_string(entry.path()).expect("a snapshot is text");
            // One of them lists reasons only.
            let (_, html) = text.split_once("==== html ====\n")?;
            Some((name, html.to_owned()))
        })
        .collect();
    mails.sort();
    assert!(mails.len() >= 28, "{}", mails.len());
    mails
}

fn html(mail: &Value) -> &str {
    mail["html"].as_str().expect("a mail with HTML")
}

async fn everything_happens_to(server: &TestServer, dana: &Person) {
    let asked = json!({ "email": dana.email });
    server.guest().post("/api/auth/magic-link", asked.clone()).await.expect_status(202);
    server.guest().post("/api/auth/password/forgot", asked).await.expect_status(202);
    // The links must still work when their mails are written.
    until("both links to be mailed", async || {
        (server.messages_to(&dana.email).await.len() == 3).then_some(())
    })
    .await;
    let max = server.mechanic().await;
    let session = dana.paid_session("chat10").await;
    max.accept(&session).await;
    max.step(&session, "start").await.expect_status(200);
    let summary = json!({
        "findings": "The third coil fails.\nSafe to drive gently until it is changed.",
        "steps_taken": "Swapped coils 2 and 3; the fault moved with the coil.",
        "parts_needed": "Ignition coil, $55 to $80, for example https://parts.example.com/honda/civic/2016/coil",
        "next_steps": "Change it within two weeks.", "photo_file_ids": [],
    });
    max.client.post(&format!("/api/sessions/{session}/summary"), summary).await.expect_status(201);
    max.step(&session, "end").await.expect_status(200);
    let second = dana.checkout("chat10").await;
    dana.pay(&second, GOOD_CARD).await.expect_status(303);
    let second = dana.session_of(&second).await;
    dana.step(&second, "cancel").await.expect_status(200);
    until("everything to be mailed", async || (server.jobs_left() == 0).then_some(())).await;
    server.advance_clock(7 * 86_400 + 60).await;
    server.message_to(&dana.email, "next_steps_reminder").await;
}

/// Whatever a mail would have to load: there is nothing that a reader misses when pictures are off.
const LOADED: &str = "
    const styled = [...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).backgroundImage !== 'none');
    return document.querySelectorAll('img, picture, svg, video, link, script, [background], [src]').length + styled.length;";

async fn judge(phone: &Browser, name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if phone.script(LOADED).await != 0 {
        faults.push(format!("{name}: it loads something"));
    }
    for width in [390, 320] {
        phone.resize(width, 844).await;
        if phone.scrolls_sideways().await {
            faults.push(format!("{name} at {width}: it scrolls sideways"));
        }
    }
    for (theme, dark) in [("light", false), ("dark", true)] {
        phone.set_dark(dark).await;
        phone.resize(390, 844).await;
        let found = phone.accessibility_faults().await;
        faults.extend(found.into_iter().map(|fault| format!("{name}, {theme}: {fault}")));
        let height = phone.script("return document.documentElement.scrollHeight;").await;
        phone.resize(390, height.as_u64().and_then(|all| u32::try_from(all).ok()).unwrap_or(844)).await;
        phone.picture(&format!("mail-{name}-{theme}")).await;
    }
    phone.set_dark(false).await;
    faults
}

/// The page behind the last line of a mail that can be switched off.
async fn one_tap_unsubscribes(phone: &Browser, mails: &[Value]) {
    let url =
        mails.iter().find_map(|mail| mail["unsubscribe_url"].as_str()).expect("one that can be switched off");
    let (_, token) = url.split_once("/unsubscribe/").expect("a token");
    phone.open(&format!("/unsubscribe/{token}")).await;
    for (button, shows) in
        [("Unsubscribe", "You are unsubscribed"), ("That was a mistake, send them again", "They come again")]
    {
        assert_eq!(phone.accessibility_faults().await, Vec::<String>::new(), "before {button}");
        assert!(!phone.scrolls_sideways().await, "before {button}");
        phone.picture(&format!("unsubscribe-{}", button.split(' ').next().unwrap_or_default())).await;
        phone.press(button).await;
        phone.reads(shows).await;
    }
    assert_eq!(phone.accessibility_faults().await, Vec::<String>::new());
}

/// The judges can say no.
async fn a_fault_is_found(phone: &Browser, server: &TestServer, html: &str) {
    let wide = "<img src=\"x.png\" alt=\"\"><div style=\"width:700px\">Wide</div><p style=\"color:#ddd;background:#fff\">Faint</p>";
    let file = server.folder().join("bad.html");
    fs::write(&file, html.replace("<div role=\"main\">", &format!("<div role=\"main\">{wide}")))
        .expect("a file");
    phone.open_file(&file).await;
    let faults = judge(phone, "bad").await;
    for part in ["it loads something", "scrolls sideways", "color-contrast"] {
        assert!(faults.iter().any(|fault| fault.contains(part)), "{part} in {faults:?}");
    }
}
