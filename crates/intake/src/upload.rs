//! Files that wait for their session.

use kernel::id::{FileId, UserId};
use kernel::{Context, Timestamp};

use crate::error::Error;
use crate::scrub::PictureSize;
use crate::store::Store;

/// How long an upload that nothing refers to is kept.
pub const UNUSED_SECONDS: i64 = 24 * 3_600;
/// How long the files of an intake are kept without a session. Slow ways to pay take up to two weeks.
pub const INTAKE_SECONDS: i64 = 30 * 24 * 3_600;
/// How long a file may take to arrive.
pub const ARRIVAL_SECONDS: i64 = 6 * 3_600;
/// How long after that its bytes are taken for left behind. Longer than any transaction that writes an upload down.
pub const LEFT_BEHIND_SECONDS: i64 = 600;
/// Over which time `files.person_day_max_bytes` counts.
pub const DAY_SECONDS: i64 = 24 * 3_600;
/// The most uploads of one person that may wait for a session at one time.
pub const WAITING_MAX: usize = 100;
/// How many bytes from its start tell what a file is.
pub const SNIFF_BYTES: usize = 64;

const NAME_MAX: usize = 120;

/// What a file is, judged by its first bytes. What its sender says it is counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// JPEG image.
    Jpeg,
    /// PNG image.
    Png,
    /// GIF image.
    Gif,
    /// WebP image.
    Webp,
    /// HEIC image, as telephones take them.
    Heic,
    /// AVIF image.
    Avif,
    /// MP3 sound.
    Mp3,
    /// AAC sound in an MP4 file.
    M4a,
    /// AAC sound.
    Aac,
    /// WAV sound.
    Wav,
    /// Ogg sound.
    Ogg,
    /// FLAC sound.
    Flac,
    /// AMR sound.
    Amr,
    /// MP4 video.
    Mp4,
    /// QuickTime video.
    QuickTime,
    /// 3GPP video.
    ThreeGpp,
    /// WebM or Matroska video, also what browsers record sound into.
    Webm,
    /// PDF document.
    Pdf,
}

impl ContentType {
    /// Every type that is taken.
    pub const ALL: [Self; 18] = [
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::Webp,
        Self::Heic,
        Self::Avif,
        Self::Mp3,
        Self::M4a,
        Self::Aac,
        Self::Wav,
        Self::Ogg,
        Self::Flac,
        Self::Amr,
        Self::Mp4,
        Self::QuickTime,
        Self::ThreeGpp,
        Self::Webm,
        Self::Pdf,
    ];

    /// Its media type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
            Self::Avif => "image/avif",
            Self::Mp3 => "audio/mpeg",
            Self::M4a => "audio/mp4",
            Self::Aac => "audio/aac",
            Self::Wav => "audio/wav",
            Self::Ogg => "audio/ogg",
            Self::Flac => "audio/flac",
            Self::Amr => "audio/amr",
            Self::Mp4 => "video/mp4",
            Self::QuickTime => "video/quicktime",
            Self::ThreeGpp => "video/3gpp",
            Self::Webm => "video/webm",
            Self::Pdf => "application/pdf",
        }
    }

    /// The type with that media type.
    pub fn parse(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == media_type)
    }

    /// What a file that begins with these bytes is; `None` when it is nothing that is taken. Formats that can carry
    /// script, such as SVG and HTML, are never taken.
    pub fn sniff(start: &[u8]) -> Option<Self> {
        let at =
            |offset: usize, magic: &[u8]| start.get(offset..).is_some_and(|rest| rest.starts_with(magic));
        if at(4, b"ftyp") {
            return Self::of_brand(start.get(8..12)?);
        }
        let by_magic: [(&[u8], Self); 12] = [
            (b"\xFF\xD8\xFF", Self::Jpeg),
            (b"\x89PNG\r\n\x1A\n", Self::Png),
            (b"GIF87a", Self::Gif),
            (b"GIF89a", Self::Gif),
            (b"ID3", Self::Mp3),
            (b"\xFF\xFB", Self::Mp3),
            (b"\xFF\xF3", Self::Mp3),
            (b"\xFF\xF1", Self::Aac),
            (b"OggS", Self::Ogg),
            (b"fLaC", Self::Flac),
            (b"#!AMR", Self::Amr),
            (b"\x1A\x45\xDF\xA3", Self::Webm),
        ];
        if let Some((_, found)) = by_magic.into_iter().find(|(magic, _)| at(0, magic)) {
            return Some(found);
        }
        if at(0, b"%PDF-") {
            return Some(Self::Pdf);
        }
        if at(0, b"RIFF") {
            return match start.get(8..12)? {
                b"WEBP" => Some(Self::Webp),
                b"WAVE" => Some(Self::Wav),
                _ => None,
            };
        }
        None
    }

    // The major brand of a file of the MP4 family.
    fn of_brand(brand: &[u8]) -> Option<Self> {
        match brand {
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1" => Some(Self::Heic),
            b"avif" | b"avis" => Some(Self::Avif),
            b"M4A " | b"M4B " => Some(Self::M4a),
            b"qt  " => Some(Self::QuickTime),
            b"isom" | b"iso2" | b"iso4" | b"iso5" | b"iso6" | b"mp41" | b"mp42" | b"avc1" | b"M4V "
            | b"dash" | b"MSNV" => Some(Self::Mp4),
            [b'3', b'g', b'p', _] => Some(Self::ThreeGpp),
            _ => None,
        }
    }
}

