//! The sockets of this node, by channel.
//!
//! The store hands over the notices of each committed transaction on the thread that committed. There, each is encoded
//! once and put into the outbox of every socket that joined its channel: a few microseconds, less than handing it to
//! another thread. Nobody is waited for: a socket whose outbox is full is taken off the channel and told to `resync`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use accounts::authenticate::Via;
use bytestring::ByteString;
use kernel::{SessionId, UserId};
use sessions::Event;
use store::{Db, Notice, Side};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::presence::Presence;
use super::protocol::{Channel, EventWire, ServerFrame};
use crate::clock::Clock;

/// Frames that may wait for one socket.
pub const OUTBOX: usize = 512;
/// How often clients are told where the log of their session ends.
const TICK: Duration = Duration::from_secs(15);
/// Into how many parts that time is cut; each session has one of them.
const TICK_SLOTS: u8 = 15;

/// A frame on its way to every socket of a channel.
#[derive(Debug)]
pub struct Delivery {
    /// The channel.
    pub channel: Channel,
    /// The place in the session's log, of events.
    pub seq: Option<u64>,
    /// The text frame.
    pub frame: ByteString,
}

/// What the hub knows of a socket.
pub struct SocketHandle {
    /// Unique on this node.
    pub id: u64,
    /// Who is connected.
    pub user: UserId,
    /// By which sign-in or API token.
    pub via: Via,
    /// Where frames go.
    pub outbox: mpsc::Sender<Arc<Delivery>>,
    /// Channels that this socket was too slow for.
    pub lost: Mutex<Vec<Channel>>,
    /// Channels that this socket may no longer see.
    pub revoked: Mutex<Vec<Channel>>,
    /// One of [`End`].
    pub end: AtomicU8,
    /// Wakes the socket when its outbox is full or it must end.
    pub wake: tokio::sync::Notify,
}

/// Whether a socket must end, and why.
pub struct End;

impl End {
    /// It goes on.
    pub const NONE: u8 = 0;
    /// Its person may no longer be connected.
    pub const ACCESS: u8 = 1;
    /// The server is about to stop; the client connects again.
    pub const STOPPING: u8 = 2;
}

#[derive(Default)]
struct Room {
    sockets: Vec<Arc<SocketHandle>>,
    presence: Presence,
    names: HashMap<UserId, Arc<str>>,
    /// Events whose actor's name is being read; they and all later ones wait for it.
    waiting: Vec<Arc<Event>>,
}

/// Somebody came into the room of a session, or was found to have left it.
#[derive(Debug, Clone, Copy)]
pub struct Attended {
    /// The session.
    pub session: SessionId,
    /// The person.
    pub user: UserId,
    /// Whether they are there.
    pub present: bool,
    /// How long ago that was, in seconds.
    pub seconds_ago: i64,
}

/// The sockets of this node.
pub struct Hub {
    db: Db,
    rooms: RwLock<HashMap<Channel, Arc<Mutex<Room>>>>,
    people: Mutex<HashMap<UserId, Vec<Arc<SocketHandle>>>>,
    next_id: AtomicU64,
    grace: Duration,
    clock: Clock,
    attendance: OnceLock<mpsc::UnboundedSender<Attended>>,
    runtime: tokio::runtime::Handle,
    stopping: AtomicBool,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// A hub that hears what `db` commits. `grace` is how long somebody may be gone before the others are told.
    /// Must be called on a tokio runtime that outlives the sockets.
    pub fn start(db: Db, clock: Clock, grace: Duration) -> Arc<Self> {
        let hub = Arc::new(Self {
            db: db.clone(),
            rooms: RwLock::default(),
            people: Mutex::default(),
            next_id: AtomicU64::new(1),
            grace,
            clock,
            attendance: OnceLock::new(),
            runtime: tokio::runtime::Handle::current(),
            stopping: AtomicBool::new(false),
        });
        let listener = Arc::downgrade(&hub);
        db.on_commit(Arc::new(move |notices| {
            if let Some(hub) = listener.upgrade() {
                notices.iter().for_each(|notice| hub.hear(notice));
            }
        }));
        tokio::spawn(tick(Arc::downgrade(&hub)));
        hub
    }

