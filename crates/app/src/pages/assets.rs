//! Static files, from the binary.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use serde::Deserialize;

use crate::http::extract::takes_gzip;
use crate::http::{Access, ApiResult, Problem, Router};

/// Adds `/static/…` and the icon that browsers ask for by themselves.
pub fn routes(router: &mut Router) {
    router.get_or_head("/static/{path:.*}", Access::Public, file);
    router.get_or_head("/favicon.ico", Access::Public, icon);
}

#[derive(Debug, Deserialize)]
struct Version {
    v: Option<String>,
}

async fn file(
    request: HttpRequest,
    path: web::Path<String>,
    query: web::Query<Version>,
) -> ApiResult<HttpResponse> {
    // An address with the current version never changes what it means.
    let forever = query.v.as_deref() == Some(::web::assets::version());
    let caching = if forever { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    answer(&request, &path, caching)
}

async fn icon(request: HttpRequest) -> ApiResult<HttpResponse> {
    answer(&request, "img/favicon.svg", "public, max-age=86400")
}

fn answer(request: &HttpRequest, path: &str, caching: &'static str) -> ApiResult<HttpResponse> {
    let asset = ::web::assets::asset(path).ok_or_else(Problem::not_found)?;
    let gzip = asset.gzip.filter(|_| takes_gzip(request));
    // Of other bytes than the file's own, so not its tag either.
    let tag = match gzip {
        Some(_) => format!("{}-gzip\"", asset.etag.trim_end_matches('"')),
        None => asset.etag.to_owned(),
    };
    let known = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response =
        HttpResponseBuilder::new(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response
        .insert_header((CACHE_CONTROL, caching))
        .insert_header((ETAG, tag))
        .insert_header((VARY, "accept-encoding"));
    if known {
        return Ok(response.finish());
    }
    if gzip.is_some() {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    Ok(response.insert_header((CONTENT_TYPE, asset.content_type)).body(gzip.unwrap_or(asset.bytes)))
}
