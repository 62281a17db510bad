//! Who sends a request: from the cookie or the token to a person with a role.
//!
//! A handler asks for what it needs by type: [`SignedIn`], [`Customer`], [`AnyMechanic`], [`Mechanic`] (approved),
//! [`Staff`], [`Admin`], or [`Visitor`] where signing in is optional. A request that proves itself by cookie and changes
//! something must come from Pitlane's own pages; a browser sends the cookie from any page.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use accounts::{
    ApprovalState, Credential, Device, Principal, ProviderStore, SecondFactorStore, Token, User, Via,
    authenticate,
};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN, USER_AGENT};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use kernel::{Actor, Role, SignInId, UserId};
use serde::Serialize;
use serde_json::value::RawValue;
use subtle::ConstantTimeEq;
use url::Url;

use super::address;
use super::problem::{ApiResult, Problem};
use super::router::Access;
use crate::state::Pitlane;
use crate::usecases::{self, second_factor};

/// The name of the cookie.
pub const COOKIE: &str = "pitlane_session";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A person as the contract shows them.
#[derive(Debug, Clone, Serialize)]
pub struct UserBody {
    /// The person.
    pub id: UserId,
    /// The address of the account.
    pub email: String,
    /// Whether the person showed that they read this mailbox.
    pub email_verified: bool,
    /// As others see it.
    pub name: String,
    /// For text messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Whether the person showed that the telephone is theirs.
    pub phone_verified: bool,
    /// What the person is here.
    pub role: Role,
    /// An IANA name.
    pub time_zone: String,
    /// `individual` or `business`.
    pub account_type: &'static str,
    /// Whether the free plan is used up.
    pub has_used_free_session: bool,
}

impl From<&User> for UserBody {
    fn from(user: &User) -> Self {
        Self {
            id: user.id(),
            email: user.email().as_str().to_owned(),
            email_verified: user.email_verified(),
            name: user.name().to_owned(),
            phone: user.phone().map(str::to_owned),
            phone_verified: user.phone_verified(),
            role: user.role(),
            time_zone: user.time_zone().to_owned(),
            account_type: user.account_type().as_str(),
            has_used_free_session: user.has_used_free_session(),
        }
    }
}

/// Who is behind a socket.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The person.
    pub user: UserId,
    /// Their role.
    pub role: Role,
    /// How they proved it.
    pub via: Via,
    /// The person as the contract shows them.
    pub user_json: Box<RawValue>,
}

impl From<&Principal> for Identity {
    fn from(principal: &Principal) -> Self {
        let user_json = serde_json::value::to_raw_value(&UserBody::from(&principal.user));
        Self {
            user: principal.id(),
            role: principal.user.role(),
            via: principal.via,
            user_json: user_json.expect("strings serialise"),
        }
    }
}

/// Somebody who proved who they are, and where their approval stands when they are a mechanic.
#[derive(Debug, Clone)]
struct Known {
    principal: Principal,
    approval: Option<ApprovalState>,
    /// Whether they work only with an authenticator app and have none.
    unprotected: bool,
}

async fn look_up(pitlane: &Pitlane, credential: Credential) -> Result<Option<Known>, usecases::Error> {
    let (now, environment) = (pitlane.clock.now(), pitlane.settings.server.environment);
    let known = pitlane
        .db
        .glance(move |tx| -> Result<Option<Known>, usecases::Error> {
            let Some(principal) = authenticate::authenticate(tx, &credential, now)? else { return Ok(None) };
            let approval = match principal.user.role() {
                Role::Mechanic => {
                    tx.mechanic_by_user(principal.id())?.map(|mechanic| mechanic.approval().state)
                }
                Role::Customer | Role::Workshop | Role::Support | Role::Admin => None,
            };
            let unprotected = second_factor::is_required_for(environment, principal.user.role())
                && !tx.second_factor_by_user(principal.id())?.is_some_and(|factor| factor.is_on());
            Ok(Some(Known { principal, approval, unprotected }))
        })
        .await?;
    if let Some(principal) =
        known.as_ref().map(|known| &known.principal).filter(|principal| principal.touch_due)
    {
        touch(pitlane.clone(), principal.via);
    }
    Ok(known)
}

