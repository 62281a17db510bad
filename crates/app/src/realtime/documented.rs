//! `docs/websocket.md` tells of every frame, field, code and reason for closing: they are read from the sources here, so
//! that a new one fails until it is written down.

use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../../docs/websocket.md");
const FRAMES: &str = include_str!("protocol.rs");
const CODES: &str = include_str!("code.rs");
const SOCKET: &str = include_str!("socket.rs");
const PERSONAL: [&str; 6] = [
    include_str!("../usecases/personal.rs"),
    include_str!("../usecases/offer_request.rs"),
    include_str!("../usecases/accept_request.rs"),
    include_str!("../usecases/fulfil_order.rs"),
    include_str!("../usecases/start_nudge.rs"),
    include_str!("../usecases/upgrade_session.rs"),
];
const STAFF: [&str; 1] = [include_str!("../usecases/alert_support.rs")];

/// The variants of an enum with their fields, as clients see them.
fn variants(name: &str) -> Vec<(String, Vec<String>)> {
    let body = FRAMES.split_once(&format!("pub enum {name}")).expect("the enum").1;
    let body = body.split_once("\n}\n").expect("its end").0;
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for line in body.lines() {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        let word: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        if depth == 4 && word.starts_with(|c: char| c.is_ascii_uppercase()) {
            found.push((word.to_ascii_lowercase(), Vec::new()));
        }
        // Fields stand below the name, or beside it when there is only one.
        let fields = if depth == 4 { text.split_once('{').map_or("", |(_, rest)| rest) } else { text };
        if let Some((field, _)) = fields.trim().split_once(':').filter(|(field, _)| is_word(field)) {
            let published = if field == "reference" { "ref" } else { field };
            found.last_mut().expect("a frame").1.push(published.to_owned());
        }
    }
    found
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// What stands under `### \`frame\`` in one half of the page.
fn section<'a>(half: &'a str, frame: &str) -> &'a str {
    let from = half.split_once(&format!("\n### `{frame}`\n"));
    let (_, rest) = from.unwrap_or_else(|| panic!("docs/websocket.md doesn't tell of the frame {frame}"));
    rest.split("\n##").next().unwrap_or(rest)
}

#[test]
fn every_frame_is_documented_with_its_fields_and_an_example() {
    let (_, rest) = DOCUMENT.split_once("\n## Frames of a client\n").expect("a client's frames");
    let (client, server) = rest.split_once("\n## Frames of the server\n").expect("the server's frames");
    let (mut frames, mut fields) = (0, 0);
    for (half, name) in [(client, "ClientFrame"), (server, "ServerFrame")] {
        for (frame, known) in variants(name) {
            let told = section(half, &frame);
            assert!(told.contains(&format!("{{\"type\":\"{frame}\"")), "no example of {frame}");
            frames += 1;
            for field in known {
                let named = told.contains(&format!("`{field}`")) || told.contains(&format!("\"{field}\":"));
                assert!(named, "docs/websocket.md doesn't tell of {field} in {frame}");
                fields += 1;
            }
        }
    }
    assert!(frames >= 23 && fields >= 45, "only {frames} frames with {fields} fields were found");
}

#[test]
fn every_code_and_every_reason_for_closing_is_documented() {
    let codes: BTreeSet<&str> =
        CODES.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let reasons: BTreeSet<&str> = SOCKET
        .split("Closed(CloseCode::")
        .skip(1)
        .filter_map(|rest| rest.split_once(", \"")?.1.split('"').next())
        .filter(|reason| !reason.is_empty())
        .collect();
    assert!(codes.len() >= 13 && reasons.len() >= 8, "{codes:?} {reasons:?}");
    for code in codes {
        assert!(
            DOCUMENT.contains(&format!("| `{code}` |")),
            "docs/websocket.md doesn't tell of the code {code}"
        );
    }
    for reason in reasons {
        assert!(
            DOCUMENT.contains(&format!("| {reason} |")),
            "docs/websocket.md doesn't tell of closing: {reason}"
        );
    }
}

#[test]
fn every_personal_frame_and_every_frame_for_the_staff_is_documented() {
    let mut found = BTreeSet::new();
    for (sources, call) in [(&PERSONAL[..], "tell(tx, "), (&STAFF[..], "tell_staff(tx, ")] {
        for rest in sources.iter().flat_map(|source| source.split(call).skip(1)) {
            found.extend(rest.split('"').nth(1).filter(|kind| is_word(kind)));
        }
    }
    assert!(found.len() >= 9, "{found:?}");
    for kind in found {
        assert!(DOCUMENT.contains(&format!("| `{kind}` |")), "docs/websocket.md doesn't tell of {kind}");
    }
}

#[test]
fn every_example_of_a_clients_frame_is_understood() {
    let (_, rest) = DOCUMENT.split_once("\n## Frames of a client\n").expect("a client's frames");
    let (client, _) = rest.split_once("\n## Frames of the server\n").expect("the server's frames");
    let examples: Vec<&str> =
        client.split("`{\"type\":").skip(1).filter_map(|rest| rest.split('`').next()).collect();
    assert!(examples.len() >= 10, "{examples:?}");
    for example in examples {
        let frame = format!("{{\"type\":{example}");
        super::protocol::ClientFrame::parse(&frame).unwrap_or_else(|wrong| panic!("{frame}: {wrong:?}"));
    }
}
