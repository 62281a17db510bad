//! What a socket answers to a frame that it can't carry out, beside the codes that REST knows for the same reason.

/// A stable code that a client can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The frame is no JSON.
    MalformedJson,
    /// There is no frame of that type.
    UnknownType,
    /// The frame has a field that its type doesn't know.
    UnknownField,
    /// A field is missing or has a value that it can't have.
    Invalid,
    /// The frame is longer than frames may be; the socket ends.
    FrameTooBig,
    /// Nobody has signed in on this socket, or the token is not valid.
    NotAuthenticated,
    /// Somebody has signed in on this socket.
    AlreadyAuthenticated,
    /// The socket has not joined the channel.
    NotJoined,
    /// The person is no longer part of the channel.
    MembershipEnded,
    /// The person was signed out; the socket ends.
    SignedOut,
    /// There is nobody of that id in the session.
    NotFound,
    /// No video is paid, or it has not begun.
    VideoNotIncluded,
    /// The session has ended.
    SessionClosed,
}

impl Code {
    /// The published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::UnknownType => "unknown_type",
            Self::UnknownField => "unknown_field",
            Self::Invalid => "invalid",
            Self::FrameTooBig => "frame_too_big",
            Self::NotAuthenticated => "not_authenticated",
            Self::AlreadyAuthenticated => "already_authenticated",
            Self::NotJoined => "not_joined",
            Self::MembershipEnded => "membership_ended",
            Self::SignedOut => "signed_out",
            Self::NotFound => "not_found",
            Self::VideoNotIncluded => "video_not_included",
            Self::SessionClosed => "session_closed",
        }
    }
}
