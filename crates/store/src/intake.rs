//! The port of `intake`.

use diesel::RunQueryDsl;
use diesel::prelude::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl,
    Queryable, Selectable, SelectableHelper,
};
use intake::scrub::PictureSize;
use intake::upload::Sent;
use intake::vehicle::OwnedVehicle;
use intake::{Concern, ContentType, Intake, ProviderType, Routing, Store, Upload, Vehicle, WaiverAcceptance};
use kernel::id::{FileId, HoldId, IntakeId, ProviderId, UpsellId, UserId, VehicleId, WaiverAcceptanceId};
use kernel::{PlanCode, StoreError, Timestamp};

use crate::dialect::{Lock, lock_row};
use crate::error::Stored;
use crate::prepared::{Keep, on};
use crate::schema::intake::{intake_files, intakes, vehicles, waiver_acceptances};
use crate::schema::sessions::{file_arrivals, files};
use crate::tx::Tx;
use crate::types::{Id, Ts};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = vehicles, treat_none_as_default_value = false)]
struct VehicleRow {
    id: Id,
    customer_id: Id,
    identity: String,
    year: i64,
    make: String,
    model: String,
    vin: Option<String>,
    mileage: Option<i64>,
    created_at: Ts,
    updated_at: Ts,
}

/// What a newer description changes. An absent mileage changes nothing.
#[derive(AsChangeset)]
#[diesel(table_name = vehicles)]
struct NewestDescription {
    year: i64,
    make: String,
    model: String,
    mileage: Option<i64>,
    updated_at: Ts,
}

impl VehicleRow {
    fn of(owned: &OwnedVehicle) -> Self {
        let vehicle = &owned.vehicle;
        Self {
            id: Id(owned.id.uuid()),
            customer_id: Id(owned.customer.uuid()),
            identity: vehicle.identity(),
            year: i64::from(vehicle.year()),
            make: vehicle.make().to_owned(),
            model: vehicle.model().to_owned(),
            vin: vehicle.vin().map(str::to_owned),
            mileage: vehicle.mileage().map(i64::from),
            created_at: owned.created_at.into(),
            updated_at: owned.updated_at.into(),
        }
    }

    fn vehicle(self, mileage: Option<i64>) -> Result<Vehicle, StoreError> {
        Vehicle::restore(self.year, self.make, self.model, self.vin, mileage)
            .map_err(|field| StoreError::corrupt("vehicle", field))
    }
}

impl TryFrom<VehicleRow> for OwnedVehicle {
    type Error = StoreError;

    fn try_from(row: VehicleRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: VehicleId::new(row.id.0),
            customer: UserId::new(row.customer_id.0),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            vehicle: {
                let mileage = row.mileage;
                row.vehicle(mileage)?
            },
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = intakes, treat_none_as_default_value = false)]
struct IntakeRow {
    id: Id,
    customer_id: Id,
    plan: String,
    vehicle_id: Id,
    mileage: Option<i64>,
    concern: String,
    routing_type: String,
    preferred_provider_id: Option<Id>,
    provider_type: Option<String>,
    hold_id: Option<Id>,
    upsell_id: Option<Id>,
    created_at: Ts,
}

impl IntakeRow {
    fn of(intake: &Intake) -> Self {
        Self {
            id: Id(intake.id.uuid()),
            customer_id: Id(intake.customer.uuid()),
            plan: intake.plan.as_str().to_owned(),
            vehicle_id: Id(intake.vehicle_id.uuid()),
            mileage: intake.vehicle.mileage().map(i64::from),
            concern: intake.concern.as_str().to_owned(),
            routing_type: intake.routing.as_str().to_owned(),
            preferred_provider_id: intake.preferred_provider.map(|id| Id(id.uuid())),
            provider_type: intake.provider_type.map(|kind| kind.as_str().to_owned()),
            hold_id: intake.hold.map(|id| Id(id.uuid())),
            upsell_id: intake.upsell.map(|id| Id(id.uuid())),
            created_at: intake.created_at.into(),
        }
    }

