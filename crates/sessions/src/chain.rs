//! The hash chain over a session's log.
//!
//! A line's body is not hashed itself: the chain holds its commitment, `sha256(salt ‖ body)`. Erasing a person drops
//! body and salt; the commitment stays, can't be guessed back without the salt, and the chain still holds.
//!
//! The encoding is fixed. A line's hash is SHA-256 over, in this order and without separators:
//!
//! | bytes | content |
//! |---|---|
//! | 32 | the hash of the line before; zeros for the first |
//! | 16 | the session's id |
//! | 8 | `seq`, big-endian |
//! | 1 + n | length and ASCII name of the kind |
//! | 1 + 16 or 1 | `1` and the actor's user id, or `0` when there is no person |
//! | 1 + n | length and ASCII name of the actor's role |
//! | 8 | microseconds since the Unix epoch, big-endian two's complement |
//! | 32 | the commitment |

use sha2::{Digest, Sha256};

use kernel::Timestamp;
use kernel::id::SessionId;

use crate::event::{Event, EventActor, Kind};

/// A SHA-256 digest.
pub type Hash = [u8; 32];
/// Random bytes that keep a short body from being guessed by its commitment.
pub type Salt = [u8; 16];

/// The end of a log: how long it is and the hash of its last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The number of the last line; 0 when there is none.
    pub last_seq: u64,
    /// The hash of the last line; zeros when there is none.
    pub hash: Hash,
}

/// The commitment to a body.
pub fn commitment(salt: &Salt, body: &str) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(salt);
    hasher.update(body.as_bytes());
    hasher.finalize().into()
}

/// The hash of the line that follows `before`.
pub fn link(
    before: &Hash,
    session: SessionId,
    seq: u64,
    kind: Kind,
    actor: EventActor,
    created_at: Timestamp,
    commitment: &Hash,
) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(session.uuid().as_bytes());
    hasher.update(seq.to_be_bytes());
    short_text(&mut hasher, kind.as_str());
    match actor.id {
        Some(user) => {
            hasher.update([1]);
            hasher.update(user.uuid().as_bytes());
        }
        None => hasher.update([0]),
    }
    short_text(&mut hasher, actor.role.as_str());
    let micros = created_at.as_offset_date_time().unix_timestamp_nanos().div_euclid(1_000);
    let micros = i64::try_from(micros).expect("years 1 to 9999 fit 64 bits of microseconds");
    hasher.update(micros.to_be_bytes());
    hasher.update(commitment);
    hasher.finalize().into()
}

fn short_text(hasher: &mut Sha256, text: &str) {
    let length = u8::try_from(text.len()).expect("names of kinds and roles are short");
    hasher.update([length]);
    hasher.update(text.as_bytes());
}

/// Where and how a log does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// The line with this number is missing or out of place.
    #[error("line {0} is missing")]
    Gap(u64),
    /// The body of this line is not the one that was written.
    #[error("the body of line {0} was changed")]
    Body(u64),
    /// This line is not the one that was written, or one before it isn't.
    #[error("line {0} does not follow from the lines before")]
    Link(u64),
    /// The lines hold, but their end is not the session's: lines are missing there, or there are too many.
    #[error("the log ends at {found}, the session says {expected}")]
    End {
        /// The last line that is there.
        found: u64,
        /// The last line by the session's row.
        expected: u64,
    },
}