/// Notes the use without keeping the request waiting for a commit.
fn touch(pitlane: Pitlane, via: Via) {
    actix_web::rt::spawn(async move {
        let now = pitlane.clock.now();
        let touched = pitlane.db.write(move |tx| authenticate::touch(tx, via, now)).await;
        if let Err(error) = touched {
            tracing::warn!(%error, "the last use of a sign-in could not be noted");
        }
    });
}

/// Whether the request bears this secret in `Authorization`, compared in constant time. Nothing bears an empty one.
pub(super) fn bears(request: &HttpRequest, secret: &str) -> bool {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    !secret.is_empty() && bool::from(given.as_bytes().ct_eq(secret.as_bytes()))
}

/// What the request presents. A token in `Authorization` counts before the cookie.
fn presented(request: &HttpRequest) -> ApiResult<Option<Credential>> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match bearer {
        Some(token) => Credential::api_token(token).map(Some).ok_or_else(Problem::not_signed_in),
        None => Ok(request.cookie(COOKIE).and_then(|cookie| Credential::sign_in(cookie.value()))),
    }
}

/// Looked up once for each request.
async fn known(request: &HttpRequest, pitlane: &Pitlane) -> ApiResult<Option<Rc<Known>>> {
    if let Some(known) = request.extensions().get::<Option<Rc<Known>>>() {
        return Ok(known.clone());
    }
    let Some(credential) = presented(request)? else { return Ok(None) };
    let known = match credential {
        Credential::SignIn(_) => {
            require_same_origin(request, pitlane)?;
            look_up(pitlane, credential).await?
        }
        Credential::ApiToken(_) => {
            Some(look_up(pitlane, credential).await?.ok_or_else(Problem::not_signed_in)?)
        }
    };
    let known = known.map(Rc::new);
    request.extensions_mut().insert(known.clone());
    Ok(known)
}

/// Refuses a request that would change something and comes from a page of another site.
///
/// # Errors
/// 403 `cross_origin`.
pub fn require_same_origin(request: &HttpRequest, pitlane: &Pitlane) -> ApiResult<()> {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if reads || same_origin(request, pitlane) {
        return Ok(());
    }
    let detail = "This request came from a page of another site.";
    Err(Problem::new(StatusCode::FORBIDDEN, "cross_origin", detail))
}

/// Whether the request comes from Pitlane's own pages: by `Origin`, else by `Sec-Fetch-Site`. Programs that send
/// neither pass.
pub fn same_origin(request: &HttpRequest, pitlane: &Pitlane) -> bool {
    let text = |name: HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or("null"));
    let host = text(HOST).filter(|_| pitlane.settings.is_development());
    is_own(text(ORIGIN), text(SEC_FETCH_SITE), &pitlane.settings.server.public_url, host)
}

/// `host` is the request's own, where it may stand for the public address: a developer may open the server by any of
/// its names.
fn is_own(origin: Option<&str>, site: Option<&str>, public_url: &str, host: Option<&str>) -> bool {
    let Some(origin) = origin else {
        return site.is_none_or(|site| site == "same-origin" || site == "none");
    };
    let Ok(origin) = Url::parse(origin).map(|url| url.origin()) else { return false };
    let same = |address: &str| Url::parse(address).is_ok_and(|url| url.origin() == origin);
    origin.is_tuple() && (same(public_url) || host.is_some_and(|host| same(&format!("http://{host}"))))
}

/// Who sends this request; `None` when it presents nothing, or a cookie that is no longer good.
///
/// # Errors
/// 401 for an API token that is not good, 403 `cross_origin` or `second_factor_setup_required`, or a failure of the
/// storage.
pub async fn identify(request: &HttpRequest, pitlane: &Pitlane) -> ApiResult<Option<Identity>> {
    let known = known(request, pitlane).await?;
    require_protection(known.as_deref())?;
    Ok(known.map(|known| Identity::from(&known.principal)))
}

