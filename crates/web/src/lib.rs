//! The pages and mails of Pitlane, and the files they need.
//!
//! # Map
//! - [`frame`]: what surrounds every page: who is signed in, which entry of the navigation is current.
//! - One module a page, each with a `…Page` view model: [`landing`], [`start`], [`auth`], [`dashboard`],
//!   [`intake`], [`checkout`], [`thank_you`], [`chat`], [`summary`], [`mechanic`], [`account`], [`admin`], [`audit`],
//!   [`receipt`], [`apply`], [`applications`], [`people`], [`workshop`], [`jobs`],
//!   [`session_money`], [`disputes`], [`error_page`], [`mailbox`], [`unsubscribe`], [`legal`], [`docs`].
//! - [`mail`]: one typed mail a milestone, rendered to subject, text and HTML.
//! - [`alert`]: what needs a person's eye, for the board and for mails.
//! - [`text`]: text messages.
//! - [`assets`]: style sheets, fonts, icons and custom elements, embedded in the binary.
//! - [`money`], [`clock`], [`form`], [`plan`], [`session`]: the values that several pages show.
//!
//! Templates stand in `templates/`, one a page, and hold that page's text. Files under `static/` are served
//! under `/static/`.
//!
//! # What it owns
//! The words, the look and the behaviour in the browser.
//!
//! # What it must never do
//! Know SQL, HTTP, the clock or a rule: a view model is filled by its caller and shown as it is. Pages hold no
//! inline style and no inline script, because the content security policy refuses both.

pub mod account;
pub mod admin;
pub mod alert;
pub mod applications;
pub mod apply;
pub mod assets;
pub mod audit;
pub mod auth;
pub mod chat;
pub mod checkout;
pub mod clock;
pub mod dashboard;
pub mod disputes;
pub mod docs;
pub mod erase;
pub mod error_page;
pub mod form;
pub mod frame;
mod html;
pub mod intake;
pub mod jobs;
pub mod landing;
pub mod legal;
pub mod mail;
pub mod mailbox;
pub mod mechanic;
pub mod money;
pub mod people;
pub mod plan;
pub mod policy;
pub mod receipt;
pub mod second_factor;
pub mod self_check;
pub mod session;
pub mod session_money;
pub mod start;
pub mod summary;
pub mod text;
pub mod thank_you;
pub mod transcript;
pub mod unsubscribe;
mod video_pane;
pub mod workshop;

pub(crate) use html::{asset, badge, described, fault, icon, icon_fill, time};

/// A template could not be rendered. It means a formatting error inside a view model's `Display`, never bad
/// input: text of any content renders.
#[derive(Debug, thiserror::Error)]
#[error("a template could not be rendered")]
pub struct Error(#[from] askama::Error);

/// A page that can be turned into HTML. Implemented by every `…Page`.
pub trait Page {
    /// The whole HTML document. All text from the view model is escaped.
    ///
    /// # Errors
    /// [`Error`] if a value's `Display` fails.
    fn render(&self) -> Result<String, Error>;
}

impl<T: askama::Template> Page for T {
    fn render(&self) -> Result<String, Error> {
        Ok(askama::Template::render(self)?)
    }
}
