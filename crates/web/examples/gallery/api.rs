//! The API's description and the audit log.

use web::audit::{AuditPage, AuditQuery, AuditRow};
use web::docs::{Answer, Code, Content, DocsPage, Field, Group, Kind, Operation, Shape};
use web::frame::{Nav, Role};

use super::{HOSTILE, MAYA, Rendered, add, frame};

/// Both pages.
pub(super) fn pages(out: &mut Rendered) -> Result<(), web::Error> {
    add(out, "docs", &docs())?;
    let row = AuditRow {
        at: "2026-01-15T10:00:00Z".to_owned(),
        actor: HOSTILE.to_owned(),
        role: "admin".to_owned(),
        action: "mechanic.refuse".to_owned(),
        object_kind: "mechanic".to_owned(),
        object_id: MAYA.to_owned(),
        details: vec![
            ("reason".to_owned(), "The certificate has run out.".to_owned()),
            ("request_id".to_owned(), "5d0c7c0c5f0b4b0d8f6f0c9a1e2d3b4a".to_owned()),
        ],
        address: Some("203.0.113.7".to_owned()),
    };
    let page = |query: AuditQuery, rows: Vec<AuditRow>| AuditPage {
        frame: frame(Some(Role::Admin), Nav::None),
        query,
        next_href: (!rows.is_empty()).then(|| "/admin/audit?cursor=next".to_owned()),
        rows,
    };
    add(out, "audit", &page(AuditQuery::default(), vec![row]))?;
    add(out, "audit-empty", &page(AuditQuery::default(), Vec::new()))?;
    let narrowed = AuditQuery { action: HOSTILE.to_owned(), ..AuditQuery::default() };
    add(out, "audit-none-fits", &page(narrowed, Vec::new()))
}

fn docs() -> DocsPage {
    let kind = Kind { text: "list of Session".to_owned(), shape: Some("Session".to_owned()) };
    let content = |media: &str| Content {
        media: media.to_owned(),
        kind: kind.clone(),
        example: "{\n  \"items\": []\n}".to_owned(),
    };
    let field = |name: &str, place: &str| Field {
        name: name.to_owned(),
        kind: Kind { text: "text or null".to_owned(), shape: None },
        place: place.to_owned(),
        required: place == "path",
        about: HOSTILE.to_owned(),
    };
    let refusal = Answer {
        status: "409".to_owned(),
        headers: vec!["Retry-After".to_owned()],
        codes: vec!["session_closed".to_owned()],
        ..Answer::default()
    };
    let good = Answer {
        status: "200".to_owned(),
        about: "Newest first.".to_owned(),
        content: Some(content("application/json")),
        ..Answer::default()
    };
    let operation = |method: &str, path: &str, body: Option<Content>| Operation {
        anchor: format!("{}-sessions", method.to_lowercase()),
        method: method.to_owned(),
        path: path.to_owned(),
        summary: "My sessions".to_owned(),
        about: "For every signed-in person.".to_owned(),
        parameters: vec![field("id", "path"), field("limit", "query")],
        body,
        answers: vec![good.clone(), refusal.clone()],
    };
    DocsPage {
        frame: frame(None, Nav::None),
        version: "0.1.0".to_owned(),
        rules: vec!["Unknown fields are refused.".to_owned()],
        groups: vec![Group {
            anchor: "sessions".to_owned(),
            name: "sessions".to_owned(),
            about: "One's own sessions.".to_owned(),
            operations: vec![
                operation("GET", "/api/sessions", None),
                operation(
                    "DELETE",
                    "/api/sessions/{id}/a-rather-long-path",
                    Some(content("application/json")),
                ),
            ],
        }],
        shapes: vec![Shape {
            name: "Session".to_owned(),
            fields: vec![field("id", ""), field("status", "")],
            example: "{}".to_owned(),
            ..Shape::default()
        }],
        codes: vec![Code {
            code: "session_closed".to_owned(),
            statuses: "409".to_owned(),
            sentence: "The session has ended.".to_owned(),
        }],
    }
}
