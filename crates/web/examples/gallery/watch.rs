//! What needs a person's eye: on the board, and in mails.

use web::alert::{Attention, Finding};
use web::mail::{DisputeOpened, Mail, Message, Sender, StartNudge, SupportAlert};

use super::{HOSTILE, SESSION, usd};

const AT: &str = "2026-11-20T14:25:00Z";
const BASE: &str = "http://localhost:8080";

fn dispute(customer: &str) -> Finding {
    Finding::Dispute {
        id: SESSION.to_owned(),
        customer: customer.to_owned(),
        amount: usd(2999),
        reason: "product_not_received".to_owned(),
        due_at: Some("2026-11-29T23:59:59Z".to_owned()),
    }
}

/// One line of each kind.
pub(super) fn attention() -> Vec<Attention> {
    let findings = [
        Finding::Away {
            name: HOSTILE.to_owned(),
            is_customer: true,
            other: Some("Dana Kowalski".to_owned()),
        },
        Finding::Away { name: "Dana Kowalski".to_owned(), is_customer: false, other: None },
        Finding::NoVideo { customer: HOSTILE.to_owned(), mechanic: "Dana Kowalski".to_owned() },
        Finding::RefundFailed { customer: HOSTILE.to_owned(), amount: usd(999) },
        Finding::JobDead { kind: "refund".to_owned() },
        dispute(HOSTILE),
    ];
    let line = |finding: Finding| Attention {
        id: SESSION.to_owned(),
        session_id: (!matches!(finding, Finding::JobDead { .. })).then(|| SESSION.to_owned()),
        finding,
        since: AT.to_owned(),
    };
    findings.into_iter().map(line).collect()
}

/// Every mail of this kind.
pub(super) fn mails() -> Result<Vec<(&'static str, Mail)>, web::Error> {
    let sender = || Sender {
        public_url: BASE.to_owned(),
        support_address: "help@pitlane.example".to_owned(),
        time_zone: "America/Chicago".to_owned(),
        unsubscribe_url: None,
    };
    let nudge = StartNudge {
        sender: sender(),
        name: "Dana Kowalski".to_owned(),
        customer_name: "Maya Torres".to_owned(),
        plan_name: "Expert Video".to_owned(),
        vehicle: Some("2016 Honda Civic".to_owned()),
        due_at: AT.to_owned(),
        session_url: format!("{BASE}/chat/{SESSION}"),
    };
    let away = Finding::Away {
        name: "Maya Torres".to_owned(),
        is_customer: true,
        other: Some("Dana Kowalski".to_owned()),
    };
    let alert = SupportAlert {
        sender: sender(),
        finding: away,
        since: AT.to_owned(),
        url: Some(format!("{BASE}/chat/{SESSION}")),
        board_url: format!("{BASE}/admin"),
    };
    let opened = DisputeOpened {
        sender: sender(),
        name: "Robin Adeyemi".to_owned(),
        finding: dispute("Maya Torres"),
        case_url: format!("{BASE}/admin/disputes/{SESSION}"),
        log_url: Some(format!("{BASE}/sessions/{SESSION}/transcript")),
        board_url: format!("{BASE}/admin"),
    };
    Ok(vec![
        ("start_nudge", nudge.compose()?),
        ("support_alert", alert.compose()?),
        ("dispute_opened", opened.compose()?),
    ])
}
