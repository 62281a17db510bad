//! What a reader of the tree may rely on: sizes, names, no unfinished marks, migrations in pairs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::migration::FOLDERS;
use crate::run::{Outcome, root};

use super::all;

const LONG: usize = 400;
const TOO_LONG: usize = 800;
const SOURCES: [&str; 6] = ["rs", "js", "css", "html", "sql", "toml"];
const SKIPPED: [&str; 5] = ["target", "vendor", "data", "node_modules", ".git"];
const VAGUE: [&str; 6] = ["mod", "utils", "helpers", "common", "manager", "service"];

// Written apart, so that this file doesn't hold them.
const MARKS: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[ig", "nore"),
];

/// Checks every source file.
///
/// # Errors
/// Every file that breaks a rule.
pub(super) fn check() -> Outcome {
    let mut problems = Vec::new();
    for file in files(root())? {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let name = file.strip_prefix(root()).unwrap_or(&file);
        let (warning, broken) = judge(name, &text);
        if let Some(warning) = warning {
            println!("warning: {warning}");
        }
        problems.extend(broken);
    }
    problems.extend(unpaired_migrations()?);
    all(&problems)
}

fn judge(name: &Path, text: &str) -> (Option<String>, Vec<String>) {
    let shown = name.display();
    let lines = text.lines().count();
    let mut warning = None;
    let mut broken = Vec::new();
    let code = name.extension().is_some_and(|extension| extension == "rs" || extension == "js");
    if code && lines > TOO_LONG {
        broken.push(format!("{shown}: {lines} lines; split it ({TOO_LONG} at most)"));
    } else if code && lines > LONG {
        warning = Some(format!("{shown}: {lines} lines; better under {LONG}"));
    }
    let stem = name.file_stem().and_then(|stem| stem.to_str()).filter(|stem| VAGUE.contains(stem));
    if let Some(stem) = stem.filter(|_| name.extension().is_some_and(|extension| extension == "rs")) {
        broken.push(format!("{shown}: `{stem}` says nothing about what the file holds"));
    }
    for (index, line) in text.lines().enumerate() {
        if let Some(mark) = MARKS.iter().find(|mark| line.contains(**mark)) {
            broken.push(format!("{shown}:{}: {mark}: finish it, or file an issue", index + 1));
        }
    }
    (warning, broken)
}

fn unpaired_migrations() -> Outcome<Vec<String>> {
    let [postgres, sqlite] = FOLDERS.map(|folder| names(&root().join(folder)));
    let (postgres, sqlite) = (postgres?, sqlite?);
    let mut problems: Vec<String> = postgres
        .symmetric_difference(&sqlite)
        .map(|name| format!("migration {name} is in one of {} only", FOLDERS.join(" and ")))
        .collect();
    for (folder, name) in
        FOLDERS.iter().flat_map(|folder| postgres.union(&sqlite).map(move |name| (folder, name)))
    {
        let file = root().join(folder).join(name).join("up.sql");
        if root().join(folder).join(name).is_dir() && !file.is_file() {
            problems.push(format!("{folder}/{name} has no up.sql"));
        }
    }
    Ok(problems)
}

fn names(folder: &Path) -> Outcome<BTreeSet<String>> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// Every source file below a folder, in a fixed order.
///
/// # Errors
/// A folder can't be read.
pub(super) fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                if !SKIPPED.contains(&name) {
                    open.push(path);
                }
            } else if path
                .extension()
                .and_then(|extension| extension.to_str())
                .is_some_and(|it| SOURCES.contains(&it))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{MARKS, TOO_LONG, judge};

    #[test]
    fn each_broken_rule_is_found_and_a_good_file_passes() {
        let good = "//! A file.\n";
        let marked = format!("// {}: later\n", MARKS[0]);
        let long = "//\n".repeat(TOO_LONG + 1);
        let cases = [
            ("crates/a/src/order.rs", good, 0),
            ("crates/a/src/utils.rs", good, 1),
            ("crates/a/src/order/mod.rs", good, 1),
            ("crates/a/src/order.rs", marked.as_str(), 1),
            ("crates/a/src/order.rs", long.as_str(), 1),
            ("crates/web/static/css/order.css", long.as_str(), 0),
        ];
        for (name, text, expected) in cases {
            assert_eq!(judge(Path::new(name), text).1.len(), expected, "{name}");
        }
    }
}
