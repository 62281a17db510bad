//! `backup` and `restore`: database, uploads and a manifest with their hashes, as one tar file. Uploads in a bucket are copied
//! into it too, so that a backup is whole by itself, and goes back into a folder as well as into another bucket.
//!
//! | entry | holds |
//! |---|---|
//! | `database` | a picture of the database at one moment |
//! | `files/{key}` | the bytes of an upload |
//! | `manifest.json` | what there is, with hashes; it comes last, so that an archive that was cut off is known by its absence |

use std::collections::HashSet;
use std::fs::{DirBuilder, File};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use intake::upload::{storage_key, thumbnail_key};
use kernel::id::FileId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::backup::{self, KeptFile, Picture};

use super::gentle::{self, Gentle};
use super::uploads::Uploads;
use super::{Outcome, one_line, say};
use crate::boot::lock::DatabaseLock;
use crate::config::Settings;

const DATABASE: &str = "database";
const MANIFEST: &str = "manifest.json";
const FILES: &str = "files/";
/// The shape of the archive.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    version: String,
    kind: String,
    migrations: Vec<String>,
    database: Part,
    files: Vec<Upload>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    sha256: String,
    bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Upload {
    key: String,
    #[serde(flatten)]
    part: Part,
}

/// Hashes what passes through.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
}

impl<R> Hashing<R> {
    fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    fn part(self) -> Part {
        Part { sha256: hex::encode(self.hash.finalize()), bytes: self.bytes }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        self.bytes += u64::try_from(count).unwrap_or(u64::MAX);
        Ok(count)
    }
}

/// A file that goes away with this value, unless it was moved.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // It may have been moved, or never made.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn beside(target: &Path, suffix: &str) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> String {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}

/// Writes everything to `target`, while the server works or without one.
pub(super) fn backup(settings: &Settings, target: &Path) -> Outcome {
    if target.exists() {
        return Err(format!("{} is there already: write another name", target.display()));
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(format!("{} is no folder: make it first, or write another name", folder.display()));
    }
    let (picture_file, archive) = (Passing(beside(target, ".database")), Passing(beside(target, ".part")));
    // What a killed run left.
    drop((Passing(picture_file.0.clone()), Passing(archive.0.clone())));
    // First, so that a place that can't be written is named as such.
    let out =
        File::options().create_new(true).write(true).mode(0o600).open(&archive.0).map_err(at(&archive.0))?;
    gentle::give_way();
    let taken =
        gentle::while_written(&picture_file.0, || backup::take(&settings.database.store, &picture_file.0));
    let picture = taken.map_err(|error| one_line(&error))?;
    let uploads = Uploads::open(settings)?;
    let mut tar = tar::Builder::new(Gentle::new(out));
    let database = add(&mut tar, DATABASE, &picture_file.0)?;
    let mut files = Vec::with_capacity(picture.files.len());
    for file in &picture.files {
        files.extend(upload(&mut tar, &uploads, file, &settings.database.store)?);
    }
    let count = files.len();
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        kind: picture.kind,
        migrations: picture.migrations,
        database,
        files,
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| error.to_string())?;
    tar.append_data(&mut header(u64::try_from(text.len()).unwrap_or(0)), MANIFEST, text.as_slice())
        .map_err(at(&archive.0))?;
    let out = tar.into_inner().and_then(Gentle::finish).map_err(at(&archive.0))?;
    let bytes = out.metadata().map_err(at(&archive.0))?.len();
    std::fs::rename(&archive.0, target).map_err(at(target))?;
    say(&format!("{}: the database and {count} files, {} KiB", target.display(), bytes / 1_024))
}

fn header(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header
}

fn add(tar: &mut tar::Builder<Gentle>, name: &str, path: &Path) -> Result<Part, String> {
    let file = File::open(path).map_err(at(path))?;
    let bytes = file.metadata().map_err(at(path))?.len();
    let mut hashing = Hashing::new(file.take(bytes));
    tar.append_data(&mut header(bytes), name, &mut hashing).map_err(at(path))?;
    Ok(hashing.part())
}

