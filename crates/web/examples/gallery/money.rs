//! The money of sessions, and disputes, in their states.

use web::disputes::{
    DisputeFilter, DisputePage, DisputeRow, DisputeState, DisputesPage, Due, HappenedLine, VideoLine,
};
use web::frame::{Nav, Role};
use web::money::Amount;
use web::session::SessionStatus;
use web::session_money::{
    ByHand, DisputeLink, EarnedLine, FoundRow, MoneyLine, OrderCard, SessionMoneyPage, SessionsPage,
};

use super::{DANA, HOSTILE, MAYA, Rendered, SESSION, add, frame, usd};

const AT: &str = "2026-11-20T14:25:00Z";

/// Every page of this kind.
pub fn pages(out: &mut Rendered) -> Result<(), web::Error> {
    sessions(out)?;
    money(out)?;
    disputes(out)?;
    cases(out)
}

fn found(payment: &str, total: Amount) -> FoundRow {
    FoundRow {
        id: SESSION.to_owned(),
        status: SessionStatus::Completed,
        customer_name: HOSTILE.to_owned(),
        mechanic_name: Some("Dana Kowalski".to_owned()),
        plan_name: web::plan::upgraded("Quick Chat"),
        created_at: AT.to_owned(),
        payment_status: payment.to_owned(),
        total,
    }
}

fn sessions(out: &mut Rendered) -> Result<(), web::Error> {
    let rows = [
        ("paid", usd(2999)),
        ("paid", usd(0)),
        ("partially_refunded", usd(2999)),
        ("refunded", usd(999)),
        ("disputed", usd(999)),
        ("unpaid", usd(999)),
    ]
    .map(|(status, total)| found(status, total))
    .to_vec();
    for (name, role, search, rows) in [
        ("sessions", Role::Admin, "", rows.clone()),
        ("sessions-support", Role::Support, HOSTILE, rows),
        ("sessions-none", Role::Admin, "", Vec::new()),
        ("sessions-nothing", Role::Admin, HOSTILE, Vec::new()),
    ] {
        let page = SessionsPage {
            frame: frame(Some(role), Nav::Money),
            search: search.to_owned(),
            unanswered: 2,
            next_cursor: (!rows.is_empty()).then(|| "abc".to_owned()),
            rows,
        };
        add(out, name, &page)?;
    }
    Ok(())
}

fn order(what: &str, status: &str, cents: i64) -> OrderCard {
    let line = |label: &str, cents, void| MoneyLine {
        label: label.to_owned(),
        at: AT.to_owned(),
        amount: usd(cents),
        void,
    };
    OrderCard {
        id: format!("{}{:02}", &SESSION[..34], what.len()),
        what: what.to_owned(),
        status: status.to_owned(),
        amount: usd(cents),
        movements: vec![
            line("Paid by card", cents, false),
            line("Refund on its way, by an admin", -400, false),
            line("Refund that failed, cancelled", -500, true),
        ],
        kept: usd(cents - 400),
        earned: Some(EarnedLine {
            provider: "Dana Kowalski".to_owned(),
            payable: usd(479),
            fee: usd(120),
            frozen: true,
        }),
        disputes: vec![DisputeLink { id: SESSION.to_owned(), label: "To answer", amount: usd(999) }],
    }
}

fn money(out: &mut Rendered) -> Result<(), web::Error> {
    let plain = |what: &str, status: &str, cents| OrderCard {
        movements: Vec::new(),
        earned: None,
        disputes: Vec::new(),
        ..order(what, status, cents)
    };
    let page = SessionMoneyPage {
        frame: frame(Some(Role::Admin), Nav::Money),
        session: found("partially_refunded", usd(2999)),
        duration_minutes: 25,
        customer_id: MAYA.to_owned(),
        paid: usd(2999),
        returned: usd(0),
        on_the_way: usd(400),
        taken: usd(0),
        left: usd(2599),
        orders: vec![
            order("Quick Chat", "fulfilled", 999),
            plain("Upgrade to video", "expired", 2000),
            plain("More time", "failed", 999),
            plain("Free Diagnostic", "fulfilled", 0),
        ],
        by_hand: vec![ByHand {
            at: AT.to_owned(),
            admin: "Robin Adeyemi".to_owned(),
            amount: usd(400),
            reason: HOSTILE.to_owned(),
        }],
    };
    add(out, "session-money", &page)?;
    let support = SessionMoneyPage { frame: frame(Some(Role::Support), Nav::Money), ..page };
    add(out, "session-money-support", &support)?;
    for (name, paid, taken) in [("free", 0, 0), ("gone", 999, 0), ("taken", 999, 999)] {
        let page = SessionMoneyPage {
            frame: frame(Some(Role::Admin), Nav::Money),
            session: found("paid", usd(paid)),
            paid: usd(paid),
            taken: usd(taken),
            ..SessionMoneyPage::default()
        };
        add(out, &format!("session-money-{name}"), &page)?;
    }
    Ok(())
}

