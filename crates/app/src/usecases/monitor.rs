//! Looks for what is overdue or has gone wrong: mechanics who have to be asked to begin, and what support has to hear of.
//!
//! It runs by itself twice a minute, at once after what can't wait, and when `/api/cron/monitor-sessions` is called.
//! Each look reads everything anew and tells nothing twice, so that any number may run at once.

use std::sync::atomic::Ordering;

use jobs::{JobKind, NewJob};
use kernel::id::{JobId, RefundId, SessionId};
use kernel::{Context, Timestamp};
use notifications::{Alert, AlertCause, AlertStore as _, NewAlert};
use payments::RefundStatus;
use serde::{Deserialize, Serialize};
use sessions::Trouble;
use store::Tx;
use store::views::watch::{self, DeadJob};

use crate::realtime::protocol::Channel;
use crate::state::Pitlane;
use crate::usecases::alert_support::{end, has_recovered, is_gone, raise};
use crate::usecases::{Error, start_nudge};

/// How long ago a refund was refused or a job given up that nobody was told of, in seconds: seven days at most. Those from
/// before this was watched are on record elsewhere.
const FAILED_WITHIN_SECONDS: i64 = 7 * 86_400;

/// What one look came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// Mechanics who were asked to begin.
    pub nudged: u32,
    /// Causes that support was told of.
    pub alerted: u32,
    /// Alerts whose cause was found to be gone.
    pub ended: u32,
}

/// Has somebody look now, in the transaction that gives the reason. The same reason has one look.
///
/// # Errors
/// The storage's.
pub fn soon(tx: &mut Tx<'_>, reason: &str, cx: &Context) -> Result<(), jobs::Error> {
    let job = NewJob {
        kind: JobKind::Monitor,
        payload: "{}".to_owned(),
        run_at: cx.now,
        dedupe_key: Some(format!("monitor:{reason}")),
    };
    jobs::schedule(tx, job, cx).map(drop)
}

/// Does what is due by now. One thing that can't be done keeps nothing else from being done.
///
/// # Errors
/// The first failure of the storage, when everything else is done.
pub async fn monitor(pitlane: &Pitlane) -> Result<Looked, Error> {
    let mut look = Look::default();
    for found in look.list(money_troubles(pitlane).await) {
        let told = alert(pitlane, found).await;
        look.looked.alerted += look.count(told.map(u32::from));
    }
    for session in look.list(overdue(pitlane).await) {
        let asked = start_nudge::look(pitlane, session).await;
        look.looked.nudged += look.count(asked.map(u32::from));
    }
    let noted = note_who_is_gone(pitlane).await;
    look.count(noted.map(|()| 0));
    for alert in look.list(what_is_gone(pitlane).await) {
        let cx = pitlane.context();
        let ended = pitlane.db.write(move |tx| end(tx, &alert, &cx)).await;
        look.looked.ended += look.count(ended.map(u32::from));
    }
    for session in look.list(troubled(pitlane).await) {
        let told = alert_session(pitlane, session).await;
        look.looked.alerted += look.count(told);
    }
    look.failed.map_or(Ok(look.looked), Err)
}

/// A look that goes on after a failure.
#[derive(Default)]
struct Look {
    looked: Looked,
    failed: Option<Error>,
}

impl Look {
    fn count(&mut self, done: Result<u32, Error>) -> u32 {
        self.list(done.map(|count| vec![count])).into_iter().sum()
    }

    fn list<T>(&mut self, found: Result<Vec<T>, Error>) -> Vec<T> {
        found.unwrap_or_else(|error| {
            tracing::error!(%error, "a part of the look at sessions and money failed");
            self.failed.get_or_insert(error);
            Vec::new()
        })
    }
}

async fn alert(pitlane: &Pitlane, found: NewAlert) -> Result<bool, Error> {
    let (cx, support) = (pitlane.context(), pitlane.settings.mail.support_address.clone());
    pitlane.db.write(move |tx| raise(tx, &support, found, &cx)).await
}

async fn overdue(pitlane: &Pitlane) -> Result<Vec<SessionId>, Error> {
    let seconds: i64 = pitlane.settings.sessions.start_nudge_seconds.into();
    let due = pitlane.clock.now().plus_seconds(-seconds);
    pitlane.db.read(move |tx| Ok(watch::overdue_by(tx, due)?)).await
}

/// A process that was killed could not write down who went with it. Who was in a room before this one started and has
/// not come to it since is gone from then. Once is enough: who comes later is noted by this one.
async fn note_who_is_gone(pitlane: &Pitlane) -> Result<(), Error> {
    let (now, started) = (pitlane.clock.now(), pitlane.started_at);
    let patience = pitlane.settings.sessions.disconnect_alert_seconds.into();
    if now < started.plus_seconds(patience) || pitlane.looked_back.load(Ordering::Relaxed) {
        return Ok(());
    }
    let left = pitlane.db.read(move |tx| Ok::<_, Error>(watch::present_since_before(tx, started)?)).await?;
    for (session, user) in left {
        if !pitlane.hub.online(Channel::Session(session)).contains(&user) {
            let gone = move |tx: &mut Tx<'_>| {
                sessions::Store::participant_attend(tx, session, user, false, started)?;
                Ok::<_, Error>(())
            };
            pitlane.db.write(gone).await?;
        }
    }
    pitlane.looked_back.store(true, Ordering::Relaxed);
    Ok(())
}

