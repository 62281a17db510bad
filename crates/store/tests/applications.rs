//! The ports of applications, invitations and suspensions, through the domain functions that use them, on SQLite and
//! PostgreSQL.

#[path = "support/databases.rs"]
mod databases;

use accounts::register::{NewUser, register};
use accounts::review::{self, Reviewed};
use accounts::{
    ApplicationKind, ApplicationStatus, ApplicationStore, ApprovalState, Email, Error, InvitationSecret,
    Name, ProviderStore, StepKind, TimeZone, Token, TypedApplication, User, UserStore, invitation,
    suspension,
};
use databases::{World, on_each_database};
use diesel::prelude::*;
use kernel::id::{FileId, InvitationId, UserId};
use kernel::{Context, Role, StoreError};
use store::schema::sessions::files;
use store::types::{Id, Ts};
use store::views::staff::{self, UserFilter};
use store::{Db, Notice, Stored, Tx, doctor};

async fn at<T: Send + 'static>(
    world: &World,
    seconds: i64,
    work: impl Fn(&mut Tx<'_>, &Context) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let cx = world.context(seconds);
    world.db.write(move |tx| work(tx, &cx)).await
}

async fn person(world: &World, email: &'static str, role: Role) -> User {
    let made = at(world, 0, move |tx, cx| {
        let new = NewUser {
            id: UserId::new(cx.id()),
            email: Email::parse(email).expect("an address"),
            name: Name::parse("Sam Okafor").expect("a name"),
            role,
            time_zone: TimeZone::utc(),
            password: None,
            workshop: None,
        };
        register(tx, new, cx)
    });
    made.await.expect("registers")
}

/// An upload that waits.
fn upload(tx: &mut Tx<'_>, owner: UserId, kind: &str, cx: &Context) -> Result<FileId, StoreError> {
    let id = FileId::new(cx.id());
    let expires = Ts::from(cx.now.plus_seconds(86_400));
    diesel::insert_into(files::table)
        .values((
            files::id.eq(Id(id.uuid())),
            files::owner_id.eq(Id(owner.uuid())),
            files::name.eq("certificate"),
            files::content_type.eq(kind.to_owned()),
            files::size_bytes.eq(7_i64),
            files::sha256.eq(vec![0_u8; 32]),
            files::storage_key.eq(id.to_string()),
            files::created_at.eq(Ts::from(cx.now)),
            files::expires_at.eq(Some(expires)),
        ))
        .execute(tx.conn())
        .stored()?;
    Ok(id)
}

fn typed(files: Vec<FileId>) -> TypedApplication {
    TypedApplication {
        name: "Sam Okafor".to_owned(),
        phone: "+15550100199".to_owned(),
        years: Some(12),
        business_name: "Northside Motors".to_owned(),
        address: "12 River Road".to_owned(),
        city: "Portland".to_owned(),
        specialties: vec!["engine".to_owned(), "european".to_owned()],
        note: "Nights are fine.".to_owned(),
        files,
    }
}

async fn apply(
    world: &World,
    user: &User,
    kind: ApplicationKind,
    media: &'static str,
) -> Result<Reviewed, Error> {
    let user = user.id();
    at(world, 10, move |tx, cx| {
        let file = upload(tx, user, media, cx)?;
        review::apply(tx, user, typed(vec![file]).check(kind)?, cx)
    })
    .await
}

async fn sound(db: &Db) {
    let findings = db.read(doctor::examine).await.expect("the store works");
    for finding in findings {
        assert!(finding.violations.is_empty(), "{finding:?}");
    }
}

#[test]
fn an_application_is_read_back_with_its_files_and_steps_and_there_is_one_open_one() {
    on_each_database(async |world| {
        let (sam, admin) = (
            person(&world, "sam@example.com", Role::Mechanic).await,
            person(&world, "a@example.com", Role::Admin).await,
        );
        let first = apply(&world, &sam, ApplicationKind::Mechanic, "application/pdf").await.expect("applies");
        let (id, application) = (first.application.id(), first.application.clone());
        let read = at(&world, 11, move |tx, _| Ok(tx.application_by_id(id)?)).await.expect("reads");
        assert_eq!(read, Some(application));
        let second = apply(&world, &sam, ApplicationKind::Mechanic, "application/pdf").await;
        assert_eq!(second, Err(Error::ApplicationOpen));
        let gina = person(&world, "g@example.com", Role::Mechanic).await;
        let gif = apply(&world, &gina, ApplicationKind::Mechanic, "image/gif").await;
        assert!(matches!(gif, Err(Error::Invalid(_))), "a GIF is no certificate");

        let by = admin.id();
        at(&world, 20, move |tx, cx| review::ask(tx, id, by, "Page 2?".to_owned(), cx)).await.expect("asks");
        let user = sam.id();
        let answered = at(&world, 30, move |tx, cx| {
            let file = upload(tx, user, "image/webp", cx)?;
            review::answer(
                tx,
                user,
                typed(vec![file]).check(ApplicationKind::Mechanic)?,
                "Here.".to_owned(),
                cx,
            )
        });
        let answered = answered.await.expect("answers");
        assert_eq!(answered.application.record().revision, 2);
        let papers = world.db.read(move |tx| staff::papers(tx, id)).await.expect("reads");
        assert_eq!(
            papers.iter().map(|paper| paper.content_type.as_str()).collect::<Vec<_>>(),
            ["image/webp"]
        );
        let reviewed = at(&world, 40, move |tx, cx| review::approve(tx, id, by, cx)).await.expect("approves");
        assert_eq!(reviewed.application.status(), ApplicationStatus::Approved);
        let again = at(&world, 41, move |tx, cx| review::refuse(tx, id, by, "No.".to_owned(), cx)).await;
        assert_eq!(again, Err(Error::AlreadyDecided));
        let steps = at(&world, 42, move |tx, _| Ok(tx.application_steps(id)?)).await.expect("reads");
        let kinds: Vec<_> = steps.iter().map(|step| step.kind).collect();
        assert_eq!(kinds, [StepKind::Submitted, StepKind::Asked, StepKind::Answered, StepKind::Approved]);
        let mechanic = at(&world, 43, move |tx, _| Ok(tx.mechanic_by_user(user)?)).await.expect("reads");
        let approval = mechanic.expect("a mechanic").approval().clone();
        assert_eq!((approval.state, approval.decided_by), (ApprovalState::Approved, Some(by)));
        sound(&world.db).await;
    });
}