/// Adds an upload; `None` for one whose bytes have been deleted since the picture was taken, because it was never used or
/// because its owner left. Bytes that are still needed and not there stop the backup.
fn upload(
    tar: &mut tar::Builder<Gentle>,
    uploads: &Uploads,
    file: &KeptFile,
    store: &store::Settings,
) -> Result<Option<Upload>, String> {
    let name = uploads.name(&file.key);
    let Some(bytes) = uploads.read(&file.key)? else {
        let needed = file.in_use && backup::is_in_use(store, &file.key).map_err(|error| one_line(&error))?;
        return if needed { Err(format!("{name}: the bytes are gone")) } else { Ok(None) };
    };
    let mut hashing = Hashing::new(bytes);
    let entry = format!("{FILES}{}", file.key);
    tar.append_data(&mut header(file.size_bytes), entry, &mut hashing)
        .map_err(|error| format!("{name}: {error}"))?;
    let part = hashing.part();
    if part.sha256 != hex::encode(&file.sha256) || part.bytes != file.size_bytes {
        return Err(format!("{name}: the bytes are not the ones that were uploaded"));
    }
    Ok(Some(Upload { key: file.key.clone(), part }))
}

/// Puts a backup in the place of what there is. Nothing is touched before the whole archive has been checked.
pub(super) fn restore(settings: &Settings, source: &Path, force: bool) -> Outcome {
    let store = &settings.database.store;
    let _lock = DatabaseLock::take(store).map_err(|error| one_line(&error))?;
    if let Some(reason) = backup::in_the_way(store).map_err(|error| one_line(&error))?.filter(|_| !force) {
        return Err(format!("{reason}; --force puts the backup in its place"));
    }
    let uploads = Uploads::open(settings)?;
    uploads.probe()?;
    let picture_file = Passing(settings.data_folder().join("restoring.database"));
    let incoming = settings.data_folder().join("restoring.files");
    let done = unpack(source, &picture_file.0, &incoming).and_then(|manifest| {
        let before = uploads.keys()?;
        let put_back = put_back(&manifest, &uploads, &incoming, || {
            let (kind, migrations) = (manifest.kind.clone(), manifest.migrations.clone());
            let picture = Picture { kind, migrations, files: Vec::new() };
            backup::put_back(store, &picture, &picture_file.0).map_err(|error| one_line(&error))
        });
        if let Err(reason) = put_back {
            take_back(&manifest, &uploads, &before);
            return Err(reason);
        }
        forget_others(&uploads, &before, &manifest.files)?;
        Ok(manifest.files.len())
    });
    // What is left there belongs to nothing.
    let _ = std::fs::remove_dir_all(&incoming);
    say(&format!("{}: the database and {} files are back", source.display(), done?))
}

/// First the files, because a place elsewhere may go away meanwhile; the database that is there knows nothing of them.
fn put_back(
    manifest: &Manifest,
    uploads: &Uploads,
    incoming: &Path,
    database: impl FnOnce() -> Outcome,
) -> Outcome {
    for file in &manifest.files {
        let from = incoming.join(&file.key);
        uploads.keep(&file.key, &from)?;
        std::fs::remove_file(&from).map_err(at(&from))?;
    }
    database()
}

/// Deletes the files of a backup that could not be put back, but for those that were there before it.
fn take_back(manifest: &Manifest, uploads: &Uploads, before: &HashSet<String>) {
    for file in manifest.files.iter().filter(|file| !before.contains(&file.key)) {
        // Where even that fails, bytes stay that no row names; the reason of the whole is told.
        let _ = uploads.forget(&file.key);
    }
}

/// Deletes the bytes that no row of the backup names: uploads that came after it, or that it knew to be deleted, and
/// small pictures, which are made again. What others keep in the same place is left alone.
fn forget_others(uploads: &Uploads, there: &HashSet<String>, kept: &[Upload]) -> Outcome {
    let kept: HashSet<&str> = kept.iter().map(|upload| upload.key.as_str()).collect();
    for key in there.iter().filter(|key| is_ours(key) && !kept.contains(key.as_str())) {
        uploads.forget(key)?;
    }
    Ok(())
}

