//! The clock of a session, on SQLite and PostgreSQL: warned once, ended once, lengthened.

use diesel::prelude::*;
use kernel::id::OrderId;
use kernel::{Context, StoreError};
use sessions::{EndReason, Error, Invalid, Kind, NewExtension, Status, Store, Tick};
use store::schema::payments::orders;
use store::types::Id;
use store::{Stored, Tx};

use super::{Failure, Scene};
use crate::databases::on_each_database;

/// A session of ten minutes that starts a minute after the beginning of time.
async fn running(world: crate::databases::World) -> Scene {
    let scene = Scene::accepted(world).await;
    let (session, mechanic) = (scene.session, scene.mechanics[0]);
    scene.step(move |tx, cx| sessions::start(tx, session, mechanic, cx)).await;
    scene
}

async fn at<T, W>(scene: &Scene, seconds: i64, work: W) -> Result<T, Failure>
where
    T: Send + 'static,
    W: Fn(&mut Tx<'_>, &Context) -> Result<T, Failure> + Send + 'static,
{
    let cx = scene.world.context(seconds);
    scene.world.db.write(move |tx| work(tx, &cx)).await
}

async fn tick(scene: &Scene, seconds: i64) -> Tick {
    let session = scene.session;
    at(scene, seconds, move |tx, cx| Ok(sessions::tick(tx, session, 120, cx)?)).await.expect("a tick")
}

const fn minutes(minutes: u32) -> NewExtension {
    NewExtension { minutes, order: None, price_cents: 0 }
}

#[test]
fn a_session_is_warned_once_and_ended_once_however_often_its_clock_ticks() {
    on_each_database(async |world| {
        let scene = running(world).await;
        let instant = |seconds| scene.world.context(seconds).now;
        assert_eq!(tick(&scene, 60).await, Tick::Until(instant(540)));
        assert_eq!(tick(&scene, 540).await, Tick::Until(instant(660)));
        assert_eq!(tick(&scene, 541).await, Tick::Until(instant(660)), "it has been said");
        let Tick::Ended(step) = tick(&scene, 700).await else { panic!("its time is up") };
        assert_eq!((step.session.status(), step.before), (Status::Completed, Status::InProgress));
        assert_eq!(step.session.end_reason(), Some(EndReason::TimeLimit));
        assert_eq!(step.session.parts().ended_at, Some(instant(700)), "as of when it was noticed");
        assert_eq!(tick(&scene, 701).await, Tick::Still);
        let log = scene.log().await;
        let kinds: Vec<_> = log.iter().map(|event| event.kind).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == Kind::TimeWarning).count(), 1);
        assert_eq!(kinds.last(), Some(&Kind::Ended));
        let warning = log.iter().find(|event| event.kind == Kind::TimeWarning).expect("warned");
        assert!(warning.body().contains(r#""seconds_left":120"#), "{}", warning.body());
        scene.assert_log_holds().await;
    });
}

#[test]
fn no_clock_ticks_before_the_start() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        assert_eq!(tick(&scene, 100_000).await, Tick::Still);
    });
}

