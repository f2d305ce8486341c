//! One file per subcommand, thin over the library, and what they share: how a command ends.
pub(crate) mod calibrate;
mod cases;
pub(crate) mod check;
pub(crate) mod conformance;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod evaluate;
mod policy;
mod progress;
pub(crate) mod replay;
pub(crate) mod schema;
pub(crate) mod simulate;
pub(crate) mod test;

use std::io::{self, Write};
use std::process::ExitCode;

/// How a command that did its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Exit 0.
    Fine,
    /// Exit 1: a policy was rejected, a promise was not kept.
    Negative,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For machines: one JSON object.
    Json,
}

/// Tells an error, if there is one, and gives the exit status.
pub(crate) fn exit(result: anyhow::Result<Outcome>) -> ExitCode {
    match result {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Negative) => ExitCode::from(1),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if error.is::<policy::Refused>() => {
            let _ = writeln!(io::stderr(), "weir: {error}"); // as below
            ExitCode::from(1)
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "weir: {error:#}"); // stderr may be closed; the exit status still says it
            ExitCode::from(2)
        }
    }
}

/// Whether the reader of our output simply stopped reading.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
