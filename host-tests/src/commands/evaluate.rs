//! `weir evaluate`: how well campaigns are found, at what price for everybody else.
use super::policy::CheckedFile;
use super::{Format, Outcome, progress};
use anyhow::{Context, bail};
use clap::Args;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use weir_engine::detect::{Profile, Settings};
use weir_host::evaluate::{Loop, Plan, Report, Seeds, SimulatedSetup, experiment, html, table};
use weir_host::output::Output;
use weir_host::world::{Corpora, WorldScenario};

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
    /// A shipped world (incident, families, a1 to a6, organic, village) or a YAML file
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
        let exchanges = self.expected(&plan, &setup.scenario);
        let bar = progress::bar(exchanges);
        let runs = experiment(&plan, &setup, |more| bar.inc(more));
        bar.finish_and_clear();
        let report = Report {
            version: Report::VERSION,
            scenario: setup.scenario.name.clone(),
            seeds: plan.seeds.to_string(),
            dev_seeds: plan.dev_seeds.map(|seeds| seeds.to_string()),
            profile: setup.profile.version.clone(),
            runs,
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
        Ok(Outcome::Fine)
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
