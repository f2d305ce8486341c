//! Builds, provisions and checks; `cargo xtask --help` lists how.
//!
//! Results go to stdout and commentary to stderr, so a script can read the path that
//! `wasm`, `guests` and `envoy` print. Exit status: 0 fine, 1 negative result (does not compile,
//! a step failed, bytes differ), 2 wrong usage or something missing on this machine.

mod assemblyscript;
mod check;
mod conformance;
mod debian;
mod dependency_rule;
mod digest;
mod envoy;
mod fuzz;
mod guests;
mod libtest;
mod license;
mod metadata;
mod npm;
mod reproducible;
mod sdk;
mod staging;
mod steps;
mod subprocess;
mod toolchain;
mod tree;
mod wasm;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(
    bin_name = "cargo xtask",
    about = "Builds the plugin, provisions what it needs, and runs every check"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the plugin (never a stale one) and prints the path of the .wasm
    #[command(after_help = "Example: cargo xtask wasm --out /tmp/weir.wasm")]
    Wasm {
        /// Where to leave it, instead of weir.wasm in the target directory
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Builds the probe and the example guests and prints their paths, then the path of their folder
    #[command(after_help = "Example: cargo xtask guests")]
    Guests,
    /// Gets Envoy (or takes the one ENVOY names) and prints its path; exit 2 where it cannot be had
    #[command(after_help = "Example: ENVOY=/usr/bin/envoy cargo xtask envoy")]
    Envoy,
    /// Holds the official SDKs against a real Envoy with Weir; exit 2 where they cannot be had
    #[command(after_help = "Example: cargo xtask sdk --format json")]
    Sdk {
        /// How the result is printed
        #[arg(long, value_enum, default_value_t = sdk::Format::Text)]
        format: sdk::Format,
    },
    /// Runs what CI runs
    #[command(after_help = "Example: cargo xtask check --only fmt,clippy")]
    Check {
        /// Steps to run, separated by commas; all of them by default
        #[arg(long, value_name = "STEPS", value_delimiter = ',', value_parser = check::step_names())]
        only: Vec<String>,
    },
    /// Fuzzes what reads requests, strips responses and checks attestations
    #[command(after_help = "Example: cargo xtask fuzz shaper --seconds 600")]
    Fuzz {
        /// What to fuzz; each in turn by default
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(fuzz::TARGETS))]
        target: Option<String>,
        /// How long to fuzz each
        #[arg(long, value_name = "N", default_value_t = fuzz::SECONDS, value_parser = clap::value_parser!(u32).range(1..))]
        seconds: u32,
    },
    /// Builds the plugin in two folders and compares the bytes
    #[command(after_help = "Example: cargo xtask reproducible")]
    Reproducible,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether the result is positive; an `Err` is about usage or this machine.
fn run(command: Command) -> Result<bool> {
    let workspace = Workspace::find()?;
    match command {
        Command::Wasm { out } => wasm::run(&workspace, out),
        Command::Guests => guests::run(&workspace),
        Command::Envoy => envoy::run(&workspace),
        Command::Sdk { format } => sdk::run(&workspace, format),
        Command::Check { only } => check::run(&workspace, &only),
        Command::Fuzz { target, seconds } => fuzz::run(&workspace, target.as_deref(), seconds),
        Command::Reproducible => reproducible::run(&workspace),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
