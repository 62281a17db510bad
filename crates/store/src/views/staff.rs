//! What admins look through: applications and people.

use accounts::application::APPLICATION_FILES_MAX;
use accounts::{Application, ApplicationStatus, Status, User};
use diesel::prelude::*;
use kernel::id::{ApplicationId, FileId, SessionId, UserId};
use kernel::{Role, StoreError};

use crate::accounts::{ApplicationRow, UserRow};
use crate::error::Stored;
use crate::literal::literal;
use crate::schema::accounts::users;
use crate::schema::applications::{application_files, applications};
use crate::schema::sessions::{files, session_participants, sessions as sessions_table};
use crate::tx::Tx;
use crate::types::Id;

/// Applications of one list.
pub const APPLICATIONS_MAX: u32 = 501;

/// How many applications wait for an admin.
///
/// # Errors
/// A failure of the storage.
pub fn waiting(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    applications::table
        .inner_join(users::table)
        .filter(applications::status.eq(literal("submitted")).and(users::status.eq("active")))
        .count()
        .get_result(tx.conn())
        .stored()
}

/// Applications with their people: those that wait oldest first, the others newest first; after `cursor`, at most
/// `limit`. Without a status, all that are open. Files are left out.
///
/// # Errors
/// A failure of the storage.
pub fn applications(
    tx: &mut Tx<'_>,
    status: Option<ApplicationStatus>,
    cursor: Option<ApplicationId>,
    limit: u32,
) -> Result<Vec<(Application, User)>, StoreError> {
    let statuses = match status {
        Some(status) => vec![status],
        None => vec![ApplicationStatus::Submitted, ApplicationStatus::AskedAgain],
    };
    let oldest_first = statuses.iter().all(|status| status.is_open());
    let names: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
    let mut query = applications::table
        .inner_join(users::table)
        .filter(applications::status.eq_any(names))
        .filter(users::status.ne("erased"))
        .limit(i64::from(limit.min(APPLICATIONS_MAX)))
        .select((ApplicationRow::as_select(), UserRow::as_select()))
        .into_boxed();
    let at = cursor.map(|cursor| Id(cursor.uuid()));
    query = match (oldest_first, at) {
        (true, Some(at)) => query.filter(applications::id.gt(at)),
        (false, Some(at)) => query.filter(applications::id.lt(at)),
        (_, None) => query,
    };
    query =
        if oldest_first { query.order(applications::id.asc()) } else { query.order(applications::id.desc()) };
    let rows: Vec<(ApplicationRow, UserRow)> = query.load(tx.conn()).stored()?;
    rows.into_iter()
        .map(|(application, user)| Ok((application.application(Vec::new())?, user.try_into()?)))
        .collect()
}

/// Every application of a person, oldest first, without its files.
///
/// # Errors
/// A failure of the storage.
pub fn applications_of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Application>, StoreError> {
    let rows: Vec<ApplicationRow> = applications::table
        .filter(applications::user_id.eq(Id(user.uuid())))
        .order(applications::id)
        .select(ApplicationRow::as_select())
        .load(tx.conn())
        .stored()?;
    rows.into_iter().map(|row| row.application(Vec::new())).collect()
}

/// A licence or certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// The file.
    pub id: FileId,
    /// Its name on the applicant's device.
    pub name: String,
    /// What it is.
    pub content_type: String,
    /// Its size.
    pub size_bytes: i64,
}

/// The files of an application, in its order.
///
/// # Errors
/// A failure of the storage.
pub fn papers(tx: &mut Tx<'_>, application: ApplicationId) -> Result<Vec<Paper>, StoreError> {
    let rows: Vec<(Id, String, String, i64)> = application_files::table
        .inner_join(files::table.on(files::id.eq(application_files::file_id)))
        .filter(application_files::application_id.eq(Id(application.uuid())))
        .order(application_files::position)
        .limit(i64::try_from(APPLICATION_FILES_MAX).unwrap_or(i64::MAX))
        .select((files::id, files::name, files::content_type, files::size_bytes))
        .load(tx.conn())
        .stored()?;
    let paper = |(id, name, content_type, size_bytes): (Id, _, _, _)| Paper {
        id: FileId::new(id.0),
        name,
        content_type,
        size_bytes,
    };
    Ok(rows.into_iter().map(paper).collect())
}

