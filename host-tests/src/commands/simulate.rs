//! `weir simulate`: makes a trace.
use super::{Format, Outcome, progress};
use anyhow::{Context, bail};
use clap::Args;
use indicatif::ProgressBar;
use std::io::Write;
use std::path::{Path, PathBuf};
use weir_host::output::Output;
use weir_host::simulate::{Scenario, Simulation, Sources};

/// Written at once; large enough that system calls do not show.
const CHUNK_BYTES: usize = 1 << 20;

/// Makes a trace of believable LLM traffic; the same seed and inputs give the same bytes
#[derive(Args)]
#[command(
    after_help = "Example: weir simulate --scenario mixed --seed 7 --exchanges 20000 --out trace.jsonl"
)]
pub(crate) struct SimulateCommand {
    /// A shipped scenario (mixed, organic, campaign, million-accounts) or a YAML file
    #[arg(long, value_name = "NAME|FILE", default_value = "mixed")]
    scenario: String,
    /// Where all randomness comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Exchanges to make, instead of the scenario's number
    #[arg(long, value_name = "N")]
    exchanges: Option<u64>,
    /// Prompts of ordinary users, instead of made-up ones: JSON lines with `prompt`
    #[arg(long, value_name = "FILE")]
    organic_prompts: Option<PathBuf>,
    /// Prompts of extraction, instead of made-up ones: JSON lines with `prompt`
    #[arg(long, value_name = "FILE")]
    extraction_prompts: Option<PathBuf>,
    /// Recorded arrivals, repeated as needed: CSV with TIMESTAMP,ContextTokens,GeneratedTokens (may be given several times)
    #[arg(long, value_name = "FILE")]
    arrivals: Vec<PathBuf>,
    /// Where the trace goes; - is standard output
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    out: PathBuf,
    /// How the summary is printed, when the trace goes to a file
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl SimulateCommand {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        let to_stdout = self.out.as_os_str() == "-";
        if to_stdout && self.format == Format::Json {
            bail!(
                "--format json prints a summary on standard output, where the trace goes already; name a file with --out"
            );
        }
        let scenario = Scenario::load(&self.scenario)?;
        let name = scenario.name.clone();
        let exchanges = self.exchanges.unwrap_or(scenario.exchanges);
        let sources = Sources {
            organic_prompts: self.organic_prompts,
            extraction_prompts: self.extraction_prompts,
            arrivals: self.arrivals,
        };
        let mut simulation = Simulation::new(scenario, self.seed, &sources)?;
        let mut output = Output::create(&self.out).with_context(|| cannot_write(&self.out))?;
        let progress = if to_stdout {
            ProgressBar::hidden()
        } else {
            progress::bar(exchanges)
        };
        let bytes = write(&mut simulation, exchanges, &mut output, &progress)
            .with_context(|| cannot_write(&self.out))?;
        output.commit().with_context(|| cannot_write(&self.out))?;
        progress.finish_and_clear();
        let out = self.out.display().to_string();
        match self.format {
            Format::Text if to_stdout => {}
            Format::Text => writeln!(
                std::io::stderr(),
                "{exchanges} exchanges of scenario {name} with seed {} ({:.1} MB) in {out}",
                self.seed,
                bytes as f64 / 1e6
            )?,
            Format::Json => writeln!(
                std::io::stdout(),
                "{}",
                serde_json::json!({ "scenario": name, "seed": self.seed, "exchanges": exchanges, "bytes": bytes, "out": out })
            )?,
        }
        Ok(Outcome::Fine)
    }
}

fn write(
    simulation: &mut Simulation,
    exchanges: u64,
    output: &mut Output,
    progress: &ProgressBar,
) -> std::io::Result<u64> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES * 2);
    let mut bytes = 0;
    for made in 1..=exchanges {
        simulation.write_next(&mut chunk);
        if chunk.len() >= CHUNK_BYTES {
            output.write_all(&chunk)?;
            bytes += chunk.len() as u64;
            chunk.clear();
            progress.set_position(made);
        }
    }
    output.write_all(&chunk)?;
    output.flush()?;
    Ok(bytes + chunk.len() as u64)
}

fn cannot_write(out: &Path) -> String {
    format!("cannot write {}", out.display())
}
