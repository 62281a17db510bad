//! WebP: a RIFF file, whose length stands at its start. So nothing is taken out of it: what goes becomes zeros under a
//! name that nobody reads.

use super::{Fate, Fault, Format, PictureSize, exif, gather, little_endian, long, pass};

const HEADER: usize = 12;
const HEAD: usize = 8;
/// As much of the first chunk as tells the size.
const SIZED: usize = 10;
const EXIF_READ: usize = 1 << 16;
const HAS_XMP: u8 = 0x04;
const NEEDED: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];

#[derive(Default)]
enum State {
    #[default]
    Start,
    Head,
    /// The first chunk of that length.
    First(u64),
    Exif(u64),
    Body(u64, Fate),
    Ended,
}

/// A WebP file on its way through.
#[derive(Default)]
pub(super) struct Webp {
    state: State,
    held: Vec<u8>,
    /// How many bytes of the file are still to come, by its own word.
    left: u64,
    size: Option<PictureSize>,
    orientation: Option<u8>,
}

impl Webp {
    fn start(&mut self, out: &mut Vec<u8>) -> Result<State, Fault> {
        if !self.held.starts_with(b"RIFF") || self.held[8..] != *b"WEBP" {
            return Err(Fault::Unreadable);
        }
        let length = little_endian(&self.held, 4, 4).unwrap_or(0);
        self.left = length.checked_sub(4).ok_or(Fault::Unreadable)?;
        out.append(&mut self.held);
        Ok(State::Head)
    }

    fn head(&mut self, out: &mut Vec<u8>) -> Result<State, Fault> {
        let length = little_endian(&self.held, 4, 4).unwrap_or(0);
        let length = length + length % 2;
        let kind = [self.held[0], self.held[1], self.held[2], self.held[3]];
        // A chunk that claims to be longer than the file ends with it.
        self.left = self.left.saturating_sub(long(HEAD));
        let length = length.min(self.left);
        self.left -= length;
        if self.size.is_none() {
            out.extend_from_slice(&self.held);
            self.held.drain(4..);
            return if length >= long(SIZED) { Ok(State::First(length)) } else { Err(Fault::Unreadable) };
        }
        let state = match &kind {
            b"EXIF" => State::Exif(length),
            _ if NEEDED.contains(&&kind) => State::Body(length, Fate::Kept),
            _ => {
                self.held[..4].copy_from_slice(b"JUNK");
                State::Body(length, Fate::Blanked)
            }
        };
        out.append(&mut self.held);
        Ok(state)
    }

    // The type of the first chunk and its first bytes are held.
    fn first(&mut self, length: u64, out: &mut Vec<u8>) -> Result<State, Fault> {
        let number = |at: usize, length: usize| little_endian(&self.held, 4 + at, length).unwrap_or(0);
        let sides = match &self.held[..4] {
            b"VP8X" => (number(4, 3) + 1, number(7, 3) + 1),
            b"VP8 " if self.held[7..10] == *b"\x9D\x01\x2A" => (number(6, 2) & 0x3FFF, number(8, 2) & 0x3FFF),
            b"VP8L" if self.held[4] == 0x2F => {
                ((number(1, 4) & 0x3FFF) + 1, ((number(1, 4) >> 14) & 0x3FFF) + 1)
            }
            _ => return Err(Fault::Unreadable),
        };
        let side = |side| u32::try_from(side).map_err(|_| Fault::TooManyPixels);
        self.size = Some(PictureSize::new(side(sides.0)?, side(sides.1)?)?);
        if self.held.starts_with(b"VP8X") {
            self.held[4] &= !HAS_XMP;
        }
        out.extend_from_slice(&self.held[4..]);
        self.held.clear();
        Ok(State::Body(length - long(SIZED), Fate::Kept))
    }

    // EXIF data of the same length that hold the orientation and nothing else.
    fn exif(&mut self, length: u64, out: &mut Vec<u8>) -> State {
        let here = self.held.len();
        self.orientation = self.orientation.or(exif::orientation(&self.held));
        self.held.clear();
        let bare = exif::bare(self.orientation.unwrap_or(1));
        let start = out.len();
        out.resize(start + here, 0);
        if here >= bare.len() {
            out[start..start + bare.len()].copy_from_slice(&bare);
        }
        State::Body(length - long(here), Fate::Blanked)
    }
}

