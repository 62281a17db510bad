//! The ports of `sessions` and `dispatch`, through the domain functions that use them, on SQLite and PostgreSQL.

#[path = "sessions/clock.rs"]
mod clock;
#[path = "support/databases.rs"]
mod databases;
#[path = "support/people.rs"]
mod people;
#[path = "sessions/views.rs"]
mod views;
#[path = "sessions/watch.rs"]
mod watch;

use std::collections::BTreeMap;

use databases::{World, on_each_database};
use diesel::ExpressionMethods;
use diesel::prelude::*;
use dispatch::{NewRequest, Routing};
use kernel::id::{FileId, IntakeId, RequestId, SessionId, UserId};
use kernel::{Actor, Context, PlanCode, Role, SessionType, StoreError, Timestamp};
use people::{mechanic, user};
use sessions::{
    EndReason, Event, Invalid, Kind, MessageDraft, MessageLimits, NewSession, ParticipantRole, Posted,
    Status, Store, Submitted, SummaryText, save_summary_draft, submit_summary, summary_draft, verify_chain,
};
use store::schema::accounts::mechanics;
use store::schema::sessions::{files, session_events, session_participants};
use store::types::{Id, Ts};
use store::{AnyConnection, Notice, Stored, Tx, doctor};

const LIMITS: MessageLimits = MessageLimits { max_bytes: 4_000, session_files_max_bytes: 5_000 };

