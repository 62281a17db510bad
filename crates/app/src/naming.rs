//! What orders and sessions are called, on pages and in mails.

use payments::OrderKind;
use store::views::session::SessionView;
use web::plan::{EXTENSION, UPGRADE, upgraded};

/// What an order bought, as a line of a receipt; a session is told by `plan`, the name of its plan.
pub const fn bought(kind: OrderKind, plan: &str) -> &str {
    match kind {
        OrderKind::Session => plan,
        OrderKind::Upgrade => UPGRADE,
        OrderKind::Extension => EXTENSION,
    }
}

/// What a session is now: the plan of this name that was bought, and that it has become video.
pub fn plan_now(view: &SessionView, plan: String) -> String {
    if view.upgraded_at.is_some() { upgraded(&plan) } else { plan }
}
