//! Why a request about an account is refused.

use kernel::StoreError;

/// One thing that is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name in the request.
    pub field: &'static str,
    /// A stable snake_case code a client can act on.
    pub code: &'static str,
    /// What would be right, for a person.
    pub message: String,
}

impl FieldError {
    /// A wrong field.
    pub fn new(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { field, code, message: message.into() }
    }
}

/// A refusal, or a failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Some fields of the request are not acceptable; all that were found.
    #[error("{} fields are not valid", .0.len())]
    Invalid(Vec<FieldError>),
    /// Another account has this e-mail address.
    #[error("an account with this e-mail address exists")]
    EmailTaken,
    /// The e-mail address or the password is wrong. Which of the two is not told.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// Too many wrong attempts; more are looked at after that many seconds (1 to 60).
    #[error("too many attempts, try again in {retry_after_seconds} s")]
    TooManyAttempts {
        /// Seconds until the next attempt is looked at.
        retry_after_seconds: u32,
    },
    /// The credentials are right and the account is suspended.
    #[error("the account is suspended")]
    Suspended,
    /// The link is unknown, used, replaced by a newer one, or too old. Which of these is not told.
    #[error("the link is not valid any more")]
    InvalidToken,
    /// There is no such user, mechanic or token, or it belongs to somebody else.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The password is right, and a code of the person's authenticator app is asked for.
    #[error("a code of the authenticator app is needed")]
    SecondFactorRequired,
    /// The code is wrong, was used before, or is too old. Which of these is not told.
    #[error("the code is wrong")]
    WrongCode,
    /// An authenticator app is set up already.
    #[error("an authenticator app is set up already")]
    SecondFactorOn,
    /// No authenticator app is set up.
    #[error("no authenticator app is set up")]
    SecondFactorOff,
    /// Somebody must stay who can look after the server.
    #[error("the last admin can't go")]
    LastAdmin,
    /// Only an approved mechanic may do this.
    #[error("an admin has to approve this mechanic first")]
    NotApproved,
    /// The approval can't go from where it is to where it was asked to go.
    #[error("an approval that is {from} can't become {to}")]
    InvalidTransition {
        /// The state it is in.
        from: &'static str,
        /// The state that was asked for.
        to: &'static str,
    },
    /// The person has as many API tokens as one may have.
    #[error("there are {0} API tokens already, the most one person may have")]
    TooManyTokens(usize),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// One wrong field.
    pub fn invalid(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, code, message)])
    }
}

/// Collects what is wrong with a request, so that a person hears everything at once.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// The value, or `None` after noting what is wrong with it.
    pub(crate) fn check<T>(&mut self, result: Result<T, FieldError>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    /// The same for a value that may be absent.
    pub(crate) fn check_some<T>(&mut self, result: Option<Result<T, FieldError>>) -> Option<T> {
        result.and_then(|result| self.check(result))
    }

    /// What was found.
    ///
    /// # Errors
    /// [`Error::Invalid`] if anything was wrong.
    pub(crate) fn finish(self) -> Result<(), Error> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::Invalid(self.errors)) }
    }
}
