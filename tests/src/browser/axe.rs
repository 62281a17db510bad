//! Faults of accessibility, found by axe-core.

use serde_json::Value;

use super::Browser;

const AXE: &str = include_str!("../../vendor/axe-core/axe.min.js");

// Frames hold mails, which are judged for themselves; the answer is one line for each element at fault.
const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'], iframes: false }).then(
        ({ violations, passes }) => done({
            rules: passes.length + violations.length,
            faults: violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary }) =>
                `${id}: ${help}: ${html.slice(0, 300)}: ${failureSummary.replace(/\\s+/g, ' ')}`)),
        }),
        (error) => done({ rules: 0, faults: [String(error)] }),
    );";

impl Browser {
    /// What axe-core finds wrong with the page that is shown, one line for each element.
    ///
    /// # Panics
    /// It can't run, or judges by no rule at all.
    pub async fn accessibility_faults(&self) -> Vec<String> {
        if self.script("return typeof axe;").await == "undefined" {
            self.client.execute(AXE, Vec::new()).await.expect("axe-core is put into the page");
        }
        let found = self.client.execute_async(RUN, Vec::new()).await.expect("axe-core runs");
        assert!(found["rules"].as_u64() > Some(5), "axe-core did not judge: {found}");
        let lines = found["faults"].as_array().expect("a list of faults");
        lines.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::AXE;

    #[test]
    fn the_copy_of_axe_core_is_the_one_that_its_readme_names() {
        let readme = include_str!("../../vendor/axe-core/README.md");
        let checksum = hex::encode(Sha256::digest(AXE.as_bytes()));
        assert!(readme.contains(&checksum), "{checksum}");
        let version = AXE.split_once("axe v").and_then(|(_, rest)| rest.split_whitespace().next());
        assert!(readme.contains(version.expect("a version")), "{version:?}");
    }
}
