//! `weir test` without `--plugin`: cases of a policy, on every host that is asked for.
use super::{Format, Outcome, progress, replay::same_file};
use anyhow::Context;
use clap::Args;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use weir_host::artifact::Artifacts;
use weir_host::cases::suite::{Hosts, run_all};
use weir_host::cases::watch::Watch;
use weir_host::cases::{junit, read};

/// How cases are run and told.
#[derive(Args)]
pub(crate) struct CaseOptions {
    /// Where cases run. What two hosts make of one case must not differ
    #[arg(long, value_enum, default_value_t = HostChoice::Both, conflicts_with = "plugin")]
    host: HostChoice,
    /// The plugin, instead of the one that the checkout builds
    #[arg(long, value_name = "FILE.wasm", conflicts_with = "plugin")]
    wasm: Option<PathBuf>,
    /// Runs the cases with this in their name
    #[arg(long, value_name = "TEXT", conflicts_with = "plugin")]
    filter: Option<String>,
    /// Writes results as JUnit's XML, too
    #[arg(long, value_name = "FILE", conflicts_with = "plugin")]
    junit: Option<PathBuf>,
    /// Fails where less of the policies' rules is covered
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "plugin")]
    coverage_at_least: Option<f64>,
    /// Runs again whenever a file changes that has to do with it, until interrupted
    #[arg(long, conflicts_with = "plugin")]
    watch: bool,
}

/// Where cases run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum HostChoice {
    /// The engine itself, and the .wasm in our host
    Both,
    /// The engine itself
    Native,
    /// The .wasm in our host
    Wasm,
    /// The .wasm in a real Envoy
    Envoy,
    /// All of them
    All,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("not a number from 0 to 100".to_owned()),
    }
}

impl CaseOptions {
    pub(crate) fn execute(&self, paths: &[PathBuf], format: Format) -> anyhow::Result<Outcome> {
        let hosts = self.hosts()?;
        loop {
            let mut files = BTreeSet::new();
            let outcome = self.run_once(paths, &hosts, format, &mut files);
            if !self.watch {
                return outcome;
            }
            // What is wrong now may be mended by the next change.
            if let Err(error) = outcome {
                writeln!(io::stderr(), "weir: {error:#}")?;
            }
            files.extend(paths.iter().cloned());
            files.extend(self.wasm.clone());
            let watch = Watch::new(&files);
            writeln!(io::stderr(), "watching {} files", files.len())?;
            watch.wait();
        }
    }

    fn hosts(&self) -> anyhow::Result<Hosts> {
        use HostChoice::{All, Both, Envoy, Native, Wasm};
        let artifacts = Artifacts::new();
        let plugin = match self.host {
            Native => None,
            Both | Wasm | Envoy | All => Some(artifacts.plugin(self.wasm.as_deref())?),
        };
        let envoy = match (self.host, &plugin) {
            (Envoy | All, Some(plugin)) => Some((artifacts.envoy()?, plugin.clone())),
            _ => None,
        };
        Ok(Hosts {
            native: matches!(self.host, Native | Both | All),
            wasm: plugin.filter(|_| matches!(self.host, Wasm | Both | All)),
            envoy,
        })
    }

    fn run_once(
        &self,
        paths: &[PathBuf],
        hosts: &Hosts,
        format: Format,
        files: &mut BTreeSet<PathBuf>,
    ) -> anyhow::Result<Outcome> {
        let mut cases = read(paths, files)?;
        if let Some(wanted) = &self.filter {
            cases.retain(|case| case.name.contains(wanted.as_str()));
            anyhow::ensure!(!cases.is_empty(), "no case has `{wanted}` in its name");
        }
        if let Some(path) = &self.junit {
            anyhow::ensure!(
                !files.iter().any(|file| same_file(file, path)),
                "--junit names {}, which is one of the files that are read; name another",
                path.display()
            );
        }
        let bar = progress::cases((cases.len() * hosts.count()) as u64);
        let report = run_all(&cases, hosts, &|_, _| bar.inc(1));
        bar.finish_and_clear();
        let report = report?;
        if let Some(path) = &self.junit {
            let cannot = || format!("cannot write {}", path.display());
            std::fs::write(path, junit::document(&report)).with_context(cannot)?;
        }
        let mut out = io::stdout();
        match format {
            Format::Text => write!(out, "{report}")?,
            Format::Json => writeln!(out, "{}", report.to_json())?,
        }
        out.flush()?;
        let least = self.coverage_at_least.unwrap_or(0.0);
        let covered = report.coverage.percent();
        if covered < least {
            writeln!(
                io::stderr(),
                "{covered:.1} % of the rules are covered, which is less than {least} %"
            )?;
        }
        Ok(match report.failed() == 0 && covered >= least {
            true => Outcome::Fine,
            false => Outcome::Negative,
        })
    }
}
