//! `weir calibrate --decisions`: thresholds for a wanted rate of false positives.
use crate::commands::policy::CheckedFile;
use crate::commands::{Format, Outcome, progress};
use anyhow::{Context, anyhow, bail, ensure};
use clap::Args;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use weir_host::calibrate::thresholds::{Asked, Cuts, Period, Refusal, Report, propose, table};

/// Words that stand for every campaign found.
const ALL: &str = "all";
/// Without rates of their own, this many times the wanted rate may come to `step_up` and to `watch`.
const STEP_UP_TIMES: f64 = 3.0;
const WATCH_TIMES: f64 = 10.0;

/// What is asked of a shadow period.
#[derive(Args)]
pub(super) struct ThresholdsArguments {
    /// Decisions of a period in shadow mode, one a line: an access log, or what `weir replay --decisions` wrote;
    /// - is standard input
    #[arg(long, value_name = "FILE|-", requires = "false_positive_rate")]
    pub(super) decisions: Option<PathBuf>,
    /// Share of innocent accounts that may be restricted within such a period
    #[arg(long, value_name = "SHARE", value_parser = share, requires = "decisions")]
    false_positive_rate: Option<f64>,
    /// Share that may come to `step_up`; three times the false-positive rate without it
    #[arg(long, value_name = "SHARE", value_parser = share, requires = "decisions")]
    step_up_rate: Option<f64>,
    /// Share that may come to `watch`; ten times the false-positive rate without it
    #[arg(long, value_name = "SHARE", value_parser = share, requires = "decisions")]
    watch_rate: Option<f64>,
    /// The policy that made the decisions, for its present thresholds
    #[arg(long, value_name = "POLICY", requires = "decisions")]
    policy: Option<PathBuf>,
    /// Campaigns that somebody has looked at and found to be real, or `all`: their accounts do not count as innocent
    #[arg(
        long,
        value_name = "CAMPAIGN",
        value_delimiter = ',',
        requires = "decisions"
    )]
    confirmed: Vec<String>,
    /// Counts lines that are no decisions and goes on, instead of stopping
    #[arg(long, requires = "decisions")]
    skip_bad_lines: bool,
}

impl ThresholdsArguments {
    /// Whether something was said that only --decisions has a use for: where --out excludes it, clap does not ask
    /// for it.
    pub(super) fn is_asked(&self) -> bool {
        let rates = [self.false_positive_rate, self.step_up_rate, self.watch_rate];
        rates.iter().any(Option::is_some)
            || self.policy.is_some()
            || self.skip_bad_lines
            || !self.confirmed.is_empty()
    }

    pub(super) fn execute(&self, decisions: &Path, format: Format) -> anyhow::Result<Outcome> {
        let rates = self.rates()?;
        let (present, digest) = self.present()?;
        let period = self.read(decisions, present)?;
        let asked = Asked {
            rates,
            all_confirmed: self.confirmed.iter().any(|campaign| campaign == ALL),
            confirmed: self
                .confirmed
                .iter()
                .filter(|campaign| *campaign != ALL)
                .cloned()
                .collect(),
            digest,
        };
        let report = propose(&period, &asked)
            .map_err(|refusal: Refusal| anyhow!("cannot calibrate: {refusal}"))?;
        tell(&report, format)?;
        Ok(Outcome::Fine)
    }

    /// For `watch`, `step_up` and `restrict`.
    fn rates(&self) -> anyhow::Result<[f64; 3]> {
        let Some(restrict) = self.false_positive_rate else {
            bail!("name --false-positive-rate");
        };
        let step_up = self
            .step_up_rate
            .unwrap_or((restrict * STEP_UP_TIMES).min(1.0));
        let watch = self
            .watch_rate
            .unwrap_or((restrict * WATCH_TIMES).min(1.0).max(step_up));
        ensure!(
            restrict <= step_up && step_up <= watch,
            "--watch-rate {watch} must be at least --step-up-rate {step_up}, and that at least --false-positive-rate {restrict}"
        );
        Ok([watch, step_up, restrict])
    }

    /// The thresholds under which the decisions were made, and the digest of the policy that names them.
    fn present(&self) -> anyhow::Result<(Cuts, Option<String>)> {
        let Some(path) = &self.policy else {
            return Ok((Cuts::default(), None));
        };
        let (policy, _) = CheckedFile::require(path).map_err(|error| anyhow!("{error:#}"))?;
        let Some(detection) = policy.detection() else {
            bail!("{} has no `detection` to calibrate", path.display());
        };
        let settings = detection.settings();
        // As it was written: an f32 has no more digits.
        let written = |score: f32| (f64::from(score) * 1e6).round() / 1e6;
        let cuts = Cuts {
            watch: written(settings.watch),
            step_up: written(settings.step_up),
            restrict: written(settings.restrict),
        };
        Ok((cuts, Some(policy.digest().to_owned())))
    }

    fn read(&self, decisions: &Path, present: Cuts) -> anyhow::Result<Period> {
        let is_stdin = decisions.as_os_str() == "-";
        let named = || format!("cannot read {}", decisions.display());
        let (input, bytes): (Box<dyn BufRead>, _) = if is_stdin {
            let policy = self.policy.as_ref();
            ensure!(
                policy.is_none_or(|policy| policy.as_os_str() != "-"),
                "only one of --decisions and --policy can be standard input"
            );
            (Box::new(io::stdin().lock()), None)
        } else {
            let file = File::open(decisions).with_context(named)?;
            let metadata = file.metadata().with_context(named)?;
            ensure!(!metadata.is_dir(), "{} is a folder", decisions.display());
            let bytes = metadata.is_file().then_some(metadata.len());
            (Box::new(BufReader::new(file)), bytes)
        };
        let bar = progress::bytes(bytes);
        let period = Period::read(input, present, self.skip_bad_lines, |bytes| bar.inc(bytes));
        bar.finish_and_clear();
        period.with_context(|| decisions.display().to_string())
    }
}

fn tell(report: &Report, format: Format) -> anyhow::Result<()> {
    let mut out = io::stdout();
    match format {
        Format::Text => write!(out, "{}", table(report))?,
        Format::Json => writeln!(out, "{}", serde_json::to_string(report)?)?,
    }
    Ok(())
}

/// A share above 0 and below 1.
fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("write a share above 0 and below 1, like 0.001".to_owned()),
    }
}
