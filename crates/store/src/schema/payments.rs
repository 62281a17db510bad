//! Tables of `payments`.
#![expect(missing_docs, reason = "the migration says what each column holds")]

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::{AnyTs, AnyUuid};

    stripe_customers (user_id) {
        user_id -> AnyUuid,
        reference -> Text,
        created_at -> AnyTs,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    orders (id) {
        id -> AnyUuid,
        customer_id -> AnyUuid,
        intake_id -> AnyUuid,
        kind -> Text,
        quote -> Text,
        plan -> Text,
        price_book -> Text,
        multiplier_bps -> BigInt,
        amount_cents -> BigInt,
        currency -> Text,
        tax_rate_bps -> BigInt,
        fee_rate_bps -> BigInt,
        idempotency_key -> Text,
        status -> Text,
        checkout_id -> Nullable<Text>,
        checkout_url -> Nullable<Text>,
        charge_intent -> Nullable<Text>,
        payment_intent -> Nullable<Text>,
        session_id -> Nullable<AnyUuid>,
        created_at -> AnyTs,
        expires_at -> AnyTs,
        paid_at -> Nullable<AnyTs>,
        fulfilled_at -> Nullable<AnyTs>,
        closed_at -> Nullable<AnyTs>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Text};
    use crate::types::{AnyTs, AnyUuid};

    payments (id) {
        id -> AnyUuid,
        order_id -> AnyUuid,
        payment_intent -> Text,
        amount_cents -> BigInt,
        currency -> Text,
        surplus -> Bool,
        asked_back_cents -> BigInt,
        created_at -> AnyTs,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    refunds (id) {
        id -> AnyUuid,
        payment_id -> AnyUuid,
        order_id -> AnyUuid,
        amount_cents -> BigInt,
        currency -> Text,
        reason -> Text,
        idempotency_key -> Text,
        status -> Text,
        provider_id -> Nullable<Text>,
        created_at -> AnyTs,
        closed_at -> Nullable<AnyTs>,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    webhook_events (id) {
        id -> Text,
        kind -> Text,
        created_at -> AnyTs,
        received_at -> AnyTs,
        body -> Text,
        outcome -> Text,
        compared_at -> Nullable<AnyTs>,
        order_id -> Nullable<AnyUuid>,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    ledger_transactions (id) {
        id -> AnyUuid,
        kind -> Text,
        reference -> Text,
        order_id -> AnyUuid,
        payment_id -> AnyUuid,
        refund_id -> Nullable<AnyUuid>,
        created_at -> AnyTs,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::types::AnyUuid;

    ledger_entries (transaction_id, line) {
        transaction_id -> AnyUuid,
        line -> BigInt,
        account -> Text,
        amount_cents -> BigInt,
        currency -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Text};
    use crate::types::{AnyTs, AnyUuid};

    provider_earnings (payment_id) {
        payment_id -> AnyUuid,
        session_id -> AnyUuid,
        provider_id -> AnyUuid,
        net_cents -> BigInt,
        fee_cents -> BigInt,
        payable_cents -> BigInt,
        currency -> Text,
        frozen -> Bool,
        created_at -> AnyTs,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Nullable, Text};
    use crate::types::{AnyTs, AnyUuid};

    disputes (id) {
        id -> AnyUuid,
        provider_id -> Text,
        payment_id -> AnyUuid,
        amount_cents -> BigInt,
        currency -> Text,
        reason -> Text,
        status -> Text,
        withdrawn -> Bool,
        due_at -> Nullable<AnyTs>,
        opened_at -> AnyTs,
        closed_at -> Nullable<AnyTs>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    stripe_customers,
    orders,
    payments,
    refunds,
    webhook_events,
    ledger_transactions,
    ledger_entries,
    provider_earnings,
    disputes,
);