/// A file that was sent before there is a session. Its owner alone may use it, and it is deleted when nothing
/// refers to it in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The file.
    pub id: FileId,
    /// Who sent it.
    pub owner: UserId,
    /// Its name on the sender's device, 1 to 120 characters, without folders. For display only.
    pub name: String,
    /// What it is.
    pub content_type: ContentType,
    /// Its size, at least one byte.
    pub size_bytes: u64,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// How large the picture is, if it is one.
    pub picture: Option<PictureSize>,
    /// Under which key its bytes lie in the storage.
    pub storage_key: String,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When it is deleted unless it is in use by then.
    pub expires_at: Timestamp,
}

/// What somebody has sent since an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// How many bytes.
    pub bytes: u64,
    /// When the first of it came.
    pub first: Option<Timestamp>,
}

/// What a sent file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// The file's id, under which its bytes lie in the storage already.
    pub id: FileId,
    /// Who sent it.
    pub owner: UserId,
    /// Its name as sent, if it had one.
    pub name: Option<String>,
    /// What it is.
    pub content_type: ContentType,
    /// Its size.
    pub size_bytes: u64,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// How large the picture is, if it is one.
    pub picture: Option<PictureSize>,
}

/// Under which key the bytes of a file lie.
pub fn storage_key(file: FileId) -> String {
    file.to_string()
}

/// Under which key the small picture of a file lies, once it has been made.
pub fn thumbnail_key(storage_key: &str) -> String {
    format!("{storage_key}-small")
}

/// Announces a file before its first byte is stored, so that bytes which nobody writes down are found again.
///
/// # Errors
/// The storage's.
pub fn announce(store: &mut dyn Store, file: FileId, cx: &Context) -> Result<(), Error> {
    Ok(store.arrival_insert(file, cx.now.plus_seconds(ARRIVAL_SECONDS))?)
}