/// Walks a whole log, from its first line, and compares its end with the session's `head`.
///
/// # Errors
/// The first place at which it doesn't hold.
pub fn verify_chain<'e>(
    session: SessionId,
    events: impl IntoIterator<Item = &'e Event>,
    head: &Head,
) -> Result<(), ChainBreak> {
    let mut at = Head::default();
    for event in events {
        let seq = at.last_seq + 1;
        if event.seq != seq || event.session != session {
            return Err(ChainBreak::Gap(seq));
        }
        if let Some(sealed) = &event.content
            && commitment(&sealed.salt, &sealed.body) != event.commitment
        {
            return Err(ChainBreak::Body(seq));
        }
        let hash = link(&at.hash, session, seq, event.kind, event.actor, event.created_at, &event.commitment);
        if hash != event.hash {
            return Err(ChainBreak::Link(seq));
        }
        at = Head { last_seq: seq, hash };
    }
    if at == *head { Ok(()) } else { Err(ChainBreak::End { found: at.last_seq, expected: head.last_seq }) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::id::UserId;
    use kernel::{Context, Entropy};
    use uuid::Uuid;

    use super::*;
    use crate::event::{ActorRole, Sealed};

    struct Counting;
    impl Entropy for Counting {
        fn id(&self, _: Timestamp) -> Uuid {
            Uuid::from_u128(7)
        }
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(9);
        }
    }

    fn session() -> SessionId {
        SessionId::new(Uuid::from_u128(1))
    }

    fn log(lines: u64) -> (Vec<Event>, Head) {
        let cx = Context::new(Timestamp::UNIX_EPOCH.plus_millis(1_500), Arc::new(Counting));
        let actor = EventActor { id: Some(UserId::new(Uuid::from_u128(2))), role: ActorRole::Customer };
        let mut head = Head::default();
        let mut events = Vec::new();
        for n in 0..lines {
            let event =
                Event::next(session(), &head, Kind::Message, actor, format!("{{\"n\":{n}}}"), None, &cx);
            head = event.head();
            events.push(event);
        }
        (events, head)
    }

    #[test]
    fn a_log_as_it_was_written_holds() {
        let (events, head) = log(5);
        assert_eq!(verify_chain(session(), &events, &head), Ok(()));
        assert_eq!(verify_chain(session(), &[], &Head::default()), Ok(()));
    }

    #[test]
    fn erasing_bodies_and_salts_leaves_the_chain_whole() {
        let (mut events, head) = log(3);
        events.iter_mut().for_each(|event| event.content = None);
        assert_eq!(verify_chain(session(), &events, &head), Ok(()));
    }

    #[test]
    fn every_change_is_found_where_it_was_made() {
        let check = |tamper: fn(&mut Vec<Event>)| {
            let (mut events, head) = log(4);
            tamper(&mut events);
            verify_chain(session(), &events, &head)
        };
        let other = "{\"n\":99}".to_owned();
        assert_eq!(check(|e| drop(e.remove(1))), Err(ChainBreak::Gap(2)));
        assert_eq!(check(|e| e.swap(1, 2)), Err(ChainBreak::Gap(2)));
        assert_eq!(check(|e| drop(e.pop())), Err(ChainBreak::End { found: 3, expected: 4 }));
        assert_eq!(check(|e| e[2].actor.role = ActorRole::Mechanic), Err(ChainBreak::Link(3)));
        assert_eq!(check(|e| e[2].created_at = e[2].created_at.plus_millis(1)), Err(ChainBreak::Link(3)));
        assert_eq!(check(|e| e[0].kind = Kind::Joined), Err(ChainBreak::Link(1)));
        let (mut events, head) = log(4);
        let salt = [3; 16];
        events[1].content = Some(Sealed { body: other.clone(), salt });
        assert_eq!(verify_chain(session(), &events, &head), Err(ChainBreak::Body(2)));
        events[1].commitment = commitment(&salt, &other);
        assert_eq!(verify_chain(session(), &events, &head), Err(ChainBreak::Link(2)));
    }

    #[test]
    fn the_encoding_is_fixed() {
        let (events, _) = log(1);
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut input = vec![0u8; 32];
        input.extend(Uuid::from_u128(1).as_bytes());
        input.extend([0, 0, 0, 0, 0, 0, 0, 1]);
        input.extend(b"\x07message");
        input.push(1);
        input.extend(Uuid::from_u128(2).as_bytes());
        input.extend(b"\x08customer");
        input.extend(1_500_000_i64.to_be_bytes());
        let mut body = vec![9u8; 16];
        body.extend(b"{\"n\":0}");
        input.extend(Sha256::digest(&body));
        assert_eq!(hex(&events[0].hash), hex(&Sha256::digest(&input)));
    }
}
