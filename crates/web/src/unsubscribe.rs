//! `/unsubscribe/{token}`: no more mails of one kind, by one button that posts to the page's own address.

use askama::Template;

use crate::frame::Frame;

/// Where the page stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnsubscribeState {
    /// The button can be pressed.
    #[default]
    Ready,
    /// The mails have stopped.
    Done,
    /// They come again.
    Again,
    /// The address is not one that we made.
    Unknown,
}

impl UnsubscribeState {
    fn is_ready(&self) -> bool {
        *self == Self::Ready
    }

    fn is_done(&self) -> bool {
        *self == Self::Done
    }

    fn is_again(&self) -> bool {
        *self == Self::Again
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "unsubscribe.html")]
pub struct UnsubscribePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The token from the address.
    pub token: String,
    /// Which mails; empty when the address is unknown.
    pub what: String,
    /// Where the page stands.
    pub state: UnsubscribeState,
}
