//! A policy in layers: a base that one team owns, and overlays of others on top of it.
//!
//! An overlay (`kind: Overlay`) says in `extends` what it stands on, and otherwise what it changes. Layers are merged
//! here, from the base up, into one plain policy: the engine and the plugin know nothing of them. The same files give
//! the same bytes. What is found wrong in the merged policy is told where it stands: in the layer that it came from.
//!
//! What may not be touched (`locked`) is a matter between teams that review each other's files, not a defence against
//! somebody who writes the configuration of the proxy.
mod chain;
mod entries;
mod locks;
mod merge;
mod node;
mod problem;
#[cfg(test)]
mod tests;

pub use chain::MAX_LAYERS;
pub use problem::Problem;

use crate::policy_file::{PolicyFile, PolicyFileError};
use crate::yaml::{Place, Position};
use problem::Problems;
use serde_json::Value;
use std::path::Path;
use weir_engine::policy::{Code, Policy};
use weir_engine::time::Timestamp;

/// One file of a policy in layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The file, as messages name it.
    pub file: String,
    /// `metadata.name`, where it is given.
    pub name: Option<String>,
    /// `metadata.version`, where it is given.
    pub version: Option<String>,
}

/// Where a value of a merged policy comes from.
#[derive(Clone, Copy, Debug)]
struct Site {
    /// Index of its layer, base first.
    layer: usize,
    at: Position,
}

/// A policy whose layers are loaded and merged.
pub struct LayeredPolicy {
    layers: Vec<Layer>,
    merged: Option<(Value, Place<Site>)>,
    problems: Problems,
}

/// A policy that was looked at, with everything that was found.
#[derive(Debug)]
pub struct CheckedPolicy {
    /// The policy, unless it is refused.
    pub policy: Option<Policy>,
    /// The JSON that goes into the plugin's configuration; empty where nothing could be merged.
    pub json: String,
    /// Its layers, base first; one for a plain policy.
    pub layers: Vec<Layer>,
    /// What was found, at most a few hundred problems.
    pub problems: Vec<Problem>,
}

impl LayeredPolicy {
    /// Loads a policy or an overlay with all layers below it; `-` is standard input.
    ///
    /// # Errors
    /// [`PolicyFileError::Read`] where the file itself cannot be read. What is wrong in it, or with its layers, is
    /// told by [`LayeredPolicy::check`].
    pub fn read(path: &Path) -> Result<Self, PolicyFileError> {
        let folder = path.parent().filter(|_| path.as_os_str() != "-");
        Self::of(PolicyFile::read(path), folder, &path.display().to_string())
    }

    /// The same of a text, which is called `name` and stands in `folder`, if it stands anywhere.
    pub fn parse(text: String, name: &str, folder: Option<&Path>) -> Self {
        let loaded = PolicyFile::parse(text, name);
        // A text is no file that could be missing.
        Self::of(loaded, folder, name).unwrap_or_else(|_| Self {
            layers: Vec::new(),
            merged: None,
            problems: Problems::default(),
        })
    }

    fn of(
        top: Result<PolicyFile, PolicyFileError>,
        folder: Option<&Path>,
        name: &str,
    ) -> Result<Self, PolicyFileError> {
        let mut problems = Problems::default();
        let top = match top {
            Ok(top) => top,
            Err(PolicyFileError::Document { error, .. }) => {
                problems.of_document(name, &error);
                let layers = Vec::new();
                return Ok(Self {
                    layers,
                    merged: None,
                    problems,
                });
            }
            Err(error @ PolicyFileError::Read { .. }) => return Err(error),
        };
        let (chain, is_whole) = chain::load(top, folder, &mut problems);
        let layers: Vec<Layer> = chain.iter().map(Layer::of).collect();
        let merged = is_whole.then(|| merge::all(chain, &mut problems));
        Ok(Self {
            layers,
            merged,
            problems,
        })
    }

    /// Checks what the layers make. `now` as for [`Policy::check`].
    pub fn check(self, now: Option<Timestamp>) -> CheckedPolicy {
        let mut problems = self.problems;
        let Some((value, place)) = self.merged else {
            return CheckedPolicy {
                policy: None,
                json: String::new(),
                layers: self.layers,
                problems: problems.into_all(),
            };
        };
        let json = value.to_string();
        let checked = Policy::check(json.as_bytes(), now);
        let are_layers_right = problems.is_empty();
        let mut all = problems.take();
        all.extend(checked.diagnostics.iter().map(|diagnostic| {
            let site = place.find(&diagnostic.path).0;
            let layer = self.layers.get(site.layer);
            Problem {
                file: layer.map(|layer| layer.file.clone()).unwrap_or_default(),
                at: Some(site.at),
                diagnostic: diagnostic.clone(),
            }
        }));
        CheckedPolicy {
            policy: checked.policy.filter(|_| are_layers_right),
            json,
            layers: self.layers,
            problems: all,
        }
    }
}

impl Layer {
    fn of(file: &PolicyFile) -> Self {
        let text = |key: &str| {
            let value = file.value.get("metadata")?.get(key)?;
            value.as_str().map(str::to_owned)
        };
        Self {
            file: file.name.clone(),
            name: text("name"),
            version: text("version"),
        }
    }
}

impl CheckedPolicy {
    /// Whether some problem has this code.
    pub fn has(&self, code: Code) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.diagnostic.code == code)
    }
}
