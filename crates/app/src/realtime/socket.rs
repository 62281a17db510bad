//! One socket.
//!
//! A client's frames are worked off in the order in which they came, one at a time; consecutive messages to one
//! session become one transaction. While one waits for the store, deliveries go on. Events of a session leave in
//! the order of their `seq`: what was sent already is dropped, what was missed is read from the store.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web::Data;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, ProtocolError};
use bytestring::ByteString;
use futures_util::StreamExt;
use kernel::id::SessionId;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::channel::{self, Done, Joined, Outgoing};
use super::code::Code;
use super::hub::{Delivery, End, Hub, OUTBOX, SocketHandle};
use super::protocol::{Channel, ClientFrame, EventWire, Reference, ServerFrame};
use crate::http::auth::Identity;
use crate::state::Pitlane;

/// How long a socket may be there without saying who it is.
const AUTHENTICATION: Duration = Duration::from_secs(10);
/// How long a socket may be silent.
const SILENCE: Duration = Duration::from_secs(60);
/// How long one frame may take to leave.
const SENDING: Duration = Duration::from_secs(30);
/// Frames of a client that may wait; more are not read until some are done.
const WAITING: usize = 256;
/// Messages in one transaction.
const MESSAGES: usize = 64;
/// Events that may wait while a channel catches up.
const HELD: usize = 1_024;
/// Frames that need no answer, in a burst; and how many of them come back in a second.
const BURST: u32 = 400;
const REFILL_PER_SECOND: u32 = 100;
/// Typing is told to the others at most this often.
const TYPING: Duration = Duration::from_secs(1);

struct Membership {
    channel: Channel,
    /// Of a session channel: the last event that was sent, and what the person is there.
    last_seq: u64,
    role: Option<sessions::ParticipantRole>,
    /// Events that came while the log is being read.
    held: Option<Vec<Arc<Delivery>>>,
    typed: Option<Instant>,
}

enum Task {
    Frame(ClientFrame),
    CatchUp(SessionId),
}

struct Socket {
    pitlane: Data<Pitlane>,
    hub: Arc<Hub>,
    session: actix_ws::Session,
    signed_in: Option<(Arc<Identity>, Arc<SocketHandle>)>,
    members: Vec<Membership>,
    tasks: VecDeque<Task>,
    working: Option<Pin<Box<dyn Future<Output = Done>>>>,
    heard: Instant,
    allowance: u32,
    refilled: Instant,
}

/// Why a socket ends.
enum Ending {
    /// The client went, or can't be reached.
    Gone,
    /// We end it, and say why.
    Closed(CloseCode, &'static str),
}

type Going = Result<(), Ending>;

/// Serves one socket until it ends. `identity` is `None` for a client that will authenticate by frame.
pub async fn run(
    pitlane: Data<Pitlane>,
    session: actix_ws::Session,
    mut stream: AggregatedMessageStream,
    identity: Option<Identity>,
) {
    let (sender, mut outbox) = mpsc::channel(OUTBOX);
    let hub = Arc::clone(&pitlane.hub);
    let now = Instant::now();
    let mut socket = Socket {
        pitlane,
        hub,
        session,
        signed_in: None,
        members: Vec::new(),
        tasks: VecDeque::new(),
        working: None,
        heard: now,
        allowance: BURST,
        refilled: now,
    };
    let begun = identity.map_or(Ok(()), |identity| socket.sign_in(identity, &sender));
    let ending = match begun {
        Ok(()) => socket.serve(&mut stream, &mut outbox, &sender).await,
        Err(ending) => ending,
    };
    if let Some((_, handle)) = &socket.signed_in {
        let channels: Vec<Channel> = socket.members.iter().map(|member| member.channel).collect();
        socket.hub.disconnect(handle, &channels);
    }
    match ending {
        Ending::Gone => {}
        Ending::Closed(code, reason) => {
            let reason = CloseReason { code, description: Some(reason.to_owned()) };
            // It may be gone already.
            let _ = tokio::time::timeout(SENDING, socket.session.close(Some(reason))).await;
        }
    }
}

impl Socket {
    fn sign_in(&mut self, identity: Identity, outbox: &mpsc::Sender<Arc<Delivery>>) -> Going {
        let handle = Arc::new(SocketHandle {
            id: self.hub.next_socket_id(),
            user: identity.user,
            via: identity.via,
            outbox: outbox.clone(),
            lost: Mutex::default(),
            revoked: Mutex::default(),
            end: AtomicU8::new(End::NONE),
            wake: tokio::sync::Notify::new(),
        });
        if !self.hub.connect(&handle, self.pitlane.settings.limits.person_sockets) {
            return Err(Ending::Closed(CloseCode::Policy, "too many sockets"));
        }
        self.signed_in = Some((Arc::new(identity), handle));
        Ok(())
    }

