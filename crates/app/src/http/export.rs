//! `/api/me/export`: what Pitlane keeps of somebody, for them to take along: as one JSON document, or as a ZIP that holds
//! the bytes of their files as well.

mod packed;

use std::time::Duration;

use accounts::audit::{self, AuditFilter, NewAuditEntry};
use accounts::{CredentialStore, Email, Error as AccountsError, ProviderStore, User, UserStore as _};
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::web::{Data, Query};
use kernel::id::{SessionId, UserId};
use kernel::{Actor, Timestamp};
use notifications::Channel;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Tx;
use store::views::export::OwnFile;
use store::views::{self, export};

use super::accounts::{MechanicBody, SignInBody, TokenBody};
use super::applications;
use super::auth::{SignedIn, UserBody};
use super::cards::CardBody;
use super::crm::InteractionBody;
use super::notifications::PreferencesBody;
use super::problem::ApiResult;
use super::receipts::ReceiptBody;
use super::router::{Access, Router};
use super::sessions::SessionBody;
use super::summaries;
use super::vehicles::VehicleBody;
use crate::realtime::protocol::EventWire;
use crate::state::Pitlane;
use crate::usecases::read_receipt::paper;
use crate::usecases::{Error, cards};

/// Rows of one table that are read at once.
const PAGE: u32 = 500;

/// How long the payment provider may take to tell the kept cards.
const PATIENCE: Duration = Duration::from_secs(5);

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/me/export", Access::SignedIn, everything);
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    Json,
    Zip,
}

#[derive(Deserialize)]
struct ExportQuery {
    format: Option<Format>,
}

async fn everything(
    person: SignedIn,
    query: Query<ExportQuery>,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    match query.format {
        None | Some(Format::Json) => document(&app, person.user()).await,
        Some(Format::Zip) => packed::answer(&app, person.user()).await,
    }
}

/// Everything, as one JSON document of one moment.
async fn document(app: &Pitlane, user: &User) -> ApiResult<HttpResponse> {
    let now = app.clock.now();
    let Archive { document, .. } = archive(app, user).await?;
    let name = format!("attachment; filename=\"pitlane-{}.json\"", &now.to_string()[..10]);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(document))
}

/// Everything that is kept of one person.
#[derive(Debug)]
pub struct Archive {
    /// What is told.
    pub document: Value,
    /// The files that it lists, in the same order.
    pub files: Vec<OwnFile>,
}

/// Everything that is kept of this person.
///
/// # Errors
/// The storage's.
async fn archive(pitlane: &Pitlane, user: &User) -> Result<Archive, Error> {
    let (id, now) = (user.id(), pitlane.clock.now());
    let (actor, email) = (Actor::Person { id, role: user.role() }, user.email().as_str().to_owned());
    let cards = cards::list_within(pitlane, id, PATIENCE).await?;
    let gathered = pitlane.db.read(move |tx| {
        let files = export::files_of(tx, id)?;
        let mut document = gather(tx, id, actor, now)?;
        document["files"] = json!(files.iter().map(told).collect::<Vec<_>>());
        let stopped = notifications::Store::suppression_by_address(tx, Channel::Mail, &email)?;
        document["suppression"] =
            json!(stopped.map(|it| json!({ "at": it.created_at, "reason": it.reason.as_str() })));
        Ok::<_, Error>(Archive { document, files })
    });
    let mut archive = gathered.await?;
    let document = &mut archive.document;
    document["cards"] = json!(cards.map(|cards| cards.into_iter().map(CardBody::from).collect::<Vec<_>>()));
    document["exported_at"] = json!(now);
    document["user"] = json!(UserBody::from(user));
    Ok(archive)
}

/// Whether the payment provider told the kept cards for this document.
pub fn has_cards(document: &Value) -> bool {
    !document["cards"].is_null()
}

fn told(file: &OwnFile) -> Value {
    json!({
        "id": file.id, "session_id": file.session, "name": file.name, "content_type": file.content_type,
        "size_bytes": file.size_bytes, "created_at": file.created_at,
        "path": format!("/api/files/{}", file.id),
    })
}

/// The same for somebody who can't sign in, at an operator's command, which the audit log keeps.
///
/// # Errors
/// An address without an account; the storage's.
pub async fn archive_for(pitlane: &Pitlane, email: &str) -> Result<Archive, Error> {
    let email = Email::parse(email).map_err(|error| AccountsError::Invalid(vec![error]))?;
    let cx = pitlane.context();
    let found = pitlane.db.write(move |tx| {
        let user = tx.user_by_email(&email)?.ok_or(AccountsError::NotFound("account"))?;
        let entry = NewAuditEntry::new(Actor::System, "user.export", "user", user.id())
            .with("command", "pitlane user export");
        audit::record(tx, entry, &cx)?;
        Ok::<_, Error>(user)
    });
    archive(pitlane, &found.await?).await
}

