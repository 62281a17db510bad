//! The customer's journey, as far as it is told.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use crm::{Interaction, Metadata, Store};
use kernel::id::{InteractionId, SessionId, UserId};
use kernel::{Role, Timestamp};
use serde::{Deserialize, Serialize};

use super::auth::SignedIn;
use super::list::{self, List};
use super::{Access, ApiResult, Problem, Router};
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::note_read::{Read, note_read};

/// Adds the routes.
pub fn routes(router: &mut Router) {
    router.get("/api/crm/interactions", Access::SignedIn, interactions);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    customer_id: Option<UserId>,
    #[serde(default, deserialize_with = "list::number")]
    limit: Option<u64>,
    cursor: Option<String>,
}

/// A step of a customer's journey.
#[derive(Serialize)]
pub struct InteractionBody {
    id: InteractionId,
    customer_id: UserId,
    interaction_type: &'static str,
    session_id: Option<SessionId>,
    metadata: Metadata,
    created_at: Timestamp,
}

impl From<Interaction> for InteractionBody {
    fn from(step: Interaction) -> Self {
        Self {
            id: step.id,
            customer_id: step.customer,
            interaction_type: step.kind.as_str(),
            session_id: step.session,
            metadata: step.metadata,
            created_at: step.created_at,
        }
    }
}

async fn interactions(
    person: SignedIn,
    query: Query<Wanted>,
    pitlane: Data<Pitlane>,
) -> ApiResult<HttpResponse> {
    let customer = query.customer_id.unwrap_or_else(|| person.id());
    // Whose journey this is stays as unknown to others as the person.
    if customer != person.id() && person.user().role() != Role::Admin {
        return Err(Problem::not_found());
    }
    if customer != person.id() {
        note_read(&pitlane, person.actor(), Read::Journey(customer)).await?;
    }
    let (limit, before) = (list::limit(query.limit), list::cursor(query.cursor.as_deref())?);
    let read = pitlane
        .db
        .read(move |tx| tx.interactions_by_customer(customer, before, limit + 1).map_err(Error::from))
        .await?;
    Ok(HttpResponse::Ok().json(List::of(read, limit, |step| step.id, InteractionBody::from)))
}
