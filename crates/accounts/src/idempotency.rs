//! A request that is sent twice is answered once.
//!
//! A client gives a request a key. The first request with that key is carried out and its answer kept for a day;
//! the same request again gets the same answer. Keys belong to one person and one route. A request that failed gives
//! its key back.

use kernel::{Context, Timestamp, UserId};

use crate::error::Error;
use crate::store::Store;

/// For how many seconds an answer is kept.
pub const KEY_LIFE_SECONDS: i64 = 24 * 3_600;

/// After how many seconds a request that has no answer yet counts as given up, because its process died.
pub const IN_PROGRESS_SECONDS: i64 = 60;

/// The most characters of a key.
pub const KEY_MAX_CHARS: usize = 255;

/// A key, whose it is, and where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose.
    pub user: UserId,
    /// The method and the path.
    pub route: String,
    key: String,
}

impl IdempotencyKey {
    /// A key as a client sent it: 1 to 255 visible ASCII characters.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn parse(user: UserId, route: String, key: &str) -> Result<Self, Error> {
        let good =
            (1..=KEY_MAX_CHARS).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if good {
            Ok(Self { user, route, key: key.to_owned() })
        } else {
            let message = format!("Use 1 to {KEY_MAX_CHARS} visible ASCII characters.");
            Err(Error::invalid("Idempotency-Key", "invalid", message))
        }
    }

    /// The key itself.
    pub fn as_str(&self) -> &str {
        &self.key
    }
}

/// A kept answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON text.
    pub body: String,
}

/// What is stored for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The SHA-256 of the request.
    pub request_hash: [u8; 32],
    /// The process that carries the request out.
    pub holder: ProcessId,
    /// When it began.
    pub started_at: Timestamp,
    /// How far it came, in words of its route: what has been committed whether it is answered or not.
    pub reached: Option<String>,
    /// The answer, once there is one.
    pub answer: Option<KeptAnswer>,
}

/// 16 random bytes that a process draws when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessId(pub [u8; 16]);

impl ProcessId {
    /// Nobody: the request failed after it had committed something, and whoever sends it again goes on from there.
    pub const NOBODY: Self = Self([0; 16]);
}

/// Who asks for a key.
#[derive(Debug, Clone, Copy)]
pub struct Claimant {
    /// The process that would carry the request out.
    pub process: ProcessId,
    /// Whether no other process can be running on this database, so that what another one began is given up.
    pub alone: bool,
}

/// What to do with a request that has a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Carry it out, then [`complete`] or [`release`].
    Proceed {
        /// How far it came before, when its process died or it failed: see [`reach`].
        reached: Option<String>,
    },
    /// It was carried out before: give this answer.
    Replay(KeptAnswer),
    /// The key was used for another request.
    Mismatch,
    /// The same request is being carried out; ask again in a moment.
    InProgress,
}

/// What a stored record means for a request now.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    TakeOver,
    Settled(Claim),
}

fn judge(found: &IdempotencyRecord, request_hash: &[u8; 32], by: Claimant, now: Timestamp) -> Verdict {
    let age = now.seconds_since(found.started_at);
    if age >= KEY_LIFE_SECONDS {
        return Verdict::TakeOver;
    }
    if found.request_hash != *request_hash {
        return Verdict::Settled(Claim::Mismatch);
    }
    match &found.answer {
        Some(answer) => Verdict::Settled(Claim::Replay(answer.clone())),
        None if found.holder == ProcessId::NOBODY
            || age >= IN_PROGRESS_SECONDS
            || (by.alone && found.holder != by.process) =>
        {
            Verdict::TakeOver
        }
        None => Verdict::Settled(Claim::InProgress),
    }
}

/// Asks whether a request may be carried out. Of two calls at once exactly one may.
///
/// # Errors
/// A failure of the store.
pub fn claim(
    store: &mut dyn Store,
    key: &IdempotencyKey,
    request_hash: [u8; 32],
    by: Claimant,
    cx: &Context,
) -> Result<Claim, Error> {
    let fresh = IdempotencyRecord {
        request_hash,
        holder: by.process,
        started_at: cx.now,
        reached: None,
        answer: None,
    };
    if store.idempotency_insert(key, &fresh)? {
        return Ok(Claim::Proceed { reached: None });
    }
    // It may have been given back since.
    let Some(found) = store.idempotency_by_key(key)? else { return Ok(Claim::InProgress) };
    match judge(&found, &request_hash, by, cx.now) {
        Verdict::Settled(claim) => Ok(claim),
        Verdict::TakeOver => {
            let reached =
                found.reached.clone().filter(|_| cx.now.seconds_since(found.started_at) < KEY_LIFE_SECONDS);
            let fresh = IdempotencyRecord { reached: reached.clone(), ..fresh };
            let ours = store.idempotency_replace(key, &found, &fresh)?;
            Ok(if ours { Claim::Proceed { reached } } else { Claim::InProgress })
        }
    }
}

