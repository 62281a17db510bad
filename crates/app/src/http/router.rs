//! The only way to a route, so that the list of routes is complete: the matrix of routes and roles walks it.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{Error, FromRequest, Handler, Responder, Route};

use super::auth;
use super::problem::Problem;
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

    fn add(&mut self, method: Method, path: &'static str, access: Access, route: Route) {
        let guarded = route.wrap(from_fn(move |request, next| guard(access, request, next)));
        self.routes.push((Listed { method, path, access }, guarded));
    }

    /// Every route, in the order of registration.
    pub fn list(&self) -> Vec<Listed> {
        self.routes.iter().map(|(listed, _)| listed.clone()).collect()
    }

    /// Registers every route: one resource a path, which answers 405 to the other methods.
    pub fn register(self, config: &mut ServiceConfig) {
        let mut resources: Vec<(&'static str, Vec<Route>)> = Vec::new();
        for (listed, route) in self.routes {
            match resources.iter_mut().find(|(path, _)| *path == listed.path) {
                Some((_, routes)) => routes.push(route),
                None => resources.push((listed.path, vec![route])),
            }
        }
        for (path, routes) in resources {
            let resource = routes.into_iter().fold(web::resource(path), actix_web::Resource::route);
            config.service(resource.default_service(web::to(method_not_allowed)));
        }
    }
}

/// Lets a request through to its handler when its sender may call the route at all.
async fn guard(
    access: Access,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody + 'static>>, Error> {
    let pitlane = request.app_data::<web::Data<Pitlane>>().cloned();
    let admitted = match &pitlane {
        Some(pitlane) => auth::admit_to(access, request.request(), pitlane).await,
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

async fn method_not_allowed() -> Result<&'static str, Problem> {
    Err(Problem::new(
        actix_web::http::StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address exists, but not for this method.",
    ))
}
