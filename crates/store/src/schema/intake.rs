//! Tables of `intake`. Uploads stand in `files`, which `sessions` takes over.
#![expect(missing_docs, reason = "the migration says what each column holds")]

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    vehicles (id) {
        id -> AnyUuid,
        customer_id -> AnyUuid,
        identity -> Text,
        year -> BigInt,
        make -> Text,
        model -> Text,
        vin -> Nullable<Text>,
        mileage -> Nullable<BigInt>,
        created_at -> AnyTs,
        updated_at -> AnyTs,
        removed_at -> Nullable<AnyTs>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    intakes (id) {
        id -> AnyUuid,
        customer_id -> AnyUuid,
        plan -> Text,
        vehicle_id -> AnyUuid,
        mileage -> Nullable<BigInt>,
        concern -> Text,
        routing_type -> Text,
        preferred_provider_id -> Nullable<AnyUuid>,
        provider_type -> Nullable<Text>,
        hold_id -> Nullable<AnyUuid>,
        upsell_id -> Nullable<AnyUuid>,
        created_at -> AnyTs,
    }
}

diesel::table! {
    use diesel::sql_types::BigInt;
    use crate::types::AnyUuid;

    intake_files (intake_id, position) {
        intake_id -> AnyUuid,
        position -> BigInt,
        file_id -> AnyUuid,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::{AnyTs, AnyUuid};

    waiver_acceptances (id) {
        id -> AnyUuid,
        customer_id -> AnyUuid,
        intake_id -> AnyUuid,
        version -> Text,
        address -> Text,
        accepted_at -> AnyTs,
    }
}

diesel::joinable!(intakes -> vehicles (vehicle_id));
diesel::allow_tables_to_appear_in_same_query!(vehicles, intakes, intake_files, waiver_acceptances);