    async fn serve(
        &mut self,
        stream: &mut AggregatedMessageStream,
        outbox: &mut mpsc::Receiver<Arc<Delivery>>,
        sender: &mpsc::Sender<Arc<Delivery>>,
    ) -> Ending {
        let timer = tokio::time::sleep(AUTHENTICATION);
        tokio::pin!(timer);
        loop {
            let handle = self.signed_in.as_ref().map(|(_, handle)| Arc::clone(handle));
            let woken = async {
                match &handle {
                    Some(handle) => handle.wake.notified().await,
                    None => std::future::pending().await,
                }
            };
            let working = async {
                match self.working.as_mut() {
                    Some(work) => work.await,
                    None => std::future::pending().await,
                }
            };
            let going = tokio::select! {
                done = working => {
                    self.working = None;
                    self.finish(done, sender).await
                }
                Some(delivery) = outbox.recv() => self.forward_all(delivery, outbox).await,
                frame = stream.next(), if self.tasks.len() < WAITING => match frame {
                    Some(Ok(frame)) => self.hear(frame).await,
                    Some(Err(error)) => Err(self.refuse(&error).await),
                    None => Err(Ending::Gone),
                },
                () = woken => Ok(()),
                () = &mut timer => match self.on_time() {
                    Ok(next) => {
                        timer.as_mut().reset(next);
                        Ok(())
                    }
                    Err(ending) => Err(ending),
                },
            };
            let going = match going {
                Ok(()) => self.attend(outbox).await,
                Err(ending) => Err(ending),
            };
            if let Err(ending) = going {
                return ending;
            }
            self.begin();
        }
    }

    /// What the hub has left for this socket beside frames.
    async fn attend(&mut self, outbox: &mut mpsc::Receiver<Arc<Delivery>>) -> Going {
        let Some((_, handle)) = &self.signed_in else { return Ok(()) };
        let handle = Arc::clone(handle);
        let (lost, revoked) = (taken(&handle.lost), taken(&handle.revoked));
        for channel in revoked {
            self.members.retain(|member| member.channel != channel);
            self.error(Code::MembershipEnded, "You are no longer part of this.", None, None, Some(channel))
                .await?;
        }
        if !lost.is_empty() {
            // What was queued before goes out first, so that the client knows how far it got.
            while let Ok(delivery) = outbox.try_recv() {
                self.forward(delivery).await?;
            }
            for channel in lost {
                let known = self.members.iter().any(|member| member.channel == channel);
                self.members.retain(|member| member.channel != channel);
                self.hub.leave(channel, &handle);
                if known {
                    self.send(ServerFrame::Resync { channel, reference: None }.encode()).await?;
                }
            }
        }
        match handle.end.load(Ordering::Acquire) {
            End::NONE => Ok(()),
            End::STOPPING => Err(Ending::Closed(CloseCode::Restart, "the server restarts; connect again")),
            _ => {
                self.error(Code::SignedOut, "You were signed out.", None, None, None).await?;
                Err(Ending::Closed(CloseCode::Policy, "signed out"))
            }
        }
    }

    fn on_time(&self) -> Result<Instant, Ending> {
        if self.signed_in.is_none() {
            return Err(Ending::Closed(CloseCode::Policy, "not authenticated in time"));
        }
        let deadline = self.heard + SILENCE;
        if Instant::now() < deadline {
            return Ok(deadline);
        }
        Err(Ending::Closed(CloseCode::Away, "silent for too long"))
    }

