//! Emoji on messages.

use kernel::Context;
use kernel::id::{SessionId, UserId};
use serde::Serialize;

use crate::error::{Error, Invalid};
use crate::event::{Event, EventActor, Kind};
use crate::store::Store;

/// The most bytes of a reaction: the longest family emoji with skin tones need 41, everyday ones at most 28.
pub const EMOJI_MAX_BYTES: usize = 32;

#[derive(Serialize)]
struct Body<'t> {
    target_seq: u64,
    emoji: &'t str,
    on: bool,
}

/// Puts an emoji on a message, or takes one's own off again. Doing it twice is doing it once: the second time there is no
/// new line.
///
/// # Errors
/// As for messages; [`Invalid::Target`] when `target_seq` is not a message of this session; [`Invalid::Emoji`].
pub fn react(
    store: &mut dyn Store,
    session: SessionId,
    user: UserId,
    target_seq: u64,
    emoji: &str,
    on: bool,
    cx: &Context,
) -> Result<Option<Event>, Error> {
    if !is_one_emoji(emoji) {
        return Err(Invalid::Emoji.into());
    }
    let seat = store.seat_for_update(session, user)?.ok_or(Error::NotFound)?;
    seat.role.may_write(seat.status)?;
    if !(1..=seat.head.last_seq).contains(&target_seq) {
        return Err(Invalid::Target.into());
    }
    let target = store.event_by_seq(session, target_seq)?;
    if target.is_none_or(|event| event.kind != Kind::Message) {
        return Err(Invalid::Target.into());
    }
    let text = |on| {
        serde_json::to_string(&Body { target_seq, emoji, on })
            .expect("a struct of plain fields is always JSON")
    };
    let (wanted, opposite) = (text(on), text(!on));
    let latest = store.event_latest(session, user, Kind::Reaction, &[wanted.clone(), opposite])?;
    let is_on = latest.is_some_and(|event| event.body() == text(true));
    if is_on == on {
        return Ok(None);
    }
    let actor = EventActor::person(user, seat.role.into());
    let event = Event::next(session, &seat.head, Kind::Reaction, actor, wanted, None, cx);
    if store.event_append(&event)? {
        Ok(Some(event))
    } else {
        Err(kernel::StoreError::corrupt("session log", "the next line exists").into())
    }
}

/// Whether the text is one emoji as a person sees it: one pictograph with its modifiers, several joined by zero-width
/// joiners, a flag, or a keycap. Not exact (that takes Unicode's tables), but letters, words and several emoji are out.
fn is_one_emoji(text: &str) -> bool {
    if text.is_empty() || text.len() > EMOJI_MAX_BYTES {
        return false;
    }
    let keycap = text.ends_with('\u{20E3}');
    let (mut pictographs, mut flag_letters, mut joined) = (0, 0, false);
    for char in text.chars() {
        match char {
            '\u{200D}' => {
                joined = true;
                continue;
            }
            '\u{FE0E}' | '\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{20E3}' | '\u{E0020}'..='\u{E007F}' => {
                continue;
            }
            '\u{1F1E6}'..='\u{1F1FF}' => flag_letters += 1,
            '0'..='9' | '#' | '*' if keycap => pictographs += 1,
            _ if char.is_ascii() || char.is_alphanumeric() || char.is_whitespace() || char.is_control() => {
                return false;
            }
            _ if joined => {}
            _ => pictographs += 1,
        }
        joined = false;
    }
    !joined && matches!((pictographs, flag_letters), (1, 0) | (0, 2))
}

#[cfg(test)]
mod tests {
    use super::is_one_emoji;

    #[test]
    fn a_reaction_is_one_emoji() {
        for emoji in ["👍", "❤️", "👍🏽", "👩‍🔧", "🇩🇪", "1️⃣", "😀", "👨‍👩‍👧", "✅"]
        {
            assert!(is_one_emoji(emoji), "{emoji}");
        }
        for other in [
            "",
            " ",
            "a",
            "ok",
            "👍👍",
            "👍 ",
            "1",
            "é",
            "<b>",
            "🇩",
            "👍\u{200D}",
            "\u{FE0F}",
            "\0",
            "好",
            &"👍".repeat(9),
        ] {
            assert!(!is_one_emoji(other), "{other:?}");
        }
    }
}
