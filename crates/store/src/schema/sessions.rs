//! Tables of `sessions`, of uploaded files, and of `dispatch`.
#![expect(
    missing_docs,
    reason = "the macro documents nothing that it generates; the migration explains the columns"
)]

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::types::{AnyJson, AnyTs, AnyUuid};

    /// Sessions, with the end of their logs. The generated column `type` is for the seeds' SQL only.
    sessions (id) {
        id -> AnyUuid,
        customer_id -> AnyUuid,
        plan -> Text,
        session_type -> Text,
        status -> Text,
        end_reason -> Nullable<Text>,
        ended_by -> Nullable<AnyUuid>,
        allowance_minutes -> BigInt,
        intake_id -> AnyUuid,
        price_book -> Text,
        metadata -> AnyJson,
        scheduled_for -> Nullable<AnyTs>,
        created_at -> AnyTs,
        updated_at -> AnyTs,
        accepted_at -> Nullable<AnyTs>,
        started_at -> Nullable<AnyTs>,
        ended_at -> Nullable<AnyTs>,
        upgraded_at -> Nullable<AnyTs>,
        last_seq -> BigInt,
        chain_head -> Binary,
        content_dropped_at -> Nullable<AnyTs>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    /// Who takes part, and who did.
    session_participants (session_id, user_id) {
        session_id -> AnyUuid,
        user_id -> AnyUuid,
        role -> Text,
        joined_at -> AnyTs,
        left_at -> Nullable<AnyTs>,
        last_read_seq -> BigInt,
        seen_at -> Nullable<AnyTs>,
        gone_at -> Nullable<AnyTs>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Nullable};
    use crate::types::{AnyTs, AnyUuid};

    /// Time that was added.
    session_extensions (session_id, number) {
        session_id -> AnyUuid,
        number -> BigInt,
        order_id -> Nullable<AnyUuid>,
        minutes -> BigInt,
        price_cents -> BigInt,
        created_at -> AnyTs,
    }
}

table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    /// The logs.
    session_events (session_id, seq) {
        session_id -> AnyUuid,
        seq -> BigInt,
        id -> AnyUuid,
        kind -> Text,
        actor_id -> Nullable<AnyUuid>,
        actor_role -> Text,
        client_ref -> Nullable<Text>,
        body -> Nullable<Text>,
        salt -> Nullable<Binary>,
        commitment -> Binary,
        chain_hash -> Binary,
        created_at -> AnyTs,
    }
}

table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    /// Uploads; their bytes are elsewhere.
    files (id) {
        id -> AnyUuid,
        owner_id -> AnyUuid,
        session_id -> Nullable<AnyUuid>,
        name -> Text,
        content_type -> Text,
        size_bytes -> BigInt,
        sha256 -> Binary,
        storage_key -> Text,
        created_at -> AnyTs,
        attached_at -> Nullable<AnyTs>,
        expires_at -> Nullable<AnyTs>,
        width -> Nullable<BigInt>,
        height -> Nullable<BigInt>,
    }
}

table! {
    use crate::types::{AnyTs, AnyUuid};

    /// Files whose bytes may lie in the storage without being written down yet.
    file_arrivals (file_id) {
        file_id -> AnyUuid,
        expires_at -> AnyTs,
    }
}

table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    /// Calls for a mechanic.
    session_requests (id) {
        id -> AnyUuid,
        session_id -> AnyUuid,
        customer_id -> AnyUuid,
        routing_type -> Text,
        preferred_provider_id -> Nullable<AnyUuid>,
        status -> Text,
        accepted_by -> Nullable<AnyUuid>,
        created_at -> AnyTs,
        expires_at -> AnyTs,
        closed_at -> Nullable<AnyTs>,
    }
}

table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    /// Who was told of a call.
    request_offers (request_id, mechanic_id) {
        request_id -> AnyUuid,
        mechanic_id -> AnyUuid,
        status -> Text,
        offered_at -> AnyTs,
        answered_at -> Nullable<AnyTs>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    /// Summaries, and those that are being written.
    session_summaries (session_id, state) {
        session_id -> AnyUuid,
        state -> Text,
        author_id -> AnyUuid,
        findings -> Text,
        steps_taken -> Text,
        parts_needed -> Text,
        next_steps -> Text,
        revision -> BigInt,
        submitted_at -> Nullable<AnyTs>,
        updated_at -> AnyTs,
    }
}

table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::types::AnyUuid;

    /// The photos of summaries.
    session_summary_photos (session_id, state, position) {
        session_id -> AnyUuid,
        state -> Text,
        position -> BigInt,
        file_id -> AnyUuid,
    }
}

joinable!(session_participants -> sessions (session_id));
joinable!(session_events -> sessions (session_id));
joinable!(session_requests -> sessions (session_id));
joinable!(request_offers -> session_requests (request_id));
allow_tables_to_appear_in_same_query!(
    sessions,
    session_participants,
    session_events,
    session_requests,
    request_offers,
    session_summaries,
    session_summary_photos,
    files
);

// Names are joined when a log or a list is read.
use super::accounts::users;
allow_tables_to_appear_in_same_query!(users, sessions);
allow_tables_to_appear_in_same_query!(users, session_participants);
allow_tables_to_appear_in_same_query!(users, session_events);
allow_tables_to_appear_in_same_query!(users, session_requests);
allow_tables_to_appear_in_same_query!(users, request_offers);
use super::intake::{intake_files, intakes, vehicles};
allow_tables_to_appear_in_same_query!(sessions, intakes);
allow_tables_to_appear_in_same_query!(sessions, vehicles);
allow_tables_to_appear_in_same_query!(sessions, intake_files);
allow_tables_to_appear_in_same_query!(files, intake_files);