#[test]
fn a_workshop_that_is_approved_has_a_provider_of_its_own_and_its_mechanics_join_once() {
    on_each_database(async |world| {
        let (olga, admin, lena) = (
            person(&world, "olga@example.com", Role::Mechanic).await,
            person(&world, "a@example.com", Role::Admin).await,
            person(&world, "lena@example.com", Role::Mechanic).await,
        );
        let applied = apply(&world, &olga, ApplicationKind::Workshop, "image/png").await.expect("applies");
        let (id, by, owner) = (applied.application.id(), admin.id(), olga.id());
        at(&world, 20, move |tx, cx| review::approve(tx, id, by, cx)).await.expect("approves");
        let (user, workshop, mechanic) = at(&world, 21, move |tx, _| {
            Ok((tx.user_by_id(owner)?, tx.provider_by_owner(owner)?, tx.mechanic_by_user(owner)?))
        })
        .await
        .expect("reads");
        let workshop = workshop.expect("a workshop");
        assert_eq!(user.map(|user| user.role()), Some(Role::Workshop));
        assert_eq!((workshop.name.as_str(), mechanic), ("Northside Motors", None));
        assert_ne!(workshop.id.uuid(), owner.uuid(), "workshops have ids of their own");

        let invited = at(&world, 30, move |tx, cx| {
            let token = Token::random(cx);
            let secret = InvitationSecret { id: InvitationId::new(cx.id()), token: token.hash() };
            let email = Email::parse("lena@example.com").expect("an address");
            invitation::invite(tx, owner, email, secret, cx).map(|invited| (invited, token))
        });
        let (invited, token) = invited.await.expect("invites");
        let read = at(&world, 31, move |tx, _| Ok(tx.invitations_open(workshop.id)?)).await.expect("reads");
        assert_eq!(read, [invited]);
        let (hash, member) = (token.hash(), lena.id());
        let joined =
            at(&world, 40, move |tx, cx| invitation::accept(tx, &hash, member, cx)).await.expect("joins");
        assert!(joined.mechanic.is_approved() && joined.mechanic.provider() == joined.workshop.id);
        let twice = at(&world, 41, move |tx, cx| invitation::accept(tx, &hash, member, cx)).await;
        assert_eq!(twice.map(|_| ()), Err(Error::InvalidToken));
        let left =
            at(&world, 50, move |tx, cx| invitation::remove(tx, owner, member, cx)).await.expect("leaves");
        assert_eq!((left.approval().state, left.provider().uuid()), (ApprovalState::Pending, member.uuid()));
        sound(&world.db).await;
    });
}

#[test]
fn an_account_is_suspended_once_and_the_search_finds_it_in_any_case() {
    on_each_database(async |world| {
        let (sam, admin) = (
            person(&world, "sam@example.com", Role::Customer).await,
            person(&world, "a@example.com", Role::Admin).await,
        );
        let (user, by) = (sam.id(), admin.id());
        let suspend = move |tx: &mut Tx<'_>, cx: &Context| {
            suspension::suspend(tx, user, by, "Three chargebacks.".to_owned(), cx).map(|(person, _)| person)
        };
        at(&world, 10, suspend).await.expect("suspends");
        // Notices follow the answer of a commit.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        let mut told = false;
        while !told && std::time::Instant::now() < deadline {
            told = world.heard().iter().any(|notice| matches!(notice, Notice::AccessEnded { via: None, .. }));
            tokio::task::yield_now().await;
        }
        assert!(told, "open sockets end");
        assert!(matches!(at(&world, 11, suspend).await, Err(Error::InvalidTransition { .. })));
        let own = at(&world, 12, move |tx, cx| suspension::suspend(tx, by, by, "Bye.".to_owned(), cx)).await;
        assert_eq!(own.map(|_| ()), Err(Error::OwnAccount));
        let found = at(&world, 13, move |tx, _| Ok(tx.suspension_of(user)?)).await.expect("reads");
        assert_eq!(found.expect("in force").reason, "Three chargebacks.");
        for (search, status, count) in [
            ("OKAFOR", None, 2),
            ("SAM@", None, 1),
            ("okafor", Some(accounts::Status::Suspended), 1),
            ("_am", None, 0),
        ] {
            let filter = UserFilter { search: search.to_owned(), status, ..UserFilter::default() };
            let people = world.db.read(move |tx| staff::users(tx, &filter, 10)).await.expect("reads");
            assert_eq!(people.len(), count, "{search}");
        }
        sound(&world.db).await;
        at(&world, 20, move |tx, cx| suspension::restore(tx, user, by, cx)).await.expect("restores");
        at(&world, 30, suspend).await.expect("suspends again");
        sound(&world.db).await;
    });
}
