//! The ports of `jobs` and `notifications`, and what the doctor says of them.

use std::collections::BTreeSet;

use accounts::register::{NewUser, register};
use accounts::{Email, Name, TimeZone};
use jobs::{Counts, Error, Failure, Job, JobKind, JobStatus, NewJob, Store as _};
use kernel::{Context, Role, UserId};
use notifications::{
    Begin, Channel, DeliveryStatus, MailboxMessage, Message, Milestone, NewDelivery, SendError, Store as _,
    SuppressionReason,
};
use store::{Notice, doctor};
use uuid::Uuid;

use crate::world::World;

fn new(kind: JobKind, cx: &Context, after_seconds: i64, key: Option<&str>) -> NewJob {
    NewJob {
        kind,
        payload: r#"{"order_id":7}"#.to_owned(),
        run_at: cx.now.plus_seconds(after_seconds),
        dedupe_key: key.map(str::to_owned),
    }
}

async fn scheduled(world: &World, seconds: i64, after: i64, key: Option<&'static str>) -> bool {
    let cx = world.context(seconds);
    let done = world.db.write(move |tx| jobs::schedule(tx, new(JobKind::Refund, &cx, after, key), &cx)).await;
    done.expect("scheduled")
}

async fn leased(world: &World, seconds: i64, owner: &'static str, limit: u32) -> Vec<Job> {
    let cx = world.context(seconds);
    world.db.write(move |tx| jobs::lease(tx, owner, limit, &cx)).await.expect("leased")
}

#[tokio::test]
async fn a_dedupe_key_makes_one_job_and_each_new_one_wakes_the_workers() {
    for world in World::each() {
        assert!(scheduled(&world, 0, 0, Some("refund:1")).await);
        assert!(!scheduled(&world, 1, 0, Some("refund:1")).await);
        assert!(scheduled(&world, 2, 0, None).await && scheduled(&world, 3, 0, None).await);
        let woken = world.notices.lock().expect("not poisoned").clone();
        assert_eq!(woken.iter().filter(|notice| matches!(notice, Notice::JobsDue)).count(), 3);
        let all = leased(&world, 9, "one", 64).await;
        assert_eq!(all.len(), 3);
        let read: serde_json::Value = serde_json::from_str(all[0].payload()).expect("JSON");
        assert_eq!(read, serde_json::json!({ "order_id": 7 }));
    }
}

#[tokio::test]
async fn due_jobs_are_leased_once_the_longest_waiting_first_and_early_ones_stay() {
    for world in World::each() {
        for (after, key) in [(30, "third"), (10, "first"), (20, "second"), (500, "early")] {
            assert!(scheduled(&world, 0, after, Some(key)).await);
        }
        let keys = |jobs: &[Job]| -> Vec<String> {
            jobs.iter().filter_map(|job| job.stored().dedupe_key.clone()).collect()
        };
        assert_eq!(keys(&leased(&world, 100, "one", 2).await), ["first", "second"]);
        assert_eq!(keys(&leased(&world, 100, "two", 8).await), ["third"]);
        assert!(leased(&world, 100, "two", 8).await.is_empty());
        let cx = world.context(100);
        let counts = world.db.read(move |tx| tx.jobs_count(cx.now)).await.expect("counted");
        assert_eq!(counts, Counts { queued: 1, due: 0, running: 3, dead: 0 });
        let next = world.db.read(|tx| tx.jobs_next_instant()).await.expect("read");
        assert_eq!(next, Some(world.context(160).now), "the first lease ends before the early job is due");
    }
}

#[tokio::test]
async fn two_workers_at_once_never_get_the_same_job() {
    for world in World::each() {
        for _ in 0..40 {
            scheduled(&world, 0, 0, None).await;
        }
        let cx = world.context(1);
        let runs = (0..8).map(|number| {
            let (db, cx) = (world.db.clone(), cx.clone());
            tokio::spawn(async move {
                db.write(move |tx| jobs::lease(tx, &format!("worker-{number}"), 5, &cx))
                    .await
                    .expect("leased")
            })
        });
        let mut seen = BTreeSet::new();
        let mut all = 0;
        for run in runs.collect::<Vec<_>>() {
            for job in run.await.expect("runs") {
                all += 1;
                seen.insert(job.id());
            }
        }
        assert_eq!((all, seen.len()), (40, 40));
    }
}

