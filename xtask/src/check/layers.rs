//! The arrows between crates: which may depend on which, and which crate alone may use a costly library.

use std::fs;

use toml::Table;

use crate::run::{Outcome, root};

use super::all;

const DOMAINS: [&str; 9] =
    ["accounts", "crm", "dispatch", "intake", "jobs", "notifications", "payments", "pricing", "sessions"];

/// Arrows that tests alone may draw: an outside actor's fake is a server, and its client is proven against it.
const TESTED_AGAINST: [(&str, &str); 1] = [("gateways", "sandbox")];

/// Libraries that only the named crates may use: each is a side effect, or costly to replace.
const RESERVED: [(&str, &[&str]); 13] = [
    ("diesel", &["store", "sandbox", "tests"]),
    ("diesel_migrations", &["store"]),
    ("async-stripe", &["gateways", "sandbox"]),
    ("askama", &["web", "sandbox"]),
    ("argon2", &["pitlane"]),
    ("actix-ws", &["pitlane", "tests"]),
    ("actix-web", &["pitlane", "sandbox", "tests"]),
    ("tokio", &["pitlane", "store", "gateways", "sandbox", "tests"]),
    ("reqwest", &["gateways", "sandbox", "tests"]),
    ("getrandom", &["pitlane", "sandbox"]),
    ("jiff", &["accounts", "web"]),
    ("pulldown-cmark", &["web"]),
    ("fantoccini", &["tests"]),
];

/// What a domain's source may not name: time, chance and the outside come in through ports.
const IMPURE: [&str; 8] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "SystemTime",
    "Instant::now",
    "now_utc()",
    "Uuid::now_v7",
];

/// Checks every manifest, and the sources of the domains.
///
/// # Errors
/// Every arrow that is not allowed.
pub(super) fn check() -> Outcome {
    let mut problems = Vec::new();
    for manifest in manifests()? {
        problems.extend(arrows(&manifest));
    }
    for domain in DOMAINS.iter().chain(&["kernel"]) {
        problems.extend(impurities(domain)?);
    }
    all(&problems)
}

fn allowed(package: &str) -> Option<Vec<&'static str>> {
    let kernel = || vec!["kernel"];
    match package {
        "kernel" | "web" | "sandbox" | "xtask" | "tests" => Some(Vec::new()),
        "gateways" => Some(vec!["kernel", "intake", "payments", "notifications", "sessions"]),
        "store" => Some(kernel().into_iter().chain(DOMAINS).collect()),
        "pitlane" => {
            Some(kernel().into_iter().chain(DOMAINS).chain(["store", "gateways", "web", "sandbox"]).collect())
        }
        domain if DOMAINS.contains(&domain) => Some(kernel()),
        _ => None,
    }
}

fn arrows(manifest: &Table) -> Vec<String> {
    let Some(package) =
        manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str)
    else {
        return vec!["a manifest without a package name".to_owned()];
    };
    let Some(allowed) = allowed(package) else {
        return vec![format!(
            "{package} is a new crate: say in xtask's table of layers what it may depend on"
        )];
    };
    // A test may use more of the outside world than the code it tests, but its crate's layer stays the same.
    let sections = [("dependencies", true), ("build-dependencies", true), ("dev-dependencies", false)];
    let mut problems = Vec::new();
    for (section, reserved_too) in sections {
        for name in manifest.get(section).and_then(toml::Value::as_table).into_iter().flat_map(Table::keys) {
            let drawn = allowed.contains(&name.as_str())
                || (!reserved_too && TESTED_AGAINST.contains(&(package, name.as_str())));
            if is_ours(name) && !drawn {
                problems.push(format!(
                    "{package} → {name} ({section}): this arrow is not drawn in the architecture"
                ));
            }
            let reserved = RESERVED.iter().find(|(library, _)| library == name);
            if let Some((library, users)) =
                reserved.filter(|(_, users)| reserved_too && !users.contains(&package))
            {
                problems
                    .push(format!("{package} uses {library}, which belongs to {} alone", users.join(", ")));
            }
        }
    }
    problems
}

fn is_ours(name: &str) -> bool {
    allowed(name).is_some()
}

fn manifests() -> Outcome<Vec<Table>> {
    let crates =
        fs::read_dir(root().join("crates")).map_err(|error| format!("crates/ can't be read: {error}"))?;
    let folders =
        crates.flatten().map(|entry| entry.path()).chain([root().join("xtask"), root().join("tests")]);
    folders
        .map(|folder| folder.join("Cargo.toml"))
        .filter(|path| path.is_file())
        .map(|path| {
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            text.parse::<Table>().map_err(|error| format!("{}: {error}", path.display()))
        })
        .collect()
}

fn impurities(domain: &str) -> Outcome<Vec<String>> {
    let mut problems = Vec::new();
    for file in super::tidy::files(&root().join("crates").join(domain).join("src"))? {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for (index, line) in code.enumerate() {
            if let Some(word) = IMPURE.iter().find(|word| line.contains(**word)) {
                problems.push(format!(
                    "{}: line {} of code uses {word}; domains are pure",
                    file.display(),
                    index + 1
                ));
            }
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::{Table, arrows};

    fn problems_of(package: &str, section: &str, dependency: &str) -> usize {
        let text = format!("[package]\nname = \"{package}\"\n[{section}]\n{dependency} = \"1\"\n");
        arrows(&text.parse::<Table>().expect("a manifest")).len()
    }

    #[test]
    fn an_arrow_that_is_not_drawn_is_found() {
        let cases = [
            ("sessions", "dependencies", "kernel", 0),
            ("sessions", "dependencies", "payments", 1),
            ("sessions", "dev-dependencies", "payments", 1),
            ("sessions", "dependencies", "tokio", 1),
            ("sessions", "dev-dependencies", "tokio", 0),
            ("kernel", "dependencies", "accounts", 1),
            ("store", "dependencies", "diesel", 0),
            ("pitlane", "dependencies", "diesel", 1),
            ("gateways", "dependencies", "store", 1),
            ("gateways", "dependencies", "sandbox", 1),
            ("gateways", "dev-dependencies", "sandbox", 0),
            ("web", "dependencies", "store", 1),
            ("reputation", "dependencies", "kernel", 1),
        ];
        for (package, section, dependency, expected) in cases {
            assert_eq!(problems_of(package, section, dependency), expected, "{package} → {dependency}");
        }
    }
}
