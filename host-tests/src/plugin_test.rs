//! Scenarios against a plugin in our host: what each expected, and what was seen instead.
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::calls::Profile;
use crate::conformance::{HostRun, Modules, RunError};
use crate::host::HostConfig;
use crate::scenario::{Expectation, FolderError, Observation, ReceivedEnd, Scenario};

/// A scenario with the file that it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginCase {
    /// As found.
    pub file: PathBuf,
    /// What is run.
    pub scenario: Scenario,
}

/// How one scenario went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    /// The scenario's name.
    pub scenario: String,
    /// Its file.
    pub file: PathBuf,
    /// Whether everything was as expected.
    pub passed: bool,
    /// What was not.
    pub unmet: Vec<String>,
}

/// How all of them went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestReport {
    /// Changes when a member's meaning does.
    pub version: u32,
    /// Scenarios of which everything was as expected.
    pub passed: usize,
    /// The others.
    pub failed: usize,
    /// Every scenario, in the order in which it ran.
    pub scenarios: Vec<CaseResult>,
    /// What callbacks cost in all scenarios together, canaries included, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

impl PluginCase {
    /// The scenarios of a file, or of all `.yaml` files of a folder.
    ///
    /// # Errors
    /// [`FolderError`], with the file.
    pub fn read(path: &Path) -> Result<Vec<Self>, FolderError> {
        let files = if path.is_dir() {
            Scenario::files(path)?
        } else {
            vec![path.to_owned()]
        };
        let mut cases = Vec::new();
        for file in files {
            for scenario in Scenario::read_file(&file)? {
                let file = file.clone();
                cases.push(Self { file, scenario });
            }
        }
        Ok(cases)
    }
    /// Runs it in a fresh process set up by `config`.
    ///
    /// # Errors
    /// [`RunError`] where it cannot be run at all; a refused plugin is a failed case.
    pub fn run(&self, modules: &Modules, config: HostConfig) -> Result<CaseResult, RunError> {
        let observation = HostRun::with(modules.clone(), config)?.run(&self.scenario)?;
        let unmet = self.unmet(&observation);
        Ok(CaseResult {
            scenario: self.scenario.name.clone(),
            file: self.file.clone(),
            passed: unmet.is_empty(),
            unmet,
        })
    }
    fn unmet(&self, observation: &Observation) -> Vec<String> {
        let expected = self.scenario.expect.iter();
        let refusal = |expectation: &Expectation| matches!(expectation, Expectation::Refused {});
        if let Some(reason) = &observation.refused
            && !expected.clone().any(refusal)
        {
            return vec![format!("the plugin was refused: {reason}")];
        }
        let mut unmet = self.unexpected(observation);
        unmet.extend(expected.filter_map(|expectation| expectation.unmet(observation)));
        unmet
    }
    /// What no plugin should do unless its scenario says so: trap, hang, strand a client.
    fn unexpected(&self, observation: &Observation) -> Vec<String> {
        let expected = &self.scenario.expect;
        let failures = |each: &Expectation| matches!(each, Expectation::Failure(_));
        let mut found = Vec::new();
        if !expected.iter().any(failures) {
            found.extend(
                observation
                    .failures
                    .iter()
                    .map(|reason| format!("the plugin failed: {reason}")),
            );
        }
        for (index, seen) in observation.exchanges.iter().enumerate() {
            let ends = |each: &Expectation| matches!(each, Expectation::Ends { exchange, .. } if *exchange == index);
            if seen.downstream.end == ReceivedEnd::Stranded && !expected.iter().any(ends) {
                found.push(format!(
                    "exchange {index} is stranded: its client would wait until a timeout (expect `ends` if it should)"
                ));
            }
        }
        found
    }
}

impl TestReport {
    /// The report of `scenarios`.
    pub fn new(scenarios: Vec<CaseResult>, profile: Option<Profile>) -> Self {
        let passed = scenarios.iter().filter(|case| case.passed).count();
        Self {
            version: 1,
            passed,
            failed: scenarios.len() - passed,
            scenarios,
            profile,
        }
    }
}

/// A line for each scenario with what was not as expected below it, the sum, and the profile.
impl fmt::Display for TestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in &self.scenarios {
            let verdict = if case.passed { "ok" } else { "FAILED" };
            writeln!(
                f,
                "{verdict:<7} {} ({})",
                case.scenario,
                case.file.display()
            )?;
            for unmet in &case.unmet {
                let mut lines = unmet.lines();
                writeln!(f, "        {}", lines.next().unwrap_or_default())?;
                lines.try_for_each(|line| writeln!(f, "          {}", line.trim()))?;
            }
        }
        writeln!(f, "{} passed, {} failed", self.passed, self.failed)?;
        match &self.profile {
            Some(profile) => write!(f, "\n{profile}"),
            None => Ok(()),
        }
    }
}
