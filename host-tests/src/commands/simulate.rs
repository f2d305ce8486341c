//! `weir simulate`: makes a trace.
use super::{Format, Outcome, progress};
use anyhow::{Context, bail};
use clap::Args;
use indicatif::ProgressBar;
use std::io::Write;
use std::path::{Path, PathBuf};
use weir_host::output::Output;
use weir_host::simulate::{self, Scenario, Simulation, Sources};
use weir_host::world::{self, Corpora, Recording, WorldScenario};

/// Written at once; large enough that system calls do not show.
const CHUNK_BYTES: usize = 1 << 20;

/// A key that only worlds have.
const WORLD_KEY: &str = "burn_in_days:";

/// Makes a trace of believable LLM traffic; the same seed and inputs give the same bytes
#[derive(Args)]
#[command(
    after_help = "Example: weir simulate --scenario mixed --seed 7 --exchanges 20000 --out trace.jsonl\nA world: weir simulate --scenario world/village --seed 7 --out village.jsonl"
)]
pub(crate) struct SimulateCommand {
    /// A shipped scenario (mixed, organic, campaign, million-accounts), a world with days and campaigns
    /// (world/village, world/incident, ...), or a YAML file of either kind
    #[arg(long, value_name = "NAME|FILE", default_value = "mixed")]
    scenario: String,
    /// Where all randomness comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Exchanges to make, instead of the scenario's number; a world ends with its last day at the latest
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
        let (mut traffic, name, exchanges) = self.traffic()?;
        let mut output = Output::create(&self.out).with_context(|| cannot_write(&self.out))?;
        let progress = if to_stdout {
            ProgressBar::hidden()
        } else {
            progress::bar(match &traffic {
                Traffic::Endless(_) => exchanges,
                Traffic::World(recording) => recording.expected().min(exchanges),
            })
        };
        let (exchanges, bytes) = write(&mut traffic, exchanges, &mut output, &progress)
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

/// Where lines come from.
enum Traffic {
    Endless(Box<Simulation>),
    World(Box<Recording>),
}

impl Traffic {
    /// Appends the next line; false when there is none.
    fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Endless(simulation) => {
                simulation.write_next(out);
                true
            }
            Self::World(recording) => recording.write_next(out),
        }
    }
}

impl SimulateCommand {
    /// The traffic asked for, the scenario's name, and how many exchanges to make of it.
    fn traffic(&self) -> anyhow::Result<(Traffic, String, u64)> {
        if let Some(scenario) = world(&self.scenario)? {
            if !self.arrivals.is_empty() {
                bail!(
                    "--arrivals is for scenarios without days; a world knows when its people come"
                );
            }
            let organic = self.organic_prompts.as_deref();
            let corpora = Corpora::load(organic, self.extraction_prompts.as_deref())?;
            let recording = Recording::new(&scenario, self.seed, corpora);
            let exchanges = self.exchanges.unwrap_or(u64::MAX);
            return Ok((
                Traffic::World(Box::new(recording)),
                scenario.name,
                exchanges,
            ));
        }
        let scenario = Scenario::load(&self.scenario)?;
        let name = scenario.name.clone();
        let exchanges = self.exchanges.unwrap_or(scenario.exchanges);
        let sources = Sources {
            organic_prompts: self.organic_prompts.clone(),
            extraction_prompts: self.extraction_prompts.clone(),
            arrivals: self.arrivals.clone(),
        };
        let simulation = Simulation::new(scenario, self.seed, &sources)?;
        Ok((Traffic::Endless(Box::new(simulation)), name, exchanges))
    }
}

/// The world of this name or file; `None` for a scenario of the other kind and for what is neither.
fn world(name: &str) -> anyhow::Result<Option<WorldScenario>> {
    let shipped = |scenarios: &[(&str, &str)], name: &str| {
        scenarios.iter().any(|(shipped, _)| *shipped == name)
    };
    let bare = name
        .strip_prefix("world/")
        .filter(|bare| shipped(&world::SHIPPED, bare));
    let is_world = match bare {
        Some(_) => true,
        None if shipped(&simulate::SHIPPED, name) => false,
        None if shipped(&world::SHIPPED, name) => true,
        None => std::fs::read_to_string(name)
            .is_ok_and(|text| text.lines().any(|line| line.starts_with(WORLD_KEY))),
    };
    Ok(is_world
        .then(|| WorldScenario::load(bare.unwrap_or(name)))
        .transpose()?)
}

/// Writes at most `exchanges` lines; gives how many there were, and their bytes.
fn write(
    traffic: &mut Traffic,
    exchanges: u64,
    output: &mut Output,
    progress: &ProgressBar,
) -> std::io::Result<(u64, u64)> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES * 2);
    let (mut made, mut bytes) = (0, 0);
    while made < exchanges && traffic.write_next(&mut chunk) {
        made += 1;
        if chunk.len() >= CHUNK_BYTES {
            output.write_all(&chunk)?;
            bytes += chunk.len() as u64;
            chunk.clear();
            progress.set_position(made);
        }
    }
    output.write_all(&chunk)?;
    output.flush()?;
    Ok((made, bytes + chunk.len() as u64))
}

fn cannot_write(out: &Path) -> String {
    format!("cannot write {}", out.display())
}
