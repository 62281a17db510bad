//! What the domain needs of a store.
//!
//! One port in parts, so that each stays readable; [`Store`] is all of them. Methods answer `false` or `None`
//! instead of an error when a row is absent or taken.

use kernel::{
    ApiTokenId, ApplicationId, ApplicationStepId, AuditId, FileId, InvitationId, ProviderId, SignInId,
    StoreError, Timestamp, UserId,
};

use crate::api_token::ApiToken;
use crate::application::{Application, ApplicationStep};
use crate::attempts::{AttemptKey, LoginAttempts};
use crate::audit::{AuditEntry, AuditFilter};
use crate::email::Email;
use crate::idempotency::{IdempotencyKey, IdempotencyRecord, KeptAnswer, ProcessId};
use crate::invitation::Invitation;
use crate::one_time::{OneTimeToken, Purpose};
use crate::phone_code::PhoneCode;
use crate::provider::{Mechanic, MechanicPlace, Provider};
use crate::second_factor::SecondFactor;
use crate::sign_in::SignIn;
use crate::suspension::Suspension;
use crate::token::TokenHash;
use crate::user::User;

/// Accounts.
pub trait UserStore {
    /// Adds the account; `false` when its e-mail address is taken.
    fn user_insert(&mut self, user: &User) -> Result<bool, StoreError>;
    /// The account of that id.
    fn user_by_id(&mut self, id: UserId) -> Result<Option<User>, StoreError>;
    /// The accounts of those ids that exist, in no order.
    fn users_by_ids(&mut self, ids: &[UserId]) -> Result<Vec<User>, StoreError>;
    /// The account with that address.
    fn user_by_email(&mut self, email: &Email) -> Result<Option<User>, StoreError>;
    /// The account, locked until the transaction ends.
    fn user_for_update(&mut self, id: UserId) -> Result<Option<User>, StoreError>;
    /// Writes everything but `has_used_free_session`; `false` when the new e-mail address is taken.
    fn user_update(&mut self, user: &User) -> Result<bool, StoreError>;
    /// Marks the free plan as used; `false` when it was used before. Of two calls at once one gets `true`.
    fn user_claim_free_session(&mut self, id: UserId, now: Timestamp) -> Result<bool, StoreError>;
    /// Marks the free plan as unused again.
    fn user_release_free_session(&mut self, id: UserId, now: Timestamp) -> Result<(), StoreError>;
    /// The active admins.
    fn admins(&mut self) -> Result<Vec<UserId>, StoreError>;
    /// Deletes the rows that tell of the person's devices, programs and repeated requests, and the network addresses
    /// of their acts; the acts stay on record.
    fn user_traces_delete(&mut self, user: UserId) -> Result<(), StoreError>;
}

