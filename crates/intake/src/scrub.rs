//! What pictures and videos tell besides what they show: where they were taken, when, with what, by whom.
//!
//! [`Scrubber`] takes it out while the bytes pass by. Nothing is decoded and nothing drawn again: what is seen and
//! heard stays the same to the bit, with its colour profile and the way it is turned. At most one segment of a file is
//! held back at a time. What stands behind the end of a picture goes too, so that a picture which is something else as
//! well, such as an archive, stops being it.
//!
//! | format | goes | stays |
//! |---|---|---|
//! | JPEG | EXIF, XMP, IPTC, comments, makers' segments, previews | orientation, ICC profile, JFIF, Adobe's colour transform |
//! | PNG | texts, times, EXIF, chunks that no picture needs | orientation, colour, transparency, animation |
//! | GIF | comments, XMP | loops, colour |
//! | WebP | EXIF, XMP, unknown chunks: filled with zeros, because the length stands at the start | orientation, colour, animation |
//! | HEIC, AVIF | the items EXIF and XMP, filled with zeros in their places | everything else; orientation is no EXIF here |
//! | MP4, QuickTime, 3GPP, M4A | user data, metadata and `uuid` boxes, filled with zeros | everything else |
//!
//! Other sounds, WebM and PDF pass as they are.

mod boxes;
mod exif;
mod gif;
mod items;
mod jpeg;
mod png;
mod webp;

use crate::upload::ContentType;

pub use exif::orientation;

/// The most pixels of a picture: what the largest sensors of telephones take. More is made to exhaust whoever opens it.
pub const PIXELS_MAX: u64 = 120_000_000;
/// The most bytes that are held back to be read whole.
const HELD_MAX: usize = 1 << 20;

/// Why a file can't be what its first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its structure is broken, or so unusual that its metadata can't be found.
    #[error("the file can't be read")]
    Unreadable,
    /// It would take too much memory to open it.
    #[error("the picture has more than {PIXELS_MAX} pixels")]
    TooManyPixels,
}

/// The size of a picture as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureSize {
    /// Pixels from left to right, at least one.
    pub width: u32,
    /// Pixels from top to bottom, at least one.
    pub height: u32,
}

impl PictureSize {
    fn new(width: u32, height: u32) -> Result<Self, Fault> {
        if width == 0 || height == 0 {
            Err(Fault::Unreadable)
        } else if u64::from(width) * u64::from(height) > PIXELS_MAX {
            Err(Fault::TooManyPixels)
        } else {
            Ok(Self { width, height })
        }
    }

    fn turned(self, orientation: u8) -> Self {
        if orientation >= 5 { Self { width: self.height, height: self.width } } else { self }
    }
}

/// A format whose bytes come in pieces of any length.
trait Format: Send {
    /// Takes all of `input` and adds what is kept to `out`.
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault>;

    /// The file is complete.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<Option<PictureSize>, Fault>;
}

/// A file on its way through.
pub struct Scrubber(Option<Box<dyn Format>>);

impl Scrubber {
    /// For a file of that type.
    pub fn new(content_type: ContentType) -> Self {
        let format: Box<dyn Format> = match content_type {
            ContentType::Jpeg => Box::new(jpeg::Jpeg::default()),
            ContentType::Png => Box::new(png::Png::default()),
            ContentType::Gif => Box::new(gif::Gif::default()),
            ContentType::Webp => Box::new(webp::Webp::default()),
            ContentType::Heic | ContentType::Avif => Box::new(boxes::Boxes::of_picture()),
            ContentType::M4a | ContentType::Mp4 | ContentType::QuickTime | ContentType::ThreeGpp => {
                Box::new(boxes::Boxes::of_movie())
            }
            ContentType::Mp3
            | ContentType::Aac
            | ContentType::Wav
            | ContentType::Ogg
            | ContentType::Flac
            | ContentType::Amr
            | ContentType::Webm
            | ContentType::Pdf => return Self(None),
        };
        Self(Some(format))
    }

    /// Takes the next bytes and adds what is kept to `out`, never more than what came in so far and 64 bytes.
    ///
    /// # Errors
    /// [`Fault`], as soon as it shows.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        if let Some(format) = &mut self.0 {
            return format.push(input, out);
        }
        out.extend_from_slice(input);
        Ok(())
    }

    /// The file is complete: adds what was held back, and answers how large the picture is, if it is one.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Option<PictureSize>, Fault> {
        self.0.as_mut().map_or(Ok(None), |format| format.finish(out))
    }
}

