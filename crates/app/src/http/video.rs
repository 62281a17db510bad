//! `/api/sessions/{id}/video-token` and `/media`: what opens the room of a video session, and who saw whom in it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use kernel::Timestamp;
use kernel::id::{SessionId, UserId};
use serde::{Deserialize, Serialize};
use sessions::media::MediaState;
use sessions::{IceServer, Pass, room_name};

use super::auth::SignedIn;
use super::extract::{Body, NoBody};
use super::problem::ApiResult;
use super::router::{Access, Router};
use crate::state::Pitlane;
use crate::usecases::{enter_video, note_media};

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.post("/api/sessions/{id}/media", Access::SignedIn, media);
    router.post("/api/sessions/{id}/video-token", Access::SignedIn, token);
}

/// A server as `RTCPeerConnection` takes it.
#[derive(Serialize)]
struct IceServerBody {
    urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
}

impl From<IceServer> for IceServerBody {
    fn from(server: IceServer) -> Self {
        let (username, credential) = server.credential.unzip();
        Self { urls: server.urls, username, credential }
    }
}

/// What opens the room.
#[derive(Serialize)]
struct PassBody {
    provider: &'static str,
    room: String,
    identity: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_url: Option<String>,
    ice_servers: Vec<IceServerBody>,
    expires_at: Timestamp,
}

fn body(session: SessionId, identity: UserId, pass: Pass) -> PassBody {
    PassBody {
        provider: pass.provider.as_str(),
        room: room_name(session),
        identity,
        token: pass.token,
        server_url: pass.server_url,
        ice_servers: pass.ice_servers.into_iter().map(IceServerBody::from).collect(),
        expires_at: pass.expires_at,
    }
}

async fn token(
    person: SignedIn,
    id: Path<SessionId>,
    app: Data<Pitlane>,
    _body: NoBody,
) -> ApiResult<HttpResponse> {
    let name = person.user().name().to_owned();
    let pass = enter_video::enter_video(&app, *id, person.id(), name).await?;
    Ok(HttpResponse::Ok().json(body(*id, person.id(), pass)))
}

/// What `POST /api/sessions/{id}/media` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaBody {
    state: StateBody,
    connection_id: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateBody {
    Connected,
    Disconnected,
}

impl From<StateBody> for MediaState {
    fn from(state: StateBody) -> Self {
        match state {
            StateBody::Connected => Self::Connected,
            StateBody::Disconnected => Self::Disconnected,
        }
    }
}

async fn media(
    person: SignedIn,
    id: Path<SessionId>,
    Body(told): Body<MediaBody>,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    note_media::told(&app, *id, person.id(), told.state.into(), told.connection_id).await?;
    Ok(HttpResponse::NoContent().finish())
}
