//! `weir replay`: what a policy would have decided on recorded traffic.
use super::Format;
use clap::Args;
use std::path::PathBuf;

/// Runs recorded exchanges through a policy and writes one decision per exchange
#[derive(Args)]
#[command(
    after_help = "Example: weir replay --policy policies/frontier-api.yaml --trace trace.jsonl --decisions decisions.jsonl"
)]
pub(crate) struct ReplayCommand {
    /// The policy, YAML or JSON
    #[arg(long, value_name = "POLICY")]
    policy: PathBuf,
    /// The recording: Weir's trace or the JSON of Envoy's HTTP tap filter; - is standard input
    #[arg(long, value_name = "FILE|-")]
    trace: PathBuf,
    /// Where decisions go, one JSON object per line; - is standard output
    #[arg(long, value_name = "FILE|-")]
    decisions: Option<PathBuf>,
    /// Workers that share the state, as Envoy's do; all cores by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
    /// What decides: the plugin as Envoy runs it, or the engine without a host
    #[arg(long, value_enum, default_value_t = Engine::Wasm)]
    engine: Engine,
    /// The plugin, instead of the one that the checkout builds
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// Counts records that are no exchange and goes on, instead of stopping
    #[arg(long)]
    skip_bad_lines: bool,
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What decides in a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    /// The .wasm in our host.
    Wasm,
    /// The engine itself.
    Native,
}
