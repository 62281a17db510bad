//! What screens read of sessions and requests, on SQLite and PostgreSQL.

use std::collections::BTreeMap;

use diesel::prelude::*;
use dispatch::{NewRequest, Routing};
use kernel::id::{FileId, IntakeId, OrderId, PaymentId, ProviderId, RequestId, SessionId, UserId, VehicleId};
use kernel::{Context, PlanCode, SessionType, StoreError};
use payments::PaymentStatus;
use sessions::media::{Ending, Media, MediaStore, Together};
use sessions::{NewSession, ParticipantRole, Status, VideoProvider};
use store::schema::accounts::mechanics;
use store::schema::intake::{intake_files, intakes, vehicles};
use store::schema::payments::{orders, payments as payments_table};
use store::schema::sessions::files;
use store::types::{Id, Ts};
use store::views::session::{LiveFilter, LiveOrder};
use store::views::{admin, media, requests, room, session};
use store::{Stored, Tx};

use crate::databases::{World, on_each_database};
use crate::people::{mechanic, user};

/// Any failure of a transaction in these tests.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Sessions(#[from] sessions::Error),
    #[error(transparent)]
    Dispatch(#[from] dispatch::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Two customers with a paid session each, two mechanics, a stranger.
struct Scene {
    world: World,
    customers: [UserId; 2],
    stranger: UserId,
    mechanics: [UserId; 2],
    sessions: [SessionId; 2],
    requests: [RequestId; 2],
}

impl Scene {
    async fn new(world: World) -> Self {
        let cx = world.context(0);
        let person = || UserId::new(cx.id());
        let (customers, stranger, helpers) = ([person(), person()], person(), [person(), person()]);
        let sessions = [SessionId::new(cx.id()), SessionId::new(cx.id())];
        let requests = [RequestId::new(cx.id()), RequestId::new(cx.id())];
        let scene = Self { world, customers, stranger, mechanics: helpers, sessions, requests };
        scene
            .run(move |tx, cx| {
                user(tx, stranger, "customer", cx)?;
                for helper in helpers {
                    user(tx, helper, "mechanic", cx)?;
                    mechanic(tx, helper, cx)?;
                }
                for n in [0, 1] {
                    user(tx, customers[n], "customer", cx)?;
                    let preferred = (n == 1).then(|| ProviderId::new(helpers[0].uuid()));
                    buy(tx, customers[n], sessions[n], requests[n], preferred, cx)?;
                }
                Ok(())
            })
            .await;
        scene
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>, &Context) -> Result<T, Failure> + Send + 'static,
    ) -> T {
        let cx = self.world.context(60);
        self.world.db.write(move |tx| work(tx, &cx)).await.expect("a transaction")
    }

    async fn accept(&self, n: usize, mechanic: UserId) {
        let (session, request) = (self.sessions[n], self.requests[n]);
        self.run(move |tx, cx| {
            dispatch::accept(tx, request, mechanic, cx)?;
            Ok(sessions::accept(tx, session, mechanic, cx)?)
        })
        .await;
    }

    async fn view(&self, session: SessionId, viewer: UserId) -> Option<session::SessionView> {
        self.run(move |tx, _| Ok(session::of_participant(tx, session, viewer)?)).await
    }

    async fn offers(&self, mechanic: UserId) -> Vec<(RequestId, bool)> {
        let open = self.run(move |tx, _| Ok(requests::open_for(tx, mechanic, None, 10)?)).await;
        open.iter().map(|request| (request.id, request.priority)).collect()
    }

    async fn live(&self, filter: LiveFilter) -> Vec<SessionId> {
        let viewer = self.stranger;
        let found = self.run(move |tx, _| Ok(session::live(tx, viewer, &filter, 10)?)).await;
        found.iter().map(|view| view.id).collect()
    }
}

fn buy(
    tx: &mut Tx<'_>,
    customer: UserId,
    session: SessionId,
    request: RequestId,
    preferred: Option<ProviderId>,
    cx: &Context,
) -> Result<(), Failure> {
    let intake = describe(tx, customer, cx)?;
    let metadata = BTreeMap::new();
    let new = NewSession {
        id: session,
        customer,
        plan: PlanCode::Chat10,
        session_type: SessionType::Chat,
        allowance_minutes: 10,
        intake,
        price_book: "2025-10".to_owned(),
        scheduled_for: None,
        metadata,
    };
    sessions::open(tx, new, cx)?;
    let routing = if preferred.is_some() { Routing::PriorityBroadcast } else { Routing::Broadcast };
    let expires_at = cx.now.plus_seconds(3_600);
    let new =
        NewRequest { id: request, session, customer, routing, preferred_provider: preferred, expires_at };
    dispatch::open_request(tx, new, cx)?;
    Ok(pay(tx, customer, intake, session, cx)?)
}

