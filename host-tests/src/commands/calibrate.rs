//! `weir calibrate`: proposes thresholds from a shadow period, or refits the weights on simulated seeds.
mod thresholds;

use super::{Format, Outcome, progress};
use anyhow::{Context, bail};
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use thresholds::ThresholdsArguments;
use weir_engine::detect::{Profile, Settings};
use weir_host::calibrate::{Plan, calibrate};
use weir_host::evaluate::Seeds;
use weir_host::world::WorldScenario;

/// Proposes detection thresholds from the decisions of a shadow period; or, without --decisions, refits the
/// detector's weights of evidence on simulated worlds and writes them as a profile
#[derive(Args)]
#[command(
    after_help = "Example: weir calibrate --decisions decisions.jsonl --false-positive-rate 0.001 --policy policies/frontier-api.yaml
Example: weir calibrate --scenario families --seeds 0..10 --scale 0.5 --name 2 --out profile.json"
)]
pub(crate) struct CalibrateCommand {
    #[command(flatten)]
    thresholds: ThresholdsArguments,
    /// A shipped world or a YAML file
    #[arg(
        long,
        value_name = "NAME|FILE",
        default_value = "families",
        conflicts_with = "decisions"
    )]
    scenario: String,
    /// Development seeds, the last excluded; results must be reported on others
    #[arg(
        long,
        value_name = "A..B",
        default_value = "0..10",
        conflicts_with = "decisions"
    )]
    seeds: Seeds,
    /// Multiplies accounts and exchanges of the scenario
    #[arg(
        long,
        value_name = "X",
        default_value_t = 1.0,
        conflicts_with = "decisions"
    )]
    scale: f64,
    /// Days after the burn-in, instead of the scenario's
    #[arg(long, value_name = "N", conflicts_with = "decisions")]
    days: Option<u32>,
    /// Profile to begin with; the shipped one without it. Where the worlds say little, its weights stay
    #[arg(long, value_name = "FILE", conflicts_with = "decisions")]
    base: Option<PathBuf>,
    /// Version of the new profile
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "refitted",
        conflicts_with = "decisions"
    )]
    name: String,
    /// Worlds at a time; as many as there are processors without it
    #[arg(long, value_name = "N", conflicts_with = "decisions")]
    jobs: Option<usize>,
    /// Where the profile goes
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "decisions",
        conflicts_with = "decisions"
    )]
    out: Option<PathBuf>,
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl CalibrateCommand {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        match (&self.thresholds.decisions, &self.out) {
            (Some(decisions), _) => self.thresholds.execute(decisions, self.format),
            (None, Some(_)) if self.thresholds.is_asked() => {
                bail!("thresholds are proposed from --decisions; leave --out away")
            }
            (None, Some(out)) => self.refit(out),
            (None, None) => bail!("name --decisions, or --out for a new profile"),
        }
    }

    fn refit(&self, out: &Path) -> anyhow::Result<Outcome> {
        let mut scenario = WorldScenario::load(&self.scenario)?;
        if !(self.scale > 0.0 && self.scale.is_finite()) {
            bail!("--scale {} must be a number above 0", self.scale);
        }
        scenario.scale *= self.scale;
        if let Some(days) = self.days {
            scenario.days = days;
        }
        let base = match &self.base {
            None => Profile::shipped(),
            Some(path) => {
                let text = std::fs::read(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                Profile::from_json(&text).with_context(|| path.display().to_string())?
            }
        };
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let plan = Plan {
            scenario,
            seeds: self.seeds.iter().collect(),
            jobs: self.jobs.unwrap_or_else(cores),
            settings: Settings::default(),
        };
        let bar = progress::count();
        let refit = calibrate(&plan, &base, &self.name, &|exchanges| bar.inc(exchanges));
        bar.finish_and_clear();
        let mut json = serde_json::to_vec_pretty(&refit.profile)?;
        json.push(b'\n');
        std::fs::write(out, json).with_context(|| format!("cannot write {}", out.display()))?;
        match self.format {
            Format::Text => writeln!(
                std::io::stderr(),
                "Profile {} in {}: fitted to {} accounts of campaigns and {} others, {} groups of campaigns and {} others; \
                 a benign group reached {:.1}, the boundary is {:.1}",
                refit.profile.version,
                out.display(),
                refit.accounts.0,
                refit.accounts.1,
                refit.groups.0,
                refit.groups.1,
                refit.benign_peak,
                refit.profile.boundary
            )?,
            Format::Json => writeln!(
                std::io::stdout(),
                "{}",
                serde_json::json!({
                    "version": refit.profile.version,
                    "out": out.display().to_string(),
                    "accounts": {"attack": refit.accounts.0, "benign": refit.accounts.1},
                    "groups": {"attack": refit.groups.0, "benign": refit.groups.1},
                    "benign_peak": refit.benign_peak,
                    "boundary": refit.profile.boundary,
                })
            )?,
        }
        Ok(Outcome::Fine)
    }
}
