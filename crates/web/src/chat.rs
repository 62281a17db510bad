//! `/chat/{id}` and `/sessions/{id}/room`: the room of a session.
//!
//! The page holds the whole history, so that it can be read without script. `chat-room` takes it over where it
//! ends ([`ChatSession::last_seq`]), joins `session:{id}` on `/ws` and renders what follows by `seq`. It reads
//! `GET /api/sessions/{id}` when the state changes and posts to `/api/sessions/{id}/start`, `/end` and `/cancel`.

use askama::Template;
use jiff::Timestamp;

use crate::clock;
use crate::frame::Frame;
use crate::intake::file_size;
use crate::money::{Amount, grouped};
use crate::plan::ReceiptLine;
use crate::policy::RefundTerms;
use crate::session::{SessionStatus, initials};

/// The room.
#[derive(Debug, Template)]
#[template(path = "chat.html")]
pub struct ChatPage {
    /// What surrounds the page; the viewer reads the room.
    pub frame: Frame,
    /// RFC 3339: the server's clock when the page was made. Countdowns are measured against it.
    pub now: String,
    /// The session.
    pub session: ChatSession,
    /// What the viewer is in this room.
    pub viewer_role: RoomRole,
    /// Who asked.
    pub customer: Person,
    /// Who answers, once there is somebody.
    pub mechanic: Option<Person>,
    /// The problem in the customer's words; empty if there is none.
    pub concern: String,
    /// The car.
    pub vehicle: Option<Vehicle>,
    /// Those of the files that came with the concern.
    pub concern_files: Vec<FileLink>,
    /// Files of the session, the intake's included.
    pub files: Vec<FileLink>,
    /// What was paid, line by line; empty for viewers who did not pay.
    pub receipt: Vec<ReceiptLine>,
    /// The order whose receipt can be read; `None` for viewers who did not pay.
    pub receipt_order_id: Option<String>,
    /// What goes back if the customer cancels now, after a mechanic has accepted.
    pub refund: RefundTerms,
    /// The upgrade to video; `None` for who can't have it, and for everybody but the customer.
    pub upgrade: Option<UpgradeOffer>,
    /// More time; `None` for who can't have it, and for everybody but the customer.
    pub extension: Option<ExtensionOffer>,
    /// Whether the session is a chat that could become video.
    pub is_chat: bool,
    /// The whole log, by `seq`.
    pub events: Vec<Event>,
    /// Up to which `seq` the other side has read.
    pub read_by_other_seq: i64,
    /// How long a message may be, in bytes of UTF-8.
    pub message_max_bytes: i64,
    /// How long a request waits for a mechanic before it is given up.
    pub refund_after_minutes: i64,
    /// How long one side waits for the other.
    pub grace_minutes: i64,
    /// How long before the end the time that is left is shown in words, in seconds.
    pub warning_seconds: i64,
    /// How large a file may be, in bytes.
    pub max_file_bytes: i64,
}

/// What more time comes to.
#[derive(Clone, Debug, Default)]
pub struct ExtensionOffer {
    /// How much, in minutes.
    pub minutes: i64,
    /// What it costs.
    pub price: Amount,
}

/// What the upgrade to video comes to.
#[derive(Clone, Debug, Default)]
pub struct UpgradeOffer {
    /// What was paid for the chat.
    pub paid: Amount,
    /// The difference to pay.
    pub fee: Amount,
    /// What the session costs with it.
    pub total: Amount,
    /// How long the session may take with it.
    pub minutes: i64,
    /// What a direct booking of video is called.
    pub video_name: String,
    /// How long both sides have to see each other before the fee goes back, in seconds.
    pub patience_seconds: u32,
    /// Whether the mechanic has suggested it.
    pub suggested: bool,
}

impl UpgradeOffer {
    /// For example `2 minutes`.
    pub(crate) fn patience(&self) -> String {
        match (self.patience_seconds / 60, self.patience_seconds % 60) {
            (1, 0) => "a minute".to_owned(),
            (minutes, 0) => format!("{minutes} minutes"),
            _ => format!("{} seconds", self.patience_seconds),
        }
    }
}

