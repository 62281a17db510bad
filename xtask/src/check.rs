//! What must hold of the tree before it lands.

pub(crate) mod generated;
mod layers;
mod tidy;

use crate::run::{Outcome, cargo, cargo_command, checked};

type Check = (&'static str, fn() -> Outcome);

/// Runs every check, even after one failed, and names those that did.
///
/// # Errors
/// The names of the checks that failed.
pub(crate) fn run(no_tests: bool) -> Outcome {
    let mut checks: Vec<Check> = vec![
        ("formatting", formatting),
        ("tidiness", tidy::check),
        ("layers", layers::check),
        ("lints", lints),
        ("documentation", documentation),
        ("generated files", generated::check),
    ];
    if !no_tests {
        checks.push(("tests", || crate::test::run(false, &[], &[])));
    }
    let mut failed = Vec::new();
    for (name, check) in checks {
        println!("checking {name}");
        if let Err(reason) = check() {
            eprintln!("{name}: {reason}");
            failed.push(name);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

fn formatting() -> Outcome {
    cargo(&[&["fmt", "--all", "--check"]])
}

fn lints() -> Outcome {
    cargo(&[&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]])
}

fn documentation() -> Outcome {
    checked(
        cargo_command()
            .args(["doc", "--workspace", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// `Ok`, or all of them, one a line.
fn all(problems: &[String]) -> Outcome {
    if problems.is_empty() { Ok(()) } else { Err(format!("\n  {}", problems.join("\n  "))) }
}
