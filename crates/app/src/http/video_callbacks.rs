//! What Twilio and LiveKit tell of their rooms.

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use gateways::video::livekit::callback as livekit;
use gateways::video::twilio::callback::Status;
use payments::gateway::CallbackError;
use serde_json::json;
use sessions::RoomNews;

use super::{Access, ApiResult, Router, extract};
use crate::state::Pitlane;
use crate::usecases::{Error, hear_room};

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.post("/api/livekit/webhook", Access::Signed, livekit_tells);
    router.post("/api/twilio/status", Access::Signed, twilio_tells);
}

// The signatures cover the bytes as they came, so nothing reads them before they are checked.

async fn twilio_tells(
    request: HttpRequest,
    payload: Payload,
    pitlane: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let body = extract::collect(&request, payload.into_inner()).await?;
    let status = Status::read(&body);
    let url = format!("{}{}", pitlane.settings.server.public_url, request.uri());
    let tokens = pitlane.settings.video.twilio_auth_token.each();
    if !status.is_signed(&url, header(&request, "x-twilio-signature"), tokens) {
        return Err(Error::Callback(CallbackError::BadSignature).into());
    }
    hear(&pitlane, status.news(pitlane.clock.now())).await
}

async fn livekit_tells(
    request: HttpRequest,
    payload: Payload,
    pitlane: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let body = extract::collect(&request, payload.into_inner()).await?;
    let (video, now) = (&pitlane.settings.video, pitlane.clock.now());
    let key = video.livekit_api_key.as_deref().unwrap_or_default();
    let token = header(&request, AUTHORIZATION.as_str());
    if !livekit::is_signed(&body, token, key, video.livekit_api_secret.expose(), now) {
        return Err(Error::Callback(CallbackError::BadSignature).into());
    }
    hear(&pitlane, livekit::news(&body, now)).await
}

fn header<'r>(request: &'r HttpRequest, name: &str) -> &'r str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn hear(pitlane: &Pitlane, news: Option<RoomNews>) -> ApiResult<HttpResponse> {
    if let Some(news) = news {
        hear_room::heard(pitlane, news).await?;
    }
    Ok(HttpResponse::Ok().json(json!({ "received": true })))
}
