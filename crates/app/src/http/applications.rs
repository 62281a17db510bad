//! Applications: a mechanic's and a workshop's own, and the admins' queue.

use accounts::{
    Application, ApplicationKind, ApplicationStatus, ApplicationStep, ApplicationStore, Specialty, StepKind,
    Trade, TypedApplication, User, UserStore,
};
use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use kernel::id::{ApplicationId, FileId, UserId};
use kernel::{Role, Timestamp};
use serde::{Deserialize, Serialize};
use store::Tx;
use store::views::staff::{self, Paper};

use super::auth::{Admin, AnyMechanic};
use super::idempotency::Keyed;
use super::list::{self, List, Paging};
use super::problem::{ApiResult, FieldError, Problem};
use super::router::{Access, Router};
use super::{Body, NoBody, address};
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::applications::{self, Verdict};
use crate::usecases::note_read::{Read, note_read};

type App = Data<Pitlane>;

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.post("/api/mechanics/apply", Access::Mechanic, apply_as_mechanic);
    router.post("/api/workshops/apply", Access::Mechanic, apply_as_workshop);
    router.get("/api/mechanics/application", Access::Mechanic, mine);
    router.put("/api/mechanics/application", Access::Mechanic, answer);
    router.get("/api/specialties", Access::Public, specialties);
    router.get("/api/admin/applications", Access::Admin, queue);
    router.get("/api/admin/applications/{id}", Access::Admin, one);
    router.post("/api/admin/applications/{id}/approve", Access::Admin, approve);
    router.post("/api/admin/applications/{id}/ask", Access::Admin, ask);
    router.post("/api/admin/applications/{id}/refuse", Access::Admin, refuse);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MechanicRequest {
    name: String,
    phone: String,
    years_experience: i64,
    specialties: Vec<String>,
    #[serde(default)]
    note: String,
    file_ids: Vec<FileId>,
}

impl From<MechanicRequest> for TypedApplication {
    fn from(request: MechanicRequest) -> Self {
        let MechanicRequest { name, phone, years_experience, specialties, note, file_ids } = request;
        Self {
            name,
            phone,
            years: Some(years_experience),
            specialties,
            note,
            files: file_ids,
            ..Self::default()
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkshopRequest {
    business_name: String,
    address: String,
    city: String,
    contact_name: String,
    phone: String,
    specialties: Vec<String>,
    #[serde(default)]
    note: String,
    file_ids: Vec<FileId>,
}

impl From<WorkshopRequest> for TypedApplication {
    fn from(request: WorkshopRequest) -> Self {
        let WorkshopRequest {
            business_name,
            address,
            city,
            contact_name,
            phone,
            specialties,
            note,
            file_ids,
        } = request;
        Self {
            name: contact_name,
            phone,
            years: None,
            business_name,
            address,
            city,
            specialties,
            note,
            files: file_ids,
        }
    }
}

/// The application again, as a mechanic's or a workshop's, and a word about it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerRequest {
    #[serde(default)]
    answer: String,
    name: Option<String>,
    contact_name: Option<String>,
    phone: String,
    years_experience: Option<i64>,
    #[serde(default)]
    business_name: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    city: String,
    specialties: Vec<String>,
    #[serde(default)]
    note: String,
    file_ids: Vec<FileId>,
}

#[derive(Debug, Serialize)]
struct FileBody {
    file_id: FileId,
    name: String,
    content_type: String,
    size_bytes: i64,
    /// Leads to a signed link that expires.
    url: String,
}

impl From<Paper> for FileBody {
    fn from(paper: Paper) -> Self {
        let Paper { id, name, content_type, size_bytes } = paper;
        Self { file_id: id, name, content_type, size_bytes, url: format!("/api/files/{id}") }
    }
}

#[derive(Debug, Serialize)]
struct StepBody {
    kind: &'static str,
    at: Timestamp,
    text: String,
    /// For admins only: an applicant talks to Pitlane, not to a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    by_id: Option<UserId>,
}

/// An application as its person sees it; admins see who did what beside it.
#[derive(Debug, Serialize)]
struct ApplicationBody {
    id: ApplicationId,
    kind: &'static str,
    status: &'static str,
    revision: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_name: Option<String>,
    phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    years_experience: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    business_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    specialties: Vec<&'static str>,
    note: String,
    files: Vec<FileBody>,
    /// What is to be answered, while something is.
    question: Option<String>,
    /// Why it was refused.
    reason: Option<String>,
    /// From when on somebody who was refused may apply again.
    reapply_from: Option<Timestamp>,
    steps: Vec<StepBody>,
    submitted_at: Timestamp,
    updated_at: Timestamp,
    decided_at: Option<Timestamp>,
}

/// An application with what belongs to it.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// The application.
    pub application: Application,
    /// Its files.
    pub papers: Vec<Paper>,
    /// What was said or decided, in order.
    pub steps: Vec<ApplicationStep>,
}

impl Dossier {
    /// The last words of that kind.
    pub fn words(&self, kind: StepKind) -> Option<&str> {
        self.steps.iter().rev().find(|step| step.kind == kind).map(|step| step.text.as_str())
    }

