//! Tokens of programs that act for a person.

use kernel::{ApiTokenId, Context, Timestamp, UserId};

use crate::error::Error;
use crate::profile::checked_line;
use crate::store::Store;
use crate::token::{Token, TokenHash};

/// The most API tokens one person may have.
pub const API_TOKENS_MAX: usize = 25;

/// A token of a program that acts for a person. It can't make tokens, erase the account or change its password or
/// e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// The token.
    pub id: ApiTokenId,
    /// For whom it acts.
    pub user: UserId,
    /// What its owner calls it, 1 to 100 characters.
    pub name: String,
    /// The hash of the secret.
    pub token: TokenHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was used last, to about five minutes.
    pub last_used_at: Option<Timestamp>,
}

/// Makes a token of this id and secret, which is shown once.
///
/// # Errors
/// [`Error::Invalid`] for the name, [`Error::TooManyTokens`], or a failure of the store.
pub fn create(
    store: &mut dyn Store,
    user: UserId,
    name: &str,
    (id, secret): (ApiTokenId, &Token),
    cx: &Context,
) -> Result<ApiToken, Error> {
    let name = checked_line("name", name).map_err(|error| Error::Invalid(vec![error]))?;
    // The lock makes two calls at once count one after the other.
    store.user_for_update(user)?.ok_or(Error::NotFound("user"))?;
    if store.api_tokens_of(user)?.len() >= API_TOKENS_MAX {
        return Err(Error::TooManyTokens(API_TOKENS_MAX));
    }
    let token = ApiToken { id, user, name, token: secret.hash(), created_at: cx.now, last_used_at: None };
    store.api_token_insert(&token)?;
    Ok(token)
}

/// Ends a token of the person at once.
///
/// # Errors
/// [`Error::NotFound`] when it is unknown, ended or somebody else's, or a failure of the store.
pub fn revoke(store: &mut dyn Store, user: UserId, token: ApiTokenId, cx: &Context) -> Result<(), Error> {
    if store.api_token_revoke(user, token, cx.now)? { Ok(()) } else { Err(Error::NotFound("token")) }
}