/// Any failure of a transaction in these tests.
#[derive(Debug, PartialEq, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Sessions(#[from] sessions::Error),
    #[error(transparent)]
    Dispatch(#[from] dispatch::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// People, and one chat session of the first of them.
struct Scene {
    world: World,
    customer: UserId,
    stranger: UserId,
    mechanics: Vec<UserId>,
    admin: UserId,
    session: SessionId,
    request: RequestId,
}

impl Scene {
    async fn new(world: World) -> Self {
        let cx = world.context(0);
        let person = || UserId::new(cx.id());
        let (customer, stranger, admin) = (person(), person(), person());
        let helpers: Vec<UserId> = (0..8).map(|_| person()).collect();
        let session = SessionId::new(cx.id());
        let request = RequestId::new(cx.id());
        let scene = Self { world, customer, stranger, mechanics: helpers.clone(), admin, session, request };
        let run = cx.clone();
        scene
            .world
            .db
            .write::<_, Failure, _>(move |tx| {
                user(tx, customer, "customer", &run)?;
                user(tx, stranger, "customer", &run)?;
                user(tx, admin, "admin", &run)?;
                for helper in &helpers {
                    user(tx, *helper, "mechanic", &run)?;
                    mechanic(tx, *helper, &run)?;
                }
                sessions::open(tx, new_session(session, customer, &run), &run)?;
                dispatch::open_request(tx, new_request(request, session, customer, &run), &run)?;
                Ok(())
            })
            .await
            .expect("the scene");
        scene
    }

    async fn run<T, W>(&self, work: W) -> Result<T, Failure>
    where
        T: Send + 'static,
        W: Fn(&mut Tx<'_>, &Context) -> Result<T, Failure> + Send + 'static,
    {
        let cx = self.world.context(60);
        self.world.db.write(move |tx| work(tx, &cx)).await
    }

    /// Steps of the one session, which all must succeed.
    async fn step<W>(&self, work: W) -> sessions::Step
    where
        W: Fn(&mut Tx<'_>, &Context) -> Result<sessions::Step, sessions::Error> + Send + 'static,
    {
        self.run(move |tx, cx| Ok(work(tx, cx)?)).await.expect("a legal step")
    }

    async fn accepted(world: World) -> Self {
        let scene = Self::new(world).await;
        let (session, request, mechanic) = (scene.session, scene.request, scene.mechanics[0]);
        scene
            .run(move |tx, cx| {
                dispatch::accept(tx, request, mechanic, cx)?;
                Ok(sessions::accept(tx, session, mechanic, cx)?)
            })
            .await
            .expect("accepts");
        scene
    }

    async fn say(&self, who: UserId, client_ref: &str, text: &str) -> Result<Posted, Failure> {
        let draft = draft(client_ref, text);
        let session = self.session;
        self.run(move |tx, cx| Ok(sessions::post_message(tx, session, who, &draft, &LIMITS, cx)?)).await
    }

    async fn react(
        &self,
        who: UserId,
        seq: u64,
        emoji: &'static str,
        on: bool,
    ) -> Result<Option<Event>, Failure> {
        let session = self.session;
        self.run(move |tx, cx| Ok(sessions::react(tx, session, who, seq, emoji, on, cx)?)).await
    }

    async fn log(&self) -> Vec<Event> {
        let session = self.session;
        self.run(move |tx, _| Ok(tx.events_after(session, 0, 10_000)?)).await.expect("the log")
    }

    /// What was told so far. A notice may come after the answer of its own transaction, not after that of the next.
    async fn heard(&self) -> Vec<Notice> {
        self.run(|_, _| Ok(())).await.expect("does nothing");
        self.world.heard()
    }

    /// The log holds, by the domain's own check and by the doctor's.
    async fn assert_log_holds(&self) {
        let session = self.session;
        let head = self
            .run(move |tx, _| Ok(*tx.session_by_id(session)?.expect("it exists").head()))
            .await
            .expect("reads");
        assert_eq!(verify_chain(session, &self.log().await, &head), Ok(()));
        assert_eq!(self.findings().await, Vec::<String>::new());
    }

    /// What the invariants of this file's domains find.
    async fn findings(&self) -> Vec<String> {
        let findings = self.run(|tx, _| Ok(doctor::examine(tx)?)).await.expect("examines");
        findings
            .into_iter()
            .filter(|one| [7, 9, 14].contains(&one.number))
            .flat_map(|one| one.violations)
            .collect()
    }
}

fn new_session(id: SessionId, customer: UserId, cx: &Context) -> NewSession {
    NewSession {
        id,
        customer,
        plan: PlanCode::Chat10,
        session_type: SessionType::Chat,
        allowance_minutes: 10,
        intake: IntakeId::new(cx.id()),
        price_book: "2025-10".to_owned(),
        scheduled_for: None,
        metadata: BTreeMap::from([("customer_email".to_owned(), "a@example.com".to_owned())]),
    }
}

fn new_request(id: RequestId, session: SessionId, customer: UserId, cx: &Context) -> NewRequest {
    let expires_at = cx.now.plus_seconds(3_600);
    NewRequest { id, session, customer, routing: Routing::Broadcast, preferred_provider: None, expires_at }
}

fn draft(client_ref: &str, text: &str) -> MessageDraft {
    MessageDraft { client_ref: client_ref.to_owned(), text: text.to_owned(), files: Vec::new() }
}

fn kinds(events: &[Event]) -> Vec<Kind> {
    events.iter().map(|event| event.kind).collect()
}

#[test]
fn a_session_lives_from_request_to_end_and_each_step_is_a_line_of_its_log() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        let (session, customer, mechanic) = (scene.session, scene.customer, scene.mechanics[0]);
        let started = scene.step(move |tx, cx| sessions::start(tx, session, mechanic, cx)).await;
        assert_eq!((started.before, started.session.status()), (Status::Accepted, Status::InProgress));
        scene.say(customer, "a", "hello").await.expect("says");
        let ended = scene.step(move |tx, cx| sessions::end(tx, session, customer, cx)).await;
        assert_eq!(ended.session.end_reason(), Some(EndReason::Customer));
        let expected = [Kind::Joined, Kind::Joined, Kind::Started, Kind::Message, Kind::Ended];
        assert_eq!(kinds(&scene.log().await), expected);
        let stored = scene.run(move |tx, _| Ok(tx.session_by_id(session)?)).await.expect("reads");
        assert_eq!(stored, Some(ended.session), "what is stored is what the step answered");
        scene.assert_log_holds().await;
    });
}