    /// What is to be answered.
    pub fn question(&self) -> Option<&str> {
        self.words(StepKind::Asked).filter(|_| self.application.status() == ApplicationStatus::AskedAgain)
    }

    /// Why it was refused.
    pub fn reason(&self) -> Option<&str> {
        self.words(StepKind::Refused).filter(|_| self.application.status() == ApplicationStatus::Refused)
    }
}

/// What belongs to an application.
///
/// # Errors
/// A failure of the storage.
pub fn dossier(tx: &mut Tx<'_>, application: Application) -> Result<Dossier, Error> {
    let papers = staff::papers(tx, application.id())?;
    let steps = tx.application_steps(application.id())?;
    Ok(Dossier { application, papers, steps })
}

fn body(dossier: Dossier, now: Timestamp, for_admin: bool) -> ApplicationBody {
    let (question, reason) = (dossier.question().map(str::to_owned), dossier.reason().map(str::to_owned));
    let Dossier { application, papers, steps } = dossier;
    let (record, details) = (application.record(), application.details());
    let name = details.name.as_str().to_owned();
    let (own, contact, years, place) = match &details.trade {
        Trade::Mechanic { years } => (Some(name), None, Some(*years), None),
        Trade::Workshop { business_name, address, city } => {
            (None, Some(name), None, Some((business_name.as_str().to_owned(), address.clone(), city.clone())))
        }
    };
    let (business_name, address, city) = match place {
        Some((name, address, city)) => (Some(name), Some(address), Some(city)),
        None => (None, None, None),
    };
    let step = |step: ApplicationStep| StepBody {
        kind: step.kind.as_str(),
        at: step.at,
        text: step.text,
        by_id: for_admin.then_some(step.by),
    };
    ApplicationBody {
        id: record.id,
        kind: application.kind().as_str(),
        status: record.status.as_str(),
        revision: record.revision,
        name: own,
        contact_name: contact,
        phone: details.phone.as_str().to_owned(),
        years_experience: years,
        business_name,
        address,
        city,
        specialties: details.specialties.iter().map(|one| one.code()).collect(),
        note: details.note.clone(),
        files: papers.into_iter().map(FileBody::from).collect(),
        question,
        reason,
        reapply_from: application.reapply_from(now),
        steps: steps.into_iter().map(step).collect(),
        submitted_at: record.submitted_at,
        updated_at: record.updated_at,
        decided_at: record.decided_at,
    }
}

/// Every application of a person as they see it, for them to take along.
///
/// # Errors
/// A failure of the storage.
pub(super) fn of(tx: &mut Tx<'_>, user: UserId, now: Timestamp) -> Result<Vec<impl Serialize>, Error> {
    let all = staff::applications_of(tx, user)?;
    all.into_iter().map(|application| Ok(body(dossier(tx, application)?, now, false))).collect()
}

async fn described(app: &Pitlane, application: Application) -> ApiResult<ApplicationBody> {
    let now = app.clock.now();
    let found = app.db.read(move |tx| dossier(tx, application.clone())).await?;
    Ok(body(found, now, false))
}

async fn apply(
    (person, app): (AnyMechanic, App),
    kind: ApplicationKind,
    sent: Keyed<impl Into<TypedApplication> + 'static>,
) -> ApiResult<HttpResponse> {
    let Keyed { value, key } = sent;
    let user = person.id();
    key.once(app, user, move |app| async move {
        let application = applications::apply(&app, user, kind, value.into()).await?;
        Ok(HttpResponse::Created().json(described(&app, application).await?))
    })
    .await
}

async fn apply_as_mechanic(
    person: AnyMechanic,
    sent: Keyed<MechanicRequest>,
    app: App,
) -> ApiResult<HttpResponse> {
    apply((person, app), ApplicationKind::Mechanic, sent).await
}

async fn apply_as_workshop(
    person: AnyMechanic,
    sent: Keyed<WorkshopRequest>,
    app: App,
) -> ApiResult<HttpResponse> {
    apply((person, app), ApplicationKind::Workshop, sent).await
}

async fn mine(person: AnyMechanic, app: App) -> ApiResult<Json<ApplicationBody>> {
    let application = applications::mine(&app, person.id()).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(described(&app, application).await?))
}

async fn answer(
    person: AnyMechanic,
    sent: Body<AnswerRequest>,
    app: App,
) -> ApiResult<Json<ApplicationBody>> {
    let sent = sent.0;
    let typed = TypedApplication {
        name: sent.contact_name.or(sent.name).unwrap_or_default(),
        phone: sent.phone,
        years: sent.years_experience,
        business_name: sent.business_name,
        address: sent.address,
        city: sent.city,
        specialties: sent.specialties,
        note: sent.note,
        files: sent.file_ids,
    };
    let application = applications::answer(&app, person.id(), typed, &sent.answer).await?;
    Ok(Json(described(&app, application).await?))
}

#[derive(Debug, Serialize)]
struct SpecialtyBody {
    code: &'static str,
    label: &'static str,
}

