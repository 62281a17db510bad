//! Who offers help: providers, their mechanics, and whether these may.

use std::fmt;
use std::str::FromStr;

use kernel::{Context, ProviderId, Timestamp, UserId};

use crate::error::Error;
use crate::invitation::may_join;
use crate::store::Store;

/// The most characters of the reason of a decision.
pub const REASON_MAX_CHARS: usize = 500;

/// What kind of provider it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// One mechanic; the provider id is the mechanic's user id.
    Independent,
    /// A company with several mechanics.
    Workshop,
}

impl ProviderKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Independent, Self::Workshop];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Independent => "independent",
            Self::Workshop => "workshop",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Who offers help and is paid for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The provider.
    pub id: ProviderId,
    /// One mechanic or a company.
    pub kind: ProviderKind,
    /// As customers see it.
    pub name: String,
    /// Whose account runs it.
    pub owner: UserId,
    /// Since when.
    pub created_at: Timestamp,
}

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApprovalState {
    /// Nobody has looked yet.
    Pending,
    /// May work.
    Approved,
    /// May not, and never did.
    Refused,
    /// May not any more.
    Suspended,
}

impl ApprovalState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Approved, Self::Refused, Self::Suspended];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Suspended => "suspended",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether an admin may decide this next. A decision that stands already may be repeated and changes nothing.
    const fn allows(self, next: Self) -> bool {
        match (self, next) {
            (Self::Pending | Self::Refused, Self::Approved | Self::Refused)
            | (Self::Approved | Self::Suspended, Self::Approved | Self::Suspended) => true,
            (Self::Pending | Self::Refused, Self::Pending | Self::Suspended)
            | (Self::Approved | Self::Suspended, Self::Pending | Self::Refused) => false,
        }
    }
}

/// A decision about a mechanic, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Where it stands.
    pub state: ApprovalState,
    /// Who decided; `None` while pending or when the system did.
    pub decided_by: Option<UserId>,
    /// When; `None` while pending.
    pub decided_at: Option<Timestamp>,
    /// Why, for the mechanic to read.
    pub reason: Option<String>,
}

/// Everything that is stored about a [`Mechanic`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MechanicRecord {
    /// The mechanic's account.
    pub user: UserId,
    /// For whom they work.
    pub provider: ProviderId,
    /// Whether they may.
    pub approval: Approval,
    /// Whether requests are offered to them now.
    pub on_duty: bool,
    /// Since when the account is a mechanic's.
    pub created_at: Timestamp,
}

/// A mechanic. Only an approved one is ever on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mechanic {
    record: MechanicRecord,
}

impl Mechanic {
    /// A new mechanic who waits for approval.
    pub const fn applied(user: UserId, provider: ProviderId, now: Timestamp) -> Self {
        let approval =
            Approval { state: ApprovalState::Pending, decided_by: None, decided_at: None, reason: None };
        Self { record: MechanicRecord { user, provider, approval, on_duty: false, created_at: now } }
    }

    /// The mechanic of a stored record; `None` when it says that somebody without approval is on duty.
    pub fn stored(record: MechanicRecord) -> Option<Self> {
        let legal = !record.on_duty || record.approval.state == ApprovalState::Approved;
        legal.then_some(Self { record })
    }

    /// What is to be stored.
    pub const fn record(&self) -> &MechanicRecord {
        &self.record
    }

    /// The mechanic's account.
    pub const fn user(&self) -> UserId {
        self.record.user
    }

    /// For whom they work.
    pub const fn provider(&self) -> ProviderId {
        self.record.provider
    }

    /// The decision about them.
    pub const fn approval(&self) -> &Approval {
        &self.record.approval
    }

    /// Whether they may work.
    pub fn is_approved(&self) -> bool {
        self.record.approval.state == ApprovalState::Approved
    }

    /// Whether requests are offered to them now.
    pub const fn on_duty(&self) -> bool {
        self.record.on_duty
    }

    /// The mechanic on or off duty.
    ///
    /// # Errors
    /// [`Error::NotApproved`] when going on duty without approval.
    pub fn with_duty(mut self, on_duty: bool) -> Result<Self, Error> {
        if on_duty && !self.is_approved() {
            return Err(Error::NotApproved);
        }
        self.record.on_duty = on_duty;
        Ok(self)
    }

