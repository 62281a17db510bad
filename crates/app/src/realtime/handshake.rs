//! `GET /ws`: who may connect, from where.

use actix_web::http::StatusCode;
use actix_web::http::header::ORIGIN;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev};
use futures_util::TryStreamExt;

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
    // A browser sends its cookies from any page to any host, so the page's own address decides.
    if request.headers().contains_key(ORIGIN) && !auth::same_origin(&request, &pitlane) {
        let detail = "Sockets are opened from Pitlane's own pages.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "cross_origin", detail));
    }
    let identity = auth::identify(&request, &pitlane).await?;
    let not_a_websocket =
        || Problem::new(StatusCode::BAD_REQUEST, "not_a_websocket", "Open this address as a WebSocket.");
    let mut payload = compact(payload);
    let payload = Payload::from_request(&request, &mut payload).await.map_err(|_| not_a_websocket())?;
    let (response, session, stream) = actix_ws::handle(&request, payload).map_err(|_| not_a_websocket())?;
    let stream = stream
        .max_frame_size(FRAME_MAX_BYTES)
        .aggregate_continuations()
        .max_continuation_size(FRAME_MAX_BYTES);
    actix_web::rt::spawn(socket::run(pitlane, session, stream, identity));
    Ok(response)
}

/// What arrives is a piece of the connection's read buffer, and the stream of frames holds on to the last piece: an idle
/// socket would keep eight kibibytes for the few bytes of its last frame.
fn compact(payload: Payload) -> dev::Payload {
    let pieces = payload.into_inner().map_ok(|piece| Bytes::copy_from_slice(&piece));
    dev::Payload::Stream { payload: Box::pin(pieces) }
}
