//! `/mechanic/apply`: the form, the answer to a question, and where the application stands.

use accounts::application::APPLICATION_FILES_MAX;
use accounts::{
    Application, ApplicationKind, ApplicationStatus, ApprovalState, ProviderStore as _, Specialty, StepKind,
    Trade, TypedApplication, User,
};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use intake::Store as _;
use kernel::Role;
use kernel::id::{FileId, UserId};
use serde::Deserialize;
use store::views::staff::Paper;
use url::form_urlencoded;
use web::apply::{ApplyForm, ApplyPage, ApplyView, Fact, PaperLink, SentApplication, SpecialtyChoice};
use web::form::Errors;
use web::frame::Nav;
use web::intake::UploadedFile;

use super::frame::{frame, go, show};
use super::start::faults;
use crate::http::applications::{Dossier, dossier};
use crate::http::auth::AnyMechanic;
use crate::http::{Access, ApiResult, Router, extract};
use crate::state::Pitlane;
use crate::usecases::{Error, applications};

const PAGE: &str = "/mechanic/apply";

/// Adds the page and what its form posts to.
pub fn routes(router: &mut Router) {
    router.get("/mechanic/apply", Access::Mechanic, open);
    router.post("/mechanic/apply", Access::Mechanic, send);
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(rename = "as")]
    kind: Option<String>,
}

/// The newest application of a person with what belongs to it.
///
/// # Errors
/// A failure of the storage.
pub(super) async fn latest(app: &Pitlane, user: &User) -> Result<Option<Dossier>, Error> {
    let Some(application) = applications::mine(app, user.id()).await? else { return Ok(None) };
    app.db.read(move |tx| dossier(tx, application.clone()).map(Some)).await
}

async fn open(person: AnyMechanic, wanted: Query<Wanted>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    if person.user().role() == Role::Workshop {
        return Ok(go("/workshop"));
    }
    let latest = latest(&app, person.user()).await?;
    let approved = is_approved(&app, person.id()).await?;
    let view = match &latest {
        Some(dossier) if dossier.question().is_some() => ApplyView::Form(Box::new(form_of(&app, dossier))),
        Some(dossier) if is_told(&app, &dossier.application) => {
            ApplyView::Sent(Box::new(sent(&app, dossier)))
        }
        // Approved without an application, or after one that was refused: there is nothing to apply for.
        _ if approved => return Ok(go("/mechanic")),
        _ => {
            let workshop = wanted.kind.as_deref() == Some("workshop");
            let refused = latest.as_ref().and_then(Dossier::reason).map(str::to_owned);
            ApplyView::Form(Box::new(ApplyForm { workshop, refused, ..blank(&app, person.user()) }))
        }
    };
    let frame = frame(&app, Some(&person.0), Nav::Home);
    show(&ApplyPage { frame, view, errors: Errors::default() }, StatusCode::OK)
}

async fn is_approved(app: &Pitlane, user: UserId) -> Result<bool, Error> {
    app.db
        .read(move |tx| {
            let mechanic = tx.mechanic_by_user(user)?;
            Ok(mechanic.is_some_and(|mechanic| mechanic.approval().state == ApprovalState::Approved))
        })
        .await
}

/// Whether what was sent is shown, because nothing new may be sent now.
fn is_told(app: &Pitlane, application: &Application) -> bool {
    match application.status() {
        ApplicationStatus::Submitted | ApplicationStatus::AskedAgain | ApplicationStatus::Approved => true,
        ApplicationStatus::Refused => application.reapply_from(app.clock.now()).is_some(),
        ApplicationStatus::Withdrawn => false,
    }
}

fn choices(chosen: &[&str]) -> Vec<SpecialtyChoice> {
    let choice = |one: Specialty| SpecialtyChoice {
        code: one.code().to_owned(),
        label: one.label().to_owned(),
        chosen: chosen.contains(&one.code()),
    };
    Specialty::all().map(choice).collect()
}

fn blank(app: &Pitlane, user: &User) -> ApplyForm {
    ApplyForm {
        name: user.name().to_owned(),
        phone: user.phone().unwrap_or_default().to_owned(),
        specialties: choices(&[]),
        max_files: i64::try_from(APPLICATION_FILES_MAX).unwrap_or(i64::MAX),
        max_file_bytes: i64::try_from(app.settings.files.max_file_bytes).unwrap_or(i64::MAX),
        ..ApplyForm::default()
    }
}