    fn hear(self: &Arc<Self>, notice: &Notice) {
        match notice {
            Notice::SessionEvent(event) => self.event(event),
            Notice::Read { session, user, seq } => {
                let channel = Channel::Session(*session);
                self.broadcast(channel, &ServerFrame::Read { channel, user_id: *user, seq: *seq });
            }
            Notice::Personal { user, side, frame } => {
                let channel = match side {
                    Side::Customer => Channel::Customer(*user),
                    Side::Mechanic => Channel::Mechanic(*user),
                };
                self.deliver(channel, None, frame.as_str().into());
            }
            Notice::Staff { frame } => self.deliver(Channel::Admin, None, frame.as_str().into()),
            Notice::AccessEnded { user, via } => self.end_access(*user, *via),
            Notice::MembershipEnded { session, user } => {
                self.end_membership(Channel::Session(*session), *user);
            }
            Notice::JobsDue => {}
        }
    }

    /// From now on says who comes into which room of a session and who leaves it. Only the first caller is told.
    pub fn report_attendance(&self, to: mpsc::UnboundedSender<Attended>) {
        // A second caller is a mistake that harms nobody.
        let _ = self.attendance.set(to);
    }

    fn attended(&self, channel: Channel, user: UserId, present: bool) {
        if let (Channel::Session(session), Some(to)) = (channel, self.attendance.get()) {
            let grace = i64::try_from(self.grace.as_secs()).unwrap_or(i64::MAX);
            let seconds_ago = if present { 0 } else { grace };
            // Whoever listened has stopped with the server.
            let _ = to.send(Attended { session, user, present, seconds_ago });
        }
    }

    /// A number for a new socket, unique on this node.
    pub fn next_socket_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// How many sockets this person has at this node.
    pub fn sockets_of(&self, user: UserId) -> usize {
        held(&self.people).get(&user).map_or(0, Vec::len)
    }

    /// Notes that a signed-in socket is there, so that it ends when its person's access does; `false`, and nothing, when
    /// the person has `most` already. 0 limits nothing.
    #[must_use]
    pub fn connect(&self, socket: &Arc<SocketHandle>, most: usize) -> bool {
        {
            let mut people = held(&self.people);
            let sockets = people.entry(socket.user).or_default();
            if most > 0 && sockets.len() >= most {
                return false;
            }
            sockets.push(Arc::clone(socket));
        }
        // It may have come while the others were told.
        if self.is_stopping() {
            end(socket);
        }
        true
    }

    /// Forgets a socket everywhere.
    pub fn disconnect(self: &Arc<Self>, socket: &SocketHandle, channels: &[Channel]) {
        for channel in channels {
            self.leave(*channel, socket);
        }
        let mut people = held(&self.people);
        if let Some(sockets) = people.get_mut(&socket.user) {
            sockets.retain(|other| other.id != socket.id);
            if sockets.is_empty() {
                people.remove(&socket.user);
            }
        }
    }

