//! A workshop and its mechanics: inviting, joining, leaving.
//!
//! An invitation is mailed with a link that works once. Its mechanics work under the workshop's approval: whoever joins
//! is approved by that. Somebody whom an admin refused or suspended can't join. Who leaves works alone again: approved
//! if they were before they joined, else waiting for an admin.

use kernel::{Context, InvitationId, ProviderId, Role, Timestamp, UserId};

use crate::email::Email;
use crate::error::Error;
use crate::mail_quota::{self, Unasked};
use crate::provider::{ApprovalState, Mechanic, Provider, ProviderKind};
use crate::review;
use crate::store::Store;
use crate::token::TokenHash;
use crate::user::User;

/// For how long an invitation works, in seconds: 7 days.
pub const INVITATION_SECONDS: i64 = 7 * 86_400;
/// The most open invitations of one workshop.
pub const INVITATIONS_MAX: usize = 50;

/// A workshop's invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The invitation.
    pub id: InvitationId,
    /// The workshop.
    pub provider: ProviderId,
    /// Whom it was mailed to; only the account with this address may accept.
    pub email: Email,
    /// Who runs the workshop.
    pub invited_by: UserId,
    /// The hash of the link's secret.
    pub token: TokenHash,
    /// When it was sent.
    pub created_at: Timestamp,
    /// From when on it no longer works.
    pub expires_at: Timestamp,
    /// When it was taken back, or replaced by a newer one.
    pub revoked_at: Option<Timestamp>,
    /// Who accepted, and when.
    pub accepted: Option<(UserId, Timestamp)>,
    /// Whether they were approved on their own before.
    pub was_approved: bool,
}

impl Invitation {
    /// Whether it may be accepted now.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.accepted.is_none() && now < self.expires_at
    }
}

/// The id of an invitation and the hash of its secret, made by the app, which can make the secret again from the id
/// when the mail is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvitationSecret {
    /// The id.
    pub id: InvitationId,
    /// The hash of the secret.
    pub token: TokenHash,
}

/// The workshop that this person runs.
///
/// # Errors
/// [`Error::NotFound`], or a failure of the store.
pub fn workshop_of(store: &mut dyn Store, owner: UserId) -> Result<Provider, Error> {
    let found = store.provider_by_owner(owner)?.filter(|provider| provider.kind == ProviderKind::Workshop);
    found.ok_or(Error::NotFound("workshop"))
}

/// Invites a mechanic. An open invitation to the same address is replaced.
///
/// # Errors
/// [`Error::NotFound`] for somebody without a workshop, [`Error::Invalid`] for the address of somebody who works here
/// already, [`Error::TooManyInvitations`], [`Error::TooManyAttempts`] when too many were sent, or a failure of the store.
pub fn invite(
    store: &mut dyn Store,
    owner: UserId,
    email: Email,
    secret: InvitationSecret,
    cx: &Context,
) -> Result<Invitation, Error> {
    // The lock makes two calls at once count one after the other.
    store.user_for_update(owner)?.ok_or(Error::NotFound("user"))?;
    let workshop = workshop_of(store, owner)?;
    if let Some(person) = store.user_by_email(&email)? {
        let works_here =
            store.mechanic_by_user(person.id())?.is_some_and(|one| one.provider() == workshop.id);
        if works_here {
            return Err(Error::invalid("email", "already_member", "This mechanic works for you already."));
        }
    }
    mail_quota::unasked(store, owner, &email, Unasked::Invitation, cx)?;
    let open = store.invitations_open(workshop.id)?;
    for older in &open {
        if older.email == email || !older.is_open(cx.now) {
            store.invitation_revoke(workshop.id, older.id, cx.now)?;
        }
    }
    let still = open.iter().filter(|older| older.email != email && older.is_open(cx.now)).count();
    if still >= INVITATIONS_MAX {
        return Err(Error::TooManyInvitations(INVITATIONS_MAX));
    }
    let invitation = Invitation {
        id: secret.id,
        provider: workshop.id,
        email,
        invited_by: owner,
        token: secret.token,
        created_at: cx.now,
        expires_at: cx.now.plus_seconds(INVITATION_SECONDS),
        revoked_at: None,
        accepted: None,
        was_approved: false,
    };
    store.invitation_insert(&invitation)?;
    Ok(invitation)
}

/// Takes an invitation back.
///
/// # Errors
/// [`Error::NotFound`] when it is unknown, ended or another workshop's, or a failure of the store.
pub fn revoke(
    store: &mut dyn Store,
    owner: UserId,
    invitation: InvitationId,
    cx: &Context,
) -> Result<(), Error> {
    let workshop = workshop_of(store, owner)?;
    if store.invitation_revoke(workshop.id, invitation, cx.now)? {
        Ok(())
    } else {
        Err(Error::NotFound("invitation"))
    }
}

