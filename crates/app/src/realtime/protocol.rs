//! The frames of `/ws`, as clients see them.

use std::fmt;
use std::str::FromStr;

use bytestring::ByteString;
use kernel::{EventId, FileId, SessionId, Timestamp, UserId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use sessions::{ActorRole, Event, Kind};

use super::code::Code;
use crate::http::extract;

/// Longest text frame a client may send, in bytes. A message of the default limit fits many times.
pub const FRAME_MAX_BYTES: usize = 64 * 1024;

/// What a client can join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// A session, for its participants.
    Session(SessionId),
    /// A mechanic's own channel.
    Mechanic(UserId),
    /// A customer's own channel.
    Customer(UserId),
    /// All admins.
    Admin,
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(id) => write!(f, "session:{id}"),
            Self::Mechanic(id) => write!(f, "mechanic:{id}"),
            Self::Customer(id) => write!(f, "customer:{id}"),
            Self::Admin => f.write_str("admin"),
        }
    }
}

impl FromStr for Channel {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "a channel: session:{id}, mechanic:{id}, customer:{id} or admin";
        if text == "admin" {
            return Ok(Self::Admin);
        }
        let (kind, id) = text.split_once(':').ok_or(EXPECTED)?;
        match kind {
            "session" => id.parse().map(Self::Session).map_err(|_| EXPECTED),
            "mechanic" => id.parse().map(Self::Mechanic).map_err(|_| EXPECTED),
            "customer" => id.parse().map(Self::Customer).map_err(|_| EXPECTED),
            _ => Err(EXPECTED),
        }
    }
}

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Channel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A client's own mark on a frame, echoed in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reference {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the contract describes the fields of every frame")]
pub enum ClientFrame {
    /// Signs in a client that can't set headers.
    Authenticate { token: String },
    /// Everything after `after_seq`, then live.
    Join {
        channel: Channel,
        #[serde(default)]
        after_seq: u64,
        #[serde(rename = "ref")]
        reference: Option<Reference>,
    },
    /// No more of this channel.
    Leave {
        channel: Channel,
        #[serde(rename = "ref")]
        reference: Option<Reference>,
    },
    /// Says something.
    Send {
        channel: Channel,
        client_ref: String,
        text: String,
        #[serde(default)]
        file_ids: Vec<FileId>,
        #[serde(rename = "ref")]
        reference: Option<Reference>,
    },
    /// Is writing.
    Typing {
        channel: Channel,
        #[serde(rename = "ref")]
        reference: Option<Reference>,
    },
    /// Has read up to `seq`.
    Read {
        channel: Channel,
        seq: u64,
        #[serde(rename = "ref")]
        reference: Option<Reference>,
    },
    /// Puts an emoji on a message, or takes it off.
    React {
        channel: Channel,
        seq: u64,
        emoji: String,
        on: bool,
        #[serde(rename = "ref")]
        reference: Option<Reference>,
    },
    /// WebRTC data for one participant.
    Signal {
        channel: Channel,
        to: UserId,
        data: serde_json::Value,
        #[serde(rename = "ref")]
        reference: Option<Reference>,
    },
    /// Has shown a personal notification.
    Ack {
        channel: Channel,
        event_id: EventId,
        #[serde(rename = "ref")]
        reference: Option<Reference>,
    },
    /// Is there.
    Ping {
        #[serde(rename = "ref")]
        reference: Option<Reference>,
    },
}

/// Why a frame was not understood, with the mark the client gave it.
#[derive(Debug, PartialEq)]
pub struct Misread {
    /// A stable code.
    pub code: Code,
    /// What is wrong, for a person.
    pub message: String,
    /// The client's mark, when it could be read.
    pub reference: Option<Reference>,
}

impl ClientFrame {
    /// Reads a text frame.
    ///
    /// # Errors
    /// `malformed_json`, `unknown_type`, `unknown_field` or `invalid`.
    pub fn parse(text: &str) -> Result<Self, Misread> {
        let known = || serde_json::from_str::<serde_json::Value>(text).ok();
        // serde would read a frame from a list as well, by position; no frame holds an object deeper down.
        if text.trim_ascii_start().starts_with('[') && known().is_some() {
            let message = "A frame is a JSON object.".to_owned();
            return Err(Misread { code: Code::Invalid, message, reference: None });
        }
        serde_json::from_str(text).map_err(|error| {
            let known = known();
            let reference = known
                .as_ref()
                .and_then(|frame| frame.get("ref").or_else(|| frame.get("client_ref")))
                .and_then(|reference| Reference::deserialize(reference).ok());
            let full = error.to_string();
            let message = full.split(" at line ").next().unwrap_or(&full);
            let message = if message.contains("internally tagged enum") {
                "A frame is a JSON object with a type.".to_owned()
            } else {
                extract::plain(message)
            };
            let code = if !error.is_data() {
                Code::MalformedJson
            } else if message.starts_with("unknown variant") || message.starts_with("missing field `type`") {
                Code::UnknownType
            } else if message.starts_with("unknown field") {
                Code::UnknownField
            } else {
                Code::Invalid
            };
            Misread { code, message, reference }
        })
    }
}

