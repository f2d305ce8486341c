//! A policy from a file: loaded, checked, with its problems placed in the file.
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use weir_engine::policy::{Diagnostic, Policy};
use weir_engine::time::Timestamp;
use weir_host::policy_file::{PolicyFile, PolicyFileError};

/// A policy was refused, after its problems were told.
#[derive(Debug, thiserror::Error)]
#[error("{} is refused; mend what is told above", .0.display())]
pub(crate) struct Refused(PathBuf);

/// A policy file and what was found in it.
pub(crate) struct CheckedFile {
    /// The file, unless it is no document at all.
    pub(crate) file: Result<PolicyFile, PolicyFileError>,
    /// The policy, unless it is refused.
    pub(crate) policy: Option<Policy>,
    /// The JSON that goes into the plugin's configuration.
    pub(crate) json: String,
    /// What was found.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl CheckedFile {
    /// Loads and checks the file at `path`.
    pub(crate) fn read(path: &Path) -> Self {
        let file = PolicyFile::read(path);
        let Ok(loaded) = &file else {
            return Self {
                file,
                policy: None,
                json: String::new(),
                diagnostics: Vec::new(),
            };
        };
        let json = loaded.value.to_string();
        let checked = Policy::check(json.as_bytes(), Some(now()));
        let diagnostics = checked.diagnostics.iter().cloned().collect();
        Self {
            file,
            policy: checked.policy,
            json,
            diagnostics,
        }
    }

    /// The policy and its JSON, or an error after its problems were told on standard error.
    ///
    /// # Errors
    /// The policy is refused.
    pub(crate) fn require(path: &Path) -> anyhow::Result<(Policy, String)> {
        let checked = Self::read(path);
        checked.tell(path, &mut io::stderr())?;
        match checked.policy {
            Some(policy) => Ok((policy, checked.json)),
            None => Err(Refused(path.to_path_buf()).into()),
        }
    }

    /// Tells every problem, for people: file, line and column, code, what and what to do.
    pub(crate) fn tell(&self, path: &Path, out: &mut impl Write) -> io::Result<()> {
        let file = match &self.file {
            Ok(file) => file,
            Err(error) => {
                let cause = std::error::Error::source(error)
                    .map(|cause| format!(": {cause}"))
                    .unwrap_or_default();
                return writeln!(out, "error: {error}{cause}");
            }
        };
        for problem in &self.diagnostics {
            let (line, column) = file.position(&problem.path);
            let severity = problem.severity.as_str();
            writeln!(
                out,
                "{}:{line}:{column}: {severity} {}: {}: {}",
                path.display(),
                problem.code,
                problem.path,
                problem.message
            )?;
            writeln!(out, "    help: {}", problem.help)?;
        }
        Ok(())
    }

    /// The same for machines.
    pub(crate) fn to_json(&self, path: &Path) -> Value {
        let diagnostics: Vec<Value> = self
            .diagnostics
            .iter()
            .map(|problem| {
                let position = self
                    .file
                    .as_ref()
                    .ok()
                    .map(|file| file.position(&problem.path));
                json!({
                    "code": problem.code.as_str(),
                    "severity": problem.severity.as_str(),
                    "path": problem.path,
                    "line": position.map(|(line, _)| line),
                    "column": position.map(|(_, column)| column),
                    "message": problem.message,
                    "help": problem.help,
                })
            })
            .collect();
        json!({
            "file": path.display().to_string(),
            "valid": self.policy.is_some(),
            "name": self.policy.as_ref().map(Policy::name),
            "version": self.policy.as_ref().map(Policy::version),
            "digest": self.policy.as_ref().map(Policy::digest),
            "error": self.file.as_ref().err().map(ToString::to_string),
            "diagnostics": diagnostics,
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
