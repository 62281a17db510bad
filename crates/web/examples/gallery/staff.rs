//! Applications, workshops and people, in their states.

use web::applications::{ApplicationPage, ApplicationRow, ApplicationsPage, StepRow};
use web::apply::{
    ApplicationStatus, ApplyForm, ApplyPage, ApplyView, Fact, PaperLink, SentApplication, SpecialtyChoice,
};
use web::form::Errors;
use web::frame::{Nav, Role};
use web::intake::UploadedFile;
use web::jobs::{JobFilter, JobRow, JobsPage};
use web::mail::{
    AccountRestored, AccountSuspended, ApplicationApproved, ApplicationArrived, ApplicationAsked,
    ApplicationReceived, ApplicationRefused, ApprovalEnded, Mail, Message, Sender, WorkshopInvitation,
};
use web::mechanic::{Application, Approval, MechanicPage};
use web::people::{MailStop, OpenSessionRow, PeoplePage, PeopleQuery, PersonPage, PersonRow};
use web::session::SessionStatus;
use web::workshop::{InvitationRow, JoinPage, JoinState, Member, WorkshopPage};

use super::{DANA, HOSTILE, Rendered, SESSION, add, frame};

const AT: &str = "2026-11-20T14:25:00Z";

/// Every page of this kind.
pub fn pages(out: &mut Rendered) -> Result<(), web::Error> {
    applying(out)?;
    queues(out)?;
    queue(out)?;
    people(out)?;
    jobs(out)?;
    workshop(out)
}

fn jobs(out: &mut Rendered) -> Result<(), web::Error> {
    let row = |kind, reason: Option<&str>| JobRow {
        id: SESSION.to_owned(),
        kind,
        attempts: 12,
        max_attempts: 12,
        due_at: AT.to_owned(),
        reason: reason.map(ToOwned::to_owned),
    };
    let rows = vec![row("mail_batch", Some(HOSTILE)), row("refund", None)];
    for (name, role, shown, rows) in [
        ("jobs", Role::Admin, JobFilter::Dead, rows.clone()),
        ("jobs-none", Role::Admin, JobFilter::Dead, Vec::new()),
        ("jobs-queued", Role::Admin, JobFilter::Queued, rows.clone()),
        ("jobs-running", Role::Admin, JobFilter::Running, Vec::new()),
        ("jobs-done", Role::Admin, JobFilter::Done, rows.clone()),
        ("jobs-support", Role::Support, JobFilter::Dead, rows),
    ] {
        let (frame, next_cursor) =
            (frame(Some(role), Nav::Jobs), (!rows.is_empty()).then(|| "abc".to_owned()));
        let page = JobsPage { frame, shown, dead: 2, queued: 14, running: 1, rows, next_cursor };
        add(out, name, &page)?;
    }
    Ok(())
}

fn form(workshop: bool) -> ApplyForm {
    ApplyForm {
        workshop,
        name: "Dana Kowalski".to_owned(),
        years: "12".to_owned(),
        note: HOSTILE.to_owned(),
        specialties: ["Engine", "Brakes"]
            .map(|label| SpecialtyChoice {
                code: label.to_lowercase(),
                label: label.to_owned(),
                chosen: label == "Engine",
            })
            .to_vec(),
        files: vec![UploadedFile {
            id: SESSION.to_owned(),
            name: "certificate.pdf".to_owned(),
            bytes: 48_000,
        }],
        max_files: 10,
        max_file_bytes: 25_000_000,
        ..ApplyForm::default()
    }
}

fn papers() -> Vec<PaperLink> {
    vec![PaperLink { id: SESSION.to_owned(), name: HOSTILE.to_owned(), bytes: 2_150_000, picture: false }]
}

fn facts() -> Vec<Fact> {
    vec![
        Fact { label: "Name", value: "Dana Kowalski".to_owned() },
        Fact { label: "Anything else", value: HOSTILE.to_owned() },
    ]
}

fn applying(out: &mut Rendered) -> Result<(), web::Error> {
    let mut wrong = Errors::one("phone", HOSTILE);
    wrong.push("file_ids", "Add at least one licence or certificate.");
    let asked = ApplyForm { question: Some(HOSTILE.to_owned()), ..form(false) };
    let again = ApplyForm { refused: Some(HOSTILE.to_owned()), ..form(false) };
    for (name, form, errors) in [
        ("apply", form(false), Errors::default()),
        ("apply-workshop", form(true), Errors::default()),
        ("apply-wrong", form(true), wrong),
        ("apply-asked", asked, Errors::default()),
        ("apply-again", again, Errors::default()),
    ] {
        let view = ApplyView::Form(Box::new(form));
        add(out, name, &ApplyPage { frame: frame(Some(Role::Mechanic), Nav::Home), view, errors })?;
    }
    for status in ApplicationStatus::ALL {
        let refused = status == ApplicationStatus::Refused;
        let sent = SentApplication {
            status,
            reason: refused.then(|| HOSTILE.to_owned()),
            reapply_from: refused.then(|| AT.to_owned()),
            submitted_at: AT.to_owned(),
            facts: facts(),
            papers: papers(),
        };
        let page = ApplyPage {
            frame: frame(Some(Role::Mechanic), Nav::Home),
            view: ApplyView::Sent(Box::new(sent)),
            errors: Errors::default(),
        };
        add(out, &format!("apply-{}", status.code()), &page)?;
    }
    Ok(())
}

