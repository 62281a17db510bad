//! Reading an uploaded file: a person who may gets a link that works for a short time, by itself.

use hmac::{Hmac, KeyInit, Mac};
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
    let expires = now.unix_seconds().saturating_add(pitlane.settings.files.link_seconds.into());
    let signature = hex::encode(mac(&pitlane.settings.auth.secret, id, expires).finalize().into_bytes());
    Ok(Some(Link { expires, signature }))
}

/// The file behind a link and its bytes; `None` when the link is over or was not made here, or the file is gone.
///
/// # Errors
/// A failure of a storage.
pub async fn open(
    pitlane: &Pitlane,
    id: FileId,
    link: &Link,
) -> Result<Option<(StoredFile, Vec<u8>)>, Error> {
    let now = pitlane.clock.now();
    if !is_good(&pitlane.settings.auth.secret, id, link, now) {
        return Ok(None);
    }
    let found = pitlane.db.read(move |tx| file::by_id(tx, id, now).map_err(Error::from)).await?;
    let Some(found) = found else { return Ok(None) };
    let bytes = pitlane.files.read(&found.storage_key).await?;
    Ok(Some((found, bytes)))
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
