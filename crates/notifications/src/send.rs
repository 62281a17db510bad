//! The decisions: enqueue once, begin, finish, suppress.

use kernel::id::{BatchId, DeliveryId};
use kernel::{Context, StoreError};

use crate::delivery::{Delivery, NewDelivery};
use crate::gateway::{Receipt, SendError};
use crate::milestone::Channel;
use crate::preference::wants;
use crate::store::Store;
use crate::suppression::{Suppression, SuppressionReason};

/// Why an operation had no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such delivery.
    #[error("there is no such delivery")]
    NotFound,
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a delivery is to be handed to its carrier now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// Hand it over once this is committed.
    Send,
    /// It has ended: sent, refused, suppressed, or left unknown. There is nothing to do.
    Ended,
}

/// Commits to telling somebody something; `None` when that was done before (the send-once key exists).
///
/// # Errors
/// When the storage fails.
pub fn enqueue(store: &mut dyn Store, new: NewDelivery, cx: &Context) -> Result<Option<Delivery>, Error> {
    let delivery = Delivery::new(DeliveryId::new(cx.id()), new, cx.now);
    Ok(store.delivery_insert(&delivery)?.then_some(delivery))
}

/// Marks a delivery as on its way, or ends it: because it was sent before, because `address` must not be written
/// to, because its person has switched such messages off, or because its outcome is unknown and the carrier does not recognise keys. Commit before calling the
/// carrier.
///
/// # Errors
/// [`Error::NotFound`], or a failure of the storage.
pub fn begin(
    store: &mut dyn Store,
    id: DeliveryId,
    address: &str,
    deduplicates: bool,
) -> Result<(Delivery, Begin), Error> {
    let delivery = store.delivery_by_id_for_update(id)?.ok_or(Error::NotFound)?;
    let (milestone, channel) = (delivery.stored().milestone, delivery.stored().channel);
    let mut stopped = store
        .suppression_by_address(channel, &address.to_lowercase())?
        .filter(|suppression| suppression.reason.stops(milestone))
        .map(|suppression| suppression.reason.as_str());
    if let Some(topic) = milestone.topic()
        && !wants(store, delivery.stored().recipient, topic)?
    {
        stopped = Some("unsubscribed");
    }
    let (delivery, begin) = match (delivery.begun(deduplicates), stopped) {
        ((delivery, Begin::Send), Some(reason)) => (delivery.suppressed(reason), Begin::Ended),
        (begun, _) => begun,
    };
    store.delivery_update(&delivery)?;
    Ok((delivery, begin))
}

/// Puts a delivery into a call together with others, if it may join one; answers whether it did. The call's members
/// must be committed before it is made.
///
/// # Errors
/// When the storage fails.
pub fn join(store: &mut dyn Store, id: DeliveryId, batch: BatchId) -> Result<bool, Error> {
    let found = store.delivery_by_id_for_update(id)?.filter(Delivery::may_join);
    let Some(delivery) = found else { return Ok(false) };
    store.delivery_update(&delivery.joined(batch))?;
    Ok(true)
}

/// Takes the deliveries of a call that was refused as a whole out of it; each that is still to be sent has to go
/// alone from now on. Answers those.
///
/// # Errors
/// When the storage fails.
pub fn part(store: &mut dyn Store, batch: BatchId, reason: &str) -> Result<Vec<DeliveryId>, Error> {
    let mut left = Vec::new();
    for id in store.deliveries_of_batch(batch)? {
        let Some(delivery) = store.delivery_by_id_for_update(id)? else { continue };
        let parted = delivery.parted(reason);
        if parted.may_join() {
            left.push(id);
        }
        store.delivery_update(&parted)?;
    }
    Ok(left)
}

/// Writes down what the carrier answered.
///
/// # Errors
/// [`Error::NotFound`], or a failure of the storage.
pub fn finish(
    store: &mut dyn Store,
    id: DeliveryId,
    outcome: &Result<Receipt, SendError>,
    cx: &Context,
) -> Result<Delivery, Error> {
    let delivery = store.delivery_by_id_for_update(id)?.ok_or(Error::NotFound)?.finished(outcome, cx.now);
    store.delivery_update(&delivery)?;
    Ok(delivery)
}

/// Stops messages to an address, from now on. An address that does not exist stays that, whatever its owner reports.
///
/// # Errors
/// When the storage fails.
pub fn suppress(
    store: &mut dyn Store,
    channel: Channel,
    address: &str,
    reason: SuppressionReason,
    cx: &Context,
) -> Result<(), Error> {
    let address = address.to_lowercase();
    let known = store.suppression_by_address(channel, &address)?.map(|suppression| suppression.reason);
    if known == Some(SuppressionReason::Bounced) {
        return Ok(());
    }
    let suppression = Suppression { channel, address, reason, created_at: cx.now };
    Ok(store.suppression_upsert(&suppression)?)
}

/// How long the mailbox keeps a message, in seconds: 30 days.
pub const KEEP_MAILBOX_SECONDS: i64 = 30 * 86_400;

/// Deletes messages of the mailbox that are older than [`KEEP_MAILBOX_SECONDS`], up to 1,000 at once; answers how
/// many.
///
/// # Errors
/// When the storage fails.
pub fn prune_mailbox(store: &mut dyn Store, cx: &Context) -> Result<u32, Error> {
    Ok(store.mailbox_delete_before(cx.now.plus_seconds(-KEEP_MAILBOX_SECONDS), 1_000)?)
}