/// The form with what was sent, to be changed.
fn form_of(app: &Pitlane, dossier: &Dossier) -> ApplyForm {
    let details = dossier.application.details();
    let codes: Vec<&str> = details.specialties.iter().map(|one| one.code()).collect();
    let mut form = ApplyForm {
        workshop: dossier.application.kind() == ApplicationKind::Workshop,
        question: dossier.question().map(str::to_owned),
        name: details.name.as_str().to_owned(),
        phone: details.phone.as_str().to_owned(),
        specialties: choices(&codes),
        note: details.note.clone(),
        files: dossier.papers.iter().map(uploaded).collect(),
        max_files: i64::try_from(APPLICATION_FILES_MAX).unwrap_or(i64::MAX),
        max_file_bytes: i64::try_from(app.settings.files.max_file_bytes).unwrap_or(i64::MAX),
        ..ApplyForm::default()
    };
    match &details.trade {
        Trade::Mechanic { years } => form.years = years.to_string(),
        Trade::Workshop { business_name, address, city } => {
            form.business_name = business_name.as_str().to_owned();
            form.address.clone_from(address);
            form.city.clone_from(city);
        }
    }
    form
}

fn uploaded(paper: &Paper) -> UploadedFile {
    UploadedFile { id: paper.id.to_string(), name: paper.name.clone(), bytes: paper.size_bytes }
}

/// What an application says, for people.
pub(super) fn facts(dossier: &Dossier) -> Vec<Fact> {
    let details = dossier.application.details();
    let fact = |label, value: &str| Fact { label, value: value.to_owned() };
    let mut facts = match &details.trade {
        Trade::Mechanic { years } => {
            vec![fact("Name", details.name.as_str()), fact("Years of experience", &years.to_string())]
        }
        Trade::Workshop { business_name, address, city } => vec![
            fact("Workshop", business_name.as_str()),
            fact("Address", &format!("{address}, {city}")),
            fact("Whom to talk to", details.name.as_str()),
        ],
    };
    facts.push(fact("Telephone", details.phone.as_str()));
    let labels: Vec<&str> = details.specialties.iter().map(|one| one.label()).collect();
    facts.push(fact("Specialties", &labels.join(", ")));
    if !details.note.is_empty() {
        facts.push(fact("Anything else", &details.note));
    }
    facts
}

/// Links to the files of an application.
pub(super) fn papers(dossier: &Dossier) -> Vec<PaperLink> {
    let link = |paper: &Paper| PaperLink {
        id: paper.id.to_string(),
        name: paper.name.clone(),
        bytes: paper.size_bytes,
        picture: paper.content_type.starts_with("image/"),
    };
    dossier.papers.iter().map(link).collect()
}

/// The status as pages tell it apart.
pub(super) const fn status(status: ApplicationStatus) -> web::apply::ApplicationStatus {
    match status {
        ApplicationStatus::Submitted => web::apply::ApplicationStatus::Submitted,
        ApplicationStatus::AskedAgain => web::apply::ApplicationStatus::AskedAgain,
        ApplicationStatus::Approved => web::apply::ApplicationStatus::Approved,
        ApplicationStatus::Refused => web::apply::ApplicationStatus::Refused,
        ApplicationStatus::Withdrawn => web::apply::ApplicationStatus::Withdrawn,
    }
}

fn sent(app: &Pitlane, dossier: &Dossier) -> SentApplication {
    SentApplication {
        status: status(dossier.application.status()),
        reason: dossier.words(StepKind::Refused).map(str::to_owned),
        reapply_from: dossier.application.reapply_from(app.clock.now()).map(|at| at.to_string()),
        submitted_at: dossier.application.record().updated_at.to_string(),
        facts: facts(dossier),
        papers: papers(dossier),
    }
}

/// The form as it was typed.
#[derive(Debug, Default)]
struct Typed {
    workshop: bool,
    years: String,
    answer: String,
    files: Vec<String>,
    rest: TypedApplication,
}

impl Typed {
    fn read(body: &[u8]) -> Self {
        let mut typed = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            // Forms send line breaks as two characters.
            let value = value.replace("\r\n", "\n");
            match name.as_ref() {
                "kind" => typed.workshop = value == "workshop",
                "answer" => typed.answer = value,
                "name" => typed.rest.name = value,
                "phone" => typed.rest.phone = value,
                "years_experience" => typed.years = value,
                "business_name" => typed.rest.business_name = value,
                "address" => typed.rest.address = value,
                "city" => typed.rest.city = value,
                "note" => typed.rest.note = value,
                "specialties" => typed.rest.specialties.push(value),
                "file_ids" => typed.files.push(value),
                // Browsers and their extensions add fields of their own.
                _ => {}
            }
        }
        typed
    }

    const fn kind(&self) -> ApplicationKind {
        if self.workshop { ApplicationKind::Workshop } else { ApplicationKind::Mechanic }
    }

    /// Files whose id is none are left out: they are gone, and the others are shown again.
    fn files(&self) -> Vec<FileId> {
        self.files.iter().filter_map(|id| id.parse().ok()).collect()
    }

    fn sent(&self) -> TypedApplication {
        let years = self.years.trim();
        TypedApplication {
            // What is no number lies outside every range and is told as that.
            years: (!years.is_empty()).then(|| years.parse().unwrap_or(-1)),
            files: self.files(),
            ..self.rest.clone()
        }
    }
}

