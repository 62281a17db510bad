//! Many mails at once: one call for up to a hundred, each mail once whatever breaks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tests::resend::{FakeResend, Sent};
use tests::{Backend, Person, TestServer, until};

use super::with_carrier_on;

/// Runs a body on both databases, with a carrier of its own.
macro_rules! on_both {
    ($($name:ident => $body:path;)+) => { $(
        mod $name {
            #[test]
            fn on_sqlite() {
                super::with_carrier_on(tests::Backend::Sqlite, $body);
            }

            #[test]
            fn on_postgres() {
                super::with_carrier_on(tests::Backend::Postgres, $body);
            }
        }
    )+ };
}

on_both! {
    many_mails_that_are_due_go_in_one_call_and_one_bad_address_stops_no_other => super::one_call;
    a_crash_before_the_answer_sends_each_mail_once => super::crash;
    a_batch_that_is_refused_as_a_whole_goes_one_by_one => super::refused;
    a_batch_that_was_not_taken_goes_again_as_it_was => super::not_taken;
}

const DOWN: (u16, &str) = (429, r#"{"name":"rate_limit_exceeded","message":"x"}"#);
const PEOPLE: usize = 24;

/// People whose first mail could not be sent yet, because the carrier was busy. Then everything comes due at once.
async fn crowd(server: &TestServer, carrier: &FakeResend) -> Vec<Person> {
    carrier.fail(Some(DOWN));
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        people.push(server.register("customer", &format!("Driver {number}")).await);
    }
    until("everybody's mail to have been tried", async || {
        let tried: BTreeSet<String> = carrier.sent().iter().map(address).collect();
        let waiting = "kind IN ('mail', 'mail_batch') AND status = 'running'";
        (tried.len() == PEOPLE && server.database().count("jobs", waiting) == 0).then_some(())
    })
    .await;
    people
}

fn address(sent: &Sent) -> String {
    sent.body["to"][0].as_str().expect("an address").to_owned()
}

/// How many mails each address got.
fn delivered(carrier: &FakeResend) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for mail in carrier.delivered() {
        *counts.entry(mail["to"][0].as_str().expect("an address").to_owned()).or_default() += 1;
    }
    counts
}

fn in_batches(carrier: &FakeResend) -> Vec<Sent> {
    carrier.sent().into_iter().filter(|sent| sent.asked == "POST /emails/batch").collect()
}

async fn settled(server: &TestServer, status: &str, count: usize) {
    let wanted = i64::try_from(count).expect("few");
    let condition = format!("status = '{status}'");
    until(&format!("{count} deliveries to be {status}"), async || {
        (server.database().count("deliveries", &condition) == wanted).then_some(())
    })
    .await;
}

/// Lets time pass in steps until so many mails were sent. Whether jobs are left says nothing here: at every step some
/// become due that have nothing to do with mail.
async fn sent_in_time(server: &TestServer, count: usize, step_seconds: u32) {
    let wanted = i64::try_from(count).expect("few");
    until(&format!("{count} mails to be sent in steps of {step_seconds} seconds"), async || {
        server.advance_clock(step_seconds).await;
        (server.database().count("deliveries", "status = 'sent'") == wanted).then_some(())
    })
    .await;
}

async fn everybody_once(server: &TestServer, carrier: &FakeResend, people: &[Person]) {
    settled(server, "sent", people.len()).await;
    let expected: BTreeMap<String, usize> = people.iter().map(|person| (person.email.clone(), 1)).collect();
    assert_eq!(delivered(carrier), expected);
}

async fn one_call(server: &mut TestServer, carrier: &FakeResend) {
    let people = crowd(server, carrier).await;
    let (bad, good) = people.split_last().expect("people");
    carrier.reject(&bad.email);
    carrier.fail(None);
    server.advance_clock(3_600).await;
    everybody_once(server, carrier, good).await;
    settled(server, "failed", 1).await;
    let together = in_batches(carrier);
    let keys: BTreeSet<&str> = together.iter().map(|sent| sent.key.as_str()).collect();
    assert!(together.len() > keys.len() && !keys.contains(""), "{keys:?}");
    let refs = "provider_ref LIKE 'mail-%'";
    let known = i64::try_from(good.len()).expect("few");
    assert_eq!(server.database().count("deliveries", refs), known, "each has its own id of the carrier");
}

async fn crash(server: &mut TestServer, carrier: &FakeResend) {
    let people = crowd(server, carrier).await;
    carrier.fail(None);
    carrier.hold_answers(true);
    server.advance_clock(3_600).await;
    let key = until("a batch to be taken", async || {
        in_batches(carrier).into_iter().find(|sent| is_taken(carrier, sent)).map(|sent| sent.key)
    })
    .await;
    let under_the_key = || -> Vec<Value> {
        in_batches(carrier).into_iter().filter(|sent| sent.key == key).map(|sent| sent.body).collect()
    };
    // It may have been tried in vain before, so only the last try is looked at.
    let before = under_the_key();
    let tries = before.iter().filter(|body| **body == before[0]).count();
    let call = before[before.len() - before.len() / tries..].to_vec();
    server.kill9();
    carrier.hold_answers(false);
    server.start().await;
    server.advance_clock(3_600).await;
    everybody_once(server, carrier, &people).await;
    let after = under_the_key();
    assert_eq!(after.len(), before.len() + call.len(), "the same call was made once more");
    assert_eq!(after[before.len()..], call, "the same mails in the same order under the same key");
}

fn is_taken(carrier: &FakeResend, sent: &Sent) -> bool {
    carrier.delivered().contains(&sent.body)
}

async fn refused(server: &mut TestServer, carrier: &FakeResend) {
    carrier.take_no_batches();
    let people = crowd(server, carrier).await;
    carrier.fail(None);
    server.advance_clock(3_600).await;
    sent_in_time(server, people.len(), 60).await;
    everybody_once(server, carrier, &people).await;
    assert!(!in_batches(carrier).is_empty(), "it was tried together first");
}

async fn not_taken(server: &mut TestServer, carrier: &FakeResend) {
    let people = crowd(server, carrier).await;
    server.advance_clock(3_600).await;
    until("a batch to be tried in vain", async || (!in_batches(carrier).is_empty()).then_some(())).await;
    carrier.fail(None);
    sent_in_time(server, people.len(), 900).await;
    everybody_once(server, carrier, &people).await;
}

#[test]
fn a_lone_mail_goes_on_a_call_of_its_own() {
    with_carrier_on(Backend::Sqlite, async |server, carrier| {
        let dana = server.register("customer", "Dana").await;
        settled(server, "sent", 1).await;
        let sent = carrier.sent();
        assert_eq!((sent.len(), sent[0].asked.as_str(), address(&sent[0])), (1, "POST /emails", dana.email));
    });
}
