//! What proves who somebody is. Ending access is told to the open sockets after the commit.

use accounts::authenticate::Via;
use accounts::{
    ApiToken, AttemptKey, CredentialStore, Device, Email, LoginAttempts, OneTimeToken, PhoneCode, Purpose,
    ReturnPath, SignIn, TokenHash, User,
};
use diesel::RunQueryDsl;
use diesel::prelude::{
    ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use kernel::{ApiTokenId, OneTimeTokenId, SignInId, StoreError, Timestamp, UserId};

use super::phone_codes;
use super::users::Row as UserRow;
use crate::connection::AnyConnection;
use crate::error::Stored;
use crate::notice::Notice;
use crate::prepared::{Keep, on};
use crate::schema::accounts::{api_tokens, login_attempts, one_time_tokens, sign_ins, users};
use crate::tx::Tx;
use crate::types::{Id, Ts};

/// Devices on one list.
const SIGN_INS_LISTED: i64 = 100;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = sign_ins, treat_none_as_default_value = false)]
struct SignInRow {
    id: Id,
    user_id: Id,
    token_hash: Vec<u8>,
    user_agent: String,
    address: String,
    created_at: Ts,
    last_seen_at: Ts,
    expires_at: Ts,
    revoked_at: Option<Ts>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_tokens, treat_none_as_default_value = false)]
struct ApiTokenRow {
    id: Id,
    user_id: Id,
    name: String,
    token_hash: Vec<u8>,
    created_at: Ts,
    last_used_at: Option<Ts>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = one_time_tokens, treat_none_as_default_value = false)]
struct OneTimeTokenRow {
    id: Id,
    user_id: Id,
    purpose: String,
    email: String,
    token_hash: Vec<u8>,
    return_path: Option<String>,
    created_at: Ts,
    expires_at: Ts,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = login_attempts)]
struct AttemptsRow {
    account_hash: Vec<u8>,
    address: String,
    window_started_at: Ts,
    failures: i64,
}

pub(super) fn token_hash(entity: &str, bytes: Vec<u8>) -> Result<TokenHash, StoreError> {
    let bytes =
        <[u8; 32]>::try_from(bytes).map_err(|_| StoreError::corrupt(entity, "the length of a hash"))?;
    Ok(TokenHash::new(bytes))
}

impl From<&SignIn> for SignInRow {
    fn from(sign_in: &SignIn) -> Self {
        Self {
            id: Id(sign_in.id.uuid()),
            user_id: Id(sign_in.user.uuid()),
            token_hash: sign_in.token.as_bytes().to_vec(),
            user_agent: sign_in.device.user_agent().to_owned(),
            address: sign_in.device.address().to_owned(),
            created_at: sign_in.created_at.into(),
            last_seen_at: sign_in.last_seen_at.into(),
            expires_at: sign_in.expires_at.into(),
            revoked_at: sign_in.revoked_at.map(Ts::from),
        }
    }
}

impl TryFrom<SignInRow> for SignIn {
    type Error = StoreError;

    fn try_from(row: SignInRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: SignInId::new(row.id.0),
            user: UserId::new(row.user_id.0),
            token: token_hash("sign-in", row.token_hash)?,
            device: Device::new(&row.user_agent, &row.address),
            created_at: row.created_at.into(),
            last_seen_at: row.last_seen_at.into(),
            expires_at: row.expires_at.into(),
            revoked_at: row.revoked_at.map(Timestamp::from),
        })
    }
}

impl From<&ApiToken> for ApiTokenRow {
    fn from(token: &ApiToken) -> Self {
        Self {
            id: Id(token.id.uuid()),
            user_id: Id(token.user.uuid()),
            name: token.name.clone(),
            token_hash: token.token.as_bytes().to_vec(),
            created_at: token.created_at.into(),
            last_used_at: token.last_used_at.map(Ts::from),
        }
    }
}

impl TryFrom<ApiTokenRow> for ApiToken {
    type Error = StoreError;

