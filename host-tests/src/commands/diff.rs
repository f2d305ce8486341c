//! `weir diff`: who gets another answer from a candidate policy on recorded traffic.
use super::policy::CheckedFile;
use super::replay::{Engine, Replay, Replayed, same_file};
use super::{Format, Outcome, progress};
use anyhow::{Context, anyhow, ensure};
use clap::Args;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use weir_engine::policy::Policy;
use weir_engine::store::StoreError;
use weir_host::decision_log::DecisionLog;
use weir_host::diff::feed::{Feed, FeedReader};
use weir_host::diff::pairing::{Pairing, Side};
use weir_host::diff::{self, Comparison, Report, Reviewed};
use weir_host::output::Output;
use weir_host::replay::ReplayError;
use weir_host::replay::plugin::PluginFault;
use weir_host::trace::TraceReader;

/// Replays recorded exchanges under two policies and tells who gets another answer
#[derive(Args)]
#[command(
    after_help = "Example: weir diff --policy policies/frontier-api.yaml --candidate stricter.yaml --trace yesterday.jsonl --html diff.html

Both policies are replayed as if they enforced, whatever their rollout says. Exit status: 0 every exchange
gets the same action from both, 1 some do not, 2 it could not be found out."
)]
pub(crate) struct DiffCommand {
    /// The policy that is in force, YAML or JSON
    #[arg(long, value_name = "POLICY")]
    policy: PathBuf,
    /// The policy that may take its place
    #[arg(long, value_name = "POLICY")]
    candidate: PathBuf,
    /// The recording: Weir's trace or the JSON of Envoy's HTTP tap filter; - is standard input
    #[arg(long, value_name = "FILE|-")]
    trace: PathBuf,
    /// What decides: the plugin as Envoy runs it, or the engine without a host
    #[arg(long, value_enum, default_value_t = Engine::Wasm)]
    engine: Engine,
    /// The plugin, instead of the one that the checkout builds
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// Workers of each of the two replays. With one, what differs is due to the policies alone; more race for
    /// the last of a budget, in both replays by themselves
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: u16,
    /// Exchanges shown of each change, and accounts listed
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    examples: u16,
    /// Writes the comparison as a page, too; - is standard output
    #[arg(long, value_name = "FILE|-")]
    html: Option<PathBuf>,
    /// Counts records that are no exchange and goes on, instead of stopping
    #[arg(long)]
    skip_bad_lines: bool,
    /// How the comparison is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl DiffCommand {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        let inputs = [&self.policy, &self.candidate, &self.trace];
        let from_stdin = inputs.iter().filter(|path| path.as_os_str() == "-");
        ensure!(
            from_stdin.count() < 2,
            "only one of --policy, --candidate and --trace can be standard input"
        );
        if let Some(html) = &self.html {
            ensure!(
                !inputs.iter().any(|input| same_file(html, input)),
                "{} is read already; name another file with --html",
                html.display()
            );
        }
        let policy = Contestant::read(&self.policy)?;
        let candidate = Contestant::read(&self.candidate)?;
        let replay = Replay::new(
            self.engine,
            self.wasm.as_deref(),
            usize::from(self.workers),
            self.skip_bad_lines,
        )?;
        let input = Input::open(&self.trace)?;
        let reviewed = [policy.reviewed.clone(), candidate.reviewed.clone()];
        let (comparison, replayed) = compare(
            &replay,
            [policy, candidate],
            input,
            usize::from(self.examples),
        )?;
        let [policy, candidate] = reviewed;
        let report = Report {
            engine: self.engine.name().to_owned(),
            workers: usize::from(self.workers),
            skipped: replayed.skipped,
            ..comparison.report(policy, candidate)
        };
        // No difference over nothing would pass every review.
        ensure!(
            report.exchanges > 0,
            "there is no exchange in {} to compare over ({} lines were skipped); record some, or simulate them with `weir simulate`",
            self.trace.display(),
            report.skipped
        );
        self.tell(&report)?;
        Ok(match report.is_same() {
            true => Outcome::Fine,
            false => Outcome::Negative,
        })
    }

    fn tell(&self, report: &Report) -> anyhow::Result<()> {
        if let Some(target) = &self.html {
            let cannot_write = || format!("cannot write {}", target.display());
            let mut output = Output::create(target).with_context(cannot_write)?;
            output
                .write_all(diff::html(report).as_bytes())
                .with_context(cannot_write)?;
            output.commit().with_context(cannot_write)?;
        }
        let is_taken = self
            .html
            .as_ref()
            .is_some_and(|html| html.as_os_str() == "-");
        let mut out: Box<dyn Write> = match is_taken {
            true => Box::new(io::stderr()),
            false => Box::new(io::stdout()),
        };
        match self.format {
            Format::Text => write!(out, "{}", diff::table(report))?,
            Format::Json => writeln!(out, "{}", serde_json::to_string(report)?)?,
        }
        Ok(())
    }
}

