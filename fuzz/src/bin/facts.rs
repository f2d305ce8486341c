//! The fuzzer of what reads request bodies; `cargo xtask fuzz facts` builds and runs it.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_fuzz::facts::run(data));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    eprintln!("error: this was built without a fuzzer; run `cargo xtask fuzz facts`");
    std::process::ExitCode::from(2)
}