#[test]
fn opening_the_same_session_and_request_again_changes_nothing() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let (session, request, customer) = (scene.session, scene.request, scene.customer);
        let offered = scene
            .run(move |tx, cx| {
                sessions::open(tx, new_session(session, customer, cx), cx)?;
                Ok(dispatch::open_request(tx, new_request(request, session, customer, cx), cx)?.offered)
            })
            .await;
        assert_eq!(offered, Ok(Vec::new()));
        assert_eq!(kinds(&scene.log().await), [Kind::Joined]);
    });
}

#[test]
fn an_illegal_step_and_a_wrong_person_change_nothing() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let (session, customer, stranger) = (scene.session, scene.customer, scene.stranger);
        let refused = |error: sessions::Error| Err(Failure::Sessions(error));
        let early = scene.run(move |tx, cx| Ok(sessions::end(tx, session, customer, cx)?.before)).await;
        let transition = sessions::InvalidTransition { from: Status::Requested, to: Status::Completed };
        assert_eq!(early, refused(transition.into()));
        let other = scene.run(move |tx, cx| Ok(sessions::end(tx, session, stranger, cx)?.before)).await;
        assert_eq!(other, refused(sessions::Error::NotFound));
        let role = scene.run(move |tx, cx| Ok(sessions::start(tx, session, customer, cx)?.before)).await;
        assert_eq!(role, refused(sessions::Error::WrongRole));
        let by = Actor::Person { id: stranger, role: Role::Customer };
        let cancel = scene.run(move |tx, cx| Ok(sessions::cancel(tx, session, by, cx)?.before)).await;
        assert_eq!(cancel, refused(sessions::Error::NotFound));
        let said = scene.say(stranger, "a", "let me in").await;
        assert_eq!(said, Err(sessions::Error::NotFound.into()));
        assert_eq!(kinds(&scene.log().await), [Kind::Joined]);
    });
}

#[test]
fn a_reference_sent_again_is_the_first_message_whatever_it_says_now() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        let (session, customer, mechanic) = (scene.session, scene.customer, scene.mechanics[0]);
        let first = scene.say(customer, "a", "hello \u{1F697} \"quoted\"").await.expect("says");
        assert!(first.fresh);
        scene.say(mechanic, "a", "the same reference of somebody else").await.expect("says");
        let again = scene.say(customer, "a", "hello \u{1F697} \"quoted\"").await.expect("says");
        assert_eq!(again, Posted { event: first.event.clone(), fresh: false });
        let other = scene.say(customer, "a", "bye").await.expect("says");
        assert_eq!(other, again);
        scene.step(move |tx, cx| sessions::start(tx, session, mechanic, cx)).await;
        scene.step(move |tx, cx| sessions::end(tx, session, mechanic, cx)).await;
        let late = scene.say(customer, "a", "hello \u{1F697} \"quoted\"").await.expect("was kept");
        assert_eq!(late.event, first.event);
        assert_eq!(scene.say(customer, "b", "one more").await, Err(sessions::Error::SessionClosed.into()));
        scene.assert_log_holds().await;
    });
}

#[test]
fn many_writers_at_once_leave_no_gap_and_each_message_once() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        let mut writers = tokio::task::JoinSet::new();
        for n in 0..60_u32 {
            let (db, cx, session) = (scene.world.db.clone(), scene.world.context(70), scene.session);
            let who = if n % 2 == 0 { scene.customer } else { scene.mechanics[0] };
            // Each message is sent by two tasks at the same time.
            let message = draft(&(n / 4).to_string(), &format!("message {}", n / 4));
            writers.spawn(async move {
                let post = move |tx: &mut Tx<'_>| {
                    sessions::post_message(tx, session, who, &message, &LIMITS, &cx).map_err(Failure::from)
                };
                db.write(post).await.expect("says").fresh
            });
        }
        let fresh = writers.join_all().await.into_iter().filter(|fresh| *fresh).count();
        assert_eq!(fresh, 30);
        let log = scene.log().await;
        assert_eq!(log.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=32).collect::<Vec<_>>());
        let told = scene.heard().await;
        let message =
            |one: &&Notice| matches!(one, Notice::SessionEvent(event) if event.kind == Kind::Message);
        let told = told.iter().filter(message).count();
        assert_eq!(told, 30, "a repetition is not announced");
        scene.assert_log_holds().await;
    });
}

