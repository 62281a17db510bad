//! What support is told of, and what a mechanic was told, on SQLite and PostgreSQL.

use kernel::Context;
use kernel::id::{EventId, UserId};
use notifications::{Alert, AlertCause, AlertStore, Milestone, NewAlert, PersonalNotice, Store as _, alert};
use store::Tx;
use store::views::watch;

use super::{Failure, Scene};
use crate::databases::on_each_database;

impl From<notifications::Error> for Failure {
    fn from(error: notifications::Error) -> Self {
        match error {
            notifications::Error::Store(error) => Self::Store(error),
            notifications::Error::NotFound => panic!("there is such an alert"),
        }
    }
}

async fn at<T, W>(scene: &Scene, seconds: i64, work: W) -> T
where
    T: Send + 'static,
    W: Fn(&mut Tx<'_>, &Context) -> Result<T, Failure> + Send + 'static,
{
    let cx = scene.world.context(seconds);
    scene.world.db.write(move |tx| work(tx, &cx)).await.expect("no failure")
}

#[test]
fn a_cause_is_told_once_lasts_until_it_ends_and_waits_until_it_is_seen() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        let (session, admin, customer) = (scene.session, scene.admin, scene.customer);
        let since = scene.world.context(0).now;
        let absent = NewAlert {
            cause: AlertCause::ParticipantAbsent,
            object: customer.uuid(),
            session: Some(session),
            since,
        };
        // Two that are about no session differ all the same.
        let dead = NewAlert { cause: AlertCause::JobDead, session: None, ..absent };
        let raise = |found: NewAlert| at(&scene, 120, move |tx, cx| Ok(alert::raise(tx, found, cx)?));
        let first = raise(absent).await.expect("it is new");
        assert_eq!(raise(absent).await, None);
        let second = raise(dead).await.expect("it is new");
        assert_eq!(raise(dead).await, None);

        let lasting = |of| at(&scene, 130, move |tx, _| Ok(tx.alerts_lasting(of)?));
        assert_eq!(lasting(None).await, [first, second]);
        assert_eq!(lasting(Some(session)).await, [first]);
        let open = || at(&scene, 130, |tx, _| Ok(watch::open_alerts(tx)?));
        assert_eq!(open().await, [first, second]);

        let see =
            |by: UserId, seconds| at(&scene, seconds, move |tx, cx| Ok(alert::see(tx, first.id, by, cx)?));
        let seen = Alert { seen: Some((admin, scene.world.context(140).now)), ..first };
        assert_eq!(see(admin, 140).await, Some((seen, true)));
        assert_eq!(see(customer, 150).await, Some((seen, false)), "the first stays");
        assert_eq!(open().await, [second]);
        assert_eq!(lasting(None).await, [seen, second], "its cause is still there");

        let end = |seconds| at(&scene, seconds, move |tx, cx| Ok(tx.alert_end(first.id, cx.now)?));
        assert!(end(160).await);
        assert!(!end(161).await);
        let ended = Alert { ended_at: Some(scene.world.context(160).now), ..seen };
        assert_eq!(at(&scene, 170, move |tx, _| Ok(tx.alert_by_id(first.id)?)).await, Some(ended));
        let page = |before| at(&scene, 170, move |tx, _| Ok(watch::alerts(tx, before, 10)?));
        assert_eq!(page(None).await, [second, ended]);
        assert_eq!(page(Some(second.id)).await, [ended]);
        assert_eq!(raise(absent).await, None, "the same cause does not come again");

        let prune = |seconds| at(&scene, seconds, |tx, cx| Ok(alert::prune(tx, cx)?));
        assert_eq!(prune(160 + alert::KEEP_ENDED_SECONDS).await, 0);
        assert_eq!(prune(161 + alert::KEEP_ENDED_SECONDS).await, 1);
        assert_eq!(lasting(None).await, [second], "what lasts is kept");
    });
}

#[test]
fn a_notice_is_found_by_its_person_its_session_its_kind_and_its_time() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        let (session, mechanic, other) = (scene.session, scene.mechanics[0], scene.mechanics[1]);
        at(&scene, 200, move |tx, cx| {
            let notice = PersonalNotice {
                id: EventId::new(cx.id()),
                user: mechanic,
                session,
                milestone: Milestone::StartNudge,
                created_at: cx.now,
                acknowledged_at: None,
            };
            Ok(tx.notice_insert(&notice)?)
        })
        .await;
        for (user, milestone, since, expected) in [
            (mechanic, Milestone::StartNudge, 20, true),
            (mechanic, Milestone::StartNudge, 200, true),
            (mechanic, Milestone::StartNudge, 201, false),
            (mechanic, Milestone::SessionUpgraded, 20, false),
            (other, Milestone::StartNudge, 20, false),
        ] {
            let since = scene.world.context(since).now;
            let found =
                at(&scene, 300, move |tx, _| Ok(tx.notice_since(user, session, milestone, since)?)).await;
            assert_eq!(found, expected, "{user} {milestone} {since}");
        }
    });
}
