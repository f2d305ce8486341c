//! `weir schema`: prints the JSON Schema of policies, for editors, or the reference, for people.
use super::Outcome;
use clap::{Args, ValueEnum};
use std::io::{self, Write};
use weir_host::policy_schema::PolicySchema;

/// Prints the JSON Schema of policies, by which editors complete and mark them
#[derive(Args)]
#[command(
    after_help = "Example: weir schema > policies/schema/policy.schema.json
          weir schema --format markdown > docs/policy-reference.md

The first line of a policy tells an editor (with a YAML language server) where the schema is:
  # yaml-language-server: $schema=schema/policy.schema.json"
)]
pub(crate) struct SchemaCommand {
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Page::Json)]
    format: Page,
}

/// How the schema is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Page {
    /// JSON Schema, draft 2020-12.
    Json,
    /// A table for each section.
    Markdown,
}

impl SchemaCommand {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        let schema = PolicySchema::default();
        let text = match self.format {
            Page::Json => schema.to_json(),
            Page::Markdown => schema.to_markdown(),
        };
        io::stdout().write_all(text.as_bytes())?;
        Ok(Outcome::Fine)
    }
}
