//! The only way to a route, so that the list of routes is complete: the matrix of routes and roles walks it.

use std::collections::BTreeMap;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::guard;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{
    Error, FromRequest, Handler, HttpMessage, HttpRequest, HttpResponse, Responder, Route, Scope,
};

use super::middleware::{self, RequestId};
use super::problem::Problem;
use super::{audit, auth};
use crate::state::Pitlane;

/// Who may call a route at all. Whose object it is, is decided behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Everybody with a valid signature in the request.
    Signed,
    /// Everybody, and only in development.
    Development,
    /// Every signed-in person.
    SignedIn,
    /// Customers.
    Customer,
    /// Mechanics, approved or not, and workshops.
    Mechanic,
    /// Approved mechanics.
    ApprovedMechanic,
    /// Those who run a workshop.
    Workshop,
    /// Support and admins: what only shows.
    Staff,
    /// Admins.
    Admin,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The method.
    pub method: Method,
    /// The path with its placeholders, as in the contract.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}

/// Collects routes and registers them.
#[derive(Default)]
pub struct Router {
    routes: Vec<(Listed, Route)>,
    heads: Vec<&'static str>,
}

macro_rules! methods { ($($(#[$doc:meta])* $name:ident => $method:ident),+ $(,)?) => { $(
    $(#[$doc])*
    pub fn $name<F, Args>(&mut self, path: &'static str, access: Access, handler: F)
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.add(Method::$method, path, access, web::$name().to(handler));
    }
)+ } }

impl Router {
    methods! {
        /// A GET route.
        get => GET,
        /// A POST route.
        post => POST,
        /// A PUT route.
        put => PUT,
        /// A PATCH route.
        patch => PATCH,
        /// A DELETE route.
        delete => DELETE,
    }

    /// A GET route that changes nothing and that answers HEAD as well, as monitors and previews of links ask.
    pub fn get_or_head<F, Args>(&mut self, path: &'static str, access: Access, handler: F)
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let either = guard::Any(guard::Get()).or(guard::Head());
        self.add(Method::GET, path, access, web::route().guard(either).to(handler));
        self.heads.push(path);
    }

    fn add(&mut self, method: Method, path: &'static str, access: Access, route: Route) {
        let guarded = route.wrap(from_fn(move |request, next| let_through(access, path, request, next)));
        self.routes.push((Listed { method, path, access }, guarded));
    }

    /// Every route, in the order of registration.
    pub fn list(&self) -> Vec<Listed> {
        self.routes.iter().map(|(listed, _)| listed.clone()).collect()
    }

    /// Registers every route: one resource a path, which answers 405 to the other methods.
    pub fn register(self, config: &mut ServiceConfig) {
        let Self { routes: all, heads } = self;
        let mut resources: Vec<(&'static str, Vec<Method>, Vec<Route>)> = Vec::new();
        for (listed, route) in all {
            match resources.iter_mut().find(|(path, ..)| *path == listed.path) {
                Some((_, methods, routes)) => {
                    methods.push(listed.method);
                    routes.push(route);
                }
                None => resources.push((listed.path, vec![listed.method], vec![route])),
            }
        }
        let mut below: BTreeMap<(&'static str, &'static str), Scope> = BTreeMap::new();
        for (path, methods, routes) in resources {
            let methods = methods.iter().chain(heads.contains(&path).then_some(&Method::HEAD));
            let allowed = methods.map(Method::as_str).collect::<Vec<_>>().join(", ");
            let refuse = move |request: HttpRequest| method_not_allowed(request, allowed.clone());
            let resource = |path| {
                let resource = routes.into_iter().fold(web::resource(path), actix_web::Resource::route);
                resource.default_service(web::to(refuse))
            };
            match split(path) {
                Some((stem, placeholder, rest)) => {
                    let scope = below.remove(&(stem, placeholder)).unwrap_or_else(|| web::scope(placeholder));
                    below.insert((stem, placeholder), scope.service(resource(rest)));
                }
                None => {
                    config.service(resource(path));
                }
            }
        }
        // Backwards, so that none is hidden by one that it begins with.
        let mut below = below.into_iter().rev().peekable();
        while let Some(((stem, _), scope)) = below.next() {
            let mut scopes = web::scope(stem).service(scope);
            while let Some((_, scope)) = below.next_if(|((other, _), _)| *other == stem) {
                scopes = scopes.service(scope);
            }
            config.service(scopes);
        }
    }
}

/// A path up to its first placeholder, the placeholder, and the rest of the path; `None` for a path without one.
///
/// A path with a placeholder is compared by a regular expression, which costs most where the beginning fits. So a request
/// is compared with the beginnings of all paths, then once with the placeholder, then with what may follow that.
fn split(path: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (stem, rest) = path.split_at(path.find("/{")?);
    let end = rest[1..].find('/').map_or(rest.len(), |end| end + 1);
    let (placeholder, rest) = rest.split_at(end);
    Some((stem, placeholder, rest))
}

/// The route that a request was let through to, in its extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken(pub(super) &'static str);

/// Lets a request through to its handler when its sender may call the route at all, and does not flood it.
async fn let_through(
    access: Access,
    path: &'static str,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody + 'static>>, Error> {
    request.extensions_mut().insert(Taken(path));
    let pitlane = request.app_data::<web::Data<Pitlane>>().cloned();
    let admitted = match &pitlane {
        Some(pitlane) => admit(access, path, request.request(), pitlane).await,
        None => Err(Problem::internal()),
    };
    match admitted {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(problem) => {
            let (request, _) = request.into_parts();
            Ok(ServiceResponse::from_err(problem, request).map_into_right_body())
        }
    }
}

async fn admit(access: Access, path: &str, request: &HttpRequest, pitlane: &Pitlane) -> Result<(), Problem> {
    auth::admit_to(access, request, pitlane).await?;
    if let Some((person, _)) = auth::admitted(request) {
        pitlane.limits.of_person(person)?;
    }
    if matches!(access, Access::Staff | Access::Admin) {
        audit::note(path, request, pitlane).await?;
    }
    Ok(())
}

async fn method_not_allowed(request: HttpRequest, allowed: String) -> HttpResponse {
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address exists, but not for this method.",
    );
    let id = request.extensions().get::<RequestId>().map_or_else(String::new, |id| id.0.clone());
    let mut response = middleware::told(&request, &problem, &id).await;
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

#[cfg(test)]
mod tests {
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, body};

    use super::*;
    use crate::http::routes;

    #[test]
    fn a_path_is_split_at_its_first_placeholder() {
        for (path, parts) in [
            ("/", None),
            ("/api/plans", None),
            ("/api/sessions/{id}", Some(("/api/sessions", "/{id}", ""))),
            ("/api/sessions/{id}/summary/draft", Some(("/api/sessions", "/{id}", "/summary/draft"))),
            ("/a/{b}/c/{d}", Some(("/a", "/{b}", "/c/{d}"))),
        ] {
            assert_eq!(split(path), parts);
        }
    }

    /// What the request's own way through the tree of paths was called.
    async fn pattern(request: HttpRequest) -> String {
        request.match_pattern().unwrap_or_default()
    }

    #[actix_web::test]
    async fn every_path_leads_to_itself_and_no_beginning_hides_another() {
        let mut router = Router::default();
        for path in ["/x", "/x/me", "/x/{id}", "/x/{id}/y", "/x/y/{id}", "/x/{id}/y/{other}", "/x/y/z"] {
            router.get(path, Access::Public, pattern);
        }
        let mut listed: Vec<&'static str> = router.list().iter().map(|listed| listed.path).collect();
        for Listed { path, .. } in routes::all(true).list() {
            if !listed.contains(&path) {
                router.get(path, Access::Public, pattern);
                listed.push(path);
            }
        }
        // Without the wrapper that asks for the state of a server.
        let plain = router.routes.into_iter().map(|(listed, _)| (listed, web::get().to(pattern))).collect();
        let router = Router { routes: plain, heads: Vec::new() };
        let app = init_service(App::new().configure(|config| router.register(config))).await;
        for path in listed {
            let asked = path.replace('{', "0").replace('}', "1");
            let answer = call_service(&app, TestRequest::get().uri(&asked).to_request()).await;
            let found = body::to_bytes(answer.into_body()).await.expect("a body");
            assert_eq!(String::from_utf8_lossy(&found), path, "{asked}");
        }
        for nothing in ["/x/", "/x/1/", "/x/1/2", "/x/y/1/2", "/xy", "/api/sessions/1/nothing"] {
            let answer = call_service(&app, TestRequest::get().uri(nothing).to_request()).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{nothing}");
        }
    }
}