/// What the viewer is in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoomRole {
    /// The customer.
    #[default]
    Customer,
    /// Its mechanic.
    Mechanic,
    /// An admin who reads along.
    Observer,
}

/// The session behind a room.
#[derive(Clone, Debug, Default)]
pub struct ChatSession {
    /// Its id.
    pub id: String,
    /// The plan's name, and whether it has become video.
    pub plan_name: String,
    /// The time that was paid for, extensions included.
    pub duration_minutes: i64,
    /// Where it stands.
    pub status: SessionStatus,
    /// Why it is over: `customer`, `mechanic`, `time_limit` and so on.
    pub end_reason: Option<String>,
    /// `unpaid`, `paid`, `partially_refunded`, `refunded` or `disputed`.
    pub payment_status: String,
    /// What was paid in all.
    pub total: Amount,
    /// RFC 3339: when it was booked for; `None` for now.
    pub scheduled_for: Option<String>,
    /// RFC 3339: when the paid time runs out; `None` before the start.
    pub deadline_at: Option<String>,
    /// The `seq` of the last event in [`ChatPage::events`]; 0 if there is none.
    pub last_seq: i64,
    /// Whether what was written here has been deleted.
    pub content_dropped: bool,
    /// Whether the two sides may see each other.
    pub video: bool,
    /// Whether video was booked at once; a chat that became video was not.
    pub booked_video: bool,
}

/// Somebody in the room.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// The user's id.
    pub id: String,
    /// The name.
    pub name: String,
    /// Whether there is a socket.
    pub online: bool,
}

/// The car.
#[derive(Clone, Debug, Default)]
pub struct Vehicle {
    /// Year, make and model.
    pub title: String,
    /// Miles.
    pub mileage: Option<i64>,
    /// The identification number; `None` for viewers who must not see it.
    pub vin: Option<String>,
}

/// A file that can be opened.
#[derive(Clone, Debug, Default)]
pub struct FileLink {
    /// The file's id; it is at `/api/files/{id}`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: i64,
    /// Whether browsers can show it as a picture.
    pub picture: bool,
    /// What it is.
    pub content_type: String,
    /// Of a picture: width and height in pixels.
    pub pixels: Option<(u32, u32)>,
}

/// One row of the log.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its place, from 1, without gaps.
    pub seq: i64,
    /// The user who caused it; empty for the system.
    pub actor_id: String,
    /// That user's name now; for [`NoteKind::Joined`] and [`NoteKind::Left`] the name of the person concerned, which
    /// differs from the actor when an admin assigns by hand.
    pub actor_name: String,
    /// RFC 3339.
    pub created_at: String,
    /// What happened.
    pub body: EventBody,
}

