//! Flood control: one person, one address, and whom it leaves alone.

use reqwest::Method;
use reqwest::header::RETRY_AFTER;
use serde_json::json;
use tests::people::{DEMO_PASSWORD, PASSWORD};
use tests::server::run_with;
use tests::{Answer, Backend, Client, Person, Socket, TestServer, on_both, until};

use super::applications::workshop;

const TIGHT: [(&str, &str); 5] = [
    ("PITLANE_LIMITS__PERSON_BURST", "100"),
    ("PITLANE_LIMITS__PERSON_PER_SECOND", "2"),
    ("PITLANE_LIMITS__ADDRESS_BURST", "100"),
    ("PITLANE_LIMITS__ADDRESS_PER_SECOND", "2"),
    ("PITLANE_SERVER__TRUSTED_PROXIES", "127.0.0.1,::1"),
];

/// Two attempts a minute, so that ten times as many are few.
const FEW_ATTEMPTS: [(&str, &str); 2] =
    [("PITLANE_AUTH__LOGIN_ATTEMPTS_PER_MINUTE", "1"), ("PITLANE_SERVER__TRUSTED_PROXIES", "127.0.0.1,::1")];

/// Asks until it is refused; how often it was answered before, and the refusal.
async fn flood(client: &Client, path: &str) -> (usize, Answer) {
    for passed in 0..1_000 {
        let answer = client.get(path).await;
        if answer.status == 429 {
            return (passed, answer);
        }
        assert!(answer.status < 400, "{answer:?}");
    }
    panic!("{path} is never refused");
}

fn wait_of(refused: &Answer) -> u64 {
    let wait = refused.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    wait.unwrap_or_else(|| panic!("no Retry-After: {refused:?}"))
}

fn from(server: &TestServer, address: &str) -> Client {
    server.guest().with_header("x-forwarded-for", address)
}

#[test]
fn a_burst_of_one_person_passes_and_a_flood_is_told_when_to_come_again() {
    run_with(Backend::Sqlite, &TIGHT, async |server| {
        let (dana, sam) = (server.demo("customer").await, server.demo("customer2").await);
        let (passed, refused) = flood(&dana.client, "/api/me").await;
        assert!(passed >= 100, "a burst of 100 passes: {passed}");
        refused.refused(429, "too_many_requests");
        let wait = wait_of(&refused);
        assert!((1..=2).contains(&wait), "{wait}");
        let page = dana.client.get("/dashboard").await;
        assert_eq!(page.status, 429, "pages and the API are one bucket");
        assert!(page.text.contains("<html") && wait_of(&page) >= 1, "{page:?}");
        sam.client.get("/api/me").await.expect_status(200);
        tokio::time::sleep(std::time::Duration::from_secs(wait)).await;
        dana.client.get("/api/me").await.expect_status(200);
        for path in ["/healthz", "/readyz", "/metrics", "/static/css/tokens.css", "/api/plans"] {
            for _ in 0..150 {
                dana.client.get(path).await.expect_status(200);
            }
        }
    });
}

#[test]
fn a_flood_from_one_address_stops_that_address_alone() {
    run_with(Backend::Sqlite, &TIGHT, async |server| {
        let (passed, refused) = flood(&from(server, "203.0.113.7"), "/api/plans").await;
        assert!((100..150).contains(&passed), "{passed}");
        refused.refused(429, "too_many_requests");
        from(server, "203.0.113.8").get("/api/plans").await.expect_status(200);
        // What stands left of the proxy's own word was written by the client.
        let forged = from(server, "198.51.100.9, 203.0.113.7").get("/api/plans").await;
        assert_eq!(forged.status, 429);
        flood(&from(server, "2001:db8:1:2::1"), "/").await;
        assert_eq!(from(server, "2001:db8:1:2:ffff::9").get("/api/plans").await.status, 429, "one /64");
        from(server, "2001:db8:1:3::1").get("/api/plans").await.expect_status(200);
        // Signing in has a limit of its own, on attempts.
        let person = json!({ "email": "customer@example.com", "password": "pitlane-demo" });
        from(server, "203.0.113.7").post("/api/auth/login", person).await.expect_status(200);
    });
}

#[test]
fn a_person_has_no_more_sockets_than_the_limit_says() {
    run_with(Backend::Sqlite, &[("PITLANE_LIMITS__PERSON_SOCKETS", "3")], async |server| {
        let (dana, sam) = (server.demo("customer").await, server.demo("customer2").await);
        let mut open = Vec::new();
        for _ in 0..3 {
            let mut socket = dana.socket(server).await;
            // It counts from when it is signed in.
            socket.still_answers().await;
            open.push(socket);
        }
        let refused = Socket::try_connect(server, &dana.client, None).await;
        assert_eq!(refused.err(), Some(429));
        sam.socket(server).await.still_answers().await;
        let token = dana.client.post("/api/me/tokens", json!({ "name": "script" })).await.expect_status(201);
        let mut by_frame = Socket::connect(server, &server.guest()).await;
        by_frame.send(json!({ "type": "authenticate", "token": token.text_at("token") })).await;
        assert_eq!(by_frame.closed().await, Some(1008));
        for socket in &mut open {
            socket.still_answers().await;
        }
        drop(open.pop());
        let again = async || Socket::try_connect(server, &dana.client, None).await.ok();
        until("the closed socket to be forgotten", again).await.still_answers().await;
    });
}

async fn sign_in_from(server: &TestServer, address: &str, email: &str, password: &str) -> Answer {
    let typed = json!({ "email": email, "password": password });
    from(server, address).post("/api/auth/login", typed).await
}

