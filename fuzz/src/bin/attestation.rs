//! The fuzzer of what checks attestations; `cargo xtask fuzz attestation` builds and runs it.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_fuzz::attestation::run(data));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    eprintln!("error: this was built without a fuzzer; run `cargo xtask fuzz attestation`");
    std::process::ExitCode::from(2)
}
