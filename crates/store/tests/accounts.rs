//! The ports of `accounts`, through the domain functions that use them, on SQLite and PostgreSQL.
//!
//! PostgreSQL is used when `PITLANE_TEST_POSTGRES` names a server on which databases may be made.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use accounts::change::{self, Change};
use accounts::idempotency::{self, Claim, Claimant, KeptAnswer};
use accounts::one_time::{self, LinkRequest, LinkSecret};
use accounts::register::{NewUser, register};
use accounts::sign_in::{Outcome, PasswordAttempt};
use accounts::{
    ApprovalState, Credential, CredentialStore, Device, Email, Error, IdempotencyKey, Name, NewAuditEntry,
    PasswordHash, ProviderStore, Purpose, RecordStore, ReturnPath, SharedSecret, TimeZone, Token, TokenHash,
    User, UserStore, api_token, audit, authenticate, idempotency::ProcessId, provider, sign_in,
};
use diesel::RunQueryDsl;
use kernel::{Actor, ApiTokenId, Context, Entropy, OneTimeTokenId, Role, Timestamp, UserId};
use store::{Db, Notice, Settings, Tx};
use uuid::Uuid;

struct Counter(AtomicU64);

impl Entropy for Counter {
    fn id(&self, _now: Timestamp) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }

    fn fill(&self, buffer: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        buffer.fill(0);
        buffer[..number.len()].copy_from_slice(&number);
    }
}

/// A fresh database with the means to use it.
#[derive(Clone)]
struct World {
    db: Db,
    entropy: Arc<dyn Entropy>,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl World {
    fn open(url: &str) -> Self {
        let settings = Settings::new(url).expect("a database");
        Db::migrate(&settings).expect("migrates");
        let db = Db::open(&settings).expect("opens");
        let notices = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&notices);
        db.on_commit(Arc::new(move |new| heard.lock().expect("not poisoned").extend_from_slice(new)));
        Self { db, entropy: Arc::new(Counter(AtomicU64::new(1))), notices }
    }

    fn context(&self, seconds: i64) -> Context {
        let start = Timestamp::from_unix_seconds(1_760_860_800).expect("in range");
        Context::new(start.plus_seconds(seconds), Arc::clone(&self.entropy))
    }

    /// Runs one transaction that many seconds after the start.
    async fn at<T: Send + 'static>(
        &self,
        seconds: i64,
        work: impl Fn(&mut Tx<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let cx = self.context(seconds);
        self.db.write(move |tx| work(tx, &cx)).await
    }

    async fn person(&self, email: &'static str, role: Role) -> User {
        self.at(0, move |tx, cx| register(tx, new_user(email, role, cx), cx)).await.expect("registers")
    }

    async fn sign_in(&self, user: &User) -> sign_in::Opened {
        let user = user.clone();
        self.at(0, move |tx, cx| sign_in::open(tx, user.clone(), &device(), 30, cx)).await.expect("signs in")
    }

    async fn knows(&self, seconds: i64, credential: Credential) -> bool {
        let found = self.at(seconds, move |tx, cx| authenticate::authenticate(tx, &credential, cx.now)).await;
        found.expect("the store works").is_some()
    }

    /// The access that was ended since the last call, as the person and whether it was one sign-in only. Notices
    /// follow the answer of a commit, so this waits until there are `count`.
    async fn ended(&self, count: usize) -> Vec<(UserId, bool)> {
        let mut ended = Vec::new();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while ended.len() < count && std::time::Instant::now() < deadline {
            let heard = std::mem::take(&mut *self.notices.lock().expect("not poisoned"));
            ended.extend(heard.into_iter().filter_map(|notice| match notice {
                Notice::AccessEnded { user, via } => Some((user, via.is_some())),
                Notice::SessionEvent(_)
                | Notice::Read { .. }
                | Notice::Personal { .. }
                | Notice::MembershipEnded { .. }
                | Notice::Staff { .. }
                | Notice::JobsDue => None,
            }));
            tokio::task::yield_now().await;
        }
        ended
    }
}

fn new_user(email: &str, role: Role, cx: &Context) -> NewUser {
    NewUser {
        id: UserId::new(cx.id()),
        email: Email::parse(email).expect("an address"),
        name: Name::parse("Somebody").expect("a name"),
        role,
        time_zone: TimeZone::utc(),
        password: Some(hash("first")),
        workshop: None,
    }
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(text.to_owned())
}