pub(crate) fn describe(tx: &mut Tx<'_>, customer: UserId, cx: &Context) -> Result<IntakeId, StoreError> {
    let (vehicle, intake, file) = (VehicleId::new(cx.id()), IntakeId::new(cx.id()), FileId::new(cx.id()));
    let (owner, now) = (Id(customer.uuid()), Ts::from(cx.now));
    diesel::insert_into(vehicles::table)
        .values((
            vehicles::id.eq(Id(vehicle.uuid())),
            vehicles::customer_id.eq(owner),
            vehicles::identity.eq("vin:1HGCM82633A004352"),
            vehicles::year.eq(2003),
            vehicles::make.eq("Honda"),
            vehicles::model.eq("Accord"),
            vehicles::vin.eq("1HGCM82633A004352"),
            vehicles::created_at.eq(now),
            vehicles::updated_at.eq(now),
        ))
        .execute(tx.conn())
        .stored()?;
    diesel::insert_into(intakes::table)
        .values((
            intakes::id.eq(Id(intake.uuid())),
            intakes::customer_id.eq(owner),
            intakes::plan.eq("chat10"),
            intakes::vehicle_id.eq(Id(vehicle.uuid())),
            intakes::mileage.eq(120_000),
            intakes::concern.eq("It squeaks."),
            intakes::routing_type.eq("broadcast"),
            intakes::created_at.eq(now),
        ))
        .execute(tx.conn())
        .stored()?;
    diesel::insert_into(files::table)
        .values((
            files::id.eq(Id(file.uuid())),
            files::owner_id.eq(owner),
            files::name.eq("squeak.jpg"),
            files::content_type.eq("image/jpeg"),
            files::size_bytes.eq(99),
            files::sha256.eq(vec![0; 32]),
            files::storage_key.eq(file.to_string()),
            files::created_at.eq(now),
            files::attached_at.eq(now),
        ))
        .execute(tx.conn())
        .stored()?;
    diesel::insert_into(intake_files::table)
        .values((
            intake_files::intake_id.eq(Id(intake.uuid())),
            intake_files::position.eq(0),
            intake_files::file_id.eq(Id(file.uuid())),
        ))
        .execute(tx.conn())
        .stored()?;
    Ok(intake)
}

pub(crate) fn pay(
    tx: &mut Tx<'_>,
    customer: UserId,
    intake: IntakeId,
    session: SessionId,
    cx: &Context,
) -> Result<(), StoreError> {
    let (order, payment, now) = (OrderId::new(cx.id()), PaymentId::new(cx.id()), Ts::from(cx.now));
    diesel::insert_into(orders::table)
        .values((
            orders::id.eq(Id(order.uuid())),
            orders::customer_id.eq(Id(customer.uuid())),
            orders::intake_id.eq(Id(intake.uuid())),
            orders::kind.eq("session"),
            orders::quote.eq(intake.to_string()),
            orders::plan.eq("chat10"),
            orders::price_book.eq("2025-10"),
            orders::multiplier_bps.eq(10_000),
            orders::amount_cents.eq(999),
            orders::currency.eq("usd"),
            orders::tax_rate_bps.eq(0),
            orders::idempotency_key.eq(order.to_string()),
            orders::status.eq("fulfilled"),
            orders::payment_intent.eq(order.to_string()),
            orders::session_id.eq(Id(session.uuid())),
            orders::created_at.eq(now),
            orders::expires_at.eq(now),
            orders::paid_at.eq(now),
            orders::fulfilled_at.eq(now),
        ))
        .execute(tx.conn())
        .stored()?;
    diesel::insert_into(payments_table::table)
        .values((
            payments_table::id.eq(Id(payment.uuid())),
            payments_table::order_id.eq(Id(order.uuid())),
            payments_table::payment_intent.eq(order.to_string()),
            payments_table::amount_cents.eq(999),
            payments_table::currency.eq("usd"),
            payments_table::surplus.eq(false),
            payments_table::asked_back_cents.eq(0),
            payments_table::created_at.eq(now),
        ))
        .execute(tx.conn())
        .stored()
        .map(drop)
}