    async fn refuse(&mut self, error: &ProtocolError) -> Ending {
        if matches!(error, ProtocolError::Overflow) {
            let _ = self.error(Code::FrameTooBig, "A frame may hold 64 KiB.", None, None, None).await;
            return Ending::Closed(CloseCode::Size, "frame too big");
        }
        Ending::Closed(CloseCode::Protocol, "not a WebSocket frame")
    }

    async fn hear(&mut self, message: AggregatedMessage) -> Going {
        self.heard = Instant::now();
        match message {
            AggregatedMessage::Text(text) => match ClientFrame::parse(&text) {
                Ok(frame) => self.accept(frame).await,
                Err(misread) => {
                    self.spend()?;
                    self.error(misread.code, &misread.message, misread.reference.as_ref(), None, None).await
                }
            },
            AggregatedMessage::Binary(_) => {
                self.spend()?;
                self.error(Code::Invalid, "Frames are JSON text.", None, None, None).await
            }
            AggregatedMessage::Ping(bytes) => {
                self.spend()?;
                self.session.pong(&bytes).await.map_err(|_| Ending::Gone)
            }
            AggregatedMessage::Pong(_) => self.spend(),
            AggregatedMessage::Close(_) => Err(Ending::Closed(CloseCode::Normal, "")),
        }
    }

    /// Frames that cost the sender no waiting are limited, so that nobody can keep a node busy with them.
    fn spend(&mut self) -> Going {
        let passed = self.refilled.elapsed();
        if passed >= Duration::from_secs(1) {
            let seconds = u32::try_from(passed.as_secs()).unwrap_or(u32::MAX);
            self.allowance =
                self.allowance.saturating_add(seconds.saturating_mul(REFILL_PER_SECOND)).min(BURST);
            self.refilled = Instant::now();
        }
        self.allowance =
            self.allowance.checked_sub(1).ok_or(Ending::Closed(CloseCode::Policy, "too many frames"))?;
        Ok(())
    }

    async fn accept(&mut self, frame: ClientFrame) -> Going {
        match frame {
            ClientFrame::Ping { reference } => {
                self.spend()?;
                self.send(ServerFrame::Pong { reference: reference.as_ref() }.encode()).await
            }
            ClientFrame::Authenticate { .. } if self.signed_in.is_some() => {
                self.spend()?;
                self.error(Code::AlreadyAuthenticated, "This socket is signed in.", None, None, None).await
            }
            ClientFrame::Typing { channel, reference } => {
                self.spend()?;
                self.typing(channel, reference.as_ref()).await
            }
            frame @ (ClientFrame::Read { .. }
            | ClientFrame::React { .. }
            | ClientFrame::Ack { .. }
            | ClientFrame::Leave { .. }
            | ClientFrame::Signal { .. }
            | ClientFrame::Join { .. }
            | ClientFrame::Authenticate { .. }) => {
                self.spend()?;
                self.tasks.push_back(Task::Frame(frame));
                Ok(())
            }
            frame @ ClientFrame::Send { .. } => {
                self.tasks.push_back(Task::Frame(frame));
                Ok(())
            }
        }
    }

    async fn typing(&mut self, channel: Channel, reference: Option<&Reference>) -> Going {
        let Some((identity, _)) = &self.signed_in else {
            return self.error(Code::NotAuthenticated, "Authenticate first.", reference, None, None).await;
        };
        let user = identity.user;
        let Some(member) = self.members.iter_mut().find(|member| member.channel == channel) else {
            return self
                .error(Code::NotJoined, "Join the channel first.", reference, None, Some(channel))
                .await;
        };
        let writes = matches!(
            member.role,
            Some(sessions::ParticipantRole::Customer | sessions::ParticipantRole::Mechanic)
        );
        if writes && member.typed.is_none_or(|at| at.elapsed() >= TYPING) {
            member.typed = Some(Instant::now());
            self.hub.broadcast_where(channel, &ServerFrame::Typing { channel, user_id: user }, |other| {
                other != user
            });
        }
        Ok(())
    }

