//! Consultations between a customer and a mechanic: their lifecycle, who takes part, and everything that was said.
//!
//! | module | holds |
//! |---|---|
//! | [`session`] | [`Session`] and its state machine: the only way from one [`Status`] to the next |
//! | [`status`] | [`Status`], [`EndReason`] |
//! | [`participant`] | [`Participant`], [`ParticipantRole`], [`Seat`]: who may see and who may write |
//! | [`event`] | [`Event`], [`Kind`], [`EventActor`]: a line of a session's log |
//! | [`chain`] | salted commitments, the hash chain over the log, [`verify_chain`] |
//! | [`lifecycle`] | [`open`], [`accept`], [`assign`], [`start`], [`end`], [`cancel`], [`expire`], [`observe`] |
//! | [`attendance`] | [`Waiting::judge`], [`call_off`]: who did not come |
//! | [`clock`] | [`tick`], [`extend`]: the warning before the end of the paid time, the end at it, and more time |
//! | [`message`] | [`post_message`]: text, files, idempotent by the sender's own reference |
//! | [`money`] | [`note_money`]: what the log tells of money |
//! | [`mod@file`] | [`add_file`]: a file without a message |
//! | [`reaction`] | [`react`]: emoji on a message |
//! | [`summary`] | [`submit_summary`], [`save_summary_draft`]: what the mechanic writes down for the customer |
//! | [`trouble`] | [`Watched::troubles`]: what goes wrong in a session that runs |
//! | [`mod@upgrade`] | [`upgrade()`], [`suggest_upgrade`]: a chat becomes video |
//! | [`read`] | [`mark_read`]: how far a participant has read |
//! | [`retention`] | [`RetentionStore`]: what is forgotten when a person goes or the time is over |
//! | [`media`] | [`media::note_media`]: who saw whom, and since when |
//! | [`room_news`] | [`hear_room`]: what a provider of video tells of that
//! | [`video`] | [`video_open`], [`enter_video`]: who may be seen when |
//! | [`store`] | [`Store`]: what this domain asks of the database |
//! | [`gateway`] | [`VideoRooms`]: who carries video |
//! | [`error`] | [`Error`], [`InvalidTransition`] |
//!
//! It owns the rules of a session and the order of its log: whatever happens in a session is appended here, in the
//! transaction that makes it happen, with the next `seq` and no gap.
//!
//! It must never know a price, an order or a payment (views join them), who a mechanic's request was offered to
//! (`dispatch`), or how an event reaches a browser (the shell).

pub mod attendance;
pub mod chain;
pub mod clock;
pub mod error;
pub mod event;
pub mod file;
pub mod gateway;
pub mod lifecycle;
pub mod media;
pub mod message;
pub mod money;
pub mod participant;
pub mod reaction;
pub mod read;
pub mod retention;
pub mod room_news;
pub mod session;
pub mod status;
pub mod store;
pub mod summary;
pub mod trouble;
pub mod upgrade;
pub mod video;

pub use attendance::{Attendance, Missing, Verdict, Waiting, call_off, waiting, waiting_of};
pub use chain::{ChainBreak, Hash, Head, Salt, verify_chain};
pub use clock::{ALLOWANCE_MAX_MINUTES, Extension, NewExtension, Tick, extend, tick};
pub use error::{Error, Invalid, InvalidTransition, NoVideo};
pub use event::{ActorRole, Event, EventActor, Kind, Sealed};
pub use file::{AddedFile, add_file, may_add_file};
pub use gateway::{Guest, IceServer, Pass, RoomError, VideoProvider, VideoRooms};
pub use lifecycle::{
    NewSession, Step, accept, assign, cancel, end, expire, for_customer, observe, open, start,
};
pub use message::{MessageDraft, MessageLimits, Posted, post_message};
pub use money::{MoneyLine, Moved, note_money};
pub use participant::{Participant, ParticipantRole, Seat};
pub use reaction::react;
pub use read::mark_read;
pub use retention::{OpenSeat, RetentionStore};
pub use room_news::{RoomEvent, RoomNews, hear_room};
pub use session::{Session, SessionParts};
pub use status::{EndReason, Status};
pub use store::{AttachedFile, NotAttached, Store};
pub use summary::{
    Submitted, Summary, SummaryDraft, SummaryEvent, SummaryField, SummaryText, may_summarise,
    save_summary_draft, submit_summary, summary_draft,
};
pub use trouble::{Trouble, Watched, WatchedSide, watched};
pub use upgrade::{Suggested, UpgradePrices, suggest_upgrade, upgrade};
pub use video::{enter_video, room_name, session_of_room, video_open};
