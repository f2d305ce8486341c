//! Tells the compiler of the condition that `cargo xtask fuzz` sets.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
}
