//! `/sessions/{id}/complete`: what a customer takes home: the summary, the receipt, what was said, what comes next.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use kernel::id::SessionId;
use sessions::{ParticipantRole, Status};
use store::views::money;
use store::views::session::SessionView;
use web::chat::{self, EventBody};
use web::frame::Nav;
use web::money::Amount;
use web::summary::{CompletePage, TranscriptLine, is_told};

use super::frame::{frame, go, show};
use super::{chat as room, rows, summary};
use crate::http::auth::SignedIn;
use crate::http::sessions::seen;
use crate::http::{Access, ApiResult, Router};
use crate::state::Pitlane;
use crate::usecases::{Error, view_summary};

/// Adds the page and the address that the seeds have for it.
pub fn routes(router: &mut Router) {
    router.get("/sessions/{id}/complete", Access::SignedIn, open);
    router.get("/session/{id}/complete", Access::SignedIn, moved);
}

async fn moved(id: Path<SessionId>) -> HttpResponse {
    go(&format!("/sessions/{}/complete", *id))
}

async fn open(person: SignedIn, id: Path<SessionId>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let id = *id;
    let view = seen(&app, &person, id, "complete").await?;
    let is_customer = view.viewer_role == Some(ParticipantRole::Customer);
    match view.status {
        Status::Completed => {}
        // There is nothing to take home yet, but perhaps a summary that came early.
        Status::Requested | Status::Scheduled | Status::Accepted | Status::InProgress => {
            let early = app.db.read(move |tx| Ok::<_, Error>(sessions::Store::summary(tx, id)?)).await?;
            let to = if early.is_some() { format!("/sessions/{id}/summary") } else { format!("/chat/{id}") };
            return Ok(go(&to));
        }
        Status::Cancelled | Status::Expired if is_customer => {
            return Ok(go(&format!("/thank-you?session={id}")));
        }
        Status::Cancelled | Status::Expired => return Ok(go(&format!("/chat/{id}"))),
    }
    let (papers, said, refunded) = app
        .db
        .read(move |tx| {
            Ok::<_, Error>((summary::papers(tx, id)?, room::said(tx, id)?, money::gone_back(tx, id)?))
        })
        .await?;
    if is_customer && papers.summary.is_some() {
        view_summary::note_view(&app, person.id(), id).await?;
    }
    let again = again(&view);
    let page = CompletePage {
        frame: frame(&app, Some(&person.0), Nav::None),
        session: summary::heading(&app, &view, papers.vehicle.as_ref()),
        summary: papers.summary.as_ref().map(|written| summary::written(written, &papers)),
        concern: papers.concern.clone(),
        transcript: said.into_iter().filter_map(transcript_line).collect(),
        receipt: if is_customer { room::receipt(&app, &view) } else { Vec::new() },
        total: rows::total(&view),
        refunded: Amount::new(refunded, view.currency.as_str()),
        receipt_order_id: view.order.filter(|_| is_customer).map(|order| order.to_string()),
        again_name: rows::plan_name(&app, app.catalog.active().version(), again),
        plan_code: again.as_str().to_owned(),
        is_customer,
        content_dropped: view.content_dropped,
    };
    show(&page, StatusCode::OK)
}

/// The plan to ask again with: the free one is given once.
fn again(view: &SessionView) -> kernel::PlanCode {
    if view.plan == kernel::PlanCode::Free { kernel::PlanCode::Chat10 } else { view.plan }
}

fn transcript_line(event: chat::Event) -> Option<TranscriptLine> {
    let told = match &event.body {
        EventBody::Message { .. } | EventBody::File(_) => true,
        // What was paid stands on the receipt.
        EventBody::Reaction { .. } | EventBody::Money(..) => false,
        EventBody::Note(kind) => is_told(*kind),
    };
    told.then_some(TranscriptLine { name: event.actor_name, at: event.created_at, body: event.body })
}