    fn room(&self, channel: Channel) -> Option<Arc<Mutex<Room>>> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner).get(&channel).map(Arc::clone)
    }

    /// From now on the socket gets what happens on the channel. Tells the others when its person has just come.
    /// The caller reads the log after this call, so that nothing falls between.
    pub fn join(self: &Arc<Self>, channel: Channel, socket: &Arc<SocketHandle>) {
        let arrived = {
            let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
            let room = Arc::clone(rooms.entry(channel).or_default());
            // Under the lock of the map, so that an empty room is not thrown away in between.
            let mut room = held(&room);
            if room.sockets.iter().any(|other| other.id == socket.id) {
                return;
            }
            room.sockets.push(Arc::clone(socket));
            room.presence.arrive(socket.user)
        };
        if arrived {
            self.attended(channel, socket.user, true);
            self.tell_presence(channel, socket.user, true);
        }
    }

    /// The socket gets nothing more from the channel. Its person counts as gone when the grace period has passed
    /// without another socket.
    pub fn leave(self: &Arc<Self>, channel: Channel, socket: &SocketHandle) {
        let departure = {
            let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
            let Some(room) = rooms.get(&channel).map(Arc::clone) else { return };
            let mut room = held(&room);
            let before = room.sockets.len();
            room.sockets.retain(|other| other.id != socket.id);
            let departure =
                if room.sockets.len() < before { room.presence.depart(socket.user) } else { None };
            if room.sockets.is_empty() && room.presence.is_empty() {
                rooms.remove(&channel);
            }
            departure
        };
        if let (Some(departure), Channel::Session(_)) = (departure, channel) {
            let (hub, user, grace, clock) =
                (Arc::downgrade(self), socket.user, self.grace, self.clock.clone());
            self.runtime.spawn(async move {
                clock.passes(grace).await;
                if let Some(hub) = hub.upgrade() {
                    hub.depart_for_good(channel, user, departure);
                }
            });
        } else {
            self.forget_if_empty(channel);
        }
    }

    fn depart_for_good(&self, channel: Channel, user: UserId, departure: u64) {
        let gone = self.room(channel).is_some_and(|room| held(&room).presence.settle(user, departure));
        if gone {
            self.attended(channel, user, false);
            self.tell_presence(channel, user, false);
        }
        self.forget_if_empty(channel);
    }

    fn forget_if_empty(&self, channel: Channel) {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        let empty = rooms.get(&channel).is_some_and(|room| {
            let mut room = held(room);
            if !matches!(channel, Channel::Session(_)) && room.sockets.is_empty() {
                room.presence = Presence::default();
            }
            room.sockets.is_empty() && room.presence.is_empty()
        });
        if empty {
            rooms.remove(&channel);
        }
    }

    /// Who is on the channel, the grace period included.
    pub fn online(&self, channel: Channel) -> Vec<UserId> {
        self.room(channel).map(|room| held(&room).presence.online()).unwrap_or_default()
    }

    /// Keeps the names of a session's people, so that events need not read them.
    pub fn remember_names(&self, session: SessionId, names: impl Iterator<Item = (UserId, Arc<str>)>) {
        if let Some(room) = self.room(Channel::Session(session)) {
            held(&room).names.extend(names);
        }
    }

    /// Sends a frame to every socket of a channel.
    pub fn broadcast(&self, channel: Channel, frame: &ServerFrame<'_>) {
        if self.room(channel).is_some() {
            self.deliver(channel, None, frame.encode());
        }
    }

    /// Sends a frame to the sockets of the others, or of one person, on a channel.
    pub fn broadcast_where(&self, channel: Channel, frame: &ServerFrame<'_>, whom: impl Fn(UserId) -> bool) {
        let Some(room) = self.room(channel) else { return };
        let delivery = Arc::new(Delivery { channel, seq: None, frame: frame.encode() });
        send(&mut held(&room), &delivery, whom);
    }

    fn tell_presence(&self, channel: Channel, participant: UserId, online: bool) {
        if matches!(channel, Channel::Session(_)) {
            // Who comes knows it, and waits for `joined`.
            let frame = ServerFrame::Presence { channel, participant, online };
            self.broadcast_where(channel, &frame, |user| user != participant);
        }
    }

    fn deliver(&self, channel: Channel, seq: Option<u64>, frame: ByteString) {
        if let Some(room) = self.room(channel) {
            send(&mut held(&room), &Arc::new(Delivery { channel, seq, frame }), |_| true);
        }
    }

    fn event(self: &Arc<Self>, event: &Arc<Event>) {
        let channel = Channel::Session(event.session);
        let Some(room) = self.room(channel) else { return };
        let mut room = held(&room);
        if !room.waiting.is_empty() {
            room.waiting.push(Arc::clone(event));
        } else if !forward(&mut room, channel, event) {
            room.waiting.push(Arc::clone(event));
            let hub = Arc::clone(self);
            let session = event.session;
            self.runtime.spawn(async move { hub.learn_names(session).await });
        }
    }

    async fn learn_names(self: Arc<Self>, session: SessionId) {
        let names = self.db.read(move |tx| store::views::channel::names(tx, session)).await;
        let Some(room) = self.room(Channel::Session(session)) else { return };
        let mut room = held(&room);
        match names {
            Ok(names) => room.names.extend(names.into_iter().map(|(user, name)| (user, Arc::from(name)))),
            Err(error) => tracing::error!(%error, "names could not be read"),
        }
        for event in std::mem::take(&mut room.waiting) {
            if !forward(&mut room, Channel::Session(session), &event) {
                // A person who is in no list any more still said what they said.
                if let Some(user) = event.actor.id {
                    room.names.insert(user, Arc::from(""));
                }
                forward(&mut room, Channel::Session(session), &event);
            }
        }
    }

    fn end_access(&self, user: UserId, via: Option<Via>) {
        let sockets = held(&self.people).get(&user).cloned().unwrap_or_default();
        for socket in sockets.iter().filter(|socket| via.is_none_or(|via| socket.via == via)) {
            socket.end.store(End::ACCESS, Ordering::Release);
            socket.wake.notify_one();
        }
    }

    fn end_membership(self: &Arc<Self>, channel: Channel, user: UserId) {
        let sockets = held(&self.people).get(&user).cloned().unwrap_or_default();
        for socket in sockets {
            self.leave(channel, &socket);
            held(&socket.revoked).push(channel);
            socket.wake.notify_one();
        }
    }

    /// Ends every socket, telling each to come back: the server is about to stop.
    pub fn end_all(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let people: Vec<_> = held(&self.people).values().flatten().cloned().collect();
        people.iter().for_each(|socket| end(socket));
    }

    /// Whether the server is about to stop, so that no socket may come any more.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Sockets that are signed in.
    pub fn connected(&self) -> usize {
        held(&self.people).values().map(Vec::len).sum()
    }

    fn sessions(&self) -> Vec<SessionId> {
        let rooms = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        rooms
            .keys()
            .filter_map(|channel| match channel {
                Channel::Session(session) => Some(*session),
                Channel::Mechanic(_) | Channel::Customer(_) | Channel::Admin => None,
            })
            .collect()
    }
}

