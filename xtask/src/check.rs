//! `cargo xtask check`: runs the steps of [`STEPS`], all of them whatever fails, and ends
//! with a table and with what was skipped and why.

use std::fs::{self, File};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use clap::builder::PossibleValuesParser;

use crate::digest::Mismatch;
use crate::envoy::{self, Envoy};
use crate::guests::{self, Guests};
use crate::steps::STEPS;
use crate::subprocess;
use crate::toolchain::{self, Toolchain};
use crate::tree::Snapshot;
use crate::wasm::{self, Artifact};
use crate::workspace::Workspace;

/// One entry is all that a new step needs.
pub(crate) struct Step {
    /// What `--only` calls it.
    pub(crate) name: &'static str,
    /// What holds when it passes.
    pub(crate) promise: &'static str,
    /// An `Err` counts as a failure, too: a step that could not run has shown nothing.
    pub(crate) run: fn(&mut Session) -> Result<Outcome>,
}

/// How a step ended.
pub(crate) enum Outcome {
    /// With a few words for the table, or none.
    Passed(String),
    /// With what a person needs in order to repair it.
    Failed(String),
    /// Not run at all, with the reason.
    Skipped(String),
}

/// What steps share. What is costly is made when the first step asks for it.
pub(crate) struct Session<'a> {
    pub(crate) workspace: &'a Workspace,
    /// The tree before the first step; an error where there is no checkout.
    pub(crate) before: Result<Snapshot>,
    toolchain: Option<Toolchain>,
    plugin: Option<Result<Artifact, String>>,
    guests: Option<Result<Guests, String>>,
    skipped: Vec<String>,
}

struct Row {
    name: &'static str,
    result: &'static str,
    seconds: f64,
    note: String,
}

const PASSED: &str = "passed";
const FAILED: &str = "FAILED";
const SKIPPED: &str = "skipped";

/// The values that `--only` takes.
pub(crate) fn step_names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

/// `cargo xtask check`; `only` empty means all steps.
///
/// # Errors
/// Never for a failed step; those are the result.
pub(crate) fn run(workspace: &Workspace, only: &[String]) -> Result<bool> {
    let steps: Vec<&Step> = STEPS
        .iter()
        .filter(|step| only.is_empty() || only.iter().any(|name| name == step.name))
        .collect();
    let mut session = Session::new(workspace);
    let mut rows = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        eprintln!(
            "[{}/{}] {}: {}",
            index + 1,
            steps.len(),
            step.name,
            step.promise
        );
        let start = Instant::now();
        let outcome =
            (step.run)(&mut session).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        let seconds = start.elapsed().as_secs_f64();
        let (result, note) = match outcome {
            Outcome::Passed(note) => (PASSED, note),
            Outcome::Failed(report) => {
                eprintln!("{}", report.trim_end());
                (FAILED, String::new())
            }
            Outcome::Skipped(reason) => {
                session.skip(format!("{}: {reason}", step.name));
                (SKIPPED, String::new())
            }
        };
        eprintln!("      {result} in {seconds:.1} s");
        rows.push(Row {
            name: step.name,
            result,
            seconds,
            note,
        });
    }
    print!("{}", summary(&rows, &session.skipped));
    Ok(count(&rows, FAILED) == 0)
}

impl<'a> Session<'a> {
    fn new(workspace: &'a Workspace) -> Self {
        let before = Snapshot::of(&workspace.root);
        Self {
            workspace,
            before,
            toolchain: None,
            plugin: None,
            guests: None,
            skipped: Vec::new(),
        }
    }

    /// Remembers that something was left out; `what` says what and why.
    pub(crate) fn skip(&mut self, what: String) {
        self.skipped.push(what);
    }

    /// The compiler for the plugin.
    ///
    /// # Errors
    /// When none can be had.
    pub(crate) fn toolchain(&mut self) -> Result<&Toolchain> {
        if self.toolchain.is_none() {
            self.toolchain = Some(toolchain::select(self.workspace)?);
        }
        self.toolchain.as_ref().context("no toolchain")
    }

