//! GIF: blocks, most of them made of blocks of up to 255 bytes.

use super::{Fate, Fault, Format, PictureSize, gather, little_endian, pass};

const HEADER: usize = 13;
/// A block, a label and a name of eleven letters.
const APPLICATION: usize = 14;
/// Extensions of applications that change what is seen.
const NEEDED: [&[u8]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Start,
    Block,
    Extension,
    Application,
    Descriptor,
    Table(u64, bool),
    /// The smallest code of a picture's data.
    Code,
    Length(Fate),
    Data(u64, Fate),
    Ended,
}

/// A GIF file on its way through.
#[derive(Default)]
pub(super) struct Gif {
    state: State,
    held: Vec<u8>,
    size: Option<PictureSize>,
}

/// The bytes of a colour table, when the flags announce one.
fn table(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

impl Gif {
    fn start(&mut self, out: &mut Vec<u8>) -> Result<State, Fault> {
        let side = |at| little_endian(&self.held, at, 2).and_then(|side| u32::try_from(side).ok());
        self.size = Some(PictureSize::new(side(6).unwrap_or(0), side(8).unwrap_or(0))?);
        let colours = table(self.held[10]);
        out.append(&mut self.held);
        Ok(State::Table(colours, false))
    }

    fn block(&mut self, out: &mut Vec<u8>) -> Result<State, Fault> {
        match self.held[0] {
            b'!' => Ok(State::Extension),
            b',' => Ok(State::Descriptor),
            b';' => {
                out.append(&mut self.held);
                Ok(State::Ended)
            }
            // Some programs leave empty blocks between.
            0 => {
                self.held.clear();
                Ok(State::Block)
            }
            _ => Err(Fault::Unreadable),
        }
    }

    fn extension(&mut self, out: &mut Vec<u8>) -> State {
        match self.held[1] {
            0xFF => State::Application,
            0xF9 | 0x01 => {
                out.append(&mut self.held);
                State::Length(Fate::Kept)
            }
            _ => {
                self.held.clear();
                State::Length(Fate::Dropped)
            }
        }
    }

    fn application(&mut self, out: &mut Vec<u8>) -> Result<State, Fault> {
        if self.held[2] != 11 {
            return Err(Fault::Unreadable);
        }
        if NEEDED.contains(&&self.held[3..]) {
            out.append(&mut self.held);
            return Ok(State::Length(Fate::Kept));
        }
        self.held.clear();
        Ok(State::Length(Fate::Dropped))
    }

    fn descriptor(&mut self, out: &mut Vec<u8>) -> State {
        let colours = table(self.held[9]);
        out.append(&mut self.held);
        State::Table(colours, true)
    }
}

impl Format for Gif {
    fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        loop {
            self.state = match self.state {
                State::Start if gather(&mut self.held, &mut input, HEADER) => self.start(out)?,
                State::Block if gather(&mut self.held, &mut input, 1) => self.block(out)?,
                State::Extension if gather(&mut self.held, &mut input, 2) => self.extension(out),
                State::Application if gather(&mut self.held, &mut input, APPLICATION) => {
                    self.application(out)?
                }
                State::Descriptor if gather(&mut self.held, &mut input, 10) => self.descriptor(out),
                State::Table(mut left, of_picture) => {
                    pass(&mut left, Fate::Kept, &mut input, out);
                    self.state = State::Table(left, of_picture);
                    match (left, of_picture) {
                        (0, true) => State::Code,
                        (0, false) => State::Block,
                        _ => return Ok(()),
                    }
                }
                State::Code if gather(&mut self.held, &mut input, 1) => {
                    out.append(&mut self.held);
                    State::Length(Fate::Kept)
                }
                State::Length(fate) if gather(&mut self.held, &mut input, 1) => {
                    let length = u64::from(self.held[0]);
                    if fate == Fate::Kept {
                        out.append(&mut self.held);
                    }
                    self.held.clear();
                    if length == 0 { State::Block } else { State::Data(length, fate) }
                }
                State::Data(mut left, fate) => {
                    pass(&mut left, fate, &mut input, out);
                    self.state = State::Data(left, fate);
                    if left > 0 {
                        return Ok(());
                    }
                    State::Length(fate)
                }
                State::Start
                | State::Block
                | State::Extension
                | State::Application
                | State::Descriptor
                | State::Code
                | State::Length(_)
                | State::Ended => return Ok(()),
            };
        }
    }

    fn finish(&mut self, _out: &mut Vec<u8>) -> Result<Option<PictureSize>, Fault> {
        self.size.map(Some).ok_or(Fault::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{holds, scrubbed};
    use super::*;
    use crate::upload::ContentType;

    #[test]
    fn an_animation_keeps_its_loop_and_loses_its_comments() {
        let head = b"GIF89a\x02\0\x03\0\x80\0\0\0\0\0\xFF\xFF\xFF";
        let loops = b"!\xFF\x0BNETSCAPE2.0\x03\x01\0\0\0";
        let control = b"!\xF9\x04\0\0\0\0\0";
        let picture = b",\0\0\0\0\x02\0\x03\0\x80\0\0\0\xFF\xFF\xFF\x02\x02\x4C\x01\0";
        let told = b"!\xFE\x03GPS\0!\xFF\x0BXMP DataXMP\x03GPS\0";
        let file = [head.as_slice(), loops, told, control, picture, b";", b"<html>GPS"].concat();
        let (left, size) = scrubbed(ContentType::Gif, &file).expect("an animation");
        assert!(holds(&file, b"GPS") && !holds(&left, b"GPS"));
        assert_eq!(left, [head.as_slice(), loops, control, picture, b";"].concat());
        assert_eq!(size, Some(PictureSize { width: 2, height: 3 }));
    }

    #[test]
    fn what_only_begins_like_a_picture_is_refused() {
        for (file, fault) in [
            (b"GIF89a\x01\0\x01\0\0\0\0<script>".as_slice(), Fault::Unreadable),
            (b"GIF89a\0\0\x01\0\0\0\0;", Fault::Unreadable),
            (b"GIF89a", Fault::Unreadable),
            (b"GIF89a\xFF\xFF\xFF\xFF\0\0\0;", Fault::TooManyPixels),
        ] {
            assert_eq!(scrubbed(ContentType::Gif, file), Err(fault), "{file:?}");
        }
    }
}
