//! Where the workspace and its target directory are, asked of cargo so that
//! `CARGO_TARGET_DIR` and `build.target-dir` count.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::subprocess;

/// The workspace that the current directory belongs to.
pub(crate) struct Workspace {
    /// Absolute path of the folder of the root manifest.
    pub(crate) root: PathBuf,
    /// Absolute path of cargo's target directory.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    ///
    /// # Errors
    /// When the current directory is in no workspace, or cargo cannot run.
    pub(crate) fn find() -> Result<Self> {
        let output = subprocess::stdout_of(Command::new(cargo()).args([
            "metadata",
            "--no-deps",
            "--format-version=1",
        ]))?;
        Self::from_metadata(
            &serde_json::from_str(&output).context("cargo metadata printed no JSON")?,
        )
    }

    fn from_metadata(metadata: &Value) -> Result<Self> {
        let path = |key: &str| {
            metadata
                .get(key)
                .and_then(Value::as_str)
                .map(PathBuf::from)
                .with_context(|| format!("cargo metadata has no {key}"))
        };
        Ok(Self {
            root: path("workspace_root")?,
            target: path("target_directory")?,
        })
    }

    /// `path` as a person would type it from the workspace's folder.
    pub(crate) fn display<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }

    /// A cargo command that runs at the workspace's root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo());
        command.args(arguments).current_dir(&self.root);
        command
    }
}

/// The cargo that runs this program, so that all parts use one toolchain.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_target_directory_may_be_outside_of_the_workspace() {
        let metadata =
            json!({ "workspace_root": "/src/weir", "target_directory": "/scratch/target" });

        let workspace = Workspace::from_metadata(&metadata).unwrap();

        assert_eq!(workspace.target, Path::new("/scratch/target"));
        assert_eq!(
            workspace
                .display(Path::new("/src/weir/engine/src/lib.rs"))
                .to_string(),
            "engine/src/lib.rs"
        );
        assert_eq!(
            workspace
                .display(Path::new("/scratch/target/weir.wasm"))
                .to_string(),
            "/scratch/target/weir.wasm"
        );
    }

    #[test]
    fn metadata_without_a_target_directory_is_an_error_that_names_it() {
        let error = Workspace::from_metadata(&json!({ "workspace_root": "/src/weir" }))
            .err()
            .unwrap();

        assert!(error.to_string().contains("target_directory"));
    }
}
