//! What a socket does on a channel: join it, say something there, read, react, signal. Each function is one task of
//! a socket and answers with what to send.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::web::Data;
use bytestring::ByteString;
use kernel::{EventId, Role, SessionId, UserId};
use sessions::{Event, MessageDraft, NoVideo, ParticipantRole};
use store::Tx;
use store::views::channel as view;

use super::code::Code;
use super::hub::SocketHandle;
use super::protocol::{Channel, ClientFrame, EventWire, ParticipantWire, Reference, ServerFrame};
use crate::http::auth::Identity;
use crate::http::{Problem, error};
use crate::state::Pitlane;
use crate::usecases;

/// The most events that a join or a catch-up answers. Who is further behind reads them by REST first.
pub const CATCH_UP: u32 = 1_000;

/// What a task came to.
pub enum Done {
    /// A token was looked up.
    Identified(Result<Option<Identity>, usecases::Error>),
    /// A channel was joined.
    Joined(Joined),
    /// A channel was not joined.
    NotJoined {
        /// The channel.
        channel: Channel,
        /// What to say.
        answer: Outgoing,
    },
    /// Missed events of a channel, encoded; `Err` when there are too many or they can't be read.
    CaughtUp {
        /// The channel.
        channel: Channel,
        /// The events with their places.
        events: Result<Vec<(u64, ByteString)>, ()>,
    },
    /// Anything else.
    Answers(Vec<Outgoing>),
}

/// A channel as it was at the moment of joining.
pub struct Joined {
    /// The channel.
    pub channel: Channel,
    /// The client's mark.
    pub reference: Option<Reference>,
    /// What the person is in this session.
    pub role: Option<ParticipantRole>,
    /// The end of the log.
    pub last_seq: u64,
    /// Everything after what the client had.
    pub events: Vec<Event>,
    /// The names of those who made the events.
    pub names: HashMap<UserId, Arc<str>>,
    /// Who takes part.
    pub participants: Vec<ParticipantWire>,
}

/// Something to send to the one socket.
pub enum Outgoing {
    /// A frame.
    Frame(ByteString),
    /// The socket left a channel.
    Left {
        /// The channel.
        channel: Channel,
        /// The client's mark.
        reference: Option<Reference>,
    },
}

impl Outgoing {
    /// An error frame.
    pub fn error(
        code: &str,
        message: &str,
        reference: Option<&Reference>,
        client_ref: Option<&str>,
        channel: Option<Channel>,
    ) -> Self {
        Self::Frame(ServerFrame::Error { code, message, reference, client_ref, channel }.encode())
    }

    fn problem(
        problem: &Problem,
        reference: Option<&Reference>,
        client_ref: Option<&str>,
        channel: Channel,
    ) -> Self {
        let code = problem.errors.first().map_or(problem.code, |error| error.code.as_str());
        Self::error(code, &problem.detail, reference, client_ref, Some(channel))
    }
}

/// The channel that a frame is about.
pub fn of(frame: &ClientFrame) -> Option<Channel> {
    match frame {
        ClientFrame::Join { channel, .. }
        | ClientFrame::Leave { channel, .. }
        | ClientFrame::Send { channel, .. }
        | ClientFrame::Typing { channel, .. }
        | ClientFrame::Read { channel, .. }
        | ClientFrame::React { channel, .. }
        | ClientFrame::Signal { channel, .. }
        | ClientFrame::Ack { channel, .. } => Some(*channel),
        ClientFrame::Authenticate { .. } | ClientFrame::Ping { .. } => None,
    }
}

fn marks(frame: &ClientFrame) -> (Option<&Reference>, Option<&str>) {
    match frame {
        ClientFrame::Send { reference, client_ref, .. } => (reference.as_ref(), Some(client_ref)),
        ClientFrame::Join { reference, .. }
        | ClientFrame::Leave { reference, .. }
        | ClientFrame::Typing { reference, .. }
        | ClientFrame::Read { reference, .. }
        | ClientFrame::React { reference, .. }
        | ClientFrame::Signal { reference, .. }
        | ClientFrame::Ack { reference, .. }
        | ClientFrame::Ping { reference } => (reference.as_ref(), None),
        ClientFrame::Authenticate { .. } => (None, None),
    }
}

