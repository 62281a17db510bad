//! `/chat/{id}` and `/sessions/{id}/room`: the room of a session.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, PERMISSIONS_POLICY};
use actix_web::web::{Data, Path};
use kernel::id::{SessionId, UserId};
use kernel::{Modality, Money, SessionType};
use pricing::upgrade_plan;
use serde::Deserialize;
use sessions::{AttachedFile, EndReason, Event, Kind, Moved, ParticipantRole, Status, SummaryEvent};
use store::Tx;
use store::views::channel::{self, Person};
use store::views::room::{self, Background, FileView};
use store::views::session::SessionView;
use web::chat::{
    self, ChatPage, ChatSession, EventBody, ExtensionOffer, FileLink, NoteKind, RoomRole, UpgradeOffer,
};
use web::frame::Nav;
use web::money::Amount;
use web::plan::{EXTENSION, ReceiptLine, UPGRADE};

use super::frame::{frame, show};
use super::{policy, rows};
use crate::http::auth::SignedIn;
use crate::http::sessions::seen;
use crate::http::{Access, ApiResult, Router};
use crate::realtime::protocol::Channel;
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::extend_session;
use crate::usecases::upgrade_session::offer_of;

/// The most lines of a log that a room holds. Older ones are there by REST.
const EVENTS: u32 = 5_000;

/// Rooms alone may use the camera, the microphone and the screen.
const ON_CAMERA: &str =
    "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=()";

/// What every browser shows as a picture. HEIC, as telephones take it, is not among them.
const PICTURES: [&str; 5] = ["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"];

/// Adds the pages.
pub fn routes(router: &mut Router) {
    router.get("/chat/{id}", Access::SignedIn, show_room);
    router.get("/sessions/{id}/room", Access::SignedIn, show_room);
}

async fn show_room(person: SignedIn, id: Path<SessionId>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let id = *id;
    let view = seen(&app, &person, id, "room").await?;
    let after_seq = view.last_seq.saturating_sub(u64::from(EVENTS));
    let contents = app.db.read(move |tx| contents(tx, id, after_seq)).await?;
    let online = app.hub.online(Channel::Session(id));
    let page = page(&app, &person, view, contents, &online);
    let mut answer = show(&page, StatusCode::OK)?;
    answer.headers_mut().insert(PERMISSIONS_POLICY, HeaderValue::from_static(ON_CAMERA));
    Ok(answer)
}

struct Contents {
    events: Vec<chat::Event>,
    people: Vec<Person>,
    background: Option<Background>,
    files: Vec<FileView>,
}

/// All lines of a log, as pages show them.
///
/// # Errors
/// The storage's.
pub(super) fn said(tx: &mut Tx<'_>, id: SessionId) -> Result<Vec<chat::Event>, Error> {
    let mut all: Vec<chat::Event> = Vec::new();
    loop {
        let last_seq = all.last().map_or(0, |event| event.seq.unsigned_abs());
        let mut next = lines(tx, id, last_seq)?;
        if next.is_empty() {
            return Ok(all);
        }
        all.append(&mut next);
    }
}

fn lines(tx: &mut Tx<'_>, id: SessionId, after_seq: u64) -> Result<Vec<chat::Event>, Error> {
    let events = sessions::Store::events_after(tx, id, after_seq, EVENTS)?;
    let names = channel::names(tx, id)?;
    let name = |user: UserId| names.get(&user).cloned();
    Ok(events.iter().map(|event| line(event, subject(event).and_then(name))).collect())
}

fn contents(tx: &mut Tx<'_>, id: SessionId, after_seq: u64) -> Result<Contents, Error> {
    Ok(Contents {
        events: lines(tx, id, after_seq)?,
        people: channel::people(tx, id)?,
        background: room::background(tx, id)?,
        files: room::files_of(tx, id)?,
    })
}