    /// The mechanic after a decision. Losing the approval ends the duty.
    ///
    /// # Errors
    /// [`Error::InvalidTransition`].
    pub fn decided(
        mut self,
        state: ApprovalState,
        by: Option<UserId>,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let from = self.record.approval.state;
        if !from.allows(state) {
            return Err(Error::InvalidTransition { from: from.as_str(), to: state.as_str() });
        }
        if from != state {
            self.record.approval = Approval { state, decided_by: by, decided_at: Some(now), reason };
            self.record.on_duty = self.record.on_duty && state == ApprovalState::Approved;
        }
        Ok(self)
    }
}

impl Mechanic {
    /// The mechanic in a workshop, approved by that. Who may work already stays on duty or off.
    ///
    /// # Errors
    /// [`Error::NotApproved`] for somebody whom an admin refused or suspended, or who works for a workshop.
    pub fn joined(mut self, workshop: &Provider, by: UserId, now: Timestamp) -> Result<Self, Error> {
        let alone = self.record.provider.uuid() == self.record.user.uuid();
        let here = self.record.provider == workshop.id;
        if !may_join(self.record.approval.state) || (!alone && !here) {
            return Err(Error::NotApproved);
        }
        self.record.provider = workshop.id;
        if !self.is_approved() {
            self.record.approval = Approval {
                state: ApprovalState::Approved,
                decided_by: Some(by),
                decided_at: Some(now),
                reason: None,
            };
        }
        Ok(self)
    }

    /// The mechanic after leaving a workshop: alone, off duty, and approved only if they were before. What an admin
    /// decided against them stays.
    #[must_use]
    pub fn left(mut self, own: ProviderId, was_approved: bool, now: Timestamp) -> Self {
        self.record.provider = own;
        self.record.on_duty = false;
        if self.is_approved() {
            self.record.approval = if was_approved {
                Approval { decided_at: Some(now), ..self.record.approval }
            } else {
                Approval { state: ApprovalState::Pending, decided_by: None, decided_at: None, reason: None }
            };
        }
        self
    }
}

/// A place in the list of mechanics, in which those who wait for a decision come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MechanicPlace {
    /// Whether somebody has decided about them.
    pub decided: bool,
    /// Who they are.
    pub user: UserId,
}

impl fmt::Display for MechanicPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", if self.decided { "decided" } else { "waiting" }, self.user)
    }
}

impl FromStr for MechanicPlace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (state, user) = text.split_once('.').ok_or(())?;
        let decided = match state {
            "decided" => true,
            "waiting" => false,
            _ => return Err(()),
        };
        Ok(Self { decided, user: user.parse().map_err(|_| ())? })
    }
}

/// An admin decides about a mechanic. Somebody who may no longer work is signed out everywhere. The answer says
/// whether anything changed.
///
/// # Errors
/// [`Error::NotFound`], [`Error::InvalidTransition`], [`Error::Invalid`] for a reason that is blank, over 500 characters
/// or not text, or a failure of the store.
pub fn decide(
    store: &mut dyn Store,
    mechanic: UserId,
    state: ApprovalState,
    by: Option<UserId>,
    reason: Option<String>,
    cx: &Context,
) -> Result<(Mechanic, bool), Error> {
    if let Some(reason) = &reason {
        judge(reason)?;
    }
    let before = store.mechanic_for_update(mechanic)?.ok_or(Error::NotFound("mechanic"))?;
    let after = before.clone().decided(state, by, reason, cx.now)?;
    let changed = after != before;
    if changed {
        store.mechanic_update(&after)?;
        if before.is_approved() && !after.is_approved() {
            store.sign_ins_revoke(mechanic, None, cx.now)?;
        }
    }
    Ok((after, changed))
}

// The mechanic reads it, so there must be something to read.
fn judge(reason: &str) -> Result<(), Error> {
    if reason.trim().is_empty() {
        return Err(Error::invalid("reason", "required", "Say why; the mechanic reads it."));
    }
    if reason.chars().count() > REASON_MAX_CHARS {
        let message = format!("Use at most {REASON_MAX_CHARS} characters.");
        return Err(Error::invalid("reason", "too_long", message));
    }
    if reason.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Error::invalid("reason", "invalid", "Use letters, digits, spaces and punctuation."));
    }
    Ok(())
}