/// The answer to a frame that can't be worked on.
pub fn refused(frame: &ClientFrame, code: Code, message: &str) -> Done {
    let (reference, client_ref) = marks(frame);
    Done::Answers(vec![Outgoing::error(code.as_str(), message, reference, client_ref, of(frame))])
}

/// Joins a channel: who may, everything after `after_seq`, and from then on what happens, with nothing between.
pub async fn join(
    pitlane: Data<Pitlane>,
    identity: Arc<Identity>,
    socket: Arc<SocketHandle>,
    channel: Channel,
    after_seq: u64,
    reference: Option<Reference>,
) -> Done {
    let own = match channel {
        Channel::Session(session) => {
            return join_session(pitlane, socket, session, after_seq, reference).await;
        }
        Channel::Mechanic(user) => {
            user == identity.user && matches!(identity.role, Role::Mechanic | Role::Workshop)
        }
        Channel::Customer(user) => user == identity.user,
        Channel::Admin => identity.role.is_staff(),
    };
    if !own {
        return not_joined(channel, &Problem::not_found(), reference.as_ref());
    }
    pitlane.hub.join(channel, &socket);
    let (events, names, participants) = (Vec::new(), HashMap::new(), Vec::new());
    Done::Joined(Joined { channel, reference, role: None, last_seq: 0, events, names, participants })
}

fn not_joined(channel: Channel, problem: &Problem, reference: Option<&Reference>) -> Done {
    Done::NotJoined { channel, answer: Outgoing::problem(problem, reference, None, channel) }
}

async fn join_session(
    pitlane: Data<Pitlane>,
    socket: Arc<SocketHandle>,
    session: SessionId,
    after_seq: u64,
    reference: Option<Reference>,
) -> Done {
    let (channel, user) = (Channel::Session(session), socket.user);
    // Two reads: nothing is sent to who is not in the session, not even that somebody came.
    let seat = pitlane
        .db
        .read(move |tx| sessions::Store::seat(tx, session, user).map_err(usecases::Error::from))
        .await;
    match seat {
        Ok(Some(_)) => {}
        Ok(None) => return not_joined(channel, &Problem::not_found(), reference.as_ref()),
        Err(error) => return not_joined(channel, &error.into(), reference.as_ref()),
    }
    pitlane.hub.join(channel, &socket);
    let snapshot = pitlane.db.read(move |tx| snapshot(tx, session, user, after_seq)).await;
    match snapshot {
        Ok(Some(Snapshot { role, last_seq, events, people, names })) => {
            if last_seq.saturating_sub(after_seq) > u64::from(CATCH_UP) {
                let frame = ServerFrame::Resync { channel, reference: reference.as_ref() }.encode();
                return Done::NotJoined { channel, answer: Outgoing::Frame(frame) };
            }
            pitlane.hub.remember_names(session, names.iter().map(|(user, name)| (*user, Arc::clone(name))));
            let online = pitlane.hub.online(channel);
            let participants = people
                .into_iter()
                .map(|person| ParticipantWire {
                    id: person.id,
                    role: person.role,
                    name: person.name,
                    online: online.contains(&person.id),
                    last_read_seq: person.last_read_seq,
                })
                .collect();
            Done::Joined(Joined {
                channel,
                reference,
                role: Some(role),
                last_seq,
                events,
                names,
                participants,
            })
        }
        Ok(None) => not_joined(channel, &Problem::not_found(), reference.as_ref()),
        Err(error) => not_joined(channel, &error.into(), reference.as_ref()),
    }
}

struct Snapshot {
    role: ParticipantRole,
    last_seq: u64,
    events: Vec<Event>,
    people: Vec<view::Person>,
    names: HashMap<UserId, Arc<str>>,
}