/// Alerts whose cause is gone.
async fn what_is_gone(pitlane: &Pitlane) -> Result<Vec<Alert>, Error> {
    let now = pitlane.clock.now();
    pitlane
        .db
        .read(move |tx| {
            let mut gone = Vec::new();
            for alert in tx.alerts_lasting(None)? {
                if is_gone(tx, &alert, now)? {
                    gone.push(alert);
                }
            }
            Ok::<_, Error>(gone)
        })
        .await
}

/// The times that decide when something is wrong.
#[derive(Clone, Copy)]
struct Patience {
    seconds: i64,
    not_before: Timestamp,
    now: Timestamp,
}

impl Patience {
    fn of(pitlane: &Pitlane) -> Self {
        Self {
            seconds: pitlane.settings.sessions.disconnect_alert_seconds.into(),
            not_before: pitlane.started_at,
            now: pitlane.clock.now(),
        }
    }
}

/// What is wrong with a session that runs, as it would be told.
fn troubles(tx: &mut Tx<'_>, session: SessionId, patience: Patience) -> Result<Vec<NewAlert>, Error> {
    let Some(watched) = sessions::watched(tx, session, patience.now)? else { return Ok(Vec::new()) };
    let found = watched.troubles(patience.seconds, patience.not_before, patience.now);
    let told = |trouble: Trouble| {
        let (cause, object, since) = match trouble {
            Trouble::Away { user, since } => (AlertCause::ParticipantAbsent, user.uuid(), since),
            Trouble::NoVideo { since } => (AlertCause::NoVideo, session.uuid(), since),
        };
        NewAlert { cause, object, session: Some(session), since }
    };
    Ok(found.into_iter().map(told).collect())
}

/// Sessions with something that support has not heard of.
async fn troubled(pitlane: &Pitlane) -> Result<Vec<SessionId>, Error> {
    let patience = Patience::of(pitlane);
    pitlane
        .db
        .read(move |tx| {
            let mut troubled = Vec::new();
            for session in watch::worth_a_look(tx)? {
                let found = troubles(tx, session, patience)?;
                if found.is_empty() {
                    continue;
                }
                let told = tx.alerts_lasting(Some(session))?;
                if found.iter().any(|one| told.iter().all(|alert| alert.found != *one)) {
                    troubled.push(session);
                }
            }
            Ok(troubled)
        })
        .await
}

/// Looks again under the session's lock: it may have ended, or somebody may have come back.
async fn alert_session(pitlane: &Pitlane, session: SessionId) -> Result<u32, Error> {
    let (cx, patience) = (pitlane.context(), Patience::of(pitlane));
    let support = pitlane.settings.mail.support_address.clone();
    pitlane
        .db
        .write(move |tx| {
            sessions::Store::session_for_update(tx, session)?;
            let mut alerted = 0;
            for found in troubles(tx, session, patience)? {
                alerted += u32::from(raise(tx, &support, found, &cx)?);
            }
            Ok(alerted)
        })
        .await
}

async fn money_troubles(pitlane: &Pitlane) -> Result<Vec<NewAlert>, Error> {
    let now = pitlane.clock.now();
    pitlane
        .db
        .read(move |tx| {
            let after = now.plus_seconds(-FAILED_WITHIN_SECONDS);
            let mut found = watch::failed_refunds_untold(tx, after)?;
            found.extend(watch::disputes_untold(tx)?);
            found.extend(dead_jobs(tx, after)?);
            Ok(found)
        })
        .await
}

/// Jobs that were given up, without those whose cause is told otherwise.
fn dead_jobs(tx: &mut Tx<'_>, after: Timestamp) -> Result<Vec<NewAlert>, Error> {
    let mut found = Vec::new();
    let mut repeating = repeating_told(tx)?;
    for dead in watch::dead_jobs_untold(tx, after)? {
        let DeadJob { id, kind, at } = dead;
        let refund = if kind == JobKind::Refund { refund_of(tx, dead)? } else { None };
        let session = match refund {
            // A refused refund is a cause of its own.
            Some((RefundStatus::Failed, _)) => continue,
            Some((_, session)) => session,
            None => None,
        };
        if kind.every_seconds().is_some() {
            // While an outside service is away each run dies; that is one cause, which ends when a run succeeds.
            if repeating.contains(&kind) || has_recovered(tx, kind, at)? {
                continue;
            }
            repeating.push(kind);
        }
        found.push(NewAlert { cause: AlertCause::JobDead, object: id.uuid(), session, since: at });
    }
    Ok(found)
}

/// The kinds that repeat and of which support knows that they don't work.
fn repeating_told(tx: &mut Tx<'_>) -> Result<Vec<JobKind>, Error> {
    let mut kinds = Vec::new();
    for alert in tx.alerts_lasting(None)? {
        if alert.found.cause == AlertCause::JobDead
            && let Some(job) = jobs::Store::job_by_id(tx, JobId::new(alert.found.object))?
            && job.kind().every_seconds().is_some()
        {
            kinds.push(job.kind());
        }
    }
    Ok(kinds)
}

#[derive(Deserialize)]
struct RefundJob {
    refund_id: RefundId,
}

/// Where the refund of a job stands, and the session that was paid for.
fn refund_of(tx: &mut Tx<'_>, dead: DeadJob) -> Result<Option<(RefundStatus, Option<SessionId>)>, Error> {
    let Some(job) = jobs::Store::job_by_id(tx, dead.id)? else { return Ok(None) };
    let Ok(RefundJob { refund_id }) = serde_json::from_str(job.payload()) else { return Ok(None) };
    let Some(refund) = payments::Store::refund_by_id(tx, refund_id)? else { return Ok(None) };
    let session = watch::refund(tx, refund_id)?.and_then(|refund| refund.session);
    Ok(Some((refund.status(), session)))
}