#[test]
fn a_session_shows_its_people_and_its_price_and_only_to_those_who_take_part() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let (session, helper) = (scene.sessions[0], scene.mechanics[0]);
        let view = scene.view(session, scene.customers[0]).await.expect("the customer sees it");
        assert_eq!((view.status, view.viewer_role), (Status::Requested, Some(ParticipantRole::Customer)));
        assert_eq!(
            (view.base_price_cents, view.total_price_cents(), view.mechanic.clone()),
            (999, 999, None)
        );
        assert_eq!((view.payment_status, view.last_seq), (PaymentStatus::Paid, 1));
        for outsider in [scene.customers[1], scene.stranger, helper] {
            assert_eq!(scene.view(session, outsider).await, None);
        }
        scene.accept(0, helper).await;
        let view = scene.view(session, helper).await.expect("its mechanic sees it");
        assert_eq!(view.viewer_role, Some(ParticipantRole::Mechanic));
        assert_eq!(view.mechanic.map(|person| person.id), Some(helper));
        assert_eq!(scene.view(session, scene.mechanics[1]).await, None);
    });
}

#[test]
fn both_were_connected_while_both_say_so_and_at_most_until_the_end() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let (session, dana, helper) = (scene.sessions[0], scene.customers[0], scene.mechanics[0]);
        let both = async |seconds: i64| {
            scene
                .run(move |tx, cx| Ok(media::both_connected(tx, session, cx.now.plus_seconds(seconds))?))
                .await
        };
        assert_eq!(both(0).await, Some(Together::default()));
        let begin = |user, connection: &'static str, from: i64| {
            move |tx: &mut Tx<'_>, cx: &Context| {
                let connected_at = cx.now.plus_seconds(from);
                let connection = connection.to_owned();
                let provider = VideoProvider::P2p;
                Ok(tx.media_begin(&Media {
                    session,
                    user,
                    connection,
                    provider,
                    connected_at,
                    disconnected_at: None,
                })?)
            }
        };
        assert!(scene.run(begin(dana, "a", 0)).await);
        assert!(!scene.run(begin(dana, "b", 1)).await, "one goes on at a time");
        assert!(scene.run(begin(helper, "m", 10)).await);
        let since = |view: Option<Together>| view.expect("a session").seconds;
        assert_eq!((since(both(10).await), since(both(25).await)), (0, 15));
        let end = |which: Ending<'static>, at: i64| {
            move |tx: &mut Tx<'_>, cx: &Context| {
                Ok(tx.media_end(session, dana, which, cx.now.plus_seconds(at))?)
            }
        };
        scene.run(end(Ending::AllBut("a"), 30)).await;
        scene.run(end(Ending::Only("x"), 30)).await;
        assert_eq!(since(both(40).await), 30, "another connection's end is not this one's");
        scene.run(end(Ending::All, 50)).await;
        assert_eq!(since(both(90).await), 40);
        assert!(scene.run(begin(dana, "b", 60)).await);
        assert_eq!(since(both(90).await), 70);
        let stretches = scene.run(move |tx, _| Ok(tx.media_of(session)?)).await;
        let told: Vec<_> =
            stretches.iter().map(|one| (one.connection.as_str(), one.disconnected_at.is_some())).collect();
        assert_eq!(told, [("a", true), ("m", false), ("b", false)]);
        let nobody = SessionId::new(scene.run(|_, cx| Ok(cx.id())).await);
        assert_eq!(scene.run(move |tx, cx| Ok(media::both_connected(tx, nobody, cx.now)?)).await, None);
    });
}

#[test]
fn money_that_goes_back_shows_in_the_payment_status() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let (session, customer) = (scene.sessions[0], scene.customers[0]);
        for (asked_back, expected) in [
            (0, PaymentStatus::Paid),
            (500, PaymentStatus::PartiallyRefunded),
            (999, PaymentStatus::Refunded),
        ] {
            let mine = orders::table.filter(orders::session_id.eq(Id(session.uuid()))).select(orders::id);
            scene
                .run(move |tx, _| {
                    diesel::update(payments_table::table.filter(payments_table::order_id.eq_any(mine)))
                        .set(payments_table::asked_back_cents.eq(asked_back))
                        .execute(tx.conn())
                        .stored()?;
                    Ok(())
                })
                .await;
            let view = scene.view(session, customer).await.expect("sees it");
            assert_eq!(view.payment_status, expected, "{asked_back}");
        }
    });
}

#[test]
fn a_list_of_ones_own_sessions_is_filtered_and_paged() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let helper = scene.mechanics[0];
        scene.accept(0, helper).await;
        scene.accept(1, helper).await;
        let mine = |statuses: Vec<Status>, before, limit| {
            scene.run(move |tx, _| {
                let found = session::mine(tx, helper, &statuses, before, limit)?;
                Ok(found.iter().map(|view| view.id).collect::<Vec<_>>())
            })
        };
        let [older, newer] = scene.sessions;
        assert_eq!(mine(vec![], None, 10).await, [newer, older]);
        assert_eq!(mine(vec![], None, 1).await, [newer]);
        assert_eq!(mine(vec![], Some(newer), 10).await, [older]);
        assert_eq!(mine(vec![Status::Requested], None, 10).await, []);
        assert_eq!(mine(vec![Status::Requested, Status::Accepted], None, 10).await, [newer, older]);
        assert_eq!(scene.run(move |tx, _| Ok(session::count_mine(tx, helper)?)).await, 2);
    });
}