fn snapshot(
    tx: &mut Tx<'_>,
    session: SessionId,
    user: UserId,
    after_seq: u64,
) -> Result<Option<Snapshot>, usecases::Error> {
    let Some(seat) = sessions::Store::seat(tx, session, user)? else { return Ok(None) };
    let last_seq = seat.head.last_seq;
    let events = if last_seq.saturating_sub(after_seq) > u64::from(CATCH_UP) {
        Vec::new()
    } else {
        sessions::Store::events_after(tx, session, after_seq, CATCH_UP)?
    };
    let names = view::names(tx, session)?.into_iter().map(|(user, name)| (user, Arc::from(name))).collect();
    let people = view::people(tx, session)?;
    Ok(Some(Snapshot { role: seat.role, last_seq, events, people, names }))
}

/// The events after `after_seq`, encoded.
pub async fn catch_up(pitlane: Data<Pitlane>, session: SessionId, after_seq: u64) -> Done {
    let channel = Channel::Session(session);
    let read = pitlane
        .db
        .read(move |tx| {
            let events = sessions::Store::events_after(tx, session, after_seq, CATCH_UP)?;
            let names = view::names(tx, session)?;
            Ok::<_, usecases::Error>((events, names))
        })
        .await;
    let events = match read {
        Ok((events, names)) if events.len() < usize::try_from(CATCH_UP).unwrap_or(usize::MAX) => Ok(events
            .iter()
            .map(|event| {
                let name = event.actor.id.and_then(|id| names.get(&id)).map(String::as_str);
                (event.seq, ServerFrame::Event { channel, event: EventWire::new(event, name) }.encode())
            })
            .collect()),
        Ok(_) => Err(()),
        Err(error) => {
            tracing::error!(%error, "a channel could not catch up");
            Err(())
        }
    };
    Done::CaughtUp { channel, events }
}

/// Says the messages, in order and in one transaction; each is acknowledged or refused for itself.
pub async fn post(pitlane: Data<Pitlane>, identity: Arc<Identity>, messages: Vec<ClientFrame>) -> Done {
    let mut drafts = Vec::with_capacity(messages.len());
    let mut target = None;
    for message in messages {
        if let ClientFrame::Send {
            channel: channel @ Channel::Session(session),
            client_ref,
            text,
            file_ids,
            reference,
        } = message
        {
            target = Some((channel, session));
            drafts.push((MessageDraft { client_ref, text, files: file_ids }, reference));
        }
    }
    let Some((channel, session)) = target else {
        let message = "Messages go to a session.";
        return Done::Answers(vec![Outgoing::error(Code::Invalid.as_str(), message, None, None, None)]);
    };
    let limits = pitlane.settings.message_limits();
    let cx = pitlane.context();
    let user = identity.user;
    let shared = Arc::new(drafts);
    let drafts = Arc::clone(&shared);
    let posted = pitlane
        .db
        .write(move |tx| {
            let each = drafts
                .iter()
                .map(|(draft, _)| sessions::post_message(tx, session, user, draft, &limits, &cx));
            let each: Vec<_> = each.map(|posted| posted.map(|posted| posted.event.seq)).collect();
            let failure = each.iter().find_map(|posted| match posted {
                Err(sessions::Error::Store(failure)) => Some(failure.clone()),
                Err(_) | Ok(_) => None,
            });
            failure.map_or(Ok(each), |failure| Err(usecases::Error::Store(failure)))
        })
        .await;
    let answers = match posted {
        Ok(each) => shared
            .iter()
            .zip(each)
            .map(|((draft, reference), posted)| match posted {
                Ok(seq) => Outgoing::Frame(ServerFrame::Ack { client_ref: &draft.client_ref, seq }.encode()),
                Err(refusal) => {
                    let problem = Problem::from(usecases::Error::from(refusal));
                    Outgoing::problem(&problem, reference.as_ref(), Some(&draft.client_ref), channel)
                }
            })
            .collect(),
        Err(failure) => {
            let problem = error::problem(&failure);
            let answer = |(draft, reference): &(MessageDraft, Option<Reference>)| {
                Outgoing::problem(&problem, reference.as_ref(), Some(&draft.client_ref), channel)
            };
            shared.iter().map(answer).collect()
        }
    };
    Done::Answers(answers)
}

