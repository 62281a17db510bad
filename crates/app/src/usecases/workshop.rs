//! A workshop and its mechanics: inviting by mail, joining, letting go.

use accounts::audit::{self, NewAuditEntry};
use accounts::invitation::{self, Joined};
use accounts::register::{self, NewUser};
use accounts::sign_in::{self, Opened};
use accounts::{
    ApplicationStore, Device, Email, Error as AccountsError, FieldError, Invitation, InvitationSecret,
    Mechanic, Name, Password, Provider, ProviderStore, TimeZone, Token, User, UserStore,
};
use kernel::id::{InvitationId, UserId};
use kernel::{Actor, Context, Role};
use notifications::Milestone;
use store::Tx;
use store::notice::Side;

use super::mail::{self, About};
use super::{Error, passwords, personal};
use crate::state::Pitlane;

/// A workshop as who runs it sees it.
#[derive(Debug, Clone)]
pub struct Team {
    /// The workshop.
    pub workshop: Provider,
    /// Its mechanics with their people, longest there first.
    pub members: Vec<(Mechanic, User)>,
    /// The invitations that may be accepted now, newest first.
    pub invitations: Vec<Invitation>,
}

/// The workshop of this person; `None` when they run none.
///
/// # Errors
/// A failure of the storage.
pub async fn team(pitlane: &Pitlane, owner: UserId) -> Result<Option<Team>, Error> {
    let now = pitlane.clock.now();
    pitlane
        .db
        .read(move |tx| {
            let workshop = match invitation::workshop_of(tx, owner) {
                Ok(workshop) => workshop,
                Err(AccountsError::NotFound(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let mechanics = tx.mechanics_of_provider(workshop.id)?;
            let ids: Vec<UserId> = mechanics.iter().map(Mechanic::user).collect();
            let people = tx.users_by_ids(&ids)?;
            let members = mechanics
                .into_iter()
                .filter_map(|one| {
                    let person = people.iter().find(|person| person.id() == one.user())?;
                    Some((one, person.clone()))
                })
                .collect();
            let mut invitations = tx.invitations_open(workshop.id)?;
            invitations.retain(|invitation| invitation.is_open(now));
            Ok(Some(Team { workshop, members, invitations }))
        })
        .await
}

/// Invites a mechanic by mail. An open invitation to the same address stops working.
///
/// # Errors
/// An address that can't be one, those of [`invitation::invite`], or a failure of the storage.
pub async fn invite(pitlane: &Pitlane, owner: Actor, email: &str) -> Result<Invitation, Error> {
    let email = Email::parse(email).map_err(|error| AccountsError::Invalid(vec![error]))?;
    let user = owner.user().ok_or(AccountsError::NotFound("user"))?;
    let cx = pitlane.context();
    let id = InvitationId::new(cx.id());
    let token = mail::invitation_token(&pitlane.settings.auth.secret, id).hash();
    let secret = InvitationSecret { id, token };
    pitlane
        .db
        .write(move |tx| {
            let invited = invitation::invite(tx, user, email.clone(), secret, &cx)?;
            let about = About::Invitation(invited.id);
            mail::enqueue(tx, Milestone::WorkshopInvitation, user, about, &cx)?;
            let entry = NewAuditEntry::new(owner, "workshop.invite", "invitation", invited.id);
            audit::record(tx, entry, &cx)?;
            Ok(invited)
        })
        .await
}

/// Takes an invitation back.
///
/// # Errors
/// Those of [`invitation::revoke`], or a failure of the storage.
pub async fn revoke(pitlane: &Pitlane, owner: UserId, id: InvitationId) -> Result<(), Error> {
    let cx = pitlane.context();
    Ok(pitlane.db.write(move |tx| invitation::revoke(tx, owner, id, &cx)).await?)
}

/// Lets a mechanic go. Their open sockets end, and they are told.
///
/// # Errors
/// Those of [`invitation::remove`], or a failure of the storage.
pub async fn remove(pitlane: &Pitlane, owner: Actor, mechanic: UserId) -> Result<(), Error> {
    let user = owner.user().ok_or(AccountsError::NotFound("user"))?;
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            invitation::remove(tx, user, mechanic, &cx)?;
            let entry = NewAuditEntry::new(owner, "workshop.remove", "mechanic", mechanic);
            audit::record(tx, entry, &cx)?;
            Ok(())
        })
        .await
}

/// An invitation that may be accepted now.
#[derive(Debug, Clone)]
pub struct Offered {
    /// The workshop.
    pub workshop: Provider,
    /// Whom it was mailed to.
    pub email: Email,
    /// Whether that address has an account.
    pub has_account: bool,
}

/// What is behind a mailed link, without using it up.
///
/// # Errors
/// A failure of the storage.
pub async fn peek(pitlane: &Pitlane, token: &str) -> Result<Option<Offered>, Error> {
    let Some(token) = Token::presented(token) else { return Ok(None) };
    let (hash, now) = (token.hash(), pitlane.clock.now());
    pitlane
        .db
        .read(move |tx| {
            let Some((found, workshop)) = invitation::peek(tx, &hash, now)? else { return Ok(None) };
            let has_account = tx.user_by_email(&found.email)?.is_some();
            Ok(Some(Offered { workshop, email: found.email, has_account }))
        })
        .await
}

fn presented(token: &str) -> Result<Token, Error> {
    Token::presented(token).ok_or_else(|| AccountsError::InvalidToken.into())
}

/// A signed-in mechanic accepts an invitation.
///
/// # Errors
/// Those of [`invitation::accept`], or a failure of the storage.
pub async fn join(pitlane: &Pitlane, user: UserId, token: &str) -> Result<Joined, Error> {
    let (hash, cx) = (presented(token)?.hash(), pitlane.context());
    pitlane
        .db
        .write(move |tx| {
            let joined = invitation::accept(tx, &hash, user, &cx)?;
            note_joined(tx, user, &joined, &cx)?;
            Ok(joined)
        })
        .await
}

fn note_joined(tx: &mut Tx<'_>, user: UserId, joined: &Joined, cx: &Context) -> Result<(), Error> {
    let actor = Actor::Person { id: user, role: Role::Mechanic };
    let entry = NewAuditEntry::new(actor, "workshop.join", "provider", joined.workshop.id);
    audit::record(tx, entry, cx)?;
    let message = format!("You work for {} now. Go on duty, and requests reach you.", joined.workshop.name);
    personal::notification(
        tx,
        user,
        Side::Mechanic,
        "You have joined",
        &message,
        "Open the queue",
        "/mechanic",
        cx,
    );
    Ok(())
}

/// Somebody without an account accepts an invitation: the account is made with the invited address, which counts as
/// confirmed, and signed in.
///
/// # Errors
/// Fields that are wrong, an invitation that does not work, an address that has an account, or a failure of the
/// storage.
pub async fn join_as_new(
    pitlane: &Pitlane,
    token: &str,
    name: &str,
    password: String,
    time_zone: Option<&str>,
    device: Device,
) -> Result<(Opened, Joined), Error> {
    let mut wrong = Vec::new();
    let mut note = |error: FieldError| wrong.push(error);
    let name = Name::parse(name).map_err(&mut note).ok();
    let password = Password::parse("password", password).map_err(&mut note).ok();
    let zone = time_zone.map_or_else(|| Ok(TimeZone::utc()), TimeZone::parse).map_err(&mut note).ok();
    let (Some(name), Some(password), Some(time_zone)) = (name, password, zone) else {
        return Err(AccountsError::Invalid(wrong).into());
    };
    let hash = presented(token)?.hash();
    // A guess at a link must not cost the work of a hash.
    let offered = peek(pitlane, token).await?.ok_or(AccountsError::InvalidToken)?;
    if offered.has_account {
        return Err(AccountsError::EmailTaken.into());
    }
    let cx = pitlane.context();
    let new = NewUser {
        id: UserId::new(cx.id()),
        email: offered.email,
        name,
        role: Role::Mechanic,
        time_zone,
        password: Some(passwords::hash(password, &cx).await?),
        workshop: Some(offered.workshop.id),
    };
    let days = pitlane.settings.auth.session_days;
    pitlane
        .db
        .write(move |tx| {
            let user = register::register(tx, new.clone(), &cx)?;
            let joined = invitation::accept(tx, &hash, user.id(), &cx)?;
            note_joined(tx, user.id(), &joined, &cx)?;
            let user = tx.user_by_id(user.id())?.ok_or(AccountsError::NotFound("user"))?;
            Ok((sign_in::open(tx, user, &device, days, &cx)?, joined))
        })
        .await
}