    fn intake(self, vehicle: VehicleRow, files: Vec<Id>) -> Result<Intake, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("intake", format!("{what} of {}", self.id.0));
        Ok(Intake {
            id: IntakeId::new(self.id.0),
            customer: UserId::new(self.customer_id.0),
            plan: PlanCode::parse(&self.plan).ok_or_else(|| corrupt("plan"))?,
            vehicle_id: VehicleId::new(self.vehicle_id.0),
            vehicle: vehicle.vehicle(self.mileage)?,
            concern: Concern::parse(&self.concern).map_err(|_| corrupt("concern"))?,
            routing: Routing::parse(&self.routing_type).ok_or_else(|| corrupt("routing_type"))?,
            preferred_provider: self.preferred_provider_id.map(|id| ProviderId::new(id.0)),
            provider_type: self
                .provider_type
                .as_deref()
                .map(|kind| ProviderType::parse(kind).ok_or_else(|| corrupt("provider_type")))
                .transpose()?,
            hold: self.hold_id.map(|id| HoldId::new(id.0)),
            upsell: self.upsell_id.map(|id| UpsellId::new(id.0)),
            files: files.into_iter().map(|id| FileId::new(id.0)).collect(),
            created_at: self.created_at.into(),
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = intake_files)]
struct IntakeFileRow {
    intake_id: Id,
    position: i64,
    file_id: Id,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = waiver_acceptances)]
struct AcceptanceRow {
    id: Id,
    customer_id: Id,
    intake_id: Id,
    version: String,
    address: String,
    accepted_at: Ts,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = files, treat_none_as_default_value = false)]
struct UploadRow {
    id: Id,
    owner_id: Id,
    name: String,
    content_type: String,
    size_bytes: i64,
    sha256: Vec<u8>,
    storage_key: String,
    created_at: Ts,
    expires_at: Option<Ts>,
    width: Option<i64>,
    height: Option<i64>,
}

/// The size of a picture from its columns.
pub(crate) fn picture(width: Option<i64>, height: Option<i64>) -> Option<PictureSize> {
    let side = |side: Option<i64>| u32::try_from(side?).ok();
    Some(PictureSize { width: side(width)?, height: side(height)? })
}

impl TryFrom<UploadRow> for Upload {
    type Error = StoreError;

    fn try_from(row: UploadRow) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("file", format!("{what} of {}", row.id.0));
        Ok(Self {
            id: FileId::new(row.id.0),
            owner: UserId::new(row.owner_id.0),
            content_type: ContentType::parse(&row.content_type).ok_or_else(|| corrupt("content_type"))?,
            size_bytes: u64::try_from(row.size_bytes).map_err(|_| corrupt("size_bytes"))?,
            sha256: <[u8; 32]>::try_from(row.sha256.as_slice()).map_err(|_| corrupt("sha256"))?,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(Timestamp::from).ok_or_else(|| corrupt("expires_at"))?,
            picture: picture(row.width, row.height),
            name: row.name,
            storage_key: row.storage_key,
        })
    }
}

impl Tx<'_> {
    fn intake_with_its_parts(&mut self, row: IntakeRow) -> Result<Intake, StoreError> {
        let query = vehicles::table.find(row.vehicle_id);
        let vehicle: VehicleRow =
            on!(self.conn(), typed => query.select(VehicleRow::as_select()).limit(1).kept().get_result(typed))
                .stored()?;
        let query = intake_files::table
            .filter(intake_files::intake_id.eq(row.id))
            .order(intake_files::position)
            .select(intake_files::file_id);
        let listed: Vec<Id> = on!(self.conn(), typed => query.kept().load(typed)).stored()?;
        row.intake(vehicle, listed)
    }
}

