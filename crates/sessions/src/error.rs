//! Why something in a session can't be done.

use kernel::StoreError;
use kernel::id::FileId;

use crate::status::Status;
use crate::summary::SummaryField;

/// A step that the state machine doesn't have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session that is {from} can't become {to}")]
pub struct InvalidTransition {
    /// The status that the session has.
    pub from: Status,
    /// The status that was asked for.
    pub to: Status,
}

/// An input that breaks a rule of its own, whatever the session's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A message without a visible character.
    #[error("the text is blank")]
    TextBlank,
    /// A message of more bytes than the configured limit.
    #[error("the text is longer than {max_bytes} bytes")]
    TextTooLong {
        /// The limit, in bytes of UTF-8.
        max_bytes: u32,
    },
    /// A NUL character, which no database and few clients keep.
    #[error("the text holds a NUL character")]
    TextCharacters,
    /// A reference that is empty, longer than 64 characters, or holds control characters.
    #[error("the client reference must have 1 to 64 visible characters")]
    ClientRef,
    /// A reaction that is not one emoji of at most 32 bytes.
    #[error("a reaction is one emoji")]
    Emoji,
    /// A reaction to what is not a message of this session.
    #[error("there is no message with that number")]
    Target,
    /// A read mark beyond the end of the log.
    #[error("the log is not that long")]
    SeqBeyondLog,
    /// More files than a message may carry.
    #[error("a message carries at most {max} files")]
    TooManyFiles {
        /// The limit.
        max: usize,
    },
    /// A file that doesn't exist, isn't the sender's, has expired, or belongs to another session.
    #[error("the file can't be attached")]
    File(FileId),
    /// No time to be added, or more than a session may take in all.
    #[error("a session can be lengthened by 1 to {max} minutes")]
    ExtensionMinutes {
        /// What may still be added, in minutes.
        max: u32,
    },
    /// A summary that doesn't say what was found.
    #[error("a summary says what was found")]
    FindingsBlank,
    /// A text of a summary that is too long.
    #[error("this may have {max_chars} characters")]
    SummaryTooLong {
        /// Which text.
        field: SummaryField,
        /// The limit, in characters.
        max_chars: usize,
    },
    /// A text of a summary with a NUL character.
    #[error("the text holds a NUL character")]
    SummaryCharacters(SummaryField),
    /// More photos than a summary may have.
    #[error("a summary has at most {max} photos")]
    TooManyPhotos {
        /// The limit.
        max: usize,
    },
    /// A name of a connection that can't be kept.
    #[error("a connection's name has 1 to 64 visible characters")]
    Connection,
    /// A photo that is no picture, has expired, stands there twice, or is neither the session's nor the mechanic's.
    #[error("the photo can't be used")]
    Photo(FileId),
}

/// Why nobody can be seen in a session now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoVideo {
    /// It is a chat.
    #[error("This session has no video.")]
    NotPaid,
    /// Video is paid, and there is nobody yet who could be seen.
    #[error("Video begins when a mechanic has accepted.")]
    NotAccepted,
    /// It is over.
    #[error("The session has ended.")]
    Over,
}

impl From<NoVideo> for Error {
    fn from(reason: NoVideo) -> Self {
        Self::NoVideo(reason)
    }
}

/// Why something in a session can't be done. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such session, or the person is not in it: to them it doesn't exist.
    #[error("there is no such session")]
    NotFound,
    /// A participant in a role that may not do this.
    #[error("this role may not do that")]
    WrongRole,
    /// The session is not in a state from which this step leads.
    #[error(transparent)]
    InvalidTransition(#[from] InvalidTransition),
    /// The session has ended: nothing is written any more.
    #[error("the session has ended")]
    SessionClosed,
    /// A summary is written before anything happened.
    #[error("the session has not started yet")]
    NotStarted,
    /// A mechanic writes before the session was accepted.
    #[error("the session has not been accepted yet")]
    NotAccepted,
    /// Only a chat that is not over becomes video, and only once.
    #[error("the session can't become video")]
    NotUpgradable,
    /// There is no video in the session now.
    #[error("there is no video in the session now")]
    NoVideo(NoVideo),
    /// The session has another mechanic.
    #[error("the session has a mechanic already")]
    MechanicTaken,
    /// The person to be added is in the session in another role.
    #[error("the person takes part in another role")]
    AlreadyParticipant,
    /// The session's files hold as much as they may.
    #[error("the files of a session hold at most {max_bytes} bytes")]
    FilesFull {
        /// The limit.
        max_bytes: u64,
    },
    /// An input that is never valid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
