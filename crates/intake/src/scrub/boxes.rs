//! The family of MP4: boxes in boxes, with offsets from the start of the file. So nothing is taken out: what goes becomes
//! zeros in its place.

use std::ops::Range;

use super::{Fate, Fault, Format, HELD_MAX, PictureSize, big_endian, gather, items, long, pass};

const HEAD: usize = 8;
const LONG_HEAD: usize = 16;
const TYPE: Range<usize> = 4..8;

#[derive(Clone, Copy)]
enum State {
    Head,
    /// The items of a picture, of that many bytes with their head.
    Items(usize),
    Body(u64, Fate),
}

/// A file of the MP4 family on its way through.
pub(super) struct Boxes {
    is_picture: bool,
    state: State,
    held: Vec<u8>,
    /// How many bytes have gone on.
    at: u64,
    /// Where metadata lie among the data of a picture.
    told: Vec<Range<u64>>,
    size: Option<PictureSize>,
}

impl Boxes {
    /// HEIC or AVIF.
    pub(super) fn of_picture() -> Self {
        Self { is_picture: true, ..Self::of_movie() }
    }

    /// MP4 and its relatives.
    pub(super) fn of_movie() -> Self {
        Self { is_picture: false, state: State::Head, held: Vec::new(), at: 0, told: Vec::new(), size: None }
    }

