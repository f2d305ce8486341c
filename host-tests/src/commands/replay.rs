//! `weir replay`: what a policy would have decided on recorded traffic.
mod run;

use super::policy::CheckedFile;
use super::{Format, Outcome, progress};
use anyhow::Context;
use clap::Args;
pub(crate) use run::Engine;
pub(super) use run::{Replay, Replayed};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use weir_engine::policy::Policy;
use weir_host::decision_log::DecisionLog;
use weir_host::trace::TraceReader;

/// Runs recorded exchanges through a policy and writes one decision per exchange
#[derive(Args)]
#[command(
    after_help = "Example: weir replay --policy policies/frontier-api.yaml --trace trace.jsonl --decisions decisions.jsonl"
)]
pub(crate) struct ReplayCommand {
    /// The policy, YAML or JSON
    #[arg(long, value_name = "POLICY")]
    policy: PathBuf,
    /// The recording: Weir's trace or the JSON of Envoy's HTTP tap filter; - is standard input
    #[arg(long, value_name = "FILE|-")]
    trace: PathBuf,
    /// Where decisions go, one JSON object per line; - is standard output
    #[arg(long, value_name = "FILE|-")]
    decisions: Option<PathBuf>,
    /// Workers that share the state, as Envoy's do; all cores by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
    /// What decides: the plugin as Envoy runs it, or the engine without a host
    #[arg(long, value_enum, default_value_t = Engine::Wasm)]
    engine: Engine,
    /// The plugin, instead of the one that the checkout builds
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// Counts records that are no exchange and goes on, instead of stopping
    #[arg(long)]
    skip_bad_lines: bool,
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl ReplayCommand {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        let (policy, json) = CheckedFile::require(&self.policy)?;
        let workers = self.workers.map_or_else(
            || available_parallelism().map_or(1, usize::from),
            usize::from,
        );
        let replay = Replay::new(
            self.engine,
            self.wasm.as_deref(),
            workers,
            self.skip_bad_lines,
        )?;
        let window = replay.window();
        let summary = match &self.decisions {
            Some(target) => {
                anyhow::ensure!(
                    !same_file(target, &self.trace),
                    "{} is the recording itself; name another file with --decisions",
                    target.display()
                );
                let cannot_write = || format!("cannot write {}", target.display());
                let log = DecisionLog::create(target, window).with_context(cannot_write)?;
                let summary = self.run(policy, &json, &replay, &log)?;
                log.finish().with_context(cannot_write)?;
                summary
            }
            None => self.run(
                policy,
                &json,
                &replay,
                &DecisionLog::new(io::sink(), window),
            )?,
        };
        self.tell(&summary, workers)?;
        Ok(Outcome::Fine)
    }

    fn run<W: Write + Send>(
        &self,
        policy: Policy,
        json: &str,
        replay: &Replay,
        log: &DecisionLog<W>,
    ) -> anyhow::Result<Replayed> {
        let reader = open(&self.trace)?;
        let progress = progress::count();
        let replayed = replay.run(policy, json, reader, log, |exchanges| {
            progress.inc(exchanges);
        });
        progress.finish_and_clear();
        replayed
    }

    #[expect(clippy::indexing_slicing, reason = "a JSON object takes any key")]
    fn tell(&self, summary: &Replayed, workers: usize) -> anyhow::Result<()> {
        let exchanges = summary.exchanges.max(1) as f64;
        let rate = summary.exchanges as f64 / summary.seconds.max(f64::EPSILON);
        match self.format {
            Format::Text => {
                let mut out = self.out();
                writeln!(
                    out,
                    "{} exchanges in {:.2} s: {rate:.0} exchanges/s with {workers} workers",
                    summary.exchanges, summary.seconds
                )?;
                if summary.skipped > 0 {
                    writeln!(
                        out,
                        "{} records were no exchange and were skipped",
                        summary.skipped
                    )?;
                }
                let actions: Vec<String> = summary
                    .actions
                    .iter()
                    .map(|(action, count)| format!("{action} {count}"))
                    .collect();
                writeln!(out, "actions: {}", actions.join(", "))?;
                let states: Vec<String> = summary
                    .actions
                    .states()
                    .map(|(state, accounts)| format!("{state} {accounts}"))
                    .collect();
                writeln!(out, "accounts by gravest state: {}", states.join(", "))?;
                writeln!(out, "shared data: {} bytes", summary.shared_data_bytes)?;
                if let Some(plugin) = &summary.plugin {
                    writeln!(
                        out,
                        "hostcalls an exchange: {:.2}",
                        plugin.hostcalls.total() as f64 / exchanges
                    )?;
                    for (call, count) in plugin.hostcalls.iter().filter(|(_, count)| *count > 0) {
                        writeln!(out, "  {:<42} {:.3}", call.name(), count as f64 / exchanges)?;
                    }
                    writeln!(
                        out,
                        "VM memory, largest worker: {} bytes",
                        plugin.memory_bytes
                    )?;
                    if let Some(leader) = &summary.leader {
                        writeln!(
                            out,
                            "leader of detection: {} hostcalls, {} bytes of VM memory",
                            leader.hostcalls.total(),
                            leader.memory_bytes
                        )?;
                    }
                }
                if let Some(target) = &self.decisions {
                    writeln!(out, "decisions: {}", target.display())?;
                }
            }
            Format::Json => {
                let actions: BTreeMap<&str, u64> = summary.actions.iter().collect();
                let states: BTreeMap<&str, u64> = summary.actions.states().collect();
                let mut result = json!({
                    "exchanges": summary.exchanges,
                    "skipped": summary.skipped,
                    "workers": workers,
                    "seconds": summary.seconds,
                    "exchanges_per_s": rate,
                    "actions": actions,
                    "accounts_by_state": states,
                    "shared_data_bytes": summary.shared_data_bytes,
                });
                if let Some(plugin) = &summary.plugin {
                    let calls: BTreeMap<&str, u64> = plugin
                        .hostcalls
                        .iter()
                        .filter(|(_, count)| *count > 0)
                        .map(|(call, count)| (call.name(), count))
                        .collect();
                    result["hostcalls_per_exchange"] =
                        json!(plugin.hostcalls.total() as f64 / exchanges);
                    result["hostcalls"] = json!(calls);
                    result["vm_entries"] = json!(plugin.vm_entries);
                    result["vm_memory_bytes"] = json!(plugin.memory_bytes);
                    if let Some(leader) = &summary.leader {
                        result["leader"] = json!({
                            "hostcalls": leader.hostcalls.total(),
                            "vm_memory_bytes": leader.memory_bytes,
                        });
                    }
                }
                writeln!(self.out(), "{result}")?;
            }
        }
        Ok(())
    }

    /// Results go to standard output, unless the decisions are there already.
    fn out(&self) -> Box<dyn Write> {
        let target = self.decisions.as_deref();
        if target.is_some_and(|target| target.as_os_str() == "-") {
            Box::new(io::stderr())
        } else {
            Box::new(io::stdout())
        }
    }
}

/// Whether both are one file that exists.
pub(super) fn same_file(left: &Path, right: &Path) -> bool {
    match (left.canonicalize(), right.canonicalize()) {
        (Ok(left), Ok(right)) => left == right && left.is_file(),
        _ => false,
    }
}

fn open(path: &Path) -> anyhow::Result<TraceReader> {
    TraceReader::open(path).with_context(|| format!("cannot read {}", path.display()))
}