#[test]
fn of_mechanics_who_accept_at_once_exactly_one_wins() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let mut racers = tokio::task::JoinSet::new();
        for mechanic in scene.mechanics.clone() {
            let (db, cx) = (scene.world.db.clone(), scene.world.context(60));
            let (session, request) = (scene.session, scene.request);
            racers.spawn(async move {
                let accept = move |tx: &mut Tx<'_>| -> Result<usize, Failure> {
                    let accepted = dispatch::accept(tx, request, mechanic, &cx)?;
                    sessions::accept(tx, session, mechanic, &cx)?;
                    Ok(accepted.withdrawn.len())
                };
                (mechanic, db.write(accept).await)
            });
        }
        let results = racers.join_all().await;
        let winners: Vec<_> = results.iter().filter(|(_, result)| result.is_ok()).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(winners[0].1, Ok(7), "the others' offers are withdrawn");
        for (_, result) in results.iter().filter(|(_, result)| result.is_err()) {
            assert_eq!(*result, Err(dispatch::Error::AlreadyTaken.into()));
        }
        let (winner, session, request) = (winners[0].0, scene.session, scene.request);
        let again = scene.run(move |tx, cx| Ok(dispatch::accept(tx, request, winner, cx)?.fresh)).await;
        assert_eq!(again, Ok(false), "the winner may ask again");
        let people = scene.run(move |tx, _| Ok(tx.participants(session)?)).await.expect("reads");
        let roles: Vec<_> = people.iter().map(|one| (one.user, one.role)).collect();
        assert_eq!(roles, [(scene.customer, ParticipantRole::Customer), (winner, ParticipantRole::Mechanic)]);
        scene.assert_log_holds().await;
    });
}

#[test]
fn who_declines_or_is_off_duty_is_told_apart() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let request = scene.request;
        let (first, second, off_duty, stranger) =
            (scene.mechanics[0], scene.mechanics[1], scene.mechanics[2], scene.stranger);
        let declined = scene.run(move |tx, cx| Ok(dispatch::decline(tx, request, first, cx)?)).await;
        assert!(declined.is_ok());
        let refused = |error: dispatch::Error| Err(Failure::Dispatch(error));
        let no_mechanic =
            scene.run(move |tx, cx| Ok(dispatch::accept(tx, request, stranger, cx)?.fresh)).await;
        assert_eq!(no_mechanic, refused(dispatch::Error::NotFound));
        let suspended = scene
            .run(move |tx, cx| {
                diesel::update(mechanics::table.find(Id(off_duty.uuid())))
                    .set((mechanics::approval.eq("suspended"), mechanics::on_duty.eq(false)))
                    .execute(tx.conn())
                    .stored()?;
                Ok(dispatch::accept(tx, request, off_duty, cx)?.fresh)
            })
            .await;
        assert_eq!(suspended, refused(dispatch::Error::NotApproved));
        let won = scene.run(move |tx, cx| Ok(dispatch::accept(tx, request, second, cx)?.fresh)).await;
        assert_eq!(won, Ok(true));
        let late = scene.run(move |tx, cx| Ok(dispatch::decline(tx, request, first, cx)?)).await;
        assert_eq!(late.err(), Some(dispatch::Error::AlreadyTaken.into()));
    });
}

