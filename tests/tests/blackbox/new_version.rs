//! A new version takes over from the one before: people stay signed in, their sockets come back, nothing is lost.

use std::path::PathBuf;

use serde_json::{Value, json};
use tests::money::Meeting;
use tests::server::run_prepared;
use tests::{Backend, TestServer};

/// How a socket is told to connect again.
const RESTART: u16 = 1012;

/// How many messages are on their way when the old version is told to stop.
const ON_THEIR_WAY: usize = 20;

/// Two people talk while the server that carries them is replaced.
async fn taken_over(server: &mut TestServer) {
    let Meeting { customer, mechanic, session } = server.meeting().await;
    let channel = format!("session:{session}");
    let (mut dana, mut max) = (customer.socket(server).await, mechanic.socket(server).await);
    dana.join(&channel, 0).await;
    max.join(&channel, 0).await;
    let last = dana.say(&session, "before", "It rattles when cold.").await;
    max.event("message").await;
    let sent = |number: usize| json!({ "type": "send", "channel": channel, "client_ref": format!("way-{number}"), "text": format!("{number}") });
    for number in 0..ON_THEIR_WAY {
        dana.send(sent(number)).await;
    }
    server.upgrade().await;
    for socket in [&mut dana, &mut max] {
        assert_eq!(socket.closed().await, Some(RESTART));
    }

    // Whatever was not acknowledged is sent again under its own reference, as the pages do.
    let (mut dana, mut max) = (customer.socket(server).await, mechanic.socket(server).await);
    dana.join(&channel, last).await;
    let missed = max.join(&channel, last).await["events"].as_array().expect("events").clone();
    for number in 0..ON_THEIR_WAY {
        dana.say(&session, &format!("way-{number}"), &format!("{number}")).await;
    }
    let texts: Vec<Value> = customer
        .events(&session)
        .await
        .into_iter()
        .filter(|event| event["kind"] == "message")
        .map(|event| event["body"]["text"].clone())
        .collect();
    let mut expected = vec![json!("It rattles when cold.")];
    expected.extend((0..ON_THEIR_WAY).map(|number| json!(number.to_string())));
    assert_eq!(texts, expected, "each once, in order");
    let mut heard: Vec<Value> = missed.into_iter().filter(|event| event["kind"] == "message").collect();
    while heard.len() < ON_THEIR_WAY {
        heard.push(max.event("message").await);
    }
    let heard: Vec<Value> = heard.into_iter().map(|event| event["body"]["text"].clone()).collect();
    assert_eq!(heard, expected[1..], "whoever only listens misses nothing");
    mechanic.step(&session, "end").await.expect_status(200);
    assert_eq!(customer.session(&session).await["status"], "completed");
}

fn previous() -> Option<PathBuf> {
    std::env::var_os("PITLANE_TEST_PREVIOUS").map(PathBuf::from)
}

// The version before is the binary that `cargo xtask upgrade` built; the suite restarts the one under test.
fn takes_over(backend: Backend) {
    let prepare = |server: &mut TestServer| {
        if let Some(previous) = previous() {
            server.starts_as(previous);
        }
    };
    run_prepared(backend, &[], prepare, async |server, ()| taken_over(server).await);
}

#[test]
fn people_who_talk_come_back_to_the_new_version_on_sqlite() {
    takes_over(Backend::Sqlite);
}

#[test]
fn people_who_talk_come_back_to_the_new_version_on_postgres() {
    takes_over(Backend::Postgres);
}
