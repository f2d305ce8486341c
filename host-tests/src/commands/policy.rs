//! A policy from a file: loaded with its layers, checked, with its problems placed in their files.
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use weir_engine::policy::Policy;
use weir_engine::time::Timestamp;
use weir_host::layers::{Layer, LayeredPolicy, Problem};
use weir_host::policy_file::PolicyFileError;

/// A policy was refused, after its problems were told.
#[derive(Debug, thiserror::Error)]
#[error("{} is refused; mend what is told above", .0.display())]
pub(crate) struct Refused(PathBuf);

/// A policy file and what was found in it, and in the layers below it.
pub(crate) struct CheckedFile {
    /// Why the file cannot be read at all.
    pub(crate) unreadable: Option<PolicyFileError>,
    /// The policy, unless it is refused.
    pub(crate) policy: Option<Policy>,
    /// The JSON that goes into the plugin's configuration.
    pub(crate) json: String,
    /// Its layers, base first.
    pub(crate) layers: Vec<Layer>,
    /// What was found.
    pub(crate) problems: Vec<Problem>,
}

impl CheckedFile {
    /// Loads and checks the file at `path`.
    pub(crate) fn read(path: &Path) -> Self {
        match LayeredPolicy::read(path) {
            Ok(loaded) => {
                let checked = loaded.check(Some(now()));
                Self {
                    unreadable: None,
                    policy: checked.policy,
                    json: checked.json,
                    layers: checked.layers,
                    problems: checked.problems,
                }
            }
            Err(error) => Self {
                unreadable: Some(error),
                policy: None,
                json: String::new(),
                layers: Vec::new(),
                problems: Vec::new(),
            },
        }
    }

    /// The policy and its JSON, or an error after its problems were told on standard error.
    ///
    /// # Errors
    /// The policy is refused.
    pub(crate) fn require(path: &Path) -> anyhow::Result<(Policy, String)> {
        let checked = Self::read(path);
        checked.tell(&mut io::stderr())?;
        match checked.policy {
            Some(policy) => Ok((policy, checked.json)),
            None => Err(Refused(path.to_path_buf()).into()),
        }
    }

    /// Tells every problem, for people: file, line and column, code, what and what to do.
    pub(crate) fn tell(&self, out: &mut impl Write) -> io::Result<()> {
        if let Some(error) = &self.unreadable {
            let cause = std::error::Error::source(error)
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            return writeln!(out, "error: {error}{cause}");
        }
        for Problem {
            file,
            at,
            diagnostic,
        } in &self.problems
        {
            let place = at.map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
            writeln!(
                out,
                "{file}{place}: {} {}: {}: {}",
                diagnostic.severity.as_str(),
                diagnostic.code,
                diagnostic.path,
                diagnostic.message
            )?;
            writeln!(out, "    help: {}", diagnostic.help)?;
        }
        Ok(())
    }

    /// What the policy is made of, where it is more than one file: `base.yaml (frontier-api 3)`, base first.
    pub(crate) fn tell_layers(&self, out: &mut impl Write) -> io::Result<()> {
        if self.layers.len() < 2 {
            return Ok(());
        }
        for layer in &self.layers {
            let named = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
            let (name, version) = (named(&layer.name), named(&layer.version));
            writeln!(out, "    layer {}: {name} version {version}", layer.file)?;
        }
        Ok(())
    }

    /// The same for machines.
    pub(crate) fn to_json(&self, path: &Path) -> Value {
        let layers = self
            .layers
            .iter()
            .map(|layer| json!({"file": layer.file, "name": layer.name, "version": layer.version}));
        let diagnostics = self.problems.iter().map(|problem| {
            json!({
                "code": problem.diagnostic.code.as_str(),
                "severity": problem.diagnostic.severity.as_str(),
                "path": problem.diagnostic.path,
                "file": problem.file,
                "line": problem.at.map(|at| at.line),
                "column": problem.at.map(|at| at.column),
                "message": problem.diagnostic.message,
                "help": problem.diagnostic.help,
            })
        });
        json!({
            "file": path.display().to_string(),
            "valid": self.policy.is_some(),
            "name": self.policy.as_ref().map(Policy::name),
            "version": self.policy.as_ref().map(Policy::version),
            "digest": self.policy.as_ref().map(Policy::digest),
            "layers": layers.collect::<Vec<_>>(),
            "error": self.unreadable.as_ref().map(ToString::to_string),
            "diagnostics": diagnostics.collect::<Vec<_>>(),
        })
    }
}

/// The time of day: commands are the one place that may ask for it.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_unix_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