impl Format for Webp {
    fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        loop {
            self.state = match self.state {
                State::Start if gather(&mut self.held, &mut input, HEADER) => self.start(out)?,
                State::Head if self.left == 0 => State::Ended,
                State::Head if gather(&mut self.held, &mut input, HEAD) => self.head(out)?,
                State::First(length) if gather(&mut self.held, &mut input, 4 + SIZED) => {
                    self.first(length, out)?
                }
                State::Exif(length) => {
                    let wanted = usize::try_from(length).map_or(EXIF_READ, |length| length.min(EXIF_READ));
                    if !gather(&mut self.held, &mut input, wanted) {
                        return Ok(());
                    }
                    self.exif(length, out)
                }
                State::Body(mut left, fate) => {
                    pass(&mut left, fate, &mut input, out);
                    self.state = State::Body(left, fate);
                    if left > 0 {
                        return Ok(());
                    }
                    State::Head
                }
                State::Start | State::Head | State::First(_) | State::Ended => return Ok(()),
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

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).expect("short").to_le_bytes();
        let padding: &[u8] = if data.len() % 2 == 1 { &[0] } else { &[] };
        [kind, length.as_slice(), data, padding].concat()
    }

    fn picture(chunks: &[Vec<u8>]) -> Vec<u8> {
        let body = [b"WEBP", chunks.concat().as_slice()].concat();
        [b"RIFF", u32::try_from(body.len()).expect("short").to_le_bytes().as_slice(), &body].concat()
    }

    #[test]
    fn metadata_become_zeros_of_the_same_length() {
        let sized = |flags| chunk(b"VP8X", &[flags, 0, 0, 0, 63, 0, 0, 47, 0, 0]);
        let (colours, pixels) = (chunk(b"ICCP", b"colours"), chunk(b"VP8L", b"\x2Fpixels"));
        let exif = of_telephone(5);
        let told = [
            sized(0x2C),
            colours.clone(),
            pixels.clone(),
            chunk(b"EXIF", &exif),
            chunk(b"XMP ", b"GPS"),
            chunk(b"what", b"GPS"),
        ];
        let file = picture(&told);
        let (left, size) =
            scrubbed(ContentType::Webp, &[file.as_slice(), b"PK GPS"].concat()).expect("a picture");
        assert!(holds(&file, b"GPS") && !holds(&left, b"GPS"));
        let mut bare = exif::bare(5).to_vec();
        bare.resize(exif.len(), 0);
        let blank = chunk(b"JUNK", &[0; 3]);
        let plain = [sized(0x28), colours, pixels, chunk(b"EXIF", &bare), blank.clone(), blank];
        assert_eq!(left, picture(&plain));
        assert_eq!(size, Some(PictureSize { width: 48, height: 64 }));
    }

    #[test]
    fn each_kind_of_data_tells_its_size() {
        let size = |chunk: Vec<u8>| scrubbed(ContentType::Webp, &picture(&[chunk])).map(|(_, size)| size);
        let lossy = chunk(b"VP8 ", b"\0\0\0\x9D\x01\x2A\x20\0\x10\0pixels");
        assert_eq!(size(lossy), Ok(Some(PictureSize { width: 32, height: 16 })));
        let lossless = chunk(b"VP8L", b"\x2F\x1F\xC0\x03\0pixels");
        assert_eq!(size(lossless), Ok(Some(PictureSize { width: 32, height: 16 })));
        for broken in
            [chunk(b"VP8 ", b"<html><script>"), chunk(b"html", b"<html><script>"), chunk(b"VP8L", b"")]
        {
            assert_eq!(size(broken), Err(Fault::Unreadable));
        }
        assert_eq!(
            size(chunk(b"VP8X", &[0, 0, 0, 0, 255, 255, 255, 255, 255, 255])),
            Err(Fault::TooManyPixels)
        );
    }
}