async fn specialties(paging: Query<Paging>) -> ApiResult<Json<List<SpecialtyBody>>> {
    let body = |one: Specialty| SpecialtyBody { code: one.code(), label: one.label() };
    Ok(Json(List::counted(Specialty::all(), &paging, body)?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QueueQuery {
    status: Option<String>,
    #[serde(default, deserialize_with = "list::number")]
    limit: Option<u64>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct ApplicantBody {
    id: UserId,
    name: String,
    email: String,
    email_verified: bool,
    role: Role,
    account_status: &'static str,
}

impl From<&User> for ApplicantBody {
    fn from(user: &User) -> Self {
        Self {
            id: user.id(),
            name: user.name().to_owned(),
            email: user.email().as_str().to_owned(),
            email_verified: user.email_verified(),
            role: user.role(),
            account_status: user.status().as_str(),
        }
    }
}

#[derive(Debug, Serialize)]
struct QueuedBody {
    id: ApplicationId,
    kind: &'static str,
    status: &'static str,
    revision: u32,
    /// The mechanic or the workshop.
    name: String,
    submitted_at: Timestamp,
    updated_at: Timestamp,
    user: ApplicantBody,
}

/// The mechanic's or the workshop's name.
pub fn title(application: &Application) -> &str {
    match &application.details().trade {
        Trade::Mechanic { .. } => application.details().name.as_str(),
        Trade::Workshop { business_name, .. } => business_name.as_str(),
    }
}

async fn queue(_admin: Admin, query: Query<QueueQuery>, app: App) -> ApiResult<Json<List<QueuedBody>>> {
    let limit = list::limit(query.limit);
    let cursor = list::cursor(query.cursor.as_deref())?;
    let status = query.status.as_deref().map(|name| {
        ApplicationStatus::parse(name).ok_or_else(|| unknown("status", "There is no status of that name."))
    });
    let status = status.transpose()?;
    let read = app
        .db
        .read(move |tx| staff::applications(tx, status, cursor, limit + 1).map_err(Error::from))
        .await?;
    let show = |(application, user): (Application, User)| {
        let record = application.record();
        QueuedBody {
            id: record.id,
            kind: application.kind().as_str(),
            status: record.status.as_str(),
            revision: record.revision,
            name: title(&application).to_owned(),
            submitted_at: record.submitted_at,
            updated_at: record.updated_at,
            user: ApplicantBody::from(&user),
        }
    };
    Ok(Json(List::of(read, limit, |(application, _)| application.id(), show)))
}

/// 422 for a value of a query that is not one of its list.
pub(super) fn unknown(field: &str, message: &str) -> Problem {
    Problem::invalid(vec![FieldError::new(field, "unknown_value", message)])
}

#[derive(Debug, Serialize)]
struct AdminBody {
    #[serde(flatten)]
    application: ApplicationBody,
    user: ApplicantBody,
}

/// An application and its person, for an admin; `None` when there is none.
///
/// # Errors
/// A failure of the storage.
pub fn for_admin(tx: &mut Tx<'_>, id: ApplicationId) -> Result<Option<(Dossier, User)>, Error> {
    let Some(application) = tx.application_by_id(id)? else { return Ok(None) };
    let Some(user) = tx.user_by_id(application.user())? else { return Ok(None) };
    Ok(Some((dossier(tx, application)?, user)))
}

async fn admins(app: &Pitlane, id: ApplicationId) -> ApiResult<Json<AdminBody>> {
    let now = app.clock.now();
    let found = app.db.read(move |tx| for_admin(tx, id)).await?;
    let (dossier, user) = found.ok_or_else(Problem::not_found)?;
    let user = ApplicantBody::from(&user);
    Ok(Json(AdminBody { application: body(dossier, now, true), user }))
}

async fn one(admin: Admin, id: Path<ApplicationId>, app: App) -> ApiResult<Json<AdminBody>> {
    let body = admins(&app, *id).await?;
    note_read(&app, admin.actor(), Read::Application(*id, "application")).await?;
    Ok(body)
}

async fn decide(
    (admin, request, app): (Admin, HttpRequest, App),
    id: ApplicationId,
    verdict: Verdict,
) -> ApiResult<Json<AdminBody>> {
    let address = address::of(&request, &app);
    applications::decide(&app, id, verdict, admin.id(), admin.actor(), address).await?;
    admins(&app, id).await
}

async fn approve(
    admin: Admin,
    id: Path<ApplicationId>,
    request: HttpRequest,
    app: App,
    _: NoBody,
) -> ApiResult<Json<AdminBody>> {
    decide((admin, request, app), *id, Verdict::Approve).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskRequest {
    question: String,
}

async fn ask(
    admin: Admin,
    id: Path<ApplicationId>,
    request: HttpRequest,
    app: App,
    body: Body<AskRequest>,
) -> ApiResult<Json<AdminBody>> {
    decide((admin, request, app), *id, Verdict::Ask(body.0.question)).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefuseRequest {
    reason: String,
}

async fn refuse(
    admin: Admin,
    id: Path<ApplicationId>,
    request: HttpRequest,
    app: App,
    body: Body<RefuseRequest>,
) -> ApiResult<Json<AdminBody>> {
    decide((admin, request, app), *id, Verdict::Refuse(body.0.reason)).await
}
