//! JPEG: segments before and between scans, each with a marker and its length.

use super::{Fault, Format, PictureSize, exif, gather};

const SCAN: u8 = 0xDA;
const END: u8 = 0xD9;
/// The part of a JFIF segment before its preview.
const JFIF_HEAD: usize = 16;

#[derive(Default)]
enum State {
    #[default]
    Start,
    /// The two bytes of a marker come next.
    Marker,
    /// A segment, its marker held.
    Segment,
    /// Entropy-coded data.
    Scan,
    /// In them, after a byte that may begin a marker.
    ScanMark,
    Ended,
}

/// A JPEG file on its way through.
#[derive(Default)]
pub(super) struct Jpeg {
    state: State,
    held: Vec<u8>,
    size: Option<PictureSize>,
    orientation: Option<u8>,
    has_scan: bool,
}

impl Jpeg {
    fn marker(&mut self, out: &mut Vec<u8>) -> Result<State, Fault> {
        match (self.held[0], self.held[1]) {
            (0xFF, 0xFF) => {
                // A marker may be filled up in front.
                self.held.truncate(1);
                Ok(State::Marker)
            }
            (0xFF, END) => {
                out.extend_from_slice(&self.held);
                Ok(State::Ended)
            }
            (0xFF, 0x01 | 0xD0..=0xD7) => {
                self.held.clear();
                Ok(State::Marker)
            }
            (0xFF, 0xC0..=0xCF | 0xDA..=0xFE | 0x02..=0xBF) => Ok(State::Segment),
            _ => Err(Fault::Unreadable),
        }
    }

    // A whole segment, from its marker to its end.
    fn segment(&mut self, out: &mut Vec<u8>) -> Result<State, Fault> {
        let segment = std::mem::take(&mut self.held);
        let data = &segment[4..];
        match segment[1] {
            0xE0 if data.starts_with(b"JFIF\0") && segment.len() >= JFIF_HEAD + 2 => {
                out.extend_from_slice(b"\xFF\xE0\0\x10");
                out.extend_from_slice(&segment[4..JFIF_HEAD]);
                out.extend_from_slice(&[0, 0]);
            }
            0xE1 if data.starts_with(b"Exif\0\0") && self.orientation.is_none() => {
                self.orientation = exif::orientation(data);
                if let Some(turned) = self.orientation.filter(|turned| *turned > 1) {
                    out.extend_from_slice(b"\xFF\xE1\0\x22Exif\0\0");
                    out.extend_from_slice(&exif::bare(turned));
                }
            }
            0xE2 if data.starts_with(b"ICC_PROFILE\0") => out.extend_from_slice(&segment),
            0xEE if data.starts_with(b"Adobe") => out.extend_from_slice(&segment),
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                self.size = Some(frame(data)?);
                out.extend_from_slice(&segment);
            }
            0xC4 | 0xCC | 0xDA..=0xDF => out.extend_from_slice(&segment),
            _ => {}
        }
        if segment[1] == SCAN {
            if self.size.is_none() {
                return Err(Fault::Unreadable);
            }
            self.has_scan = true;
            return Ok(State::Scan);
        }
        Ok(State::Marker)
    }

    fn scan_mark(&mut self, next: u8, out: &mut Vec<u8>) -> State {
        match next {
            0x00 | 0xD0..=0xD7 => {
                out.extend_from_slice(&[0xFF, next]);
                State::Scan
            }
            0xFF => State::ScanMark,
            _ => {
                self.held = vec![0xFF, next];
                State::Marker
            }
        }
    }
}

/// The size that a frame's header states.
fn frame(data: &[u8]) -> Result<PictureSize, Fault> {
    let side = |at| super::big_endian(data, at, 2).and_then(|side| u32::try_from(side).ok());
    PictureSize::new(side(3).ok_or(Fault::Unreadable)?, side(1).ok_or(Fault::Unreadable)?)
}

