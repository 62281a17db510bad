//! What stands beside a session's log in its room, and beside its line in a list: the car, the concern, the files.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use intake::scrub::PictureSize;
use kernel::id::{FileId, SessionId, UserId};
use kernel::{StoreError, Timestamp};

use super::requests::VehicleView;
use crate::error::Stored;
use crate::intake::picture;
use crate::schema::intake::{intake_files, intakes, vehicles};
use crate::schema::sessions::{files, session_summaries, sessions};
use crate::tx::Tx;
use crate::types::{Id, Ts};

/// A file that can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileView {
    /// The file.
    pub id: FileId,
    /// The name it was uploaded under.
    pub name: String,
    /// Its length in bytes.
    pub size_bytes: i64,
    /// What it is, judged by its bytes.
    pub content_type: String,
    /// How large the picture is, if it is one.
    pub picture: Option<PictureSize>,
    /// Who sent it.
    pub sender: UserId,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Whether it came with the concern, before there was a session.
    pub of_intake: bool,
}

/// What the customer told before paying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Background {
    /// The car.
    pub vehicle: VehicleView,
    /// The car's number.
    pub vin: Option<String>,
    /// The problem in the customer's words.
    pub concern: String,
}

/// What the customer told before paying; `None` when the intake is gone.
///
/// # Errors
/// A failure of the storage.
pub fn background(tx: &mut Tx<'_>, session: SessionId) -> Result<Option<Background>, StoreError> {
    type Row = (i64, String, String, Option<String>, Option<i64>, String);
    let row: Option<Row> = sessions::table
        .inner_join(intakes::table.on(intakes::id.eq(sessions::intake_id)))
        .inner_join(vehicles::table.on(vehicles::id.eq(intakes::vehicle_id)))
        .filter(sessions::id.eq(Id(session.uuid())))
        .select((
            vehicles::year,
            vehicles::make,
            vehicles::model,
            vehicles::vin,
            intakes::mileage,
            intakes::concern,
        ))
        .first(tx.conn())
        .optional()
        .stored()?;
    Ok(row.map(|(year, make, model, vin, mileage, concern)| Background {
        vehicle: VehicleView { year, make, model, mileage },
        vin,
        concern,
    }))
}

/// The cars of these sessions. Sessions without an intake are left out.
///
/// # Errors
/// A failure of the storage.
pub fn vehicles_of(
    tx: &mut Tx<'_>,
    ids: &[SessionId],
) -> Result<HashMap<SessionId, VehicleView>, StoreError> {
    type Row = (Id, i64, String, String, Option<i64>);
    let ids: Vec<Id> = ids.iter().map(|id| Id(id.uuid())).collect();
    let rows: Vec<Row> = sessions::table
        .inner_join(intakes::table.on(intakes::id.eq(sessions::intake_id)))
        .inner_join(vehicles::table.on(vehicles::id.eq(intakes::vehicle_id)))
        .filter(sessions::id.eq_any(ids))
        .select((sessions::id, vehicles::year, vehicles::make, vehicles::model, intakes::mileage))
        .load(tx.conn())
        .stored()?;
    let keyed = |(id, year, make, model, mileage): Row| {
        (SessionId::new(id.0), VehicleView { year, make, model, mileage })
    };
    Ok(rows.into_iter().map(keyed).collect())
}

/// Those of these sessions whose summary was handed in.
///
/// # Errors
/// A failure of the storage.
pub fn summarised(tx: &mut Tx<'_>, ids: &[SessionId]) -> Result<HashSet<SessionId>, StoreError> {
    let ids: Vec<Id> = ids.iter().map(|id| Id(id.uuid())).collect();
    let found: Vec<Id> = session_summaries::table
        .filter(session_summaries::session_id.eq_any(ids).and(session_summaries::state.eq("submitted")))
        .select(session_summaries::session_id)
        .load(tx.conn())
        .stored()?;
    Ok(found.into_iter().map(|id| SessionId::new(id.0)).collect())
}

/// The files of a session: those of its intake first, then those that were added in it.
///
/// # Errors
/// A failure of the storage.
pub fn files_of(tx: &mut Tx<'_>, session: SessionId) -> Result<Vec<FileView>, StoreError> {
    type Row = (Id, String, i64, String, Option<i64>, Option<i64>, Id, Ts);
    let columns = (
        files::id,
        files::name,
        files::size_bytes,
        files::content_type,
        files::width,
        files::height,
        files::owner_id,
        files::created_at,
    );
    let session = Id(session.uuid());
    let told: Vec<Row> = sessions::table
        .inner_join(intake_files::table.on(intake_files::intake_id.eq(sessions::intake_id)))
        .inner_join(files::table.on(files::id.eq(intake_files::file_id)))
        .filter(sessions::id.eq(session))
        .order(intake_files::position)
        .select(columns)
        .load(tx.conn())
        .stored()?;
    let added: Vec<Row> = files::table
        .filter(files::session_id.eq(session))
        .order((files::attached_at, files::id))
        .select(columns)
        .load(tx.conn())
        .stored()?;
    let view = |(id, name, size_bytes, content_type, width, height, sender, at): Row, of_intake| FileView {
        id: FileId::new(id.0),
        name,
        size_bytes,
        content_type,
        picture: picture(width, height),
        sender: UserId::new(sender.0),
        sent_at: at.into(),
        of_intake,
    };
    let mut views: Vec<FileView> = told.into_iter().map(|row| view(row, true)).collect();
    for row in added {
        if !views.iter().any(|known| known.id.uuid() == row.0.0) {
            views.push(view(row, false));
        }
    }
    Ok(views)
}
