//! Applications, invitations and suspensions.
#![expect(missing_docs, reason = "the migration says what each column holds")]

use super::accounts::{mechanics, users};
use super::sessions::files;

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{AnyJson, AnyTs, AnyUuid};
    applications (id) {
        id -> AnyUuid,
        user_id -> AnyUuid,
        kind -> Text,
        status -> Text,
        revision -> BigInt,
        name -> Text,
        phone -> Text,
        years_experience -> Nullable<BigInt>,
        business_name -> Nullable<Text>,
        address -> Nullable<Text>,
        city -> Nullable<Text>,
        specialties -> AnyJson,
        note -> Text,
        submitted_at -> AnyTs,
        updated_at -> AnyTs,
        decided_by -> Nullable<AnyUuid>,
        decided_at -> Nullable<AnyTs>,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::{AnyTs, AnyUuid};
    application_steps (id) {
        id -> AnyUuid,
        application_id -> AnyUuid,
        kind -> Text,
        by_id -> AnyUuid,
        at -> AnyTs,
        text -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::BigInt;
    use crate::types::AnyUuid;
    application_files (application_id, position) {
        application_id -> AnyUuid,
        position -> BigInt,
        file_id -> AnyUuid,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Bool, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};
    workshop_invitations (id) {
        id -> AnyUuid,
        provider_id -> AnyUuid,
        email -> Text,
        invited_by -> AnyUuid,
        token_hash -> Binary,
        created_at -> AnyTs,
        expires_at -> AnyTs,
        revoked_at -> Nullable<AnyTs>,
        accepted_by -> Nullable<AnyUuid>,
        accepted_at -> Nullable<AnyTs>,
        was_approved -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};
    suspensions (user_id, suspended_at) {
        user_id -> AnyUuid,
        suspended_at -> AnyTs,
        suspended_by -> AnyUuid,
        reason -> Text,
        restored_at -> Nullable<AnyTs>,
        restored_by -> Nullable<AnyUuid>,
    }
}

diesel::joinable!(applications -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(applications, users);
diesel::allow_tables_to_appear_in_same_query!(applications, mechanics);
diesel::allow_tables_to_appear_in_same_query!(application_files, files);
