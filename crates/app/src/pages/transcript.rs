//! `/sessions/{id}/transcript`: the whole log of a session, for those who take part in it, and for admins, who are noted.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use kernel::id::SessionId;
use sessions::Head;
use store::Tx;
use web::chat::Event;
use web::frame::Nav;
use web::transcript::{SummaryNote, TranscriptPage};

use super::frame::{frame, show};
use super::summary::{self, Papers};
use super::{chat, rows};
use crate::http::auth::SignedIn;
use crate::http::sessions::seen;
use crate::http::{Access, ApiResult, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::Error;

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get("/sessions/{id}/transcript", Access::SignedIn, open);
}

struct Contents {
    events: Vec<Event>,
    papers: Papers,
    head: Head,
}

fn contents(tx: &mut Tx<'_>, id: SessionId) -> Result<Option<Contents>, Error> {
    let Some(session) = sessions::Store::session_by_id(tx, id)? else { return Ok(None) };
    let (events, papers) = (chat::said(tx, id)?, summary::papers(tx, id)?);
    Ok(Some(Contents { events, papers, head: *session.head() }))
}

async fn open(person: SignedIn, id: Path<SessionId>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    let id = *id;
    let view = seen(&app, &person, id, "transcript").await?;
    let found = app.db.read(move |tx| contents(tx, id)).await?;
    let Contents { events, papers, head } = found.ok_or_else(Problem::not_found)?;
    let summary = papers.summary.as_ref().map(|written| SummaryNote {
        author: papers.author.clone(),
        written_at: rows::instant(Some(written.updated_at)).unwrap_or_default(),
    });
    let page = TranscriptPage {
        frame: frame(&app, Some(&person.0), Nav::None),
        session: summary::heading(&app, &view, papers.vehicle.as_ref()),
        concern: papers.concern,
        events,
        line_count: head.last_seq,
        summary,
        head_hash: hex::encode(head.hash),
        content_dropped: view.content_dropped,
    };
    show(&page, StatusCode::OK)
}
