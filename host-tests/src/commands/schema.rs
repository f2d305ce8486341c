//! `weir schema`: prints the JSON Schema of policies, for editors.
use super::Outcome;
use clap::Args;
use std::io::{self, Write};

/// Prints the JSON Schema of policies, by which editors complete and mark them
#[derive(Args)]
#[command(after_help = "Example: weir schema > policies/schema/policy.schema.json

The first line of a policy tells an editor (with a YAML language server) where it is:
  # yaml-language-server: $schema=schema/policy.schema.json")]
pub(crate) struct SchemaCommand {}

impl SchemaCommand {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        writeln!(io::stdout(), "{:#}", weir_engine::policy::schema())?;
        Ok(Outcome::Fine)
    }
}
