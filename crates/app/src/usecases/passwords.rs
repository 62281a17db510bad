//! Hashing and comparing passwords: slow on purpose, so off the threads that serve requests, and few at a time.

use accounts::{Password, PasswordHash};
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use kernel::{Context, StoreError};
use tokio::sync::Semaphore;

use crate::usecases::Error;

/// argon2id with 19 MiB, two passes and one lane: the OWASP Password Storage Cheat Sheet's first choice for small
/// memory.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Each takes 19 MiB and a core for some milliseconds; a burst waits instead of eating the memory.
static HASHING: Semaphore = Semaphore::const_new(4);

/// A hash of a password that nobody has, with the same parameters: an unknown e-mail address takes as long as a
/// known one.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cGl0bGFuZS1ub2JvZHktMQ$tQZHEzBBtzKnTCpOI1Ow2P3e9cJrJSyfRYGQmkRLFP0";

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The hash of a password, with a salt of its own.
///
/// # Errors
/// [`Error::Store`] with [`StoreError::Unavailable`] while the process stops or has no memory.
pub async fn hash(password: Password, cx: &Context) -> Result<PasswordHash, Error> {
    let salt = cx.random::<16>();
    off_thread(move || {
        let hashed = argon2().hash_password_with_salt(password.expose().as_bytes(), &salt);
        hashed.map(|phc: Phc| PasswordHash::new(phc.to_string())).map_err(|error| error.to_string())
    })
    .await?
    .map_err(|reason| StoreError::Unavailable(format!("a password could not be hashed: {reason}")).into())
}

/// The stored hash, if the typed text is its password. Without a stored hash the same work is done for nothing.
///
/// # Errors
/// [`Error::Store`] with [`StoreError::Unavailable`] while the process stops.
pub async fn matching(stored: Option<PasswordHash>, typed: String) -> Result<Option<PasswordHash>, Error> {
    off_thread(move || {
        let phc = stored.as_ref().map_or(NOBODYS, PasswordHash::as_str);
        let matches = Phc::new(phc).is_ok_and(|phc| argon2().verify_password(typed.as_bytes(), &phc).is_ok());
        stored.filter(|_| matches)
    })
    .await
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let stopping = |reason: String| Error::from(StoreError::Unavailable(reason));
    let _turn = HASHING.acquire().await.map_err(|error| stopping(error.to_string()))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| stopping(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::{Clock, SystemEntropy};

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_no_other() {
        let cx = Context::new(Clock::default().now(), Arc::new(SystemEntropy::default()));
        let password = || Password::parse("password", "correct horse".to_owned()).expect("long enough");
        let one = hash(password(), &cx).await.expect("hashes");
        let two = hash(password(), &cx).await.expect("hashes");
        assert!(one.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.as_str());
        assert_ne!(one, two, "each has a salt of its own");
        let right = matching(Some(one.clone()), "correct horse".to_owned()).await.expect("compares");
        assert_eq!(right, Some(one.clone()));
        let wrong = matching(Some(one), "correct hoarse".to_owned()).await.expect("compares");
        assert_eq!(wrong, None);
        assert_eq!(matching(None, "correct horse".to_owned()).await.expect("compares"), None);
    }

    #[test]
    fn nobodys_hash_takes_the_same_work() {
        let phc = Phc::new(NOBODYS).expect("a PHC string");
        let params = Params::try_from(&phc).expect("argon2 parameters");
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, LANES));
    }
}
