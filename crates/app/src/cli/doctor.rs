//! `doctor`: the invariants, checked on the database as it is.

use kernel::StoreError;
use pricing::{Catalog, upgrade_plan};
use store::doctor::{Finding, SoldUpgrade};
use store::{Db, doctor};

use super::{Outcome, one_line, say};
use crate::config::Settings;

/// Checks every invariant on one picture of the database and prints each. It may run beside a server.
pub(super) async fn examine(settings: Settings) -> Outcome {
    let catalog = settings.catalog().map_err(|problems| problems.to_string())?;
    let store = settings.database.store;
    let db = tokio::task::spawn_blocking(move || Db::open(&store))
        .await
        .map_err(|error| one_line(&error))?
        .map_err(|error| one_line(&error))?;
    let findings = db
        .read(move |tx| {
            let mut findings = doctor::examine(tx)?;
            findings.push(prices_of_upgrades(&doctor::sold_upgrades(tx)?, &catalog));
            findings.sort_by_key(|finding| finding.number);
            Ok(findings)
        })
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

// The one invariant that the database alone can't tell: prices are in the books.
fn prices_of_upgrades(sold: &[SoldUpgrade], catalog: &Catalog) -> Finding {
    let direct = |one: &SoldUpgrade| {
        let book = catalog.book(&one.book)?;
        upgrade_plan(book)?.quote(one.multiplier).ok()
    };
    let wrong = sold.iter().filter(|one| one.base.plus(one.upgrade).ok() != direct(one));
    Finding {
        number: 2,
        statement: "base and upgrade are the direct price of video in the session's own price book",
        violations: wrong
            .map(|one| format!("session {}: {} and {} are not it", one.session, one.base, one.upgrade))
            .take(doctor::TOLD_MAX)
            .collect(),
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
