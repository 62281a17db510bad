//! Everything of one person as one ZIP: the document, and the bytes of every file that it lists.
//!
//! Nothing is packed smaller, because photos and videos are as small already as they get. One piece of one file is in
//! memory at a time. The document comes last, when it is known which bytes were there.

use std::fs::File;
use std::io::{self, Write};

use intake::FileStorageError;
use kernel::Timestamp;
use serde_json::{Value, json};
use store::views::export::OwnFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZIP64_BYTES_THR, ZipWriter};

use crate::state::Pitlane;
use crate::usecases::Error;

/// The entry of the document.
const DOCUMENT: &str = "export.json";
/// How long a file's name may be in its entry. With the id before it every file system takes it.
const NAME_MAX_BYTES: usize = 200;
/// What is longer behind a dot is not the ending of a name.
const ENDING_MAX_BYTES: usize = 10;

/// Packs these files and the document that lists them, in the same order, into an empty file, and answers that file. In
/// the document each gets `entry`: where its bytes are, or `null` where the storage has them no more.
///
/// # Errors
/// A file can't be read now, or `out` not be written. What stands in `out` then is of no use.
pub async fn pack(
    pitlane: &Pitlane,
    mut document: Value,
    files: &[OwnFile],
    out: File,
) -> Result<File, Error> {
    let (mut zip, mut entries) = (ZipWriter::new(out), Vec::with_capacity(files.len()));
    for file in files {
        let entry = entry(file);
        let (next, is_there) = add(pitlane, zip, file, entry.clone()).await?;
        zip = next;
        entries.push(is_there.then_some(entry));
    }
    for (told, entry) in document["files"].as_array_mut().into_iter().flatten().zip(entries) {
        told["entry"] = json!(entry);
    }
    let text = serde_json::to_vec_pretty(&document).map_err(|error| Error::Archive(error.into()))?;
    let options = options(pitlane.clock.now(), u64::try_from(text.len()).unwrap_or(u64::MAX));
    blocking(move || {
        zip.start_file(DOCUMENT, options)?;
        zip.write_all(&text)?;
        Ok(zip.finish()?)
    })
    .await
}

/// Does what waits for the disk where waiting is no harm.
///
/// # Errors
/// [`Error::Archive`].
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Error::Archive),
        Err(error) => Err(Error::Archive(io::Error::other(error))),
    }
}

/// Adds the bytes of a file, if the storage has them.
async fn add(
    pitlane: &Pitlane,
    mut zip: ZipWriter<File>,
    file: &OwnFile,
    entry: String,
) -> Result<(ZipWriter<File>, bool), Error> {
    let mut reader = match pitlane.files.open(&file.storage_key, 0..u64::MAX).await {
        Ok(reader) => reader,
        Err(FileStorageError::Missing(_)) => {
            tracing::warn!(file = %file.id, "an archive goes without an upload: its bytes are gone");
            return Ok((zip, false));
        }
        Err(error) => return Err(error.into()),
    };
    let options = options(file.created_at, u64::try_from(file.size_bytes).unwrap_or(0));
    zip = blocking(move || {
        zip.start_file(entry, options)?;
        Ok(zip)
    })
    .await?;
    while let Some(piece) = reader.next().await.map_err(midway)? {
        zip = blocking(move || {
            zip.write_all(&piece)?;
            Ok(zip)
        })
        .await?;
    }
    Ok((zip, true))
}

// One that was deleted while it was read: who asks again gets an archive without it.
fn midway(error: FileStorageError) -> FileStorageError {
    if matches!(error, FileStorageError::Missing(_)) {
        return FileStorageError::Away("an upload went away while it was read".to_owned());
    }
    error
}

fn options(at: Timestamp, bytes: u64) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(bytes >= ZIP64_BYTES_THR)
        .last_modified_time(moment(at))
        .unix_permissions(0o600)
}

// ZIP knows no zones and begins in 1980, where what it can't tell is put.
fn moment(at: Timestamp) -> DateTime {
    let at = at.as_offset_date_time();
    let year = u16::try_from(at.year()).unwrap_or_default();
    DateTime::from_date_and_time(year, at.month().into(), at.day(), at.hour(), at.minute(), at.second())
        .unwrap_or_default()
}

/// Where a file stands in the archive. Its id makes the entry the only one of that name.
fn entry(file: &OwnFile) -> String {
    format!("files/{}-{}", file.id, plain(&file.name))
}

/// A name as every system takes it for that of a file: it leads nowhere else, and none of it is dropped or refused.
fn plain(name: &str) -> String {
    let is_refused =
        |c: char| c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let name: String = name.chars().map(|c| if is_refused(c) { '_' } else { c }).collect();
    // Two dots are the folder above, and Windows drops a dot or a space at the end.
    let name = name.replace("..", "_");
    let name = name.trim_end_matches(['.', ' ']);
    if name.is_empty() {
        return "file".to_owned();
    }
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if ending.len() <= ENDING_MAX_BYTES => (stem, format!(".{ending}")),
        Some(_) | None => (name, String::new()),
    };
    let stem = &stem[..stem.floor_char_boundary(NAME_MAX_BYTES - ending.len())];
    format!("{}{ending}", stem.trim_end_matches(['.', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_and_stays_readable() {
        let (long, umlauts) = ("x".repeat(120), "\u{fc}".repeat(120));
        let cases = [
            ("dash.jpg", "dash.jpg"),
            ("17\" Rad f\u{fc}r vorn.png", "17_ Rad f\u{fc}r vorn.png"),
            ("..", "_"),
            (".", "file"),
            ("...", "_"),
            ("a..b...c.png", "a_b_.c.png"),
            ("../../etc/passwd", "____etc_passwd"),
            ("C:\\cars\\dash.jpg", "C__cars_dash.jpg"),
            ("..%2F..%2Fpasswd", "_%2F_%2Fpasswd"),
            ("<script>|?*.png", "_script____.png"),
            ("a\0b\n.png", "a_b_.png"),
            (".png", ".png"),
            ("ends with a dot. ", "ends with a dot"),
            (long.as_str(), long.as_str()),
            (umlauts.as_str(), &umlauts[..200]),
        ];
        for (name, expected) in cases {
            assert_eq!(plain(name), expected, "{name}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_keeps_its_ending() {
        let cut = |stem: String| plain(&format!("{stem}.jpeg"));
        assert_eq!(cut("\u{1f697}".repeat(119)), format!("{}.jpeg", "\u{1f697}".repeat(48)));
        // The cut comes behind the dot.
        assert_eq!(cut("x".repeat(194) + ". x"), format!("{}.jpeg", "x".repeat(194)));
        let no_ending = plain(&format!("a.{}", "b".repeat(300)));
        assert_eq!(no_ending.len(), NAME_MAX_BYTES);
    }

    #[test]
    fn a_moment_is_told_to_two_seconds() {
        let at = Timestamp::from_unix_seconds(1_760_860_803).expect("in range");
        let told = moment(at);
        assert_eq!((told.year(), told.month(), told.day()), (2025, 10, 19));
        assert_eq!((told.hour(), told.minute(), told.second()), (8, 0, 2));
        assert_eq!(moment(Timestamp::UNIX_EPOCH), DateTime::default());
    }
}
