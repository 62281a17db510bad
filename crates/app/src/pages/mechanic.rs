//! `/mechanic`: the duty switch, the queue and the mechanic's sessions.

use accounts::{ApplicationStatus, ApprovalState, Mechanic, ProviderStore};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use kernel::Role;
use store::views::requests::{RequestView, VehicleView, open_for};
use web::frame::Nav;
use web::mechanic::{Application, Approval, MechanicPage, RequestCard};
use web::plan::PlanCard;

use super::frame::{frame, show};
use super::{apply, rows, workshop};
use crate::http::applications::Dossier;
use crate::http::auth::AnyMechanic;
use crate::http::list::LIMIT_DEFAULT;
use crate::http::{Access, ApiResult, Router};
use crate::state::Pitlane;
use crate::usecases::Error;

/// Sessions beside the queue.
const SESSIONS: u32 = 20;

/// Adds the page.
pub fn routes(router: &mut Router) {
    router.get("/mechanic", Access::Mechanic, show_queue);
}

async fn show_queue(person: AnyMechanic, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
    // The page of who became a workshop while it was open reads itself again here.
    if person.user().role() == Role::Workshop {
        return workshop::page(&app, &person.0).await;
    }
    let viewer = person.id();
    let latest = apply::latest(&app, person.user()).await?;
    let (found, requests) = app
        .db
        .read(move |tx| {
            let found = tx.mechanic_by_user(viewer)?;
            Ok::<_, Error>((found, open_for(tx, viewer, None, LIMIT_DEFAULT)?))
        })
        .await?;
    let (mut views, beside) = rows::mine(&app, viewer, None, SESSIONS).await?;
    views.truncate(usize::try_from(SESSIONS).unwrap_or(usize::MAX));
    let plans = rows::plan_cards(&app);
    let page = MechanicPage {
        frame: frame(&app, Some(&person.0), Nav::Home),
        approval: found.as_ref().map_or(Approval::Pending, approval),
        application: latest.as_ref().map_or(Application::None, |latest| application(&app, latest)),
        on_duty: found.as_ref().is_some_and(Mechanic::on_duty),
        requests: requests.iter().map(|request| card(request, &plans)).collect(),
        plans,
        sessions: views.iter().map(|view| rows::session_row(&app, view, &beside)).collect(),
    };
    show(&page, StatusCode::OK)
}

fn approval(mechanic: &Mechanic) -> Approval {
    let decision = mechanic.approval();
    match decision.state {
        ApprovalState::Pending => Approval::Pending,
        ApprovalState::Approved => Approval::Approved,
        ApprovalState::Refused | ApprovalState::Suspended => {
            Approval::Refused(decision.reason.clone().unwrap_or_default())
        }
    }
}

fn application(app: &Pitlane, latest: &Dossier) -> Application {
    match latest.application.status() {
        ApplicationStatus::Submitted => Application::Submitted,
        ApplicationStatus::AskedAgain => Application::Asked(latest.question().unwrap_or_default().to_owned()),
        ApplicationStatus::Refused => Application::Refused {
            reason: latest.reason().unwrap_or_default().to_owned(),
            from: latest.application.reapply_from(app.clock.now()).map(|at| at.to_string()),
        },
        ApplicationStatus::Approved | ApplicationStatus::Withdrawn => Application::None,
    }
}

fn card(request: &RequestView, plans: &[PlanCard]) -> RequestCard {
    let plan = plans.iter().find(|plan| plan.code == request.plan.as_str());
    RequestCard {
        id: request.id.to_string(),
        customer_name: request.customer_name.clone(),
        plan_name: plan.map_or_else(|| request.plan.to_string(), |plan| plan.name.clone()),
        duration_minutes: plan.map_or(0, |plan| plan.duration_minutes),
        vehicle: request.vehicle.as_ref().map(VehicleView::title).unwrap_or_default(),
        concern: request.concern.clone(),
        priority: request.priority,
        expires_at: Some(request.expires_at.to_string()),
    }
}
