//! The port of applications, invitations and suspensions.

use accounts::{Application, ApplicationStep, ApplicationStore, Email, Invitation, Suspension, TokenHash};
use diesel::RunQueryDsl;
use diesel::prelude::{
    ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use kernel::{
    ApplicationId, ApplicationStepId, FileId, InvitationId, ProviderId, StoreError, Timestamp, UserId,
};

use super::applications;
use super::credentials::token_hash;
use crate::error::Stored;
use crate::prepared::Keep;
use crate::schema::accounts::users;
use crate::schema::applications::{suspensions, workshop_invitations};
use crate::tx::Tx;
use crate::types::{Id, Ts};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = workshop_invitations, treat_none_as_default_value = false)]
struct InvitationRow {
    id: Id,
    provider_id: Id,
    email: String,
    invited_by: Id,
    token_hash: Vec<u8>,
    created_at: Ts,
    expires_at: Ts,
    revoked_at: Option<Ts>,
    accepted_by: Option<Id>,
    accepted_at: Option<Ts>,
    was_approved: bool,
}

impl From<&Invitation> for InvitationRow {
    fn from(invitation: &Invitation) -> Self {
        Self {
            id: Id(invitation.id.uuid()),
            provider_id: Id(invitation.provider.uuid()),
            email: invitation.email.as_str().to_owned(),
            invited_by: Id(invitation.invited_by.uuid()),
            token_hash: invitation.token.as_bytes().to_vec(),
            created_at: invitation.created_at.into(),
            expires_at: invitation.expires_at.into(),
            revoked_at: invitation.revoked_at.map(Ts::from),
            accepted_by: invitation.accepted.map(|(user, _)| Id(user.uuid())),
            accepted_at: invitation.accepted.map(|(_, at)| at.into()),
            was_approved: invitation.was_approved,
        }
    }
}

impl TryFrom<InvitationRow> for Invitation {
    type Error = StoreError;

    fn try_from(row: InvitationRow) -> Result<Self, StoreError> {
        let email = Email::parse(&row.email)
            .map_err(|_| StoreError::corrupt("invitation", format!("email of {}", row.id.0)))?;
        Ok(Self {
            id: InvitationId::new(row.id.0),
            provider: ProviderId::new(row.provider_id.0),
            email,
            invited_by: UserId::new(row.invited_by.0),
            token: token_hash("invitation", row.token_hash)?,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
            revoked_at: row.revoked_at.map(Timestamp::from),
            accepted: row.accepted_by.zip(row.accepted_at).map(|(user, at)| (UserId::new(user.0), at.into())),
            was_approved: row.was_approved,
        })
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = suspensions, treat_none_as_default_value = false)]
struct SuspensionRow {
    user_id: Id,
    suspended_at: Ts,
    suspended_by: Id,
    reason: String,
    restored_at: Option<Ts>,
    restored_by: Option<Id>,
}

impl From<SuspensionRow> for Suspension {
    fn from(row: SuspensionRow) -> Self {
        Self {
            user: UserId::new(row.user_id.0),
            at: row.suspended_at.into(),
            by: UserId::new(row.suspended_by.0),
            reason: row.reason,
            restored: row.restored_at.zip(row.restored_by).map(|(at, by)| (at.into(), UserId::new(by.0))),
        }
    }
}

