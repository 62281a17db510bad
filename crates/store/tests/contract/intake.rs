//! The ports of `intake` and `crm`.

use accounts::register::{NewUser, register};
use accounts::{Email, Name, TimeZone};
use crm::{Datum, Interaction, InteractionKind, NewInteraction, Store as _};
use diesel::connection::SimpleConnection;
use intake::scrub::PictureSize;
use intake::submit::NewIntake;
use intake::upload::{
    self, ARRIVAL_SECONDS, DAY_SECONDS, INTAKE_SECONDS, NewUpload, UNUSED_SECONDS, WAITING_MAX,
};
use intake::{
    ContentType, Error, Fault, Intake, ProviderType, Routing, Store as _, Submitted, Upload, VehicleForm,
    Waiver, Waivers, submit,
};
use kernel::{
    Context, Currency, FileId, IntakeId, InteractionId, Money, OrderId, PlanCode, ProviderId, Role,
    SessionId, StoreError, UpsellId, UserId,
};
use store::{Stored, Tx};

use crate::world::World;

const VIN: &str = "1HGCM82633A004352";

/// What one person may send in a day here: 12 bytes for each upload that may wait, and one more.
const DAY_MAX: u64 = 12 * 101;

async fn person(world: &World, email: &'static str, role: Role) -> UserId {
    let cx = world.context(0);
    let user = world.db.write(move |tx| {
        let new = NewUser {
            id: UserId::new(cx.id()),
            email: Email::parse(email).expect("an address"),
            name: Name::parse("Somebody").expect("a name"),
            role,
            time_zone: TimeZone::utc(),
            password: None,
            workshop: None,
        };
        register(tx, new, &cx)
    });
    user.await.expect("registers").id()
}

fn waivers() -> Waivers {
    let waiver = |version| Waiver::parse(version, "# Waiver\n\nSome text.").expect("a waiver");
    Waivers::new(vec![waiver("2025-10"), waiver("2026-01")]).expect("versions")
}

fn new_intake(customer: UserId) -> NewIntake {
    NewIntake {
        customer,
        plan: Some(PlanCode::Chat10),
        vehicle: VehicleForm {
            year: 2003,
            make: "Honda".into(),
            model: "Accord".into(),
            vin: Some(VIN.into()),
            mileage: Some(84_000),
        },
        concern: "It shakes when I brake — also \u{1F697}\nsince Monday".into(),
        accept_waiver: true,
        waiver_shown: None,
        address: "192.0.2.1".into(),
        routing: None,
        preferred_provider: None,
        provider_type: None,
        hold: None,
        upsell: None,
        files: vec![],
        faults: vec![],
    }
}

async fn submitted(world: &World, seconds: i64, new: NewIntake) -> Result<Submitted, Error> {
    let cx = world.context(seconds);
    world.db.write(move |tx| submit(tx, &waivers(), new.clone(), &cx)).await
}

async fn uploaded(world: &World, seconds: i64, owner: UserId) -> Result<Upload, Error> {
    let cx = world.context(seconds);
    world
        .db
        .write(move |tx| {
            let new = NewUpload {
                id: FileId::new(cx.id()),
                owner,
                name: Some("dash.jpg".into()),
                content_type: ContentType::Jpeg,
                size_bytes: 12,
                sha256: [7; 32],
                picture: Some(PictureSize { width: 4, height: 3 }),
            };
            upload::announce(tx, new.id, &cx)?;
            upload::add(tx, new, DAY_MAX, &cx)
        })
        .await
}

async fn read(world: &World, id: IntakeId) -> Intake {
    let found: Result<_, StoreError> = world.db.read(move |tx| tx.intake_by_id(id)).await;
    found.expect("reads").expect("it is there")
}

