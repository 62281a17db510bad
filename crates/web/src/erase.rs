//! `/account/erase`: leaving. The form posts to the page's own address (`current_password`, `sure`).

use askama::Template;

use crate::form::Errors;
use crate::frame::Frame;

/// The page that asks.
#[derive(Debug, Template)]
#[template(path = "erase.html")]
pub struct ErasePage {
    /// What surrounds the page; the viewer is the account's owner.
    pub frame: Frame,
    /// The address of the account.
    pub email: String,
    /// Whether there is a password, which is asked for.
    pub has_password: bool,
    /// Sessions that have not ended.
    pub open_sessions: usize,
    /// How many years receipts are kept.
    pub money_years: u32,
    /// What was wrong with what was typed.
    pub errors: Errors,
}

/// The page afterwards.
#[derive(Debug, Template)]
#[template(path = "erased.html")]
pub struct ErasedPage {
    /// What surrounds the page; nobody is signed in.
    pub frame: Frame,
    /// How many years receipts are kept.
    pub money_years: u32,
}