/// Refuses somebody of a real server's staff who has no authenticator app yet.
fn require_protection(known: Option<&Known>) -> ApiResult<()> {
    if known.is_some_and(|known| known.unprotected) {
        let detail = "Set up an authenticator app for this account first.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "second_factor_setup_required", detail));
    }
    Ok(())
}

/// Where people look after their own account, and so set the app up.
pub(super) fn is_own_account(path: &str) -> bool {
    ["/account", "/api/me"]
        .iter()
        .any(|own| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Who has this API token; `None` when it is not good.
///
/// # Errors
/// A failure of the storage.
pub async fn by_token(pitlane: &Pitlane, token: &str) -> Result<Option<Identity>, usecases::Error> {
    let Some(credential) = Credential::api_token(token) else { return Ok(None) };
    let known = look_up(pitlane, credential).await?.filter(|known| !known.unprotected);
    Ok(known.map(|known| Identity::from(&known.principal)))
}

/// Lets a request through to a route, or says why not. It runs before anything else of the request is looked at, so
/// that a stranger learns nothing from how the rest would have been refused. The handler's own extractor asks again
/// and gets the same answer from the request.
///
/// # Errors
/// 401, 403 `wrong_role`, `not_approved`, `second_factor_setup_required` or `cross_origin`, or a failure of the
/// storage.
pub async fn admit_to(access: Access, request: &HttpRequest, pitlane: &Pitlane) -> ApiResult<()> {
    let check: fn(Option<&Known>) -> ApiResult<&Known> = match access {
        Access::Public | Access::Signed | Access::Development => return Ok(()),
        Access::SignedIn => SignedIn::check,
        Access::Customer => Customer::check,
        Access::Mechanic => AnyMechanic::check,
        Access::ApprovedMechanic => Mechanic::check,
        Access::Workshop => Workshop::check,
        Access::Staff => Staff::check,
        Access::Admin => Admin::check,
    };
    let known = known(request, pitlane).await?;
    if !is_own_account(request.path()) {
        require_protection(known.as_deref())?;
    }
    check(known.as_deref()).map(drop)
}

/// Who was let through to a route that needs a sign-in, and their role.
pub fn admitted(request: &HttpRequest) -> Option<(UserId, Role)> {
    let extensions = request.extensions();
    let principal = &extensions.get::<Option<Rc<Known>>>()?.as_ref()?.principal;
    Some((principal.id(), principal.user.role()))
}

/// The browser and the address a request comes from.
pub fn device(request: &HttpRequest, pitlane: &Pitlane) -> Device {
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
    Device::new(agent, &address::of(request, pitlane))
}

/// The cookie that holds a sign-in.
pub fn cookie(token: &Token, pitlane: &Pitlane) -> Cookie<'static> {
    let days = i64::from(pitlane.settings.auth.session_days);
    bare_cookie(token.expose().to_owned(), pitlane).max_age(Duration::days(days)).finish()
}

/// The cookie that makes a browser forget its sign-in.
pub fn no_cookie(pitlane: &Pitlane) -> Cookie<'static> {
    bare_cookie(String::new(), pitlane).max_age(Duration::ZERO).finish()
}

fn bare_cookie(value: String, pitlane: &Pitlane) -> actix_web::cookie::CookieBuilder<'static> {
    Cookie::build(COOKIE, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(pitlane.settings.server.public_url.starts_with("https://"))
}

/// Somebody who may be signed in.
#[derive(Debug, Clone)]
pub struct Visitor(pub Option<Principal>);

fn anybody(known: Option<&Known>) -> ApiResult<Visitor> {
    Ok(Visitor(known.map(|known| known.principal.clone())))
}

