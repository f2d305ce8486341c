//! Scenarios: a proxy with plugins and what happens to it, for our host and for a real Envoy alike.
//!
//! A YAML file holds one scenario or a list of them. `weir test --plugin` runs it against any plugin in our host;
//! `weir conformance` runs it in our host and in an Envoy and compares the two [`Observation`]s. A
//! scenario says nothing about a host: times are waits, ports and threads are the runner's business.
mod exchange;
mod expectation;
mod limits;
mod observation;
mod proxy;
mod script;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use exchange::{ClientSpec, Ending, ExchangeSpec, MessageSpec, UpstreamSpec};
pub use expectation::Expectation;
pub use observation::{Observation, Received, ReceivedEnd, Seen};
pub use proxy::{Code, OnFailure, PluginSpec, Protocol, ProxySpec};
pub use script::{Script, Visit};

use crate::yaml::{YamlDocument, YamlError};

/// A proxy and what happens to it, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A sentence without spaces: the promise that it shows.
    pub name: String,
    /// Items of the conformance checklist that it shows; empty outside of the shipped corpus.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<u32>,
    /// The proxy.
    #[serde(default)]
    pub proxy: ProxySpec,
    /// What happens to it.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What must be seen in the end, beyond both hosts agreeing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// A request, and everything until its stream is gone.
    Exchange(Box<ExchangeSpec>),
    /// Several exchanges at once: each begins when the one before it stands still.
    Together(Vec<ExchangeSpec>),
    /// Time passes; timers run.
    WaitMs(u64),
    /// The plugins get another configuration, as a new listener would bring it.
    Reconfigure(Vec<PluginSpec>),
}

/// Why a scenario cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Not the YAML that is read.
    #[error("line {line}: {problem}")]
    Yaml {
        /// Counted from 1; 0 where the document as a whole is meant.
        line: usize,
        /// What.
        problem: YamlError,
    },
    /// YAML that is no scenario.
    #[error("line {line}, `{path}`: {problem}")]
    Field {
        /// Counted from 1.
        line: usize,
        /// Path of the value.
        path: String,
        /// What.
        problem: String,
    },
}

/// Why a folder of scenarios, or a file in it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be opened.
    #[error("cannot read {}", path.display())]
    File {
        /// File or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It holds something else than scenarios.
    #[error("{}: {problem}", path.display())]
    Scenario {
        /// The file.
        path: PathBuf,
        /// Where and what.
        problem: ScenarioError,
    },
}

impl Scenario {
    /// Reads a file: one scenario, or a list of them.
    ///
    /// # Errors
    /// [`ScenarioError`], with the line; the text is at fault.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, ScenarioError> {
        let document = YamlDocument::parse(text).map_err(|problem| ScenarioError::Yaml {
            line: problem.at.map_or(0, |at| at.line),
            problem,
        })?;
        let is_list = document.value.is_array();
        let scenarios: Vec<Self> = match is_list {
            true => read(&document)?,
            false => vec![read(&document)?],
        };
        for (index, scenario) in scenarios.iter().enumerate() {
            scenario.check().map_err(|(path, problem)| {
                let path = match is_list {
                    true => format!("[{index}].{path}"),
                    false => path,
                };
                ScenarioError::Field {
                    line: document.position(&path).line,
                    path,
                    problem,
                }
            })?;
        }
        Ok(scenarios)
    }
    /// Every `.yaml` file of `folder`, by name.
    ///
    /// # Errors
    /// [`FolderError::File`].
    pub fn files(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| FolderError::File { path, source }
        };
        let entries = std::fs::read_dir(folder).map_err(failed(folder))?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed(folder))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }
    /// Reads every `.yaml` file of `folder`, by name.
    ///
    /// # Errors
    /// [`FolderError`], with the file.
    pub fn read_folder(folder: &Path) -> Result<Vec<Self>, FolderError> {
        let mut scenarios = Vec::new();
        for path in Self::files(folder)? {
            scenarios.append(&mut Self::read_file(&path)?);
        }
        Ok(scenarios)
    }
    /// Reads one file, see [`Self::parse_all`].
    ///
    /// # Errors
    /// [`FolderError`], with the file.
    pub fn read_file(path: &Path) -> Result<Vec<Self>, FolderError> {
        let text = std::fs::read_to_string(path).map_err(|source| FolderError::File {
            path: path.to_owned(),
            source,
        })?;
        Self::parse_all(&text).map_err(|problem| FolderError::Scenario {
            path: path.to_owned(),
            problem,
        })
    }
    /// Every exchange in order, those of [`Step::Together`] included.
    pub fn exchanges(&self) -> impl Iterator<Item = &ExchangeSpec> {
        self.steps.iter().flat_map(|step| match step {
            Step::Exchange(exchange) => std::slice::from_ref(&**exchange),
            Step::Together(exchanges) => exchanges.as_slice(),
            Step::WaitMs(_) | Step::Reconfigure(_) => &[],
        })
    }
}

fn read<T: for<'de> Deserialize<'de>>(document: &YamlDocument) -> Result<T, ScenarioError> {
    serde_path_to_error::deserialize(&document.value).map_err(|error| {
        let path = error.path().to_string();
        ScenarioError::Field {
            line: document.position(&path).line,
            path,
            problem: error.into_inner().to_string(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<Scenario, ScenarioError> {
        Ok(Scenario::parse_all(text)?.remove(0))
    }

    #[test]
    fn a_scenario_needs_little_and_says_where_it_is_wrong() {
        let least = "name: passes\nsteps:\n- exchange: {request: {headers: [[x-a, b]]}}\n";
        let scenario = one(least).unwrap();
        assert_eq!(scenario.proxy.plugins.len(), 1);
        assert_eq!(scenario.exchanges().count(), 1);

        let wrong = "name: passes\nsteps:\n- exchange:\n    request: {bodi: [x]}\n";
        let error = one(wrong).unwrap_err().to_string();
        assert!(
            error.starts_with("line 4, `steps[0].exchange.request"),
            "{error}"
        );
        assert!(error.contains("bodi"), "{error}");
    }

    #[test]
    fn a_scenario_survives_being_written_as_json() {
        let text = "name: round\nsteps:\n- wait_ms: 5\n- exchange: {request: {script: {request_headers: [{do: [{log: [2, hi]}], return: 1}]}}}\n";
        let scenario = one(text).unwrap();

        let again = one(&serde_json::to_string(&scenario).unwrap()).unwrap();

        assert_eq!(again, scenario);
    }
}