fn device() -> Device {
    Device::new("a browser", "192.0.2.1")
}

fn cookie(token: &Token) -> Credential {
    Credential::sign_in(token.expose()).expect("the shape of a token")
}

/// A link's secret, made from a number.
fn secret(number: u8) -> (Token, LinkSecret) {
    let token = Token::from_bytes([number; 32]);
    let id = OneTimeTokenId::new(Uuid::from_u128(u128::from(number) << 64));
    let secret = LinkSecret { id, token: token.hash() };
    (token, secret)
}

/// Runs the test on a fresh SQLite file and, where there is a server, on a fresh PostgreSQL database.
async fn on_both<F: Future<Output = ()>>(name: &str, test: impl Fn(World) -> F) {
    let folder = tempfile::tempdir().expect("a folder");
    test(World::open(&format!("sqlite://{}", folder.path().join("test.db").display()))).await;
    if let Ok(server) = std::env::var("PITLANE_TEST_POSTGRES") {
        let database = format!("store_accounts_{name}_{}", std::process::id());
        make_database(&server, &database);
        let base = server.rsplit_once('/').expect("a database in the address").0;
        let query = server.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
        test(World::open(&format!("{base}/{database}{query}"))).await;
    }
}

fn make_database(server: &str, name: &str) {
    use diesel::Connection as _;
    let mut connection = diesel::PgConnection::establish(server).expect("the server answers");
    diesel::sql_query(format!("CREATE DATABASE {name}"))
        .execute(&mut connection)
        .expect("may make databases");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_one_account() {
    on_both("one_account", |world| async move {
        let first = world.person("driver@example.com", Role::Customer).await;
        let second =
            world.at(1, |tx, cx| register(tx, new_user("Driver@Example.com", Role::Mechanic, cx), cx)).await;
        assert_eq!(second.expect_err("taken"), Error::EmailTaken);
        let other = world.person("other@example.com", Role::Customer).await;
        let email = first.email().clone();
        let moved = world
            .at(2, move |tx, cx| Ok(tx.user_update(&other.clone().with_email(email.clone(), cx.now))?))
            .await;
        assert!(!moved.expect("an answer, not an error"));
        let found = world
            .at(3, move |tx, _| {
                Ok((tx.user_by_id(first.id())?, tx.users_by_ids(&[first.id()])?, first.clone()))
            })
            .await;
        let (by_id, by_ids, first) = found.expect("the store works");
        assert_eq!(by_id.as_ref(), Some(&first));
        assert_eq!(by_ids, [first]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_claims_at_once_one_gets_the_free_session() {
    on_both("free_session", |world| async move {
        let id = world.person("driver@example.com", Role::Customer).await.id();
        let claims = (0..8).map(|_| {
            let world = world.clone();
            tokio::spawn(async move {
                world.at(1, move |tx, cx| Ok(tx.user_claim_free_session(id, cx.now)?)).await.expect("works")
            })
        });
        let mut won = 0;
        for claim in claims.collect::<Vec<_>>() {
            won += usize::from(claim.await.expect("no panic"));
        }
        assert_eq!(won, 1);
        // A copy that was read before the claim must not undo it.
        let user = world.at(2, move |tx, _| Ok(tx.user_by_id(id)?)).await.expect("works").expect("is there");
        assert!(user.has_used_free_session());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_works_until_it_expires_or_is_ended_and_the_end_is_told() {
    on_both("sign_ins", |world| async move {
        let user = world.person("driver@example.com", Role::Customer).await;
        let (kept, left) = (world.sign_in(&user).await, world.sign_in(&user).await);
        let day = 86_400;
        assert!(world.knows(30 * day - 1, cookie(&kept.token)).await);
        assert!(!world.knows(30 * day, cookie(&kept.token)).await);
        assert!(!world.knows(1, cookie(&Token::from_bytes([9; 32]))).await);
        let (id, ended) = (user.id(), left.sign_in.id);
        let stranger = UserId::new(Uuid::from_u128(77));
        let foreign = world.at(5, move |tx, cx| sign_in::revoke(tx, stranger, ended, cx)).await;
        assert_eq!(foreign, Ok(false), "nobody ends the sign-in of somebody else");
        let mine = world.at(5, move |tx, cx| sign_in::revoke(tx, id, ended, cx)).await;
        assert_eq!(mine, Ok(true));
        assert_eq!(world.ended(1).await, [(id, true)]);
        assert!(!world.knows(6, cookie(&left.token)).await);
        let listed = world.at(6, move |tx, cx| Ok(tx.sign_ins_of(id, cx.now)?)).await.expect("works");
        assert_eq!(listed.iter().map(|sign_in| sign_in.id).collect::<Vec<_>>(), [kept.sign_in.id]);
    })
    .await;
}

fn ticket(number: u128) -> LinkSecret {
    LinkSecret { id: OneTimeTokenId::new(Uuid::from_u128(number)), token: TokenHash::new([7; 32]) }
}

async fn try_password(
    world: &World,
    seconds: i64,
    email: &'static str,
    password: Option<&'static str>,
) -> Result<(), Error> {
    let attempt = PasswordAttempt {
        email: Email::parse(email).expect("an address"),
        matched: password.map(hash),
        device: device(),
        limit: 10,
        days: 30,
        code: None,
        ticket: ticket(7),
        return_path: None,
    };
    let secret_of = |_| SharedSecret::new([7; 20]);
    match world.at(seconds, move |tx, cx| sign_in::by_password(tx, &attempt, &secret_of, cx)).await? {
        Outcome::SignedIn(_) => Ok(()),
        Outcome::NeedsCode => Err(Error::SecondFactorRequired),
        Outcome::Refused(error) => Err(error),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_wrong_passwords_a_minute_are_answered_alike_with_and_without_an_account() {
    on_both("attempts", |world| async move {
        world.person("driver@example.com", Role::Customer).await;
        for email in ["driver@example.com", "nobody@example.com"] {
            for second in 0..10 {
                let wrong = try_password(&world, second, email, None).await;
                assert_eq!(wrong, Err(Error::WrongCredentials), "{email} at {second} s");
            }
            let limited = try_password(&world, 10, email, None).await;
            assert_eq!(limited, Err(Error::TooManyAttempts { retry_after_seconds: 50 }), "{email}");
        }
        let right = try_password(&world, 11, "driver@example.com", Some("first")).await;
        assert_eq!(right, Err(Error::TooManyAttempts { retry_after_seconds: 49 }), "guessing in parallel");
        assert_eq!(try_password(&world, 60, "driver@example.com", Some("first")).await, Ok(()));
        let stale = try_password(&world, 61, "driver@example.com", Some("changed since")).await;
        assert_eq!(stale, Err(Error::WrongCredentials), "the hash is compared again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_many_accounts_from_one_address_are_counted_together() {
    on_both("spread_guesses", |world| async move {
        world.person("driver@example.com", Role::Customer).await;
        for number in 0..100 {
            let email: &'static str = format!("nobody-{number}@example.com").leak();
            assert_eq!(try_password(&world, 0, email, None).await, Err(Error::WrongCredentials), "{email}");
        }
        let limited = try_password(&world, 10, "driver@example.com", Some("first")).await;
        assert_eq!(limited, Err(Error::TooManyAttempts { retry_after_seconds: 50 }));
        assert_eq!(try_password(&world, 60, "driver@example.com", Some("first")).await, Ok(()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_are_counted_one_by_one() {
    on_both("parallel_guesses", |world| async move {
        let guesses = (0..24).map(|_| {
            let world = world.clone();
            tokio::spawn(async move { try_password(&world, 0, "nobody@example.com", None).await })
        });
        let mut looked_at = 0;
        for guess in guesses.collect::<Vec<_>>() {
            looked_at += usize::from(guess.await.expect("no panic") == Err(Error::WrongCredentials));
        }
        assert_eq!(looked_at, 10);
    })
    .await;
}

fn link(email: &str, purpose: Purpose, number: u8) -> LinkRequest {
    LinkRequest {
        email: Email::parse(email).expect("an address"),
        purpose,
        secret: secret(number).1,
        return_path: Some(ReturnPath::parse("/dashboard").expect("a path")),
        address: "192.0.2.1".to_owned(),
        limit: 10,
    }
}

async fn ask(world: &World, seconds: i64, purpose: Purpose, number: u8) -> bool {
    let request = link("driver@example.com", purpose, number);
    let made = world.at(seconds, move |tx, cx| one_time::request(tx, &request, cx)).await;
    made.expect("the store works").is_some()
}

async fn follow(world: &World, seconds: i64, number: u8) -> Result<Option<ReturnPath>, Error> {
    let hash = secret(number).0.hash();
    world
        .at(seconds, move |tx, cx| one_time::sign_in_by_link(tx, &hash, &device(), 30, ticket(99), cx))
        .await
        .map(|(_, path)| path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once_in_its_time_and_only_the_newest() {
    on_both("links", |world| async move {
        let request = link("nobody@example.com", Purpose::MagicLink, 1);
        let none = world.at(0, move |tx, cx| one_time::request(tx, &request, cx)).await;
        assert_eq!(none, Ok(None), "no account, no link");
        world.person("driver@example.com", Role::Customer).await;
        assert!(ask(&world, 0, Purpose::MagicLink, 2).await);
        assert!(ask(&world, 1, Purpose::MagicLink, 3).await);
        assert_eq!(follow(&world, 2, 2).await, Err(Error::InvalidToken), "replaced by a newer one");
        let (first, second) = tokio::join!(follow(&world, 3, 3), follow(&world, 3, 3));
        let (good, bad) = if first.is_ok() { (first, second) } else { (second, first) };
        assert_eq!(good.expect("one gets in").as_ref().map(ReturnPath::as_str), Some("/dashboard"));
        assert_eq!(bad, Err(Error::InvalidToken), "only one");
        assert!(ask(&world, 10, Purpose::MagicLink, 4).await);
        assert_eq!(follow(&world, 10 + 15 * 60, 4).await, Err(Error::InvalidToken), "too late");
        assert!(ask(&world, 1_000, Purpose::PasswordReset, 5).await);
        assert_eq!(follow(&world, 1_001, 5).await, Err(Error::InvalidToken), "for another purpose");
        for number in 10..20 {
            assert!(ask(&world, 4_000, Purpose::MagicLink, number).await);
        }
        assert!(!ask(&world, 4_001, Purpose::MagicLink, 20).await, "no eleventh mail in a minute");
        assert!(follow(&world, 4_002, 19).await.is_ok(), "the last one that was mailed still works");
        assert!(!ask(&world, 4_100, Purpose::MagicLink, 21).await, "nor in an hour");
        assert!(ask(&world, 7_601, Purpose::MagicLink, 22).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_takes_an_account_back_from_whoever_registered_it_with_a_foreign_address() {
    on_both("take_back", |world| async move {
        let squatter = world.person("driver@example.com", Role::Customer).await;
        let id = squatter.id();
        let old = world.sign_in(&squatter).await;
        let (_, shown) =
            world.at(0, move |tx, cx| api_token(tx, id, "left behind", cx)).await.expect("a token");
        let api = Credential::api_token(shown.expose()).expect("the shape");
        assert!(world.knows(1, api.clone()).await);
        assert!(ask(&world, 1, Purpose::MagicLink, 1).await);
        assert!(follow(&world, 2, 1).await.is_ok());
        assert!(!world.knows(3, cookie(&old.token)).await);
        assert!(!world.knows(3, api).await);
        let user = world.at(3, move |tx, _| Ok(tx.user_by_id(id)?)).await.expect("works").expect("is there");
        assert!(user.email_verified() && user.password().is_none());
        assert_eq!(world.ended(2).await, [(id, true), (id, true)], "the sign-in, then the API token");

        // From now on the address is the person's: another link changes nothing.
        let mine = world.sign_in(&user).await;
        assert!(ask(&world, 10, Purpose::MagicLink, 2).await);
        assert!(follow(&world, 11, 2).await.is_ok());
        assert!(world.knows(12, cookie(&mine.token)).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_sets_the_password_and_ends_every_sign_in() {
    on_both("reset", |world| async move {
        let user = world.person("driver@example.com", Role::Customer).await;
        let verified = user.clone();
        let updated =
            world.at(0, move |tx, cx| Ok(tx.user_update(&verified.clone().verified(cx.now))?)).await;
        assert_eq!(updated, Ok(true));
        let old = world.sign_in(&user).await;
        assert!(ask(&world, 1, Purpose::PasswordReset, 1).await);
        let token = secret(1).0.hash();
        let reset = |tx: &mut Tx<'_>, cx: &Context| {
            one_time::reset_password(tx, &secret(1).0.hash(), hash("new"), cx)
        };
        let peeked = world.at(2, move |tx, cx| one_time::peek(tx, Purpose::PasswordReset, &token, cx)).await;
        assert_eq!(peeked.expect("works").map(|user| user.id()), Some(user.id()), "looking uses nothing up");
        assert!(world.at(3, reset).await.is_ok());
        assert_eq!(world.at(4, reset).await.map(drop), Err(Error::InvalidToken));
        assert!(!world.knows(5, cookie(&old.token)).await);
        assert_eq!(try_password(&world, 6, "driver@example.com", Some("new")).await, Ok(()));
        let old_password = try_password(&world, 7, "driver@example.com", Some("first")).await;
        assert_eq!(old_password, Err(Error::WrongCredentials));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_the_password_keeps_this_sign_in_and_ends_the_others() {
    on_both("change_password", |world| async move {
        let user = world.person("driver@example.com", Role::Customer).await;
        let (here, there) = (world.sign_in(&user).await, world.sign_in(&user).await);
        let (id, keep) = (user.id(), here.sign_in.id);
        let change = move |current: &'static str| {
            let wanted = Change {
                password: Some(hash("new")),
                matched: Some(hash(current)),
                keep: Some(keep),
                ..Change::default()
            };
            move |tx: &mut Tx<'_>, cx: &Context| change::change(tx, id, &wanted, cx)
        };
        assert_eq!(world.at(1, change("wrong")).await.map(drop), Err(Error::WrongCredentials));
        assert!(world.knows(1, cookie(&there.token)).await);
        assert!(world.at(2, change("first")).await.is_ok());
        assert!(world.knows(3, cookie(&here.token)).await);
        assert!(!world.knows(3, cookie(&there.token)).await);
        assert_eq!(world.ended(1).await, [(id, true)]);
    })
    .await;
}

fn api_token(
    tx: &mut store::Tx<'_>,
    user: UserId,
    name: &str,
    cx: &Context,
) -> Result<(accounts::ApiToken, Token), Error> {
    let shown = Token::random_api_token(cx);
    Ok((api_token::create(tx, user, name, (ApiTokenId::new(cx.id()), &shown), cx)?, shown))
}

#[tokio::test(flavor = "multi_thread")]
async fn api_tokens_are_listed_limited_touched_and_ended() {
    on_both("api_tokens", |world| async move {
        let id = world.person("driver@example.com", Role::Customer).await.id();
        let mut tokens = Vec::new();
        for number in 0..api_token::API_TOKENS_MAX {
            let name = format!("token {number}");
            tokens.push(world.at(0, move |tx, cx| api_token(tx, id, &name, cx)).await.expect("made"));
        }
        let over = world.at(1, move |tx, cx| api_token(tx, id, "one more", cx)).await;
        assert_eq!(over.map(drop), Err(Error::TooManyTokens(api_token::API_TOKENS_MAX)));
        let (token, shown) = tokens.pop().expect("there are some");
        let credential = Credential::api_token(shown.expose()).expect("the shape");
        let used = credential.clone();
        let principal = world.at(2, move |tx, cx| authenticate::authenticate(tx, &used, cx.now)).await;
        let principal = principal.expect("works").expect("is known");
        assert!(principal.touch_due && principal.sign_in().is_none());
        let touched = world.at(3, move |tx, cx| authenticate::touch(tx, principal.via, cx.now)).await;
        assert_eq!(touched, Ok(()));
        let again = credential.clone();
        let principal = world.at(4, move |tx, cx| authenticate::authenticate(tx, &again, cx.now)).await;
        assert!(!principal.expect("works").expect("is known").touch_due);
        let ended = token.id;
        assert_eq!(world.at(5, move |tx, cx| api_token::revoke(tx, id, ended, cx)).await, Ok(()));
        assert!(!world.knows(6, credential).await);
        assert_eq!(world.ended(1).await, [(id, true)]);
        let twice = world.at(7, move |tx, cx| api_token::revoke(tx, id, ended, cx)).await;
        assert_eq!(twice, Err(Error::NotFound("token")));
        let listed = world.at(8, move |tx, _| Ok(tx.api_tokens_of(id)?)).await.expect("works");
        assert_eq!(listed.len(), tokens.len());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_approved_mechanics_go_on_duty_and_losing_the_approval_ends_it() {
    on_both("mechanics", |world| async move {
        let admin = world.person("admin@example.com", Role::Admin).await.id();
        let mechanic = world.person("mechanic@example.com", Role::Mechanic).await;
        let (id, opened) = (mechanic.id(), world.sign_in(&mechanic).await);
        let early = world.at(1, move |tx, _| provider::set_duty(tx, id, true)).await;
        assert_eq!(early.map(drop), Err(Error::NotApproved));
        let decide = move |state| {
            move |tx: &mut Tx<'_>, cx: &Context| provider::decide(tx, id, state, Some(admin), None, cx)
        };
        let (_, changed) = world.at(2, decide(ApprovalState::Approved)).await.expect("approved");
        let (_, repeated) = world.at(3, decide(ApprovalState::Approved)).await.expect("approved");
        assert!(changed && !repeated);
        assert!(world.at(4, move |tx, _| provider::set_duty(tx, id, true)).await.is_ok());
        let on_duty = world.at(5, |tx, _| Ok(tx.mechanics_on_duty()?)).await;
        assert_eq!(on_duty, Ok(vec![id]));
        let own = world.at(5, move |tx, _| Ok(tx.provider_by_owner(id)?)).await.expect("works");
        assert_eq!(own.map(|provider| provider.id.uuid()), Some(id.uuid()), "an independent's provider id");
        assert!(world.at(6, decide(ApprovalState::Suspended)).await.is_ok());
        assert_eq!(world.at(7, |tx, _| Ok(tx.mechanics_on_duty()?)).await, Ok(Vec::new()));
        assert!(!world.knows(8, cookie(&opened.token)).await, "signed out everywhere");
        let nobody = world
            .at(9, move |tx, cx| provider::decide(tx, admin, ApprovalState::Approved, None, None, cx))
            .await;
        assert_eq!(nobody.map(drop), Err(Error::NotFound("mechanic")));
        world.person("waiting@example.com", Role::Mechanic).await;
        let listed = world.at(10, |tx, _| Ok(tx.mechanics(None, 10)?)).await.expect("works");
        let emails: Vec<_> = listed.iter().map(|(_, user)| user.email().as_str().to_owned()).collect();
        assert_eq!(emails, ["waiting@example.com", "mechanic@example.com"], "undecided ones first");
        assert_eq!(world.at(11, |tx, _| Ok(tx.admins()?)).await, Ok(vec![admin]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_is_read_newest_first_page_by_page() {
    on_both("audit", |world| async move {
        let admin = world.person("admin@example.com", Role::Admin).await;
        let actor = Actor::Person { id: admin.id(), role: Role::Admin };
        for number in 0..5 {
            let recorded = world.at(number, move |tx, cx| {
                let entry =
                    NewAuditEntry::new(actor, "mechanic.approve", "mechanic", number).with("number", number);
                audit::record(tx, entry.from_address(Some("192.0.2.9")), cx)
            });
            recorded.await.expect("records");
        }
        let system = NewAuditEntry::new(Actor::System, "session.expire", "session", "x");
        world.at(9, move |tx, cx| audit::record(tx, system.clone(), cx)).await.expect("records");
        let first = world
            .at(10, |tx, _| audit::page(tx, &audit::AuditFilter::default(), None, 4))
            .await
            .expect("works");
        let ids: Vec<_> = first.iter().map(|entry| entry.object_id.as_str()).collect();
        assert_eq!(ids, ["x", "4", "3", "2"]);
        assert_eq!((first[0].actor, first[0].actor_role.as_str()), (None, "system"));
        assert_eq!(first[1].details.get("number").map(String::as_str), Some("4"));
        assert_eq!(first[1].address.as_deref(), Some("192.0.2.9"));
        let last = first[3].id;
        let second = world
            .at(11, move |tx, _| audit::page(tx, &audit::AuditFilter::default(), Some(last), 4))
            .await
            .expect("works");
        assert_eq!(second.iter().map(|entry| entry.object_id.as_str()).collect::<Vec<_>>(), ["1", "0"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_same_request_sent_many_times_one_is_carried_out() {
    on_both("idempotency", |world| async move {
        let user = world.person("driver@example.com", Role::Customer).await.id();
        let by = Claimant { process: ProcessId([1; 16]), alone: false };
        let key = IdempotencyKey::parse(user, "POST /api/x".to_owned(), "key-1").expect("a key");
        let claim = |key: &IdempotencyKey, body: u8, by: Claimant| {
            let key = key.clone();
            move |tx: &mut Tx<'_>, cx: &Context| idempotency::claim(tx, &key, [body; 32], by, cx)
        };
        let calls = (0..8).map(|_| {
            let (world, work) = (world.clone(), claim(&key, 7, by));
            tokio::spawn(async move { world.at(0, work).await.expect("works") })
        });
        let mut proceeded = 0;
        for call in calls.collect::<Vec<_>>() {
            proceeded += usize::from(call.await.expect("no panic") == Claim::Proceed { reached: None });
        }
        assert_eq!(proceeded, 1);
        assert_eq!(world.at(1, claim(&key, 8, by)).await, Ok(Claim::Mismatch));
        let answer = KeptAnswer { status: 201, body: "{\"a\":1}".to_owned() };
        let (kept, held) = (answer.clone(), key.clone());
        let done = world.at(2, move |tx, _| idempotency::complete(tx, &held, by.process, &kept)).await;
        assert_eq!(done, Ok(()));
        assert_eq!(world.at(3, claim(&key, 7, by)).await, Ok(Claim::Replay(answer)));

        let elsewhere = IdempotencyKey::parse(user, "POST /api/y".to_owned(), "key-1").expect("a key");
        assert_eq!(
            world.at(4, claim(&elsewhere, 9, by)).await,
            Ok(Claim::Proceed { reached: None }),
            "another route"
        );
        let given_back = elsewhere.clone();
        let released = world.at(5, move |tx, _| idempotency::release(tx, &given_back, by.process)).await;
        assert_eq!(released, Ok(()));
        assert_eq!(
            world.at(6, claim(&elsewhere, 10, by)).await,
            Ok(Claim::Proceed { reached: None }),
            "after a failure"
        );
        let restarted = Claimant { process: ProcessId([2; 16]), alone: true };
        assert_eq!(
            world.at(7, claim(&elsewhere, 10, restarted)).await,
            Ok(Claim::Proceed { reached: None }),
            "after a crash"
        );
        let (late, dead) = (elsewhere.clone(), KeptAnswer { status: 201, body: "{}".to_owned() });
        let ignored = world.at(8, move |tx, _| idempotency::complete(tx, &late, by.process, &dead)).await;
        assert_eq!(ignored, Ok(()));
        let running = world.at(9, claim(&elsewhere, 10, restarted)).await;
        assert_eq!(running, Ok(Claim::InProgress), "the dead process no longer holds the key");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_swept_and_what_is_not_stays() {
    on_both("sweep", |world| async move {
        let user = world.person("driver@example.com", Role::Customer).await;
        let opened = world.sign_in(&user).await;
        assert!(ask(&world, 0, Purpose::MagicLink, 1).await);
        assert_eq!(try_password(&world, 0, "driver@example.com", None).await, Err(Error::WrongCredentials));
        assert_eq!(world.at(60, |tx, cx| Ok(tx.expired_sweep(cx.now)?)).await, Ok(0));
        assert_eq!(world.at(7_199, |tx, cx| Ok(tx.expired_sweep(cx.now)?)).await, Ok(0));
        // The link and six windows: links of the address in a minute and in an hour, mails asked for at that network;
        // passwords of the account at that network, and of each of the two. The sign-in has 29 days left.
        assert_eq!(world.at(2 * 86_400, |tx, cx| Ok(tx.expired_sweep(cx.now)?)).await, Ok(7));
        assert!(world.knows(2 * 86_400, cookie(&opened.token)).await);
        assert_eq!(world.at(32 * 86_400, |tx, cx| Ok(tx.expired_sweep(cx.now)?)).await, Ok(1));
    })
    .await;
}
