//! Frames for one person's own channel, told once the transaction has committed. They may be lost: whoever reconnects
//! reads the same by REST.

use kernel::id::{EventId, UserId};
use kernel::{Context, StoreError};
use serde_json::{Map, Value, json};
use sessions::{ParticipantRole, Session};
use store::notice::Side;
use store::{Notice, Tx};

/// Tells a mechanic or a customer something on their own channel. `fields` are what the frame holds beside `type`,
/// `channel` and `event_id`.
pub fn tell(tx: &mut Tx<'_>, user: UserId, side: Side, kind: &str, fields: Value, cx: &Context) {
    let name = match side {
        Side::Customer => "customer",
        Side::Mechanic => "mechanic",
    };
    let mut frame = Map::new();
    frame.insert("type".to_owned(), json!(kind));
    frame.insert("channel".to_owned(), json!(format!("{name}:{user}")));
    frame.insert("event_id".to_owned(), json!(EventId::new(cx.id())));
    if let Value::Object(fields) = fields {
        frame.extend(fields);
    }
    tx.notify(Notice::Personal { user, side, frame: text(&frame) });
}

/// Tells admins and support something on their channel. `fields` are what the frame holds beside `type`, `channel` and
/// `event_id`.
pub fn tell_staff(tx: &mut Tx<'_>, kind: &str, fields: Value, cx: &Context) {
    let mut frame = Map::new();
    frame.insert("type".to_owned(), json!(kind));
    frame.insert("channel".to_owned(), json!("admin"));
    frame.insert("event_id".to_owned(), json!(EventId::new(cx.id())));
    if let Value::Object(fields) = fields {
        frame.extend(fields);
    }
    tx.notify(Notice::Staff { frame: text(&frame) });
}

// Not by `Display`, which writes each piece through a formatter: this runs in the transaction, once for every mechanic.
fn text(frame: &Map<String, Value>) -> String {
    serde_json::to_string(frame).expect("a map of values has a text")
}

/// Shows somebody a note with one thing to do about it.
#[expect(clippy::too_many_arguments, reason = "each is a field of the frame")]
pub fn notification(
    tx: &mut Tx<'_>,
    user: UserId,
    side: Side,
    title: &str,
    message: &str,
    label: &str,
    path: &str,
    cx: &Context,
) {
    let fields =
        json!({ "title": title, "message": message, "actions": [{ "label": label, "action": path }] });
    tell(tx, user, side, "notification", fields, cx);
}

/// Tells both sides of a session, on their own channels, that it stands somewhere else now. Pages that show a session
/// without being its room follow this: whoever joins `session:{id}` counts as being in the room.
///
/// # Errors
/// A failure of the storage.
pub fn session_changed(tx: &mut Tx<'_>, session: &Session, cx: &Context) -> Result<(), StoreError> {
    for person in sessions::Store::participants(tx, session.id())? {
        let side = match person.role {
            ParticipantRole::Customer => Side::Customer,
            ParticipantRole::Mechanic => Side::Mechanic,
            ParticipantRole::Observer => continue,
        };
        let fields = json!({ "session_id": session.id(), "status": session.status().as_str() });
        tell(tx, person.user, side, "session_changed", fields, cx);
    }
    Ok(())
}

/// Tells mechanics that a request is not theirs to take any more.
pub fn request_withdrawn(tx: &mut Tx<'_>, request: &dispatch::Request, mechanics: &[UserId], cx: &Context) {
    for mechanic in mechanics {
        let fields = json!({
            "request_id": request.id,
            "session_id": request.session,
            "reason": request.status().as_str(),
        });
        tell(tx, *mechanic, Side::Mechanic, "request_withdrawn", fields, cx);
    }
}