impl Event {
    /// What happened, in words; empty for what was written.
    #[must_use]
    pub fn told(&self) -> String {
        self.body.told(&self.actor_name)
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub enum EventBody {
    /// Somebody wrote.
    Message {
        /// The text.
        text: String,
        /// Files that came with it.
        files: Vec<FileLink>,
    },
    /// Somebody handed in a file by itself.
    File(FileLink),
    /// Somebody reacted, or took a reaction back.
    Reaction {
        /// The message's `seq`.
        target_seq: i64,
        /// The emoji.
        emoji: String,
        /// `false` takes it back.
        on: bool,
    },
    /// Money moved, shown as a line between the messages.
    Money(NoteKind, Amount),
    /// Everything else, shown as such a line too.
    Note(NoteKind),
}

impl EventBody {
    /// What happened to or by somebody of that name, in words; empty for what was written.
    pub(crate) fn told(&self, name: &str) -> String {
        match self {
            Self::Note(kind) => kind.told(name),
            Self::Money(kind, amount) => kind.told(name).replace("{amount}", &amount.to_string()),
            Self::Message { .. } | Self::File(_) | Self::Reaction { .. } => String::new(),
        }
    }
}

/// Events that show as a line between the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// Somebody was added to the session.
    Joined,
    /// Somebody was taken off it.
    Left,
    /// The mechanic started.
    Started,
    /// It took place and is over.
    Ended,
    /// It was called off before it began.
    Cancelled,
    /// Nobody took it.
    Unaccepted,
    /// The paid time was used up.
    TimeUp,
    /// The customer did not come.
    CustomerMissing,
    /// The mechanic did not come.
    MechanicMissing,
    /// Chat became video.
    SessionUpgraded,
    /// The mechanic suggests video.
    UpgradeSuggested,
    /// A file was added.
    File,
    /// The summary was handed in.
    SummaryWritten,
    /// The summary was handed in again.
    SummaryCorrected,
    /// The paid time is nearly over.
    TimeWarning,
    /// Time was added.
    Extended,
    /// Money moved; nothing is kept of how much.
    Payment,
    /// The customer paid.
    Paid,
    /// Money went back.
    Refunded,
    /// Money that had gone back was not taken there.
    RefundFailed,
    /// An admin reads along.
    ObserverJoined,
}

impl ChatPage {
    fn may_suggest_video(&self) -> bool {
        self.is_mechanic() && self.is_chat
    }
}

impl NoteKind {
    /// Every kind.
    pub const ALL: [Self; 21] = [
        Self::Joined,
        Self::Left,
        Self::Started,
        Self::Ended,
        Self::Cancelled,
        Self::Unaccepted,
        Self::TimeUp,
        Self::CustomerMissing,
        Self::MechanicMissing,
        Self::SessionUpgraded,
        Self::UpgradeSuggested,
        Self::File,
        Self::SummaryWritten,
        Self::SummaryCorrected,
        Self::TimeWarning,
        Self::Extended,
        Self::Payment,
        Self::Paid,
        Self::Refunded,
        Self::RefundFailed,
        Self::ObserverJoined,
    ];

    /// The event's `kind` on the wire; an end that is none and money have their reason or their status behind it, and a
    /// first summary its number.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Left => "left",
            Self::Started => "started",
            Self::Ended => "ended",
            Self::Cancelled => "ended_cancelled",
            Self::Unaccepted => "ended_expired",
            Self::TimeUp => "ended_time_limit",
            Self::CustomerMissing => "ended_no_show_customer",
            Self::MechanicMissing => "ended_no_show_mechanic",
            Self::SessionUpgraded => "session_upgraded",
            Self::UpgradeSuggested => "upgrade_suggested",
            Self::File => "file",
            Self::SummaryWritten => "summary_1",
            Self::SummaryCorrected => "summary",
            Self::TimeWarning => "time_warning",
            Self::Extended => "extended",
            Self::Payment => "payment",
            Self::Paid => "payment_paid",
            Self::Refunded => "payment_refunded",
            Self::RefundFailed => "payment_refund_failed",
            Self::ObserverJoined => "observer_joined",
        }
    }

    /// The kind of that name. Messages and reactions are no notes.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The sentence; `{name}` stands for the actor, and `{amount}` for the money. The page hands these to `chat-room`, so that each text exists
    /// once.
    pub(crate) fn text(&self) -> &'static str {
        match self {
            Self::Joined => "{name} joined.",
            Self::Left => "{name} left.",
            Self::Started => "{name} started the session. The time runs.",
            Self::Ended => "The session ended.",
            Self::Cancelled => "The session was called off.",
            Self::Unaccepted => "Nobody took the request.",
            Self::TimeUp => "The paid time was used up. The session ended.",
            Self::CustomerMissing => "The customer did not come. The session was called off.",
            Self::MechanicMissing => "The mechanic did not come. The session was called off.",
            Self::SessionUpgraded => "The session is on video now.",
            Self::UpgradeSuggested => "{name} suggests switching to video.",
            Self::File => "{name} added a file.",
            Self::SummaryWritten => "{name} wrote the summary.",
            Self::SummaryCorrected => "{name} corrected the summary.",
            Self::TimeWarning => "The paid time is nearly over.",
            Self::Extended => "Time was added.",
            Self::Payment => "Money moved.",
            Self::Paid => "{name} paid {amount}.",
            Self::Refunded => "{amount} went back to the card.",
            Self::RefundFailed => "{amount} did not reach the card. Support looks into it.",
            Self::ObserverJoined => "{name} from Pitlane is reading along.",
        }
    }

    /// The sentence about somebody of that name.
    pub(crate) fn told(self, name: &str) -> String {
        self.text().replace("{name}", name)
    }
}

