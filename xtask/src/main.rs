//! Builds, provisions and checks; `cargo xtask --help` lists how.
fn main() {}