/// Notes how far the request has come, in the transaction that committed it, so that whoever sends it again after a crash
/// goes on from there instead of doing it twice. 1 to 100 characters.
///
/// # Errors
/// A failure of the store.
pub fn reach(
    store: &mut dyn Store,
    key: &IdempotencyKey,
    process: ProcessId,
    reached: &str,
) -> Result<(), Error> {
    Ok(store.idempotency_reach(key, process, reached)?)
}

/// Keeps the answer. In the same transaction as the effect it makes the request happen exactly once.
///
/// # Errors
/// A failure of the store.
pub fn complete(
    store: &mut dyn Store,
    key: &IdempotencyKey,
    process: ProcessId,
    answer: &KeptAnswer,
) -> Result<(), Error> {
    store.idempotency_complete(key, process, answer)?;
    Ok(())
}

/// Gives the key back, because the request failed. What it had [reached](reach) stays known.
///
/// # Errors
/// A failure of the store.
pub fn release(store: &mut dyn Store, key: &IdempotencyKey, process: ProcessId) -> Result<(), Error> {
    Ok(store.idempotency_release(key, process)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    const ME: ProcessId = ProcessId([1; 16]);
    const OTHER: ProcessId = ProcessId([2; 16]);

    #[test]
    fn a_repeated_request_is_judged_by_its_age_its_body_and_its_answer() {
        let answer = KeptAnswer { status: 201, body: "{}".to_owned() };
        let replay = Verdict::Settled(Claim::Replay(answer.clone()));
        let running = IdempotencyRecord {
            request_hash: [7; 32],
            holder: ME,
            started_at: at(0),
            reached: None,
            answer: None,
        };
        let done = IdempotencyRecord { answer: Some(answer), ..running.clone() };
        let elsewhere = IdempotencyRecord { holder: OTHER, ..running.clone() };
        let failed = IdempotencyRecord { holder: ProcessId::NOBODY, ..running.clone() };
        let day = KEY_LIFE_SECONDS;
        for (what, found, hash, alone, second, verdict) in [
            ("done", &done, 7, true, 5, replay.clone()),
            ("done, a second before a day", &done, 7, true, day - 1, replay),
            ("done, a day ago", &done, 7, true, day, Verdict::TakeOver),
            ("done, other body", &done, 8, true, 5, Verdict::Settled(Claim::Mismatch)),
            ("other body, a day later", &done, 8, true, day, Verdict::TakeOver),
            ("running here", &running, 7, true, 5, Verdict::Settled(Claim::InProgress)),
            ("running here, other body", &running, 8, true, 5, Verdict::Settled(Claim::Mismatch)),
            ("running here for too long", &running, 7, true, 60, Verdict::TakeOver),
            ("left by a dead process", &elsewhere, 7, true, 5, Verdict::TakeOver),
            ("running on another node", &elsewhere, 7, false, 5, Verdict::Settled(Claim::InProgress)),
            ("failed half-way, on another node", &failed, 7, false, 5, Verdict::TakeOver),
            ("running on another node for too long", &elsewhere, 7, false, 60, Verdict::TakeOver),
        ] {
            let by = Claimant { process: ME, alone };
            assert_eq!(judge(found, &[hash; 32], by, at(second)), verdict, "{what}");
        }
    }

    #[test]
    fn a_key_is_a_short_visible_text() {
        let user = UserId::new(uuid::Uuid::from_u128(1));
        let long = "k".repeat(256);
        for (key, good) in
            [("a", true), ("5f0c-…", false), ("5f0c-1", true), ("", false), ("a b", false), (&long, false)]
        {
            let parsed = IdempotencyKey::parse(user, "POST /api/x".to_owned(), key);
            assert_eq!(parsed.is_ok(), good, "{key:?}");
        }
    }
}
