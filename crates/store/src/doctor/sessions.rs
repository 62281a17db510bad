//! The invariants of sessions and requests.

use diesel::prelude::*;
use kernel::id::SessionId;
use kernel::{StoreError, Timestamp};
use sessions::{EndReason, Event, Head, verify_chain};

use super::{Invariant, TOLD_MAX, found, id_text};
use crate::error::Stored;
use crate::schema::accounts::audit_log;
use crate::schema::sessions::{session_events, sessions as sessions_table};
use crate::sessions::{EventRow, stored_head};
use crate::tx::Tx;
use crate::types::{Id, Ts};

/// Sessions whose logs are read in one go.
const PAGE: i64 = 200;

/// What always holds of sessions and requests.
pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        number: 7,
        statement: "a request has at most one accept, and it is the one on record",
        check: one_accept,
    },
    Invariant {
        number: 7,
        statement: "no session waits for a mechanic whose request was accepted or closed",
        check: requests_agree,
    },
    Invariant {
        number: 9,
        statement: "every log is free of gaps and its hash chain holds",
        check: chains_hold,
    },
    Invariant {
        number: 14,
        statement: "whoever acted in a session takes part in it, or did",
        check: actors_take_part,
    },
    Invariant {
        number: 14,
        statement: "every admin who acted on a session is in the audit log for it",
        check: admins_are_audited,
    },
    Invariant {
        number: 16,
        statement: "who was missed had a session that a mechanic accepted and nobody started",
        check: missed_sessions,
    },
    Invariant {
        number: 16,
        statement: "a session whose time was over ran for its whole time",
        check: used_up,
    },
];

fn one_accept(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let request = id_text(tx, "r.id");
    let query = format!(
        "SELECT 'request ' || {request} || ' has ' || CAST(COUNT(o.mechanic_id) AS text) || ' accepts' AS what
         FROM session_requests r
         LEFT JOIN request_offers o ON o.request_id = r.id AND o.status = 'accepted'
         GROUP BY r.id, r.status, r.accepted_by
         HAVING COUNT(o.mechanic_id) <> CASE WHEN r.status = 'accepted' THEN 1 ELSE 0 END
             OR COUNT(CASE WHEN o.mechanic_id <> r.accepted_by THEN 1 END) > 0"
    );
    found(tx, &query)
}

fn requests_agree(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let request = id_text(tx, "r.id");
    let query = format!(
        "SELECT 'request ' || {request} || ' is ' || r.status || ', its session is ' || s.status AS what
         FROM session_requests r
         JOIN sessions s ON s.id = r.session_id
         WHERE (r.status <> 'open' AND s.status = 'requested')
            OR (r.status = 'open' AND s.status NOT IN ('requested', 'scheduled'))"
    );
    found(tx, &query)
}

fn missed_sessions(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let session = id_text(tx, "s.id");
    let query = format!(
        "SELECT 'session ' || {session} || ' is ' || s.status || ' for ' || s.end_reason AS what
         FROM sessions s
         WHERE s.end_reason IN ('no_show_customer', 'no_show_mechanic')
           AND (s.status <> 'cancelled' OR s.accepted_at IS NULL OR s.started_at IS NOT NULL)"
    );
    found(tx, &query)
}

fn used_up(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    use sessions_table as s;
    let over: Vec<(Id, Option<Ts>, Option<Ts>, i64)> = s::table
        .filter(s::end_reason.eq(EndReason::TimeLimit.as_str()))
        .select((s::id, s::started_at, s::ended_at, s::allowance_minutes))
        .load(tx.conn())
        .stored()?;
    let early = over.into_iter().filter(|(_, started, ended, minutes)| {
        let deadline = started.map(|at| Timestamp::from(at).plus_seconds(minutes * 60));
        deadline.is_none() || ended.map(Timestamp::from) < deadline
    });
    let told = early.map(|(id, ..)| format!("session {} was over before its time was", SessionId::new(id.0)));
    Ok(told.take(TOLD_MAX).collect())
}

fn chains_hold(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    use sessions_table as s;
    let mut violations = Vec::new();
    let mut after = Id(uuid::Uuid::nil());
    loop {
        let page: Vec<(Id, i64, Vec<u8>)> = s::table
            .filter(s::id.gt(after))
            .order(s::id)
            .limit(PAGE)
            .select((s::id, s::last_seq, s::chain_head))
            .load(tx.conn())
            .stored()?;
        let Some((last, _, _)) = page.last() else { return Ok(violations) };
        after = *last;
        for (id, last_seq, chain_head) in page {
            let session = SessionId::new(id.0);
            let broken = match (events(tx, id)?, stored_head(last_seq, &chain_head)) {
                (Ok(events), Ok(head)) => chain_break(session, &events, &head),
                (Err(reason), _) | (_, Err(reason)) => Some(reason.to_string()),
            };
            violations.extend(broken.map(|reason| format!("session {session}: {reason}")));
            if violations.len() >= TOLD_MAX {
                return Ok(violations);
            }
        }
    }
}

fn chain_break(session: SessionId, events: &[Event], head: &Head) -> Option<String> {
    verify_chain(session, events, head).err().map(|broken| broken.to_string())
}

// The outer failure is the storage's; the inner one a row that can't be an event, which is a finding.
fn events(tx: &mut Tx<'_>, session: Id) -> Result<Result<Vec<Event>, StoreError>, StoreError> {
    use session_events as e;
    let rows: Vec<EventRow> = e::table
        .filter(e::session_id.eq(session))
        .order(e::seq)
        .select(EventRow::as_select())
        .load(tx.conn())
        .stored()?;
    Ok(rows.into_iter().map(Event::try_from).collect())
}

fn actors_take_part(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let session = id_text(tx, "e.session_id");
    let query = format!(
        "SELECT 'session ' || {session} || ', line ' || CAST(e.seq AS text) || ': a ' || e.actor_role
             || ' who takes no part' AS what
         FROM session_events e
         LEFT JOIN session_participants p
           ON p.session_id = e.session_id AND p.user_id = e.actor_id AND p.role = e.actor_role
         WHERE e.actor_role IN ('customer', 'mechanic', 'observer') AND p.user_id IS NULL"
    );
    found(tx, &query)
}

fn admins_are_audited(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    use audit_log as a;
    use session_events as e;
    let acted: Vec<(Id, Option<Id>)> = e::table
        .filter(e::actor_role.eq_any(["admin", "observer"]))
        .select((e::session_id, e::actor_id))
        .distinct()
        .order((e::session_id, e::actor_id))
        .load(tx.conn())
        .stored()?;
    let mut violations = Vec::new();
    for (session, admin) in acted {
        let session = SessionId::new(session.0);
        let audited: i64 = a::table
            .filter(a::object_kind.eq("session"))
            .filter(a::object_id.eq(session.to_string()))
            .filter(a::actor_id.eq(admin))
            .count()
            .get_result(tx.conn())
            .stored()?;
        if audited == 0 {
            violations.push(format!("session {session}: an admin acted and is not in the audit log"));
        }
        if violations.len() >= TOLD_MAX {
            break;
        }
    }
    Ok(violations)
}