#[tokio::test]
async fn only_the_lease_that_stands_may_report() {
    for world in World::each() {
        scheduled(&world, 0, 0, None).await;
        let lost = leased(&world, 0, "one", 1).await.remove(0);
        let early = world.context(59);
        let none = world.db.write(move |tx| jobs::release_expired(tx, &early)).await.expect("looked");
        assert_eq!(none, 0);
        let cx = world.context(60);
        let inside = cx.clone();
        assert_eq!(world.db.write(move |tx| jobs::release_expired(tx, &inside)).await.expect("released"), 1);
        let held = leased(&world, 61, "two", 1).await.remove(0);
        assert_eq!((held.id(), held.attempts()), (lost.id(), 2));
        for report in [0, 1, 2] {
            let (lost, cx) = (lost.clone(), cx.clone());
            let answer = world.db.write(move |tx| match report {
                0 => jobs::complete(tx, &lost, &cx),
                1 => jobs::renew(tx, &lost, &cx),
                _ => jobs::fail(tx, &lost, &Failure::Later("late".to_owned()), &cx).map(drop),
            });
            assert_eq!(answer.await, Err(Error::LeaseLost));
        }
        let (renewed, cx) = (held.clone(), world.context(100));
        world.db.write(move |tx| jobs::renew(tx, &renewed, &cx)).await.expect("renewed");
        let cx = world.context(150);
        assert_eq!(world.db.write(move |tx| jobs::release_expired(tx, &cx)).await.expect("looked"), 0);
        let (done, cx) = (held.clone(), world.context(150));
        world.db.write(move |tx| jobs::complete(tx, &done, &cx)).await.expect("completed");
        let stored = world.db.read(move |tx| tx.job_by_id(held.id())).await.expect("read").expect("there");
        assert_eq!(
            (stored.status(), stored.stored().finished_at),
            (JobStatus::Done, Some(world.context(150).now))
        );
    }
}

#[tokio::test]
async fn a_job_that_failed_for_good_is_listed_and_runs_again_when_asked() {
    for world in World::each() {
        scheduled(&world, 0, 0, Some("hopeless")).await;
        let job = leased(&world, 0, "one", 1).await.remove(0);
        let (id, cx) = (job.id(), world.context(1));
        let failed = world.db.write(move |tx| jobs::fail(tx, &job, &Failure::Never("no".to_owned()), &cx));
        assert_eq!(failed.await.expect("recorded").status(), JobStatus::Dead);
        let dead = world.db.read(|tx| tx.jobs_newest(Some(JobStatus::Dead), None, 10)).await.expect("listed");
        assert_eq!(dead.iter().map(Job::id).collect::<Vec<_>>(), [id]);
        assert_eq!(dead[0].stored().last_error.as_deref(), Some("no"));
        let before = world.db.read(move |tx| tx.jobs_newest(Some(JobStatus::Dead), Some(id), 10)).await;
        assert!(before.expect("listed").is_empty(), "the cursor is left out");
        let cx = world.context(2);
        world.db.write(move |tx| jobs::retry(tx, id, &cx)).await.expect("replayed");
        let cx = world.context(3);
        let again = world.db.write(move |tx| jobs::lease(tx, "one", 1, &cx)).await.expect("leased").remove(0);
        assert_eq!((again.id(), again.attempts()), (id, 1));
        let cx = world.context(4);
        let running = world.db.write(move |tx| jobs::retry(tx, id, &cx)).await;
        assert_eq!(running, Err(Error::NotRetryable(JobStatus::Running)));
    }
}