impl Format for Jpeg {
    fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        loop {
            self.state = match self.state {
                State::Start if gather(&mut self.held, &mut input, 2) => {
                    if self.held != [0xFF, 0xD8] {
                        return Err(Fault::Unreadable);
                    }
                    out.append(&mut self.held);
                    State::Marker
                }
                State::Marker if gather(&mut self.held, &mut input, 2) => self.marker(out)?,
                State::Segment if gather(&mut self.held, &mut input, 4) => {
                    let length = usize::from(u16::from_be_bytes([self.held[2], self.held[3]]));
                    if length < 2 {
                        return Err(Fault::Unreadable);
                    }
                    if !gather(&mut self.held, &mut input, 2 + length) {
                        return Ok(());
                    }
                    self.segment(out)?
                }
                State::Scan => {
                    let mark = input.iter().position(|byte| *byte == 0xFF);
                    out.extend_from_slice(&input[..mark.unwrap_or(input.len())]);
                    let Some(mark) = mark else { return Ok(()) };
                    input = &input[mark + 1..];
                    State::ScanMark
                }
                State::ScanMark => {
                    let Some((next, rest)) = input.split_first() else { return Ok(()) };
                    input = rest;
                    self.scan_mark(*next, out)
                }
                // Whatever stands behind the end of the picture is no part of it.
                State::Start | State::Marker | State::Segment | State::Ended => return Ok(()),
            };
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<Option<PictureSize>, Fault> {
        let size = self.size.filter(|_| self.has_scan).ok_or(Fault::Unreadable)?;
        if !matches!(self.state, State::Ended) {
            out.extend_from_slice(&[0xFF, END]);
        }
        Ok(Some(size.turned(self.orientation.unwrap_or(1))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::exif::tests::of_telephone;
    use super::super::tests::{holds, scrubbed};
    use super::*;
    use crate::upload::ContentType;

    fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len() + 2).expect("short").to_be_bytes();
        [&[0xFF, marker], length.as_slice(), data].concat()
    }

    fn frame_of(width: u16, height: u16) -> Vec<u8> {
        let [[h1, h2], [w1, w2]] = [height.to_be_bytes(), width.to_be_bytes()];
        segment(0xC0, &[8, h1, h2, w1, w2, 1, 1, 0x11, 0])
    }

    const SCANNED: &[u8] = b"\xFF\xDA\0\x08\x01\x01\0\0\x3F\0\x12\x34\xFF\0\x56\xFF\xD0\x78";

    fn picture(before: &[Vec<u8>], frame: &[u8], behind: &[u8]) -> Vec<u8> {
        [b"\xFF\xD8", before.concat().as_slice(), frame, SCANNED, b"\xFF\xD9", behind].concat()
    }

    #[test]
    fn a_photo_keeps_how_it_is_turned_and_its_colours_and_nothing_of_where_it_was() {
        let exif = segment(0xE1, &[b"Exif\0\0", of_telephone(6).as_slice()].concat());
        let profile = segment(0xE2, b"ICC_PROFILE\0\x01\x01colours");
        let adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01");
        let told = [
            segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01GPS"),
            exif.clone(),
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>GPS</x>"),
            profile.clone(),
            segment(0xE2, b"MPF\0GPS"),
            segment(0xED, b"Photoshop 3.0\08BIM GPS"),
            adobe.clone(),
            segment(0xFE, b"GPS"),
            exif,
        ];
        let file = picture(&told, &frame_of(640, 480), b"PK\x03\x04 GPS");
        let (left, size) = scrubbed(ContentType::Jpeg, &file).expect("a photo");
        assert!(holds(&file, b"GPS") && !holds(&left, b"GPS") && !holds(&left, b"PK"));
        assert_eq!(size, Some(PictureSize { width: 480, height: 640 }), "as it is shown");
        let turned = segment(0xE1, &[b"Exif\0\0".as_slice(), &exif::bare(6)].concat());
        let plain = segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        assert_eq!(left, picture(&[plain, turned, profile, adobe], &frame_of(640, 480), b""));
    }

    #[test]
    fn a_photo_that_breaks_off_is_closed_and_a_second_scan_is_kept() {
        let file = picture(&[], &frame_of(8, 8), b"");
        let twice = [&file[..file.len() - 2], SCANNED, b"\xFF\xD9"].concat();
        assert_eq!(scrubbed(ContentType::Jpeg, &twice).expect("a photo").0, twice);
        let broken = &file[..file.len() - 3];
        let closed = [broken, b"\xFF\xD9"].concat();
        assert_eq!(scrubbed(ContentType::Jpeg, broken).expect("a photo").0, closed);
    }

    #[test]
    fn what_only_begins_like_a_photo_is_refused() {
        let cases: [(&[u8], Fault); 6] = [
            (b"\xFF\xD8\xFF\xE0<html><script>", Fault::Unreadable),
            (b"\xFF\xD8\xFF\xD9", Fault::Unreadable),
            (b"\xFF\xD8\xFFhello", Fault::Unreadable),
            (&picture(&[], &[], b""), Fault::Unreadable),
            (&picture(&[], &frame_of(0, 8), b""), Fault::Unreadable),
            (&picture(&[], &frame_of(65_535, 65_535), b""), Fault::TooManyPixels),
        ];
        for (file, fault) in cases {
            assert_eq!(scrubbed(ContentType::Jpeg, file), Err(fault), "{}", String::from_utf8_lossy(file));
        }
    }
}
