//! The `pitlane` binary.
fn main() {}