#[tokio::test]
async fn a_start_that_is_alone_takes_back_every_lease_and_a_repeating_kind_has_one_next_run() {
    for world in World::each() {
        scheduled(&world, 0, 0, None).await;
        leased(&world, 0, "killed", 1).await;
        let cx = world.context(1);
        let released = world.db.write(move |tx| {
            let released = jobs::release_held(tx, &cx)?;
            for kind in JobKind::ALL {
                jobs::schedule_next(tx, kind, &cx)?;
                jobs::schedule_next(tx, kind, &cx)?;
            }
            Ok::<_, Error>(released)
        });
        assert_eq!(released.await.expect("released"), 1);
        let repeating = JobKind::ALL.iter().filter(|kind| kind.every_seconds().is_some()).count();
        let queued =
            world.db.read(|tx| tx.jobs_newest(Some(JobStatus::Queued), None, 64)).await.expect("listed");
        assert_eq!(queued.len(), repeating + 1);
        // After a long stop each of them runs once, not once for every hour it missed.
        let due = leased(&world, 10 * 86_400, "one", 64).await;
        assert_eq!(due.len(), repeating + 1);
        for job in due {
            let cx = world.context(10 * 86_400);
            world.db.write(move |tx| jobs::complete(tx, &job, &cx)).await.expect("completed");
        }
        let queued =
            world.db.read(|tx| tx.jobs_newest(Some(JobStatus::Queued), None, 64)).await.expect("listed");
        assert_eq!(queued.len(), repeating);
        let cx = world.context(50 * 86_400);
        let pruned = world.db.write(move |tx| jobs::prune(tx, &cx)).await.expect("pruned");
        assert_eq!(usize::try_from(pruned).expect("small"), repeating + 1);
    }
}

async fn person(world: &World) -> UserId {
    let cx = world.context(0);
    let user = world.db.write(move |tx| {
        let new = NewUser {
            id: UserId::new(cx.id()),
            email: Email::parse("driver@example.com").expect("an address"),
            name: Name::parse("Maya").expect("a name"),
            role: Role::Customer,
            time_zone: TimeZone::utc(),
            password: None,
            workshop: None,
        };
        register(tx, new, &cx)
    });
    user.await.expect("registers").id()
}

fn booked(recipient: UserId, object: u128) -> NewDelivery {
    NewDelivery {
        milestone: Milestone::BookingConfirmed,
        channel: Channel::Mail,
        recipient,
        object: Uuid::from_u128(object),
        context: r#"{"about":"session"}"#.to_owned(),
    }
}

#[tokio::test]
async fn a_delivery_exists_once_for_its_key_and_keeps_its_outcome() {
    for world in World::each() {
        let recipient = person(&world).await;
        let cx = world.context(1);
        let (first, second) = world
            .db
            .write(move |tx| {
                let first = notifications::enqueue(tx, booked(recipient, 1), &cx)?;
                let second = notifications::enqueue(tx, booked(recipient, 1), &cx)?;
                Ok::<_, notifications::Error>((first, second))
            })
            .await
            .expect("enqueued");
        let delivery = first.expect("new");
        assert_eq!(second, None);
        let id = delivery.id();
        let cx = world.context(2);
        let sent = world.db.write(move |tx| {
            let (_, begin) = notifications::begin(tx, id, "driver@example.com", true)?;
            assert_eq!(begin, Begin::Send);
            notifications::finish(tx, id, &Ok("receipt".to_owned()), &cx)
        });
        assert_eq!(sent.await.expect("sent").status(), DeliveryStatus::Sent);
        let stored = world.db.read(move |tx| tx.delivery_by_id(id)).await.expect("read").expect("there");
        let stored = stored.stored();
        assert_eq!((stored.context.as_deref(), stored.provider_ref.as_deref()), (None, Some("receipt")));
        assert_eq!(stored.sent_at, Some(world.context(2).now));
    }
}

