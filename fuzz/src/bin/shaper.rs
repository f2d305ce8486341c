//! The fuzzer of what strips responses; `cargo xtask fuzz shaper` builds and runs it.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_fuzz::shaper::run(data));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    eprintln!("error: this was built without a fuzzer; run `cargo xtask fuzz shaper`");
    std::process::ExitCode::from(2)
}
