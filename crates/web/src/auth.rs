//! Pages behind mailed links: sign in, confirm a mail address, choose a new password.
//!
//! Opening a link only shows a button, because mail scanners open links. The buttons post to the page's own
//! address: `/auth/magic/{token}`, `/auth/verify/{token}`, `/auth/reset/{token}` (field `password`).

use askama::Template;

use crate::form::Errors;
use crate::frame::Frame;

/// What a mailed link can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkState {
    /// It can be used.
    #[default]
    Ready,
    /// It has just done its work.
    Done,
    /// It was used before, has run out or never was.
    Expired,
}

impl LinkState {
    pub(crate) fn is_ready(&self) -> bool {
        *self == Self::Ready
    }

    pub(crate) fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

/// `/auth/magic/{token}`: one button that signs in.
#[derive(Debug, Template)]
#[template(path = "magic.html")]
pub struct MagicPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The token from the address.
    pub token: String,
    /// [`LinkState::Ready`] or [`LinkState::Expired`]; success redirects.
    pub state: LinkState,
    /// Where to go afterwards.
    pub redirect: Option<String>,
}

/// `/auth/verify/{token}`: one button that confirms the mail address.
#[derive(Debug, Template)]
#[template(path = "verify.html")]
pub struct VerifyPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The token from the address.
    pub token: String,
    /// Where the link stands.
    pub state: LinkState,
}

/// `/auth/reset/{token}`: a form for a new password.
#[derive(Debug, Template)]
#[template(path = "reset.html")]
pub struct ResetPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The token from the address.
    pub token: String,
    /// Where the link stands.
    pub state: LinkState,
    /// What was wrong with the password.
    pub errors: Errors,
}

/// The second step of signing in: a code of the authenticator app, posted to `/start/code` with the ticket of the
/// first.
#[derive(Debug, Template)]
#[template(path = "code.html")]
pub struct CodePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The ticket of the first step.
    pub ticket: String,
    /// What was wrong with the code.
    pub errors: Errors,
}

/// Shown after a mail was asked for; the same whether or not there is an account.
#[derive(Debug, Template)]
#[template(path = "check_mail.html")]
pub struct CheckMailPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The address that was typed.
    pub email: String,
    /// What the mail is for.
    pub purpose: MailPurpose,
    /// How long its link works.
    pub valid_minutes: i64,
}

/// Why a mail is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailPurpose {
    /// A link that signs in.
    #[default]
    SignIn,
    /// A link to choose a new password.
    PasswordReset,
}

impl MailPurpose {
    pub(crate) fn is_sign_in(&self) -> bool {
        *self == Self::SignIn
    }

    /// The mode of `/start` that asks for such a mail again.
    pub(crate) fn mode(&self) -> &'static str {
        match self {
            Self::SignIn => "magic-link",
            Self::PasswordReset => "forgot",
        }
    }
}