/// The application that a file belongs to.
///
/// # Errors
/// A failure of the storage.
pub fn application_of_file(tx: &mut Tx<'_>, file: FileId) -> Result<Option<ApplicationId>, StoreError> {
    let found: Option<Id> = application_files::table
        .filter(application_files::file_id.eq(Id(file.uuid())))
        .select(application_files::application_id)
        .first(tx.conn())
        .optional()
        .stored()?;
    Ok(found.map(|id| ApplicationId::new(id.0)))
}

/// What to look for among people.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// The beginning of an address, a part of a name, or an id; in any case. Empty finds everybody.
    pub search: String,
    /// Only in this role.
    pub role: Option<Role>,
    /// Only in this status; without one everybody but the erased.
    pub status: Option<Status>,
    /// Only accounts made before this one.
    pub before: Option<UserId>,
}

/// The people that a filter finds, newest first, at most `limit`.
///
/// # Errors
/// A failure of the storage.
pub fn users(tx: &mut Tx<'_>, filter: &UserFilter, limit: u32) -> Result<Vec<User>, StoreError> {
    let mut query = users::table
        .order(users::id.desc())
        .limit(i64::from(limit))
        .select(UserRow::as_select())
        .into_boxed();
    let search = filter.search.trim().to_lowercase();
    if !search.is_empty() {
        let escaped = search.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let named = users::name_search.like(format!("%{escaped}%")).escape('\\');
        let addressed = users::email.like(format!("{escaped}%")).escape('\\');
        query = match search.parse::<UserId>() {
            Ok(id) => query.filter(users::id.eq(Id(id.uuid()))),
            Err(_) => query.filter(named.or(addressed)),
        };
    }
    if let Some(role) = filter.role {
        query = query.filter(users::role.eq(role.as_str()));
    }
    query = match filter.status {
        Some(status) => query.filter(users::status.eq(status.as_str())),
        None => query.filter(users::status.ne(Status::Erased.as_str())),
    };
    if let Some(before) = filter.before {
        query = query.filter(users::id.lt(Id(before.uuid())));
    }
    let rows: Vec<UserRow> = query.load(tx.conn()).stored()?;
    rows.into_iter().map(User::try_from).collect()
}

/// How often somebody took part in sessions as customer or mechanic, and which of these are not over: at most 50,
/// newest first.
///
/// # Errors
/// A failure of the storage.
pub fn sessions_of(tx: &mut Tx<'_>, user: UserId) -> Result<(i64, Vec<OpenSession>), StoreError> {
    use session_participants as p;
    let mine = p::table
        .filter(p::user_id.eq(Id(user.uuid())))
        .filter(p::left_at.is_null())
        .filter(p::role.ne("observer"));
    let count: i64 = mine.count().get_result(tx.conn()).stored()?;
    let rows: Vec<(Id, String, String)> = mine
        .inner_join(sessions_table::table.on(sessions_table::id.eq(p::session_id)))
        .filter(sessions_table::status.eq_any(["requested", "scheduled", "accepted", "in_progress"]))
        .order(sessions_table::id.desc())
        .limit(50)
        .select((sessions_table::id, sessions_table::status, p::role))
        .load(tx.conn())
        .stored()?;
    let open = rows.into_iter().map(|(id, status, role)| {
        let status = crate::sessions::named("sessions.status", &status, sessions::Status::parse)?;
        Ok(OpenSession { id: SessionId::new(id.0), status, as_mechanic: role == "mechanic" })
    });
    Ok((count, open.collect::<Result<_, StoreError>>()?))
}

/// A session that is not over, as one of its people sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSession {
    /// The session.
    pub id: SessionId,
    /// Where it stands.
    pub status: sessions::Status,
    /// Whether the person is its mechanic, else its customer.
    pub as_mechanic: bool,
}