macro_rules! people { ($($(#[$doc:meta])* $name:ident: $roles:pat, $approved:literal);+ $(;)?) => { $(
    $(#[$doc])*
    #[derive(Debug, Clone)]
    pub struct $name(pub Principal);

    impl $name {
        /// The person's id.
        pub fn id(&self) -> UserId {
            self.0.id()
        }

        /// The person as somebody who does something.
        pub fn actor(&self) -> Actor {
            self.0.actor()
        }

        /// The person.
        pub fn user(&self) -> &User {
            &self.0.user
        }

        fn admit(known: Option<&Known>) -> ApiResult<Self> {
            Self::check(known).map(|known| Self(known.principal.clone()))
        }

        fn check(known: Option<&Known>) -> ApiResult<&Known> {
            let known = known.ok_or_else(Problem::not_signed_in)?;
            if !matches!(known.principal.user.role(), $roles) {
                return Err(Problem::wrong_role());
            }
            if $approved && known.approval != Some(ApprovalState::Approved) {
                let detail = "An admin has to approve your account first.";
                return Err(Problem::new(StatusCode::FORBIDDEN, "not_approved", detail));
            }
            Ok(known)
        }
    }

    impl FromRequest for $name {
        type Error = Problem;
        type Future = Admitting<Self>;

        fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
            admit(request, Self::admit)
        }
    }
)+ } }

people! {
    /// Everybody who is signed in.
    SignedIn: _, false;
    /// A customer.
    Customer: Role::Customer, false;
    /// A mechanic, approved or not, or somebody who runs a workshop.
    AnyMechanic: Role::Mechanic | Role::Workshop, false;
    /// An approved mechanic.
    Mechanic: Role::Mechanic, true;
    /// Somebody who runs a workshop.
    Workshop: Role::Workshop, false;
    /// Somebody of support, or an admin.
    Staff: Role::Support | Role::Admin, false;
    /// An admin.
    Admin: Role::Admin, false;
}

impl SignedIn {
    /// The signed-in device, for what a program with an API token may not do.
    ///
    /// # Errors
    /// 403 `token_not_allowed`.
    pub fn sign_in(&self) -> ApiResult<SignInId> {
        self.0.sign_in().ok_or_else(|| {
            let detail = "An API token can't do this. Sign in instead.";
            Problem::new(StatusCode::FORBIDDEN, "token_not_allowed", detail)
        })
    }
}

impl FromRequest for Visitor {
    type Error = Problem;
    type Future = Admitting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        admit(request, anybody)
    }
}

type Admitting<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

fn admit<T: 'static>(request: &HttpRequest, judge: fn(Option<&Known>) -> ApiResult<T>) -> Admitting<T> {
    let request = request.clone();
    Box::pin(async move {
        let pitlane = request.app_data::<Data<Pitlane>>().cloned().ok_or_else(Problem::internal)?;
        judge(known(&request, &pitlane).await?.as_deref())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unprotected_admin_reaches_their_own_account_and_nothing_else() {
        for (path, own) in [
            ("/account", true),
            ("/account/second-factor", true),
            ("/api/me", true),
            ("/api/me/second-factor/confirm", true),
            ("/api/mechanics", false),
            ("/accounts", false),
            ("/admin", false),
        ] {
            assert_eq!(is_own_account(path), own, "{path}");
        }
    }

    #[test]
    fn only_pages_of_this_server_may_change_something_with_a_cookie() {
        let public = "https://pitlane.example";
        for (origin, site, host, own) in [
            (None, None, None, true),
            (None, Some("same-origin"), None, true),
            (None, Some("none"), None, true),
            (None, Some("same-site"), None, false),
            (None, Some("cross-site"), None, false),
            (Some("https://pitlane.example"), None, None, true),
            (Some("https://pitlane.example:443"), None, None, true),
            (Some("https://pitlane.example"), Some("cross-site"), None, true),
            (Some("http://pitlane.example"), Some("same-origin"), None, false),
            (Some("https://pitlane.example.evil.example"), None, None, false),
            (Some("https://evil.example"), None, None, false),
            (Some("https://pitlane.example:8443"), None, None, false),
            (Some("null"), None, None, false),
            (Some(""), None, None, false),
            (Some("file:///tmp/x.html"), None, None, false),
            (Some("http://127.0.0.1:8080"), None, Some("127.0.0.1:8080"), true),
            (Some("http://127.0.0.1:8080"), None, None, false),
            (Some("http://localhost:9999"), None, Some("127.0.0.1:8080"), false),
        ] {
            assert_eq!(is_own(origin, site, public, host), own, "{origin:?} {site:?} {host:?}");
        }
    }
}