/// A line of the log as it is shown.
pub(crate) struct Line {
    pub(crate) seq: i64,
    pub(crate) actor_id: String,
    pub(crate) actor_name: String,
    pub(crate) created_at: String,
    /// `None` for a note.
    pub(crate) text: Option<String>,
    pub(crate) note: String,
    pub(crate) files: Vec<FileLink>,
    pub(crate) reactions: Vec<Reaction>,
    /// A file without a message; nobody reacts to it.
    pub(crate) bare_file: bool,
    pub(crate) own: bool,
    /// Written by the same person in the same minute as the line before.
    pub(crate) same: bool,
    pub(crate) read: bool,
}

impl Line {
    /// Whether a message has lost its content. One without text has files; what `chat-room` copies has no place yet.
    pub(crate) fn is_erased(&self) -> bool {
        self.seq > 0 && self.text.as_ref().is_some_and(String::is_empty) && self.files.is_empty()
    }
}

/// One emoji below a message.
pub(crate) struct Reaction {
    pub(crate) emoji: String,
    pub(crate) user_ids: Vec<String>,
}

impl Reaction {
    pub(crate) fn users(&self) -> String {
        self.user_ids.join(" ")
    }

    pub(crate) fn by(&self, user_id: &str) -> bool {
        self.user_ids.iter().any(|id| id == user_id)
    }
}

