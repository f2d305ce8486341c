//! `weir evaluate`: how well campaigns are found, at what price for everybody else.
use super::policy::CheckedFile;
use super::replay::Engine;
use super::{Format, Outcome, progress};
use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use weir_engine::detect::{Profile, Settings};
use weir_host::artifact::Artifacts;
use weir_host::evaluate::{
    Agreement, Decides, Flood, Flooding, Loop, Plan, Report, Seeds, SimulatedSetup, Through,
    experiment, html, reading, table,
};
use weir_host::output::Output;
use weir_host::world::{Corpora, Sampling, WorldScenario};

/// Judges the detector on simulated worlds: what it finds, how soon, and whom it wrongs
#[derive(Args)]
#[command(
    after_help = "Example: weir evaluate --scenario families --seeds 100..120 --loop both --baselines --report report.html"
)]
pub(crate) struct EvaluateCommand {
    /// The policy whose detection is judged; the defaults without one
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Weights of the evidence, as `weir calibrate` writes them, instead of the policy's or the shipped ones
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// A shipped world (incident, families, a1 to a6, adaptations, organic, village) or a YAML file
    #[arg(long, value_name = "NAME|FILE", default_value = "incident")]
    scenario: String,
    /// Seeds that results are reported on, the end excluded
    #[arg(long, value_name = "A..B", default_value = "100..104")]
    seeds: Seeds,
    /// Seeds that baselines are calibrated and trained on
    #[arg(long, value_name = "A..B", default_value = "0..2")]
    dev_seeds: Seeds,
    /// Worlds at a time; as many as there are processors without it
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Whether restricted accounts are refused
    #[arg(long = "loop", value_enum, default_value_t = Loops::Open)]
    loops: Loops,
    /// Runs the baselines on the same exchanges as well (open loop)
    #[arg(long)]
    baselines: bool,
    /// Runs the detector with parts switched off as well (open loop)
    #[arg(long)]
    ablations: bool,
    /// Shares of campaign traffic in the burn-in, one evaluation each
    #[arg(
        long,
        value_name = "SHARE,...",
        value_delimiter = ',',
        default_value = "0"
    )]
    contamination: Vec<f64>,
    /// Multiplies accounts and exchanges of the scenario
    #[arg(long, value_name = "X")]
    scale: Option<f64>,
    /// Days that are scored, instead of the scenario's
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Days before, instead of the scenario's
    #[arg(long, value_name = "N")]
    burn_in_days: Option<u32>,
    /// Accounts that the detector has room for
    #[arg(long, value_name = "N")]
    max_accounts: Option<usize>,
    /// Runs the same worlds once more as rendered requests through the plugin (wasm) or the engine (native),
    /// holds every state against the evaluation's, and tells what detection costs the plugin
    #[arg(
        long,
        value_enum,
        value_name = "ENGINE",
        conflicts_with = "max_accounts"
    )]
    through: Option<Engine>,
    /// Share of organic accounts that take part in --through; campaigns always do
    #[arg(long, value_name = "1/N", default_value_t = Sampling::ALL)]
    sample: Sampling,
    /// The plugin for --through, instead of the one that the checkout builds
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// Floods the last day of the first seed with so many accounts of one request each, and tells who is forgotten
    #[arg(long, value_name = "ACCOUNTS", num_args = 0..=1, default_missing_value = "10000000")]
    flood: Option<u64>,
    /// Prompts of ordinary users, instead of made-up ones: JSON lines with `prompt`
    #[arg(long, value_name = "FILE")]
    organic_prompts: Option<PathBuf>,
    /// Prompts of extraction, instead of made-up ones: JSON lines with `prompt`
    #[arg(long, value_name = "FILE")]
    extraction_prompts: Option<PathBuf>,
    /// How results are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Writes the results as one HTML page as well
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// The policy whose detection runs through the plugin unless another is named.
const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/frontier-api.yaml");
/// Requests whose reading is measured.
const READ: usize = 2_000;

/// Which loops run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Loops {
    /// Everything is served
    Open,
    /// Restricted accounts are refused, and attackers react
    Closed,
    /// Both, one after the other
    Both,
}

impl EvaluateCommand {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        let plan = self.plan()?;
        let setup = self.setup()?;
        let first = plan.seeds.iter().next().unwrap_or_default();
        let exchanges = self.expected(&plan, &setup.scenario);
        let bar = progress::bar(exchanges);
        let runs = experiment(&plan, &setup, |more| bar.inc(more));
        bar.finish_and_clear();
        let reading = reading(&setup.scenario, first, &setup.corpora, READ)?;
        let through = self.through(&plan, &setup)?;
        let flood = self.flood.map(|accounts| {
            let flooding = Flooding {
                scenario: &setup.scenario,
                corpora: &setup.corpora,
                profile: &setup.profile,
                settings: &setup.settings,
                accounts,
            };
            flooding.run(first)
        });
        let report = Report {
            version: Report::VERSION,
            scenario: setup.scenario.name.clone(),
            seeds: plan.seeds.to_string(),
            dev_seeds: plan.dev_seeds.map(|seeds| seeds.to_string()),
            profile: setup.profile.version.clone(),
            runs,
            reading: Some(reading),
            through,
            flood,
        };
        let mut out = io::stdout();
        match self.format {
            Format::Text => write!(out, "{}", table(&report))?,
            Format::Json => writeln!(out, "{}", report.to_json()?)?,
        }
        if let Some(path) = &self.report {
            write_page(path, &html(&report))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let agrees = report.through.iter().all(Agreement::holds);
        let keeps = report.flood.as_ref().is_none_or(Flood::holds);
        Ok(if agrees && keeps {
            Outcome::Fine
        } else {
            Outcome::Negative
        })
    }

