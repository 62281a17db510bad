//! What intake needs from a database.

use kernel::id::{FileId, IntakeId, UserId, VehicleId};
use kernel::{StoreError, Timestamp};

use crate::intake::Intake;
use crate::upload::{Sent, Upload};
use crate::vehicle::OwnedVehicle;
use crate::waiver::WaiverAcceptance;

/// Vehicles, intakes, waiver acceptances and uploads that wait, inside one transaction.
pub trait Store {
    /// Keeps a car, or gives the same car of this customer its newest description (an unknown mileage keeps the
    /// known one). Answers the id under which it is kept.
    ///
    /// # Errors
    /// When the storage fails.
    fn vehicle_put(&mut self, vehicle: &OwnedVehicle) -> Result<VehicleId, StoreError>;

    /// The cars on a customer's list, the one described last first: at most `limit`, with `after` only those that come
    /// after what was described then under that id.
    ///
    /// # Errors
    /// When the storage fails.
    fn vehicles_by_customer(
        &mut self,
        customer: UserId,
        after: Option<(Timestamp, VehicleId)>,
        limit: u32,
    ) -> Result<Vec<OwnedVehicle>, StoreError>;

    /// Every car on a customer's list; until the end of the transaction nobody else may change the list by hand.
    ///
    /// # Errors
    /// When the storage fails.
    fn vehicles_for_update(&mut self, customer: UserId) -> Result<Vec<OwnedVehicle>, StoreError>;

    /// Writes the description of a car that is kept.
    ///
    /// # Errors
    /// When the storage fails.
    fn vehicle_update(&mut self, vehicle: &OwnedVehicle) -> Result<(), StoreError>;

    /// Takes a car off its customer's list; `false` when it is not there.
    ///
    /// # Errors
    /// When the storage fails.
    fn vehicle_remove(
        &mut self,
        customer: UserId,
        vehicle: VehicleId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Adds an intake and its list of files.
    ///
    /// # Errors
    /// When the storage fails.
    fn intake_insert(&mut self, intake: &Intake) -> Result<(), StoreError>;

    /// One intake.
    ///
    /// # Errors
    /// When the storage fails.
    fn intake_by_id(&mut self, id: IntakeId) -> Result<Option<Intake>, StoreError>;

    /// One intake, locked until the end of the transaction, so that one order at a time is made of it.
    ///
    /// # Errors
    /// When the storage fails.
    fn intake_by_id_for_update(&mut self, id: IntakeId) -> Result<Option<Intake>, StoreError>;

    /// The newest intake of a customer.
    ///
    /// # Errors
    /// When the storage fails.
    fn intake_latest(&mut self, customer: UserId) -> Result<Option<Intake>, StoreError>;

    /// Adds an acceptance of the waiver.
    ///
    /// # Errors
    /// When the storage fails.
    fn waiver_acceptance_insert(&mut self, acceptance: &WaiverAcceptance) -> Result<(), StoreError>;

    /// The acceptance that belongs to an intake.
    ///
    /// # Errors
    /// When the storage fails.
    fn waiver_acceptance_of_intake(
        &mut self,
        intake: IntakeId,
    ) -> Result<Option<WaiverAcceptance>, StoreError>;

    /// Notes that bytes under the key of this file may be stored, and until when they must be written down.
    ///
    /// # Errors
    /// When the storage fails.
    fn arrival_insert(&mut self, file: FileId, expires_at: Timestamp) -> Result<(), StoreError>;

    /// Ends a note that has not expired; `false` when there is none.
    ///
    /// # Errors
    /// When the storage fails.
    fn arrival_end(&mut self, file: FileId, now: Timestamp) -> Result<bool, StoreError>;

    /// Files whose note expired before then, at most `limit`.
    ///
    /// # Errors
    /// When the storage fails.
    fn arrivals_expired(&mut self, before: Timestamp, limit: u32) -> Result<Vec<FileId>, StoreError>;

    /// Forgets a note.
    ///
    /// # Errors
    /// When the storage fails.
    fn arrival_delete(&mut self, file: FileId) -> Result<(), StoreError>;

    /// What this person has sent since then; until the end of the transaction they send nothing else.
    ///
    /// # Errors
    /// When the storage fails.
    fn uploads_sent_for_update(&mut self, owner: UserId, since: Timestamp) -> Result<Sent, StoreError>;

    /// Adds an upload.
    ///
    /// # Errors
    /// When the storage fails.
    fn upload_insert(&mut self, upload: &Upload) -> Result<(), StoreError>;

    /// One upload of this person that waits and has not expired.
    ///
    /// # Errors
    /// When the storage fails.
    fn upload_waiting(
        &mut self,
        file: FileId,
        owner: UserId,
        now: Timestamp,
    ) -> Result<Option<Upload>, StoreError>;

    /// How many uploads of this person wait and have not expired.
    ///
    /// # Errors
    /// When the storage fails.
    fn uploads_waiting(&mut self, owner: UserId, now: Timestamp) -> Result<usize, StoreError>;

    /// Keeps an upload of this person at least until then. `false` when there is none that waits and has not expired.
    ///
    /// # Errors
    /// When the storage fails.
    fn upload_keep(
        &mut self,
        file: FileId,
        owner: UserId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Uploads that have expired, with the key of their bytes, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the storage fails.
    fn uploads_expired(&mut self, now: Timestamp, limit: u32) -> Result<Vec<(FileId, String)>, StoreError>;

    /// Deletes an upload that has expired; `false` when there is none.
    ///
    /// # Errors
    /// When the storage fails.
    fn upload_delete_expired(&mut self, file: FileId, now: Timestamp) -> Result<bool, StoreError>;
}