/// Writes down a file that was announced and whose bytes are stored. In a day one person may send `day_max_bytes`.
///
/// # Errors
/// [`Error::FileEmpty`], [`Error::TooManyUploads`], [`Error::DayFull`], [`Error::UploadTooSlow`], or the storage's.
pub fn add(store: &mut dyn Store, new: NewUpload, day_max_bytes: u64, cx: &Context) -> Result<Upload, Error> {
    if new.size_bytes == 0 {
        return Err(Error::FileEmpty);
    }
    if !store.arrival_end(new.id, cx.now)? {
        return Err(Error::UploadTooSlow);
    }
    let sent = store.uploads_sent_for_update(new.owner, cx.now.plus_seconds(-DAY_SECONDS))?;
    if sent.bytes.saturating_add(new.size_bytes) > day_max_bytes {
        let free = sent.first.unwrap_or(cx.now).plus_seconds(DAY_SECONDS);
        let wait = free.seconds_since(cx.now).clamp(1, DAY_SECONDS);
        let retry_after_seconds = u64::try_from(wait).unwrap_or(1);
        return Err(Error::DayFull { max_bytes: day_max_bytes, retry_after_seconds });
    }
    if store.uploads_waiting(new.owner, cx.now)? >= WAITING_MAX {
        return Err(Error::TooManyUploads { max: WAITING_MAX });
    }
    let upload = Upload {
        id: new.id,
        owner: new.owner,
        name: display_name(new.name.as_deref()),
        content_type: new.content_type,
        size_bytes: new.size_bytes,
        sha256: new.sha256,
        picture: new.picture,
        storage_key: storage_key(new.id),
        created_at: cx.now,
        expires_at: cx.now.plus_seconds(UNUSED_SECONDS),
    };
    store.upload_insert(&upload)?;
    Ok(upload)
}

// What a person may see of a name that came from outside: the last part, without anything that moves a cursor.
fn display_name(sent: Option<&str>) -> String {
    let last = sent.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    // Marks that turn the direction of text can make `gpj.exe` read as `exe.jpg`.
    let turns =
        |c: &char| matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let clean: String = last.chars().filter(|c| !c.is_control() && !turns(c)).take(NAME_MAX).collect();
    let clean = clean.trim();
    if clean.is_empty() { "file".to_owned() } else { clean.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        let cases: [(&[u8], Option<ContentType>); 21] = [
            (b"\xFF\xD8\xFF\xE0\x00\x10JFIF", Some(ContentType::Jpeg)),
            (b"\x89PNG\r\n\x1A\n\x00\x00\x00\rIHDR", Some(ContentType::Png)),
            (b"GIF89a....", Some(ContentType::Gif)),
            (b"RIFF\x00\x00\x00\x00WEBPVP8 ", Some(ContentType::Webp)),
            (b"RIFF\x00\x00\x00\x00WAVEfmt ", Some(ContentType::Wav)),
            (b"RIFF\x00\x00\x00\x00AVI LIST", None),
            (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", Some(ContentType::Heic)),
            (b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00", Some(ContentType::Avif)),
            (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00", Some(ContentType::Mp4)),
            (b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00", Some(ContentType::QuickTime)),
            (b"\x00\x00\x00\x14ftyp3gp4\x00\x00\x00\x00", Some(ContentType::ThreeGpp)),
            (b"\x00\x00\x00\x1CftypM4A \x00\x00\x00\x00", Some(ContentType::M4a)),
            (b"\x1A\x45\xDF\xA3\x01\x00", Some(ContentType::Webm)),
            (b"ID3\x04\x00", Some(ContentType::Mp3)),
            (b"OggS\x00\x02", Some(ContentType::Ogg)),
            (b"%PDF-1.7\n", Some(ContentType::Pdf)),
            (b"<svg xmlns=", None),
            (b"<!DOCTYPE html>", None),
            (b"MZ\x90\x00", None),
            (b"", None),
            (b"\x00\x00\x00\x18ftyp", None),
        ];
        for (start, expected) in cases {
            assert_eq!(ContentType::sniff(start), expected, "{}", String::from_utf8_lossy(start));
        }
    }

    #[test]
    fn a_name_keeps_nothing_that_could_mislead() {
        let long = "x".repeat(500);
        let cases = [
            (None, "file"),
            (Some(""), "file"),
            (Some("../../etc/passwd"), "passwd"),
            (Some("C:\\cars\\dash.jpg"), "dash.jpg"),
            (Some("photo\u{202E}gpj.exe"), "photogpj.exe"),
            (Some("a\0b\n.png"), "ab.png"),
            (Some("dir/"), "file"),
            (Some(long.as_str()), &long[..120]),
        ];
        for (sent, shown) in cases {
            assert_eq!(display_name(sent), shown, "{sent:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in any::<Vec<u8>>()) {
            if let Some(kind) = ContentType::sniff(&bytes) {
                assert_eq!(ContentType::parse(kind.as_str()), Some(kind));
            }
        }
    }
}
