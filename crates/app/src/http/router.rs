//! The only way to a route, so that the list of routes is complete: the matrix of routes and roles walks it.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Responder, Route};

use super::problem::Problem;

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
    /// Mechanics, approved or not.
    Mechanic,
    /// Approved mechanics.
    ApprovedMechanic,
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
        self.routes.push((Listed { method, path, access }, route));
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

async fn method_not_allowed() -> Result<&'static str, Problem> {
    Err(Problem::new(
        actix_web::http::StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address exists, but not for this method.",
    ))
}
