//! `docs/operations.md` names what operators have to set up, as it is.

use std::collections::BTreeSet;

const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// The names in the list that follows a sentence.
fn listed(after: &str) -> BTreeSet<&'static str> {
    let (_, rest) = OPERATIONS.split_once(after).expect("the sentence is there");
    let lines = rest.lines().skip_while(|line| line.is_empty()).take_while(|line| line.starts_with("- `"));
    lines.map(|line| line.trim_start_matches("- `").trim_end_matches('`')).collect()
}

#[test]
fn the_webhook_is_told_of_exactly_the_events_that_are_read() {
    let known: BTreeSet<&str> = gateways::stripe::wire::EVENT_KINDS.into_iter().collect();
    assert_eq!(listed("`reconcile` asks for the same:"), known);
}