#[test]
fn guesses_that_are_spread_over_accounts_or_over_addresses_come_to_an_end() {
    run_with(Backend::Sqlite, &FEW_ATTEMPTS, async |server| {
        let (dana, home, guesser) = ("customer@example.com", "198.51.100.1", "203.0.113.7");
        sign_in_from(server, home, dana, DEMO_PASSWORD).await.expect_status(200);
        for number in 0..10 {
            let somebody = format!("somebody-{number}@example.com");
            sign_in_from(server, guesser, &somebody, "a guess").await.refused(401, "wrong_credentials");
        }
        let refused = sign_in_from(server, guesser, dana, DEMO_PASSWORD).await;
        refused.refused(429, "too_many_requests");
        assert!((1..=60).contains(&wait_of(&refused)), "{refused:?}");
        sign_in_from(server, "203.0.113.8", dana, DEMO_PASSWORD).await.expect_status(200);

        for number in 0..10 {
            let address = format!("192.0.2.{number}");
            sign_in_from(server, &address, dana, "a guess").await.refused(401, "wrong_credentials");
        }
        sign_in_from(server, "192.0.2.99", dana, DEMO_PASSWORD).await.refused(429, "too_many_requests");
        // Strangers can't keep her out of where she is signed in, and have no say in other accounts.
        sign_in_from(server, home, dana, DEMO_PASSWORD).await.expect_status(200);
        sign_in_from(server, "192.0.2.99", "customer2@example.com", DEMO_PASSWORD).await.expect_status(200);
        server.advance_clock(61).await;
        for address in [guesser, "192.0.2.99"] {
            sign_in_from(server, address, dana, DEMO_PASSWORD).await.expect_status(200);
        }
    });
}

#[test]
fn nobody_registers_one_stranger_after_the_other() {
    run_with(Backend::Sqlite, &FEW_ATTEMPTS, async |server| {
        let register = async |address: &str, email: &str| {
            let body = json!({ "email": email, "password": PASSWORD, "name": "Dana", "role": "customer" });
            from(server, address).post("/api/auth/register", body).await
        };
        for number in 0..10 {
            register("203.0.113.7", &format!("stranger-{number}@example.com")).await.expect_status(201);
        }
        let refused = register("203.0.113.7", "stranger-10@example.com").await;
        refused.refused(429, "too_many_requests");
        assert!((1..=60).contains(&wait_of(&refused)), "{refused:?}");
        assert_eq!(mailed(server, "stranger-10@example.com"), 0);
        // A link is asked for like a registration, and answered as always.
        let links = || server.database().count("deliveries", "milestone = 'magic_link'");
        for (address, sent) in [("203.0.113.7", 0), ("203.0.113.8", 1)] {
            let wanted = json!({ "email": "customer@example.com" });
            from(server, address).post("/api/auth/magic-link", wanted).await.expect_status(202);
            assert_eq!(links(), sent, "{address}");
        }
        register("203.0.113.8", "stranger-10@example.com").await.expect_status(201);
    });
}

async fn asks_for_address(person: &Person, email: &str) -> Answer {
    let body = json!({ "email": email, "current_password": PASSWORD });
    person.client.send(Method::PATCH, "/api/me", Some(body)).await
}

async fn invites(owner: &Person, email: &str) -> Answer {
    let invited = owner.client.post("/api/workshops/me/invitations", json!({ "email": email })).await;
    if invited.status == 201 {
        let path = format!("/api/workshops/me/invitations/{}", invited.text_at("id"));
        owner.client.send(Method::DELETE, &path, None).await.expect_status(204);
    }
    invited
}

/// Mails that reached the address.
fn mailed(server: &TestServer, address: &str) -> i64 {
    server.database().count("mailbox_messages", &format!("recipient_address = '{address}'"))
}

on_both! {
    async fn nobody_can_fill_a_strangers_mailbox_by_changing_their_address(server) {
        let dana = server.customer().await;
        for number in 0..5 {
            asks_for_address(&dana, &format!("stranger-{number}@example.com")).await.expect_status(200);
        }
        let refused = asks_for_address(&dana, "stranger-5@example.com").await;
        refused.refused(429, "too_many_requests");
        assert!(wait_of(&refused) > 3_000, "an hour: {refused:?}");
        // What can't be mailed changes nothing; the rest of the account is as open as before.
        let renamed = json!({ "name": "Dana D." });
        dana.client.send(Method::PATCH, "/api/me", Some(renamed)).await.expect_status(200);
        server.mailed_token("stranger-4@example.com", "email_change", "/auth/verify/").await;
        assert_eq!(mailed(server, "stranger-5@example.com"), 0);
        server.advance_clock(3_601).await;
        let again = server.sign_in(&dana.email, PASSWORD).await;
        asks_for_address(&again, "stranger-5@example.com").await.expect_status(200);
    }

    async fn an_address_gets_few_mails_that_nobody_there_asked_for(server) {
        let owner = workshop(server, "Northside Motors").await;
        let (dana, target) = (server.customer().await, "target@example.com");
        asks_for_address(&dana, target).await.expect_status(200);
        for _ in 0..2 {
            invites(&owner, target).await.expect_status(201);
        }
        invites(&owner, target).await.refused(429, "too_many_requests");
        asks_for_address(&dana, target).await.refused(429, "too_many_requests");
        invites(&owner, "colleague@example.com").await.expect_status(201);
        // Who has an account gets links as often as a person needs them, and no more.
        for _ in 0..15 {
            server.guest().post("/api/auth/magic-link", json!({ "email": dana.email })).await.expect_status(202);
        }
        let links = || server.database().count("deliveries", "milestone = 'magic_link'");
        assert_eq!(links(), 10);
        server.advance_clock(3_601).await;
        server.guest().post("/api/auth/magic-link", json!({ "email": dana.email })).await.expect_status(202);
        assert_eq!(links(), 11);
    }
}
