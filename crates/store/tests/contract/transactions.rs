//! Transactions: what commits, what is undone, and what is told.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use kernel::StoreError;
use store::{Db, Notice, OpenError, Settings, Stored, Tx};

use crate::world::World;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let rows: Vec<Count> = sql_query("SELECT COUNT(*) AS number FROM kept").load(tx.conn()).stored()?;
    Ok(rows.first().map_or(0, |row| row.number))
}

fn keep(tx: &mut Tx<'_>, number: i64) -> Result<(), StoreError> {
    tx.conn().batch_execute(&format!("INSERT INTO kept (number) VALUES ({number})")).stored()?;
    tx.notify(Notice::JobsDue);
    Ok(())
}

async fn prepared() -> Vec<World> {
    let worlds = World::each();
    for world in &worlds {
        world
            .db
            .write(|tx| tx.conn().batch_execute("CREATE TABLE kept (number BIGINT PRIMARY KEY)").stored())
            .await
            .expect("creates");
    }
    worlds
}

fn told(world: &World) -> usize {
    world.notices.lock().expect("not poisoned").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_closure_is_undone_alone_and_tells_nothing() {
    for world in prepared().await {
        let writes: Vec<_> = (0..40)
            .map(|number| {
                let db = world.db.clone();
                tokio::spawn(async move {
                    db.write(move |tx| {
                        keep(tx, number)?;
                        if number % 2 == 0 {
                            Err(StoreError::Corrupt("on purpose".to_owned()))
                        } else {
                            Ok(number)
                        }
                    })
                    .await
                })
            })
            .collect();
        for (number, write) in (0..40).zip(writes) {
            assert_eq!(
                write.await.expect("ends").is_ok(),
                number % 2 == 1,
                "{number} on {}",
                world.db.kind()
            );
        }
        assert_eq!(world.db.read(count).await, Ok(20), "{}", world.db.kind());
        assert_eq!(told(&world), 20, "{}", world.db.kind());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_one_closure_and_nothing_else() {
    for world in prepared().await {
        let panicked: Result<(), StoreError> = world
            .db
            .write(|tx| {
                keep(tx, 1)?;
                panic!("on purpose")
            })
            .await;
        assert!(matches!(panicked, Err(StoreError::Unavailable(_))), "{}", world.db.kind());
        world.db.write(|tx| keep(tx, 2)).await.expect("the next one is served");
        assert_eq!(world.db.read(count).await, Ok(1), "{}", world.db.kind());
        assert_eq!(told(&world), 1, "{}", world.db.kind());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_glance_sees_what_is_committed_and_changes_nothing_however_many_look() {
    for world in prepared().await {
        world.db.write(|tx| keep(tx, 1)).await.expect("kept");
        let wrote: Result<(), StoreError> = world.db.glance(|tx| keep(tx, 2)).await;
        assert!(wrote.is_err(), "{}", world.db.kind());
        let panicked: Result<(), StoreError> = world.db.glance(|_| panic!("on purpose")).await;
        assert!(matches!(panicked, Err(StoreError::Unavailable(_))), "{}", world.db.kind());
        // More than there are connections, so that some have to wait for one.
        let glances: Vec<_> = (0..64)
            .map(|_| {
                let db = world.db.clone();
                tokio::spawn(async move { db.glance(count).await })
            })
            .collect();
        for glance in glances {
            assert_eq!(glance.await.expect("ends"), Ok(1), "{}", world.db.kind());
        }
        assert_eq!(told(&world), 1, "{}", world.db.kind());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_savepoint_undoes_its_rows_and_its_notices_and_the_rest_goes_on() {
    for world in prepared().await {
        let kept = world
            .db
            .write(|tx| {
                keep(tx, 1)?;
                // On PostgreSQL a violated constraint would end the whole transaction without the savepoint.
                let inner = tx.savepoint(|tx| {
                    keep(tx, 2)?;
                    keep(tx, 1)
                });
                assert!(matches!(inner, Err(StoreError::Constraint(_))), "{inner:?}");
                tx.savepoint(|tx| keep(tx, 3))?;
                count(tx)
            })
            .await;
        assert_eq!(kept, Ok(2), "{}", world.db.kind());
        assert_eq!(told(&world), 2, "{}", world.db.kind());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_undone_in_one_closure_leaves_those_beside_it_as_they_are() {
    for world in prepared().await {
        let runs = Arc::new(AtomicU32::new(0));
        let writes: Vec<_> = (0..60)
            .map(|number| {
                let (db, runs) = (world.db.clone(), Arc::clone(&runs));
                tokio::spawn(async move {
                    db.write(move |tx| {
                        runs.fetch_add(1, Ordering::Relaxed);
                        keep(tx, number)?;
                        // Every third one has a part that fails and goes on without it, as a step of a journey does.
                        if number % 3 == 0 {
                            let part = tx.savepoint(|tx| {
                                keep(tx, 1_000 + number)?;
                                Err::<(), _>(StoreError::Corrupt("on purpose".to_owned()))
                            });
                            match part {
                                Err(StoreError::Corrupt(_)) => {}
                                Err(error) => return Err(error),
                                Ok(()) => panic!("it failed"),
                            }
                        }
                        Ok(number)
                    })
                    .await
                })
            })
            .collect();
        for (number, write) in (0..60).zip(writes) {
            assert_eq!(write.await.expect("ends"), Ok(number), "{}", world.db.kind());
        }
        assert_eq!(world.db.read(count).await, Ok(60), "{}", world.db.kind());
        assert_eq!(told(&world), 60, "{}", world.db.kind());
        // Where savepoints cost much, those beside a part that failed ran twice.
        let runs = runs.load(Ordering::Relaxed);
        assert_eq!(runs > 60, world.db.kind() == "sqlite", "{runs} on {}", world.db.kind());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_wrote_nothing_makes_nobody_run_again() {
    for world in prepared().await {
        let runs = Arc::new(AtomicU32::new(0));
        let writes: Vec<_> = (0..40)
            .map(|number| {
                let (db, runs) = (world.db.clone(), Arc::clone(&runs));
                tokio::spawn(async move {
                    db.write(move |tx| {
                        runs.fetch_add(1, Ordering::Relaxed);
                        count(tx)?;
                        if number % 2 == 0 {
                            return Err(StoreError::Corrupt("on purpose".to_owned()));
                        }
                        keep(tx, number)
                    })
                    .await
                })
            })
            .collect();
        for (number, write) in (0..40).zip(writes) {
            let written = write.await.expect("ends");
            assert_eq!(written.is_ok(), number % 2 == 1, "{number} on {}", world.db.kind());
        }
        assert_eq!(world.db.read(count).await, Ok(20), "{}", world.db.kind());
        assert_eq!(runs.load(Ordering::Relaxed), 40, "{}", world.db.kind());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_changes_nothing() {
    for world in prepared().await {
        let written = world.db.read(|tx| keep(tx, 1)).await;
        assert!(
            matches!(written, Err(StoreError::Unavailable(_) | StoreError::Constraint(_))),
            "{written:?}"
        );
        assert_eq!(world.db.read(count).await, Ok(0), "{}", world.db.kind());
        assert_eq!(told(&world), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_lost_runs_again() {
    for world in prepared().await {
        let attempts = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&attempts);
        let result: Result<(), StoreError> = world
            .db
            .write(move |tx| {
                let first = seen.fetch_add(1, Ordering::SeqCst) == 0;
                keep(tx, 1)?;
                match tx.conn() {
                    store::AnyConnection::Postgres(postgres) if first => postgres
                        .batch_execute("DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$")
                        .stored(),
                    store::AnyConnection::Postgres(_) | store::AnyConnection::Sqlite(_) => Ok(()),
                }
            })
            .await;
        assert_eq!(result, Ok(()), "{}", world.db.kind());
        let expected = if world.db.kind() == "postgres" { 2 } else { 1 };
        assert_eq!(attempts.load(Ordering::SeqCst), expected);
        assert_eq!((world.db.read(count).await, told(&world)), (Ok(1), 1), "{}", world.db.kind());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_may_migrate_at_once() {
    for world in World::each() {
        world
            .db
            .write(|tx| tx.conn().batch_execute("DROP VIEW IF EXISTS none_of_ours").stored())
            .await
            .expect("writes");
        let starters: Vec<_> = (0..4)
            .map(|_| {
                let settings = world.settings.clone();
                std::thread::spawn(move || Db::migrate(&settings))
            })
            .collect();
        for starter in starters {
            assert_eq!(starter.join().expect("ends").expect("migrates"), Vec::<String>::new());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_a_newer_version_is_refused_by_name() {
    for world in World::each() {
        world
            .db
            .write(|tx| {
                let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000000')";
                tx.conn().batch_execute(newer).stored()
            })
            .await
            .expect("writes");
        for refused in [Db::open(&world.settings).map(drop), Db::migrate(&world.settings).map(drop)] {
            assert!(
                matches!(&refused, Err(OpenError::SchemaNewer(version)) if version == "99991231000000"),
                "{refused:?}"
            );
        }
    }
}

#[test]
fn a_mistyped_address_is_never_a_file() {
    for url in ["", "postgre://host/db", "pitlane.db", "sqlite:pitlane.db", "sqlite://", "mysql://host/db"] {
        assert!(matches!(Settings::new(url), Err(OpenError::Url(_))), "{url}");
    }
}

#[test]
fn a_place_shows_no_password() {
    let settings = Settings::new("postgres://pitlane:secret@db.example.com/pitlane").expect("a database");
    assert_eq!(settings.place(), "postgres://db.example.com/pitlane");
    let settings =
        Settings::new("postgres://pitlane@db.example.com/pitlane?password=secret").expect("a database");
    assert_eq!(settings.place(), "postgres://db.example.com/pitlane");
}

#[test]
fn a_file_that_cannot_be_written_or_made_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("not-a-folder");
    std::fs::write(&file, "").expect("writes");
    let settings = Settings::new(&format!("sqlite://{}/test.db", file.display())).expect("a database");
    let refused = Db::migrate(&settings).expect_err("a file is no folder");
    assert!(refused.to_string().contains("can't be opened"), "{refused}");
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "this is no database at all, whatever its name says".repeat(20))
        .expect("writes");
    let settings = Settings::new(&format!("sqlite://{}", garbage.display())).expect("a database");
    assert!(Db::migrate(&settings).is_err());
    assert!(Db::open(&settings).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_writes_changes_nothing_and_finds_a_file_that_was_cut_off() {
    for world in World::each() {
        let path = world.settings.sqlite_path();
        let log = || path.map(|path| std::fs::read(format!("{}-wal", path.display())).expect("the log"));
        for _ in 0..2 {
            let before = log();
            world.db.probe().await.expect("all is well");
            assert!(before.is_none() || before != log(), "nothing was written");
        }
        let Some(path) = path else { continue };
        let file = File::options().write(true).open(path).expect("the database's file");
        let length = file.metadata().expect("its length").len();
        file.set_len(length / 2).expect("it is cut off");
        let found = world.db.probe().await.expect_err("half of it is gone");
        assert!(matches!(found, StoreError::Unavailable(_)), "{found:?}");
    }
}