impl ApplicationStore for Tx<'_> {
    fn application_insert(&mut self, application: &Application) -> Result<bool, StoreError> {
        applications::insert(self, application)
    }

    fn application_by_id(&mut self, id: ApplicationId) -> Result<Option<Application>, StoreError> {
        applications::by_id(self, id)
    }

    fn application_for_update(&mut self, id: ApplicationId) -> Result<Option<Application>, StoreError> {
        applications::for_update(self, id)
    }

    fn application_latest(&mut self, user: UserId) -> Result<Option<Application>, StoreError> {
        applications::latest(self, user)
    }

    fn application_update(&mut self, application: &Application) -> Result<(), StoreError> {
        applications::update(self, application)
    }

    fn application_files_put(
        &mut self,
        application: &Application,
        now: Timestamp,
    ) -> Result<Option<FileId>, StoreError> {
        applications::put_files(self, application, now)
    }

    fn application_step_insert(&mut self, step: &ApplicationStep) -> Result<(), StoreError> {
        applications::insert_step(self, step)
    }

    fn application_steps(&mut self, id: ApplicationId) -> Result<Vec<ApplicationStep>, StoreError> {
        applications::steps(self, id)
    }

    fn application_step_by_id(
        &mut self,
        id: ApplicationStepId,
    ) -> Result<Option<ApplicationStep>, StoreError> {
        applications::step_by_id(self, id)
    }

    fn applications_forget_before(
        &mut self,
        before: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        applications::forget_before(self, before, limit, now)
    }

    fn applications_forget(&mut self, user: UserId, now: Timestamp) -> Result<(), StoreError> {
        use workshop_invitations as i;
        applications::forget(self, user, now)?;
        let id = Id(user.uuid());
        let address: Option<String> = users::table
            .find(id)
            .select(users::email)
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        let unused =
            i::table.filter(i::accepted_at.is_null()).filter(i::email.eq(address.unwrap_or_default()));
        diesel::delete(unused).kept().execute(self.conn()).stored()?;
        diesel::update(i::table.filter(i::accepted_by.eq(id)))
            .set(i::email.eq(format!("erased-{user}@erased.invalid")))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn invitations_delete_unused(&mut self, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
        use workshop_invitations as i;
        let over: Vec<Id> = i::table
            .filter(i::accepted_at.is_null())
            .filter(i::expires_at.lt(Ts::from(before)))
            .limit(i64::from(limit))
            .select(i::id)
            .load(self.conn())
            .stored()?;
        diesel::delete(i::table.filter(i::id.eq_any(over))).execute(self.conn()).stored()
    }

    fn invitation_insert(&mut self, invitation: &Invitation) -> Result<(), StoreError> {
        diesel::insert_into(workshop_invitations::table)
            .values(InvitationRow::from(invitation))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }

    fn invitation_by_id(&mut self, id: InvitationId) -> Result<Option<Invitation>, StoreError> {
        let row: Option<InvitationRow> = workshop_invitations::table
            .find(Id(id.uuid()))
            .select(InvitationRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(Invitation::try_from).transpose()
    }

    fn invitation_by_token(&mut self, token: &TokenHash) -> Result<Option<Invitation>, StoreError> {
        let row: Option<InvitationRow> = workshop_invitations::table
            .filter(workshop_invitations::token_hash.eq(token.as_bytes().to_vec()))
            .select(InvitationRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(Invitation::try_from).transpose()
    }

    fn invitations_open(&mut self, provider: ProviderId) -> Result<Vec<Invitation>, StoreError> {
        use workshop_invitations as i;
        let rows: Vec<InvitationRow> = i::table
            .filter(i::provider_id.eq(Id(provider.uuid())))
            .filter(i::accepted_at.is_null())
            .filter(i::revoked_at.is_null())
            .order(i::id.desc())
            .select(InvitationRow::as_select())
            .kept()
            .load(self.conn())
            .stored()?;
        rows.into_iter().map(Invitation::try_from).collect()
    }

    fn invitation_accepted(
        &mut self,
        provider: ProviderId,
        user: UserId,
    ) -> Result<Option<Invitation>, StoreError> {
        use workshop_invitations as i;
        let row: Option<InvitationRow> = i::table
            .filter(i::provider_id.eq(Id(provider.uuid())))
            .filter(i::accepted_by.eq(Id(user.uuid())))
            .order(i::accepted_at.desc())
            .select(InvitationRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        row.map(Invitation::try_from).transpose()
    }

    fn invitation_revoke(
        &mut self,
        provider: ProviderId,
        id: InvitationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        use workshop_invitations as i;
        let open = i::table
            .find(Id(id.uuid()))
            .filter(i::provider_id.eq(Id(provider.uuid())))
            .filter(i::accepted_at.is_null())
            .filter(i::revoked_at.is_null());
        let revoked = diesel::update(open)
            .set(i::revoked_at.eq(Some(Ts::from(now))))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(revoked == 1)
    }

    fn invitation_accept(
        &mut self,
        id: InvitationId,
        user: UserId,
        was_approved: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        use workshop_invitations as i;
        let open =
            i::table.find(Id(id.uuid())).filter(i::accepted_at.is_null()).filter(i::revoked_at.is_null());
        let accepted = diesel::update(open)
            .set((
                i::accepted_by.eq(Some(Id(user.uuid()))),
                i::accepted_at.eq(Some(Ts::from(now))),
                i::was_approved.eq(was_approved),
            ))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(accepted == 1)
    }

    fn suspension_insert(&mut self, suspension: &Suspension) -> Result<(), StoreError> {
        let row = SuspensionRow {
            user_id: Id(suspension.user.uuid()),
            suspended_at: suspension.at.into(),
            suspended_by: Id(suspension.by.uuid()),
            reason: suspension.reason.clone(),
            restored_at: suspension.restored.map(|(at, _)| at.into()),
            restored_by: suspension.restored.map(|(_, by)| Id(by.uuid())),
        };
        diesel::insert_into(suspensions::table).values(row).kept().execute(self.conn()).stored().map(drop)
    }

    fn suspension_of(&mut self, user: UserId) -> Result<Option<Suspension>, StoreError> {
        let row: Option<SuspensionRow> = suspensions::table
            .filter(suspensions::user_id.eq(Id(user.uuid())))
            .filter(suspensions::restored_at.is_null())
            .select(SuspensionRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        Ok(row.map(Suspension::from))
    }

    fn suspension_restore(&mut self, user: UserId, by: UserId, now: Timestamp) -> Result<(), StoreError> {
        let in_force = suspensions::table
            .filter(suspensions::user_id.eq(Id(user.uuid())))
            .filter(suspensions::restored_at.is_null());
        diesel::update(in_force)
            .set((
                suspensions::restored_at.eq(Some(Ts::from(now))),
                suspensions::restored_by.eq(Some(Id(by.uuid()))),
            ))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }
}