impl Store for Tx<'_> {
    fn vehicle_put(&mut self, vehicle: &OwnedVehicle) -> Result<VehicleId, StoreError> {
        let row = VehicleRow::of(vehicle);
        let (customer, identity) = (row.customer_id, row.identity.clone());
        let newest = NewestDescription {
            year: row.year,
            make: row.make.clone(),
            model: row.model.clone(),
            mileage: row.mileage,
            updated_at: row.updated_at,
        };
        let put = diesel::insert_into(vehicles::table)
            .values(row)
            .on_conflict((vehicles::customer_id, vehicles::identity))
            .do_update()
            .set(newest);
        // Its text depends on the mileage: one that is not told leaves the known one as it is.
        on!(self.conn(), typed => put.execute(typed)).stored()?;
        let id: Id = vehicles::table
            .filter(vehicles::customer_id.eq(customer).and(vehicles::identity.eq(identity)))
            .select(vehicles::id)
            .limit(1)
            .kept()
            .get_result(self.conn())
            .stored()?;
        Ok(VehicleId::new(id.0))
    }

    fn vehicles_by_customer(
        &mut self,
        customer: UserId,
        after: Option<(Timestamp, VehicleId)>,
        limit: u32,
    ) -> Result<Vec<OwnedVehicle>, StoreError> {
        let mut query = vehicles::table
            .filter(vehicles::customer_id.eq(Id(customer.uuid())).and(vehicles::removed_at.is_null()))
            .order((vehicles::updated_at.desc(), vehicles::id.desc()))
            .limit(i64::from(limit))
            .select(VehicleRow::as_select())
            .into_boxed();
        if let Some((at, id)) = after {
            let (at, id) = (Ts::from(at), Id(id.uuid()));
            let older = vehicles::updated_at.lt(at);
            query = query.filter(older.or(vehicles::updated_at.eq(at).and(vehicles::id.lt(id))));
        }
        let rows: Vec<VehicleRow> = query.load(self.conn()).stored()?;
        rows.into_iter().map(OwnedVehicle::try_from).collect()
    }

    fn vehicles_for_update(&mut self, customer: UserId) -> Result<Vec<OwnedVehicle>, StoreError> {
        lock_row(self.conn(), Lock::User, customer.uuid())?;
        self.vehicles_by_customer(customer, None, u32::MAX)
    }

    fn vehicle_update(&mut self, vehicle: &OwnedVehicle) -> Result<(), StoreError> {
        let row = VehicleRow::of(vehicle);
        diesel::update(vehicles::table.find(row.id))
            .set((
                vehicles::identity.eq(row.identity),
                vehicles::year.eq(row.year),
                vehicles::make.eq(row.make),
                vehicles::model.eq(row.model),
                vehicles::vin.eq(row.vin),
                vehicles::mileage.eq(row.mileage),
                vehicles::updated_at.eq(row.updated_at),
            ))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn vehicle_remove(
        &mut self,
        customer: UserId,
        vehicle: VehicleId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let kept = vehicles::table
            .filter(vehicles::id.eq(Id(vehicle.uuid())))
            .filter(vehicles::customer_id.eq(Id(customer.uuid())).and(vehicles::removed_at.is_null()));
        let removed = diesel::update(kept)
            .set((
                vehicles::identity.eq(format!("removed {vehicle}")),
                vehicles::removed_at.eq(Some(Ts::from(now))),
            ))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(removed == 1)
    }

    fn intake_insert(&mut self, intake: &Intake) -> Result<(), StoreError> {
        diesel::insert_into(intakes::table)
            .values(IntakeRow::of(intake))
            .kept()
            .execute(self.conn())
            .stored()?;
        for (position, file) in (0i64..).zip(&intake.files) {
            let row = IntakeFileRow { intake_id: Id(intake.id.uuid()), position, file_id: Id(file.uuid()) };
            diesel::insert_into(intake_files::table).values(row).kept().execute(self.conn()).stored()?;
        }
        Ok(())
    }

    fn intake_by_id(&mut self, id: IntakeId) -> Result<Option<Intake>, StoreError> {
        let query = intakes::table.find(Id(id.uuid()));
        let row: Option<IntakeRow> =
            on!(self.conn(), typed => query.select(IntakeRow::as_select()).limit(1).kept().get_result(typed))
                .optional()
                .stored()?;
        row.map(|row| self.intake_with_its_parts(row)).transpose()
    }

    fn intake_by_id_for_update(&mut self, id: IntakeId) -> Result<Option<Intake>, StoreError> {
        lock_row(self.conn(), Lock::Intake, id.uuid())?;
        self.intake_by_id(id)
    }

    fn intake_latest(&mut self, customer: UserId) -> Result<Option<Intake>, StoreError> {
        let row: Option<IntakeRow> = intakes::table
            .filter(intakes::customer_id.eq(Id(customer.uuid())))
            .order(intakes::id.desc())
            .select(IntakeRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(|row| self.intake_with_its_parts(row)).transpose()
    }

    fn waiver_acceptance_insert(&mut self, acceptance: &WaiverAcceptance) -> Result<(), StoreError> {
        let row = AcceptanceRow {
            id: Id(acceptance.id.uuid()),
            customer_id: Id(acceptance.customer.uuid()),
            intake_id: Id(acceptance.intake.uuid()),
            version: acceptance.version.clone(),
            address: acceptance.address.clone(),
            accepted_at: acceptance.accepted_at.into(),
        };
        diesel::insert_into(waiver_acceptances::table)
            .values(row)
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn waiver_acceptance_of_intake(
        &mut self,
        intake: IntakeId,
    ) -> Result<Option<WaiverAcceptance>, StoreError> {
        let row: Option<AcceptanceRow> = waiver_acceptances::table
            .filter(waiver_acceptances::intake_id.eq(Id(intake.uuid())))
            .select(AcceptanceRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(|row| {
            WaiverAcceptance {
                id: WaiverAcceptanceId::new(row.id.0),
                customer: UserId::new(row.customer_id.0),
                intake: IntakeId::new(row.intake_id.0),
                version: row.version,
                address: row.address,
                accepted_at: row.accepted_at.into(),
            }
            .restored()
        })
        .transpose()
    }

    fn arrival_insert(&mut self, file: FileId, expires_at: Timestamp) -> Result<(), StoreError> {
        let row =
            (file_arrivals::file_id.eq(Id(file.uuid())), file_arrivals::expires_at.eq(Ts::from(expires_at)));
        diesel::insert_into(file_arrivals::table).values(row).kept().execute(self.conn()).stored().map(drop)
    }

    fn arrival_end(&mut self, file: FileId, now: Timestamp) -> Result<bool, StoreError> {
        let ended = diesel::delete(file_arrivals::table.find(Id(file.uuid())))
            .filter(file_arrivals::expires_at.gt(Ts::from(now)))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(ended == 1)
    }

    fn arrivals_expired(&mut self, before: Timestamp, limit: u32) -> Result<Vec<FileId>, StoreError> {
        let rows: Vec<Id> = file_arrivals::table
            .filter(file_arrivals::expires_at.le(Ts::from(before)))
            .order(file_arrivals::expires_at)
            .limit(i64::from(limit))
            .select(file_arrivals::file_id)
            .kept()
            .load(self.conn())
            .stored()?;
        Ok(rows.into_iter().map(|id| FileId::new(id.0)).collect())
    }

    fn arrival_delete(&mut self, file: FileId) -> Result<(), StoreError> {
        diesel::delete(file_arrivals::table.find(Id(file.uuid())))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn uploads_sent_for_update(&mut self, owner: UserId, since: Timestamp) -> Result<Sent, StoreError> {
        lock_row(self.conn(), Lock::User, owner.uuid())?;
        let rows: Vec<(i64, Ts)> = files::table
            .filter(files::owner_id.eq(Id(owner.uuid())).and(files::created_at.gt(Ts::from(since))))
            .order(files::created_at)
            .select((files::size_bytes, files::created_at))
            .kept()
            .load(self.conn())
            .stored()?;
        let bytes = rows.iter().filter_map(|(size, _)| u64::try_from(*size).ok()).sum();
        Ok(Sent { bytes, first: rows.first().map(|(_, at)| (*at).into()) })
    }

    fn upload_insert(&mut self, upload: &Upload) -> Result<(), StoreError> {
        let row = UploadRow {
            id: Id(upload.id.uuid()),
            owner_id: Id(upload.owner.uuid()),
            name: upload.name.clone(),
            content_type: upload.content_type.as_str().to_owned(),
            size_bytes: i64::try_from(upload.size_bytes)
                .map_err(|_| StoreError::Constraint("a file of that size".to_owned()))?,
            sha256: upload.sha256.to_vec(),
            storage_key: upload.storage_key.clone(),
            created_at: upload.created_at.into(),
            expires_at: Some(upload.expires_at.into()),
            width: upload.picture.map(|size| size.width.into()),
            height: upload.picture.map(|size| size.height.into()),
        };
        diesel::insert_into(files::table).values(row).kept().execute(self.conn()).stored().map(drop)
    }

    fn upload_waiting(
        &mut self,
        file: FileId,
        owner: UserId,
        now: Timestamp,
    ) -> Result<Option<Upload>, StoreError> {
        let row: Option<UploadRow> = files::table
            .find(Id(file.uuid()))
            .filter(files::owner_id.eq(Id(owner.uuid())))
            .filter(files::attached_at.is_null().and(files::expires_at.gt(Ts::from(now))))
            .select(UploadRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(Upload::try_from).transpose()
    }

    fn uploads_waiting(&mut self, owner: UserId, now: Timestamp) -> Result<usize, StoreError> {
        let count: i64 = files::table
            .filter(files::owner_id.eq(Id(owner.uuid())))
            .filter(files::attached_at.is_null().and(files::expires_at.gt(Ts::from(now))))
            .count()
            .kept()
            .get_result(self.conn())
            .stored()?;
        usize::try_from(count).map_err(|reason| StoreError::corrupt("files", reason))
    }

    fn upload_keep(
        &mut self,
        file: FileId,
        owner: UserId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let waiting = files::attached_at.is_null().and(files::expires_at.gt(Ts::from(now)));
        let mine = files::owner_id.eq(Id(owner.uuid()));
        let current: Option<Option<Ts>> = files::table
            .find(Id(file.uuid()))
            .filter(mine.and(waiting))
            .select(files::expires_at)
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        let Some(Some(current)) = current else { return Ok(false) };
        // Again under the same conditions: on PostgreSQL the row may have changed since it was read.
        let kept = diesel::update(files::table.find(Id(file.uuid())))
            .filter(mine.and(waiting))
            .set(files::expires_at.eq(Some(current.max(Ts::from(until)))))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(kept == 1)
    }

    fn uploads_expired(&mut self, now: Timestamp, limit: u32) -> Result<Vec<(FileId, String)>, StoreError> {
        let rows: Vec<(Id, String)> = files::table
            .filter(files::expires_at.le(Ts::from(now)))
            .order((files::expires_at, files::id))
            .limit(i64::from(limit))
            .select((files::id, files::storage_key))
            .kept()
            .load(self.conn())
            .stored()?;
        Ok(rows.into_iter().map(|(id, key)| (FileId::new(id.0), key)).collect())
    }

    fn upload_delete_expired(&mut self, file: FileId, now: Timestamp) -> Result<bool, StoreError> {
        let deleted = diesel::delete(files::table.find(Id(file.uuid())))
            .filter(files::expires_at.le(Ts::from(now)))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(deleted == 1)
    }
}