/// Reads, reacts or signals.
pub async fn act(pitlane: Data<Pitlane>, identity: Arc<Identity>, frame: ClientFrame, joined: bool) -> Done {
    if !joined {
        return refused(&frame, Code::NotJoined, "Join the channel first.");
    }
    let Some(Channel::Session(session)) = of(&frame) else {
        return if let ClientFrame::Ack { event_id, .. } = frame {
            shown(&pitlane, identity.user, event_id).await
        } else {
            refused(&frame, Code::Invalid, "This goes to a session.")
        };
    };
    let user = identity.user;
    let cx = pitlane.context();
    let result = match &frame {
        ClientFrame::Read { seq, .. } => {
            let seq = *seq;
            let read = move |tx: &mut Tx<'_>| {
                sessions::mark_read(tx, session, user, seq).map(drop).map_err(usecases::Error::from)
            };
            pitlane.db.write(read).await
        }
        ClientFrame::React { seq, emoji, on, .. } => {
            let (seq, emoji, on) = (*seq, emoji.clone(), *on);
            let react = move |tx: &mut Tx<'_>| {
                sessions::react(tx, session, user, seq, &emoji, on, &cx)
                    .map(drop)
                    .map_err(usecases::Error::from)
            };
            pitlane.db.write(react).await
        }
        ClientFrame::Signal { to, data, .. } => {
            return signal(&pitlane, &frame, session, user, *to, data).await;
        }
        ClientFrame::Ack { .. }
        | ClientFrame::Authenticate { .. }
        | ClientFrame::Join { .. }
        | ClientFrame::Leave { .. }
        | ClientFrame::Send { .. }
        | ClientFrame::Typing { .. }
        | ClientFrame::Ping { .. } => Ok(()),
    };
    match result {
        Ok(()) => Done::Answers(Vec::new()),
        Err(failure) => {
            let (reference, client_ref) = marks(&frame);
            let problem = error::problem(&failure);
            Done::Answers(vec![Outgoing::problem(&problem, reference, client_ref, Channel::Session(session))])
        }
    }
}

/// A personal notification was shown. That needs no answer; one that can't be written down is followed up by mail.
async fn shown(pitlane: &Data<Pitlane>, user: UserId, notice: EventId) -> Done {
    let now = pitlane.clock.now();
    let noted = pitlane.db.write(move |tx| {
        notifications::personal::acknowledge(tx, notice, user, now).map_err(usecases::Error::from)
    });
    if let Err(error) = noted.await {
        tracing::warn!(%error, "an acknowledgement could not be written down");
    }
    Done::Answers(Vec::new())
}

async fn signal(
    pitlane: &Data<Pitlane>,
    frame: &ClientFrame,
    session: SessionId,
    from: UserId,
    to: UserId,
    data: &serde_json::Value,
) -> Done {
    let channel = Channel::Session(session);
    let seats = pitlane
        .db
        .read(move |tx| {
            let found = sessions::Store::session_by_id(tx, session)?;
            let other = sessions::Store::seat(tx, session, to)?;
            Ok::<_, usecases::Error>((found, other))
        })
        .await;
    match seats {
        Ok((found, other)) => {
            let open = found.as_ref().map_or(Err(NoVideo::NotPaid), |found| {
                sessions::video_open(found.modality(), found.status())
            });
            if let Err(reason) = open {
                let (code, message) = told(reason);
                return refused(frame, code, &message);
            }
            if other.is_none() {
                return refused(frame, Code::NotFound, "There is no such participant.");
            }
            pitlane
                .hub
                .broadcast_where(channel, &ServerFrame::Signal { channel, from, data }, |user| user == to);
            Done::Answers(Vec::new())
        }
        Err(failure) => {
            let (problem, (reference, client_ref)) = (error::problem(&failure), marks(frame));
            Done::Answers(vec![Outgoing::problem(&problem, reference, client_ref, channel)])
        }
    }
}

fn told(reason: NoVideo) -> (Code, String) {
    let code = match reason {
        NoVideo::NotPaid | NoVideo::NotAccepted => Code::VideoNotIncluded,
        NoVideo::Over => Code::SessionClosed,
    };
    (code, reason.to_string())
}
