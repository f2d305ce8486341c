//! The `weir` command.
//!
//! Results on stdout, everything for people on stderr. Exit 0 fine, 1 negative result, 2 usage or
//! environment; a reader that stops reading (`| head`) is fine too.
mod commands;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Checks, replays and demonstrates policies of the Weir plugin for LLM APIs
#[derive(Parser)]
#[command(
    name = "weir",
    version,
    after_help = "Exit status: 0 fine, 1 negative result, 2 wrong usage or environment"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(commands::demo::DemoCommand),
    Check(commands::check::CheckCommand),
    Schema(commands::schema::SchemaCommand),
    Replay(commands::replay::ReplayCommand),
    Diff(commands::diff::DiffCommand),
    Test(commands::test::TestCommand),
    Simulate(commands::simulate::SimulateCommand),
    Evaluate(Box<commands::evaluate::EvaluateCommand>),
    Calibrate(commands::calibrate::CalibrateCommand),
    Conformance(commands::conformance::ConformanceCommand),
}

fn main() -> ExitCode {
    commands::exit(run(Arguments::parse()))
}

fn run(arguments: Arguments) -> anyhow::Result<commands::Outcome> {
    match arguments.command {
        Command::Demo(command) => command.execute(),
        Command::Check(command) => command.execute(),
        Command::Schema(command) => command.execute(),
        Command::Replay(command) => command.execute(),
        Command::Diff(command) => command.execute(),
        Command::Test(command) => command.execute(),
        Command::Simulate(command) => command.execute(),
        Command::Evaluate(command) => command.execute(),
        Command::Calibrate(command) => command.execute(),
        Command::Conformance(command) => command.execute(),
    }
}
