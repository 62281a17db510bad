//! `GET /ws`: who may connect, from where.

use actix_web::http::StatusCode;
use actix_web::http::header::ORIGIN;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use kernel::UserId;

use super::protocol::FRAME_MAX_BYTES;
use super::socket;
use crate::http::{Access, ApiResult, Problem, Router, auth};
use crate::state::Pitlane;

/// When it makes sense to try again for who has too many sockets.
const TRY_AGAIN_SECONDS: u64 = 30;

/// Adds `/ws`.
pub fn routes(router: &mut Router) {
    // Public: a client that can't set headers says who it is in its first frame.
    router.get("/ws", Access::Public, connect);
}

/// Refuses one socket more than a person may have. Two that come at once are told apart when they are noted.
fn require_room(pitlane: &Pitlane, user: UserId) -> ApiResult<()> {
    let most = pitlane.settings.limits.person_sockets;
    if most == 0 || pitlane.hub.sockets_of(user) < most {
        return Ok(());
    }
    let detail = format!("You have {most} sockets open here. Close some of them first.");
    Err(Problem { detail, ..Problem::too_many(TRY_AGAIN_SECONDS) })
}

async fn connect(request: HttpRequest, payload: Payload, pitlane: Data<Pitlane>) -> ApiResult<HttpResponse> {
    // Whoever was told to come back must not come back to the process that is about to end.
    if pitlane.hub.is_stopping() {
        return Err(Problem::unavailable());
    }
    // A browser sends its cookies from any page to any host, so the page's own address decides.
    if request.headers().contains_key(ORIGIN) && !auth::same_origin(&request, &pitlane) {
        let detail = "Sockets are opened from Pitlane's own pages.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "cross_origin", detail));
    }
    let identity = auth::identify(&request, &pitlane).await?;
    if let Some(identity) = &identity {
        require_room(&pitlane, identity.user)?;
    }
    let (response, session, stream) = actix_ws::handle(&request, payload).map_err(|_| {
        Problem::new(StatusCode::BAD_REQUEST, "not_a_websocket", "Open this address as a WebSocket.")
    })?;
    let stream = stream
        .max_frame_size(FRAME_MAX_BYTES)
        .aggregate_continuations()
        .max_continuation_size(FRAME_MAX_BYTES);
    actix_web::rt::spawn(socket::run(pitlane, session, stream, identity));
    Ok(response)
}
