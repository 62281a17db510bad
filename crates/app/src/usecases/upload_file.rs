//! A file that is sent before there is a session: judged by its first bytes, stored, then written down.
//!
//! The bytes are durable before the row that names them, so a row never points at nothing. A process that is killed
//! in between leaves bytes without a row, which nobody can reach.

use intake::upload::{self, NewUpload, SNIFF_BYTES};
use intake::{ContentType, FileWriter, Upload};
use kernel::id::{FileId, UserId};
use sha2::{Digest, Sha256};

use crate::state::Pitlane;
use crate::usecases::Error;

/// A file on its way in.
pub struct Incoming {
    pitlane: Pitlane,
    owner: UserId,
    id: FileId,
    start: Vec<u8>,
    content_type: Option<ContentType>,
    writer: Box<dyn FileWriter>,
    hash: Sha256,
    size_bytes: u64,
}

impl Incoming {
    /// Begins to take a file from that person.
    ///
    /// # Errors
    /// The file storage's.
    pub async fn begin(pitlane: &Pitlane, owner: UserId) -> Result<Self, Error> {
        let id = FileId::new(pitlane.context().id());
        let writer = pitlane.files.create(&upload::storage_key(id)).await?;
        Ok(Self {
            pitlane: pitlane.clone(),
            owner,
            id,
            start: Vec::new(),
            content_type: None,
            writer,
            hash: Sha256::new(),
            size_bytes: 0,
        })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`intake::Error::FileTooLarge`] or [`intake::Error::FileKind`], as soon as it shows; the file storage's.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let max_bytes = self.pitlane.settings.files.max_file_bytes;
        self.size_bytes = self.size_bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.size_bytes > max_bytes {
            return Err(intake::Error::FileTooLarge { max_bytes }.into());
        }
        if self.content_type.is_none() {
            let wanted = SNIFF_BYTES.saturating_sub(self.start.len()).min(bytes.len());
            self.start.extend_from_slice(&bytes[..wanted]);
            if self.start.len() == SNIFF_BYTES {
                self.judge()?;
            }
        }
        self.hash.update(bytes);
        self.writer.write(bytes).await?;
        Ok(())
    }

    fn judge(&mut self) -> Result<ContentType, Error> {
        let kind = ContentType::sniff(&self.start).ok_or(intake::Error::FileKind)?;
        self.content_type = Some(kind);
        Ok(kind)
    }

    /// What makes two files the same: their bytes and their name.
    pub fn fingerprint(&self, name: Option<&str>) -> [u8; 32] {
        let bytes = self.hash.clone().finalize();
        Sha256::new().chain_update(bytes).chain_update(name.unwrap_or_default()).finalize().into()
    }

    /// The file is complete: its bytes are made durable and it is written down.
    ///
    /// # Errors
    /// [`intake::Error`], the file storage's, or the storage's; then nothing is kept.
    pub async fn finish(mut self, name: Option<String>) -> Result<Upload, Error> {
        if self.size_bytes == 0 {
            return Err(intake::Error::FileEmpty.into());
        }
        let content_type = match self.content_type {
            Some(known) => known,
            None => self.judge()?,
        };
        self.writer.finish().await?;
        let new = NewUpload {
            id: self.id,
            owner: self.owner,
            name,
            content_type,
            size_bytes: self.size_bytes,
            sha256: self.hash.finalize().into(),
        };
        let cx = self.pitlane.context();
        let added = self.pitlane.db.write(move |tx| Ok::<_, Error>(upload::add(tx, new.clone(), &cx)?)).await;
        if added.is_err() {
            let key = upload::storage_key(self.id);
            if let Err(error) = self.pitlane.files.delete(&key).await {
                tracing::warn!(%key, %error, "the bytes of a refused upload stay behind");
            }
        }
        added
    }
}
