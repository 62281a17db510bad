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

/// The lines of its examples.
fn examples() -> impl Iterator<Item = &'static str> {
    OPERATIONS.lines().filter_map(|line| line.strip_prefix("    ")).map(str::trim)
}

#[test]
fn a_variable_has_no_remark_behind_it_that_systemd_would_take_for_a_part_of_it() {
    let mut variables = 0;
    for line in examples() {
        let Some((name, value)) = line.split_once('=') else { continue };
        if name.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
        {
            variables += 1;
            assert!(!value.contains('#'), "{line}");
        }
    }
    assert!(variables > 20, "{variables}");
}

#[test]
fn the_proxy_lets_the_largest_file_through_and_does_not_collect_it() {
    let default = include_str!("../../../config/pitlane.toml")
        .lines()
        .find_map(|line| line.strip_prefix("# max_file_bytes = "))
        .expect("its default is documented");
    let file: u64 = default.parse().expect("a number");
    let limit = examples()
        .find_map(|line| line.strip_prefix("client_max_body_size ")?.strip_suffix("m;"))
        .expect("nginx has a limit");
    let limit: u64 = limit.parse().expect("a number");
    // The form around the file.
    assert!(limit * 1_048_576 >= file + 65_536, "{limit} MiB");
    assert!(examples().any(|line| line == "proxy_request_buffering off;"));
}
