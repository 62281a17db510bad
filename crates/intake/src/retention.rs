//! What is forgotten of intakes: when a customer goes, and when the time is over.

use kernel::id::{IntakeId, UserId};
use kernel::{StoreError, Timestamp};

/// What stands in the place of a concern that was erased.
pub const ERASED_CONCERN: &str = "(erased)";

/// Forgetting, inside one transaction.
pub trait RetentionStore {
    /// Deletes what names the customer in their intakes: the concern, the mileage, the VIN and mileage of their cars,
    /// and the address from which they accepted a waiver. Year, make and model stay with the receipts.
    fn customer_forget(&mut self, customer: UserId) -> Result<(), StoreError>;
    /// Replaces the concern of intakes from before that instant and hands their files to the sweep of unused uploads;
    /// at most `limit` intakes, and how many there were.
    fn intakes_forget(&mut self, before: Timestamp, limit: u32, now: Timestamp) -> Result<usize, StoreError>;
    /// Deletes an intake with its waiver acceptance and its list of files. Nothing may refer to it any more.
    fn intake_delete(&mut self, intake: IntakeId, now: Timestamp) -> Result<(), StoreError>;
}