#[test]
fn a_cancelled_session_withdraws_its_request() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let (session, request, customer) = (scene.session, scene.request, scene.customer);
        let mechanic = scene.mechanics[0];
        let by = Actor::Person { id: customer, role: Role::Customer };
        let withdrawn = scene
            .run(move |tx, cx| {
                let step = sessions::cancel(tx, session, by, cx)?;
                assert_eq!(step.session.end_reason(), Some(EndReason::Customer));
                let closed = dispatch::withdraw(tx, session, cx)?.expect("was open");
                assert_eq!(dispatch::withdraw(tx, session, cx)?, None);
                Ok(closed.withdrawn.len())
            })
            .await;
        assert_eq!(withdrawn, Ok(8));
        let late = scene.run(move |tx, cx| Ok(dispatch::accept(tx, request, mechanic, cx)?.fresh)).await;
        assert_eq!(late, Err(dispatch::Error::Closed.into()));
        scene.assert_log_holds().await;
    });
}

#[test]
fn an_admin_assigns_and_replaces_and_the_replaced_mechanic_is_out() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let (session, admin, customer) = (scene.session, scene.admin, scene.customer);
        let (first, second) = (scene.mechanics[0], scene.mechanics[1]);
        let assign = |who| move |tx: &mut Tx<'_>, cx: &Context| sessions::assign(tx, session, who, admin, cx);
        scene.run(move |tx, cx| Ok(dispatch::assign(tx, session, first, cx)?)).await.expect("assigns");
        let step = scene.step(assign(first)).await;
        assert_eq!(step.session.status(), Status::Accepted);
        assert_eq!(scene.step(assign(first)).await.events, [], "again changes nothing");
        scene.say(first, "a", "I am on it").await.expect("says");
        assert_eq!(kinds(&scene.step(assign(second)).await.events), [Kind::Left, Kind::Joined]);
        let out = scene.heard().await.into_iter().any(
            |one| matches!(one, Notice::MembershipEnded { session: of, user } if of == session && user == first),
        );
        assert!(out);
        assert_eq!(scene.say(first, "b", "still here").await, Err(sessions::Error::NotFound.into()));
        scene.say(second, "a", "hello").await.expect("says");
        scene.step(assign(first)).await;
        scene.say(first, "c", "back again").await.expect("says");
        let own =
            scene.run(move |tx, cx| Ok(sessions::assign(tx, session, customer, admin, cx)?.before)).await;
        assert_eq!(own, Err(sessions::Error::AlreadyParticipant.into()));
        // The admin acted without a line in the audit log, which is the use case's part.
        let findings = scene.findings().await;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].contains("audit log"));
    });
}

#[test]
fn a_mechanic_put_in_by_hand_sees_the_session_and_accepts_it_by_starting() {
    on_each_database(async |world| {
        let scene = Scene::new(world).await;
        let (session, mechanic) = (scene.session, scene.mechanics[3]);
        scene
            .run(move |tx, _| {
                diesel::insert_into(session_participants::table)
                    .values((
                        session_participants::session_id.eq(Id(session.uuid())),
                        session_participants::user_id.eq(Id(mechanic.uuid())),
                        session_participants::role.eq("mechanic"),
                    ))
                    .execute(tx.conn())
                    .stored()?;
                Ok(())
            })
            .await
            .expect("three columns are enough");
        let seat = scene.run(move |tx, _| Ok(tx.seat(session, mechanic)?)).await.expect("reads");
        assert_eq!(seat.map(|seat| seat.role), Some(ParticipantRole::Mechanic));
        assert_eq!(scene.say(mechanic, "a", "hello").await, Err(sessions::Error::NotAccepted.into()));
        let second = scene.mechanics[4];
        let other = scene.run(move |tx, cx| Ok(sessions::accept(tx, session, second, cx)?.before)).await;
        assert_eq!(other, Err(sessions::Error::MechanicTaken.into()));
        let step = scene.step(move |tx, cx| sessions::start(tx, session, mechanic, cx)).await;
        assert_eq!((step.before, step.session.status()), (Status::Requested, Status::InProgress));
        scene.say(mechanic, "a", "hello").await.expect("says");
    });
}

