//! `/mechanic`: the duty switch, the queue and the mechanic's sessions.
//!
//! `request-queue` listens on `mechanic:{id}` and reads `GET /api/requests` after each frame and each reconnect.
//! `duty-switch` puts `/api/mechanics/me/duty`.

use askama::Template;

use crate::frame::Frame;
use crate::plan::PlanCard;
use crate::session::SessionRow;

/// The mechanic's first page.
#[derive(Debug, Template)]
#[template(path = "mechanic.html")]
pub struct MechanicPage {
    /// What surrounds the page; the viewer is the mechanic.
    pub frame: Frame,
    /// Whether the mechanic may take requests.
    pub approval: Approval,
    /// Where the mechanic's application stands.
    pub application: Application,
    /// Whether the mechanic is on duty.
    pub on_duty: bool,
    /// The open offers, oldest first; empty unless approved and on duty.
    pub requests: Vec<RequestCard>,
    /// Every plan, to name those of requests that arrive later.
    pub plans: Vec<PlanCard>,
    /// The mechanic's sessions, newest first.
    pub sessions: Vec<SessionRow>,
}

/// What an admin has said about a mechanic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Approval {
    /// Nothing yet.
    #[default]
    Pending,
    /// Yes.
    Approved,
    /// No, and why.
    Refused(String),
}

/// Where a mechanic's application stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Application {
    /// There is none, or it was taken back.
    #[default]
    None,
    /// Somebody at Pitlane has to look at it.
    Submitted,
    /// The mechanic has to answer this.
    Asked(String),
    /// It was refused for this reason.
    Refused {
        /// Why.
        reason: String,
        /// RFC 3339: from when on they may apply again; `None` when that is now.
        from: Option<String>,
    },
}

impl MechanicPage {
    /// What `request-queue` copies for a request that arrives later.
    pub(crate) fn blank_request(&self) -> RequestCard {
        RequestCard::default()
    }
}

impl Approval {
    pub(crate) fn is_approved(&self) -> bool {
        *self == Self::Approved
    }

    /// Why it was refused.
    pub(crate) fn refusal(&self) -> Option<&str> {
        match self {
            Self::Refused(reason) => Some(reason),
            Self::Pending | Self::Approved => None,
        }
    }
}

/// One open offer.
#[derive(Clone, Debug, Default)]
pub struct RequestCard {
    /// The request's id.
    pub id: String,
    /// The customer's name as mechanics may see it.
    pub customer_name: String,
    /// The plan's name.
    pub plan_name: String,
    /// How long the session lasts.
    pub duration_minutes: i64,
    /// Year, make and model.
    pub vehicle: String,
    /// The problem in the customer's words.
    pub concern: String,
    /// Whether this mechanic was asked first.
    pub priority: bool,
    /// RFC 3339: until when the offer stands.
    pub expires_at: Option<String>,
}
