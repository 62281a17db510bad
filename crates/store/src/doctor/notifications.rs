//! What must hold of jobs and messages.

use kernel::StoreError;

use super::{Invariant, found, id_text};
use crate::tx::Tx;

/// The invariants of messages.
pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        number: 13,
        statement: "each message is sent at most once under its send-once key",
        check: sent_once,
    },
    Invariant {
        number: 13,
        statement: "every message that waits to be sent has a job that will send it",
        check: pending_has_job,
    },
];

// The second half looks at the carrier's side: the mailbox must not hold a message that its delivery denies.
fn sent_once(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    found(
        tx,
        "SELECT 'key ' || send_once_key || ' has several deliveries' AS what \
         FROM deliveries GROUP BY send_once_key HAVING count(*) > 1 \
         UNION ALL \
         SELECT 'key ' || send_once_key || ' is several times in the mailbox' AS what \
         FROM mailbox_messages GROUP BY send_once_key HAVING count(*) > 1 \
         UNION ALL \
         SELECT 'key ' || m.send_once_key || ' is in the mailbox and its delivery is ' || d.status AS what \
         FROM mailbox_messages m JOIN deliveries d ON d.send_once_key = m.send_once_key \
         WHERE d.status IN ('failed', 'suppressed')",
    )
}

fn pending_has_job(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let (delivery, batch) = (id_text(tx, "d.id"), id_text(tx, "d.batch"));
    found(
        tx,
        &format!(
            "SELECT 'delivery ' || {delivery} || ' waits and no job is left for it' AS what FROM deliveries d \
             WHERE d.status = 'pending' AND NOT EXISTS (SELECT 1 FROM jobs j \
             WHERE j.status <> 'done' AND (j.dedupe_key = 'mail:' || d.send_once_key \
             OR j.dedupe_key = 'sms:' || d.send_once_key \
             OR j.dedupe_key = 'mail:' || d.send_once_key || ':alone' \
             OR j.dedupe_key = 'mail_batch:' || replace({batch}, '-', '')))"
        ),
    )
}
