//! From a presented token to a person.

use kernel::{Actor, ApiTokenId, SignInId, Timestamp, UserId};

use crate::error::Error;
use crate::sign_in::LAST_SEEN_STEP_SECONDS;
use crate::store::Store;
use crate::token::{API_TOKEN_PREFIX, Token};
use crate::user::User;

/// What a request presents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The secret of a signed-in device, from the cookie.
    SignIn(Token),
    /// The secret of a program.
    ApiToken(Token),
}

impl Credential {
    /// The secret of a signed-in device; `None` when it can't be one.
    pub fn sign_in(text: &str) -> Option<Self> {
        Token::presented(text).map(Self::SignIn)
    }

    /// The secret of a program; `None` when it can't be one.
    pub fn api_token(text: &str) -> Option<Self> {
        let token = Token::presented(text)?;
        token.expose().starts_with(API_TOKEN_PREFIX).then_some(Self::ApiToken(token))
    }
}

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// By a signed-in device.
    SignIn(SignInId),
    /// By an API token.
    ApiToken(ApiTokenId),
}

/// Somebody who proved who they are.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The person, active.
    pub user: User,
    /// How they proved it.
    pub via: Via,
    /// Whether it is time to note that the sign-in or token was used.
    pub touch_due: bool,
}

impl Principal {
    /// The person's id.
    pub const fn id(&self) -> UserId {
        self.user.id()
    }

    /// The person as somebody who does something.
    pub const fn actor(&self) -> Actor {
        Actor::Person { id: self.user.id(), role: self.user.role() }
    }

    /// The sign-in, unless it was an API token.
    pub const fn sign_in(&self) -> Option<SignInId> {
        match self.via {
            Via::SignIn(id) => Some(id),
            Via::ApiToken(_) => None,
        }
    }
}

/// The active person behind a live credential.
///
/// # Errors
/// A failure of the store.
pub fn authenticate(
    store: &mut dyn Store,
    credential: &Credential,
    now: Timestamp,
) -> Result<Option<Principal>, Error> {
    let due =
        |last: Option<Timestamp>| last.is_none_or(|last| now.seconds_since(last) >= LAST_SEEN_STEP_SECONDS);
    let principal = match credential {
        Credential::SignIn(token) => store
            .sign_in_with_user(&token.hash())?
            .filter(|(sign_in, _)| sign_in.is_live(now))
            .map(|(sign_in, user)| {
                let touch_due = due(Some(sign_in.last_seen_at));
                Principal { user, via: Via::SignIn(sign_in.id), touch_due }
            }),
        Credential::ApiToken(token) => store.api_token_with_user(&token.hash())?.map(|(token, user)| {
            let touch_due = due(token.last_used_at);
            Principal { user, via: Via::ApiToken(token.id), touch_due }
        }),
    };
    Ok(principal.filter(|principal| principal.user.is_active()))
}

/// Notes that a sign-in or token was used.
///
/// # Errors
/// A failure of the store.
pub fn touch(store: &mut dyn Store, via: Via, now: Timestamp) -> Result<(), Error> {
    match via {
        Via::SignIn(id) => store.sign_in_touch(id, now)?,
        Via::ApiToken(id) => store.api_token_touch(id, now)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_not_an_api_token_and_the_other_way_round() {
        assert!(Credential::api_token("plt_abc").is_some());
        assert_eq!(Credential::api_token("abc"), None);
        assert_eq!(Credential::api_token("plt_a b"), None);
        assert_eq!(Credential::sign_in(""), None);
        // A sign-in is looked up among the sign-ins only, so an API token in a cookie is never found.
        assert!(matches!(Credential::sign_in("plt_abc"), Some(Credential::SignIn(_))));
    }
}
