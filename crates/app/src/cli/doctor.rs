//! `doctor`: the invariants, checked on the database as it is.

use kernel::StoreError;
use store::doctor::Finding;
use store::{Db, doctor};

use super::{Outcome, one_line, say};
use crate::config::Settings;

/// Checks every invariant on one picture of the database and prints each. It may run beside a server.
pub(super) async fn examine(settings: Settings) -> Outcome {
    let store = settings.database.store;
    let db = tokio::task::spawn_blocking(move || Db::open(&store))
        .await
        .map_err(|error| one_line(&error))?
        .map_err(|error| one_line(&error))?;
    let findings = db
        .read(doctor::examine)
        .await
        .map_err(|error: StoreError| format!("the database can't be examined: {error}"))?;
    for finding in &findings {
        say(&described(finding))?;
    }
    match findings.iter().filter(|finding| !finding.violations.is_empty()).count() {
        0 => say(&format!("{} invariants hold", findings.len())),
        broken => Err(format!("{broken} of {} invariants do not hold", findings.len())),
    }
}

fn described(finding: &Finding) -> String {
    let Finding { number, statement, violations } = finding;
    match violations.len() {
        0 => format!("ok     {number:>2}  {statement}"),
        count => {
            let told =
                violations.iter().fold(String::new(), |text, what| format!("{text}\n           {what}"));
            let more = if count >= doctor::TOLD_MAX { " or more" } else { "" };
            format!("BROKEN {number:>2}  {statement}: {count}{more} violations{told}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_invariant_is_told_with_what_breaks_it() {
        let holds = Finding { number: 3, statement: "sums agree", violations: Vec::new() };
        assert_eq!(described(&holds), "ok      3  sums agree");
        let broken = Finding { violations: vec!["row 1".to_owned(), "row 2".to_owned()], ..holds };
        assert_eq!(
            described(&broken),
            "BROKEN  3  sums agree: 2 violations\n           row 1\n           row 2"
        );
    }
}
