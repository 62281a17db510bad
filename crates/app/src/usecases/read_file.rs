//! Reading an uploaded file: a person who may gets a link that works for a short time, by itself.
//!
//! Whoever has the link can open that one file until the link is over, signed in or not: it is made for `<img>` and
//! `<video>`, and for the address of an object storage. It ends by itself, never when the person loses the session.
//! Within half of its life a person gets the same link again, so that a browser doesn't load a picture twice.

use std::ops::Range;

use hmac::{Hmac, KeyInit, Mac};
use intake::FileReader;
use kernel::id::FileId;
use kernel::{Actor, Role, Timestamp, UserId};
use sha2::Sha256;
use store::views::file::{self, StoredFile};
use store::views::staff;

use crate::config::Secret;
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::note_read::{Read, note_read};

/// A link's end and the proof that this server made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Until when it works, in Unix seconds.
    pub expires: i64,
    /// 64 hexadecimal digits.
    pub signature: String,
}

/// A link to a file for somebody who sent it or takes part in its session, and for the staff, whose look is written
/// down; `None` for everybody else. Papers of applications are for admins alone.
///
/// # Errors
/// A failure of the storage.
pub async fn link(pitlane: &Pitlane, reader: UserId, role: Role, id: FileId) -> Result<Option<Link>, Error> {
    let now = pitlane.clock.now();
    let (own, session, application) = pitlane
        .db
        .read(move |tx| {
            let own = file::readable_by(tx, id, reader, now)?.is_some();
            let application = staff::application_of_file(tx, id)?;
            Ok::<_, Error>((own, file::session_of(tx, id, now)?, application))
        })
        .await?;
    if !own {
        let read = match (session, application) {
            (Some(session), _) if role.is_staff() => Read::File(session, id),
            (None, Some(application)) if role == Role::Admin => Read::Application(application, "file"),
            (Some(_) | None, _) => return Ok(None),
        };
        note_read(pitlane, Actor::Person { id: reader, role }, read).await?;
    }
    let expires = end_of_link(now, pitlane.settings.files.link_seconds);
    let signature = hex::encode(mac(&pitlane.settings.auth.secret, id, expires).finalize().into_bytes());
    Ok(Some(Link { expires, signature }))
}

// Between half of the configured time and all of it from now on.
fn end_of_link(now: Timestamp, link_seconds: u32) -> i64 {
    let (now, whole) = (now.unix_seconds(), i64::from(link_seconds));
    now - now.rem_euclid((whole / 2).max(1)) + whole
}

/// The file behind a link; `None` when the link is over or was not made here, or the file is gone.
///
/// # Errors
/// A failure of a storage.
pub async fn open(pitlane: &Pitlane, id: FileId, link: &Link) -> Result<Option<StoredFile>, Error> {
    let now = pitlane.clock.now();
    if !is_good(&pitlane.settings.auth.secret, id, link, now) {
        return Ok(None);
    }
    pitlane.db.read(move |tx| file::by_id(tx, id, now).map_err(Error::from)).await
}

/// The bytes of a file in that range, as they come.
///
/// # Errors
/// A failure of the file storage.
pub async fn bytes(
    pitlane: &Pitlane,
    storage_key: &str,
    range: Range<u64>,
) -> Result<Box<dyn FileReader>, Error> {
    Ok(pitlane.files.open(storage_key, range).await?)
}

/// All bytes under a key, of what is known to be small enough.
///
/// # Errors
/// A failure of the file storage.
pub async fn whole(pitlane: &Pitlane, storage_key: &str) -> Result<Vec<u8>, Error> {
    let mut reader = bytes(pitlane, storage_key, 0..u64::MAX).await?;
    let mut whole = Vec::new();
    while let Some(more) = reader.next().await? {
        whole.extend_from_slice(&more);
    }
    Ok(whole)
}

fn is_good(secret: &Secret, id: FileId, link: &Link, now: Timestamp) -> bool {
    let proof = hex::decode(&link.signature).unwrap_or_default();
    // Compared in constant time.
    now.unix_seconds() < link.expires && mac(secret, id, link.expires).verify_slice(&proof).is_ok()
}

fn mac(secret: &Secret, id: FileId, expires: i64) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("any length of key will do");
    mac.update(b"file-link:");
    mac.update(id.uuid().as_bytes());
    mac.update(&expires.to_be_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_link_lasts_at_least_half_its_time_and_never_longer_and_is_the_same_for_a_while() {
        let end = |now| end_of_link(Timestamp::from_unix_seconds(now).expect("in range"), 300);
        for now in [0, 1, 149, 150, 299, 1_000_000_007] {
            assert!((150..=300).contains(&(end(now) - now)), "{now}");
        }
        assert_eq!((end(450), end(599), end(600)), (750, 750, 900));
    }

    #[test]
    fn a_link_works_for_its_file_and_its_time_only() {
        let (secret, other) = (Secret::new("a".repeat(32)), Secret::new("b".repeat(32)));
        let (file, another) = (FileId::new(Uuid::from_u128(1)), FileId::new(Uuid::from_u128(2)));
        let at = |seconds| Timestamp::from_unix_seconds(seconds).expect("in range");
        let signature = hex::encode(mac(&secret, file, 1_000).finalize().into_bytes());
        let link = Link { expires: 1_000, signature: signature.clone() };
        assert!(is_good(&secret, file, &link, at(999)));
        assert!(!is_good(&secret, file, &link, at(1_000)), "it is over");
        assert!(!is_good(&secret, another, &link, at(999)), "another file");
        assert!(!is_good(&other, file, &link, at(999)), "another server");
        let longer = Link { expires: 2_000, signature: signature.clone() };
        assert!(!is_good(&secret, file, &longer, at(999)), "a changed end");
        for broken in ["", "zz", &signature[..62]] {
            assert!(!is_good(&secret, file, &Link { expires: 1_000, signature: broken.to_owned() }, at(999)));
        }
    }
}