#[derive(Serialize)]
struct ActorWire<'a> {
    id: Option<UserId>,
    role: ActorRole,
    name: Option<&'a str>,
}

/// An event as REST and sockets show it.
#[derive(Serialize)]
pub struct EventWire<'a> {
    id: EventId,
    session_id: SessionId,
    seq: u64,
    kind: Kind,
    actor: ActorWire<'a>,
    body: &'a RawValue,
    created_at: Timestamp,
}

impl<'a> EventWire<'a> {
    /// The event, with the name its actor has now.
    pub fn new(event: &'a Event, actor_name: Option<&'a str>) -> Self {
        Self {
            id: event.id,
            session_id: event.session,
            seq: event.seq,
            kind: event.kind,
            actor: ActorWire { id: event.actor.id, role: event.actor.role, name: actor_name },
            body: serde_json::from_str(event.body()).unwrap_or(RawValue::NULL),
            created_at: event.created_at,
        }
    }
}

/// A participant in a `joined` frame.
#[derive(Debug, Clone, Serialize)]
pub struct ParticipantWire {
    /// The person.
    pub id: UserId,
    /// `customer`, `mechanic` or `observer`.
    pub role: sessions::ParticipantRole,
    /// The name they have now.
    pub name: String,
    /// Whether a socket of theirs is joined.
    pub online: bool,
    /// How far they have read.
    pub last_read_seq: u64,
}

/// What the server sends.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the contract describes the fields of every frame")]
pub enum ServerFrame<'a> {
    Authenticated {
        user: &'a RawValue,
    },
    Joined {
        channel: Channel,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Reference>,
        last_seq: u64,
        events: Vec<EventWire<'a>>,
        participants: Vec<ParticipantWire>,
        now: Timestamp,
    },
    Left {
        channel: Channel,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Reference>,
    },
    Resync {
        channel: Channel,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Reference>,
    },
    Ack {
        client_ref: &'a str,
        seq: u64,
    },
    Event {
        channel: Channel,
        event: EventWire<'a>,
    },
    Typing {
        channel: Channel,
        user_id: UserId,
    },
    Read {
        channel: Channel,
        user_id: UserId,
        seq: u64,
    },
    Presence {
        channel: Channel,
        participant: UserId,
        online: bool,
    },
    Signal {
        channel: Channel,
        from: UserId,
        data: &'a serde_json::Value,
    },
    Tick {
        channel: Channel,
        last_seq: u64,
    },
    Pong {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Reference>,
    },
    Error {
        code: &'a str,
        message: &'a str,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Reference>,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_ref: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<Channel>,
    },
}

impl ServerFrame<'_> {
    /// The text frame. Serialised once and shared by all who receive it.
    pub fn encode(&self) -> ByteString {
        serde_json::to_string(self).expect("frames hold only what JSON can").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_not_understood_says_why_and_keeps_its_reference() {
        let session = "session:0198d7a0-0000-7000-8000-000000000001";
        for (text, code, reference) in [
            ("{".to_owned(), Code::MalformedJson, None),
            ("[]".to_owned(), Code::Invalid, None),
            (r#" ["ping"]"#.to_owned(), Code::Invalid, None),
            (r#"["typing", "admin", null]"#.to_owned(), Code::Invalid, None),
            (r#"["ping""#.to_owned(), Code::MalformedJson, None),
            ("{}".to_owned(), Code::UnknownType, None),
            (
                r#"{"type":"fly","ref":"a"}"#.to_owned(),
                Code::UnknownType,
                Some(Reference::Text("a".to_owned())),
            ),
            (
                r#"{"type":"join","channel":"session:1","ref":7}"#.to_owned(),
                Code::Invalid,
                Some(Reference::Number(7)),
            ),
            (format!(r#"{{"type":"join","channel":"{session}","more":1}}"#), Code::UnknownField, None),
            (format!(r#"{{"type":"join","channel":"{session}","after_seq":-1}}"#), Code::Invalid, None),
            (
                format!(r#"{{"type":"send","channel":"{session}","client_ref":"c"}}"#),
                Code::Invalid,
                Some(Reference::Text("c".to_owned())),
            ),
        ] {
            let misread = ClientFrame::parse(&text).expect_err(&text);
            assert_eq!((misread.code, misread.reference), (code, reference), "{text}");
        }
    }

    #[test]
    fn a_channel_is_written_as_it_is_read() {
        for text in [
            "admin",
            "session:0198d7a0-0000-7000-8000-000000000001",
            "mechanic:0198d7a0-0000-7000-8000-000000000001",
        ] {
            assert_eq!(text.parse::<Channel>().map(|channel| channel.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "session", "session:", "session:x", "room:0198d7a0-0000-7000-8000-000000000001"] {
            assert!(text.parse::<Channel>().is_err(), "{text}");
        }
    }
}