    fn try_from(row: ApiTokenRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ApiTokenId::new(row.id.0),
            user: UserId::new(row.user_id.0),
            name: row.name,
            token: token_hash("API token", row.token_hash)?,
            created_at: row.created_at.into(),
            last_used_at: row.last_used_at.map(Timestamp::from),
        })
    }
}

impl From<&OneTimeToken> for OneTimeTokenRow {
    fn from(token: &OneTimeToken) -> Self {
        Self {
            id: Id(token.id.uuid()),
            user_id: Id(token.user.uuid()),
            purpose: token.purpose.as_str().to_owned(),
            email: token.email.as_str().to_owned(),
            token_hash: token.token.as_bytes().to_vec(),
            return_path: token.return_path.as_ref().map(|path| path.as_str().to_owned()),
            created_at: token.created_at.into(),
            expires_at: token.expires_at.into(),
        }
    }
}

impl TryFrom<OneTimeTokenRow> for OneTimeToken {
    type Error = StoreError;

    fn try_from(row: OneTimeTokenRow) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::corrupt("one-time token", format!("{what} of {}", row.id.0));
        let return_path = row.return_path.as_deref().map(ReturnPath::parse).transpose();
        Ok(Self {
            id: OneTimeTokenId::new(row.id.0),
            user: UserId::new(row.user_id.0),
            purpose: Purpose::parse(&row.purpose).ok_or_else(|| corrupt("purpose"))?,
            email: Email::parse(&row.email).map_err(|_| corrupt("email"))?,
            return_path: return_path.map_err(|_| corrupt("path"))?,
            token: token_hash("one-time token", row.token_hash)?,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
        })
    }
}

impl TryFrom<AttemptsRow> for LoginAttempts {
    type Error = StoreError;

    fn try_from(row: AttemptsRow) -> Result<Self, StoreError> {
        let failures =
            u32::try_from(row.failures).map_err(|_| StoreError::corrupt("login attempts", "failures"))?;
        Ok(Self { window_started_at: row.window_started_at.into(), failures })
    }
}

fn attempts_row(key: &AttemptKey, attempts: LoginAttempts) -> AttemptsRow {
    AttemptsRow {
        account_hash: key.account().to_vec(),
        address: key.address().to_owned(),
        window_started_at: attempts.window_started_at.into(),
        failures: i64::from(attempts.failures),
    }
}