fn queues(out: &mut Rendered) -> Result<(), web::Error> {
    let refused = |from: Option<&str>| Application::Refused {
        reason: HOSTILE.to_owned(),
        from: from.map(ToOwned::to_owned),
    };
    for (name, application) in [
        ("mechanic-applied", Application::Submitted),
        ("mechanic-asked", Application::Asked(HOSTILE.to_owned())),
        ("mechanic-refused-now", refused(Some(AT))),
        ("mechanic-refused-once", refused(None)),
    ] {
        let page = MechanicPage {
            frame: frame(Some(Role::Mechanic), Nav::Home),
            approval: Approval::Pending,
            application,
            on_duty: false,
            requests: Vec::new(),
            plans: Vec::new(),
            sessions: Vec::new(),
        };
        add(out, name, &page)?;
    }
    Ok(())
}

fn row(status: ApplicationStatus) -> ApplicationRow {
    ApplicationRow {
        id: SESSION.to_owned(),
        name: HOSTILE.to_owned(),
        workshop: true,
        email: "riverside@example.com".to_owned(),
        status,
        revision: 2,
        submitted_at: AT.to_owned(),
    }
}

fn queue(out: &mut Rendered) -> Result<(), web::Error> {
    let rows: Vec<ApplicationRow> = ApplicationStatus::ALL.map(row).to_vec();
    for (name, status, waiting, rows) in [
        ("applications", None, 5, rows),
        ("applications-empty", None, 0, Vec::new()),
        ("applications-none", Some(ApplicationStatus::Refused), 1, Vec::new()),
    ] {
        let next_cursor = (!rows.is_empty()).then(|| "abc".to_owned());
        let frame = frame(Some(Role::Admin), Nav::Applications);
        add(out, name, &ApplicationsPage { frame, status, waiting, rows, next_cursor })?;
    }
    for status in ApplicationStatus::ALL {
        let steps = ["submitted", "asked", "answered", "approved", "refused", "withdrawn"]
            .map(|kind| StepRow {
                kind: kind.to_owned(),
                at: AT.to_owned(),
                admin: (kind == "asked").then(|| "Robin Adeyemi".to_owned()),
                text: HOSTILE.to_owned(),
            })
            .to_vec();
        let page = ApplicationPage {
            frame: frame(Some(Role::Admin), Nav::Applications),
            row: row(status),
            user_id: DANA.to_owned(),
            email_verified: status == ApplicationStatus::Approved,
            facts: facts(),
            papers: papers(),
            steps,
        };
        add(out, &format!("application-{}", status.code()), &page)?;
    }
    Ok(())
}

fn people(out: &mut Rendered) -> Result<(), web::Error> {
    let person = |status: &str, role: &str| PersonRow {
        id: DANA.to_owned(),
        name: HOSTILE.to_owned(),
        email: "dana@example.com".to_owned(),
        role: role.to_owned(),
        status: status.to_owned(),
        created_at: AT.to_owned(),
    };
    let rows = vec![person("active", "mechanic"), person("suspended", "admin"), person("erased", "customer")];
    let query =
        PeopleQuery { search: HOSTILE.to_owned(), role: "mechanic".to_owned(), status: "active".to_owned() };
    for (name, query, rows) in
        [("people", PeopleQuery::default(), rows.clone()), ("people-none", query, Vec::new())]
    {
        let next_cursor = (!rows.is_empty()).then(|| "abc".to_owned());
        add(
            out,
            name,
            &PeoplePage { frame: frame(Some(Role::Admin), Nav::People), query, rows, next_cursor },
        )?;
    }
    for (name, row) in [("person", &rows[0]), ("person-suspended", &rows[1]), ("person-erased", &rows[2])] {
        let page = PersonPage {
            frame: frame(Some(Role::Admin), Nav::People),
            row: row.clone(),
            email_verified: name == "person",
            phone: Some("+15550100199".to_owned()),
            approval: Some("approved".to_owned()),
            on_duty: name == "person",
            application: Some(SESSION.to_owned()),
            session_count: 7,
            open: vec![OpenSessionRow {
                id: SESSION.to_owned(),
                status: SessionStatus::Accepted,
                as_mechanic: true,
            }],
            suspension: (name == "person-suspended").then(|| (HOSTILE.to_owned(), AT.to_owned())),
            stopped_mail: (name != "person")
                .then(|| MailStop { complained: name == "person-erased", at: AT.to_owned() }),
            own: false,
        };
        add(out, name, &page)?;
    }
    let own = PersonPage { row: rows[0].clone(), own: true, ..PersonPage::default() };
    add(out, "person-own", &PersonPage { frame: frame(Some(Role::Admin), Nav::People), ..own })
}

