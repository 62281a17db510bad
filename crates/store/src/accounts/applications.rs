//! Applications with their steps and files.

use accounts::application::APPLICATION_FILE_TYPES;
use accounts::{
    Application, ApplicationKind, ApplicationRecord, ApplicationStatus, ApplicationStep, Details, Name,
    Phone, Specialty, StepKind, Trade,
};
use diesel::RunQueryDsl;
use diesel::prelude::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Identifiable, Insertable, OptionalExtension,
    QueryDsl, Queryable, Selectable, SelectableHelper,
};
use kernel::{ApplicationId, ApplicationStepId, FileId, StoreError, Timestamp, UserId};
use serde_json::Value;

use crate::dialect::{Lock, lock_row};
use crate::error::Stored;
use crate::prepared::{Keep, on};
use crate::schema::applications::{application_files, application_steps, applications};
use crate::schema::sessions::files;
use crate::tx::Tx;
use crate::types::{Id, Json, Ts};

/// How long a file that an application named before is kept, in seconds, like any upload that nothing refers to.
const LET_GO_SECONDS: i64 = 24 * 3_600;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, Identifiable, AsChangeset)]
#[diesel(table_name = applications, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: Id,
    user_id: Id,
    kind: String,
    status: String,
    revision: i64,
    name: String,
    phone: String,
    years_experience: Option<i64>,
    business_name: Option<String>,
    address: Option<String>,
    city: Option<String>,
    specialties: Json,
    note: String,
    submitted_at: Ts,
    updated_at: Ts,
    decided_by: Option<Id>,
    decided_at: Option<Ts>,
}

impl From<&Application> for Row {
    fn from(application: &Application) -> Self {
        let ApplicationRecord {
            id,
            user,
            status,
            revision,
            details,
            submitted_at,
            updated_at,
            decided_by,
            decided_at,
        } = application.record();
        let codes = details.specialties.iter().map(|one| Value::String(one.code().to_owned()));
        let (years, place) = match &details.trade {
            Trade::Mechanic { years } => (Some(i64::from(*years)), None),
            Trade::Workshop { business_name, address, city } => {
                (None, Some((business_name.as_str().to_owned(), address.clone(), city.clone())))
            }
        };
        let (business_name, address, city) = match place {
            Some((name, address, city)) => (Some(name), Some(address), Some(city)),
            None => (None, None, None),
        };
        Self {
            id: Id(id.uuid()),
            user_id: Id(user.uuid()),
            kind: details.trade.kind().as_str().to_owned(),
            status: status.as_str().to_owned(),
            revision: i64::from(*revision),
            name: details.name.as_str().to_owned(),
            phone: details.phone.as_str().to_owned(),
            years_experience: years,
            business_name,
            address,
            city,
            specialties: Json(Value::Array(codes.collect())),
            note: details.note.clone(),
            submitted_at: (*submitted_at).into(),
            updated_at: (*updated_at).into(),
            decided_by: decided_by.map(|admin| Id(admin.uuid())),
            decided_at: decided_at.map(Ts::from),
        }
    }
}

impl Row {
    /// The application with its files.
    pub(crate) fn application(self, files: Vec<FileId>) -> Result<Application, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("application", format!("{what} of {}", self.id.0));
        let name = |text: &str| Name::parse(text).map_err(|_| corrupt("name"));
        let trade = match ApplicationKind::parse(&self.kind).ok_or_else(|| corrupt("kind"))? {
            ApplicationKind::Mechanic => {
                let years = self.years_experience.and_then(|years| u8::try_from(years).ok());
                Trade::Mechanic { years: years.ok_or_else(|| corrupt("years"))? }
            }
            ApplicationKind::Workshop => {
                let business_name = self.business_name.as_deref().ok_or_else(|| corrupt("business name"))?;
                Trade::Workshop {
                    business_name: name(business_name)?,
                    address: self.address.clone().ok_or_else(|| corrupt("address"))?,
                    city: self.city.clone().ok_or_else(|| corrupt("city"))?,
                }
            }
        };
        let codes: Vec<String> =
            serde_json::from_value(self.specialties.0.clone()).map_err(|_| corrupt("specialties"))?;
        let specialties: Option<Vec<Specialty>> = codes.iter().map(|code| Specialty::parse(code)).collect();
        let record = ApplicationRecord {
            id: ApplicationId::new(self.id.0),
            user: UserId::new(self.user_id.0),
            status: ApplicationStatus::parse(&self.status).ok_or_else(|| corrupt("status"))?,
            revision: u32::try_from(self.revision).map_err(|_| corrupt("revision"))?,
            details: Details {
                name: name(&self.name)?,
                phone: Phone::parse(&self.phone).map_err(|_| corrupt("phone"))?,
                trade,
                specialties: specialties.ok_or_else(|| corrupt("specialties"))?,
                note: self.note.clone(),
                files,
            },
            submitted_at: self.submitted_at.into(),
            updated_at: self.updated_at.into(),
            decided_by: self.decided_by.map(|id| UserId::new(id.0)),
            decided_at: self.decided_at.map(Timestamp::from),
        };
        Application::stored(record).ok_or_else(|| corrupt("decision"))
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = application_steps)]
struct StepRow {
    id: Id,
    application_id: Id,
    kind: String,
    by_id: Id,
    at: Ts,
    text: String,
}