impl CredentialStore for Tx<'_> {
    fn sign_in_insert(&mut self, sign_in: &SignIn) -> Result<(), StoreError> {
        diesel::insert_into(sign_ins::table)
            .values(SignInRow::from(sign_in))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn sign_in_with_user(&mut self, token: &TokenHash) -> Result<Option<(SignIn, User)>, StoreError> {
        let query = sign_ins::table
            .inner_join(users::table)
            .filter(sign_ins::token_hash.eq(token.as_bytes().to_vec()))
            .limit(1);
        let found: Option<(SignInRow, UserRow)> = on!(self.conn(), typed => {
            query.select((SignInRow::as_select(), UserRow::as_select())).kept().get_result(typed)
        })
        .optional()
        .stored()?;
        found.map(|(sign_in, user)| Ok((sign_in.try_into()?, user.try_into()?))).transpose()
    }

    fn sign_ins_of(&mut self, user: UserId, now: Timestamp) -> Result<Vec<SignIn>, StoreError> {
        let rows: Vec<SignInRow> = sign_ins::table
            .filter(sign_ins::user_id.eq(Id(user.uuid())))
            .filter(sign_ins::revoked_at.is_null())
            .filter(sign_ins::expires_at.gt(Ts::from(now)))
            .order(sign_ins::id.desc())
            .limit(SIGN_INS_LISTED)
            .select(SignInRow::as_select())
            .kept()
            .load(self.conn())
            .stored()?;
        rows.into_iter().map(SignIn::try_from).collect()
    }

    fn sign_in_touch(&mut self, id: SignInId, now: Timestamp) -> Result<(), StoreError> {
        diesel::update(sign_ins::table.find(Id(id.uuid())))
            .set(sign_ins::last_seen_at.eq(Ts::from(now)))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn sign_in_revoke(&mut self, user: UserId, id: SignInId, now: Timestamp) -> Result<bool, StoreError> {
        let live = sign_ins::table
            .find(Id(id.uuid()))
            .filter(sign_ins::user_id.eq(Id(user.uuid())))
            .filter(sign_ins::revoked_at.is_null());
        let ended = diesel::update(live)
            .set(sign_ins::revoked_at.eq(Ts::from(now)))
            .kept()
            .execute(self.conn())
            .stored()?;
        if ended == 1 {
            self.notify(Notice::AccessEnded { user, via: Some(Via::SignIn(id)) });
        }
        Ok(ended == 1)
    }

    fn sign_ins_revoke(
        &mut self,
        user: UserId,
        keep: Option<SignInId>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let live: Vec<Id> = sign_ins::table
            .filter(sign_ins::user_id.eq(Id(user.uuid())))
            .filter(sign_ins::revoked_at.is_null())
            .filter(sign_ins::expires_at.gt(Ts::from(now)))
            .select(sign_ins::id)
            .kept()
            .load(self.conn())
            .stored()?;
        let others = live.into_iter().map(|id| SignInId::new(id.0)).filter(|id| Some(*id) != keep);
        let mut ended = 0;
        for id in others {
            ended += usize::from(self.sign_in_revoke(user, id, now)?);
        }
        Ok(ended)
    }

    fn sockets_end(&mut self, user: UserId) -> Result<(), StoreError> {
        self.notify(Notice::AccessEnded { user, via: None });
        Ok(())
    }

    fn api_token_insert(&mut self, token: &ApiToken) -> Result<(), StoreError> {
        diesel::insert_into(api_tokens::table)
            .values(ApiTokenRow::from(token))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn api_token_with_user(&mut self, token: &TokenHash) -> Result<Option<(ApiToken, User)>, StoreError> {
        let found: Option<(ApiTokenRow, UserRow)> = api_tokens::table
            .inner_join(users::table)
            .filter(api_tokens::token_hash.eq(token.as_bytes().to_vec()))
            .filter(api_tokens::revoked_at.is_null())
            .select((ApiTokenRow::as_select(), UserRow::as_select()))
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        found.map(|(token, user)| Ok((token.try_into()?, user.try_into()?))).transpose()
    }

    fn api_tokens_of(&mut self, user: UserId) -> Result<Vec<ApiToken>, StoreError> {
        let rows: Vec<ApiTokenRow> = api_tokens::table
            .filter(api_tokens::user_id.eq(Id(user.uuid())))
            .filter(api_tokens::revoked_at.is_null())
            .order(api_tokens::id.desc())
            .select(ApiTokenRow::as_select())
            .kept()
            .load(self.conn())
            .stored()?;
        rows.into_iter().map(ApiToken::try_from).collect()
    }

    fn api_token_touch(&mut self, id: ApiTokenId, now: Timestamp) -> Result<(), StoreError> {
        diesel::update(api_tokens::table.find(Id(id.uuid())))
            .set(api_tokens::last_used_at.eq(Ts::from(now)))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn api_token_revoke(&mut self, user: UserId, id: ApiTokenId, now: Timestamp) -> Result<bool, StoreError> {
        let live = api_tokens::table
            .find(Id(id.uuid()))
            .filter(api_tokens::user_id.eq(Id(user.uuid())))
            .filter(api_tokens::revoked_at.is_null());
        let ended = diesel::update(live)
            .set(api_tokens::revoked_at.eq(Ts::from(now)))
            .kept()
            .execute(self.conn())
            .stored()?;
        if ended == 1 {
            self.notify(Notice::AccessEnded { user, via: Some(Via::ApiToken(id)) });
        }
        Ok(ended == 1)
    }

    fn api_tokens_revoke(&mut self, user: UserId, now: Timestamp) -> Result<usize, StoreError> {
        let live: Vec<Id> = api_tokens::table
            .filter(api_tokens::user_id.eq(Id(user.uuid())))
            .filter(api_tokens::revoked_at.is_null())
            .select(api_tokens::id)
            .kept()
            .load(self.conn())
            .stored()?;
        let mut ended = 0;
        for id in live {
            ended += usize::from(self.api_token_revoke(user, ApiTokenId::new(id.0), now)?);
        }
        Ok(ended)
    }

    fn one_time_token_insert(&mut self, token: &OneTimeToken) -> Result<(), StoreError> {
        diesel::insert_into(one_time_tokens::table)
            .values(OneTimeTokenRow::from(token))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn one_time_token_by_hash(
        &mut self,
        purpose: Purpose,
        token: &TokenHash,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        let row: Option<OneTimeTokenRow> = one_time_tokens::table
            .filter(one_time_tokens::token_hash.eq(token.as_bytes().to_vec()))
            .filter(one_time_tokens::purpose.eq(purpose.as_str()))
            .select(OneTimeTokenRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(OneTimeToken::try_from).transpose()
    }

    fn one_time_token_claim(
        &mut self,
        purpose: Purpose,
        token: &TokenHash,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        let Some(found) = self.one_time_token_by_hash(purpose, token)? else { return Ok(None) };
        // The second of two transactions at once finds nothing left to delete.
        let deleted = diesel::delete(one_time_tokens::table.find(Id(found.id.uuid())))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok((deleted == 1).then_some(found))
    }

    fn one_time_tokens_void(&mut self, user: UserId, purpose: Purpose) -> Result<(), StoreError> {
        let unused = one_time_tokens::table
            .filter(one_time_tokens::user_id.eq(Id(user.uuid())))
            .filter(one_time_tokens::purpose.eq(purpose.as_str()));
        diesel::delete(unused).kept().execute(self.conn()).stored().map(drop)
    }

    fn phone_code(&mut self, user: UserId) -> Result<Option<PhoneCode>, StoreError> {
        phone_codes::read(self, user)
    }

    fn phone_code_put(&mut self, code: &PhoneCode) -> Result<(), StoreError> {
        phone_codes::put(self, code)
    }

    fn one_time_token_of(
        &mut self,
        user: UserId,
        purpose: Purpose,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        let row: Option<OneTimeTokenRow> = one_time_tokens::table
            .filter(one_time_tokens::user_id.eq(Id(user.uuid())))
            .filter(one_time_tokens::purpose.eq(purpose.as_str()))
            .order(one_time_tokens::id.desc())
            .select(OneTimeTokenRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(OneTimeToken::try_from).transpose()
    }

    fn login_attempts(&mut self, key: &AttemptKey) -> Result<Option<LoginAttempts>, StoreError> {
        let row: Option<AttemptsRow> = login_attempts::table
            .find((key.account().to_vec(), key.address()))
            .select(AttemptsRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(LoginAttempts::try_from).transpose()
    }

    fn login_attempts_for_update(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
    ) -> Result<LoginAttempts, StoreError> {
        // A row that is not there can't be locked.
        let insert = diesel::insert_into(login_attempts::table)
            .values(attempts_row(key, LoginAttempts::none(now)))
            .on_conflict_do_nothing();
        insert.kept().execute(self.conn()).stored()?;
        let query = login_attempts::table.find((key.account().to_vec(), key.address()));
        let row = match self.conn() {
            AnyConnection::Postgres(postgres) => {
                query.select(AttemptsRow::as_select()).for_update().first(postgres)
            }
            AnyConnection::Sqlite(sqlite) => query.select(AttemptsRow::as_select()).first(sqlite),
        };
        // A sweep may have removed it between the two statements.
        match row.optional().stored()? {
            Some(row) => row.try_into(),
            None => Err(StoreError::Retry("the window of attempts was just removed".to_owned())),
        }
    }

    fn login_attempts_put(&mut self, key: &AttemptKey, attempts: LoginAttempts) -> Result<(), StoreError> {
        let row = attempts_row(key, attempts);
        diesel::update(login_attempts::table.find((row.account_hash, row.address)))
            .set((
                login_attempts::window_started_at.eq(row.window_started_at),
                login_attempts::failures.eq(row.failures),
            ))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }
}