/// What proves who somebody is. Ending a sign-in or token tells the open sockets once it is committed.
pub trait CredentialStore {
    /// Adds a sign-in.
    fn sign_in_insert(&mut self, sign_in: &SignIn) -> Result<(), StoreError>;
    /// The sign-in with that token, live or not, and its person.
    fn sign_in_with_user(&mut self, token: &TokenHash) -> Result<Option<(SignIn, User)>, StoreError>;
    /// The person's sign-ins that are live, newest first, at most 100.
    fn sign_ins_of(&mut self, user: UserId, now: Timestamp) -> Result<Vec<SignIn>, StoreError>;
    /// Notes that a sign-in was used.
    fn sign_in_touch(&mut self, id: SignInId, now: Timestamp) -> Result<(), StoreError>;
    /// Ends one sign-in of the person; `false` when there is none to end.
    fn sign_in_revoke(&mut self, user: UserId, id: SignInId, now: Timestamp) -> Result<bool, StoreError>;
    /// Ends all sign-ins of the person but one; how many.
    fn sign_ins_revoke(
        &mut self,
        user: UserId,
        keep: Option<SignInId>,
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    /// Tells the person's open sockets to end; those whose sign-in or token is still good may come back.
    fn sockets_end(&mut self, user: UserId) -> Result<(), StoreError>;

    /// Adds an API token.
    fn api_token_insert(&mut self, token: &ApiToken) -> Result<(), StoreError>;
    /// The live API token with that secret, and its person.
    fn api_token_with_user(&mut self, token: &TokenHash) -> Result<Option<(ApiToken, User)>, StoreError>;
    /// The person's live API tokens, newest first.
    fn api_tokens_of(&mut self, user: UserId) -> Result<Vec<ApiToken>, StoreError>;
    /// Notes that an API token was used.
    fn api_token_touch(&mut self, id: ApiTokenId, now: Timestamp) -> Result<(), StoreError>;
    /// Ends one API token of the person; `false` when there is none to end.
    fn api_token_revoke(&mut self, user: UserId, id: ApiTokenId, now: Timestamp) -> Result<bool, StoreError>;
    /// Ends all API tokens of the person; how many.
    fn api_tokens_revoke(&mut self, user: UserId, now: Timestamp) -> Result<usize, StoreError>;

    /// Adds a link that works once.
    fn one_time_token_insert(&mut self, token: &OneTimeToken) -> Result<(), StoreError>;
    /// The link with that secret, unless it was used or voided. It may be too old.
    fn one_time_token_by_hash(
        &mut self,
        purpose: Purpose,
        token: &TokenHash,
    ) -> Result<Option<OneTimeToken>, StoreError>;
    /// The same, and uses it up: of two calls at once one gets it.
    fn one_time_token_claim(
        &mut self,
        purpose: Purpose,
        token: &TokenHash,
    ) -> Result<Option<OneTimeToken>, StoreError>;
    /// Voids the person's unused links for that purpose.
    fn one_time_tokens_void(&mut self, user: UserId, purpose: Purpose) -> Result<(), StoreError>;

    /// The code in force, or the last one, of the person. Whoever changes it has locked the person.
    fn phone_code(&mut self, user: UserId) -> Result<Option<PhoneCode>, StoreError>;
    /// Writes the person's code in place of the one before.
    fn phone_code_put(&mut self, code: &PhoneCode) -> Result<(), StoreError>;
    /// The newest unused link of the person for that purpose. It may be too old.
    fn one_time_token_of(
        &mut self,
        user: UserId,
        purpose: Purpose,
    ) -> Result<Option<OneTimeToken>, StoreError>;

    /// The failures so far, without a lock.
    fn login_attempts(&mut self, key: &AttemptKey) -> Result<Option<LoginAttempts>, StoreError>;
    /// The failures so far, locked until the transaction ends also when there are none.
    fn login_attempts_for_update(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
    ) -> Result<LoginAttempts, StoreError>;
    /// Writes the failures so far.
    fn login_attempts_put(&mut self, key: &AttemptKey, attempts: LoginAttempts) -> Result<(), StoreError>;
}

/// Authenticator apps and recovery codes.
pub trait SecondFactorStore {
    /// The person's authenticator app, turned on or not.
    fn second_factor_by_user(&mut self, user: UserId) -> Result<Option<SecondFactor>, StoreError>;
    /// The same, locked until the transaction ends.
    fn second_factor_for_update(&mut self, user: UserId) -> Result<Option<SecondFactor>, StoreError>;
    /// Writes the authenticator app in the place of another.
    fn second_factor_put(&mut self, factor: &SecondFactor) -> Result<(), StoreError>;
    /// Removes the authenticator app and the recovery codes, if there are any.
    fn second_factor_delete(&mut self, user: UserId) -> Result<(), StoreError>;
    /// Puts these recovery codes in the place of the person's others.
    fn recovery_codes_replace(
        &mut self,
        user: UserId,
        codes: &[TokenHash],
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Uses a recovery code up; `false` when the person has no such code.
    fn recovery_code_claim(&mut self, user: UserId, code: &TokenHash) -> Result<bool, StoreError>;
    /// How many recovery codes the person has left.
    fn recovery_codes_left(&mut self, user: UserId) -> Result<usize, StoreError>;
}

/// Providers and mechanics.
pub trait ProviderStore {
    /// Adds a provider.
    fn provider_insert(&mut self, provider: &Provider) -> Result<(), StoreError>;
    /// The provider of that id.
    fn provider_by_id(&mut self, id: ProviderId) -> Result<Option<Provider>, StoreError>;
    /// The provider that the account runs.
    fn provider_by_owner(&mut self, owner: UserId) -> Result<Option<Provider>, StoreError>;
    /// Removes a provider that nothing refers to.
    fn provider_delete(&mut self, id: ProviderId) -> Result<(), StoreError>;
    /// Gives the provider that the account runs another name, if it runs one.
    fn provider_rename(&mut self, owner: UserId, name: &str) -> Result<(), StoreError>;
    /// Adds a mechanic.
    fn mechanic_insert(&mut self, mechanic: &Mechanic) -> Result<(), StoreError>;
    /// The mechanic with that account.
    fn mechanic_by_user(&mut self, user: UserId) -> Result<Option<Mechanic>, StoreError>;
    /// The mechanic, locked until the transaction ends.
    fn mechanic_for_update(&mut self, user: UserId) -> Result<Option<Mechanic>, StoreError>;
    /// Removes a mechanic who never worked; the account stays.
    fn mechanic_delete(&mut self, user: UserId) -> Result<(), StoreError>;
    /// Writes the mechanic.
    fn mechanic_update(&mut self, mechanic: &Mechanic) -> Result<(), StoreError>;
    /// The approved mechanics on duty whose accounts are active, longest a mechanic first.
    fn mechanics_on_duty(&mut self) -> Result<Vec<UserId>, StoreError>;
    /// The mechanics of a provider.
    fn mechanics_of_provider(&mut self, provider: ProviderId) -> Result<Vec<Mechanic>, StoreError>;
    /// Every mechanic with their person, waiting ones first, then the newest accounts first: at most `limit` after that
    /// place.
    fn mechanics(
        &mut self,
        after: Option<MechanicPlace>,
        limit: u32,
    ) -> Result<Vec<(Mechanic, User)>, StoreError>;
}

/// The audit log and kept answers.
pub trait RecordStore {
    /// Adds a line to the audit log.
    fn audit_insert(&mut self, entry: &AuditEntry) -> Result<(), StoreError>;
    /// At most `limit` lines before that one that fit, newest first.
    fn audit_page(
        &mut self,
        filter: &AuditFilter,
        before: Option<AuditId>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError>;

    /// Adds a record; `false` when the key has one.
    fn idempotency_insert(
        &mut self,
        key: &IdempotencyKey,
        record: &IdempotencyRecord,
    ) -> Result<bool, StoreError>;
    /// The record of the key.
    fn idempotency_by_key(&mut self, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError>;
    /// Puts `fresh` in the place of `found`; `false` when the record is no longer `found`.
    fn idempotency_replace(
        &mut self,
        key: &IdempotencyKey,
        found: &IdempotencyRecord,
        fresh: &IdempotencyRecord,
    ) -> Result<bool, StoreError>;
    /// Keeps the answer if that process still holds the key.
    fn idempotency_complete(
        &mut self,
        key: &IdempotencyKey,
        holder: ProcessId,
        answer: &KeptAnswer,
    ) -> Result<bool, StoreError>;
    /// Notes how far a request came if that process still holds its key and there is no answer.
    fn idempotency_reach(
        &mut self,
        key: &IdempotencyKey,
        holder: ProcessId,
        reached: &str,
    ) -> Result<(), StoreError>;
    /// Removes the record if that process still holds the key and there is no answer; one that has reached something stays,
    /// held by nobody.
    fn idempotency_release(&mut self, key: &IdempotencyKey, holder: ProcessId) -> Result<(), StoreError>;

    /// Removes what can't matter any more: sign-ins and links that ended a day ago, windows of attempts and kept
    /// answers that are over. How many rows.
    fn expired_sweep(&mut self, now: Timestamp) -> Result<usize, StoreError>;
}

/// Applications, the invitations of workshops, and accounts that are closed for now.
pub trait ApplicationStore {
    /// Adds an application without its files; `false` when its person has an open one.
    fn application_insert(&mut self, application: &Application) -> Result<bool, StoreError>;
    /// The application of that id.
    fn application_by_id(&mut self, id: ApplicationId) -> Result<Option<Application>, StoreError>;
    /// The application, locked until the transaction ends.
    fn application_for_update(&mut self, id: ApplicationId) -> Result<Option<Application>, StoreError>;
    /// The newest application of the person.
    fn application_latest(&mut self, user: UserId) -> Result<Option<Application>, StoreError>;
    /// Writes everything but the files.
    fn application_update(&mut self, application: &Application) -> Result<(), StoreError>;
    /// Makes the application's files the ones it names, and keeps them; those it named before are swept a day later.
    /// Answers a file that can't be used and changes nothing then: gone, not the applicant's, in use elsewhere, or of
    /// a type that is not in [`crate::application::APPLICATION_FILE_TYPES`].
    fn application_files_put(
        &mut self,
        application: &Application,
        now: Timestamp,
    ) -> Result<Option<FileId>, StoreError>;
    /// Adds what was said or decided.
    fn application_step_insert(&mut self, step: &ApplicationStep) -> Result<(), StoreError>;
    /// What was said or decided, in order.
    fn application_steps(&mut self, id: ApplicationId) -> Result<Vec<ApplicationStep>, StoreError>;
    /// One step.
    fn application_step_by_id(
        &mut self,
        id: ApplicationStepId,
    ) -> Result<Option<ApplicationStep>, StoreError>;

    /// Deletes the person's applications and lets their files go, and takes the person's address out of invitations.
    fn applications_forget(&mut self, user: UserId, now: Timestamp) -> Result<(), StoreError>;

    /// Deletes applications that were refused or withdrawn before that instant and lets their files go; at most `limit`,
    /// and how many there were.
    fn applications_forget_before(
        &mut self,
        before: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    /// Deletes invitations that nobody accepted and that ended by themselves before that instant; at most `limit`, and
    /// how many there were.
    fn invitations_delete_unused(&mut self, before: Timestamp, limit: u32) -> Result<usize, StoreError>;

    /// Adds an invitation.
    fn invitation_insert(&mut self, invitation: &Invitation) -> Result<(), StoreError>;
    /// The invitation of that id.
    fn invitation_by_id(&mut self, id: InvitationId) -> Result<Option<Invitation>, StoreError>;
    /// The invitation with that secret, open or not.
    fn invitation_by_token(&mut self, token: &TokenHash) -> Result<Option<Invitation>, StoreError>;
    /// The invitations of a workshop that were neither accepted nor revoked, newest first. They may be too old.
    fn invitations_open(&mut self, provider: ProviderId) -> Result<Vec<Invitation>, StoreError>;
    /// The newest invitation of a workshop that this person accepted.
    fn invitation_accepted(
        &mut self,
        provider: ProviderId,
        user: UserId,
    ) -> Result<Option<Invitation>, StoreError>;
    /// Takes an invitation of the workshop back; `false` when it was accepted, revoked, or is not theirs.
    fn invitation_revoke(
        &mut self,
        provider: ProviderId,
        id: InvitationId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Notes who accepted; `false` when it was accepted or revoked before. Of two calls at once one gets `true`.
    fn invitation_accept(
        &mut self,
        id: InvitationId,
        user: UserId,
        was_approved: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Adds a suspension; the account has none that is in force.
    fn suspension_insert(&mut self, suspension: &Suspension) -> Result<(), StoreError>;
    /// The suspension in force.
    fn suspension_of(&mut self, user: UserId) -> Result<Option<Suspension>, StoreError>;
    /// Ends the suspension in force.
    fn suspension_restore(&mut self, user: UserId, by: UserId, now: Timestamp) -> Result<(), StoreError>;
}

/// All the parts together.
pub trait Store:
    UserStore + CredentialStore + SecondFactorStore + ProviderStore + RecordStore + ApplicationStore
{
}

impl<T> Store for T where
    T: UserStore + CredentialStore + SecondFactorStore + ProviderStore + RecordStore + ApplicationStore
{
}
