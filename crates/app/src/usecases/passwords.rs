//! Hashing and comparing passwords: slow on purpose, so off the threads that serve requests, and few at a time.

use std::sync::{LazyLock, Mutex, PoisonError};

use accounts::{Password, PasswordHash};
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use kernel::{Context, StoreError};
use tokio::sync::Semaphore;

use crate::usecases::Error;

/// argon2id with 19 MiB, two passes and one lane: the OWASP Password Storage Cheat Sheet's first choice for small
/// memory.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

/// A hash of a password that nobody has, with the same parameters: an unknown e-mail address takes as long as a
/// known one.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cGl0bGFuZS1ub2JvZHktMQ$tQZHEzBBtzKnTCpOI1Ow2P3e9cJrJSyfRYGQmkRLFP0";

/// Each takes a core for some milliseconds, and 19 MiB: a burst waits instead of eating the memory.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new(cores.clamp(1, 4))
});

/// Memory between two hashes, as many pieces as there are turns. Without it each hash asks the allocator, which keeps
/// 19 MiB for every thread that ever hashed: 700 MB after a burst of sixty.
static IDLE: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// The hash of a password, with a salt of its own.
///
/// # Errors
/// [`Error::Store`] with [`StoreError::Unavailable`] while the process stops or has no memory.
pub async fn hash(password: Password, cx: &Context) -> Result<PasswordHash, Error> {
    let salt = cx.random::<16>();
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are in range");
    in_turn(move |memory| {
        let output = derive(&params, memory, password.expose(), &salt).ok()?;
        let phc = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(Salt::new(&salt).ok()?),
            hash: Some(output),
        };
        Some(PasswordHash::new(phc.to_string()))
    })
    .await?
    .ok_or_else(|| StoreError::Unavailable("a password could not be hashed".to_owned()).into())
}

/// The stored hash, if the typed text is its password. Without a stored hash the same work is done for nothing.
///
/// # Errors
/// [`Error::Store`] with [`StoreError::Unavailable`] while the process stops.
pub async fn matching(stored: Option<PasswordHash>, typed: String) -> Result<Option<PasswordHash>, Error> {
    in_turn(move |memory| {
        let phc = stored.as_ref().map_or(NOBODYS, PasswordHash::as_str);
        let matches = is_password_of(phc, &typed, memory).unwrap_or(false);
        stored.filter(|_| matches)
    })
    .await
}

/// `None` when it is no hash of argon2id.
fn is_password_of(phc: &str, typed: &str, memory: &mut Vec<Block>) -> Option<bool> {
    let phc = Phc::new(phc).ok().filter(|phc| phc.algorithm == Algorithm::Argon2id.ident())?;
    // With the parameters it was made with, which an older version may have chosen.
    let params = Params::try_from(&phc).ok()?;
    let output = derive(&params, memory, typed, phc.salt.as_ref()?).ok()?;
    // Compared in constant time by its type.
    Some(phc.hash? == output)
}

fn derive(
    params: &Params,
    memory: &mut Vec<Block>,
    typed: &str,
    salt: &[u8],
) -> Result<Output, argon2::Error> {
    let count = params.block_count();
    if memory.len() < count {
        memory.resize(count, Block::new());
    }
    let mut output = [0; OUTPUT_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone()).hash_password_into_with_memory(
        typed.as_bytes(),
        salt,
        &mut output,
        &mut memory[..count],
    )?;
    Output::new(&output).map_err(|_| argon2::Error::OutputTooLong)
}

async fn in_turn<T: Send + 'static>(
    work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
) -> Result<T, Error> {
    let stopping = |reason: String| Error::from(StoreError::Unavailable(reason));
    let turn = TURNS.acquire().await.map_err(|error| stopping(error.to_string()))?;
    let idle = || IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let hashing = tokio::task::spawn_blocking(move || {
        let mut memory = idle().pop().unwrap_or_default();
        let done = work(&mut memory);
        idle().push(memory);
        // Not before: whoever asked may have gone away while the work goes on.
        drop(turn);
        done
    });
    hashing.await.map_err(|error| stopping(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use argon2::PasswordVerifier;

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
        let phc = Phc::new(one.as_str()).expect("a PHC string");
        assert!(Argon2::default().verify_password(b"correct horse", &phc).is_ok(), "any argon2 knows it");
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