fn end(socket: &SocketHandle) {
    socket.end.store(End::STOPPING, Ordering::Release);
    socket.wake.notify_one();
}

/// Encodes an event once and sends it to everybody; `false` when its actor's name is not known yet.
fn forward(room: &mut Room, channel: Channel, event: &Event) -> bool {
    let name = match event.actor.id {
        Some(user) => match room.names.get(&user) {
            Some(name) => Some(Arc::clone(name)),
            None => return false,
        },
        None => None,
    };
    let frame = ServerFrame::Event { channel, event: EventWire::new(event, name.as_deref()) }.encode();
    send(room, &Arc::new(Delivery { channel, seq: Some(event.seq), frame }), |_| true);
    true
}

fn send(room: &mut Room, delivery: &Arc<Delivery>, whom: impl Fn(UserId) -> bool) {
    room.sockets.retain(|socket| {
        if !whom(socket.user) {
            return true;
        }
        match socket.outbox.try_send(Arc::clone(delivery)) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => true,
            Err(TrySendError::Full(_)) => {
                held(&socket.lost).push(delivery.channel);
                socket.wake.notify_one();
                false
            }
        }
    });
}

/// Tells every session its end once in [`TICK`]; each its own time, so that those who talk never wait behind all.
async fn tick(hub: std::sync::Weak<Hub>) {
    let mut every = tokio::time::interval(TICK / u32::from(TICK_SLOTS));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for slot in (0..TICK_SLOTS).cycle() {
        every.tick().await;
        let Some(hub) = hub.upgrade() else { return };
        let mut sessions = hub.sessions();
        sessions.retain(|session| tick_slot(*session) == slot);
        for chunk in sessions.chunks(500) {
            let ids = chunk.to_vec();
            // The store says where a log ends, not this node's memory of what passed by.
            match hub.db.read(move |tx| store::views::channel::last_seqs(tx, &ids)).await {
                Ok(ends) => {
                    for (session, last_seq) in ends {
                        let channel = Channel::Session(session);
                        hub.broadcast(channel, &ServerFrame::Tick { channel, last_seq });
                    }
                }
                Err(error) => tracing::warn!(%error, "no tick: the store did not answer"),
            }
        }
    }
}

/// When in [`TICK`] a session is told. The last byte of an id is random.
fn tick_slot(session: SessionId) -> u8 {
    session.uuid().as_bytes()[15] % TICK_SLOTS
}
