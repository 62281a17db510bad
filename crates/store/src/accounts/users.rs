//! Accounts.

use accounts::{
    AccountType, Email, Name, PasswordHash, Phone, Status, TimeZone, User, UserRecord, UserStore,
};
use diesel::RunQueryDsl;
use diesel::prelude::{
    AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use kernel::{Role, StoreError, Timestamp, UserId};

use crate::connection::AnyConnection;
use crate::dialect::{Lock, lock_row};
use crate::error::Stored;
use crate::prepared::{Keep, Value, on, prepared};
use crate::schema::accounts::{api_tokens, audit_log, idempotency_keys, phone_codes, sign_ins, users};
use crate::schema::applications::{applications, suspensions};
use crate::tx::Tx;
use crate::types::{Id, Ts};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: Id,
    email: String,
    email_verified_at: Option<Ts>,
    name: String,
    phone: Option<String>,
    role: String,
    time_zone: String,
    account_type: String,
    status: String,
    password_hash: Option<String>,
    has_used_free_session: bool,
    created_at: Ts,
    updated_at: Ts,
    name_search: String,
    phone_verified_at: Option<Ts>,
}

/// What stands where somebody's words about an erased person were.
const ERASED: &str = "(erased)";

/// Takes the words that an admin wrote about this thing out of the audit log. That something was decided stays.
fn words_forget(tx: &mut Tx<'_>, kind: &str, id: &str) -> Result<(), StoreError> {
    let sql = match tx.conn() {
        AnyConnection::Sqlite(_) => {
            "UPDATE audit_log SET details = json_remove(details, $3, $4)
             WHERE object_kind = $1 AND object_id = $2"
        }
        AnyConnection::Postgres(_) => {
            "UPDATE audit_log SET details = details - 'reason' - 'text' WHERE object_kind = $1 AND object_id = $2"
        }
    };
    // A dollar sign in the text of a statement begins a placeholder.
    let values = [Value::Text(kind), Value::Text(id), Value::Text("$.reason"), Value::Text("$.text")];
    prepared::<()>(sql, &values).execute(tx.conn()).stored().map(drop)
}

// Without the flag of the free plan: only its claim sets that.
#[derive(AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true)]
struct Changes {
    email: String,
    email_verified_at: Option<Ts>,
    name: String,
    phone: Option<String>,
    role: String,
    time_zone: String,
    account_type: String,
    status: String,
    password_hash: Option<String>,
    updated_at: Ts,
    name_search: String,
    phone_verified_at: Option<Ts>,
}

impl From<&User> for Row {
    fn from(user: &User) -> Self {
        let record = user.record();
        Self {
            id: Id(record.id.uuid()),
            email: record.email.as_str().to_owned(),
            email_verified_at: record.email_verified_at.map(Ts::from),
            name: record.name.as_str().to_owned(),
            phone: record.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            role: record.role.as_str().to_owned(),
            time_zone: record.time_zone.as_str().to_owned(),
            account_type: record.account_type.as_str().to_owned(),
            status: record.status.as_str().to_owned(),
            password_hash: record.password.as_ref().map(|hash| hash.as_str().to_owned()),
            has_used_free_session: record.has_used_free_session,
            created_at: record.created_at.into(),
            updated_at: record.updated_at.into(),
            name_search: record.name.as_str().to_lowercase(),
            phone_verified_at: record.phone_verified_at.map(Ts::from),
        }
    }
}

impl From<Row> for Changes {
    fn from(row: Row) -> Self {
        Self {
            email: row.email,
            email_verified_at: row.email_verified_at,
            name: row.name,
            phone: row.phone,
            role: row.role,
            time_zone: row.time_zone,
            account_type: row.account_type,
            status: row.status,
            password_hash: row.password_hash,
            updated_at: row.updated_at,
            name_search: row.name_search,
            phone_verified_at: row.phone_verified_at,
        }
    }
}

impl TryFrom<Row> for User {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("user", format!("{what} of {}", row.id.0));
        Ok(Self::stored(UserRecord {
            id: UserId::new(row.id.0),
            email: Email::parse(&row.email).map_err(|_| corrupt("email"))?,
            email_verified_at: row.email_verified_at.map(Timestamp::from),
            name: Name::parse(&row.name).map_err(|_| corrupt("name"))?,
            phone: row.phone.clone().map(Phone::stored),
            phone_verified_at: row.phone_verified_at.map(Timestamp::from),
            role: Role::parse(&row.role).ok_or_else(|| corrupt("role"))?,
            time_zone: TimeZone::stored(&row.time_zone),
            account_type: AccountType::parse(&row.account_type).ok_or_else(|| corrupt("account type"))?,
            status: Status::parse(&row.status).ok_or_else(|| corrupt("status"))?,
            password: row.password_hash.clone().map(PasswordHash::new),
            has_used_free_session: row.has_used_free_session,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }))
    }
}

