//! Errors as pages.

use askama::Template;

use crate::frame::Frame;

/// A page that says what went wrong and what to do next.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// What went wrong.
    pub kind: ErrorKind,
    /// One more sentence for the person, if there is one; never a cause.
    pub detail: Option<String>,
    /// What support can look up; empty if there is none.
    pub request_id: String,
    /// For [`ErrorKind::TooManyRequests`]: when to try again.
    pub retry_after_seconds: Option<i64>,
    /// For [`ErrorKind::SignedOut`]: where to go after signing in.
    pub redirect: Option<String>,
}

/// What went wrong, as far as a person cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// 400: the address or the form made no sense.
    BadRequest,
    /// 401: nobody is signed in.
    SignedOut,
    /// 403: a page of another role.
    WrongRole,
    /// 404: no such page, or somebody else's.
    NotFound,
    /// 410: a link that was used or has run out.
    Gone,
    /// 429: too much in too little time.
    TooManyRequests,
    /// 500: our fault.
    Internal,
    /// 503: the server is starting, stopping or overloaded.
    Unavailable,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::BadRequest,
        Self::SignedOut,
        Self::WrongRole,
        Self::NotFound,
        Self::Gone,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::SignedOut => 401,
            Self::WrongRole => 403,
            Self::NotFound => 404,
            Self::Gone => 410,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    pub(crate) fn icon(&self) -> &'static str {
        match self {
            Self::NotFound | Self::BadRequest => "signpost",
            Self::SignedOut | Self::WrongRole => "lock",
            Self::Gone | Self::TooManyRequests => "hourglass",
            Self::Internal | Self::Unavailable => "cloud-alert",
        }
    }

    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::BadRequest => "That did not make sense to us",
            Self::SignedOut => "Sign in to see this page",
            Self::WrongRole => "This page is for somebody else",
            Self::NotFound => "This page is not on the map",
            Self::Gone => "This link has run out",
            Self::TooManyRequests => "That was a lot at once",
            Self::Internal => "Something broke on our side",
            Self::Unavailable => "We are just a moment away",
        }
    }

    pub(crate) fn text(&self) -> &'static str {
        match self {
            Self::BadRequest => "The address or the form was not what we expected. Go back and try again.",
            Self::SignedOut => "You will come straight back here.",
            Self::WrongRole => {
                "Your account can't open it. If you have another account, sign in with that one."
            }
            Self::NotFound => "The link may be old, or the session belongs to someone else.",
            Self::Gone => "Links from mails work once and for a short time. Ask for a new one.",
            Self::TooManyRequests => "Nothing is lost. Wait a little, then try again.",
            Self::Internal => {
                "It is our fault. Nothing is lost and nothing was charged twice. Try again in a moment."
            }
            Self::Unavailable => "The server is busy or starting. Try again in a few seconds.",
        }
    }
}

impl ErrorPage {
    pub(crate) fn sign_in_href(&self) -> String {
        let redirect =
            self.redirect.as_deref().map(|path| format!("?redirect={}", crate::start::encode(path)));
        format!("/start{}", redirect.unwrap_or_default())
    }

    pub(crate) fn is_signed_out(&self) -> bool {
        self.kind == ErrorKind::SignedOut
    }

    pub(crate) fn can_retry(&self) -> bool {
        match self.kind {
            ErrorKind::TooManyRequests | ErrorKind::Internal | ErrorKind::Unavailable => true,
            ErrorKind::BadRequest
            | ErrorKind::SignedOut
            | ErrorKind::WrongRole
            | ErrorKind::NotFound
            | ErrorKind::Gone => false,
        }
    }
}