#[test]
fn reactions_toggle_once_and_only_on_messages() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        let (customer, mechanic) = (scene.customer, scene.mechanics[0]);
        let seq = scene.say(customer, "a", "hello").await.expect("says").event.seq;
        let changed = |result: Result<Option<Event>, Failure>| matches!(result, Ok(Some(_)));
        assert!(!changed(scene.react(mechanic, seq, "👍", false).await), "was never on");
        assert!(changed(scene.react(mechanic, seq, "👍", true).await));
        assert!(!changed(scene.react(mechanic, seq, "👍", true).await), "is on already");
        assert!(changed(scene.react(customer, seq, "👍", true).await), "each person has their own");
        assert!(changed(scene.react(mechanic, seq, "🎉", true).await));
        assert!(changed(scene.react(mechanic, seq, "👍", false).await));
        assert!(changed(scene.react(mechanic, seq, "👍", true).await));
        for target in [0, 1, seq + 1, 999, u64::MAX] {
            let refused = scene.react(mechanic, target, "👍", true).await;
            assert_eq!(refused, Err(sessions::Error::from(Invalid::Target).into()), "{target}");
        }
        scene.assert_log_holds().await;
    });
}

#[test]
fn read_marks_only_move_forward_and_not_beyond_the_log() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        let (session, customer) = (scene.session, scene.customer);
        let read = |seq| scene.run(move |tx, _| Ok(sessions::mark_read(tx, session, customer, seq)?));
        assert_eq!(read(2).await, Ok(true));
        assert_eq!(read(2).await, Ok(false));
        assert_eq!(read(1).await, Ok(false));
        for beyond in [3, u64::MAX] {
            assert_eq!(read(beyond).await, Err(sessions::Error::from(Invalid::SeqBeyondLog).into()));
        }
        let heard = scene.heard().await;
        assert_eq!(heard.iter().filter(|one| matches!(one, Notice::Read { .. })).count(), 1);
    });
}

#[test]
fn a_file_goes_with_one_session_of_its_owner() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        let (session, customer, mechanic) = (scene.session, scene.customer, scene.mechanics[0]);
        let cx = scene.world.context(0);
        let (good, expired) = (FileId::new(cx.id()), FileId::new(cx.id()));
        let now = cx.now;
        scene
            .run(move |tx, _| {
                upload(tx, good, customer, now.plus_seconds(3_600))?;
                Ok(upload(tx, expired, customer, now)?)
            })
            .await
            .expect("uploads");
        let send = |who, client_ref, file| {
            let draft = MessageDraft { files: vec![file], ..draft(client_ref, "") };
            scene.run(move |tx, cx| Ok(sessions::post_message(tx, session, who, &draft, &LIMITS, cx)?))
        };
        let refused = |file| Err(sessions::Error::from(Invalid::File(file)).into());
        assert_eq!(send(mechanic, "x", good).await, refused(good), "not the owner's");
        assert_eq!(send(customer, "x", expired).await, refused(expired));
        let first = send(customer, "a", good).await.expect("sends");
        assert!(first.event.body().contains("\"name\":\"engine.jpg\""), "{}", first.event.body());
        let again = send(customer, "a", good).await.expect("sends");
        assert_eq!(again, Posted { event: first.event, fresh: false });
        scene.assert_log_holds().await;
    });
}