impl Tx<'_> {
    fn email_of_another(&mut self, email: &str, id: Id) -> Result<bool, StoreError> {
        let others = users::table.filter(users::email.eq(email)).filter(users::id.ne(id));
        let count: i64 = others.count().kept().get_result(self.conn()).stored()?;
        Ok(count > 0)
    }
}

impl UserStore for Tx<'_> {
    fn user_insert(&mut self, user: &User) -> Result<bool, StoreError> {
        let insert =
            diesel::insert_into(users::table).values(Row::from(user)).on_conflict(users::email).do_nothing();
        Ok(insert.kept().execute(self.conn()).stored()? == 1)
    }

    fn user_by_id(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        let query = users::table.find(Id(id.uuid()));
        let row: Option<Row> =
            on!(self.conn(), typed => query.select(Row::as_select()).limit(1).kept().get_result(typed))
                .optional()
                .stored()?;
        row.map(User::try_from).transpose()
    }

    fn users_by_ids(&mut self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let ids: Vec<Id> = ids.iter().map(|id| Id(id.uuid())).collect();
        let rows: Vec<Row> =
            users::table.filter(users::id.eq_any(ids)).select(Row::as_select()).load(self.conn()).stored()?;
        rows.into_iter().map(User::try_from).collect()
    }

    fn user_by_email(&mut self, email: &Email) -> Result<Option<User>, StoreError> {
        let row: Option<Row> = users::table
            .filter(users::email.eq(email.as_str()))
            .select(Row::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(User::try_from).transpose()
    }

    fn user_for_update(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        lock_row(self.conn(), Lock::User, id.uuid())?;
        self.user_by_id(id)
    }

    fn user_update(&mut self, user: &User) -> Result<bool, StoreError> {
        let row = Row::from(user);
        let (id, email) = (row.id, row.email.clone());
        if self.email_of_another(&email, id)? {
            return Ok(false);
        }
        // Another transaction may take the address between the look and the update: the savepoint keeps this
        // transaction usable on PostgreSQL.
        let changes = Changes::from(row);
        let updated = self.savepoint(|tx| {
            diesel::update(users::table.find(id)).set(&changes).kept().execute(tx.conn()).stored()
        });
        match updated {
            Ok(1) => Ok(true),
            Ok(_) => Err(StoreError::Constraint(format!("user {} is not there to be changed", id.0))),
            Err(StoreError::Constraint(_)) if self.email_of_another(&email, id)? => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn user_claim_free_session(&mut self, id: UserId, now: Timestamp) -> Result<bool, StoreError> {
        let unused = users::table.find(Id(id.uuid())).filter(users::has_used_free_session.eq(false));
        let claimed = diesel::update(unused)
            .set((users::has_used_free_session.eq(true), users::updated_at.eq(Ts::from(now))))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(claimed == 1)
    }

    fn user_release_free_session(&mut self, id: UserId, now: Timestamp) -> Result<(), StoreError> {
        diesel::update(users::table.find(Id(id.uuid())))
            .set((users::has_used_free_session.eq(false), users::updated_at.eq(Ts::from(now))))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn admins(&mut self) -> Result<Vec<UserId>, StoreError> {
        let ids: Vec<Id> = users::table
            .filter(users::role.eq(Role::Admin.as_str()))
            .filter(users::status.eq(Status::Active.as_str()))
            .order(users::id)
            .select(users::id)
            .kept()
            .load(self.conn())
            .stored()?;
        Ok(ids.into_iter().map(|id| UserId::new(id.0)).collect())
    }

    fn user_traces_delete(&mut self, user: UserId) -> Result<(), StoreError> {
        let id = Id(user.uuid());
        diesel::delete(sign_ins::table.filter(sign_ins::user_id.eq(id)))
            .kept()
            .execute(self.conn())
            .stored()?;
        diesel::delete(api_tokens::table.filter(api_tokens::user_id.eq(id)))
            .kept()
            .execute(self.conn())
            .stored()?;
        diesel::delete(phone_codes::table.filter(phone_codes::user_id.eq(id)))
            .kept()
            .execute(self.conn())
            .stored()?;
        diesel::delete(idempotency_keys::table.filter(idempotency_keys::user_id.eq(id)))
            .kept()
            .execute(self.conn())
            .stored()?;
        diesel::update(audit_log::table.filter(audit_log::actor_id.eq(id)))
            .set(audit_log::address.eq(None::<String>))
            .kept()
            .execute(self.conn())
            .stored()?;
        diesel::update(suspensions::table.filter(suspensions::user_id.eq(id)))
            .set(suspensions::reason.eq(ERASED))
            .kept()
            .execute(self.conn())
            .stored()?;
        let theirs = [("user", id), ("mechanic", id)].map(|(kind, id)| (kind, id.0.to_string()));
        let applications: Vec<Id> = applications::table
            .filter(applications::user_id.eq(id))
            .select(applications::id)
            .kept()
            .load(self.conn())
            .stored()?;
        let applications = applications.into_iter().map(|id| ("application", id.0.to_string()));
        theirs.into_iter().chain(applications).try_for_each(|(kind, id)| words_forget(self, kind, &id))
    }
}