/// The open invitation behind a link and its workshop, without using it up. While the account of who runs the workshop
/// is closed its invitations don't work: nobody would answer for whom they approve.
///
/// # Errors
/// A failure of the store.
pub fn peek(
    store: &mut dyn Store,
    token: &TokenHash,
    now: Timestamp,
) -> Result<Option<(Invitation, Provider)>, Error> {
    let Some(found) = store.invitation_by_token(token)?.filter(|found| found.is_open(now)) else {
        return Ok(None);
    };
    let Some(workshop) = store.provider_by_id(found.provider)? else { return Ok(None) };
    let answered_for = store.user_by_id(workshop.owner)?.is_some_and(|owner| owner.is_active());
    Ok(answered_for.then_some((found, workshop)))
}

/// A mechanic who joined, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The mechanic, approved.
    pub mechanic: Mechanic,
    /// The workshop.
    pub workshop: Provider,
    /// An application that is not needed any more.
    pub withdrawn: Option<review::Reviewed>,
}

/// Accepts an invitation. Of two calls at once exactly one does. The link shows, too, that the address is the
/// person's.
///
/// # Errors
/// [`Error::InvalidToken`], [`Error::InvitationForAnother`] for an account with another address or in a role that
/// can't work for a workshop, [`Error::NotApproved`] for somebody whom an admin refused or suspended, or who works for
/// another workshop; or a failure of the store.
pub fn accept(store: &mut dyn Store, token: &TokenHash, user: UserId, cx: &Context) -> Result<Joined, Error> {
    let (invitation, workshop) = peek(store, token, cx.now)?.ok_or(Error::InvalidToken)?;
    let person = store.user_for_update(user)?.filter(User::is_active).ok_or(Error::NotFound("user"))?;
    if *person.email() != invitation.email || person.role() != Role::Mechanic {
        return Err(Error::InvitationForAnother);
    }
    let withdrawn = review::withdraw(store, user, cx)?;
    let mechanic = store.mechanic_for_update(user)?.ok_or(Error::NotFound("mechanic"))?;
    let alone = mechanic.provider().uuid() == user.uuid();
    let was_approved = alone && mechanic.is_approved();
    let mechanic = mechanic.joined(&workshop, invitation.invited_by, cx.now)?;
    if !store.invitation_accept(invitation.id, user, was_approved, cx.now)? {
        return Err(Error::InvalidToken);
    }
    store.mechanic_update(&mechanic)?;
    store.user_update(&person.verified(cx.now))?;
    Ok(Joined { mechanic, workshop, withdrawn })
}

/// The workshop lets a mechanic go: they work alone from now on, off duty, and their open sockets end.
///
/// # Errors
/// [`Error::NotFound`] for somebody who does not work there, or a failure of the store.
pub fn remove(
    store: &mut dyn Store,
    owner: UserId,
    mechanic: UserId,
    cx: &Context,
) -> Result<Mechanic, Error> {
    let workshop = workshop_of(store, owner)?;
    let member = store.mechanic_for_update(mechanic)?;
    member.filter(|member| member.provider() == workshop.id).ok_or(Error::NotFound("mechanic"))?;
    release(store, &workshop, mechanic, cx)
}

/// Ends a workshop whose owner leaves for good: its open invitations stop working, and its mechanics work alone from
/// now on. Their approval was the workshop's, so only those who were approved before they joined keep one; the others
/// may apply. Answers who they are.
///
/// # Errors
/// A failure of the store.
pub fn dissolve(store: &mut dyn Store, owner: UserId, cx: &Context) -> Result<Vec<UserId>, Error> {
    let workshop = match workshop_of(store, owner) {
        Ok(workshop) => workshop,
        Err(Error::NotFound(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    for open in store.invitations_open(workshop.id)? {
        store.invitation_revoke(workshop.id, open.id, cx.now)?;
    }
    let members: Vec<UserId> = store
        .mechanics_of_provider(workshop.id)?
        .iter()
        .map(Mechanic::user)
        .filter(|one| *one != owner)
        .collect();
    for member in &members {
        release(store, &workshop, *member, cx)?;
    }
    Ok(members)
}

/// A mechanic of this workshop works alone from now on.
fn release(
    store: &mut dyn Store,
    workshop: &Provider,
    mechanic: UserId,
    cx: &Context,
) -> Result<Mechanic, Error> {
    let person = store.user_for_update(mechanic)?.ok_or(Error::NotFound("mechanic"))?;
    let member = store.mechanic_for_update(mechanic)?.ok_or(Error::NotFound("mechanic"))?;
    let own = ProviderId::new(mechanic.uuid());
    if store.provider_by_id(own)?.is_none() {
        store.provider_insert(&Provider {
            id: own,
            kind: ProviderKind::Independent,
            name: person.name().to_owned(),
            owner: mechanic,
            created_at: cx.now,
        })?;
    }
    let accepted = store.invitation_accepted(workshop.id, mechanic)?;
    let was_approved = accepted.is_some_and(|invitation| invitation.was_approved);
    let left = member.left(own, was_approved, cx.now);
    store.mechanic_update(&left)?;
    store.sockets_end(mechanic)?;
    Ok(left)
}

/// Whether an admin's word keeps a mechanic from joining a workshop.
pub(crate) const fn may_join(state: ApprovalState) -> bool {
    match state {
        ApprovalState::Pending | ApprovalState::Approved => true,
        ApprovalState::Refused | ApprovalState::Suspended => false,
    }
}