    /// Starts the next task when none is being worked on.
    fn begin(&mut self) {
        if self.working.is_some() {
            return;
        }
        let Some(task) = self.tasks.pop_front() else { return };
        let pitlane = self.pitlane.clone();
        let signed_in = self.signed_in.clone();
        self.working = Some(match (task, signed_in) {
            (Task::Frame(ClientFrame::Authenticate { token }), None) => {
                Box::pin(async move { Done::Identified(crate::http::auth::by_token(&pitlane, &token).await) })
            }
            (Task::Frame(frame), None) => {
                Box::pin(
                    async move { channel::refused(&frame, Code::NotAuthenticated, "Authenticate first.") },
                )
            }
            (Task::Frame(ClientFrame::Join { channel, after_seq, reference }), Some((identity, handle))) => {
                self.prepare_join(channel);
                Box::pin(channel::join(pitlane, identity, handle, channel, after_seq, reference))
            }
            (Task::Frame(frame @ ClientFrame::Send { .. }), Some((identity, _))) => {
                if channel::of(&frame).is_none_or(|channel| self.role_in(channel).is_none()) {
                    let refused = channel::refused(&frame, Code::NotJoined, "Join the channel first.");
                    Box::pin(std::future::ready(refused))
                } else {
                    let messages = self.gather(frame);
                    Box::pin(channel::post(pitlane, identity, messages))
                }
            }
            (Task::Frame(ClientFrame::Leave { channel, reference }), Some((_, handle))) => {
                self.members.retain(|member| member.channel != channel);
                self.hub.leave(channel, &handle);
                Box::pin(std::future::ready(Done::Answers(vec![Outgoing::Left { channel, reference }])))
            }
            (Task::Frame(frame), Some((identity, _))) => {
                let joined = self.members.iter().any(|member| Some(member.channel) == channel::of(&frame));
                Box::pin(channel::act(pitlane, identity, frame, joined))
            }
            (Task::CatchUp(session), _) => {
                let after = self.members.iter().find(|member| member.channel == Channel::Session(session));
                let after = after.map_or(0, |member| member.last_seq);
                Box::pin(channel::catch_up(pitlane, session, after))
            }
        });
    }

    fn role_in(&self, channel: Channel) -> Option<sessions::ParticipantRole> {
        self.members.iter().find(|member| member.channel == channel).and_then(|member| member.role)
    }

    /// The message and those that wait behind it for the same session, in order.
    fn gather(&mut self, first: ClientFrame) -> Vec<ClientFrame> {
        let channel = channel::of(&first);
        let mut messages = vec![first];
        while messages.len() < MESSAGES {
            match self.tasks.front() {
                Some(Task::Frame(next @ ClientFrame::Send { .. })) if channel::of(next) == channel => {
                    if let Some(Task::Frame(next)) = self.tasks.pop_front() {
                        messages.push(next);
                    }
                }
                Some(Task::Frame(_) | Task::CatchUp(_)) | None => break,
            }
        }
        messages
    }

    // From the moment the hub knows this socket, events come; they wait here until the log has been read.
    fn prepare_join(&mut self, channel: Channel) {
        match self.members.iter_mut().find(|member| member.channel == channel) {
            Some(member) => {
                let _ = member.held.get_or_insert_default();
            }
            None => self.members.push(Membership {
                channel,
                last_seq: 0,
                role: None,
                held: Some(Vec::new()),
                typed: None,
            }),
        }
    }

    async fn finish(&mut self, done: Done, sender: &mpsc::Sender<Arc<Delivery>>) -> Going {
        match done {
            Done::Identified(Ok(Some(identity))) => {
                let frame = ServerFrame::Authenticated { user: &identity.user_json }.encode();
                self.sign_in(identity, sender)?;
                self.send(frame).await
            }
            Done::Identified(Ok(None)) => {
                // It may try again until its time is up; guesses are limited like every frame.
                self.error(Code::NotAuthenticated, "This token is not valid.", None, None, None).await
            }
            Done::Identified(Err(error)) => {
                tracing::error!(%error, "a socket could not be authenticated");
                Err(Ending::Closed(CloseCode::Error, "try again"))
            }
            Done::Joined(joined) => self.joined(joined).await,
            Done::NotJoined { channel, answer } => {
                self.members.retain(|member| member.channel != channel);
                if let Some((_, handle)) = &self.signed_in {
                    self.hub.leave(channel, handle);
                }
                self.answer(answer).await
            }
            Done::CaughtUp { channel, events } => self.caught_up(channel, events).await,
            Done::Answers(answers) => {
                for answer in answers {
                    self.answer(answer).await?;
                }
                Ok(())
            }
        }
    }

