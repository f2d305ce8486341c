//! Installs packages of npm as a lock file says, from whatever registry npm is set to. The lock files name
//! packages by their content (npm's `omit-lockfile-registry-resolved`), so no registry is named anywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::digest;
use crate::staging::Staging;
use crate::subprocess;

/// Beside a `package.json`.
pub(crate) const LOCK: &str = "package-lock.json";

/// Whether what packages need is there: the version of node.
///
/// # Errors
/// When node or npm is missing; the message names it.
pub(crate) fn node_version() -> Result<String> {
    let version = |program: &str| subprocess::stdout_of(Command::new(program).arg("--version"));
    let node = version("node")?;
    version("npm").map(|_| node)
}

/// The folder under `folder` whose `node_modules` is as the lock file in `sources` says; installed once.
/// `witness` is a file of it without which it is not whole.
///
/// # Errors
/// When npm cannot get the packages.
pub(crate) fn packages(sources: &Path, folder: &Path, witness: &str) -> Result<PathBuf> {
    let lock = digest::sha256_of(&sources.join(LOCK))?;
    let short = lock.get(..16).unwrap_or(&lock);
    let installed = folder.join(format!("packages-{short}"));
    if installed.join(witness).is_file() {
        return Ok(installed);
    }
    let staging = Staging::new(folder, "packages")?;
    let fresh = staging.path().join("packages");
    fs::create_dir_all(&fresh)?;
    for name in ["package.json", LOCK] {
        fs::copy(sources.join(name), fresh.join(name))?;
    }
    // Nothing of the packages runs while they are installed.
    let flags = ["--ignore-scripts", "--no-audit", "--no-fund"];
    let mut npm = Command::new("npm");
    subprocess::stdout_of(npm.arg("ci").args(flags).current_dir(&fresh))?;
    staging.publish("packages", &installed)?;
    Ok(installed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn lock_files_name_packages_by_their_content_and_no_registry() {
        let workspace = Workspace::find().unwrap();

        for (sources, count) in [("guests/assemblyscript", 4), ("envoy/sdk", 9)] {
            let lock = fs::read_to_string(workspace.root.join(sources).join(LOCK)).unwrap();

            let names_registry = lock.contains("resolved") || lock.contains("://reg");
            assert!(!names_registry, "{lock}");
            assert_eq!(lock.matches("\"integrity\"").count(), count, "{sources}");
        }
    }
}