fn workshop(out: &mut Rendered) -> Result<(), web::Error> {
    let member = |on_duty, trouble: Option<&str>| Member {
        id: DANA.to_owned(),
        name: HOSTILE.to_owned(),
        email: "dana@example.com".to_owned(),
        on_duty,
        trouble: trouble.map(ToOwned::to_owned),
    };
    let page = WorkshopPage {
        frame: frame(Some(Role::Workshop), Nav::Home),
        name: "Riverside Garage".to_owned(),
        members: vec![member(true, None), member(false, None), member(false, Some("Suspended"))],
        invitations: vec![InvitationRow {
            id: SESSION.to_owned(),
            email: "tom@example.com".to_owned(),
            expires_at: AT.to_owned(),
        }],
    };
    add(out, "workshop", &page)?;
    let empty = WorkshopPage { members: Vec::new(), invitations: Vec::new(), ..page };
    add(out, "workshop-empty", &empty)?;
    let (workshop, email) = ("Riverside Garage".to_owned(), "tom@example.com".to_owned());
    let sign_in = |other| JoinState::SignIn { workshop: workshop.clone(), email: email.clone(), other };
    for (name, state) in [
        ("join-over", JoinState::Over),
        ("join-ready", JoinState::Ready { workshop: HOSTILE.to_owned() }),
        ("join-sign-in", sign_in(false)),
        ("join-other", sign_in(true)),
        ("join-register", JoinState::Register { workshop: workshop.clone(), email: email.clone() }),
    ] {
        let page = JoinPage {
            frame: frame(None, Nav::None),
            token: "abc".to_owned(),
            state,
            name: HOSTILE.to_owned(),
            errors: Errors::one("name", HOSTILE),
        };
        add(out, name, &page)?;
    }
    Ok(())
}

/// Every mail of this kind.
pub fn mails() -> Result<Vec<(&'static str, Mail)>, web::Error> {
    let base = "http://localhost:8080";
    let sender = || Sender {
        public_url: base.to_owned(),
        support_address: "help@pitlane.example".to_owned(),
        time_zone: "America/Chicago".to_owned(),
        unsubscribe_url: None,
    };
    let name = || "Dana Kowalski".to_owned();
    let workshop = || "Riverside Garage".to_owned();
    let received = ApplicationReceived {
        sender: sender(),
        name: name(),
        workshop: None,
        url: format!("{base}/mechanic/apply"),
    };
    let arrived = ApplicationArrived {
        sender: sender(),
        applicant: workshop(),
        is_answer: false,
        url: format!("{base}/admin/applications/{SESSION}"),
    };
    let approved = ApplicationApproved {
        sender: sender(),
        name: name(),
        workshop: None,
        url: format!("{base}/mechanic"),
    };
    let asked = ApplicationAsked {
        sender: sender(),
        name: name(),
        question: "The second page of the certificate is missing.\nCan you send it?".to_owned(),
        url: format!("{base}/mechanic/apply"),
    };
    let refused = ApplicationRefused {
        sender: sender(),
        name: name(),
        reason: "The licence has run out.".to_owned(),
        reapply_from: "2026-12-20T14:25:00Z".to_owned(),
    };
    let invitation = WorkshopInvitation {
        sender: sender(),
        workshop: workshop(),
        url: format!("{base}/workshop/join/abc"),
        valid_days: 7,
    };
    let suspended = AccountSuspended {
        sender: sender(),
        name: name(),
        reason: "Three customers waited and nobody came.".to_owned(),
    };
    let restored = AccountRestored { sender: sender(), name: name(), url: format!("{base}/start") };
    let ended = ApprovalEnded {
        sender: sender(),
        name: name(),
        suspended: true,
        reason: "Three customers waited and nobody came.".to_owned(),
    };
    Ok(vec![
        ("application_received", received.compose()?),
        ("application_arrived", arrived.compose()?),
        ("application_approved", approved.compose()?),
        ("application_asked", asked.compose()?),
        ("application_refused", refused.compose()?),
        ("workshop_invitation", invitation.compose()?),
        ("account_suspended", suspended.compose()?),
        ("account_restored", restored.compose()?),
        ("approval_ended", ended.compose()?),
    ])
}
