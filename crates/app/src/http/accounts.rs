//! Accounts: register, sign in and out, links by mail, profile, devices, API tokens, mechanics' approval and duty.

use accounts::register::TypedRegistration;
use accounts::sign_in::Opened;
use accounts::user::TypedProfile;
use accounts::{
    ApiToken, ApprovalState, Error as AccountsError, Mechanic as MechanicAccount, MechanicPlace, Purpose,
    SignIn, Token, User,
};
use actix_web::body::to_bytes;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use kernel::{ApiTokenId, ProviderId, Role, SignInId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::address;
use super::auth::{self, Admin, AnyMechanic, SignedIn, UserBody, Visitor};
use super::extract::{Body, NoBody, Optional, present};
use super::idempotency::Keyed;
use super::list::{List, Paging};
use super::problem::{ApiResult, Problem};
use super::router::{Access, Router};
use crate::state::Pitlane;
use crate::usecases::account::TypedChange;
use crate::usecases::erase_account::erase_account;
use crate::usecases::sign_in::Entry;
use crate::usecases::{self, account, links, mail, mechanics, register, sign_in};

type App = Data<Pitlane>;

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.post("/api/auth/register", Access::Public, sign_up);
    router.post("/api/auth/login", Access::Public, log_in);
    router.post("/api/auth/logout", Access::Public, log_out);
    router.post("/api/auth/magic-link", Access::Public, magic_link);
    router.post("/api/auth/verify", Access::Public, verify);
    router.post("/api/auth/password/forgot", Access::Public, forgot);
    router.post("/api/auth/password/reset", Access::Public, reset);
    router.get("/api/me", Access::SignedIn, me);
    router.patch("/api/me", Access::SignedIn, change_me);
    router.delete("/api/me", Access::SignedIn, erase_me);
    router.post("/api/me/verification", Access::SignedIn, resend_verification);
    router.get("/api/me/sign-ins", Access::SignedIn, sign_ins);
    router.delete("/api/me/sign-ins", Access::SignedIn, end_other_sign_ins);
    router.delete("/api/me/sign-ins/{id}", Access::SignedIn, end_sign_in);
    router.get("/api/me/tokens", Access::SignedIn, tokens);
    router.post("/api/me/tokens", Access::SignedIn, make_token);
    router.delete("/api/me/tokens/{id}", Access::SignedIn, end_token);
    router.put("/api/mechanics/me/duty", Access::Mechanic, set_duty);
    router.get("/api/admin/mechanics", Access::Admin, list_mechanics);
    router.post("/api/admin/mechanics/{id}/approve", Access::Admin, approve);
    router.post("/api/admin/mechanics/{id}/refuse", Access::Admin, refuse);
    router.post("/api/admin/mechanics/{id}/suspend", Access::Admin, suspend);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignUpRequest {
    email: String,
    password: String,
    name: String,
    role: String,
    time_zone: Option<String>,
}

#[derive(Serialize)]
struct UserAnswer {
    user: UserBody,
}

fn signed_in(opened: &Opened, app: &Pitlane, mut response: actix_web::HttpResponseBuilder) -> HttpResponse {
    let user = UserBody::from(&opened.user);
    response.cookie(auth::cookie(&opened.token, app)).json(UserAnswer { user })
}

async fn sign_up(request: HttpRequest, app: App, body: Body<SignUpRequest>) -> ApiResult<HttpResponse> {
    auth::require_same_origin(&request, &app)?;
    let SignUpRequest { email, password, name, role, time_zone } = body.0;
    let typed = TypedRegistration { email, password, name, role, time_zone };
    let opened = register::register(&app, typed, auth::device(&request, &app)).await?;
    Ok(signed_in(&opened, &app, HttpResponse::Created()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogInRequest {
    email: String,
    password: String,
    /// Of the authenticator app, where one is set up.
    code: Option<String>,
}

async fn log_in(request: HttpRequest, app: App, body: Body<LogInRequest>) -> ApiResult<HttpResponse> {
    auth::require_same_origin(&request, &app)?;
    let LogInRequest { email, password, code } = body.0;
    let typed = sign_in::Typed { email, password, code, return_path: None };
    match sign_in::by_password(&app, typed, auth::device(&request, &app)).await? {
        Entry::In(opened) => Ok(signed_in(&opened, &app, HttpResponse::Ok())),
        // A program sends everything again, with the code; the ticket is for the page.
        Entry::CodeWanted(_) => Err(usecases::Error::from(AccountsError::SecondFactorRequired).into()),
    }
}

async fn log_out(visitor: Visitor, app: App, _body: NoBody) -> ApiResult<HttpResponse> {
    if let Some((user, id)) = visitor.0.as_ref().and_then(|person| Some((person.id(), person.sign_in()?))) {
        sign_in::end(&app, user, id).await?;
    }
    Ok(HttpResponse::NoContent().cookie(auth::no_cookie(&app)).finish())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MagicLinkRequest {
    email: String,
    redirect: Option<String>,
}

async fn magic_link(request: HttpRequest, app: App, body: Body<MagicLinkRequest>) -> ApiResult<HttpResponse> {
    let (MagicLinkRequest { email, redirect }, device) = (body.0, auth::device(&request, &app));
    links::request(&app, Purpose::MagicLink, &email, redirect.as_deref(), &device).await?;
    Ok(HttpResponse::Accepted().finish())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyRequest {
    token: String,
}

async fn verify(app: App, body: Body<VerifyRequest>) -> ApiResult<HttpResponse> {
    links::verify_email(&app, &body.0.token).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForgotRequest {
    email: String,
}

async fn forgot(request: HttpRequest, app: App, body: Body<ForgotRequest>) -> ApiResult<HttpResponse> {
    let device = auth::device(&request, &app);
    links::request(&app, Purpose::PasswordReset, &body.0.email, None, &device).await?;
    Ok(HttpResponse::Accepted().finish())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetRequest {
    token: String,
    password: String,
}

async fn reset(app: App, body: Body<ResetRequest>) -> ApiResult<HttpResponse> {
    let ResetRequest { token, password } = body.0;
    links::reset_password(&app, &token, password).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Serialize)]
struct Me {
    #[serde(flatten)]
    user: UserBody,
    /// The address that was asked for and is not confirmed yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mechanic: Option<MechanicBody>,
}

/// A mechanic's own standing.
#[derive(Serialize)]
pub struct MechanicBody {
    provider_id: ProviderId,
    approval: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    on_duty: bool,
}

impl From<&MechanicAccount> for MechanicBody {
    fn from(mechanic: &MechanicAccount) -> Self {
        Self {
            provider_id: mechanic.provider(),
            approval: mechanic.approval().state.as_str(),
            reason: mechanic.approval().reason.clone(),
            on_duty: mechanic.on_duty(),
        }
    }
}

async fn describe(app: &Pitlane, user: &User) -> ApiResult<HttpResponse> {
    let mechanic = match user.role() {
        Role::Mechanic => mechanics::find(app, user.id()).await?,
        Role::Customer | Role::Workshop | Role::Support | Role::Admin => None,
    };
    let mechanic = mechanic.as_ref().map(MechanicBody::from);
    let pending_email = account::pending_email(app, user).await?.map(|email| email.to_string());
    Ok(HttpResponse::Ok().json(Me { user: UserBody::from(user), pending_email, mechanic }))
}

async fn me(person: SignedIn, app: App) -> ApiResult<HttpResponse> {
    describe(&app, person.user()).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeRequest {
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    phone: Option<Option<String>>,
    time_zone: Option<String>,
    account_type: Option<String>,
    email: Option<String>,
    password: Option<String>,
    current_password: Option<String>,
}

impl From<ChangeRequest> for TypedChange {
    fn from(request: ChangeRequest) -> Self {
        let ChangeRequest { name, phone, time_zone, account_type, email, password, current_password } =
            request;
        let profile = TypedProfile { name, phone, time_zone, account_type };
        Self { profile, email, password, current_password }
    }
}

async fn change_me(
    person: SignedIn,
    request: HttpRequest,
    app: App,
    body: Body<ChangeRequest>,
) -> ApiResult<HttpResponse> {
    let typed = TypedChange::from(body.0);
    let keep = if typed.is_sensitive() { Some(person.sign_in()?) } else { None };
    let device = auth::device(&request, &app);
    let user = account::change(&app, person.user(), keep, typed, &device).await?;
    describe(&app, &user).await
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EraseRequest {
    /// Right, if it is there.
    current_password: Option<String>,
}

async fn erase_me(
    person: SignedIn,
    request: HttpRequest,
    app: App,
    body: Optional<EraseRequest>,
) -> ApiResult<HttpResponse> {
    person.sign_in()?;
    let device = auth::device(&request, &app);
    erase_account(&app, person.user(), body.0.current_password, &device).await?;
    Ok(HttpResponse::NoContent().cookie(auth::no_cookie(&app)).finish())
}

async fn resend_verification(
    person: SignedIn,
    request: HttpRequest,
    app: App,
    _body: NoBody,
) -> ApiResult<HttpResponse> {
    links::resend_verification(&app, person.user(), &auth::device(&request, &app)).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// A signed-in device.
#[derive(Serialize)]
pub struct SignInBody {
    id: SignInId,
    /// The browser and the system in words; empty when unknown.
    device: String,
    /// Where that is; `null`, because Pitlane asks nobody where an address is.
    place: Option<String>,
    user_agent: String,
    address: String,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
    current: bool,
}

impl SignInBody {
    /// A device as its person sees it; `current` is the one that asks.
    pub fn of(sign_in: SignIn, current: Option<SignInId>) -> Self {
        Self {
            id: sign_in.id,
            device: sign_in.device.name(),
            place: None,
            user_agent: sign_in.device.user_agent().to_owned(),
            address: sign_in.device.address().to_owned(),
            created_at: sign_in.created_at,
            last_seen_at: sign_in.last_seen_at,
            expires_at: sign_in.expires_at,
            current: Some(sign_in.id) == current,
        }
    }
}

async fn sign_ins(person: SignedIn, app: App, paging: Query<Paging>) -> ApiResult<HttpResponse> {
    let (limit, before) = (paging.limit(), paging.cursor()?);
    let current = person.0.sign_in();
    let body = |sign_in| SignInBody::of(sign_in, current);
    let all = sign_in::list(&app, person.id()).await?;
    Ok(HttpResponse::Ok().json(List::newest(all, before, limit, |sign_in| sign_in.id, body)))
}

async fn end_sign_in(
    person: SignedIn,
    id: Path<SignInId>,
    app: App,
    _body: NoBody,
) -> ApiResult<HttpResponse> {
    person.sign_in()?;
    if !sign_in::end(&app, person.id(), *id).await? {
        return Err(Problem::not_found());
    }
    Ok(HttpResponse::NoContent().finish())
}

async fn end_other_sign_ins(person: SignedIn, app: App, _body: NoBody) -> ApiResult<HttpResponse> {
    let keep = person.sign_in()?;
    sign_in::end_others(&app, person.id(), keep).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// An API token.
#[derive(Serialize, Deserialize)]
pub struct TokenBody {
    id: ApiTokenId,
    name: String,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    /// Only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<ApiToken> for TokenBody {
    fn from(token: ApiToken) -> Self {
        let ApiToken { id, name, created_at, last_used_at, .. } = token;
        Self { id, name, created_at, last_used_at, token: None }
    }
}

async fn tokens(person: SignedIn, app: App, paging: Query<Paging>) -> ApiResult<HttpResponse> {
    let (limit, before) = (paging.limit(), paging.cursor()?);
    let all = account::tokens(&app, person.id()).await?;
    Ok(HttpResponse::Ok().json(List::newest(all, before, limit, |token| token.id, TokenBody::from)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    name: String,
}

// The answer is kept without the secret, which is made of the token's id when there is a key, and comes with it each time.
async fn make_token(person: SignedIn, app: App, body: Keyed<TokenRequest>) -> ApiResult<HttpResponse> {
    person.sign_in()?;
    let (user, owner, Keyed { value, key }) = (person.id(), person.user().clone(), body);
    let (cx, signing) = (app.context(), app.settings.auth.secret.clone());
    let (id, keyed) = (ApiTokenId::new(cx.id()), key.is_sent());
    let secret = if keyed { mail::api_token(&signing, id) } else { Token::random_api_token(&cx) };
    let made = (id, secret.clone());
    let kept = key
        .once(app, user, move |app| async move {
            let token = account::make_token(&app, &owner, value.name, made).await?;
            Ok(HttpResponse::Created().json(TokenBody::from(token)))
        })
        .await?;
    let (head, body) = kept.into_parts();
    let read = to_bytes(body).await.ok().and_then(|bytes| serde_json::from_slice::<TokenBody>(&bytes).ok());
    let shown = read.ok_or_else(Problem::internal)?;
    let secret = if shown.id == id { secret } else { mail::api_token(&signing, shown.id) };
    let shown = TokenBody { token: Some(secret.expose().to_owned()), ..shown };
    let answer = serde_json::to_string(&shown).map_err(|_| Problem::internal())?;
    Ok(head.set_body(answer).map_into_boxed_body())
}

async fn end_token(
    person: SignedIn,
    id: Path<ApiTokenId>,
    app: App,
    _body: NoBody,
) -> ApiResult<HttpResponse> {
    account::end_token(&app, person.user(), *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DutyRequest {
    on_duty: bool,
}

async fn set_duty(mechanic: AnyMechanic, app: App, body: Body<DutyRequest>) -> ApiResult<HttpResponse> {
    if mechanic.user().role() != Role::Mechanic {
        return Err(Problem::wrong_role());
    }
    let mechanic = mechanics::set_duty(&app, mechanic.id(), body.0.on_duty).await?;
    Ok(HttpResponse::Ok().json(MechanicBody::from(&mechanic)))
}

#[derive(Serialize)]
struct ListedMechanic {
    user: UserBody,
    #[serde(flatten)]
    mechanic: MechanicBody,
}

async fn list_mechanics(_admin: Admin, app: App, paging: Query<Paging>) -> ApiResult<HttpResponse> {
    let limit = paging.limit();
    let listed = mechanics::list(&app, paging.cursor()?, limit + 1).await?;
    let place = |(mechanic, user): &(MechanicAccount, User)| MechanicPlace {
        decided: mechanic.approval().decided_at.is_some(),
        user: user.id(),
    };
    let item = |(mechanic, user): (MechanicAccount, User)| ListedMechanic {
        user: UserBody::from(&user),
        mechanic: MechanicBody::from(&mechanic),
    };
    Ok(HttpResponse::Ok().json(List::of(listed, limit, place, item)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonRequest {
    reason: String,
}

async fn decide(
    (admin, request, app): (Admin, HttpRequest, App),
    mechanic: UserId,
    state: ApprovalState,
    reason: Option<String>,
) -> ApiResult<HttpResponse> {
    let address = address::of(&request, &app);
    let decided = mechanics::decide(&app, mechanic, state, reason, admin.actor(), address).await?;
    Ok(HttpResponse::Ok().json(MechanicBody::from(&decided)))
}

async fn approve(
    admin: Admin,
    id: Path<UserId>,
    request: HttpRequest,
    app: App,
    _body: NoBody,
) -> ApiResult<HttpResponse> {
    decide((admin, request, app), *id, ApprovalState::Approved, None).await
}

async fn refuse(
    admin: Admin,
    id: Path<UserId>,
    request: HttpRequest,
    app: App,
    body: Body<ReasonRequest>,
) -> ApiResult<HttpResponse> {
    decide((admin, request, app), *id, ApprovalState::Refused, Some(body.0.reason)).await
}

async fn suspend(
    admin: Admin,
    id: Path<UserId>,
    request: HttpRequest,
    app: App,
    body: Body<ReasonRequest>,
) -> ApiResult<HttpResponse> {
    decide((admin, request, app), *id, ApprovalState::Suspended, Some(body.0.reason)).await
}
