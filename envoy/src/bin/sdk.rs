//! Holds the official SDKs against a real Envoy with Weir; `cargo xtask sdk` provisions what it needs and runs it.
//!
//! Exit status: 0 everything as expected, 1 something is not, 2 it cannot run.
use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use weir_envoy::sdk::{self, SdkOptions};

const USAGE: &str = "usage: sdk --envoy FILE --wasm FILE --python FOLDER --node FOLDER --drivers FOLDER [--format text|json]";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let mut told = format!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                told.push_str(&format!(": {cause}"));
                source = cause.source();
            }
            let _ = writeln!(io::stderr(), "{told}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, Box<dyn std::error::Error>> {
    let (options, json) = options(env::args().skip(1)).ok_or(USAGE)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let report = runtime.block_on(sdk::run(options))?;
    let text = match json {
        true => format!("{}\n", report.to_json()),
        false => report.to_string(),
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Who reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    Ok(report.is_as_expected())
}

/// The options, and whether JSON is wanted; none where they are not whole.
fn options(mut arguments: impl Iterator<Item = String>) -> Option<(SdkOptions, bool)> {
    let [mut envoy, mut wasm, mut python, mut node, mut drivers] = [const { None }; 5];
    let mut json = false;
    while let Some(flag) = arguments.next() {
        let value = arguments.next()?;
        let path = Some(PathBuf::from(&value));
        match flag.as_str() {
            "--envoy" => envoy = path,
            "--wasm" => wasm = path,
            "--python" => python = path,
            "--node" => node = path,
            "--drivers" => drivers = path,
            "--format" => {
                json = matches!(value.as_str(), "json")
                    .then_some(true)
                    .or((value == "text").then_some(false))?
            }
            _ => return None,
        }
    }
    let options = SdkOptions {
        envoy: envoy?,
        wasm: wasm?,
        python: python?,
        node: node?,
        drivers: drivers?,
    };
    Some((options, json))
}
