//! How the released binary is linked.

use std::env;

/// Where the linker is known, equal functions are kept once and addresses to be filled in at the start are told in short:
/// several megabytes less of file, and of memory that starting touches. That needs glibc 2.36 or newer to run on.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|is| is == value);
    // Elsewhere the system's linker is used, which may not know these words.
    if is("PROFILE", "release") && is("TARGET", "x86_64-unknown-linux-gnu") {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