fn codes(error: Error) -> Vec<(String, &'static str)> {
    match error {
        Error::Invalid(faults) => faults.into_iter().map(|fault| (fault.field, fault.code)).collect(),
        other @ (Error::FileKind
        | Error::FileEmpty
        | Error::FileTooLarge { .. }
        | Error::FileUnreadable
        | Error::PictureTooLarge { .. }
        | Error::DayFull { .. }
        | Error::UploadTooSlow
        | Error::TooManyUploads { .. }
        | Error::UnknownVehicle
        | Error::VehicleKept
        | Error::TooManyVehicles { .. }
        | Error::Store(_)) => {
            panic!("not a fault of a field: {other}")
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intake_is_read_as_it_was_written() {
    for world in World::each() {
        let customer = person(&world, "customer@example.com", Role::Customer).await;
        let mechanic = person(&world, "mechanic@example.com", Role::Mechanic).await;
        let (first, second) = (uploaded(&world, 0, customer).await, uploaded(&world, 0, customer).await);
        let mut new = new_intake(customer);
        new.files = vec![second.expect("uploads").id, first.expect("uploads").id];
        new.preferred_provider = Some(ProviderId::new(mechanic.uuid()));
        new.provider_type = Some(ProviderType::Independent);
        new.upsell = Some(UpsellId::new(world.context(0).id()));
        let done = submitted(&world, 10, new.clone()).await.expect("submits");
        assert_eq!(done.intake.routing, Routing::PriorityBroadcast, "a preferred mechanic is asked first");
        assert_eq!(done.intake.files, new.files);
        assert_eq!(read(&world, done.intake.id).await, done.intake, "on {}", world.db.kind());

        let intake = done.intake.id;
        let accepted: Result<_, StoreError> =
            world.db.read(move |tx| tx.waiver_acceptance_of_intake(intake)).await;
        let accepted = accepted.expect("reads").expect("it is there");
        assert_eq!(accepted, done.acceptance);
        assert_eq!((accepted.version.as_str(), accepted.address.as_str()), ("2026-01", "192.0.2.1"));
        assert_eq!(accepted.accepted_at, world.context(10).now);

        let locked: Result<_, StoreError> =
            world.db.write(move |tx| tx.intake_by_id_for_update(intake)).await;
        assert_eq!(locked.expect("reads"), Some(done.intake.clone()));
        let latest: Result<_, StoreError> = world.db.read(move |tx| tx.intake_latest(customer)).await;
        assert_eq!(latest.expect("reads"), Some(done.intake));
        let none: Result<_, StoreError> = world.db.read(move |tx| tx.intake_latest(mechanic)).await;
        assert_eq!(none.expect("reads"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_intake_leaves_nothing_and_names_every_fault() {
    for world in World::each() {
        let customer = person(&world, "customer@example.com", Role::Customer).await;
        let other = person(&world, "other@example.com", Role::Customer).await;
        let foreign = uploaded(&world, 0, other).await.expect("uploads").id;
        let mine = uploaded(&world, 0, customer).await.expect("uploads");
        let unknown = FileId::new(world.context(0).id());
        let mut new = new_intake(customer);
        new.plan = None;
        new.faults = vec![Fault::new("hold_id", "not_found", "There is no such hold.")];
        new.concern = " ".into();
        new.vehicle.year = 2004;
        new.accept_waiver = false;
        new.routing = Some(Routing::PriorityBroadcast);
        new.files = vec![mine.id, mine.id, foreign, unknown];
        let refused = submitted(&world, 0, new).await.expect_err("refused");
        let expected = [
            ("plan", "unknown_plan"),
            ("hold_id", "not_found"),
            ("concern", "too_short"),
            ("vehicle.vin", "vin_year_mismatch"),
            ("accept_waiver", "waiver_not_accepted"),
            ("preferred_mechanic_id", "missing"),
            ("file_ids[1]", "repeated"),
            ("file_ids[2]", "not_found"),
            ("file_ids[3]", "not_found"),
        ];
        assert_eq!(codes(refused), expected.map(|(field, code)| (field.to_owned(), code)));

        let mut too_many = new_intake(customer);
        too_many.files = vec![unknown; 7];
        let refused = submitted(&world, 0, too_many).await.expect_err("refused");
        assert_eq!(codes(refused), [("file_ids".to_owned(), "too_many")]);

        let left: Result<_, StoreError> = world
            .db
            .read(move |tx| {
                let now = mine.created_at;
                Ok((
                    tx.intake_latest(customer)?,
                    tx.vehicles_by_customer(customer, None, 10)?,
                    tx.upload_waiting(mine.id, customer, now)?.map(|upload| upload.expires_at),
                ))
            })
            .await;
        let untouched = world.context(UNUSED_SECONDS).now;
        assert_eq!(left.expect("reads"), (None, vec![], Some(untouched)), "on {}", world.db.kind());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_car_is_kept_once_with_its_newest_description() {
    for world in World::each() {
        let customer = person(&world, "customer@example.com", Role::Customer).await;
        let other = person(&world, "other@example.com", Role::Customer).await;
        let first = submitted(&world, 0, new_intake(customer)).await.expect("submits").intake;
        let mut again = new_intake(customer);
        again.vehicle.model = "Accord LX".into();
        again.vehicle.mileage = None;
        let second = submitted(&world, 60, again).await.expect("submits").intake;
        let foreign = submitted(&world, 60, new_intake(other)).await.expect("submits").intake;
        assert_eq!(second.vehicle_id, first.vehicle_id);
        assert_ne!(foreign.vehicle_id, first.vehicle_id);

        let cars: Result<_, StoreError> =
            world.db.read(move |tx| tx.vehicles_by_customer(customer, None, 10)).await;
        let cars = cars.expect("reads");
        let kept: Vec<_> =
            cars.iter().map(|car| (car.vehicle.model(), car.vehicle.vin(), car.vehicle.mileage())).collect();
        assert_eq!(kept, [("Accord LX", Some(VIN), Some(84_000))], "an unknown mileage keeps the known one");
        assert_eq!(read(&world, first.id).await.vehicle.mileage(), Some(84_000));
        assert_eq!(read(&world, second.id).await.vehicle.mileage(), None, "the mileage of its own time");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_intakes_at_one_time_share_one_car() {
    for world in World::each() {
        let customer = person(&world, "customer@example.com", Role::Customer).await;
        let writes: Vec<_> = (0..8)
            .map(|_| {
                let (db, cx) = (world.db.clone(), world.context(0));
                tokio::spawn(async move {
                    db.write(move |tx| submit(tx, &waivers(), new_intake(customer), &cx)).await
                })
            })
            .collect();
        let mut cars = Vec::new();
        for write in writes {
            cars.push(write.await.expect("ends").expect("submits").intake.vehicle_id);
        }
        cars.dedup();
        assert_eq!(cars.len(), 1, "on {}", world.db.kind());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_its_owners_until_it_expires() {
    for world in World::each() {
        let customer = person(&world, "customer@example.com", Role::Customer).await;
        let other = person(&world, "other@example.com", Role::Customer).await;
        let used = uploaded(&world, 0, customer).await.expect("uploads");
        let unused = uploaded(&world, 0, customer).await.expect("uploads");
        let mut new = new_intake(customer);
        new.files = vec![used.id];
        let intake = submitted(&world, 1, new).await.expect("submits").intake;

        let waiting = |file: FileId, owner: UserId, seconds: i64| {
            let (db, now) = (world.db.clone(), world.context(seconds).now);
            async move {
                let found: Result<_, StoreError> =
                    db.read(move |tx| tx.upload_waiting(file, owner, now)).await;
                found.expect("reads")
            }
        };
        assert_eq!(waiting(unused.id, customer, 0).await, Some(unused.clone()));
        assert_eq!(waiting(unused.id, other, 0).await, None);
        assert_eq!(waiting(unused.id, customer, UNUSED_SECONDS).await, None);
        assert!(
            waiting(used.id, customer, UNUSED_SECONDS).await.is_some(),
            "an intake keeps its files longer"
        );

        let swept = |seconds: i64| {
            let (db, now) = (world.db.clone(), world.context(seconds).now);
            async move {
                let swept: Result<_, StoreError> = db
                    .write(move |tx| {
                        let expired = tx.uploads_expired(now, 10)?;
                        for (file, _) in &expired {
                            tx.upload_delete_expired(*file, now)?;
                        }
                        Ok(expired)
                    })
                    .await;
                swept.expect("sweeps")
            }
        };
        assert_eq!(swept(UNUSED_SECONDS - 1).await, vec![]);
        assert_eq!(swept(UNUSED_SECONDS).await, [(unused.id, unused.storage_key)]);
        assert_eq!(swept(UNUSED_SECONDS + INTAKE_SECONDS).await, [(used.id, used.storage_key)]);
        assert_eq!(read(&world, intake.id).await.files, vec![], "on {}", world.db.kind());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_piles_up_uploads() {
    for world in World::each() {
        let customer = person(&world, "customer@example.com", Role::Customer).await;
        for _ in 0..WAITING_MAX {
            uploaded(&world, 0, customer).await.expect("uploads");
        }
        let refused = uploaded(&world, 0, customer).await;
        assert_eq!(refused, Err(Error::TooManyUploads { max: WAITING_MAX }));
        assert!(uploaded(&world, UNUSED_SECONDS, customer).await.is_ok(), "expired ones don't count");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_announced_and_counts_for_a_day() {
    for world in World::each() {
        let customer = person(&world, "customer@example.com", Role::Customer).await;
        let add = |seconds: i64, announced: i64, size_bytes: u64| {
            let (from, to) = (world.context(announced), world.context(seconds));
            let new = NewUpload {
                id: FileId::new(to.id()),
                owner: customer,
                name: None,
                content_type: ContentType::Jpeg,
                size_bytes,
                sha256: [7; 32],
                picture: None,
            };
            let db = world.db.clone();
            async move {
                let id = new.id;
                let begun = db.write(move |tx| upload::announce(tx, id, &from)).await;
                begun.expect("is announced");
                db.write(move |tx| upload::add(tx, new.clone(), 100, &to)).await.map(drop)
            }
        };
        assert_eq!(add(ARRIVAL_SECONDS, 0, 1).await, Err(Error::UploadTooSlow));
        assert_eq!(add(10, 0, 60).await, Ok(()));
        let full = |retry_after_seconds| Err(Error::DayFull { max_bytes: 100, retry_after_seconds });
        assert_eq!(add(30, 20, 41).await, full(86_380));
        assert_eq!(add(30, 20, 40).await, Ok(()));
        assert_eq!(add(DAY_SECONDS + 9, DAY_SECONDS, 1).await, full(1));
        assert_eq!(add(DAY_SECONDS + 11, DAY_SECONDS, 60).await, Ok(()), "the first counts no more");
        let left = |seconds: i64| {
            let (db, before) = (world.db.clone(), world.context(seconds).now);
            async move {
                let left: Result<_, StoreError> = db.read(move |tx| tx.arrivals_expired(before, 10)).await;
                left.expect("reads").len()
            }
        };
        // The one that was too slow, the two that were too much.
        assert_eq!((left(ARRIVAL_SECONDS - 1).await, left(ARRIVAL_SECONDS).await), (0, 1));
        assert_eq!(left(2 * DAY_SECONDS).await, 3, "on {}", world.db.kind());
    }
}

fn one_of_each(customer: UserId, cx: &Context) -> Vec<NewInteraction> {
    let order = OrderId::new(cx.id());
    let money = Money::new(999, Currency::Usd);
    vec![
        NewInteraction::waiver_accepted(customer, IntakeId::new(cx.id()), "2026-01"),
        NewInteraction::checkout_started(customer, order, PlanCode::Chat10, money, Some("cs_test_1")),
        NewInteraction::favorite_added(customer, ProviderId::new(cx.id())),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_are_read_newest_first_and_only_ones_own() {
    for world in World::each() {
        let customer = person(&world, "customer@example.com", Role::Customer).await;
        let other = person(&world, "other@example.com", Role::Customer).await;
        let cx = world.context(5);
        let written: Result<Vec<Interaction>, StoreError> = world
            .db
            .write(move |tx| {
                one_of_each(other, &cx)
                    .into_iter()
                    .try_for_each(|new| crm::record(tx, new, &cx).map(drop))?;
                one_of_each(customer, &cx).into_iter().map(|new| crm::record(tx, new, &cx)).collect()
            })
            .await;
        let mut written = written.expect("records");
        written.reverse();
        let page = |before: Option<InteractionId>, limit: u32| {
            let db = world.db.clone();
            async move {
                let page: Result<_, StoreError> =
                    db.read(move |tx| tx.interactions_by_customer(customer, before, limit)).await;
                page.expect("reads")
            }
        };
        assert_eq!(page(None, 10).await, written, "on {}", world.db.kind());
        assert_eq!(page(None, 1).await, written[..1]);
        assert_eq!(page(Some(written[0].id), 10).await, written[1..]);
        let checkout = written.iter().find(|step| step.kind == InteractionKind::CheckoutStarted);
        let told = checkout.and_then(|step| step.metadata.get("stripe_session_id").cloned());
        assert_eq!(told, Some(Datum::from("cs_test_1")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_cannot_be_recorded_stops_nothing() {
    for world in World::each() {
        let customer = person(&world, "customer@example.com", Role::Customer).await;
        let cx = world.context(0);
        let after: Result<_, StoreError> = world
            .db
            .write(move |tx: &mut Tx<'_>| {
                let nowhere = SessionId::new(cx.id());
                let failed = tx.savepoint(|inner| {
                    crm::record(inner, NewInteraction::summary_viewed(customer, nowhere), &cx)
                });
                assert!(matches!(failed, Err(StoreError::Constraint(_))), "there is no such session");
                crm::record(tx, NewInteraction::favorite_added(customer, ProviderId::new(cx.id())), &cx)?;
                tx.interactions_by_customer(customer, None, 10)
            })
            .await;
        let kinds: Vec<_> = after.expect("the transaction goes on").iter().map(|step| step.kind).collect();
        assert_eq!(kinds, [InteractionKind::FavoriteAdded], "on {}", world.db.kind());
    }
}

// The domain refuses these before they come here; the tables do so again.
#[tokio::test(flavor = "multi_thread")]
async fn the_tables_refuse_what_must_never_be() {
    for world in World::each() {
        let customer = person(&world, "customer@example.com", Role::Customer).await;
        let intake = submitted(&world, 0, new_intake(customer)).await.expect("submits").intake.id;
        let broken = [
            "UPDATE intakes SET plan = 'gold'",
            "UPDATE intakes SET concern = 'x'",
            "UPDATE intakes SET routing_type = 'priority_broadcast'",
            "UPDATE vehicles SET year = 1900",
            "UPDATE vehicles SET make = ''",
            "UPDATE waiver_acceptances SET version = ''",
            "DELETE FROM vehicles",
            "DELETE FROM intakes",
        ];
        for statement in broken {
            let done: Result<(), StoreError> =
                world.db.write(move |tx| tx.conn().batch_execute(statement).stored()).await;
            assert!(matches!(done, Err(StoreError::Constraint(_))), "{statement} on {}", world.db.kind());
        }
        assert_eq!(read(&world, intake).await.plan, PlanCode::Chat10);
    }
}
