//! A file that somebody sends: judged by its first bytes, freed of what it tells besides what it shows, stored, then
//! written down, and with a session it is sent to also added to its log.
//!
//! It is announced before its first byte is stored, and the bytes are durable before the row that names them. So a row
//! never points at nothing, and what a killed process leaves is found by the sweep.

use intake::scrub::{PictureSize, Scrubber};
use intake::upload::{self, NewUpload, SNIFF_BYTES};
use intake::{ContentType, FileWriter, Upload};
use kernel::id::{FileId, SessionId, UserId};
use sessions::AddedFile;
use sha2::{Digest, Sha256};

use crate::state::Pitlane;
use crate::usecases::Error;

/// A file on its way in.
pub struct Incoming {
    pitlane: Pitlane,
    owner: UserId,
    id: FileId,
    start: Vec<u8>,
    taken: Option<Taken>,
    picture: Option<PictureSize>,
    hash: Sha256,
    received_bytes: u64,
    stored_bytes: u64,
}

/// What is known and open once a file is of a kind that is taken.
struct Taken {
    content_type: ContentType,
    scrubber: Option<Scrubber>,
    writer: Box<dyn FileWriter>,
    scrubbed: Vec<u8>,
}

/// Whether this person may add a file to that session now, so that nothing is read in vain.
///
/// # Errors
/// Those of [`sessions::may_add_file`]; the storage's.
pub async fn may_upload(pitlane: &Pitlane, sender: UserId, session: SessionId) -> Result<(), Error> {
    pitlane.db.read(move |tx| Ok(sessions::may_add_file(tx, session, sender)?)).await
}

impl Incoming {
    /// Begins to take a file from that person.
    pub fn begin(pitlane: &Pitlane, owner: UserId) -> Self {
        Self {
            pitlane: pitlane.clone(),
            owner,
            id: FileId::new(pitlane.context().id()),
            start: Vec::with_capacity(SNIFF_BYTES),
            taken: None,
            picture: None,
            hash: Sha256::new(),
            received_bytes: 0,
            stored_bytes: 0,
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`intake::Error`] as soon as it shows that the file is too large, of no kind that is taken, or broken; the
    /// storages'.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let max_bytes = self.pitlane.settings.files.max_file_bytes;
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.received_bytes = self.received_bytes.saturating_add(more);
        if self.received_bytes > max_bytes {
            return Err(intake::Error::FileTooLarge { max_bytes }.into());
        }
        let wanted = SNIFF_BYTES.saturating_sub(self.start.len()).min(bytes.len());
        let (head, rest) = bytes.split_at(wanted);
        if wanted > 0 {
            self.start.extend_from_slice(head);
            if self.start.len() < SNIFF_BYTES {
                return Ok(());
            }
            self.judge().await?;
        }
        self.store(rest).await
    }

    // The first bytes are there: the file is of a kind that is taken, or refused.
    async fn judge(&mut self) -> Result<(), Error> {
        let content_type = ContentType::sniff(&self.start).ok_or(intake::Error::FileKind)?;
        let (id, cx) = (self.id, self.pitlane.context());
        self.pitlane.db.write(move |tx| Ok::<_, Error>(upload::announce(tx, id, &cx)?)).await?;
        let writer = self.pitlane.files.create(&upload::storage_key(id)).await?;
        let scrubber = Some(Scrubber::new(content_type));
        self.taken = Some(Taken { content_type, scrubber, writer, scrubbed: Vec::new() });
        let start = self.start.clone();
        self.store(&start).await
    }

    async fn store(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some(taken) = &mut self.taken else { return Ok(()) };
        if let Some(scrubber) = &mut taken.scrubber {
            scrubber.push(bytes, &mut taken.scrubbed).map_err(intake::Error::from)?;
        }
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let Some(taken) = &mut self.taken else { return Ok(()) };
        self.hash.update(&taken.scrubbed);
        self.stored_bytes += u64::try_from(taken.scrubbed.len()).unwrap_or(u64::MAX);
        taken.writer.write(&taken.scrubbed).await?;
        taken.scrubbed.clear();
        Ok(())
    }

    /// Its last byte has come. Nothing is kept before [`finish`](Self::finish).
    ///
    /// # Errors
    /// [`intake::Error`] when the file is empty, of no kind that is taken, or broken; the storages'.
    pub async fn complete(&mut self) -> Result<(), Error> {
        if self.received_bytes == 0 {
            return Err(intake::Error::FileEmpty.into());
        }
        if self.taken.is_none() {
            self.judge().await?;
        }
        if let Some(taken) = &mut self.taken
            && let Some(scrubber) = taken.scrubber.take()
        {
            self.picture = scrubber.finish(&mut taken.scrubbed).map_err(intake::Error::from)?;
        }
        self.flush().await
    }

    /// What makes two complete files the same: their bytes and their name.
    pub fn fingerprint(&self, name: Option<&str>) -> [u8; 32] {
        let bytes = self.hash.clone().finalize();
        Sha256::new().chain_update(bytes).chain_update(name.unwrap_or_default()).finalize().into()
    }

    /// Keeps a complete file: its bytes are made durable, and it is written down. With `session` it belongs to that from
    /// the start, and the session's log says so.
    ///
    /// # Errors
    /// [`intake::Error`], those of [`sessions::add_file`], or the storages'; then nothing is kept.
    pub async fn finish(
        self,
        name: Option<String>,
        session: Option<SessionId>,
    ) -> Result<(Upload, Option<AddedFile>), Error> {
        let Some(taken) = self.taken else { return Err(intake::Error::FileEmpty.into()) };
        taken.writer.finish().await?;
        let (id, owner) = (self.id, self.owner);
        let new = NewUpload {
            id,
            owner,
            name,
            content_type: taken.content_type,
            size_bytes: self.stored_bytes,
            sha256: self.hash.finalize().into(),
            picture: self.picture,
        };
        let (cx, files) = (self.pitlane.context(), &self.pitlane.settings.files);
        let (day_max, session_max) = (files.person_day_max_bytes, files.session_max_bytes);
        let kept = self.pitlane.db.write(move |tx| {
            let upload = upload::add(tx, new.clone(), day_max, &cx)?;
            let add = |session| sessions::add_file(tx, session, owner, id, session_max, &cx);
            let added = session.map(add).transpose()?;
            Ok::<_, Error>((upload, added))
        });
        let kept = kept.await;
        if kept.is_err() {
            forget(&self.pitlane, id).await;
        }
        kept
    }
}

// What fails here as well is left to the sweep, which knows the file by its announcement.
async fn forget(pitlane: &Pitlane, id: FileId) {
    if let Err(error) = pitlane.files.delete(&upload::storage_key(id)).await {
        tracing::warn!(file = %id, %error, "the bytes of a refused upload stay behind for now");
        return;
    }
    let forgotten =
        pitlane.db.write(move |tx| intake::Store::arrival_delete(tx, id).map_err(Error::from)).await;
    if let Err(error) = forgotten {
        tracing::warn!(file = %id, %error, "a refused upload stays announced for now");
    }
}