/// Whether a key is one of an upload or of its small picture.
fn is_ours(key: &str) -> bool {
    let Some((id, rest)) = key.split_at_checked(36) else { return false };
    let id: Result<FileId, _> = id.parse();
    id.is_ok_and(|id| key == storage_key(id) || (!rest.is_empty() && key == thumbnail_key(&storage_key(id))))
}

fn unpack(source: &Path, database: &Path, incoming: &Path) -> Result<Manifest, String> {
    let told = at(source);
    let mut archive = tar::Archive::new(File::open(source).map_err(&told)?);
    let _ = std::fs::remove_dir_all(incoming);
    if let Some(folder) = database.parent() {
        std::fs::create_dir_all(folder).map_err(at(folder))?;
    }
    DirBuilder::new().recursive(true).mode(0o700).create(incoming).map_err(at(incoming))?;
    let (mut picture, mut files, mut manifest) = (None, Vec::new(), None);
    for entry in archive.entries().map_err(&told)? {
        let begun = picture.is_some() || manifest.is_some() || !files.is_empty();
        let entry = entry.map_err(|error| unreadable(source, begun, &error))?;
        let name = entry.path().map_err(&told)?.to_string_lossy().into_owned();
        if name == DATABASE {
            picture = Some(write(entry, database)?);
        } else if name == MANIFEST {
            manifest = Some(
                serde_json::from_reader::<_, Manifest>(entry)
                    .map_err(|error| unreadable(source, true, &error.into()))?,
            );
        } else if let Some(key) = name.strip_prefix(FILES).filter(|key| gateways::files::is_key(key)) {
            files.push(Upload { part: write(entry, &incoming.join(key))?, key: key.to_owned() });
        } else {
            return Err(format!("{}: {name:?} belongs to no backup", source.display()));
        }
    }
    let manifest = manifest.ok_or_else(|| format!("{} has no manifest: it was cut off", source.display()))?;
    if manifest.format != FORMAT {
        return Err(format!(
            "{} has format {}, and this version reads {FORMAT}",
            source.display(),
            manifest.format
        ));
    }
    let whole = picture.as_ref() == Some(&manifest.database)
        && manifest.files.len() == files.len()
        && manifest
            .files
            .iter()
            .all(|told| files.iter().any(|found| found.key == told.key && found.part == told.part));
    if whole { Ok(manifest) } else { Err(format!("{} is damaged: its hashes do not fit", source.display())) }
}

/// Why an entry can't be read, in words for people who don't know how archives are made.
fn unreadable(source: &Path, begun: bool, error: &std::io::Error) -> String {
    let source = source.display();
    if error.raw_os_error().is_some() {
        format!("{source}: {error}")
    } else if begun {
        format!("{source} breaks off in the middle: it was cut off or is damaged; take another backup")
    } else {
        format!("{source} is no backup: it is not an archive that `pitlane backup` has made")
    }
}

fn write(entry: impl Read, to: &Path) -> Result<Part, String> {
    let mut hashing = Hashing::new(entry);
    let mut out =
        File::options().create(true).truncate(true).write(true).mode(0o600).open(to).map_err(at(to))?;
    std::io::copy(&mut hashing, &mut out).map_err(at(to))?;
    out.flush().and_then(|()| out.sync_all()).map_err(at(to))?;
    Ok(hashing.part())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_whole_backup_is_said_to_be_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let refused = |bytes: &[u8]| {
            let source = folder.path().join("x.tar");
            std::fs::write(&source, bytes).expect("writes");
            let (database, incoming) = (folder.path().join("database"), folder.path().join("incoming"));
            unpack(&source, &database, &incoming).expect_err("it is no whole backup")
        };
        for garbage in [[b'x'; 10].as_slice(), &[b'x'; 2_000]] {
            let told = refused(garbage);
            assert!(told.contains("x.tar is no backup"), "{told}");
        }
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_data(&mut header(5_000), DATABASE, [7_u8; 5_000].as_slice()).expect("appends");
        let whole = tar.into_inner().expect("an archive");
        let told = refused(&whole[..1_500]);
        assert!(told.contains("x.tar breaks off in the middle"), "{told}");
        let told = refused(&whole);
        assert!(told.contains("has no manifest"), "{told}");
    }
}
