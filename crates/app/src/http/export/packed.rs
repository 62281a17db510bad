//! `/api/me/export?format=zip`: the document with the bytes of every file that it lists.
//!
//! The archive is made before its first byte goes out, so that an upload that can't be read is an error and never half an
//! archive. It lies in a file without a name beside the database: the system takes that away with the answer, whether
//! that came to its end or broke off, and with the process.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use accounts::User;
use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::Bytes;
use futures_util::stream::{self, Stream};
use kernel::id::UserId;
use store::views::export::OwnFile;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{Archive, archive};
use crate::http::health::{DISK_RESERVE_BYTES, free_at};
use crate::http::problem::{ApiResult, Problem};
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::pack_archive::{blocking, pack};

const NAME: &str = "attachment; filename=\"pitlane-export.zip\"";
/// How much is read at a time.
const PIECE_BYTES: usize = 64 * 1_024;
/// How long somebody waits for an earlier archive of theirs to be sent, and is then told to wait.
const TURN_PATIENCE: Duration = Duration::from_secs(20);

/// Whose archive is being made or sent.
static TURNS: Mutex<BTreeMap<UserId, Weak<Semaphore>>> = Mutex::new(BTreeMap::new());

/// The archive of this person as a download.
///
/// # Errors
/// 429 while an earlier one of theirs is not sent; 503 while there is no space for it, or a file can't be read.
pub(super) async fn answer(pitlane: &Pitlane, user: &User) -> ApiResult<HttpResponse> {
    let turn = turn(user.id()).await?;
    let Archive { document, files } = archive(pitlane, user).await?;
    let out = unnamed(pitlane, &files).await?;
    let packed = pack(pitlane, document, &files, out).await?;
    let (packed, bytes) = rewound(packed).await.map_err(Error::Archive)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/zip"))
        .insert_header((CONTENT_DISPOSITION, NAME))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Photos and videos would not get smaller on the way, and how much comes could not be said.
        .insert_header((CONTENT_ENCODING, "identity"))
        .body(SizedStream::new(bytes, pieces(packed, turn))))
}

/// Waits until no other archive of this person is made or sent: each takes as much of the disk as all their uploads.
async fn turn(person: UserId) -> ApiResult<OwnedSemaphorePermit> {
    let own = {
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, one| one.strong_count() > 0);
        let own = turns.get(&person).and_then(Weak::upgrade).unwrap_or_else(|| Arc::new(Semaphore::new(1)));
        turns.insert(person, Arc::downgrade(&own));
        own
    };
    match timeout(TURN_PATIENCE, own.acquire_owned()).await {
        Ok(Ok(turn)) => Ok(turn),
        Ok(Err(_)) | Err(_) => Err(Problem::too_many(TURN_PATIENCE.as_secs())),
    }
}

/// An empty file without a name, on the disk of the database, which must not run full of these bytes.
async fn unnamed(pitlane: &Pitlane, files: &[OwnFile]) -> Result<std::fs::File, Error> {
    // The folder of `sqlite://pitlane.db` is empty text.
    let folder = Path::new(".").join(pitlane.settings.data_folder());
    let wanted = files.iter().fold(0, |sum: i64, file| sum.saturating_add(file.size_bytes));
    blocking(move || {
        std::fs::create_dir_all(&folder)?;
        if free_at(&folder).is_some_and(|free| free.saturating_sub(wanted) < DISK_RESERVE_BYTES) {
            return Err(ErrorKind::StorageFull.into());
        }
        tempfile::tempfile_in(&folder)
    })
    .await
}

/// The same file at its start, and its length in bytes.
async fn rewound(file: std::fs::File) -> io::Result<(File, u64)> {
    let mut file = File::from_std(file);
    file.rewind().await?;
    let bytes = file.metadata().await?.len();
    Ok((file, bytes))
}

/// The bytes of the archive as a body, with which file and turn go.
fn pieces(file: File, turn: OwnedSemaphorePermit) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((file, turn), |(mut file, turn)| async move {
        let mut piece = vec![0; PIECE_BYTES];
        let count = file.read(&mut piece).await?;
        piece.truncate(count);
        Ok::<_, io::Error>((count > 0).then(|| (Bytes::from(piece), (file, turn))))
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn one_person_has_one_turn_and_keeps_nobody_else_waiting() {
        let (one, other) = (UserId::new(Uuid::from_u128(1)), UserId::new(Uuid::from_u128(2)));
        let first = turn(one).await.expect("nobody is before");
        let second = tokio::spawn(turn(one));
        drop(turn(other).await.expect("somebody else is before nobody"));
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        drop(second.await.expect("nobody panicked").expect("it is its turn"));
        drop(turn(other).await.expect("nobody is before"));
        let turns = TURNS.lock().expect("nobody panicked");
        assert!(!turns.contains_key(&one), "who is done is forgotten");
    }
}
