//! The server as a whole, started in this process: its lock, its job loop and its end.

use std::time::Duration;

use accounts::{Device, Purpose};
use async_trait::async_trait;
use jobs::{Job, JobKind, JobStatus, NewJob, Store};
use kernel::id::JobId;
use notifications::{
    BatchMailer, MailboxMessage, Mailer, Message, Milestone, Receipt, SendError, Store as _,
};
use pitlane::boot::{self, BootError, Running};
use pitlane::config::Settings;
use pitlane::mailbox::Mailbox;
use pitlane::state::Pitlane;
use pitlane::usecases::{links, seed};
use pitlane::workers::mail;
use store::Db;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn settings(folder: &TempDir) -> Settings {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let values = [
        ("DATABASE_URL", format!("sqlite://{}", path("pitlane.db"))),
        ("PITLANE_SERVER__ENVIRONMENT", "development".to_owned()),
        ("PITLANE_SERVER__BIND", "127.0.0.1:0".to_owned()),
        ("PITLANE_SERVER__WORKERS", "1".to_owned()),
        ("PITLANE_SERVER__SHUTDOWN_SECONDS", "2".to_owned()),
        ("PITLANE_FILES__URL", format!("file://{}", path("files"))),
    ];
    Settings::load(None, values.map(|(name, value)| (name.to_owned(), value))).expect("valid settings")
}

async fn started(folder: &TempDir) -> Running {
    boot::start(settings(folder)).await.expect("it starts")
}

/// Waits for the loop to have brought a job to this status.
async fn reached(db: &Db, id: JobId, status: JobStatus) -> Job {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let job = db.read(move |tx| tx.job_by_id(id)).await.expect("read").expect("there");
        if job.status() == status {
            return job;
        }
        assert!(std::time::Instant::now() < deadline, "{job:?} is not {status:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn schedule(pitlane: &Pitlane, kind: JobKind, payload: &str, after_seconds: i64) -> JobId {
    let (cx, payload) = (pitlane.context(), payload.to_owned());
    let scheduled = pitlane.db.write(move |tx| {
        let run_at = cx.now.plus_seconds(after_seconds);
        jobs::schedule(tx, NewJob { kind, payload: payload.clone(), run_at, dedupe_key: None }, &cx)?;
        Ok::<_, jobs::Error>(tx.jobs_newest(Some(JobStatus::Queued), None, 500)?)
    });
    let queued = scheduled.await.expect("scheduled");
    queued.iter().filter(|job| job.kind() == kind).map(Job::id).max().expect("it is queued")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_one_file_is_refused_until_the_first_has_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = started(&folder).await;
    assert!(matches!(boot::start(settings(&folder)).await, Err(BootError::InUse(_))));
    let secret = first.pitlane.settings.auth.secret.clone();
    first.stop().await;
    let second = started(&folder).await;
    assert_eq!(second.pitlane.settings.auth.secret, secret, "links made before the restart still work");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_for_its_time_runs_when_the_clock_is_there_and_what_can_not_work_is_dead() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = started(&folder).await;
    let pitlane = running.pitlane.clone();
    let later = schedule(&pitlane, JobKind::SweepFiles, "{}", 7_000).await;
    let broken = schedule(&pitlane, JobKind::Refund, r#"{"refund_id":1}"#, 0).await;
    let dead = reached(&pitlane.db, broken, JobStatus::Dead).await;
    assert!(dead.stored().last_error.as_deref().is_some_and(|reason| reason.contains("payload")), "{dead:?}");
    assert_eq!(reached(&pitlane.db, later, JobStatus::Queued).await.attempts(), 0);
    pitlane.clock.advance(7_001);
    reached(&pitlane.db, later, JobStatus::Done).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_after_sending_leaves_a_job_that_the_next_one_ends_and_the_mail_arrives_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = started(&folder).await;
    let pitlane = running.pitlane.clone();
    running.stop().await;
    // No loop runs any more, so this test is the worker that is killed.
    let device = Device::new("test", "127.0.0.1");
    let asked = links::request(&pitlane, Purpose::MagicLink, seed::DEMO[0].email, Some("/intake"), &device);
    asked.await.expect("asked");
    let cx = pitlane.context();
    let leased = pitlane.db.write(move |tx| jobs::lease(tx, "killed", 64, &cx)).await.expect("leased");
    let [job] = leased.as_slice() else { panic!("one job is due: {leased:?}") };
    mail::run(&pitlane, &Vanishing(Mailbox::new(pitlane.clone())), job).await.expect_err("killed");
    assert_eq!(mailbox(&pitlane).await.len(), 1, "it was sent, and nobody wrote that down");
    drop(pitlane);

    let again = started(&folder).await;
    let done = reached(&again.pitlane.db, job.id(), JobStatus::Done).await;
    assert_eq!(done.attempts(), 2);
    let [message] = mailbox(&again.pitlane).await.try_into().expect("one message");
    assert_eq!(
        (message.message.milestone, message.message.to.as_str()),
        (Milestone::MagicLink, seed::DEMO[0].email)
    );
    assert!(message.message.links[0].contains("/auth/magic/"), "{message:?}");
    let findings = again.pitlane.db.read(store::doctor::examine).await.expect("examined");
    assert!(findings.iter().all(|finding| finding.violations.is_empty()), "{findings:?}");
    again.stop().await;
}

async fn mailbox(pitlane: &Pitlane) -> Vec<MailboxMessage> {
    pitlane.db.read(|tx| tx.mailbox_newest(10)).await.expect("read")
}

/// Hands the message over and never answers.
struct Vanishing(Mailbox);

#[async_trait]
impl Mailer for Vanishing {
    fn deduplicates(&self) -> bool {
        true
    }

    async fn send(&self, message: &Message, send_once_key: &str) -> Result<Receipt, SendError> {
        self.0.send(message, send_once_key).await?;
        Err(SendError::Unknown("killed".to_owned()))
    }

    fn in_batches(&self) -> Option<&dyn BatchMailer> {
        None
    }
}

/// What a stopping server says to a socket that comes on a connection which is open already.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_takes_no_socket_any_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = started(&folder).await;
    let asks = async || {
        let stream = tokio::net::TcpStream::connect(server.address).await.expect("it listens");
        let (mut reader, mut writer) = tokio::io::split(stream);
        let request = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        writer.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = vec![0; 4_096];
        let count = reader.read(&mut answer).await.expect("it answers");
        String::from_utf8_lossy(&answer[..count]).into_owned()
    };
    assert!(asks().await.starts_with("HTTP/1.1 101"), "a running one takes it");
    server.pitlane.hub.end_all();
    let refused = asks().await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.to_ascii_lowercase().contains("retry-after: 5"), "{refused}");
    server.stop().await;
}