/// A mechanic goes on or off duty.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotApproved`], or a failure of the store.
pub fn set_duty(store: &mut dyn Store, mechanic: UserId, on_duty: bool) -> Result<Mechanic, Error> {
    let before = store.mechanic_for_update(mechanic)?.ok_or(Error::NotFound("mechanic"))?;
    let after = before.clone().with_duty(on_duty)?;
    if after != before {
        store.mechanic_update(&after)?;
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn a_reason_is_something_to_read() {
        let code = |reason: &str| match judge(reason) {
            Err(Error::Invalid(fields)) => fields[0].code,
            other => panic!("{other:?}"),
        };
        assert_eq!(judge("The certificate has run out.\nSend a new one."), Ok(()));
        assert_eq!((code(""), code(" \n ")), ("required", "required"));
        assert_eq!((code(&"x".repeat(501)), code("a\0b")), ("too_long", "invalid"));
    }

    fn mechanic(state: ApprovalState, on_duty: bool) -> Option<Mechanic> {
        let user = UserId::new(uuid::Uuid::from_u128(3));
        let mut record = Mechanic::applied(user, ProviderId::new(user.uuid()), at(0)).record().clone();
        record.approval.state = state;
        record.on_duty = on_duty;
        Mechanic::stored(record)
    }

    #[test]
    fn approvals_move_only_along_the_drawn_arrows() {
        use ApprovalState::{Approved, Pending, Refused, Suspended};
        let legal = [
            (Pending, Approved),
            (Pending, Refused),
            (Refused, Approved),
            (Refused, Refused),
            (Approved, Approved),
            (Approved, Suspended),
            (Suspended, Approved),
            (Suspended, Suspended),
        ];
        for from in ApprovalState::ALL {
            for to in ApprovalState::ALL {
                let decided = mechanic(from, false).expect("legal").decided(to, None, None, at(1));
                assert_eq!(decided.is_ok(), legal.contains(&(from, to)), "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn only_an_approved_mechanic_is_ever_on_duty() {
        for state in ApprovalState::ALL {
            let approved = state == ApprovalState::Approved;
            assert_eq!(mechanic(state, true).is_some(), approved, "{state:?} in the store");
            let goes = mechanic(state, false).expect("legal").with_duty(true);
            assert_eq!(goes.is_ok(), approved, "{state:?} going on duty");
        }
        let working = mechanic(ApprovalState::Approved, true).expect("legal");
        let admin = UserId::new(uuid::Uuid::from_u128(9));
        let reason = Some("no answer to three calls".to_owned());
        let suspended = working.decided(ApprovalState::Suspended, Some(admin), reason, at(5)).expect("legal");
        assert!(!suspended.on_duty());
        assert_eq!(suspended.approval().decided_by, Some(admin));
        assert_eq!(suspended.approval().decided_at, Some(at(5)));
    }

    #[test]
    fn whoever_joins_a_workshop_is_approved_by_it_unless_an_admin_said_no() {
        let owner = UserId::new(uuid::Uuid::from_u128(4));
        let workshop = Provider {
            id: ProviderId::new(uuid::Uuid::from_u128(5)),
            kind: ProviderKind::Workshop,
            name: "Riverside Garage".to_owned(),
            owner,
            created_at: at(0),
        };
        for (state, may) in [
            (ApprovalState::Pending, true),
            (ApprovalState::Approved, true),
            (ApprovalState::Refused, false),
            (ApprovalState::Suspended, false),
        ] {
            let before = mechanic(state, false).expect("legal");
            let own = before.provider();
            let joined = before.joined(&workshop, owner, at(1));
            assert_eq!(joined.is_ok(), may, "{state:?}");
            let Ok(joined) = joined else { continue };
            assert!(joined.is_approved() && joined.provider() == workshop.id);
            let working = joined.with_duty(true).expect("approved");
            let elsewhere = Provider { id: ProviderId::new(uuid::Uuid::from_u128(6)), ..workshop.clone() };
            assert_eq!(working.clone().joined(&elsewhere, owner, at(2)), Err(Error::NotApproved));
            for (was_approved, then) in [(true, ApprovalState::Approved), (false, ApprovalState::Pending)] {
                let left = working.clone().left(own, was_approved, at(3));
                assert_eq!((left.approval().state, left.on_duty(), left.provider()), (then, false, own));
                assert!(Mechanic::stored(left.record().clone()).is_some());
            }
        }
        let refused = mechanic(ApprovalState::Suspended, false).expect("legal");
        let own = refused.provider();
        assert_eq!(refused.left(own, true, at(3)).approval().state, ApprovalState::Suspended);
    }

    #[test]
    fn repeating_a_decision_keeps_who_made_it_first() {
        let first = UserId::new(uuid::Uuid::from_u128(1));
        let second = UserId::new(uuid::Uuid::from_u128(2));
        let pending = mechanic(ApprovalState::Pending, false).expect("legal");
        let once = pending.decided(ApprovalState::Approved, Some(first), None, at(1)).expect("legal");
        let twice = once.clone().decided(ApprovalState::Approved, Some(second), None, at(2)).expect("legal");
        assert_eq!(once, twice);
    }
}
