//! `/account`: profile, sign-ins and API tokens.
//!
//! Changes go to the API by script: `PATCH /api/me`, `POST /api/me/verification`, `DELETE /api/me/sign-ins` and `/{id}`,
//! `POST /api/me/tokens`, `DELETE /api/me/tokens/{id}`. Signing out is a form that posts to `/start/logout`; the
//! authenticator app and leaving have pages of their own.

pub mod cards;
pub mod cars;
pub mod mails;
pub mod phone;

use askama::Template;

pub use cards::{CardRow, CardSection};
pub use cars::{CarRow, CarSection};
pub use mails::{MailChoice, MailSection};
pub use phone::PhoneSection;

use crate::frame::{Frame, Role};

/// The account page.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    /// What surrounds the page; the viewer is the account's owner.
    pub frame: Frame,
    /// The mail address.
    pub email: String,
    /// Whether it has been confirmed.
    pub email_verified: bool,
    /// The address that was asked for and is not confirmed yet.
    pub pending_email: Option<String>,
    /// Whether there is a password, which a new address or password asks for.
    pub has_password: bool,
    /// Whether signing in asks for a code of an authenticator app.
    pub second_factor: bool,
    /// The name.
    pub name: String,
    /// An IANA zone name.
    pub time_zone: String,
    /// The telephone.
    pub phone: PhoneSection,
    /// Which mails come.
    pub mails: MailSection,
    /// The cars.
    pub cars: CarSection,
    /// The cards that the payment provider keeps.
    pub cards: CardSection,
    /// Where the person is signed in, newest first.
    pub sign_ins: Vec<SignInRow>,
    /// API tokens, newest first. The secrets are not known any more.
    pub tokens: Vec<TokenRow>,
}

impl AccountPage {
    pub(crate) fn is_customer(&self) -> bool {
        self.frame.viewer.as_ref().is_some_and(|viewer| viewer.role == Role::Customer)
    }
}

/// One device that is signed in.
#[derive(Clone, Debug, Default)]
pub struct SignInRow {
    /// The sign-in's id.
    pub id: String,
    /// A short description of the browser, for example `Firefox on Linux`; empty if unknown.
    pub device: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339: when it was last used.
    pub last_used_at: Option<String>,
    /// Whether it is the one that looks at this page.
    pub current: bool,
}

/// One API token.
#[derive(Clone, Debug, Default)]
pub struct TokenRow {
    /// The token's id.
    pub id: String,
    /// The name it was given.
    pub name: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339: when it was last used.
    pub last_used_at: Option<String>,
}