    /// The worlds of all seeds through the plugin or the engine, where that is asked for.
    fn through(&self, plan: &Plan, setup: &SimulatedSetup) -> anyhow::Result<Vec<Agreement>> {
        let Some(engine) = self.through else {
            return Ok(Vec::new());
        };
        let shipped = Path::new(SHIPPED);
        let (_, json) = CheckedFile::require(self.policy.as_deref().unwrap_or(shipped))?;
        let mut policy: Value = serde_json::from_str(&json)?;
        if let Some(path) = &self.profile {
            let profile: Value = serde_json::from_slice(&std::fs::read(path)?)?;
            let detection = policy.get_mut("detection").and_then(Value::as_object_mut);
            detection.map(|detection| detection.insert("profile".to_owned(), profile));
        }
        let wasm = match engine {
            Engine::Wasm => Some(std::fs::read(
                Artifacts::new().plugin(self.wasm.as_deref())?,
            )?),
            Engine::Native => None,
        };
        let bar = progress::count();
        let seeds = plan.seeds.iter().map(|seed| {
            let through = Through {
                scenario: &setup.scenario,
                corpora: &setup.corpora,
                sampling: self.sample,
                policy: &policy,
                decides: wasm.as_deref().map_or(Decides::Engine, Decides::Plugin),
                workers: 1,
            };
            through.run(seed, |more| bar.inc(more))
        });
        let agreements = seeds.collect::<Result<Vec<_>, _>>()?;
        bar.finish_and_clear();
        Ok(agreements)
    }

    fn plan(&self) -> anyhow::Result<Plan> {
        if self.baselines && self.dev_seeds.overlaps(self.seeds) {
            bail!(
                "seeds {} and dev seeds {} have seeds in common; baselines must not be calibrated on what they are judged by",
                self.seeds,
                self.dev_seeds
            );
        }
        if self
            .contamination
            .iter()
            .any(|share| !(0.0..=1.0).contains(share))
        {
            bail!("a contamination is a share between 0 and 1");
        }
        Ok(Plan {
            seeds: self.seeds,
            dev_seeds: self.baselines.then_some(self.dev_seeds),
            jobs: self
                .jobs
                .or_else(|| std::thread::available_parallelism().ok())
                .map_or(1, NonZeroUsize::get),
            loops: match self.loops {
                Loops::Open => vec![Loop::Open],
                Loops::Closed => vec![Loop::Closed],
                Loops::Both => vec![Loop::Open, Loop::Closed],
            },
            contamination: self.contamination.clone(),
        })
    }

    fn setup(&self) -> anyhow::Result<SimulatedSetup> {
        let mut scenario = WorldScenario::load(&self.scenario)?;
        if let Some(scale) = self.scale {
            if !(scale > 0.0 && scale <= 1000.0) {
                bail!("--scale must be above 0 and at most 1000");
            }
            scenario.scale *= scale;
        }
        if let Some(days) = self.days {
            scenario.days = days.clamp(1, 3650);
        }
        if let Some(days) = self.burn_in_days {
            scenario.burn_in_days = days.min(3650);
        }
        let (mut settings, mut profile) = match &self.policy {
            None => (Settings::default(), Profile::shipped()),
            Some(path) => {
                let (policy, _) = CheckedFile::require(path)?;
                let Some(detection) = policy.detection() else {
                    bail!(
                        "{} does not switch detection on; give it a `detection:` section or leave --policy out",
                        path.display()
                    );
                };
                (detection.settings(), detection.profile())
            }
        };
        if let Some(accounts) = self.max_accounts {
            settings.max_accounts = accounts.max(1);
        }
        if let Some(path) = &self.profile {
            let json =
                std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            profile = Profile::from_json(&json).with_context(|| path.display().to_string())?;
        }
        Ok(SimulatedSetup {
            scenario,
            profile,
            settings,
            ablations: self.ablations,
            corpora: Corpora::load(
                self.organic_prompts.as_deref(),
                self.extraction_prompts.as_deref(),
            )?,
        })
    }

    /// About how many exchanges all worlds together have, for the progress bar.
    fn expected(&self, plan: &Plan, scenario: &WorldScenario) -> u64 {
        let days = f64::from(scenario.burn_in_days) + f64::from(scenario.days);
        let one = scenario.exchanges_per_day * scenario.scale * days;
        let dev = plan.dev_seeds.map_or(0, |seeds| seeds.iter().count());
        let kinds = plan.loops.len() * plan.contamination.len();
        let worlds = dev + kinds * plan.seeds.iter().count();
        (one * worlds as f64) as u64
    }
}

fn write_page(path: &Path, page: &str) -> io::Result<()> {
    let mut output = Output::create(path)?;
    output.write_all(page.as_bytes())?;
    output.commit()
}