fn page(
    app: &Pitlane,
    person: &SignedIn,
    view: SessionView,
    contents: Contents,
    online: &[UserId],
) -> ChatPage {
    let Contents { events, people, background, files } = contents;
    let role = view.viewer_role.unwrap_or(ParticipantRole::Observer);
    let pays = role == ParticipantRole::Customer;
    let read_by_other = people
        .iter()
        .filter(|one| one.id != person.id() && one.role != ParticipantRole::Observer)
        .map(|one| one.last_read_seq)
        .max();
    let shown = |one: &store::views::session::Person| chat::Person {
        id: one.id.to_string(),
        name: one.name.clone(),
        online: online.contains(&one.id),
    };
    let concern = background.as_ref().map(|told| told.concern.clone()).unwrap_or_default();
    let vehicle = background.map(|told| chat::Vehicle {
        title: told.vehicle.title(),
        mileage: told.vehicle.mileage,
        vin: told.vin,
    });
    ChatPage {
        frame: frame(app, Some(&person.0), Nav::None),
        now: app.clock.now().to_string(),
        session: session(app, &view, &events),
        viewer_role: match role {
            ParticipantRole::Customer => RoomRole::Customer,
            ParticipantRole::Mechanic => RoomRole::Mechanic,
            ParticipantRole::Observer => RoomRole::Observer,
        },
        customer: shown(&view.customer),
        mechanic: view.mechanic.as_ref().map(shown),
        concern,
        vehicle,
        concern_files: files.iter().filter(|one| one.of_intake).map(file).collect(),
        files: files.iter().map(file).collect(),
        receipt: if pays { receipt(app, &view) } else { Vec::new() },
        receipt_order_id: view.order.filter(|_| pays).map(|order| order.to_string()),
        refund: policy::refund_terms(app, &view, app.clock.now()),
        upgrade: if pays { upgrade(app, &view, &events) } else { None },
        extension: if pays { extension(app, &view) } else { None },
        is_chat: view.session_type == SessionType::Chat,
        events,
        read_by_other_seq: number(read_by_other.unwrap_or(0)),
        message_max_bytes: i64::from(app.settings.sessions.message_max_bytes),
        refund_after_minutes: i64::from(app.settings.dispatch.refund_after_seconds / 60),
        grace_minutes: policy::grace_minutes(app, &view),
        warning_seconds: i64::from(app.settings.sessions.time_limit_warning_seconds),
        max_file_bytes: i64::try_from(app.settings.files.max_file_bytes).unwrap_or(i64::MAX),
    }
}

fn session(app: &Pitlane, view: &SessionView, events: &[chat::Event]) -> ChatSession {
    let video = view.session_type.modality() == Modality::Video;
    ChatSession {
        id: view.id.to_string(),
        plan_name: rows::plan_now(app, view),
        duration_minutes: i64::from(view.allowance_minutes),
        status: rows::status(view.status),
        end_reason: view.end_reason.map(|reason| reason.as_str().to_owned()),
        payment_status: view.payment_status.as_str().to_owned(),
        total: rows::total(view),
        scheduled_for: rows::instant(view.scheduled_for),
        deadline_at: rows::instant(view.deadline_at),
        last_seq: events.last().map_or(0, |event| event.seq),
        content_dropped: view.content_dropped,
        video,
        booked_video: video && view.upgraded_at.is_none(),
    }
}

/// What the upgrade to video comes to, while it can be had.
fn upgrade(app: &Pitlane, view: &SessionView, events: &[chat::Event]) -> Option<UpgradeOffer> {
    let offer = offer_of(view, &app.catalog).ok()?.ok()?;
    let video = upgrade_plan(app.catalog.book(&view.price_book)?)?;
    let amount = |money: Money| Amount::new(money.minor(), view.currency.as_str());
    let suggested = |event: &chat::Event| matches!(event.body, EventBody::Note(NoteKind::UpgradeSuggested));
    Some(UpgradeOffer {
        paid: amount(offer.paid),
        fee: amount(offer.price.fee),
        total: amount(offer.price.total_after),
        minutes: i64::from(view.allowance_minutes.saturating_add(offer.longer_by_minutes)),
        video_name: video.name().to_owned(),
        patience_seconds: app.settings.sessions.no_video_refund_seconds,
        suggested: events.iter().any(suggested),
    })
}

/// What more time comes to, while it can be had.
fn extension(app: &Pitlane, view: &SessionView) -> Option<ExtensionOffer> {
    let offer = extend_session::offer_of(view, &app.catalog).ok()??;
    let price = Amount::new(offer.price.minor(), offer.price.currency().as_str());
    Some(ExtensionOffer { minutes: offer.minutes.into(), price })
}

/// What was paid, line by line.
pub(super) fn receipt(app: &Pitlane, view: &SessionView) -> Vec<ReceiptLine> {
    let amount = |cents| Amount::new(cents, view.currency.as_str());
    let label = rows::plan_name(app, &view.price_book, view.plan);
    let base = ReceiptLine { label, amount: amount(view.base_price_cents) };
    let upgrade = view
        .upgrade_price_cents
        .map(|cents| ReceiptLine { label: UPGRADE.to_owned(), amount: amount(cents) });
    let more = (view.extension_price_cents > 0)
        .then(|| ReceiptLine { label: EXTENSION.to_owned(), amount: amount(view.extension_price_cents) });
    std::iter::once(base).chain(upgrade).chain(more).collect()
}

/// A file as pages link to it.
pub(super) fn file(view: &FileView) -> FileLink {
    FileLink {
        id: view.id.to_string(),
        name: view.name.clone(),
        bytes: view.size_bytes,
        picture: PICTURES.contains(&view.content_type.as_str()),
        content_type: view.content_type.clone(),
        pixels: view.picture.map(|size| (size.width, size.height)),
    }
}

/// A file as the log tells of it.
fn told(file: AttachedFile) -> FileLink {
    FileLink {
        id: file.id.to_string(),
        name: file.name,
        bytes: number(file.size_bytes),
        picture: PICTURES.contains(&file.content_type.as_str()),
        content_type: file.content_type,
        pixels: file.width.zip(file.height),
    }
}

#[derive(Deserialize)]
struct MessageBody {
    text: String,
    #[serde(default)]
    files: Vec<AttachedFile>,
}