#[test]
fn a_summary_is_kept_beside_its_draft_and_a_swept_upload_leaves_the_draft() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        let (session, mechanic, customer) = (scene.session, scene.mechanics[0], scene.customer);
        scene.step(move |tx, cx| sessions::start(tx, session, mechanic, cx)).await;
        let cx = scene.world.context(0);
        let (his, hers) = (FileId::new(cx.id()), FileId::new(cx.id()));
        let later = cx.now.plus_seconds(3_600);
        scene
            .run(move |tx, _| {
                upload(tx, his, mechanic, later)?;
                Ok(upload(tx, hers, customer, later)?)
            })
            .await
            .expect("uploads");
        let text = |findings: &str, photos: Vec<FileId>| SummaryText {
            findings: findings.to_owned(),
            photos,
            ..SummaryText::default()
        };
        let keep = |text: SummaryText| {
            scene.run(move |tx, cx| Ok(save_summary_draft(tx, session, mechanic, text.clone(), cx)?))
        };
        let submit = |text: SummaryText| {
            scene.run(move |tx, cx| Ok(submit_summary(tx, session, mechanic, text.clone(), cx)?))
        };
        let draft = || scene.run(move |tx, _| Ok(summary_draft(tx, session, mechanic)?));
        let stranger = Err(sessions::Error::from(Invalid::Photo(hers)).into());
        assert_eq!(keep(text("", vec![hers])).await.map(drop), stranger, "not the mechanic's");
        keep(text("", vec![his])).await.expect("keeps");
        scene
            .run(move |tx, _| {
                diesel::delete(files::table.find(Id(his.uuid()))).execute(tx.conn()).stored()?;
                Ok(())
            })
            .await
            .expect("sweeps");
        assert_eq!(draft().await.expect("reads").expect("is there").text, text("", vec![]));
        let first = submit(text("The coil.", vec![])).await.expect("hands in");
        assert_eq!((first.summary.revision, draft().await), (1, Ok(None)));
        keep(text("The coil, and", vec![])).await.expect("keeps");
        assert_eq!(scene.run(move |tx, _| Ok(tx.summary(session)?)).await, Ok(Some(first.summary.clone())));
        let second = submit(text("The coil, and its seal.", vec![])).await.expect("corrects");
        assert_eq!((second.summary.revision, second.summary.submitted_at), (2, first.summary.submitted_at));
        let again = submit(text("The coil, and its seal.", vec![])).await.expect("says the same");
        assert_eq!(again, Submitted { summary: second.summary, event: None });
        scene.assert_log_holds().await;
    });
}

fn upload(tx: &mut Tx<'_>, id: FileId, owner: UserId, expires_at: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(files::table)
        .values((
            files::id.eq(Id(id.uuid())),
            files::owner_id.eq(Id(owner.uuid())),
            files::name.eq("engine.jpg"),
            files::content_type.eq("image/jpeg"),
            files::size_bytes.eq(1_234),
            files::sha256.eq(vec![0; 32]),
            files::storage_key.eq(id.to_string()),
            files::created_at.eq(Ts::from(expires_at)),
            files::expires_at.eq(Ts::from(expires_at)),
        ))
        .execute(tx.conn())
        .stored()
        .map(drop)
}

/// Each of these breaks one guard by hand; the doctor must see it.
#[test]
fn the_doctor_finds_a_changed_body_a_removed_line_and_a_stranger_in_the_log() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        let (session, customer, stranger) = (scene.session, scene.customer, scene.stranger);
        let said = scene.say(customer, "a", "ten dollars").await.expect("says").event;
        scene.say(customer, "b", "agreed").await.expect("says");
        let line =
            move || session_events::table.find((Id(session.uuid()), i64::try_from(said.seq).expect("small")));
        let body = said.body().to_owned();
        assert_eq!(scene.findings().await, Vec::<String>::new());

        let change = move |text: String| {
            scene_update(move |tx| {
                diesel::update(line()).set(session_events::body.eq(text.clone())).execute(tx.conn()).stored()
            })
        };
        let other = body.replace("ten", "six");
        scene.run(change(other)).await.expect("changes");
        let findings = scene.findings().await;
        assert!(findings.len() == 1 && findings[0].contains("the body of line 3"), "{findings:?}");
        scene.run(change(body)).await.expect("changes");
        assert_eq!(scene.findings().await, Vec::<String>::new());

        scene
            .run(scene_update(move |tx| {
                diesel::update(line())
                    .set(session_events::actor_id.eq(Id(stranger.uuid())))
                    .execute(tx.conn())
                    .stored()
            }))
            .await
            .expect("changes");
        let findings = scene.findings().await;
        assert!(findings.iter().any(|one| one.contains("line 3 does not follow")), "{findings:?}");
        assert!(findings.iter().any(|one| one.contains("who takes no part")), "{findings:?}");

        scene
            .run(scene_update(move |tx| diesel::delete(line()).execute(tx.conn()).stored()))
            .await
            .expect("deletes");
        let findings = scene.findings().await;
        assert!(findings.len() == 1 && findings[0].contains("line 3 is missing"), "{findings:?}");
    });
}

