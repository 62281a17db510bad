//! What notifications need from a database.

use kernel::id::{BatchId, DeliveryId, EventId, SessionId};
use kernel::{StoreError, Timestamp, UserId};
use uuid::Uuid;

use crate::delivery::Delivery;
use crate::message::MailboxMessage;
use crate::milestone::{Channel, Milestone};
use crate::personal::PersonalNotice;
use crate::preference::Topic;
use crate::suppression::Suppression;

/// Deliveries, suppressed addresses and the development mailbox, inside one transaction.
pub trait Store {
    /// Adds a delivery; `false` when one with its send-once key exists.
    ///
    /// # Errors
    /// When the storage fails.
    fn delivery_insert(&mut self, delivery: &Delivery) -> Result<bool, StoreError>;

    /// Writes every field of a delivery that exists.
    ///
    /// # Errors
    /// When the storage fails.
    fn delivery_update(&mut self, delivery: &Delivery) -> Result<(), StoreError>;

    /// One delivery.
    ///
    /// # Errors
    /// When the storage fails.
    fn delivery_by_id(&mut self, id: DeliveryId) -> Result<Option<Delivery>, StoreError>;

    /// One delivery, locked until the end of the transaction.
    ///
    /// # Errors
    /// When the storage fails.
    fn delivery_by_id_for_update(&mut self, id: DeliveryId) -> Result<Option<Delivery>, StoreError>;

    /// The deliveries of one call to the carrier, in their order.
    ///
    /// # Errors
    /// When the storage fails.
    fn deliveries_of_batch(&mut self, batch: BatchId) -> Result<Vec<DeliveryId>, StoreError>;

    /// Adds an address that must not be written to, or gives a listed one the new reason.
    ///
    /// # Errors
    /// When the storage fails.
    fn suppression_upsert(&mut self, suppression: &Suppression) -> Result<(), StoreError>;

    /// Why that address (in lower case) must not be written to, if so.
    ///
    /// # Errors
    /// When the storage fails.
    fn suppression_by_address(
        &mut self,
        channel: Channel,
        address: &str,
    ) -> Result<Option<Suppression>, StoreError>;

    /// What the person chose for that topic; `None` when they have not.
    ///
    /// # Errors
    /// When the storage fails.
    fn preference(&mut self, person: UserId, topic: Topic) -> Result<Option<bool>, StoreError>;

    /// Keeps what the person chose.
    ///
    /// # Errors
    /// When the storage fails.
    fn preference_put(
        &mut self,
        person: UserId,
        topic: Topic,
        wanted: bool,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Deletes what somebody chose.
    ///
    /// # Errors
    /// When the storage fails.
    fn preferences_delete(&mut self, person: UserId) -> Result<(), StoreError>;

    /// Writes down what somebody was told on their own channel.
    ///
    /// # Errors
    /// When the storage fails.
    fn notice_insert(&mut self, notice: &PersonalNotice) -> Result<(), StoreError>;

    /// One such notice.
    ///
    /// # Errors
    /// When the storage fails.
    fn notice_by_id(&mut self, id: EventId) -> Result<Option<PersonalNotice>, StoreError>;

    /// Whether this person was told of that in this session at or after an instant.
    ///
    /// # Errors
    /// When the storage fails.
    fn notice_since(
        &mut self,
        user: UserId,
        session: SessionId,
        milestone: Milestone,
        since: Timestamp,
    ) -> Result<bool, StoreError>;

    /// This person's client has shown the notice, for the first time.
    ///
    /// # Errors
    /// When the storage fails.
    fn notice_acknowledge(&mut self, id: EventId, user: UserId, now: Timestamp) -> Result<(), StoreError>;

    /// Puts a message into the development mailbox; `false` when one with its key is there.
    ///
    /// # Errors
    /// When the storage fails.
    fn mailbox_insert(&mut self, message: &MailboxMessage) -> Result<bool, StoreError>;

    /// The newest messages of the development mailbox, newest first.
    ///
    /// # Errors
    /// When the storage fails.
    fn mailbox_newest(&mut self, limit: u32) -> Result<Vec<MailboxMessage>, StoreError>;

    /// One message of the development mailbox.
    ///
    /// # Errors
    /// When the storage fails.
    fn mailbox_by_id(&mut self, id: Uuid) -> Result<Option<MailboxMessage>, StoreError>;

    /// Lifts a suppression; `false` when there is none.
    ///
    /// # Errors
    /// When the storage fails.
    fn suppression_delete(&mut self, channel: Channel, address: &str) -> Result<bool, StoreError>;

    /// Deletes every message of the mailbox that was meant for this person or went to this address, what carriers said
    /// about them, and that the address must not be written to.
    ///
    /// # Errors
    /// When the storage fails.
    fn messages_forget(&mut self, person: UserId, address: &str) -> Result<(), StoreError>;

    /// Deletes up to `limit` messages of the development mailbox that came before that instant; answers how many.
    ///
    /// # Errors
    /// When the storage fails.
    fn mailbox_delete_before(&mut self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;
}