impl ChatPage {
    /// The log folded into lines: reactions stand with their message.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let viewer = self.viewer_id();
        let mut lines: Vec<Line> = Vec::with_capacity(self.events.len());
        for event in &self.events {
            let (text, note, files) = match &event.body {
                EventBody::Reaction { target_seq, emoji, on } => {
                    if let Some(line) = lines.iter_mut().find(|line| line.seq == *target_seq) {
                        react(&mut line.reactions, emoji, &event.actor_id, *on);
                    }
                    continue;
                }
                EventBody::Message { text, files } => (Some(text.clone()), String::new(), files.clone()),
                EventBody::File(file) => (Some(String::new()), String::new(), vec![file.clone()]),
                EventBody::Note(_) | EventBody::Money(..) => (None, event.told(), Vec::new()),
            };
            let same = text.is_some()
                && lines.last().is_some_and(|last| {
                    last.text.is_some()
                        && last.actor_id == event.actor_id
                        && last.created_at.get(..16) == event.created_at.get(..16)
                });
            let own = event.actor_id == viewer;
            lines.push(Line {
                seq: event.seq,
                actor_id: event.actor_id.clone(),
                actor_name: event.actor_name.clone(),
                created_at: event.created_at.clone(),
                text,
                note,
                files,
                reactions: Vec::new(),
                bare_file: matches!(event.body, EventBody::File(_)),
                own,
                same,
                read: own && event.seq <= self.read_by_other_seq,
            });
        }
        lines
    }

    /// What `chat-room` copies for a message that arrives later.
    pub(crate) fn blank_line(&self) -> Line {
        Line {
            seq: 0,
            actor_id: String::new(),
            actor_name: String::new(),
            created_at: String::new(),
            text: Some(String::new()),
            note: String::new(),
            files: Vec::new(),
            reactions: Vec::new(),
            bare_file: false,
            own: false,
            same: false,
            read: false,
        }
    }

    pub(crate) fn statuses(&self) -> [SessionStatus; 7] {
        SessionStatus::ALL
    }

    /// Whether something meant for `statuses` (codes, separated by blanks) is hidden now.
    pub(crate) fn hidden_unless(&self, statuses: &str) -> bool {
        statuses.split(' ').all(|code| code != self.session.status.code())
    }

    /// The states in which the viewer may write.
    pub(crate) fn writable(&self) -> &'static str {
        match self.viewer_role {
            RoomRole::Customer => "requested scheduled accepted in_progress",
            RoomRole::Mechanic => "accepted in_progress",
            RoomRole::Observer => "",
        }
    }

    pub(crate) fn notes(&self) -> [NoteKind; 21] {
        NoteKind::ALL
    }

    pub(crate) fn has_summary(&self) -> bool {
        self.events.iter().any(|event| matches!(event.body, EventBody::Note(NoteKind::SummaryWritten)))
    }

    pub(crate) fn viewer_id(&self) -> &str {
        self.frame.viewer.as_ref().map_or("", |viewer| viewer.id.as_str())
    }

    /// Whom the viewer talks to.
    pub(crate) fn other(&self) -> Option<&Person> {
        match self.viewer_role {
            RoomRole::Mechanic => Some(&self.customer),
            RoomRole::Customer | RoomRole::Observer => self.mechanic.as_ref(),
        }
    }

    pub(crate) fn heading(&self) -> String {
        self.other().map_or_else(|| self.session.plan_name.clone(), |person| person.name.clone())
    }

    pub(crate) fn other_initials(&self) -> String {
        self.other().map_or_else(|| "?".to_owned(), |person| initials(&person.name))
    }

    pub(crate) fn other_online(&self) -> bool {
        self.presence() == "connected"
    }

    pub(crate) fn role_code(&self) -> &'static str {
        match self.viewer_role {
            RoomRole::Customer => "customer",
            RoomRole::Mechanic => "mechanic",
            RoomRole::Observer => "observer",
        }
    }

    /// `waiting`, `assigned`, `connected` or `over`, for the chip.
    pub(crate) fn presence(&self) -> &'static str {
        match self.other() {
            _ if !self.session.status.is_open() => "over",
            None => "waiting",
            Some(person) if person.online => "connected",
            Some(_) => "assigned",
        }
    }

    /// The chip's words: waiting, assigned, connected, over. The customer's are fixed by the seeds.
    pub(crate) fn presence_texts(&self) -> [&'static str; 4] {
        match self.viewer_role {
            RoomRole::Mechanic => [
                "Waiting for the customer",
                "Customer away, messages are kept",
                "Customer connected",
                "Session over",
            ],
            RoomRole::Customer | RoomRole::Observer => [
                "Waiting for a mechanic to join",
                "Mechanic assigned \u{2014} joining",
                "1 mechanic connected",
                "Session over",
            ],
        }
    }

    pub(crate) fn presence_text(&self) -> &'static str {
        let [waiting, assigned, connected, over] = self.presence_texts();
        match self.presence() {
            "over" => over,
            "waiting" => waiting,
            "connected" => connected,
            _ => assigned,
        }
    }

    pub(crate) fn is_mechanic(&self) -> bool {
        self.viewer_role == RoomRole::Mechanic
    }

    pub(crate) fn is_observer(&self) -> bool {
        self.viewer_role == RoomRole::Observer
    }

    /// Where the arrow back leads.
    pub(crate) fn back(&self) -> &'static str {
        match self.viewer_role {
            RoomRole::Customer => "/dashboard",
            RoomRole::Mechanic => "/mechanic",
            RoomRole::Observer => "/admin",
        }
    }

    /// What the foot of the room says of an end, by its reason; the others have the words of their status.
    pub(crate) fn ends(&self) -> [(&'static str, &'static str); 3] {
        [
            ("time_limit", "The paid time is over."),
            ("no_show_customer", "The customer did not come in time."),
            ("no_show_mechanic", "The mechanic did not come in time."),
        ]
    }

    pub(crate) fn end_text(&self, otherwise: &'static str) -> &'static str {
        let reason = self.session.end_reason.as_deref().unwrap_or_default();
        self.ends().into_iter().find(|(code, _)| *code == reason).map_or(otherwise, |(_, text)| text)
    }

    /// What is said above the messages once the time is nearly over. `chat-room` goes on with it.
    pub(crate) fn time_notice(&self) -> Option<String> {
        if self.session.status != SessionStatus::InProgress {
            return None;
        }
        let (deadline, now) =
            (self.deadline().parse::<Timestamp>().ok()?, self.now.parse::<Timestamp>().ok()?);
        let left = deadline.as_second() - now.as_second();
        let until = clock::time(self.deadline(), &self.frame.time_zone);
        (left <= self.warning_seconds).then(|| match left {
            ..=0 => "The paid time is over.".to_owned(),
            1..60 => format!("Less than a minute left, until {until}."),
            60 => format!("1 minute left, until {until}."),
            _ => format!("{} minutes left, until {until}.", (left + 59) / 60),
        })
    }

    pub(crate) fn deadline(&self) -> &str {
        self.session.deadline_at.as_deref().unwrap_or_default()
    }
}

