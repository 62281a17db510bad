//! The video pane of a room: every state that it can be in, in words. `video-room` shows one of them at a time.

use crate::chat::{ChatPage, RoomRole};
use crate::session::SessionStatus;

/// What the pane says in some of its states; the other side's name may stand in the middle.
pub(crate) struct Word {
    /// The states, separated by blanks.
    pub(crate) states: &'static str,
    pub(crate) before: &'static str,
    pub(crate) named: bool,
    pub(crate) after: &'static str,
    /// What to do, or what goes on meanwhile; may be empty.
    pub(crate) text: &'static str,
}

impl Word {
    const fn plain(states: &'static str, title: &'static str, text: &'static str) -> Self {
        Self { states, before: title, named: false, after: "", text }
    }

    const fn of(states: &'static str, before: &'static str, after: &'static str, text: &'static str) -> Self {
        Self { states, before, named: true, after, text }
    }

    /// Whether this is said in such a state.
    pub(crate) fn shows(&self, state: &str) -> bool {
        self.states.split(' ').any(|one| one == state)
    }
}

/// What is said to both sides alike.
const WORDS: [Word; 13] = [
    Word::plain(
        "early",
        "Video begins when a mechanic has accepted.",
        "Meanwhile you can try your camera and microphone.",
    ),
    Word::plain("asking", "Your browser asks for camera and microphone.", "Choose Allow."),
    Word::plain(
        "refused",
        "The browser blocks the camera or the microphone.",
        "Open the symbol beside the page's address, allow both, and try again.",
    ),
    Word::plain("none", "No camera and no microphone was found.", "Plug one in, or go on in the chat."),
    Word::plain("busy", "Another program is using the camera or the microphone.", "Close it and try again."),
    Word::plain(
        "unsupported",
        "This browser can't use a camera here.",
        "Open the page in Chrome, Safari, Firefox or Edge.",
    ),
    Word::of("waiting", "Waiting for ", " to join the video.", "You can write meanwhile."),
    Word::of("connecting", "Connecting to ", ".", ""),
    Word::of("reconnecting", "The connection to ", " broke. Reconnecting.", "You can write meanwhile."),
    Word::plain("left", "You left the video.", "The chat goes on, and you can come back."),
    Word::plain(
        "elsewhere",
        "You are in this video in another tab or on another device.",
        "This one has let go of the camera.",
    ),
    Word::plain("error", "The video could not be opened.", ""),
    Word::plain("over", "The session has ended.", "Camera and microphone are off."),
];

const OF_CUSTOMER: [Word; 2] = [
    Word::of("unchecked ready", "Show the car and see ", ".", "Nothing is recorded."),
    Word::plain(
        "upgraded",
        "Your session is a video call now. Please enable your camera.",
        "Nothing is recorded.",
    ),
];

const OF_MECHANIC: [Word; 2] = [
    Word::of("unchecked ready", "See what ", " shows you.", "Nothing is recorded."),
    Word::of("upgraded", "", " upgraded to video call. Please enable your camera.", "Nothing is recorded."),
];

impl ChatPage {
    /// In which state the pane begins.
    pub(crate) fn video_state(&self) -> &'static str {
        match self.session.status {
            SessionStatus::Requested | SessionStatus::Scheduled => "early",
            // Who has looked at their own picture already, the page itself knows.
            SessionStatus::Accepted | SessionStatus::InProgress if self.session.booked_video => "unchecked",
            SessionStatus::Accepted | SessionStatus::InProgress => "ready",
            SessionStatus::Completed | SessionStatus::Cancelled | SessionStatus::Expired => "over",
        }
    }

    /// Whether the pane is there from the beginning. When it is over there is nothing to see.
    pub(crate) fn has_video(&self) -> bool {
        self.session.video && self.session.status.is_open()
    }

    /// What the pane may have to say.
    pub(crate) fn video_words(&self) -> impl Iterator<Item = &'static Word> {
        let own = match self.viewer_role {
            RoomRole::Mechanic => &OF_MECHANIC,
            RoomRole::Customer | RoomRole::Observer => &OF_CUSTOMER,
        };
        own.iter().chain(&WORDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [&str; 16] = [
        "early",
        "unchecked",
        "ready",
        "upgraded",
        "asking",
        "refused",
        "none",
        "busy",
        "unsupported",
        "waiting",
        "connecting",
        "reconnecting",
        "left",
        "elsewhere",
        "error",
        "over",
    ];

    #[test]
    fn each_side_is_told_one_thing_in_every_state_and_live_needs_no_word() {
        for own in [&OF_CUSTOMER, &OF_MECHANIC] {
            for state in STATES {
                let said = own.iter().chain(&WORDS).filter(|word| word.shows(state)).count();
                assert_eq!(said, 1, "{state}");
            }
            assert!(own.iter().chain(&WORDS).all(|word| !word.shows("live")));
        }
    }
}