async fn send(
    person: AnyMechanic,
    request: HttpRequest,
    payload: Payload,
    app: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let body = extract::collect(&request, payload.into_inner()).await?;
    let typed = Typed::read(&body);
    let latest = latest(&app, person.user()).await?;
    let question = latest.as_ref().and_then(Dossier::question).map(str::to_owned);
    let outcome = if question.is_some() {
        applications::answer(&app, person.id(), typed.sent(), &typed.answer).await
    } else {
        applications::apply(&app, person.id(), typed.kind(), typed.sent()).await
    };
    let failure = match outcome {
        Ok(_) => return Ok(go(PAGE)),
        Err(failure) => failure,
    };
    let (problem, found) = faults(&failure)?;
    let mut errors = Errors::default();
    if let Some(message) = found.whole() {
        errors.push("", message);
    }
    for fault in found.fields() {
        // A workshop's contact stands in the same field of the page.
        let field = if fault.field == "contact_name" { "name" } else { &fault.field };
        errors.push(field, fault.message.clone());
    }
    let files = files(&app, &person, &typed, latest.as_ref()).await?;
    let chosen: Vec<&str> = typed.rest.specialties.iter().map(String::as_str).collect();
    let TypedApplication { name, phone, business_name, address, city, note, .. } = typed.rest.clone();
    let form = ApplyForm {
        workshop: typed.workshop,
        question,
        answer: typed.answer.clone(),
        name,
        phone,
        years: typed.years.clone(),
        business_name,
        address,
        city,
        specialties: choices(&chosen),
        note,
        files,
        ..blank(&app, person.user())
    };
    let frame = frame(&app, Some(&person.0), Nav::Home);
    show(&ApplyPage { frame, view: ApplyView::Form(Box::new(form)), errors }, problem.status)
}

/// Those of the named files that are still there: uploads that wait, and files of the application itself.
async fn files(
    app: &Pitlane,
    person: &AnyMechanic,
    typed: &Typed,
    latest: Option<&Dossier>,
) -> ApiResult<Vec<UploadedFile>> {
    let (owner, now) = (person.id(), app.clock.now());
    let wanted: Vec<FileId> = typed.files().into_iter().take(2 * APPLICATION_FILES_MAX).collect();
    let own: Vec<Paper> = latest.map(|dossier| dossier.papers.clone()).unwrap_or_default();
    let found = app.db.read(move |tx| {
        let mut found = Vec::new();
        for id in &wanted {
            if let Some(paper) = own.iter().find(|paper| paper.id == *id) {
                found.push(uploaded(paper));
            } else if let Some(upload) = tx.upload_waiting(*id, owner, now)? {
                found.push(UploadedFile {
                    id: upload.id.to_string(),
                    name: upload.name,
                    bytes: i64::try_from(upload.size_bytes).unwrap_or(i64::MAX),
                });
            }
        }
        Ok::<_, Error>(found)
    });
    Ok(found.await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_a_browser_sends_it() {
        let id = FileId::new(uuid::Uuid::from_u128(7));
        let body = format!(
            "kind=mechanic&name=Sam+Okafor&phone=%2B15550100199&years_experience=+12+&specialties=engine\
             &specialties=brakes&note=One%0D%0Atwo&file_ids={id}&file_ids=nonsense&other=1"
        );
        let typed = Typed::read(body.as_bytes());
        let sent = typed.sent();
        assert_eq!(
            (sent.name.as_str(), sent.years, sent.note.as_str()),
            ("Sam Okafor", Some(12), "One\ntwo")
        );
        assert_eq!((sent.specialties.len(), sent.files), (2, vec![id]));
        assert_eq!(typed.kind(), ApplicationKind::Mechanic);
        assert_eq!(Typed::read(b"kind=workshop&years_experience=many").sent().years, Some(-1));
        assert_eq!(Typed::read(b"kind=workshop").kind(), ApplicationKind::Workshop);
        assert_eq!(Typed::read(b"").sent().years, None);
    }
}
