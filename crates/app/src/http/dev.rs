//! What exists in development only: the mailbox, and a clock that can be moved.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_FRAME_OPTIONS};
use actix_web::web::{Data, Path, Query};
use kernel::Timestamp;
use notifications::{MailboxMessage, Store};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use web::Page;
use web::frame::Frame;
use web::mailbox::{MailboxItem, MailboxPage};

use super::problem::FieldError;
use super::{Access, ApiResult, Body, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::Error;

/// The most messages that are shown.
const SHOWN_MAX: u32 = 500;
/// The farthest that one call moves the clock, in seconds: ten years.
const ADVANCE_MAX_SECONDS: u32 = 10 * 366 * 86_400;

/// Adds the routes of development.
pub fn routes(router: &mut Router) {
    router.get("/dev/mailbox", Access::Development, mailbox);
    router.get("/dev/mailbox/{id}/html", Access::Development, mail_html);
    router.post("/dev/clock", Access::Development, advance);
}

#[derive(Deserialize)]
struct Format {
    format: Option<String>,
}

#[derive(Serialize)]
struct Items {
    items: Vec<Item>,
}

/// A message as programs read it.
#[derive(Serialize)]
struct Item {
    id: Uuid,
    channel: &'static str,
    to: String,
    subject: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    links: Vec<String>,
    milestone: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsubscribe_url: Option<String>,
    created_at: Timestamp,
}

impl From<MailboxMessage> for Item {
    fn from(kept: MailboxMessage) -> Self {
        let MailboxMessage { id, channel, message, created_at, .. } = kept;
        Self {
            id,
            channel: channel.as_str(),
            to: message.to,
            subject: message.subject,
            text: message.text,
            html: message.html,
            links: message.links,
            milestone: message.milestone.as_str(),
            unsubscribe_url: message.unsubscribe_url,
            created_at,
        }
    }
}

impl From<Item> for MailboxItem {
    fn from(item: Item) -> Self {
        Self {
            id: item.id.to_string(),
            channel: item.channel.to_owned(),
            to: item.to,
            subject: item.subject,
            text: item.text,
            has_html: item.html.is_some(),
            links: item.links,
            milestone: item.milestone.to_owned(),
            created_at: item.created_at.to_string(),
        }
    }
}

async fn mailbox(pitlane: Data<Pitlane>, query: Query<Format>) -> ApiResult<HttpResponse> {
    let kept = pitlane.db.read(|tx| tx.mailbox_newest(SHOWN_MAX).map_err(Error::from)).await?;
    let items = kept.into_iter().map(Item::from);
    if query.format.as_deref() == Some("json") {
        return Ok(HttpResponse::Ok().json(Items { items: items.collect() }));
    }
    let support_address = pitlane.settings.mail.support_address.clone();
    let frame = Frame { support_address, development: true, ..Frame::default() };
    let page = MailboxPage { frame, items: items.map(MailboxItem::from).collect() };
    let html = page.render().map_err(Error::from)?;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).body(html))
}

async fn mail_html(pitlane: Data<Pitlane>, id: Path<Uuid>) -> ApiResult<HttpResponse> {
    let id = id.into_inner();
    let kept = pitlane.db.read(move |tx| tx.mailbox_by_id(id).map_err(Error::from)).await?;
    let html = kept.and_then(|kept| kept.message.html).ok_or_else(Problem::not_found)?;
    // Mails must use inline style. Shown in a frame of the mailbox page, without script.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox \
                  allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((X_FRAME_OPTIONS, "SAMEORIGIN"))
        .body(html))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u32,
}

#[derive(Serialize)]
struct Advanced {
    now: Timestamp,
}

async fn advance(pitlane: Data<Pitlane>, body: Body<Advance>) -> ApiResult<HttpResponse> {
    let seconds = body.0.advance_seconds;
    if seconds > ADVANCE_MAX_SECONDS {
        let message = format!("The clock moves at most {ADVANCE_MAX_SECONDS} seconds at once.");
        return Err(Problem::invalid(vec![FieldError::new("advance_seconds", "out_of_range", message)]));
    }
    Ok(HttpResponse::Ok().json(Advanced { now: pitlane.clock.advance(seconds) }))
}
