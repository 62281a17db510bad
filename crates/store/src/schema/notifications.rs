//! Tables of `notifications`.
#![expect(missing_docs, reason = "the migration says what each column holds")]

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{AnyJson, AnyTs, AnyUuid};

    deliveries (id) {
        id -> AnyUuid,
        milestone -> Text,
        channel -> Text,
        recipient -> AnyUuid,
        send_once_key -> Text,
        context -> Nullable<AnyJson>,
        status -> Text,
        provider_ref -> Nullable<Text>,
        last_error -> Nullable<Text>,
        created_at -> AnyTs,
        sent_at -> Nullable<AnyTs>,
        batch -> Nullable<AnyUuid>,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    personal_notices (event_id) {
        event_id -> AnyUuid,
        user_id -> AnyUuid,
        session_id -> AnyUuid,
        kind -> Text,
        created_at -> AnyTs,
        acknowledged_at -> Nullable<AnyTs>,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::AnyTs;

    suppressions (channel, address) {
        channel -> Text,
        address -> Text,
        reason -> Text,
        created_at -> AnyTs,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{AnyJson, AnyTs, AnyUuid};

    mailbox_messages (id) {
        id -> AnyUuid,
        channel -> Text,
        send_once_key -> Text,
        recipient_address -> Text,
        subject -> Text,
        text_body -> Text,
        html_body -> Nullable<Text>,
        links -> AnyJson,
        milestone -> Text,
        created_at -> AnyTs,
        unsubscribe_url -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Text};
    use crate::types::{AnyTs, AnyUuid};

    notification_preferences (user_id, topic) {
        user_id -> AnyUuid,
        topic -> Text,
        wanted -> Bool,
        updated_at -> AnyTs,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    support_alerts (id) {
        id -> AnyUuid,
        cause -> Text,
        object_id -> AnyUuid,
        session_id -> Nullable<AnyUuid>,
        once_key -> Text,
        since -> AnyTs,
        raised_at -> AnyTs,
        ended_at -> Nullable<AnyTs>,
        seen_by -> Nullable<AnyUuid>,
        seen_at -> Nullable<AnyTs>,
    }
}
