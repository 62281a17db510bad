//! Tables of `jobs`.
#![expect(missing_docs, reason = "the migration says what each column holds")]

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{AnyJson, AnyTs, AnyUuid};

    jobs (id) {
        id -> AnyUuid,
        kind -> Text,
        payload -> AnyJson,
        run_at -> AnyTs,
        dedupe_key -> Nullable<Text>,
        status -> Text,
        attempts -> BigInt,
        lease_owner -> Nullable<Text>,
        lease_until -> Nullable<AnyTs>,
        last_error -> Nullable<Text>,
        created_at -> AnyTs,
        finished_at -> Nullable<AnyTs>,
    }
}