impl TryFrom<StepRow> for ApplicationStep {
    type Error = StoreError;

    fn try_from(row: StepRow) -> Result<Self, StoreError> {
        let kind = StepKind::parse(&row.kind)
            .ok_or_else(|| StoreError::corrupt("application step", format!("kind of {}", row.id.0)))?;
        Ok(Self {
            id: ApplicationStepId::new(row.id.0),
            application: ApplicationId::new(row.application_id.0),
            kind,
            by: UserId::new(row.by_id.0),
            at: row.at.into(),
            text: row.text,
        })
    }
}

fn with_files(tx: &mut Tx<'_>, row: Row) -> Result<Application, StoreError> {
    let named = files_of(tx, row.id)?;
    row.application(named.into_iter().map(|id| FileId::new(id.0)).collect())
}

fn files_of(tx: &mut Tx<'_>, application: Id) -> Result<Vec<Id>, StoreError> {
    application_files::table
        .filter(application_files::application_id.eq(application))
        .order(application_files::position)
        .select(application_files::file_id)
        .load(tx.conn())
        .stored()
}

pub(super) fn insert(tx: &mut Tx<'_>, application: &Application) -> Result<bool, StoreError> {
    let insert =
        diesel::insert_into(applications::table).values(Row::from(application)).on_conflict_do_nothing();
    Ok(on!(tx.conn(), typed => insert.execute(typed)).stored()? == 1)
}

pub(super) fn by_id(tx: &mut Tx<'_>, id: ApplicationId) -> Result<Option<Application>, StoreError> {
    let row: Option<Row> = applications::table
        .find(Id(id.uuid()))
        .select(Row::as_select())
        .first(tx.conn())
        .optional()
        .stored()?;
    row.map(|row| with_files(tx, row)).transpose()
}

pub(super) fn for_update(tx: &mut Tx<'_>, id: ApplicationId) -> Result<Option<Application>, StoreError> {
    lock_row(tx.conn(), Lock::Application, id.uuid())?;
    by_id(tx, id)
}

pub(super) fn latest(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Application>, StoreError> {
    let row: Option<Row> = applications::table
        .filter(applications::user_id.eq(Id(user.uuid())))
        .order(applications::id.desc())
        .select(Row::as_select())
        .first(tx.conn())
        .optional()
        .stored()?;
    row.map(|row| with_files(tx, row)).transpose()
}

pub(super) fn update(tx: &mut Tx<'_>, application: &Application) -> Result<(), StoreError> {
    let row = Row::from(application);
    let changed =
        diesel::update(applications::table.find(row.id)).set(&row).kept().execute(tx.conn()).stored()?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Constraint(format!("application {} is not there to be changed", application.id())))
    }
}

