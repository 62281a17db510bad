//! What must hold of accounts.

use kernel::StoreError;

use super::{Invariant, found, id_text};
use crate::tx::Tx;

/// The invariants of accounts.
pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        number: 15,
        statement: "every decided application has the decision of an admin, and nothing after it",
        check: decisions_are_kept,
    },
    Invariant {
        number: 15,
        statement: "whoever was approved by an application became a mechanic or a workshop",
        check: approvals_took_effect,
    },
    Invariant {
        number: 15,
        statement: "an account is closed exactly while a suspension is in force, and has no live sign-in or token then",
        check: suspensions_hold,
    },
];

fn decisions_are_kept(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let id = id_text(tx, "a.id");
    found(
        tx,
        &format!(
            "SELECT 'application ' || {id} || ' is ' || a.status || ' and its last step is ' \
             || COALESCE(s.kind, 'missing') AS what \
             FROM applications a LEFT JOIN application_steps s ON s.application_id = a.id \
             AND NOT EXISTS (SELECT 1 FROM application_steps n WHERE n.application_id = a.id AND n.id > s.id) \
             WHERE COALESCE(s.kind, '') NOT IN ('submitted', 'answered') AND a.status = 'submitted' \
             OR COALESCE(s.kind, '') <> 'asked' AND a.status = 'asked_again' \
             OR COALESCE(s.kind, '') <> a.status AND a.status IN ('approved', 'refused', 'withdrawn') \
             OR a.decided_by IS NOT NULL AND s.by_id <> a.decided_by"
        ),
    )
}

fn approvals_took_effect(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let id = id_text(tx, "a.id");
    found(
        tx,
        &format!(
            "SELECT 'application ' || {id} || ' was approved and nothing came of it' AS what \
             FROM applications a WHERE a.status = 'approved' AND NOT EXISTS \
             (SELECT 1 FROM providers p WHERE p.owner_id = a.user_id AND p.kind = 'workshop') \
             AND NOT EXISTS (SELECT 1 FROM mechanics m WHERE m.user_id = a.user_id AND a.kind = 'mechanic' \
             AND m.decided_at IS NOT NULL) \
             AND EXISTS (SELECT 1 FROM users u WHERE u.id = a.user_id AND u.status <> 'erased')"
        ),
    )
}

fn suspensions_hold(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let id = id_text(tx, "u.id");
    found(
        tx,
        &format!(
            "SELECT 'user ' || {id} || ' is ' || u.status || ' against their suspensions' AS what FROM users u \
             WHERE u.status <> 'erased' AND (u.status = 'suspended') <> EXISTS (SELECT 1 FROM suspensions s \
             WHERE s.user_id = u.id AND s.restored_at IS NULL) \
             UNION ALL \
             SELECT 'user ' || {id} || ' is suspended and signed in' AS what FROM users u \
             WHERE u.status = 'suspended' AND (EXISTS (SELECT 1 FROM sign_ins i WHERE i.user_id = u.id \
             AND i.revoked_at IS NULL AND i.expires_at > (SELECT s.suspended_at FROM suspensions s \
             WHERE s.user_id = u.id AND s.restored_at IS NULL)) \
             OR EXISTS (SELECT 1 FROM api_tokens t WHERE t.user_id = u.id AND t.revoked_at IS NULL))"
        ),
    )
}