#[test]
fn more_time_moves_the_deadline_and_has_a_warning_of_its_own() {
    on_each_database(async |world| {
        let scene = running(world).await;
        let (session, instant) = (scene.session, |seconds| scene.world.context(seconds).now);
        tick(&scene, 600).await;
        let longer = at(&scene, 610, move |tx, cx| Ok(sessions::extend(tx, session, minutes(10), cx)?))
            .await
            .expect("more");
        assert_eq!(longer.session.deadline_at(), Some(instant(60 + 1_200)));
        let body = longer.events[0].body();
        assert_eq!(longer.events[0].kind, Kind::Extended);
        assert!(body.contains(r#""minutes":10"#) && body.contains("deadline_at"), "{body}");
        assert_eq!(tick(&scene, 660).await, Tick::Until(instant(1_140)), "the old deadline");
        assert_eq!(tick(&scene, 1_140).await, Tick::Until(instant(1_260)));
        assert!(matches!(tick(&scene, 1_260).await, Tick::Ended(_)));
        let stored = scene.run(move |tx, _| Ok(tx.extensions(session)?)).await.expect("reads");
        let told: Vec<_> = stored.iter().map(|one| (one.number, one.minutes, one.price_cents)).collect();
        assert_eq!(told, [(1, 10, 0)]);
        assert_eq!(stored[0].created_at, instant(610));
        scene.assert_log_holds().await;
    });
}

#[test]
fn only_a_session_in_progress_is_lengthened_and_none_beyond_the_longest() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        let (session, mechanic) = (scene.session, scene.mechanics[0]);
        let extend = async |by: u32| {
            scene.run(move |tx, cx| Ok(sessions::extend(tx, session, minutes(by), cx)?)).await.map(|_| ())
        };
        let early = extend(10).await;
        assert!(matches!(early, Err(Failure::Sessions(Error::InvalidTransition(_)))), "{early:?}");
        scene.step(move |tx, cx| sessions::start(tx, session, mechanic, cx)).await;
        let refused = |max| Err(Failure::Sessions(Invalid::ExtensionMinutes { max }.into()));
        assert_eq!(extend(0).await, refused(470));
        assert_eq!(extend(471).await, refused(470));
        assert_eq!(extend(470).await, Ok(()));
        assert_eq!(extend(1).await, refused(0));
        scene.step(move |tx, cx| sessions::end(tx, session, mechanic, cx)).await;
        assert!(extend(1).await.is_err(), "it is over");
        let stored = scene.run(move |tx, _| Ok(tx.extensions(session)?.len())).await;
        assert_eq!(stored, Ok(1));
        scene.assert_log_holds().await;
    });
}

#[test]
fn an_order_that_does_not_exist_lengthens_nothing() {
    on_each_database(async |world| {
        let scene = running(world).await;
        let (session, order) = (scene.session, OrderId::new(scene.world.context(0).id()));
        let new = NewExtension { minutes: 5, order: Some(order), price_cents: 499 };
        let made = scene.run(move |tx, cx| Ok(sessions::extend(tx, session, new, cx)?)).await;
        assert!(matches!(made, Err(Failure::Sessions(Error::Store(StoreError::Constraint(_))))), "{made:?}");
        let left = scene
            .run(move |tx, _| Ok((tx.extensions(session)?.len(), tx.session_by_id(session)?)))
            .await
            .expect("reads");
        assert_eq!((left.0, left.1.map(|session| session.parts().allowance_minutes)), (0, Some(10)));
    });
}

#[test]
fn an_order_lengthens_its_session_once() {
    on_each_database(async |world| {
        let scene = running(world).await;
        let (session, customer) = (scene.session, scene.customer);
        let order = scene
            .run(move |tx, cx| {
                let intake = crate::views::describe(tx, customer, cx)?;
                crate::views::pay(tx, customer, intake, session, cx)?;
                let made: Id = orders::table.select(orders::id).first(tx.conn()).stored()?;
                Ok(OrderId::new(made.0))
            })
            .await
            .expect("an order");
        let new = NewExtension { minutes: 5, order: Some(order), price_cents: 499 };
        let extend = async || {
            scene.run(move |tx, cx| Ok(sessions::extend(tx, session, new, cx)?)).await.expect("more time")
        };
        assert_eq!(extend().await.events.len(), 1);
        assert!(extend().await.events.is_empty(), "the same order again");
        let stored = scene.run(move |tx, _| Ok(tx.extensions(session)?)).await.expect("reads");
        assert_eq!(stored.len(), 1);
        assert_eq!((stored[0].order, stored[0].price_cents, stored[0].minutes), (Some(order), 499, 5));
        let parts =
            scene.run(move |tx, _| Ok(tx.session_by_id(session)?)).await.expect("reads").expect("it exists");
        assert_eq!(parts.parts().allowance_minutes, 15);
    });
}
