//! `/start`: sign in, register, ask for links; and signing out.

use accounts::register::TypedRegistration;
use accounts::sign_in::Opened;
use accounts::{Error as AccountsError, Purpose, ReturnPath, TimeZone, Token};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use web::auth::{CheckMailPage, CodePage, MailPurpose};
use web::form::Errors;
use web::frame::Nav;
use web::plan::PlanCard;
use web::start::{Mode, StartForm, StartPage};

use super::frame::{frame, go, role, show};
use super::plans;
use crate::http::auth::{self, Visitor};
use crate::http::error;
use crate::http::{Access, ApiResult, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::sign_in::Entry;
use crate::usecases::{self, links, register, sign_in};

type App = Data<Pitlane>;

/// Adds the page and what its forms post to.
pub fn routes(router: &mut Router) {
    router.get_or_head("/start", Access::Public, start);
    router.post("/start/login", Access::Public, log_in);
    router.post("/start/code", Access::Public, give_code);
    router.post("/start/register", Access::Public, sign_up);
    router.post("/start/magic-link", Access::Public, magic_link);
    router.post("/start/forgot", Access::Public, forgot);
    router.post("/start/logout", Access::Public, log_out);
    // A page that answers a form has the form's address: who loads it again, or goes back to it, begins anew.
    router.get("/start/login", Access::Public, begin_anew);
    router.get("/start/code", Access::Public, begin_anew);
    router.get("/start/register", Access::Public, begin_anew);
    router.get("/start/magic-link", Access::Public, begin_anew);
    router.get("/start/forgot", Access::Public, begin_anew);
}

async fn begin_anew(request: HttpRequest) -> HttpResponse {
    match request.path() {
        "/start/register" => go("/start?mode=register"),
        "/start/magic-link" => go("/start?mode=magic-link"),
        "/start/forgot" => go("/start?mode=forgot"),
        _ => go("/start"),
    }
}

/// A path that was asked for and is safe; anything else is forgotten.
fn safe(redirect: Option<&str>) -> Option<ReturnPath> {
    redirect.filter(|path| !path.is_empty()).and_then(|path| ReturnPath::parse(path).ok())
}

#[derive(Deserialize)]
struct StartQuery {
    mode: Option<String>,
    redirect: Option<String>,
    role: Option<String>,
}

async fn start(visitor: Visitor, app: App, query: Query<StartQuery>) -> ApiResult<HttpResponse> {
    let redirect = safe(query.redirect.as_deref());
    if let Some(person) = &visitor.0 {
        let home = role(person.user.role()).home();
        return Ok(go(redirect.as_ref().map_or(home, ReturnPath::as_str)));
    }
    let mode = query.mode.as_deref().map(Mode::from_code).unwrap_or_default();
    // The link "Work as a mechanic" has answered the form's first question.
    let form = StartForm { is_mechanic: query.role.as_deref() == Some("mechanic"), ..StartForm::default() };
    show(&page(&app, mode, redirect, form, Errors::default()), StatusCode::OK)
}

fn page(
    app: &Pitlane,
    mode: Mode,
    redirect: Option<ReturnPath>,
    form: StartForm,
    errors: Errors,
) -> StartPage {
    let redirect = redirect.map(|path| path.as_str().to_owned());
    let waiting = redirect.as_deref().and_then(|path| waiting(app, path));
    StartPage { frame: frame(app, None, Nav::None), mode, redirect, form, errors, waiting }
}

/// The plan of an intake that goes on after signing in.
fn waiting(app: &Pitlane, path: &str) -> Option<PlanCard> {
    let query = path.strip_prefix("/intake?")?;
    let plan = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "plan")?.1;
    app.catalog.active().plan(app.catalog.resolve(&plan)?).map(plans::card)
}

/// The problem of a form beside its fields; a problem that is not the person's is passed on.
pub(super) fn faults(failure: &usecases::Error) -> Result<(Problem, Errors), Problem> {
    let problem = error::problem(failure);
    if problem.status.is_server_error() {
        return Err(problem);
    }
    let mut errors = Errors::default();
    for error in &problem.errors {
        errors.push(error.field.clone(), error.message.clone());
    }
    if problem.errors.is_empty() {
        errors.push("", problem.detail.clone());
    }
    Ok((problem, errors))
}

