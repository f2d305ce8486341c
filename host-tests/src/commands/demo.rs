//! `weir demo`: the plugin in front of a mock LLM API, with a believable mix of traffic.
use super::Format;
use clap::Args;
use std::path::PathBuf;

/// Shows the plugin at work in a real Envoy, or in our own host where there is none
#[derive(Args)]
#[command(after_help = "Example: weir demo\n         weir demo --host wasm --format json")]
pub(crate) struct DemoCommand {
    /// What runs the plugin
    #[arg(long, value_enum, default_value_t = Host::Envoy)]
    host: Host,
    /// The plugin, instead of the one that the checkout builds
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What runs the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Host {
    /// A real Envoy.
    Envoy,
    /// Our host on wasmtime.
    Wasm,
}
