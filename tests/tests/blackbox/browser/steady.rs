//! Nothing on a page moves by itself while it loads.

use std::time::Duration;

use serde_json::{Value, json};
use tests::browser::{Browser, Screen, in_browser};
use tests::{Backend, Meeting, Person, TestServer};

const WATCH: &str = "
    window.moved = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        if (!entry.hadRecentInput)
          moved.push([entry.value, entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 120) ?? '')]);
    }).observe({ type: 'layout-shift', buffered: true });";

/// Less than anybody sees, a row of a list by half a line, which a machine that is very busy may cost.
const STILL: f64 = 0.002;

/// What has moved, if anything has.
async fn moved(browser: &Browser) -> Option<Value> {
    let moved = browser.script("return moved;").await;
    let sum: f64 = moved.as_array().into_iter().flatten().filter_map(|part| part[0].as_f64()).sum();
    (sum >= STILL).then_some(moved)
}

/// What has its place on the page and is not shown: parts that wait for others have to show once those are there.
const NOT_SHOWN: &str = "
    return [...document.body.querySelectorAll('*')]
      .filter((part) => part.getClientRects().length > 0 && getComputedStyle(part).visibility === 'hidden')
      .filter((part) => !part.closest('count-down[hidden], video'))
      .map((part) => part.outerHTML.slice(0, 120));";

/// A running chat whose log does not fit into a window.
async fn long_meeting(server: &TestServer) -> Meeting {
    let meeting = server.meeting().await;
    for number in 0..20 {
        let text = "It shakes at a light and smooths out when I drive.";
        meeting.customer.say(&meeting.session, &format!("{number}"), text).await.expect_status(201);
    }
    meeting
}

#[test]
fn no_page_moves_while_it_loads() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = long_meeting(server).await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        let started = async |plan: &str| {
            let session = dana.paid_session(plan).await;
            max.accept(&session).await;
            max.step(&session, "start").await.expect_status(200);
            session
        };
        let over = started("chat10").await;
        max.step(&over, "end").await.expect_status(200);
        let room = format!("/sessions/{}/room", started("video15").await);
        let chat = format!("/chat/{session}");
        let complete = format!("/sessions/{over}/complete");
        let seen: [(&Person, &[&str]); 2] = [
            (dana, &["/", "/dashboard", "/intake?plan=chat10", &chat, &complete, &room, "/account"]),
            (max, &["/mechanic", &chat, &room]),
        ];
        let mut faults = Vec::new();
        for screen in [Screen::Phone, Screen::Desk] {
            for (person, paths) in seen {
                let browser = driver.open(server, screen).await;
                browser.sign_in_as(person).await;
                browser.slow_phone().await;
                for path in paths {
                    browser.open(path).await;
                    browser.script(WATCH).await;
                    tokio::time::sleep(Duration::from_millis(900)).await;
                    faults.extend(
                        moved(&browser).await.map(|moved| format!("{path} of {}: {moved}", person.email)),
                    );
                    let missing = browser.script(NOT_SHOWN).await;
                    if missing != json!([]) {
                        faults.push(format!("{path} of {} does not show {missing}", person.email));
                    }
                }
                browser.close().await;
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    });
}

/// Writes a page of this server as a slow line brings it: part by part, with a picture after each. The first part gives
/// the window its width, and what moves within half a second of that is not counted.
const ARRIVE: &str = "
    window.arrived = false;
    const shown = () => new Promise((then) => requestAnimationFrame(() => setTimeout(then)));
    (async () => {
      const html = await (await fetch('PATH')).text();
      document.open();
      for (let at = 0, end; at < html.length; at = end) {
        end = html.indexOf('<', at + Math.ceil(html.length / 30));
        if (end < 0) end = html.length;
        document.write(html.slice(at, end));
        await shown();
        if (at === 0) await new Promise((then) => setTimeout(then, 600));
      }
      document.close();
      await shown();
      await shown();
      window.arrived = true;
    })();";

#[test]
fn no_part_of_a_page_moves_while_the_rest_arrives() {
    in_browser(Backend::Sqlite, &[], async |server, driver| {
        let meeting = long_meeting(server).await;
        let (dana, max, session) = (&meeting.customer, &meeting.mechanic, &meeting.session);
        let video = dana.paid_session("video15").await;
        max.accept(&video).await;
        let (chat, room) = (format!("/chat/{session}"), format!("/sessions/{video}/room"));
        let seen: [(&Person, &[&str]); 2] =
            [(dana, &["/dashboard", &chat, &room]), (max, &["/mechanic", &chat, &room])];
        let mut faults = Vec::new();
        for screen in [Screen::Phone, Screen::Desk] {
            for (person, paths) in seen {
                let browser = driver.open(server, screen).await;
                browser.sign_in_as(person).await;
                for path in paths {
                    // A page without a script, which would be there before its elements are.
                    browser.open("/static/css/tokens.css").await;
                    browser.script(WATCH).await;
                    browser.script(&ARRIVE.replace("PATH", path)).await;
                    tests::until("the page to have arrived", async || {
                        (browser.script("return window.arrived;").await == true).then_some(())
                    })
                    .await;
                    faults.extend(
                        moved(&browser).await.map(|moved| format!("{path} of {}: {moved}", person.email)),
                    );
                }
                browser.close().await;
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    });
}
