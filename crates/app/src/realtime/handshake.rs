//! `GET /ws`: who may connect, from where.

use actix_web::http::StatusCode;
use actix_web::http::header::ORIGIN;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::protocol::FRAME_MAX_BYTES;
use super::socket;
use crate::http::{Access, ApiResult, Problem, Router, auth};
use crate::state::Pitlane;

/// Adds `/ws`.
pub fn routes(router: &mut Router) {
    // Public: a client that can't set headers says who it is in its first frame.
    router.get("/ws", Access::Public, connect);
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