fn row(state: DisputeState, seconds_left: i64) -> DisputeRow {
    DisputeRow {
        id: SESSION.to_owned(),
        session_id: Some(SESSION.to_owned()),
        customer_name: HOSTILE.to_owned(),
        mechanic_name: Some("Dana Kowalski".to_owned()),
        amount: usd(2000),
        frozen: (state != DisputeState::Won).then(|| usd(1600)),
        reason: "product_not_received".to_owned(),
        state,
        due: Some(Due { at: "2026-11-27T23:59:59Z".to_owned(), seconds_left }),
        opened_at: AT.to_owned(),
        closed_at: matches!(state, DisputeState::Won | DisputeState::Lost).then(|| AT.to_owned()),
    }
}

fn disputes(out: &mut Rendered) -> Result<(), web::Error> {
    let bare =
        DisputeRow { session_id: None, mechanic_name: None, due: None, ..row(DisputeState::Open, 900) };
    let rows = vec![
        row(DisputeState::Open, 600_000),
        bare,
        row(DisputeState::UnderReview, 5),
        row(DisputeState::Won, 0),
        row(DisputeState::Lost, 0),
    ];
    for (name, shown, unanswered, rows) in [
        ("disputes", DisputeFilter::All, 2, rows.clone()),
        ("disputes-none", DisputeFilter::All, 0, Vec::new()),
        ("disputes-nothing", DisputeFilter::Only(DisputeState::Lost), 1, Vec::new()),
    ] {
        let page = DisputesPage {
            frame: frame(Some(Role::Admin), Nav::Money),
            shown,
            unanswered,
            next_cursor: (!rows.is_empty()).then(|| "abc".to_owned()),
            rows,
        };
        add(out, name, &page)?;
    }
    Ok(())
}

fn cases(out: &mut Rendered) -> Result<(), web::Error> {
    for (name, row, proven) in [
        ("dispute", row(DisputeState::Open, 600_000), true),
        ("dispute-near", row(DisputeState::Open, 5_000), true),
        ("dispute-lost", row(DisputeState::Lost, 0), false),
    ] {
        let bare = DisputePage {
            frame: frame(Some(Role::Admin), Nav::Money),
            row: DisputeRow { session_id: proven.then(|| SESSION.to_owned()), ..row },
            provider_id: "du_1Qx".to_owned(),
            payment_intent: "pi_3Qx".to_owned(),
            customer_id: MAYA.to_owned(),
            order_id: SESSION.to_owned(),
            bought: "Upgrade to video".to_owned(),
            ..DisputePage::default()
        };
        let page = if proven {
            DisputePage {
                withdrawn: true,
                paid: Some((usd(2000), AT.to_owned())),
                returned: usd(500),
                waiver: Some(("2025-10".to_owned(), AT.to_owned(), "203.0.113.7".to_owned())),
                happened: vec![HappenedLine { at: AT.to_owned(), text: format!("{HOSTILE} joined.") }],
                wrote: vec![(HOSTILE.to_owned(), 4), ("Dana Kowalski".to_owned(), 6)],
                video: vec![VideoLine {
                    name: DANA.to_owned(),
                    from: AT.to_owned(),
                    to: Some(AT.to_owned()),
                }],
                summary: Some(("Dana Kowalski".to_owned(), AT.to_owned())),
                line_count: 23,
                ..bare
            }
        } else {
            bare
        };
        add(out, name, &page)?;
    }
    Ok(())
}
