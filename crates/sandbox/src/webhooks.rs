//! Delivery of webhooks: signed, tried again until they are taken, and as unruly as the controls ask for.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::control::Control;
use crate::fault::Fault;
use crate::queue::Pending;
use crate::signature::signature_header;
use crate::{Sandbox, Settings};

/// How often the loop looks for what is due when nothing wakes it.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long an endpoint may take, as a hung one must not hold up the others for long.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stop waits for what is on its way, so that what was taken is noted as taken.
const STOPPING: Duration = Duration::from_secs(2);
/// The longest wait between two attempts, in seconds.
const LONGEST_WAIT: i64 = 300;
/// How long an event is tried for, in seconds: three days, like Stripe's.
const GIVE_UP_AFTER: i64 = 3 * 86_400;
/// What is ready within this time goes out newest first when the order is to be turned round.
const GATHER: Duration = Duration::from_millis(250);

/// What this process remembers of a delivery: monotonic times, which the file can't hold.
struct Memory {
    seen: Instant,
    again_at: Option<Instant>,
}

/// Seconds before the next try after `attempts` failed ones: 1, 2, 4 … 300.
fn back_off(attempts: i64) -> i64 {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(9);
    (1_i64 << doublings).min(LONGEST_WAIT)
}

pub(crate) async fn run(sandbox: &Sandbox, mut stop: watch::Receiver<bool>) {
    let built =
        reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
    let client = match built {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "the sandbox can't send webhooks");
            return;
        }
    };
    let mut noticed = stop.clone();
    tokio::select! {
        () = deliver_until(sandbox, &client, &mut noticed) => {}
        () = async {
            stopped(&mut stop).await;
            tokio::time::sleep(STOPPING).await;
        } => {}
    }
}

/// Whether the flag is set or nobody can set it any more.
fn is_stopped(stop: &watch::Receiver<bool>) -> bool {
    *stop.borrow() || stop.has_changed().is_err()
}

/// Returns when the flag is set or nobody can set it any more.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    while !*stop.borrow_and_update() {
        if stop.changed().await.is_err() {
            return;
        }
    }
}

async fn deliver_until(sandbox: &Sandbox, client: &reqwest::Client, stop: &mut watch::Receiver<bool>) {
    if let Err(fault) = sandbox.run(|tx| tx.deliveries_hurry()).await {
        tracing::error!(?fault, "the sandbox can't read its webhooks");
    }
    let mut memory = HashMap::new();
    while !is_stopped(stop) {
        let look = sandbox
            .run(|tx| {
                let control = tx.control()?;
                if control.drop {
                    tx.deliveries_drop()?;
                }
                Ok((control, tx.deliveries_pending()?, tx.now))
            })
            .await;
        let ready = match look {
            Ok((control, pending, now)) => choose(pending, control, now, &mut memory),
            Err(fault) => {
                tracing::error!(?fault, "the sandbox can't read its webhooks");
                Vec::new()
            }
        };
        if ready.is_empty() {
            tokio::select! {
                () = sandbox.inner.wake.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stopped(stop) => {}
            }
        }
        for group in ready {
            if is_stopped(stop) {
                return;
            }
            if let Err(fault) = deliver(sandbox, client, group, &mut memory).await {
                tracing::error!(?fault, "the sandbox can't note a webhook's delivery; it will be sent again");
            }
        }
    }
}

/// What is to be sent now, in order; copies of one event stand together.
fn choose(
    pending: Vec<Pending>,
    control: Control,
    now: i64,
    memory: &mut HashMap<i64, Memory>,
) -> Vec<Vec<Pending>> {
    let instant = Instant::now();
    memory.retain(|id, _| pending.iter().any(|delivery| delivery.id == *id));
    let mut delay = Duration::from_millis(u64::from(control.delay_ms));
    if control.reorder {
        delay = delay.max(GATHER);
    }
    let mut groups: Vec<Vec<Pending>> = Vec::new();
    for delivery in pending {
        let memory = memory.entry(delivery.id).or_insert(Memory { seen: instant, again_at: None });
        // Either clock may be the one that moves: tests stop or advance the injected one.
        let due = delivery.next_at <= now || memory.again_at.is_some_and(|at| at <= instant);
        if !due || instant < memory.seen + delay {
            continue;
        }
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|first| first.event == delivery.event) => {
                group.push(delivery)
            }
            _ => groups.push(vec![delivery]),
        }
    }
    if control.reorder {
        groups.reverse();
    }
    groups
}

