//! `/workshop`: a workshop's mechanics and invitations; `/workshop/join/{token}`: accepting one.
//!
//! Inviting and letting go use the REST API by script; accepting posts to `/workshop/join/{token}`.

use askama::Template;

use crate::form::Errors;
use crate::frame::Frame;

/// The workshop's first page.
#[derive(Debug, Default, Template)]
#[template(path = "workshop.html")]
pub struct WorkshopPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The workshop's name.
    pub name: String,
    /// Its mechanics, longest there first.
    pub members: Vec<Member>,
    /// Invitations that wait, newest first.
    pub invitations: Vec<InvitationRow>,
}

/// A mechanic of the workshop.
#[derive(Clone, Debug, Default)]
pub struct Member {
    /// The user's id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
    /// Whether requests reach them now.
    pub on_duty: bool,
    /// What keeps them from working, such as `suspended`.
    pub trouble: Option<String>,
}

/// An invitation that waits.
#[derive(Clone, Debug, Default)]
pub struct InvitationRow {
    /// Its id.
    pub id: String,
    /// Whom it was mailed to.
    pub email: String,
    /// RFC 3339: until when it works.
    pub expires_at: String,
}

/// Accepting an invitation.
#[derive(Debug, Default, Template)]
#[template(path = "join.html")]
pub struct JoinPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The token of the link.
    pub token: String,
    /// What can be done.
    pub state: JoinState,
    /// The name that was typed.
    pub name: String,
    /// What was wrong.
    pub errors: Errors,
}

/// What somebody with an invitation can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JoinState {
    /// It was used, taken back, or is too old.
    #[default]
    Over,
    /// Join with the account that is signed in.
    Ready {
        /// The workshop.
        workshop: String,
    },
    /// Sign in with the invited address first.
    SignIn {
        /// The workshop.
        workshop: String,
        /// The invited address.
        email: String,
        /// Whether somebody else is signed in.
        other: bool,
    },
    /// Make an account.
    Register {
        /// The workshop.
        workshop: String,
        /// The invited address.
        email: String,
    },
}