    async fn joined(&mut self, joined: Joined) -> Going {
        let Joined { channel, reference, role, last_seq, events, names, participants } = joined;
        let name = |event: &sessions::Event| event.actor.id.and_then(|id| names.get(&id)).map(|name| &**name);
        let frame = ServerFrame::Joined {
            channel,
            reference: reference.as_ref(),
            last_seq,
            events: events.iter().map(|event| EventWire::new(event, name(event))).collect(),
            participants,
            now: self.pitlane.clock.now(),
        }
        .encode();
        self.send(frame).await?;
        let held = self.members.iter_mut().find(|member| member.channel == channel).and_then(|member| {
            member.role = role;
            member.last_seq = last_seq;
            member.held.take()
        });
        for delivery in held.unwrap_or_default() {
            self.forward(delivery).await?;
        }
        Ok(())
    }

    async fn caught_up(&mut self, channel: Channel, events: Result<Vec<(u64, ByteString)>, ()>) -> Going {
        let Some(member) = self.members.iter_mut().find(|member| member.channel == channel) else {
            return Ok(());
        };
        let held = member.held.take().unwrap_or_default();
        let Ok(events) = events else {
            self.members.retain(|member| member.channel != channel);
            if let Some((_, handle)) = &self.signed_in {
                self.hub.leave(channel, handle);
            }
            return self.send(ServerFrame::Resync { channel, reference: None }.encode()).await;
        };
        for (seq, frame) in events {
            self.forward(Arc::new(Delivery { channel, seq: Some(seq), frame })).await?;
        }
        for delivery in held {
            self.forward(delivery).await?;
        }
        Ok(())
    }

    /// Forwards a delivery and those that wait behind it.
    async fn forward_all(
        &mut self,
        first: Arc<Delivery>,
        outbox: &mut mpsc::Receiver<Arc<Delivery>>,
    ) -> Going {
        self.forward(first).await?;
        // As many as there are now: what comes meanwhile must not keep the client's own frames waiting.
        for _ in 0..outbox.len() {
            match outbox.try_recv() {
                Ok(delivery) => self.forward(delivery).await?,
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Sends what the hub delivered, unless the client has it; reads what lies between.
    async fn forward(&mut self, delivery: Arc<Delivery>) -> Going {
        let Some(member) = self.members.iter_mut().find(|member| member.channel == delivery.channel) else {
            return Ok(());
        };
        if let (Some(seq), Channel::Session(session)) = (delivery.seq, delivery.channel) {
            if let Some(held) = &mut member.held {
                if held.len() < HELD {
                    held.push(delivery);
                }
                return Ok(());
            }
            if seq <= member.last_seq {
                return Ok(());
            }
            if seq > member.last_seq + 1 {
                member.held = Some(vec![delivery]);
                self.tasks.push_front(Task::CatchUp(session));
                return Ok(());
            }
            member.last_seq = seq;
        }
        self.send(delivery.frame.clone()).await
    }

    async fn answer(&mut self, answer: Outgoing) -> Going {
        match answer {
            Outgoing::Frame(frame) => self.send(frame).await,
            Outgoing::Left { channel, reference } => {
                self.send(ServerFrame::Left { channel, reference: reference.as_ref() }.encode()).await
            }
        }
    }

    async fn error(
        &mut self,
        code: Code,
        message: &str,
        reference: Option<&Reference>,
        client_ref: Option<&str>,
        channel: Option<Channel>,
    ) -> Going {
        let code = code.as_str();
        self.send(ServerFrame::Error { code, message, reference, client_ref, channel }.encode()).await
    }

    async fn send(&mut self, frame: ByteString) -> Going {
        match tokio::time::timeout(SENDING, self.session.text(frame)).await {
            Ok(Ok(())) => Ok(()),
            // Closed, or a client that has not read anything for so long that nothing more fits on the way to it.
            Ok(Err(_)) | Err(_) => Err(Ending::Gone),
        }
    }
}

fn taken(list: &Mutex<Vec<Channel>>) -> Vec<Channel> {
    std::mem::take(&mut *list.lock().unwrap_or_else(PoisonError::into_inner))
}