#[tokio::test]
async fn an_address_that_bounced_gets_nothing_more_whatever_its_case() {
    for world in World::each() {
        let recipient = person(&world).await;
        let cx = world.context(1);
        let stopped = world.db.write(move |tx| {
            let reasons = [SuppressionReason::Complained, SuppressionReason::Bounced];
            for reason in reasons {
                notifications::suppress(tx, Channel::Mail, "Driver@Example.com", reason, &cx)?;
            }
            let delivery = notifications::enqueue(tx, booked(recipient, 2), &cx)?.expect("new");
            notifications::begin(tx, delivery.id(), "driver@EXAMPLE.com", true)
        });
        let (delivery, begin) = stopped.await.expect("decided");
        assert_eq!((delivery.status(), begin), (DeliveryStatus::Suppressed, Begin::Ended));
        assert_eq!(delivery.stored().last_error.as_deref(), Some("bounced"));
    }
}

fn kept(number: u128, key: &str, at: &Context) -> MailboxMessage {
    MailboxMessage {
        id: Uuid::from_u128(number),
        channel: Channel::Mail,
        send_once_key: key.to_owned(),
        message: Message {
            to: "driver@example.com".to_owned(),
            subject: "Booked".to_owned(),
            text: "Soon — really".to_owned(),
            html: Some("<p>Soon</p>".to_owned()),
            links: vec!["http://localhost/chat/1".to_owned()],
            milestone: Milestone::BookingConfirmed,
            unsubscribe_url: Some("http://localhost/unsubscribe/x".to_owned()),
        },
        created_at: at.now,
    }
}

#[tokio::test]
async fn the_mailbox_takes_each_key_once_and_shows_the_newest_first() {
    for world in World::each() {
        for (number, key, seconds, taken) in [(1, "a", 1, true), (2, "b", 2, true), (3, "a", 3, false)] {
            let message = kept(number, key, &world.context(seconds));
            let inserted = world.db.write(move |tx| tx.mailbox_insert(&message)).await.expect("inserted");
            assert_eq!(inserted, taken, "{number}");
        }
        let newest = world.db.read(|tx| tx.mailbox_newest(10)).await.expect("listed");
        assert_eq!(newest, [kept(2, "b", &world.context(2)), kept(1, "a", &world.context(1))]);
        let one = world.db.read(|tx| tx.mailbox_by_id(Uuid::from_u128(1))).await.expect("read");
        assert_eq!(one, Some(kept(1, "a", &world.context(1))));
        let cx = world.context(2 + 30 * 86_400);
        let pruned = world.db.write(move |tx| notifications::prune_mailbox(tx, &cx)).await.expect("pruned");
        let left = world.db.read(|tx| tx.mailbox_newest(10)).await.expect("listed");
        assert_eq!((pruned, left.len()), (1, 1), "what is 30 days old stays one moment longer");
    }
}

#[tokio::test]
async fn the_doctor_finds_a_message_without_a_job_and_one_that_arrived_although_it_was_refused() {
    for world in World::each() {
        let recipient = person(&world).await;
        let cx = world.context(1);
        let examined = || world.db.read(doctor::examine);
        let broken = |findings: Vec<doctor::Finding>| -> Vec<String> {
            findings.into_iter().flat_map(|finding| finding.violations).collect()
        };
        assert_eq!(broken(examined().await.expect("examined")), Vec::<String>::new());
        let inside = cx.clone();
        let delivery =
            world.db.write(move |tx| notifications::enqueue(tx, booked(recipient, 3), &inside)).await;
        let delivery = delivery.expect("enqueued").expect("new");
        let (id, key) = (delivery.id(), delivery.stored().send_once_key.clone());
        let told = broken(examined().await.expect("examined"));
        assert!(told.len() == 1 && told[0].contains("no job is left"), "{told:?}");
        let message = kept(1, &key, &cx);
        let refused = world.db.write(move |tx| {
            tx.mailbox_insert(&message)?;
            notifications::begin(tx, id, "driver@example.com", true)?;
            notifications::finish(tx, id, &Err(SendError::Refused("no".to_owned())), &cx)
        });
        refused.await.expect("recorded");
        let told = broken(examined().await.expect("examined"));
        assert!(told.len() == 1 && told[0].contains("delivery is failed"), "{told:?}");
    }
}