    // A head of eight bytes, or of sixteen when the box is long; `None` when more of it has to come.
    fn head(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Option<State>, Fault> {
        let short = big_endian(&self.held, 0, 4).unwrap_or(0);
        if short == 1 && !gather(&mut self.held, input, LONG_HEAD) {
            return Ok(None);
        }
        let head = long(self.held.len());
        let left = match short {
            // To the end of the file.
            0 => u64::MAX,
            1 => big_endian(&self.held, HEAD, 8).unwrap_or(0).checked_sub(head).ok_or(Fault::Unreadable)?,
            _ => short.checked_sub(head).ok_or(Fault::Unreadable)?,
        };
        let kind = [self.held[4], self.held[5], self.held[6], self.held[7]];
        if self.is_picture && self.size.is_none() && kind == *b"meta" {
            let whole = usize::try_from(left.saturating_add(head)).unwrap_or(usize::MAX);
            return if whole <= HELD_MAX { Ok(Some(State::Items(whole))) } else { Err(Fault::Unreadable) };
        }
        let state = match &kind {
            // What they hold follows as boxes of the same rank.
            b"moov" | b"trak" | b"moof" | b"traf" => State::Head,
            b"udta" | b"meta" | b"uuid" | b"free" | b"skip" | b"wide" if left > 0 => {
                self.held[TYPE].copy_from_slice(b"free");
                State::Body(left, Fate::Blanked)
            }
            _ => State::Body(left, Fate::Kept),
        };
        out.append(&mut self.held);
        Ok(Some(state))
    }

    fn items(&mut self, out: &mut Vec<u8>, before: u64) -> Result<State, Fault> {
        let found = items::read(&mut self.held)?;
        let end = before + long(self.held.len());
        if found.told.iter().any(|range| range.start < end) {
            // They have gone on already, or lie where nobody puts them.
            return Err(Fault::Unreadable);
        }
        self.told = found.told;
        self.size = Some(found.size);
        out.append(&mut self.held);
        Ok(State::Head)
    }

    fn walk(&mut self, input: &mut &[u8], out: &mut Vec<u8>, start: usize) -> Result<(), Fault> {
        loop {
            self.state = match self.state {
                State::Head if gather(&mut self.held, input, HEAD) => match self.head(input, out)? {
                    Some(state) => state,
                    None => return Ok(()),
                },
                State::Items(whole) if gather(&mut self.held, input, whole) => {
                    let before = self.at + long(out.len() - start);
                    self.items(out, before)?
                }
                State::Body(mut left, fate) => {
                    pass(&mut left, fate, input, out);
                    self.state = State::Body(left, fate);
                    if left > 0 {
                        return Ok(());
                    }
                    State::Head
                }
                State::Head | State::Items(_) => return Ok(()),
            };
        }
    }

    // Blanks what lies in `fresh`, the bytes that go on from `self.at`.
    fn blank(&self, fresh: &mut [u8]) {
        let end = self.at + long(fresh.len());
        for range in &self.told {
            let place = |at: u64| usize::try_from(at.clamp(self.at, end) - self.at).unwrap_or(fresh.len());
            let (first, last) = (place(range.start), place(range.end));
            fresh[first..last.max(first)].fill(0);
        }
    }
}

impl Format for Boxes {
    fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let start = out.len();
        self.walk(&mut input, out, start)?;
        self.blank(&mut out[start..]);
        self.at += long(out.len() - start);
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<u8>) -> Result<Option<PictureSize>, Fault> {
        if self.is_picture { self.size.map(Some).ok_or(Fault::Unreadable) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::items::tests::{bx, picture};
    use super::super::tests::{holds, scrubbed};
    use super::*;
    use crate::upload::ContentType;

    #[test]
    fn a_video_loses_where_it_was_and_keeps_its_length() {
        let track = bx(b"trak", &[bx(b"tkhd", b"track"), bx(b"udta", b"GPS"), bx(b"meta", b"GPS")].concat());
        let movie = bx(
            b"moov",
            &[bx(b"mvhd", b"movie"), track, bx(b"udta", b"\xA9xyz GPS"), bx(b"meta", b"GPS")].concat(),
        );
        let data = bx(b"mdat", b"frames");
        let file =
            [bx(b"ftyp", b"qt  \0\0\0\0"), bx(b"uuid", b"GPS"), movie, bx(b"free", b"GPS"), data.clone()]
                .concat();
        for kind in [ContentType::QuickTime, ContentType::Mp4, ContentType::ThreeGpp, ContentType::M4a] {
            let (left, size) = scrubbed(kind, &file).expect("a video");
            assert!(holds(&file, b"GPS") && !holds(&left, b"GPS"));
            assert_eq!((left.len(), size), (file.len(), None));
            for kept in [b"mvhdmovie".as_slice(), b"tkhdtrack", &data] {
                assert!(holds(&left, kept));
            }
        }
    }

    #[test]
    fn a_long_box_and_one_to_the_end_are_walked() {
        let long =
            [b"\0\0\0\x01mdat".as_slice(), &23u64.to_be_bytes(), b"frames!", b"\0\0\0\0uuidGPS"].concat();
        let (left, _) = scrubbed(ContentType::Mp4, &long).expect("a video");
        assert_eq!(left, [&long[..23], b"\0\0\0\0free\0\0\0"].concat());
        for broken in [b"\0\0\0\x02mdat".as_slice(), b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x03"] {
            assert_eq!(scrubbed(ContentType::Mp4, broken), Err(Fault::Unreadable));
        }
    }

    #[test]
    fn a_telephones_picture_loses_its_items_of_metadata() {
        for (kind, brand) in [(ContentType::Heic, b"heic"), (ContentType::Avif, b"avif")] {
            let file = picture(brand, 0);
            let (left, size) = scrubbed(kind, &file).expect("a picture");
            assert!(holds(&file, b"GPS") && !holds(&left, b"GPS") && holds(&left, b"pixels"));
            assert_eq!(left.len(), file.len());
            assert_eq!(size, Some(PictureSize { width: 48, height: 64 }), "turned");
        }
    }

    #[test]
    fn a_picture_whose_metadata_can_not_be_found_is_refused() {
        let nothing = [bx(b"ftyp", b"heic\0\0\0\0"), bx(b"mdat", b"GPS")].concat();
        assert_eq!(scrubbed(ContentType::Heic, &nothing), Err(Fault::Unreadable));
        assert_eq!(
            scrubbed(ContentType::Heic, &picture(b"heic", 1)),
            Err(Fault::Unreadable),
            "before the list"
        );
        assert_eq!(
            scrubbed(ContentType::Heic, &picture(b"heic", 2)),
            Err(Fault::Unreadable),
            "in another file"
        );
    }
}