/// A policy that takes part, as if it enforced.
struct Contestant {
    reviewed: Reviewed,
    policy: Policy,
    json: String,
}

impl Contestant {
    fn read(path: &Path) -> anyhow::Result<Self> {
        // A refused policy is no result of a comparison: status 2 and not 1.
        let (given, json) = CheckedFile::require(path).map_err(|error| anyhow!("{error:#}"))?;
        let reviewed = Reviewed {
            file: path.display().to_string(),
            name: given.name().to_owned(),
            version: given.version().to_owned(),
            digest: given.digest().to_owned(),
            mode: given.mode().to_owned(),
        };
        let json = enforcing(&json)?;
        let policy = Policy::check(json.as_bytes(), None).policy;
        let policy = policy
            .with_context(|| format!("{} is refused as soon as it enforces", path.display()))?;
        Ok(Self {
            reviewed,
            policy,
            json,
        })
    }
}

/// The document with its rollout replaced: what a mode holds back would change what the detector and the
/// budgets see later on, and two policies would differ for nothing but their modes.
fn enforcing(json: &str) -> anyhow::Result<String> {
    let mut document: Value = serde_json::from_str(json)?;
    if let Some(document) = document.as_object_mut() {
        document.insert("rollout".to_owned(), json!({"mode": "enforce"}));
    }
    Ok(document.to_string())
}

/// The recording, not yet looked at.
struct Input {
    reader: Box<dyn Read + Send>,
    /// How long it is, where that is known.
    bytes: Option<u64>,
}

impl Input {
    fn open(path: &Path) -> anyhow::Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self {
                reader: Box::new(io::stdin()),
                bytes: None,
            });
        }
        let cannot_read = || format!("cannot read {}", path.display());
        let file = File::open(path).with_context(cannot_read)?;
        let metadata = file.metadata().with_context(cannot_read)?;
        ensure!(!metadata.is_dir(), "{} is a folder", path.display());
        Ok(Self {
            bytes: metadata.is_file().then_some(metadata.len()),
            reader: Box::new(file),
        })
    }
}

/// Replays `input` under both at once and compares their decisions as they come.
fn compare(
    replay: &Replay,
    contestants: [Contestant; 2],
    input: Input,
    examples: usize,
) -> anyhow::Result<(Comparison, Replayed)> {
    let pairing = Pairing::new(Comparison::new(examples));
    let (feed, [before, after]) = Feed::new();
    let [before_side, after_side] = pairing.sides();
    let [policy, candidate] = contestants;
    let progress = progress::bytes(input.bytes);
    let outcomes = thread::scope(|scope| {
        let threads = [
            (policy, before, before_side),
            (candidate, after, after_side),
        ]
        .map(|(contestant, reader, side)| {
            scope.spawn(move || one(replay, contestant, reader, side))
        });
        feed.pump(input.reader, |bytes| progress.inc(bytes));
        threads.map(|thread| thread.join())
    });
    progress.finish_and_clear();
    let mut failures = Vec::new();
    let mut replayed = None;
    for outcome in outcomes {
        match outcome {
            Ok(Ok(done)) => replayed = Some(done),
            Ok(Err(error)) => failures.push(error),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    if let Some(failure) = pairing.failure() {
        return Err(failure.into());
    }
    // The recording fails for both, and one that is stopped early may find it cut: the earliest of what is
    // no fault of the recording tells why.
    failures.sort_by_key(|error| trace_line(error).unwrap_or_default());
    if let Some(error) = failures.into_iter().next() {
        return Err(error);
    }
    let replayed = replayed.context("nothing was replayed")?;
    Ok((pairing.finish()?, replayed))
}

/// One of the two replays.
fn one(
    replay: &Replay,
    contestant: Contestant,
    reader: FeedReader,
    side: Side<Comparison>,
) -> anyhow::Result<Replayed> {
    let reader = TraceReader::new(reader)?;
    let log = DecisionLog::new(side, replay.window());
    let Contestant {
        reviewed,
        policy,
        json,
    } = contestant;
    let replayed = replay.run(policy, &json, reader, &log, |_| ());
    let replayed = replayed.map_err(|error| match trace_line(&error) {
        Some(_) => error,
        None => error.context(format!("under {}", reviewed.file)),
    })?;
    log.into_sink()?;
    Ok(replayed)
}

/// The line of the recording that is at fault, if the recording is.
fn trace_line(error: &anyhow::Error) -> Option<u64> {
    let of_plugin = error.downcast_ref::<ReplayError<PluginFault>>();
    let of_engine = error.downcast_ref::<ReplayError<StoreError>>();
    match (of_plugin, of_engine) {
        (Some(ReplayError::Trace(error)), _) | (_, Some(ReplayError::Trace(error))) => {
            Some(error.line)
        }
        _ => error
            .downcast_ref::<weir_host::trace::TraceError>()
            .map(|error| error.line),
    }
}