#[derive(Deserialize)]
struct FileEventBody {
    file: AttachedFile,
}

#[derive(Deserialize)]
struct ReactionBody {
    target_seq: u64,
    emoji: String,
    on: bool,
}

#[derive(Deserialize)]
struct EndedBody {
    status: String,
    #[serde(default)]
    end_reason: Option<EndReason>,
}

#[derive(Deserialize)]
struct PaymentBody {
    status: Moved,
    amount_cents: i64,
    currency: String,
}

fn moved(body: PaymentBody) -> EventBody {
    let kind = match body.status {
        Moved::Paid => NoteKind::Paid,
        Moved::Refunded => NoteKind::Refunded,
        Moved::RefundFailed => NoteKind::RefundFailed,
    };
    EventBody::Money(kind, Amount::new(body.amount_cents, body.currency))
}

#[derive(Deserialize)]
struct PersonBody {
    user_id: UserId,
}

/// Whom a line names: who came or went, whoever made it happen; else who made it happen.
fn subject(event: &Event) -> Option<UserId> {
    let moved = match event.kind {
        Kind::Joined | Kind::Left => serde_json::from_str::<Option<PersonBody>>(event.body()).unwrap_or(None),
        Kind::Message
        | Kind::Started
        | Kind::Ended
        | Kind::SessionUpgraded
        | Kind::UpgradeSuggested
        | Kind::File
        | Kind::Summary
        | Kind::Reaction
        | Kind::TimeWarning
        | Kind::Extended
        | Kind::Payment
        | Kind::ObserverJoined => None,
    };
    moved.map(|person| person.user_id).or(event.actor.id)
}

fn line(event: &Event, actor_name: Option<String>) -> chat::Event {
    chat::Event {
        seq: number(event.seq),
        actor_id: event.actor.id.map(|user| user.to_string()).unwrap_or_default(),
        actor_name: actor_name.unwrap_or_else(|| "Pitlane".to_owned()),
        created_at: event.created_at.to_string(),
        body: body(event),
    }
}

fn body(event: &Event) -> EventBody {
    match event.kind {
        Kind::Message => {
            // A body that was erased leaves an empty place, so that the numbers stay.
            let read: Option<MessageBody> = serde_json::from_str(event.body()).unwrap_or(None);
            let (text, files) = read.map_or_else(Default::default, |body| (body.text, body.files));
            EventBody::Message { text, files: files.into_iter().map(told).collect() }
        }
        Kind::Reaction => {
            let read: Option<ReactionBody> = serde_json::from_str(event.body()).unwrap_or(None);
            let read = read.unwrap_or(ReactionBody { target_seq: 0, emoji: String::new(), on: false });
            EventBody::Reaction { target_seq: number(read.target_seq), emoji: read.emoji, on: read.on }
        }
        Kind::Joined => EventBody::Note(NoteKind::Joined),
        Kind::Left => EventBody::Note(NoteKind::Left),
        Kind::Started => EventBody::Note(NoteKind::Started),
        Kind::Ended => {
            let read: Option<EndedBody> = serde_json::from_str(event.body()).unwrap_or(None);
            EventBody::Note(ending(read.as_ref()))
        }
        Kind::SessionUpgraded => EventBody::Note(NoteKind::SessionUpgraded),
        Kind::UpgradeSuggested => EventBody::Note(NoteKind::UpgradeSuggested),
        Kind::File => {
            let read: Option<FileEventBody> = serde_json::from_str(event.body()).unwrap_or(None);
            read.map_or(EventBody::Note(NoteKind::File), |body| EventBody::File(told(body.file)))
        }
        Kind::Summary => {
            let read: Option<SummaryEvent> = serde_json::from_str(event.body()).unwrap_or(None);
            let first = read.is_some_and(|body| body.revision == 1);
            EventBody::Note(if first { NoteKind::SummaryWritten } else { NoteKind::SummaryCorrected })
        }
        Kind::TimeWarning => EventBody::Note(NoteKind::TimeWarning),
        Kind::Extended => EventBody::Note(NoteKind::Extended),
        Kind::Payment => {
            let read: Option<PaymentBody> = serde_json::from_str(event.body()).unwrap_or(None);
            read.map_or(EventBody::Note(NoteKind::Payment), moved)
        }
        Kind::ObserverJoined => EventBody::Note(NoteKind::ObserverJoined),
    }
}

fn ending(body: Option<&EndedBody>) -> NoteKind {
    match (body.and_then(|body| body.end_reason), body.and_then(|body| Status::parse(&body.status))) {
        (Some(EndReason::TimeLimit), _) => NoteKind::TimeUp,
        (Some(EndReason::NoShowCustomer), _) => NoteKind::CustomerMissing,
        (Some(EndReason::NoShowMechanic), _) => NoteKind::MechanicMissing,
        (_, Some(Status::Cancelled)) => NoteKind::Cancelled,
        (_, Some(Status::Expired)) => NoteKind::Unaccepted,
        (_, _) => NoteKind::Ended,
    }
}

fn number(of: u64) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}
