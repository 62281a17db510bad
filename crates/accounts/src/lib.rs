//! People: who they are, how they prove it, and what is kept about what they did.
//!
//! | module | holds |
//! |---|---|
//! | [`email`], [`profile`], [`password`] | checked values: [`Email`], [`Name`], [`Phone`], [`TimeZone`], [`Password`] |
//! | [`user`], [`change`] | [`User`] and what its person changes |
//! | [`register`] | making an account |
//! | [`token`] | [`Token`] and its hash; only the hash is stored |
//! | [`sign_in`] | signed-in devices, sign-in by password, ending them |
//! | [`attempts`] | how often a password or a link may be asked for |
//! | [`one_time`] | links that work once: verification, sign-in, password reset |
//! | [`phone_code`] | codes that show whose a telephone is |
//! | [`second_factor`] | the code of an authenticator app, recovery codes |
//! | [`api_token`] | tokens of programs |
//! | [`authenticate`] | from a presented token to a [`Principal`] |
//! | [`provider`] | independents and workshops, mechanics, their approval and duty |
//! | [`application`], [`specialty`], [`review`] | applying to work, and an admin's decision |
//! | [`invitation`] | a workshop and its mechanics: inviting, joining, leaving |
//! | [`suspension`] | accounts that an admin closes for now |
//! | [`erase`](mod@erase) | leaving: what remains of a person |
//! | [`audit`] | the audit log |
//! | [`idempotency`] | a request that is sent twice is answered once |
//! | [`return_path`] | where a person goes after signing in |
//! | [`store`] | the ports that a store implements |
//!
//! It owns the tables `users`, `sign_ins`, `api_tokens`, `one_time_tokens`, `phone_codes`, `second_factors`,
//! `recovery_codes`, `login_attempts`, `providers`, `mechanics`, `applications` with their steps and files,
//! `workshop_invitations`, `suspensions`, `audit_log` and `idempotency_keys`.
//!
//! It must never know HTTP, cookies or mails, hash a password (slow work belongs to the app, which hands in the
//! result), keep a token in clear, or answer differently for an e-mail address that has an account than for one
//! that has none.

pub mod api_token;
pub mod application;
pub mod attempts;
pub mod audit;
pub mod authenticate;
pub mod change;
mod device_name;
pub mod email;
pub mod erase;
pub mod error;
pub mod idempotency;
pub mod invitation;
pub mod mail_quota;
pub mod one_time;
pub mod password;
pub mod phone_code;
pub mod profile;
pub mod provider;
pub mod register;
pub mod return_path;
pub mod review;
pub mod second_factor;
pub mod sign_in;
pub mod specialty;
pub mod store;
pub mod suspension;
pub mod token;
pub mod user;

pub use api_token::ApiToken;
pub use application::{
    Application, ApplicationKind, ApplicationRecord, ApplicationStatus, ApplicationStep, Details, StepKind,
    Trade, TypedApplication,
};
pub use attempts::{AttemptKey, LoginAttempts};
pub use audit::{AuditEntry, AuditFilter, NewAuditEntry};
pub use authenticate::{Credential, Principal, Via};
pub use email::Email;
pub use error::{Error, FieldError};
pub use idempotency::{IdempotencyKey, IdempotencyRecord};
pub use invitation::{Invitation, InvitationSecret};
pub use one_time::{OneTimeToken, Purpose};
pub use password::{Password, PasswordHash};
pub use phone_code::{CodeOutcome, CodeSecret, PhoneCode};
pub use profile::{AccountType, Name, Phone, TimeZone};
pub use provider::{
    Approval, ApprovalState, Mechanic, MechanicPlace, MechanicRecord, Provider, ProviderKind,
};
pub use return_path::ReturnPath;
pub use second_factor::{RecoveryCode, SecondFactor, SharedSecret};
pub use sign_in::{Device, SignIn};
pub use specialty::Specialty;
pub use store::{
    ApplicationStore, CredentialStore, ProviderStore, RecordStore, SecondFactorStore, Store, UserStore,
};
pub use suspension::Suspension;
pub use token::{Token, TokenHash};
pub use user::{Status, User, UserRecord};

#[cfg(test)]
mod testing;
