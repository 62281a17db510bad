//! The HTTP server over the shared state.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, Data, FormConfig, PathConfig, QueryConfig};
use actix_web::{App, HttpServer};

use super::problem::Problem;
use super::{extract, middleware, routes};
use crate::state::Pitlane;

/// Starts to serve on `listener`. The server stops by its handle, giving open requests
/// `server.shutdown_seconds` to end.
///
/// # Errors
/// The listener can't be used.
pub fn start(pitlane: Pitlane, listener: TcpListener) -> std::io::Result<Server> {
    let workers = match pitlane.settings.server.workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        workers => workers,
    };
    let shutdown_seconds = pitlane.settings.server.shutdown_seconds;
    let development = pitlane.settings.is_development();
    let state = Data::new(pitlane.clone());
    let server = HttpServer::new(move || {
        let extra = pitlane.development_routes();
        App::new()
            .app_data(state.clone())
            .app_data(PathConfig::default().error_handler(|_, _| Problem::not_found().into()))
            .app_data(QueryConfig::default().error_handler(|error, _| extract::bad_query(&error).into()))
            .app_data(FormConfig::default().error_handler(|error, _| extract::bad_form(&error).into()))
            .wrap(Compress::default())
            .wrap(from_fn(middleware::around))
            .configure(|config| routes::all(development).register(config))
            .configure(|config| extra(config))
            .default_service(web::to(nothing_here))
    })
    .workers(workers)
    .keep_alive(Duration::from_secs(75))
    .client_request_timeout(Duration::from_secs(30))
    // Who still sends a body that nobody reads has this long to see the answer.
    .client_disconnect_timeout(Duration::from_secs(5))
    .shutdown_timeout(shutdown_seconds)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}

async fn nothing_here() -> Result<&'static str, Problem> {
    Err(Problem::not_found())
}
