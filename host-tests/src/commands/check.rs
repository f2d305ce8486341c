//! `weir check`: says whether policies are valid, or prints the plugin configuration of one.
use super::Format;
use clap::Args;
use std::path::PathBuf;

/// Validates policies and tells every problem at once
#[derive(Args)]
#[command(
    after_help = "Example: weir check policies/frontier-api.yaml\n         weir check policies/frontier-api.yaml --emit-config > config.json"
)]
pub(crate) struct CheckCommand {
    /// Policies, YAML or JSON; - is standard input
    #[arg(required = true, value_name = "POLICY")]
    policies: Vec<PathBuf>,
    /// Prints the JSON that goes into the plugin configuration (one policy only)
    #[arg(long)]
    emit_config: bool,
    /// How problems are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}