async fn deliver(
    sandbox: &Sandbox,
    client: &reqwest::Client,
    group: Vec<Pending>,
    memory: &mut HashMap<i64, Memory>,
) -> Result<(), Fault> {
    let now = (sandbox.inner.clock)();
    let mut sending = JoinSet::new();
    for delivery in group {
        let request = request(client, sandbox.settings(), &delivery, now);
        sending.spawn(async move {
            let answered = request.send().await;
            (delivery, answered.map(|response| response.status()))
        });
    }
    while let Some(sent) = sending.join_next().await {
        let (delivery, answered) = match sent {
            Ok(sent) => sent,
            Err(error) => return Err(Fault::Internal(error.to_string())),
        };
        let (status, taken) = match &answered {
            Ok(status) => (Some(i64::from(status.as_u16())), status.is_success()),
            Err(_) => (None, false),
        };
        let wait = back_off(delivery.attempts + 1);
        if !taken {
            tracing::debug!(event = delivery.event, ?status, wait, "a webhook was not taken");
            if let (Some(memory), Ok(seconds)) = (memory.get_mut(&delivery.id), u64::try_from(wait)) {
                memory.again_at = Some(Instant::now() + Duration::from_secs(seconds));
            }
        }
        sandbox
            .run(move |tx| {
                let state = match taken {
                    true => "delivered",
                    false if tx.now - delivery.created > GIVE_UP_AFTER => "failed",
                    false => "pending",
                };
                let next_at = tx.now + wait;
                tx.delivery_note(delivery.id, state, next_at, status)
            })
            .await?;
    }
    Ok(())
}

fn request(
    client: &reqwest::Client,
    settings: &Settings,
    delivery: &Pending,
    now: i64,
) -> reqwest::RequestBuilder {
    let url = delivery.url.as_deref().unwrap_or(&settings.webhook_url);
    let secret = delivery.secret.as_deref().unwrap_or(&settings.webhook_secret);
    let signature = signature_header(secret, now, delivery.json.as_bytes());
    client
        .post(url)
        .header("content-type", "application/json; charset=utf-8")
        .header("stripe-signature", signature)
        .header("user-agent", "Stripe/1.0 (sandbox)")
        .body(delivery.json.clone())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{back_off, choose};
    use crate::control::Control;
    use crate::queue::Pending;

    fn pending(id: i64, event: &str, next_at: i64) -> Pending {
        Pending {
            id,
            event: event.to_owned(),
            attempts: 0,
            next_at,
            created: 0,
            json: "{}".to_owned(),
            url: None,
            secret: None,
        }
    }

    fn chosen(control: Control, rows: Vec<Pending>) -> Vec<Vec<i64>> {
        let groups = choose(rows, control, 100, &mut HashMap::new());
        groups.into_iter().map(|group| group.into_iter().map(|delivery| delivery.id).collect()).collect()
    }

    #[test]
    fn waits_double_up_to_five_minutes() {
        let waits: Vec<_> = [1, 2, 3, 9, 10, 1_000].map(back_off).into();
        assert_eq!(waits, [1, 2, 4, 256, 300, 300]);
    }

    #[test]
    fn copies_stand_together_and_later_retries_wait() {
        let rows = vec![pending(1, "a", 0), pending(2, "a", 0), pending(3, "b", 101), pending(4, "c", 100)];
        assert_eq!(chosen(Control::default(), rows), [vec![1, 2], vec![4]]);
    }

    #[test]
    fn delayed_and_gathered_webhooks_are_not_ready_when_first_seen() {
        let delayed = Control { delay_ms: 50, ..Control::default() };
        let reordered = Control { reorder: true, ..Control::default() };
        for control in [delayed, reordered] {
            assert!(chosen(control, vec![pending(1, "a", 0)]).is_empty());
        }
    }
}
