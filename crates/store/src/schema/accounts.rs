//! Tables of `accounts`.
#![expect(
    missing_docs,
    reason = "the macro documents nothing that it generates; the migration explains the columns"
)]

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};
    users (id) {
        id -> AnyUuid,
        email -> Text,
        email_verified_at -> Nullable<AnyTs>,
        name -> Text,
        phone -> Nullable<Text>,
        role -> Text,
        time_zone -> Text,
        account_type -> Text,
        status -> Text,
        password_hash -> Nullable<Text>,
        has_used_free_session -> Bool,
        created_at -> AnyTs,
        updated_at -> AnyTs,
        name_search -> Text,
        phone_verified_at -> Nullable<AnyTs>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};
    phone_codes (user_id) {
        user_id -> AnyUuid,
        id -> AnyUuid,
        phone -> Text,
        code_hash -> Binary,
        failures -> BigInt,
        sent_at -> AnyTs,
        day_started_at -> AnyTs,
        sends -> BigInt,
        used_at -> Nullable<AnyTs>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};
    sign_ins (id) {
        id -> AnyUuid,
        user_id -> AnyUuid,
        token_hash -> Binary,
        user_agent -> Text,
        address -> Text,
        created_at -> AnyTs,
        last_seen_at -> AnyTs,
        expires_at -> AnyTs,
        revoked_at -> Nullable<AnyTs>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};
    api_tokens (id) {
        id -> AnyUuid,
        user_id -> AnyUuid,
        name -> Text,
        token_hash -> Binary,
        created_at -> AnyTs,
        last_used_at -> Nullable<AnyTs>,
        revoked_at -> Nullable<AnyTs>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};
    one_time_tokens (id) {
        id -> AnyUuid,
        user_id -> AnyUuid,
        purpose -> Text,
        email -> Text,
        token_hash -> Binary,
        return_path -> Nullable<Text>,
        created_at -> AnyTs,
        expires_at -> AnyTs,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable};
    use crate::types::{AnyTs, AnyUuid};
    second_factors (user_id) {
        user_id -> AnyUuid,
        enrolment_id -> AnyUuid,
        created_at -> AnyTs,
        confirmed_at -> Nullable<AnyTs>,
        last_step -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::Binary;
    use crate::types::{AnyTs, AnyUuid};
    recovery_codes (user_id, code_hash) {
        user_id -> AnyUuid,
        code_hash -> Binary,
        created_at -> AnyTs,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Text};
    use crate::types::AnyTs;
    login_attempts (account_hash, address) {
        account_hash -> Binary,
        address -> Text,
        window_started_at -> AnyTs,
        failures -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::{AnyTs, AnyUuid};
    providers (id) {
        id -> AnyUuid,
        kind -> Text,
        name -> Text,
        owner_id -> AnyUuid,
        created_at -> AnyTs,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};
    mechanics (user_id) {
        user_id -> AnyUuid,
        provider_id -> AnyUuid,
        approval -> Text,
        decided_by -> Nullable<AnyUuid>,
        decided_at -> Nullable<AnyTs>,
        decision_reason -> Nullable<Text>,
        on_duty -> Bool,
        created_at -> AnyTs,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{AnyJson, AnyTs, AnyUuid};
    audit_log (id) {
        id -> AnyUuid,
        at -> AnyTs,
        actor_id -> Nullable<AnyUuid>,
        actor_role -> Text,
        action -> Text,
        object_kind -> Text,
        object_id -> Text,
        details -> AnyJson,
        address -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};
    idempotency_keys (user_id, route, key) {
        user_id -> AnyUuid,
        route -> Text,
        key -> Text,
        request_hash -> Binary,
        holder -> Binary,
        started_at -> AnyTs,
        status -> Nullable<BigInt>,
        body -> Nullable<Text>,
        reached -> Nullable<Text>,
    }
}

diesel::joinable!(sign_ins -> users (user_id));
diesel::joinable!(api_tokens -> users (user_id));
diesel::joinable!(mechanics -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(users, sign_ins, api_tokens, mechanics);
