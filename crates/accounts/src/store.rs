//! What the domain needs of a store.
//!
//! One port in five parts, so that each stays readable; [`Store`] is all of them. Methods answer `false` or `None`
//! instead of an error when a row is absent or taken.

use kernel::{ApiTokenId, AuditId, ProviderId, SignInId, StoreError, Timestamp, UserId};

use crate::api_token::ApiToken;
use crate::attempts::{AttemptKey, LoginAttempts};
use crate::audit::{AuditEntry, AuditFilter};
use crate::email::Email;
use crate::idempotency::{IdempotencyKey, IdempotencyRecord, KeptAnswer, ProcessId};
use crate::one_time::{OneTimeToken, Purpose};
use crate::provider::{Mechanic, Provider};
use crate::second_factor::SecondFactor;
use crate::sign_in::SignIn;
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
    /// Gives the provider that the account runs another name, if it runs one.
    fn provider_rename(&mut self, owner: UserId, name: &str) -> Result<(), StoreError>;
    /// Adds a mechanic.
    fn mechanic_insert(&mut self, mechanic: &Mechanic) -> Result<(), StoreError>;
    /// The mechanic with that account.
    fn mechanic_by_user(&mut self, user: UserId) -> Result<Option<Mechanic>, StoreError>;
    /// The mechanic, locked until the transaction ends.
    fn mechanic_for_update(&mut self, user: UserId) -> Result<Option<Mechanic>, StoreError>;
    /// Writes the mechanic.
    fn mechanic_update(&mut self, mechanic: &Mechanic) -> Result<(), StoreError>;
    /// The approved mechanics on duty whose accounts are active, longest a mechanic first.
    fn mechanics_on_duty(&mut self) -> Result<Vec<UserId>, StoreError>;
    /// The mechanics of a provider.
    fn mechanics_of_provider(&mut self, provider: ProviderId) -> Result<Vec<Mechanic>, StoreError>;
    /// Every mechanic with their person, waiting ones first, then newest first: at most `limit` after the first `offset`.
    fn mechanics(&mut self, offset: u32, limit: u32) -> Result<Vec<(Mechanic, User)>, StoreError>;
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
    /// Removes the record if that process still holds the key and there is no answer.
    fn idempotency_release(&mut self, key: &IdempotencyKey, holder: ProcessId) -> Result<(), StoreError>;

    /// Removes what can't matter any more: sign-ins and links that ended a day ago, windows of attempts and kept
    /// answers that are over. How many rows.
    fn expired_sweep(&mut self, now: Timestamp) -> Result<usize, StoreError>;
}

/// All the parts together.
pub trait Store: UserStore + CredentialStore + SecondFactorStore + ProviderStore + RecordStore {}

impl<T: UserStore + CredentialStore + SecondFactorStore + ProviderStore + RecordStore> Store for T {}
