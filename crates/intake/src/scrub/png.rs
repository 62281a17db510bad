//! PNG: chunks with a length, a type and a checksum.

use super::{Fate, Fault, Format, PictureSize, big_endian, exif, gather, pass};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1A\n";
/// The first chunk, whole.
const HEADER: usize = 25;
const HEAD: usize = 8;
const CHECKSUM: usize = 4;
const EXIF_MAX: usize = 1 << 16;
/// What a picture, an animation and their colours need.
const NEEDED: [&[u8; 4]; 18] = [
    b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV",
    b"cLLI", b"bKGD", b"pHYs", b"hIST", b"acTL", b"fcTL", b"fdAT",
];

#[derive(Default)]
enum State {
    #[default]
    Start,
    Head,
    /// EXIF data of that length, its checksum included.
    Exif(usize),
    Body(u64, Fate, bool),
    Ended,
}

/// A PNG file on its way through.
#[derive(Default)]
pub(super) struct Png {
    state: State,
    held: Vec<u8>,
    size: Option<PictureSize>,
    orientation: Option<u8>,
}

impl Png {
    fn start(&mut self, out: &mut Vec<u8>) -> Result<State, Fault> {
        if !self.held.starts_with(SIGNATURE) || self.held[8..16] != *b"\0\0\0\rIHDR" {
            return Err(Fault::Unreadable);
        }
        let side = |at| big_endian(&self.held, at, 4).and_then(|side| u32::try_from(side).ok());
        self.size = Some(PictureSize::new(side(16).unwrap_or(0), side(20).unwrap_or(0))?);
        out.append(&mut self.held);
        Ok(State::Head)
    }

    fn head(&mut self, out: &mut Vec<u8>) -> Result<State, Fault> {
        let length = u32::from_be_bytes([self.held[0], self.held[1], self.held[2], self.held[3]]);
        let kind = [self.held[4], self.held[5], self.held[6], self.held[7]];
        let is_critical = kind[0].is_ascii_uppercase();
        if length > i32::MAX.unsigned_abs() || !kind.iter().all(u8::is_ascii_alphabetic) {
            return Err(Fault::Unreadable);
        }
        if NEEDED.contains(&&kind) {
            out.append(&mut self.held);
            return Ok(State::Body(u64::from(length) + 4, Fate::Kept, kind == *b"IEND"));
        }
        if is_critical {
            // No decoder may go on without it, and none of the usual ones knows it.
            return Err(Fault::Unreadable);
        }
        self.held.clear();
        let whole = usize::try_from(length).map_or(usize::MAX, |length| length.saturating_add(CHECKSUM));
        if kind == *b"eXIf" && whole <= EXIF_MAX && self.orientation.is_none() {
            return Ok(State::Exif(whole));
        }
        Ok(State::Body(u64::from(length) + 4, Fate::Dropped, false))
    }

    fn exif(&mut self, out: &mut Vec<u8>) -> State {
        self.orientation = exif::orientation(&self.held);
        self.held.clear();
        if let Some(turned) = self.orientation.filter(|turned| *turned > 1) {
            out.extend_from_slice(&chunk(b"eXIf", &exif::bare(turned)));
        }
        State::Head
    }
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes();
    let sum = checksum(kind.iter().chain(data)).to_be_bytes();
    [length.as_slice(), kind, data, &sum].concat()
}

// The CRC of the PNG specification, annex D; few bytes, so without a table.
fn checksum<'b>(bytes: impl Iterator<Item = &'b u8>) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 };
    !bytes.fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

impl Format for Png {
    fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        loop {
            self.state = match self.state {
                State::Start if gather(&mut self.held, &mut input, HEAD + HEADER) => self.start(out)?,
                State::Head if gather(&mut self.held, &mut input, HEAD) => self.head(out)?,
                State::Exif(whole) if gather(&mut self.held, &mut input, whole) => self.exif(out),
                State::Body(mut left, fate, is_last) => {
                    pass(&mut left, fate, &mut input, out);
                    match left {
                        0 if is_last => State::Ended,
                        0 => State::Head,
                        _ => {
                            self.state = State::Body(left, fate, is_last);
                            return Ok(());
                        }
                    }
                }
                State::Start | State::Head | State::Exif(_) | State::Ended => return Ok(()),
            };
        }
    }

    fn finish(&mut self, _out: &mut Vec<u8>) -> Result<Option<PictureSize>, Fault> {
        let size = self.size.ok_or(Fault::Unreadable)?;
        Ok(Some(size.turned(self.orientation.unwrap_or(1))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::exif::tests::of_telephone;
    use super::super::tests::{holds, scrubbed};
    use super::*;
    use crate::upload::ContentType;

    fn header(width: u32, height: u32) -> Vec<u8> {
        chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat())
    }

    fn picture(chunks: &[Vec<u8>], behind: &[u8]) -> Vec<u8> {
        [SIGNATURE, chunks.concat().as_slice(), behind].concat()
    }

    #[test]
    fn the_checksum_is_the_one_of_the_specification() {
        assert_eq!(chunk(b"IEND", b""), b"\0\0\0\0IEND\xAE\x42\x60\x82");
    }

    #[test]
    fn a_picture_keeps_what_it_shows_and_how_it_is_turned() {
        let (size, data, end) = (header(64, 48), chunk(b"IDAT", b"pixels"), chunk(b"IEND", b""));
        let colours = chunk(b"iCCP", b"colours");
        let told = [
            size.clone(),
            colours.clone(),
            chunk(b"tEXt", b"Comment\0GPS"),
            chunk(b"zTXt", b"GPS"),
            chunk(b"iTXt", b"XML:com.adobe.xmp\0GPS"),
            chunk(b"eXIf", &of_telephone(8)),
            chunk(b"tIME", b"GPS"),
            chunk(b"abCd", b"GPS"),
            data.clone(),
            end.clone(),
        ];
        let file = picture(&told, b"PK\x03\x04 GPS");
        let (left, shown) = scrubbed(ContentType::Png, &file).expect("a picture");
        assert!(!holds(&left, b"GPS"));
        assert_eq!(shown, Some(PictureSize { width: 48, height: 64 }));
        assert_eq!(left, picture(&[size, colours, chunk(b"eXIf", &exif::bare(8)), data, end], b""));
    }

    #[test]
    fn what_only_begins_like_a_picture_is_refused() {
        let cases = [
            (b"\x89PNG\r\n\x1A\n<html>".to_vec(), Fault::Unreadable),
            (picture(&[chunk(b"IDAT", b"pixels of a picture without a size")], b""), Fault::Unreadable),
            (picture(&[header(0, 1)], b""), Fault::Unreadable),
            (picture(&[header(1, 1), chunk(b"CgBI", b"")], b""), Fault::Unreadable),
            (picture(&[header(1, 1)], b"\0\0\0\0<htm"), Fault::Unreadable),
            (picture(&[header(20_000, 20_000)], b""), Fault::TooManyPixels),
        ];
        for (file, fault) in cases {
            assert_eq!(scrubbed(ContentType::Png, &file), Err(fault), "{}", String::from_utf8_lossy(&file));
        }
    }
}
