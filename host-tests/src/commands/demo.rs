//! `weir demo`: the plugin in front of a mock LLM API, with a believable mix of traffic.
use super::policy::{CheckedFile, now};
use super::{Format, Outcome, progress};
use anyhow::Context;
use clap::Args;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use weir_host::artifact::{ArtifactError, Artifacts};
use weir_host::demo::{in_envoy, in_host, script};

/// Shows the plugin at work in a real Envoy, or in our own host where there is none
#[derive(Args)]
#[command(after_help = "Example: weir demo\n         weir demo --host wasm --format json")]
pub(crate) struct DemoCommand {
    /// What runs the plugin; without it a real Envoy, or our host where none can be had
    #[arg(long, value_enum)]
    host: Option<Host>,
    /// The plugin, instead of the one that the checkout builds
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// The policy, instead of the shipped one; then nothing is promised about the outcome
    #[arg(long, value_name = "POLICY")]
    policy: Option<PathBuf>,
    /// Where decision log, access log and metrics stay
    #[arg(long, value_name = "DIR", default_value = "target/demo")]
    dir: PathBuf,
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

/// The policy that the script was written for.
const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/frontier-api.yaml");
/// When the script's established accounts were created: well before any run.
const LONG_AGO: &str = "2025-01-01T00:00:00Z";

impl DemoCommand {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        let shipped = self.policy.is_none();
        let (_, policy) =
            CheckedFile::require(self.policy.as_deref().unwrap_or(Path::new(SHIPPED)))?;
        let artifacts = Artifacts::new();
        let wasm = artifacts.plugin(self.wasm.as_deref())?;
        let envoy = match self.host {
            Some(Host::Envoy) => Some(artifacts.envoy()?),
            Some(Host::Wasm) => None,
            None => match artifacts.envoy() {
                Ok(envoy) => Some(envoy),
                Err(error @ ArtifactError::NotThere { .. }) => return Err(error.into()),
                Err(error) => {
                    writeln!(
                        io::stderr(),
                        "weir: no Envoy ({error}); our own host runs the plugin"
                    )?;
                    None
                }
            },
        };
        let callers = script::callers(LONG_AGO);
        let asks: usize = callers.iter().map(|caller| caller.asks.len()).sum();
        let progress = progress::bar(asks as u64);
        std::fs::create_dir_all(&self.dir)
            .with_context(|| format!("cannot make {}", self.dir.display()))?;
        let lock = std::fs::File::create(self.dir.join("lock"))
            .with_context(|| format!("cannot write to {}", self.dir.display()))?;
        if lock.try_lock().is_err() {
            anyhow::bail!(
                "another demo runs in {}; wait, or name another --dir",
                self.dir.display()
            );
        }
        clear(&self.dir)?;
        let runtime =
            tokio::runtime::Runtime::new().context("cannot start the clients' threads")?;
        let ticked = progress.clone();
        let report = runtime.block_on(async {
            match &envoy {
                Some(envoy) => {
                    in_envoy::run(&callers, envoy, &wasm, policy, &self.dir, move || {
                        ticked.inc(1)
                    })
                    .await
                }
                None => {
                    in_host::run(&callers, &wasm, policy, &self.dir, now, || ticked.inc(1)).await
                }
            }
        })?;
        progress.finish_and_clear();
        match self.format {
            Format::Text => write!(io::stdout(), "{}", report.to_table(&callers))?,
            Format::Json => writeln!(io::stdout(), "{}", report.to_json(&callers))?,
        }
        let broken = if shipped {
            report.broken_promises(&callers)
        } else {
            Vec::new()
        };
        for promise in &broken {
            writeln!(io::stderr(), "weir: not as promised: {promise}")?;
        }
        Ok(if broken.is_empty() {
            Outcome::Fine
        } else {
            Outcome::Negative
        })
    }
}

/// Takes the last run's files away: logs are appended to, and would tell of both.
fn clear(dir: &Path) -> anyhow::Result<()> {
    for name in [
        "decisions.jsonl",
        "access.jsonl",
        "metrics.prom",
        "metrics.txt",
        "envoy.log",
    ] {
        match std::fs::remove_file(dir.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot clear {}", dir.display()));
            }
            _ => {}
        }
    }
    Ok(())
}