fn scene_update<W>(work: W) -> impl Fn(&mut Tx<'_>, &Context) -> Result<(), Failure> + Send + 'static
where
    W: Fn(&mut Tx<'_>) -> Result<usize, StoreError> + Send + 'static,
{
    move |tx, _| {
        assert_eq!(work(tx)?, 1, "one row");
        Ok(())
    }
}

#[test]
fn the_queries_of_the_seeds_run_as_written() {
    on_each_database(async |world| {
        let scene = Scene::accepted(world).await;
        scene.say(scene.customer, "a", "hello").await.expect("says");
        scene
            .run(|tx, _| {
                for query in PORTABLE {
                    diesel::sql_query(query).execute(tx.conn()).stored()?;
                }
                if let AnyConnection::Postgres(postgres) = tx.conn() {
                    for query in AS_WRITTEN {
                        diesel::sql_query(query).execute(postgres).stored()?;
                    }
                }
                Ok(())
            })
            .await
            .expect("every query runs");
    });
}

const PORTABLE: [&str; 4] = [
    "SELECT id, type, plan, status FROM sessions WHERE type = 'chat' ORDER BY created_at DESC LIMIT 1",
    "SELECT session_type, COUNT(*) as sessions, AVG(total_price) as avg_price, SUM(total_price) as total_revenue
     FROM diagnostic_sessions GROUP BY session_type",
    "SELECT id, session_id, sender_id, content, created_at FROM chat_messages ORDER BY created_at",
    "SELECT id, session_id, status, routing_type FROM requests",
];

const AS_WRITTEN: [&str; 4] = [
    "SELECT id, email FROM auth.users LIMIT 5",
    "SELECT
       COUNT(*) FILTER (WHERE session_type = 'upgraded_from_chat') as upgrades,
       COUNT(*) FILTER (WHERE session_type = 'chat') as total_chats,
       ROUND(
         COUNT(*) FILTER (WHERE session_type = 'upgraded_from_chat')::DECIMAL /
         NULLIF(COUNT(*) FILTER (WHERE session_type = 'chat'), 0) * 100,
         2
       ) as upgrade_rate_percent
     FROM diagnostic_sessions",
    "SELECT
       DATE(created_at) as date,
       COUNT(*) FILTER (WHERE session_type = 'chat') as chat_bookings,
       COUNT(*) FILTER (WHERE session_type = 'upgraded_from_chat') as upgrades,
       ROUND(
         COUNT(*) FILTER (WHERE session_type = 'upgraded_from_chat')::DECIMAL /
         NULLIF(COUNT(*) FILTER (WHERE session_type = 'chat'), 0) * 100,
         2
       ) as upgrade_rate
     FROM diagnostic_sessions
     GROUP BY DATE(created_at)
     ORDER BY date DESC",
    "SELECT
       CASE
         WHEN started_at IS NULL THEN 'Before session'
         WHEN EXTRACT(EPOCH FROM (updated_at - started_at)) < 300 THEN 'Within 5 min'
         WHEN EXTRACT(EPOCH FROM (updated_at - started_at)) < 900 THEN 'Within 15 min'
         ELSE 'After 15 min'
       END as upgrade_timing,
       COUNT(*) as count
     FROM diagnostic_sessions
     WHERE session_type = 'upgraded_from_chat'
     GROUP BY upgrade_timing",
];
