//! Tables of `crm`.
#![expect(missing_docs, reason = "the migration says what each column holds")]

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{AnyJson, AnyTs, AnyUuid};

    crm_interactions (id) {
        id -> AnyUuid,
        customer_id -> AnyUuid,
        interaction_type -> Text,
        session_id -> Nullable<AnyUuid>,
        metadata -> AnyJson,
        created_at -> AnyTs,
    }
}