    /// The plugin as the tree has it, at its usual place.
    ///
    /// # Errors
    /// When it does not compile, with what the compiler said, or no compiler can be had.
    pub(crate) fn plugin(&mut self) -> Result<&Artifact> {
        if self.plugin.is_none() {
            let workspace = self.workspace;
            let built =
                wasm::build_into(workspace, self.toolchain()?, &wasm::default_path(workspace))?;
            self.plugin = Some(built);
        }
        match &self.plugin {
            Some(Ok(artifact)) => Ok(artifact),
            Some(Err(diagnostics)) => Err(anyhow!("the plugin does not compile\n{diagnostics}")),
            None => Err(anyhow!("no plugin")),
        }
    }

    /// The guests as the tree has them, after noting what was left out.
    ///
    /// # Errors
    /// When one does not compile, with what the compiler said, or no compiler can be had.
    pub(crate) fn guests(&mut self) -> Result<&Guests> {
        if self.guests.is_none() {
            let workspace = self.workspace;
            let built = guests::build(workspace, self.toolchain()?)?;
            if let Ok(guests) = &built {
                self.skipped.extend(guests.skipped.iter().cloned());
            }
            self.guests = Some(built);
        }
        match &self.guests {
            Some(Ok(guests)) => Ok(guests),
            Some(Err(diagnostics)) => Err(anyhow!("the guests do not compile\n{diagnostics}")),
            None => Err(anyhow!("no guests")),
        }
    }

    /// Envoy, or why there is none; who asks says what that leaves out.
    ///
    /// # Errors
    /// When the user has named one that is none, or the download is not the pinned one.
    pub(crate) fn envoy(&self) -> Result<Result<Envoy, String>> {
        match envoy::provision(self.workspace) {
            Ok(envoy) => Ok(Ok(envoy)),
            Err(error) if envoy::override_path().is_some() || error.is::<Mismatch>() => Err(error),
            Err(error) => Ok(Err(format!("{error:#}"))),
        }
    }

    /// Runs a command with all that it prints in a file below the target directory.
    /// Returns how it ended, and the text.
    ///
    /// # Errors
    /// When it cannot start.
    pub(crate) fn logged(&self, name: &str, command: &mut Command) -> Result<(ExitStatus, String)> {
        let folder = self.workspace.target.join("check");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.log"));
        let log =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let status = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()
            .with_context(|| format!("cannot run {}", subprocess::name(command)))?;
        let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
        Ok((status, text))
    }
}

fn count(rows: &[Row], result: &str) -> usize {
    rows.iter().filter(|row| row.result == result).count()
}

fn summary(rows: &[Row], skipped: &[String]) -> String {
    let mut text = format!("\n{:14}{:8}{:>9}\n", "step", "result", "seconds");
    for row in rows {
        let line = format!(
            "{:14}{:8}{:>9.1}  {}",
            row.name, row.result, row.seconds, row.note
        );
        text += line.trim_end();
        text.push('\n');
    }
    match skipped {
        [] => text += "skipped: nothing\n",
        reasons => {
            text += &format!("skipped: {}\n", reasons.len());
            text.extend(
                reasons
                    .iter()
                    .map(|reason| format!("  - {}\n", reason.replace('\n', "\n    "))),
            );
        }
    }
    text + &format!(
        "{} passed, {} failed\n",
        count(rows, PASSED),
        count(rows, FAILED)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, result: &'static str) -> Row {
        Row {
            name,
            result,
            seconds: 1.25,
            note: String::new(),
        }
    }

    #[test]
    fn the_summary_ends_with_a_plain_count_of_steps() {
        let text = summary(
            &[
                row("fmt", PASSED),
                row("clippy", FAILED),
                row("test", PASSED),
            ],
            &[],
        );

        assert!(text.contains("skipped: nothing\n"), "{text}");
        assert!(text.ends_with("\n2 passed, 1 failed\n"), "{text}");
    }

    #[test]
    fn a_step_that_did_not_run_counts_neither_as_passed_nor_as_failed() {
        let text = summary(
            &[row("fmt", PASSED), row("tree", SKIPPED)],
            &["tree: no checkout".into()],
        );

        assert!(text.ends_with("\n1 passed, 0 failed\n"), "{text}");
    }

    #[test]
    fn every_skip_is_counted_and_has_its_reason() {
        let text = summary(
            &[row("test", PASSED)],
            &["e2e: no Envoy".into(), "tree: no checkout".into()],
        );

        assert!(
            text.contains("skipped: 2\n  - e2e: no Envoy\n  - tree: no checkout\n"),
            "{text}"
        );
    }

    #[test]
    fn step_names_are_unique_and_can_be_typed() {
        let mut names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        assert!(names.iter().all(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        }));

        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