/// The page again, with what was typed and what was wrong with it.
fn again(
    app: &Pitlane,
    mode: Mode,
    redirect: Option<ReturnPath>,
    form: StartForm,
    failure: &usecases::Error,
) -> ApiResult<HttpResponse> {
    let (problem, errors) = faults(failure)?;
    let mut response = show(&page(app, mode, redirect, form, errors), problem.status)?;
    if let Some(seconds) = problem.retry_after_seconds {
        response.headers_mut().insert(actix_web::http::header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

/// On to where the person wanted to go, with the cookie.
pub(super) fn enter(app: &Pitlane, opened: &Opened, redirect: Option<&ReturnPath>) -> HttpResponse {
    let home = role(opened.user.role()).home();
    let mut response = go(redirect.map_or(home, ReturnPath::as_str));
    // A cookie of ours always has a name and a value that fit into a header.
    if let Err(error) = response.add_cookie(&auth::cookie(&opened.token, app)) {
        tracing::error!(%error, "the cookie could not be set");
    }
    response
}

#[derive(Deserialize)]
struct LogInForm {
    email: String,
    password: String,
    redirect: Option<String>,
}

async fn log_in(request: HttpRequest, app: App, form: Form<LogInForm>) -> ApiResult<HttpResponse> {
    auth::require_same_origin(&request, &app)?;
    let LogInForm { email, password, redirect } = form.into_inner();
    let redirect = safe(redirect.as_deref());
    let typed = sign_in::Typed { email: email.clone(), password, code: None, return_path: redirect.clone() };
    match sign_in::by_password(&app, typed, auth::device(&request, &app)).await {
        Ok(Entry::In(opened)) => Ok(enter(&app, &opened, redirect.as_ref())),
        Ok(Entry::CodeWanted(ticket)) => ask_code(&app, &ticket),
        Err(failure) => {
            let typed = StartForm { email, ..StartForm::default() };
            again(&app, Mode::SignIn, redirect, typed, &failure)
        }
    }
}

/// The second step of a sign-in.
pub(super) fn ask_code(app: &Pitlane, ticket: &Token) -> ApiResult<HttpResponse> {
    let (frame, ticket) = (frame(app, None, Nav::None), ticket.expose().to_owned());
    show(&CodePage { frame, ticket, errors: Errors::default() }, StatusCode::OK)
}

#[derive(Deserialize)]
struct CodeForm {
    ticket: String,
    code: String,
}

async fn give_code(request: HttpRequest, app: App, form: Form<CodeForm>) -> ApiResult<HttpResponse> {
    auth::require_same_origin(&request, &app)?;
    let CodeForm { ticket, code } = form.into_inner();
    match sign_in::by_code(&app, &ticket, code, auth::device(&request, &app)).await {
        Ok((opened, path)) => Ok(enter(&app, &opened, path.as_ref())),
        Err(usecases::Error::Accounts(AccountsError::InvalidToken)) => Ok(go("/start")),
        Err(failure) => {
            let (problem, errors) = faults(&failure)?;
            let frame = frame(&app, None, Nav::None);
            show(&CodePage { frame, ticket, errors }, problem.status)
        }
    }
}

#[derive(Deserialize)]
struct SignUpForm {
    name: String,
    email: String,
    password: String,
    role: Option<String>,
    time_zone: Option<String>,
    redirect: Option<String>,
}

async fn sign_up(request: HttpRequest, app: App, form: Form<SignUpForm>) -> ApiResult<HttpResponse> {
    auth::require_same_origin(&request, &app)?;
    let SignUpForm { name, email, password, role, time_zone, redirect } = form.into_inner();
    let role = role.unwrap_or_else(|| "customer".to_owned());
    let shown = StartForm { email: email.clone(), name: name.clone(), is_mechanic: role == "mechanic" };
    let redirect = safe(redirect.as_deref());
    // Nobody types it: a browser may know a zone that is newer than ours, and that must not keep a person out.
    let time_zone = time_zone.filter(|zone| TimeZone::parse(zone).is_ok());
    let typed = TypedRegistration { email, password, name, role, time_zone };
    match register::register(&app, typed, auth::device(&request, &app)).await {
        Ok(opened) => Ok(enter(&app, &opened, redirect.as_ref())),
        Err(failure) => again(&app, Mode::Register, redirect, shown, &failure),
    }
}

#[derive(Deserialize)]
struct LinkForm {
    email: String,
    redirect: Option<String>,
}

async fn magic_link(request: HttpRequest, app: App, form: Form<LinkForm>) -> ApiResult<HttpResponse> {
    mail_link(&request, &app, form.into_inner(), Purpose::MagicLink).await
}

async fn forgot(request: HttpRequest, app: App, form: Form<LinkForm>) -> ApiResult<HttpResponse> {
    mail_link(&request, &app, form.into_inner(), Purpose::PasswordReset).await
}

async fn mail_link(
    request: &HttpRequest,
    app: &Pitlane,
    form: LinkForm,
    wanted: Purpose,
) -> ApiResult<HttpResponse> {
    auth::require_same_origin(request, app)?;
    let (mode, purpose) = match wanted {
        Purpose::PasswordReset => (Mode::Forgot, MailPurpose::PasswordReset),
        Purpose::MagicLink
        | Purpose::VerifyEmail
        | Purpose::ChangeEmail
        | Purpose::SecondFactor
        | Purpose::FormerEmail => (Mode::MagicLink, MailPurpose::SignIn),
    };
    let (email, redirect) = (form.email, safe(form.redirect.as_deref()));
    let path = redirect.as_ref().map(ReturnPath::as_str);
    match links::request(app, wanted, &email, path, &auth::device(request, app)).await {
        Ok(()) => {
            let frame = frame(app, None, Nav::None);
            let page = CheckMailPage { frame, email, purpose, valid_minutes: wanted.ttl_seconds() / 60 };
            show(&page, StatusCode::OK)
        }
        Err(failure) => {
            let typed = StartForm { email, ..StartForm::default() };
            again(app, mode, redirect, typed, &failure)
        }
    }
}

async fn log_out(visitor: Visitor, app: App) -> ApiResult<HttpResponse> {
    if let Some((user, id)) = visitor.0.as_ref().and_then(|person| Some((person.id(), person.sign_in()?))) {
        sign_in::end(&app, user, id).await?;
    }
    let mut response = go("/");
    if let Err(error) = response.add_cookie(&auth::no_cookie(&app)) {
        tracing::error!(%error, "the cookie could not be removed");
    }
    Ok(response)
}