/// What was written down about somebody, newest first: what was done, when, in which role, and the words to it.
fn about(tx: &mut Tx<'_>, person: UserId) -> Result<Vec<Value>, Error> {
    let filter = AuditFilter { object_id: Some(person.to_string()), ..AuditFilter::default() };
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = audit::page(tx, &filter, before, PAGE)?;
        before = page.last().map(|entry| entry.id);
        let full = page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
        all.extend(page.into_iter().map(|entry| {
            json!({
                "at": entry.at, "action": entry.action, "by_role": entry.actor_role,
                "reason": entry.details.get("reason"),
            })
        }));
        if !full {
            return Ok(all);
        }
    }
}

fn gather(tx: &mut Tx<'_>, person: UserId, actor: Actor, now: Timestamp) -> Result<Value, Error> {
    let sign_ins = tx.sign_ins_of(person, now)?;
    let tokens = tx.api_tokens_of(person)?;
    let cars = intake::Store::vehicles_by_customer(tx, person, None, u32::MAX)?;
    let intakes: Vec<Value> = export::intakes_of(tx, person)?
        .into_iter()
        .map(|asked| {
            let waiver = asked.waiver.map(|(version, accepted_at, address)| {
                json!({ "version": version, "accepted_at": accepted_at, "address": address })
            });
            json!({
                "id": asked.id, "plan": asked.plan, "concern": asked.concern,
                "vehicle": asked.vehicle.title(), "mileage": asked.vehicle.mileage,
                "waiver": waiver, "created_at": asked.created_at,
            })
        })
        .collect();
    let orders: Vec<ReceiptBody> = export::paid_orders_of(tx, person)?
        .into_iter()
        .map(|order| paper(tx, actor, order).map(ReceiptBody::from))
        .collect::<Result<_, _>>()?;
    let deliveries: Vec<Value> = export::deliveries_of(tx, person)?
        .into_iter()
        .map(|sent| {
            json!({
                "milestone": sent.milestone, "channel": sent.channel, "status": sent.status,
                "created_at": sent.created_at, "sent_at": sent.sent_at,
            })
        })
        .collect();
    let suspensions: Vec<Value> = export::suspensions_of(tx, person)?
        .into_iter()
        .map(|closed| {
            json!({
                "reason": closed.reason, "suspended_at": closed.suspended_at,
                "restored_at": closed.restored_at,
            })
        })
        .collect();
    let removed: Vec<Value> = export::removed_cars_of(tx, person)?
        .into_iter()
        .map(|car| {
            json!({
                "vehicle": car.vehicle.title(), "vin": car.vin, "mileage": car.vehicle.mileage,
                "removed_at": car.removed_at,
            })
        })
        .collect();
    let unpaid: Vec<Value> = export::unpaid_orders_of(tx, person)?
        .into_iter()
        .map(|order| {
            json!({
                "order_id": order.id, "plan": order.plan, "amount_cents": order.amount_cents,
                "currency": order.currency, "status": order.status, "created_at": order.created_at,
            })
        })
        .collect();
    let mechanic = tx.mechanic_by_user(person)?;
    let preferences = PreferencesBody::of(&notifications::preferences(tx, person)?);
    Ok(json!({
        "removed_vehicles": removed,
        "unpaid_orders": unpaid,
        "audit": about(tx, person)?,
        "notifications": preferences,
        "deliveries": deliveries,
        "suspensions": suspensions,
        "mechanic": mechanic.as_ref().map(MechanicBody::from),
        "sign_ins": sign_ins.into_iter().map(|one| SignInBody::of(one, None)).collect::<Vec<_>>(),
        "api_tokens": tokens.into_iter().map(TokenBody::from).collect::<Vec<_>>(),
        "vehicles": cars.into_iter().map(VehicleBody::from).collect::<Vec<_>>(),
        "applications": applications::of(tx, person, now)?,
        "intakes": intakes,
        "orders": orders,
        "sessions": sessions(tx, person)?,
        "journey": journey(tx, person)?,
    }))
}

fn sessions(tx: &mut Tx<'_>, person: UserId) -> Result<Vec<Value>, Error> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = views::session::mine(tx, person, &[], before, PAGE)?;
        before = page.last().map(|view| view.id);
        let full = page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
        for view in page {
            let id = view.id;
            let mut session = serde_json::to_value(SessionBody::from(view)).unwrap_or_default();
            session["events"] = json!(events(tx, id)?);
            session["summary"] = json!(summaries::of(tx, id)?);
            session["summary_draft"] = json!(summaries::draft_of(tx, id, person)?);
            all.push(session);
        }
        if !full {
            return Ok(all);
        }
    }
}

fn events(tx: &mut Tx<'_>, session: SessionId) -> Result<Vec<Value>, Error> {
    let names = views::channel::names(tx, session)?;
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = sessions::Store::events_after(tx, session, after, PAGE)?;
        for event in &page {
            after = event.seq;
            let name = event.actor.id.and_then(|id| names.get(&id)).map(String::as_str);
            all.push(serde_json::to_value(EventWire::new(event, name)).unwrap_or_default());
        }
        if page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            return Ok(all);
        }
    }
}

fn journey(tx: &mut Tx<'_>, person: UserId) -> Result<Vec<InteractionBody>, Error> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = crm::Store::interactions_by_customer(tx, person, before, PAGE)?;
        before = page.last().map(|step| step.id);
        let full = page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
        all.extend(page.into_iter().map(InteractionBody::from));
        if !full {
            return Ok(all);
        }
    }
}
