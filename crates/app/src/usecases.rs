//! One verb a file: the places where domains meet in one transaction.

pub mod accept_request;
pub mod account;
pub mod alert_support;
pub mod applications;
pub mod assign_mechanic;
pub mod cancel_session;
pub mod cards;
pub mod charge_card;
pub mod decline_request;
pub mod earn_session;
pub mod end_session;
pub mod enter_video;
pub mod erase_account;
pub mod expire_order;
pub mod expire_request;
pub mod extend_session;
pub mod fulfil_order;
pub mod give_back;
pub mod hear_room;
pub mod journey;
pub mod links;
pub mod mail;
pub mod mail_batch;
pub mod mail_feedback;
pub mod mechanics;
pub mod money_lines;
pub mod monitor;
pub mod no_show;
pub mod note_media;
pub mod note_read;
pub mod observe_session;
pub mod offer_request;
pub mod pack_archive;
pub mod passwords;
pub mod personal;
pub mod phone;
pub mod post_message;
pub mod preferences;
pub mod progress;
pub mod read_file;
pub mod read_money;
pub mod read_receipt;
pub mod receive_webhook;
pub mod reconcile_payments;
pub mod refund_payment;
pub mod refund_session;
pub mod register;
pub mod resolve_checkout;
pub mod retain;
pub mod retry_job;
pub mod second_factor;
pub mod seed;
pub mod sign_in;
pub mod start_checkout;
pub mod start_intake;
pub mod start_nudge;
pub mod start_session;
pub mod suspend_user;
pub mod thumbnail;
pub mod time_limit;
pub mod unseen_notice;
pub mod unseen_video;
pub mod upgrade_session;
pub mod upload_file;
pub mod vehicles;
pub mod view_summary;
pub mod workshop;
pub mod write_again;
pub mod write_summary;

use kernel::StoreError;

pub use self::progress::Progress;

/// Why a use case did not happen. Each domain keeps its own reasons; `http::error` maps them all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An account, or what proves who somebody is.
    #[error(transparent)]
    Accounts(#[from] accounts::Error),
    /// A job.
    #[error(transparent)]
    Jobs(#[from] jobs::Error),
    /// A message to somebody.
    #[error(transparent)]
    Notifications(#[from] notifications::Error),
    /// A page or a mail could not be written.
    #[error(transparent)]
    Template(#[from] web::Error),
    /// A session.
    #[error(transparent)]
    Sessions(#[from] sessions::Error),
    /// A request for a mechanic.
    #[error(transparent)]
    Dispatch(#[from] dispatch::Error),
    /// Money: orders, payments, refunds.
    #[error(transparent)]
    Payments(#[from] payments::Error),
    /// The payment provider gave no result.
    #[error(transparent)]
    Gateway(#[from] payments::GatewayError),
    /// A callback that doesn't come from the payment provider.
    #[error(transparent)]
    Callback(#[from] payments::gateway::CallbackError),
    /// A payment page that can't be opened.
    #[error(transparent)]
    Checkout(#[from] start_checkout::Refusal),
    /// A card that was not charged.
    #[error(transparent)]
    Charge(#[from] charge_card::Refusal),
    /// A session that gets no more time.
    #[error(transparent)]
    Extend(#[from] extend_session::Refusal),
    /// A session that can't be upgraded, or not this way.
    #[error(transparent)]
    Upgrade(#[from] upgrade_session::Refusal),
    /// The provider of video made no room.
    #[error(transparent)]
    Room(#[from] sessions::RoomError),
    /// An intake or an upload.
    #[error(transparent)]
    Intake(#[from] intake::Error),
    /// The storage of uploads.
    #[error(transparent)]
    Files(#[from] intake::FileStorageError),
    /// The archive of what is kept of somebody could not be written on this machine.
    #[error("the archive can't be written: {0}")]
    Archive(std::io::Error),
    /// The free plan needs a confirmed address.
    #[error("the e-mail address is not confirmed")]
    EmailUnverified,
    /// The password is right and an admin has closed the account.
    #[error("the account is suspended")]
    AccountSuspended {
        /// Where the person may ask why; may be empty.
        support_address: String,
    },
    /// Somebody who can't be given a session.
    #[error("this is not an approved mechanic")]
    UnknownMechanic,
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// Whether the storage itself failed, so that trying again later may help and nothing was decided. A row that can't
    /// be read or a constraint that was violated stays so, however often one tries.
    pub const fn is_storage(&self) -> bool {
        matches!(
            self,
            Self::Store(error)
                | Self::Accounts(accounts::Error::Store(error))
                | Self::Jobs(jobs::Error::Store(error))
                | Self::Notifications(notifications::Error::Store(error))
                | Self::Sessions(sessions::Error::Store(error))
                | Self::Dispatch(dispatch::Error::Store(error))
                | Self::Payments(payments::Error::Store(error))
                | Self::Intake(intake::Error::Store(error))
                if matches!(error, StoreError::Retry(_) | StoreError::Unavailable(_))
        )
    }
}
