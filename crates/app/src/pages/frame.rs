//! What surrounds every page, filled from the request.

use accounts::Principal;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::{HttpResponse, HttpResponseBuilder};
use kernel::Role;
use web::Page;
use web::frame::{Frame, Nav, Viewer};

use crate::http::ApiResult;
use crate::state::Pitlane;
use crate::usecases;

/// The frame of a page that this person looks at.
pub fn frame(pitlane: &Pitlane, viewer: Option<&Principal>, nav: Nav) -> Frame {
    let time_zone = viewer.map_or_else(String::new, |principal| principal.user.time_zone().to_owned());
    let viewer = viewer.map(|principal| Viewer {
        id: principal.id().to_string(),
        name: principal.user.name().to_owned(),
        role: role(principal.user.role()),
    });
    Frame {
        viewer,
        nav,
        time_zone,
        now: pitlane.clock.now().to_string(),
        support_address: pitlane.settings.mail.support_address.clone(),
        development: pitlane.settings.is_development(),
    }
}

/// The role as pages tell it apart.
pub const fn role(role: Role) -> web::frame::Role {
    match role {
        Role::Customer => web::frame::Role::Customer,
        Role::Mechanic => web::frame::Role::Mechanic,
        Role::Workshop => web::frame::Role::Workshop,
        Role::Support => web::frame::Role::Support,
        Role::Admin => web::frame::Role::Admin,
    }
}

/// The page as an answer. Pages are made for one person and kept by nobody.
///
/// # Errors
/// 500 when the template fails.
pub fn show(page: &impl Page, status: StatusCode) -> ApiResult<HttpResponse> {
    let html = page.render().map_err(usecases::Error::from)?;
    Ok(HttpResponseBuilder::new(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .content_type("text/html; charset=utf-8")
        .body(html))
}

/// On to another page, after a form was sent.
pub fn go(target: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, target)).finish()
}