fn react(reactions: &mut Vec<Reaction>, emoji: &str, user: &str, on: bool) {
    if let Some(reaction) = reactions.iter_mut().find(|reaction| reaction.emoji == emoji) {
        reaction.user_ids.retain(|id| id != user);
        if on {
            reaction.user_ids.push(user.to_owned());
        }
    } else if on {
        reactions.push(Reaction { emoji: emoji.to_owned(), user_ids: vec![user.to_owned()] });
    }
    reactions.retain(|reaction| !reaction.user_ids.is_empty());
}

impl ChatSession {
    pub(crate) fn duration_seconds(&self) -> i64 {
        self.duration_minutes * 60
    }

    pub(crate) fn is_refunded(&self) -> bool {
        self.payment_status == "refunded"
    }
}

impl Vehicle {
    pub(crate) fn miles(&self) -> Option<String> {
        let miles = u64::try_from(self.mileage?).ok()?;
        Some(format!("{} miles", grouped(miles)))
    }
}

impl FileLink {
    pub(crate) fn size(&self) -> String {
        file_size(self.bytes)
    }

    /// Where its small picture is; that of a format of which the server makes none is the whole.
    pub(crate) fn small(&self) -> String {
        let size = if self.content_type == "image/avif" { "" } else { "?size=thumb" };
        format!("/api/files/{}{size}", self.id)
    }

    /// What a person calls it, and its size.
    pub(crate) fn about(&self) -> String {
        let kind = match self.content_type.split('/').next() {
            Some("image") => "Photo",
            Some("video") => "Video",
            Some("audio") => "Sound",
            Some(_) | None if self.content_type == "application/pdf" => "PDF",
            Some(_) | None => "File",
        };
        format!("{kind}, {}", self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::{NoteKind, Reaction, react};

    #[test]
    fn a_reaction_is_counted_once_a_person_and_can_be_taken_back() {
        let mut reactions: Vec<Reaction> = Vec::new();
        react(&mut reactions, "👍", "a", true);
        react(&mut reactions, "👍", "a", true);
        react(&mut reactions, "👍", "b", true);
        react(&mut reactions, "🙏", "b", false);
        assert_eq!(reactions.len(), 1);
        assert_eq!(reactions[0].users(), "a b");
        react(&mut reactions, "👍", "a", false);
        assert!(!reactions[0].by("a") && reactions[0].by("b"));
        react(&mut reactions, "👍", "b", false);
        assert!(reactions.is_empty());
    }

    #[test]
    fn notes_are_found_by_their_names_on_the_wire() {
        for kind in NoteKind::ALL {
            assert_eq!(NoteKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(NoteKind::from_code("message"), None);
    }
}
