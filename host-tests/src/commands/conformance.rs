//! `weir conformance`: whether our host behaves as a real Envoy does.
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::bail;
use clap::Args;
use weir_host::artifact::Artifacts;
use weir_host::conformance::{EnvoyRun, HostRun, Modules, Report, Suite, random};
use weir_host::scenario::Scenario;

use super::{Format, Outcome, progress};

/// Runs one corpus of scenarios in our host and in a real Envoy and tells every difference
#[derive(Args)]
#[command(after_help = "Example: weir conformance --random 10000 --format json")]
pub(crate) struct ConformanceCommand {
    /// Items of the checklist (numbers) or scenarios (parts of their names); the whole corpus without it
    #[arg(long, value_name = "ITEM|NAME,...", value_delimiter = ',')]
    only: Vec<String>,
    /// Runs this many random scenarios as well
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    random: u64,
    /// Seed of the first random scenario; the others follow
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Scenarios at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Scenarios instead of the shipped corpus: a YAML file or a folder of them
    #[arg(long, value_name = "PATH")]
    corpus: Option<PathBuf>,
    /// Prints the random scenario of --seed as a file for --corpus, and runs nothing
    #[arg(long, conflicts_with_all = ["only", "random", "corpus", "format"])]
    show: bool,
    /// How results are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl ConformanceCommand {
    pub(crate) fn execute(&self) -> anyhow::Result<Outcome> {
        if self.show {
            let scenario = random::scenario(self.seed);
            writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&scenario)?)?;
            return Ok(Outcome::Fine);
        }
        let scenarios = self.scenarios()?;
        let artifacts = Artifacts::new();
        let guests = artifacts.guests()?;
        let modules = Modules {
            probe: guests.join("probe.wasm"),
            guests: Some(guests),
        };
        let envoy = EnvoyRun::new(artifacts.envoy()?);
        let suite = Suite::new(HostRun::new(modules)?, envoy, self.jobs.into());
        let bar = progress::scenarios(scenarios.len() as u64 + self.random);
        let compared = suite.corpus(&scenarios, &|| bar.inc(1))?;
        let random = match self.random {
            0 => None,
            count => {
                let bar = bar.clone();
                let progress: Rc<dyn Fn()> = Rc::new(move || bar.inc(1));
                Some(suite.random(self.seed, count, &progress)?)
            }
        };
        let report = Report::of(&compared, random);
        bar.finish_and_clear();
        match self.format {
            Format::Text => write!(io::stdout(), "{}", report.text())?,
            Format::Json => writeln!(io::stdout(), "{}", serde_json::to_string(&report)?)?,
        }
        Ok(match report.is_clean() {
            true => Outcome::Fine,
            false => Outcome::Negative,
        })
    }
    fn scenarios(&self) -> anyhow::Result<Vec<Scenario>> {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
        let corpus = self.corpus.as_deref().unwrap_or(&shipped);
        let mut scenarios = match corpus.is_dir() {
            true => Scenario::read_folder(corpus)?,
            false => Scenario::read_file(corpus)?,
        };
        if scenarios.is_empty() {
            bail!("{} holds no scenario", corpus.display());
        }
        if !self.only.is_empty() {
            scenarios.retain(|scenario| self.only.iter().any(|only| names(scenario, only)));
            if scenarios.is_empty() && self.random == 0 {
                bail!("no scenario shows or is named {}", self.only.join(", "));
            }
        }
        Ok(scenarios)
    }
}

/// Whether `only` is one of the scenario's items, or part of its name.
fn names(scenario: &Scenario, only: &str) -> bool {
    match only.parse() {
        Ok(item) => scenario.items.contains(&item),
        Err(_) => scenario.name.contains(only),
    }
}
