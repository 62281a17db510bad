//! `/api/me/export`: what Pitlane keeps of somebody, for them to take along.

use std::time::Duration;

use accounts::{CredentialStore, ProviderStore};
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::web::Data;
use kernel::id::{SessionId, UserId};
use kernel::{Actor, Timestamp};
use serde_json::{Value, json};
use store::Tx;
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

/// Everything, as one JSON document of one moment.
async fn everything(person: SignedIn, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let (user, actor, now) = (UserBody::from(person.user()), person.actor(), app.clock.now());
    let id = person.id();
    let cards = cards::list_within(&app, id, PATIENCE).await?;
    let mut archive = app.db.read(move |tx| gather(tx, id, actor, now)).await?;
    archive["cards"] = json!(cards.map(|cards| cards.into_iter().map(CardBody::from).collect::<Vec<_>>()));
    archive["exported_at"] = json!(now);
    archive["user"] = json!(user);
    let name = format!("attachment; filename=\"pitlane-{}.json\"", &now.to_string()[..10]);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(archive))
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
    let files: Vec<Value> = export::files_of(tx, person)?
        .into_iter()
        .map(|file| {
            json!({
                "id": file.id, "session_id": file.session, "name": file.name,
                "content_type": file.content_type, "size_bytes": file.size_bytes,
                "created_at": file.created_at, "path": format!("/api/files/{}", file.id),
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
    let mechanic = tx.mechanic_by_user(person)?;
    let preferences = PreferencesBody::of(&notifications::preferences(tx, person)?);
    Ok(json!({
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
        "files": files,
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
