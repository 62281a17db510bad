//! Every page, light and dark, on a phone and at a desk: axe-core finds nothing, and nothing is wider than the window,
//! at 320 pixels and at 200 % zoom too.

use reqwest::Method;
use tests::browser::{Browser, Screen, in_browser};
use tests::{Backend, Person, TestServer, until};

use super::scenes::{self, Scene};

/// Phone and desk, which are judged and pictured; then the narrowest phone, and a desk at 200 % zoom.
const SIZES: [(&str, u32, u32); 4] =
    [("phone", 390, 844), ("desk", 1440, 900), ("narrow", 320, 568), ("zoomed", 720, 450)];

#[test]
fn pages_for_strangers_are_accessible_and_fit_everywhere() {
    all_are_good(scenes::of_strangers);
}

#[test]
fn pages_before_a_session_are_accessible_and_fit_everywhere() {
    all_are_good(scenes::of_customers);
}

#[test]
fn pages_around_an_account_are_accessible_and_fit_everywhere() {
    all_are_good(scenes::of_accounts);
}

#[test]
fn pages_around_a_session_are_accessible_and_fit_everywhere() {
    all_are_good(scenes::of_sessions);
}

#[test]
fn pages_about_applications_and_people_are_accessible_and_fit_everywhere() {
    all_are_good(scenes::of_staff);
}

#[test]
fn pages_about_money_are_accessible_and_fit_everywhere() {
    all_are_good(scenes::of_money);
}

#[test]
fn pages_of_trouble_are_accessible_and_fit_everywhere() {
    let tight = [("PITLANE_LIMITS__PERSON_BURST", "100"), ("PITLANE_LIMITS__PERSON_PER_SECOND", "1")];
    in_browser(Backend::Sqlite, &tight, async |server, driver| {
        let browser = driver.open(server, Screen::Desk).await;
        browser.open("/").await;
        browser.script("document.querySelector('offline-notice').hidden = false;").await;
        browser.reads("You are offline.").await;
        let mut faults = judge(&browser, "offline").await;
        let dana = server.customer().await;
        browser.sign_in_as(&dana).await;
        until("the limit to be met", async || {
            for _ in 0..120 {
                dana.client.get("/api/me").await;
            }
            browser.open("/dashboard").await;
            browser
                .script("return document.body.innerText.includes('That was a lot at once');")
                .await
                .as_bool()?
                .then_some(())
        })
        .await;
        faults.extend(judge(&browser, "error-429").await);
        let away = "ALTER TABLE sign_ins RENAME TO sign_ins_away";
        server.database().execute(away).expect("a table is away");
        browser.open("/account").await;
        browser.reads("Something broke on our side").await;
        faults.extend(judge(&browser, "error-500").await);
        server.database().execute("ALTER TABLE sign_ins_away RENAME TO sign_ins").expect("it is back");
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        browser.close().await;
    });
}

#[test]
fn the_page_without_a_database_is_accessible_and_the_next_one_works_again() {
    in_browser(Backend::Postgres, &[], async |server, driver| {
        let browser = driver.open(server, Screen::Desk).await;
        let dana = server.customer().await;
        browser.sign_in_as(&dana).await;
        browser.open("/dashboard").await;
        browser.reads("Dana Driver").await;
        server.database().plug(false);
        browser.open("/dashboard").await;
        browser.reads("We are just a moment away").await;
        let faults = judge(&browser, "error-503").await;
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        let request = dana.client.request(Method::GET, "/api/me");
        let answer = dana.client.attempt("GET /api/me".to_owned(), request).await;
        answer.refused(503, "unavailable");
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
        server.database().plug(true);
        browser.press("Try again").await;
        browser.reads("Dana Driver").await;
        browser.close().await;
    });
}

fn all_are_good(scenes: impl AsyncFnOnce(&TestServer) -> Vec<Scene>) {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let browser = driver.open(server, Screen::Desk).await;
        let mut faults = Vec::new();
        for scene in scenes(server).await {
            go_to(&browser, &scene).await;
            faults.extend(judge(&browser, scene.name).await);
        }
        // A scene has a job given up.
        server
            .database()
            .execute("UPDATE jobs SET status = 'done' WHERE status = 'dead'")
            .expect("nothing is dead");
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        a_fault_is_found(&browser).await;
        browser.close().await;
    });
}

async fn go_to(browser: &Browser, scene: &Scene) {
    browser.forget_sign_in().await;
    if let Some(cookie) = &scene.cookie {
        browser.set_cookie(cookie).await;
    }
    browser.open(&scene.path).await;
    browser.script(scene.prepare).await;
    browser.reads(scene.shows).await;
}

async fn judge(browser: &Browser, name: &str) -> Vec<String> {
    let pictures = std::env::var_os("PITLANE_TEST_PICTURES").is_some();
    let mut faults = Vec::new();
    for (size, width, height) in SIZES {
        browser.resize(width, height).await;
        if browser.scrolls_sideways().await {
            faults.push(format!("{name} on {size}: it scrolls sideways"));
        }
        if width < 390 || height < 800 {
            continue;
        }
        for (theme, dark) in [("light", false), ("dark", true)] {
            browser.set_dark(dark).await;
            let found = browser.accessibility_faults().await;
            faults.extend(found.into_iter().map(|fault| format!("{name} on {size}, {theme}: {fault}")));
            if pictures {
                browser.picture(&format!("page-{name}-{size}-{theme}")).await;
            }
        }
    }
    browser.set_dark(false).await;
    faults
}

/// The two judges can say no.
async fn a_fault_is_found(browser: &Browser) {
    browser.forget_sign_in().await;
    browser.open("/").await;
    browser.script("document.querySelector('main').append(document.createElement('button'));").await;
    assert!(browser.accessibility_faults().await.iter().any(|fault| fault.starts_with("button-name")));
    browser.resize(320, 568).await;
    browser.script("document.querySelector('h1').textContent = 'W'.repeat(200);").await;
    assert!(browser.scrolls_sideways().await);
}

#[test]
fn a_theme_that_was_chosen_stays_whatever_the_device_says() {
    in_browser(Backend::Sqlite, &[], async |server: &mut TestServer, driver| {
        let browser = driver.open(server, Screen::Phone).await;
        browser.set_dark(true).await;
        browser.open("/").await;
        let dark = ground(&browser).await;
        browser.click("theme-switch button").await;
        let light = ground(&browser).await;
        assert_ne!(dark, light, "the button changes the colours");
        let dana: Person = server.customer().await;
        browser.sign_in_as(&dana).await;
        for path in ["/dashboard", "/intake?plan=chat10", "/account"] {
            browser.open(path).await;
            assert_eq!(ground(&browser).await, light, "{path} keeps to the choice");
        }
        browser.close().await;
    });
}

async fn ground(browser: &Browser) -> serde_json::Value {
    browser.script("return getComputedStyle(document.documentElement).backgroundColor;").await
}