pub(super) fn put_files(
    tx: &mut Tx<'_>,
    application: &Application,
    now: Timestamp,
) -> Result<Option<FileId>, StoreError> {
    let (id, owner) = (Id(application.id().uuid()), Id(application.user().uuid()));
    let before = files_of(tx, id)?;
    let wanted: Vec<Id> = application.details().files.iter().map(|file| Id(file.uuid())).collect();
    let mine = files::owner_id.eq(owner).and(files::content_type.eq_any(APPLICATION_FILE_TYPES));
    let waiting = files::attached_at.is_null().and(files::expires_at.gt(Ts::from(now)));
    let usable: Vec<Id> = files::table
        .filter(files::id.eq_any(wanted.clone()).and(mine))
        .filter(waiting.or(files::id.eq_any(before.clone())))
        .select(files::id)
        .load(tx.conn())
        .stored()?;
    if let Some(unusable) = wanted.iter().find(|file| !usable.contains(file)) {
        return Ok(Some(FileId::new(unusable.0)));
    }
    diesel::delete(application_files::table.filter(application_files::application_id.eq(id)))
        .execute(tx.conn())
        .stored()?;
    let dropped: Vec<Id> = before.into_iter().filter(|file| !wanted.contains(file)).collect();
    diesel::update(files::table.filter(files::id.eq_any(dropped)))
        .set((
            files::attached_at.eq(None::<Ts>),
            files::expires_at.eq(Some(Ts::from(now.plus_seconds(LET_GO_SECONDS)))),
        ))
        .execute(tx.conn())
        .stored()?;
    diesel::update(files::table.filter(files::id.eq_any(wanted.clone()).and(files::attached_at.is_null())))
        .set((files::attached_at.eq(Some(Ts::from(now))), files::expires_at.eq(None::<Ts>)))
        .execute(tx.conn())
        .stored()?;
    for (position, file) in (0_i64..).zip(wanted) {
        let named = (
            application_files::application_id.eq(id),
            application_files::position.eq(position),
            application_files::file_id.eq(file),
        );
        diesel::insert_into(application_files::table).values(named).execute(tx.conn()).stored()?;
    }
    Ok(None)
}

pub(super) fn forget(tx: &mut Tx<'_>, user: UserId, now: Timestamp) -> Result<(), StoreError> {
    let mine: Vec<Id> = applications::table
        .filter(applications::user_id.eq(Id(user.uuid())))
        .select(applications::id)
        .load(tx.conn())
        .stored()?;
    delete(tx, &mine, now)
}

pub(super) fn forget_before(
    tx: &mut Tx<'_>,
    before: Timestamp,
    limit: u32,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let over = [ApplicationStatus::Refused, ApplicationStatus::Withdrawn].map(ApplicationStatus::as_str);
    let old: Vec<Id> = applications::table
        .filter(applications::status.eq_any(over))
        .filter(applications::updated_at.lt(Ts::from(before)))
        .order(applications::id)
        .limit(i64::from(limit))
        .select(applications::id)
        .load(tx.conn())
        .stored()?;
    delete(tx, &old, now)?;
    Ok(old.len())
}

/// Deletes applications and lets their files go.
fn delete(tx: &mut Tx<'_>, which: &[Id], now: Timestamp) -> Result<(), StoreError> {
    let papers: Vec<Id> = application_files::table
        .filter(application_files::application_id.eq_any(which))
        .select(application_files::file_id)
        .load(tx.conn())
        .stored()?;
    diesel::delete(application_files::table.filter(application_files::application_id.eq_any(which)))
        .execute(tx.conn())
        .stored()?;
    diesel::update(files::table.filter(files::id.eq_any(papers)).filter(files::session_id.is_null()))
        .set((files::attached_at.eq(None::<Ts>), files::expires_at.eq(Some(Ts::from(now)))))
        .execute(tx.conn())
        .stored()?;
    diesel::delete(applications::table.filter(applications::id.eq_any(which)))
        .execute(tx.conn())
        .stored()
        .map(drop)
}

pub(super) fn insert_step(tx: &mut Tx<'_>, step: &ApplicationStep) -> Result<(), StoreError> {
    let row = StepRow {
        id: Id(step.id.uuid()),
        application_id: Id(step.application.uuid()),
        kind: step.kind.as_str().to_owned(),
        by_id: Id(step.by.uuid()),
        at: step.at.into(),
        text: step.text.clone(),
    };
    diesel::insert_into(application_steps::table).values(row).execute(tx.conn()).stored().map(drop)
}

pub(super) fn steps(tx: &mut Tx<'_>, id: ApplicationId) -> Result<Vec<ApplicationStep>, StoreError> {
    let rows: Vec<StepRow> = application_steps::table
        .filter(application_steps::application_id.eq(Id(id.uuid())))
        .order(application_steps::id)
        .select(StepRow::as_select())
        .load(tx.conn())
        .stored()?;
    rows.into_iter().map(ApplicationStep::try_from).collect()
}

pub(super) fn step_by_id(
    tx: &mut Tx<'_>,
    id: ApplicationStepId,
) -> Result<Option<ApplicationStep>, StoreError> {
    let row: Option<StepRow> = application_steps::table
        .find(Id(id.uuid()))
        .select(StepRow::as_select())
        .first(tx.conn())
        .optional()
        .stored()?;
    row.map(ApplicationStep::try_from).transpose()
}
