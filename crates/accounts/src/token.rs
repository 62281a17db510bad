//! Secrets that prove who somebody is.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Context;
use sha2::{Digest as _, Sha256};

/// What every API token begins with, so that scanners for leaked secrets can find it.
pub const API_TOKEN_PREFIX: &str = "plt_";

/// The most bytes of a token that is looked at.
const TOKEN_MAX_BYTES: usize = 200;

/// A secret in clear. It is shown or sent once and never stored or printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new secret of 256 random bits.
    pub fn random(cx: &Context) -> Self {
        Self::from_bytes(cx.random::<32>())
    }

    /// A new API token of 256 random bits.
    pub fn random_api_token(cx: &Context) -> Self {
        Self::api_token(Self::random(cx))
    }

    /// The API token of a secret.
    pub fn api_token(secret: Self) -> Self {
        Self(format!("{API_TOKEN_PREFIX}{}", secret.0))
    }

    /// The secret of these 256 bits, which nobody must be able to guess.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What somebody presents; `None` when it can't be a token of ours.
    pub fn presented(text: &str) -> Option<Self> {
        let token = text.len() <= TOKEN_MAX_BYTES
            && !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        token.then(|| Self(text.to_owned()))
    }

    /// The secret itself, to be handed to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it. A fast hash is enough, because 256 random bits can't be guessed.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The SHA-256 of a [`Token`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// A stored hash.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    #[test]
    fn a_token_is_found_again_by_its_hash_and_not_printed() {
        let cx = context(0);
        let token = Token::random(&cx);
        assert_eq!(token.expose().len(), 43);
        assert_ne!(token, Token::random(&cx));
        let again = Token::presented(token.expose()).expect("the shape of a token");
        assert_eq!(again.hash(), token.hash());
        assert!(!format!("{token:?}").contains(token.expose()));
    }

    #[test]
    fn what_cannot_be_a_token_is_not_looked_up() {
        let long = "a".repeat(201);
        for (text, good) in
            [("plt_abc-DEF", true), ("", false), ("a b", false), ("a;b", false), (&long, false)]
        {
            assert_eq!(Token::presented(text).is_some(), good, "{text:?}");
        }
    }

    #[test]
    fn an_api_token_says_what_it_is() {
        assert!(Token::random_api_token(&context(0)).expose().starts_with("plt_"));
    }
}