#[test]
fn a_mechanic_on_duty_sees_open_requests_without_the_cars_number() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let [first, second] = scene.mechanics;
        let [plain, wanted] = scene.requests;
        assert_eq!(scene.offers(first).await, [(plain, false), (wanted, true)]);
        assert_eq!(scene.offers(second).await, [(plain, false), (wanted, false)]);
        assert_eq!(scene.offers(scene.stranger).await, []);
        let open = scene.run(move |tx, _| Ok(requests::open_for(tx, first, None, 1)?)).await;
        let car = open[0].vehicle.as_ref().expect("a car");
        assert_eq!((car.title(), car.mileage), ("2003 Honda Accord".to_owned(), Some(120_000)));
        assert_eq!(open[0].concern, "It squeaks.");

        scene.run(move |tx, cx| Ok(dispatch::decline(tx, plain, first, cx)?)).await;
        assert_eq!(scene.offers(first).await, [(wanted, true)], "what was declined is gone");
        scene.accept(0, second).await;
        assert_eq!(scene.offers(second).await, [(wanted, false)], "what was taken is gone");
        let off_duty = move |tx: &mut Tx<'_>, _: &Context| {
            let row = mechanics::table.find(Id(second.uuid()));
            diesel::update(row).set(mechanics::on_duty.eq(false)).execute(tx.conn()).stored()?;
            Ok(())
        };
        scene.run(off_duty).await;
        assert_eq!(scene.offers(second).await, []);
    });
}

#[test]
fn the_admins_list_is_searched_and_ordered() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let [older, newer] = scene.sessions;
        let helper = scene.mechanics[0];
        scene.accept(1, helper).await;
        assert_eq!(scene.live(LiveFilter::default()).await, [older, newer]);
        let descending = LiveFilter { descending: true, ..LiveFilter::default() };
        assert_eq!(scene.live(descending).await, [newer, older]);
        let by_mechanic = LiveFilter { order: LiveOrder::Mechanic, ..LiveFilter::default() };
        assert_eq!(scene.live(by_mechanic).await, [newer, older], "without a mechanic comes last");
        let accepted = LiveFilter { status: Some(Status::Accepted), ..LiveFilter::default() };
        assert_eq!(scene.live(accepted).await, [newer]);
        let search = |text: &str| LiveFilter { search: text.to_owned(), ..LiveFilter::default() };
        assert_eq!(scene.live(search(&helper.to_string().to_uppercase())).await, [newer], "a name");
        assert_eq!(scene.live(search(&older.to_string())).await, [older], "an id");
        assert_eq!(scene.live(search("%")).await, [], "no wildcard");
        assert_eq!(scene.live(search("' OR 1=1 --")).await, []);
        assert_eq!(scene.live(LiveFilter { offset: 1, ..LiveFilter::default() }).await, [newer]);
        let counts = scene.run(|tx, _| Ok(admin::counts(tx)?)).await;
        assert_eq!(counts.len(), 2);
        assert!(counts.contains(&(Status::Requested, 1)) && counts.contains(&(Status::Accepted, 1)));
        assert_eq!(scene.run(|tx, _| Ok(admin::assignable(tx)?.len())).await, 2);
        assert_eq!(scene.run(|tx, _| Ok(admin::applicants(tx)?.len())).await, 0);
        assert_eq!(scene.run(|tx, _| Ok(admin::dead_jobs(tx)?)).await, 0);
        let elsewhere = scene.run(|tx, _| Ok(admin::elsewhere(tx)?)).await;
        assert_eq!((elsewhere.answered_at, elsewhere.in_vain), (None, false));
    });
}

#[test]
fn a_room_shows_what_the_customer_told() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let session = scene.sessions[0];
        let told = scene.run(move |tx, _| Ok(room::background(tx, session)?)).await.expect("an intake");
        assert_eq!(told.vin.as_deref(), Some("1HGCM82633A004352"));
        assert_eq!(told.concern, "It squeaks.");
        let files = scene.run(move |tx, _| Ok(room::files_of(tx, session)?)).await;
        assert_eq!(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["squeak.jpg"]);
        assert!(files[0].of_intake && files[0].content_type == "image/jpeg", "{files:?}");
        let cars = scene.run(move |tx, _| Ok(room::vehicles_of(tx, &[session])?)).await;
        assert_eq!(cars[&session].title(), "2003 Honda Accord");
    });
}