/// Moves bytes from `input` to `held` until that holds `wanted`; whether it does.
fn gather(held: &mut Vec<u8>, input: &mut &[u8], wanted: usize) -> bool {
    let missing = wanted.saturating_sub(held.len()).min(input.len());
    let (taken, rest) = input.split_at(missing);
    held.extend_from_slice(taken);
    *input = rest;
    held.len() >= wanted
}

/// What becomes of bytes that needn't be seen whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Dropped,
    Blanked,
}

/// Lets up to `left` bytes of `input` meet their fate and counts them off.
fn pass(left: &mut u64, fate: Fate, input: &mut &[u8], out: &mut Vec<u8>) {
    let now = usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
    let (taken, rest) = input.split_at(now);
    match fate {
        Fate::Kept => out.extend_from_slice(taken),
        Fate::Dropped => {}
        Fate::Blanked => out.resize(out.len() + now, 0),
    }
    *left -= long(now);
    *input = rest;
}

fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The big-endian number in up to eight bytes at `at`; `None` beyond the end.
fn big_endian(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let end = at.checked_add(length)?;
    Some(bytes.get(at..end)?.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
}

/// The little-endian number in up to eight bytes at `at`; `None` beyond the end.
fn little_endian(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let end = at.checked_add(length)?;
    Some(bytes.get(at..end)?.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    /// What is left of a file that comes in pieces of that length.
    pub(super) fn scrub(
        kind: ContentType,
        file: &[u8],
        piece: usize,
    ) -> Result<(Vec<u8>, Option<PictureSize>), Fault> {
        let (mut scrubber, mut out) = (Scrubber::new(kind), Vec::new());
        for piece in file.chunks(piece) {
            scrubber.push(piece, &mut out)?;
        }
        let size = scrubber.finish(&mut out)?;
        Ok((out, size))
    }

    /// The same however the bytes come.
    pub(super) fn scrubbed(kind: ContentType, file: &[u8]) -> Result<(Vec<u8>, Option<PictureSize>), Fault> {
        let whole = scrub(kind, file, file.len().max(1));
        for piece in [1, 2, 3, 7, 64] {
            assert_eq!(scrub(kind, file, piece), whole, "in pieces of {piece}");
        }
        whole
    }

    pub(super) fn holds(bytes: &[u8], what: &[u8]) -> bool {
        bytes.windows(what.len()).any(|window| window == what)
    }

    #[test]
    fn what_is_no_picture_passes_as_it_is() {
        for kind in [ContentType::Pdf, ContentType::Mp3, ContentType::Ogg, ContentType::Webm] {
            assert_eq!(scrubbed(kind, b"anything"), Ok((b"anything".to_vec(), None)));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_scrubbed_or_refused_and_scrubbing_twice_is_scrubbing_once(
            which in 0..ContentType::ALL.len(), tail in any::<Vec<u8>>(), piece in 1..64usize,
        ) {
            let kind = ContentType::ALL[which];
            let starts: [(ContentType, &[u8]); 4] = [
                (ContentType::Jpeg, b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x10\0\x20\x01\x01\x11\0\xFF\xDA\0\x08\x01\x01\0\0\x3F\0"),
                (ContentType::Png, b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1F\x15\xC4\x89"),
                (ContentType::Gif, b"GIF89a\x01\0\x01\0\0\0\0"),
                (ContentType::Webp, b"RIFF\xFF\0\0\0WEBPVP8X\x0A\0\0\0\x0C\0\0\0\0\0\0\0\0\0"),
            ];
            let start = starts.iter().find(|(known, _)| *known == kind);
            let head = start.map_or(b"\0\0\0\x10ftypmp42\0\0\0\0".as_slice(), |(_, head)| *head);
            let file = [head, &tail].concat();
            if let Ok((once, size)) = scrub(kind, &file, piece) {
                assert!(once.len() <= file.len() + 64);
                assert_eq!(scrub(kind, &once, 64), Ok((once.clone(), size)));
            }
        }
    }
}
