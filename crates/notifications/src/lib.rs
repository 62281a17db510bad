//! Who is told what, on which channel, and that nobody is told twice.
//!
//! | module | holds |
//! |---|---|
//! | [`alert`] | [`Alert`]: what needs a person's eye, told once for each cause |
//! | [`milestone`] | [`Milestone`]: what people are told about, on which [`Channel`]s |
//! | [`delivery`] | [`Delivery`]: one message to one person on one channel, and its send-once key |
//! | [`preference`] | [`Topic`]: which mails a person may switch off, and did |
//! | [`suppression`] | [`Suppression`]: addresses that must not be written to |
//! | [`message`] | [`Message`] and [`MailboxMessage`]: what is sent, and what the development mailbox keeps |
//! | [`personal`] | [`PersonalNotice`]: what an open page has to have shown, before other channels follow |
//! | [`send`] | the decisions: enqueue, begin, finish, suppress |
//! | [`gateway`] | [`Mailer`]: whoever carries mail |
//! | [`store`] | [`Store`]: what this needs from a database |
//!
//! A delivery is committed before anything is sent, and committed again as "unknown" just before the carrier is
//! called. A process that dies in between leaves a delivery whose outcome is not known: it is sent again only to
//! a carrier that recognises the key, so nobody gets the same message twice.
//!
//! It owns milestones, channels, send-once keys, suppression and what support is told of.
//!
//! It must never know SMTP, a provider or a template.

pub mod alert;
pub mod delivery;
pub mod gateway;
pub mod message;
pub mod milestone;
pub mod personal;
pub mod preference;
pub mod send;
pub mod store;
pub mod suppression;

pub use alert::{Alert, AlertCause, AlertStore, NewAlert};
pub use delivery::{Delivery, DeliveryStatus, NewDelivery, StoredDelivery};
pub use gateway::{BatchMailer, Mailer, Receipt, SendError, Texter};
pub use message::{MailboxMessage, Message};
pub use milestone::{Category, Channel, Milestone};
pub use personal::PersonalNotice;
pub use preference::{Topic, prefer, preferences, wants};
pub use send::{Begin, Error, begin, enqueue, finish, join, part, prune_mailbox, suppress};
pub use store::Store;
pub use suppression::{Suppression, SuppressionReason};
