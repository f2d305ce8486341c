//! Builds the plugin in two folders of different depth and compares the bytes, so that
//! anyone can check that a published .wasm comes from the published sources.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::staging::Staging;
use crate::toolchain::{self, Toolchain};
use crate::tree;
use crate::wasm::{self, Place};
use crate::workspace::Workspace;

/// The hashes of the two builds.
pub(crate) struct Comparison {
    pub(crate) first: String,
    pub(crate) second: String,
}

impl Comparison {
    /// Whether the bytes are the same.
    pub(crate) fn is_same(&self) -> bool {
        self.first == self.second
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_same() {
            true => write!(
                formatter,
                "the same plugin from two folders: sha256 {}",
                self.first
            ),
            false => write!(
                formatter,
                "the folder shows in the plugin: sha256 {} and {}",
                self.first, self.second
            ),
        }
    }
}

/// `cargo xtask reproducible`.
///
/// # Errors
/// When there is no toolchain, no checkout, or the plugin does not compile.
pub(crate) fn run(workspace: &Workspace) -> Result<bool> {
    let comparison = compare(workspace, &toolchain::select(workspace)?)?;
    println!("{comparison}");
    Ok(comparison.is_same())
}

/// Copies the tracked files twice, builds both from nothing and hashes the results. The
/// second build also sees cargo's home under another name.
///
/// # Errors
/// When this is no checkout, or the plugin does not compile.
pub(crate) fn compare(workspace: &Workspace, toolchain: &Toolchain) -> Result<Comparison> {
    let files = tree::tracked_files(&workspace.root)?;
    let staging = Staging::new(&env::temp_dir(), "reproducible")?;
    let cargo_home = wasm::cargo_home()?;
    let renamed_home = second_name(&cargo_home, staging.path())?;
    let build = |folder: &str, cargo_home: &Path| {
        eprintln!(
            "      building the plugin in a folder {} characters deep",
            staging.path().join(folder).as_os_str().len()
        );
        let root = staging.path().join(folder);
        copy(&files, &workspace.root, &root)?;
        let place = Place {
            root: &root,
            build: &root.join("target"),
            cargo_home,
        };
        let artifact = wasm::build(&place, toolchain)?;
        artifact
            .map(|artifact| artifact.sha256)
            .map_err(|said| anyhow!("the plugin does not compile\n{said}"))
    };
    Ok(Comparison {
        first: build("a", &cargo_home)?,
        second: build("another folder/with a longer name", &renamed_home)?,
    })
}

/// The same folder by another path, where the system has links.
fn second_name(cargo_home: &Path, folder: &Path) -> Result<PathBuf> {
    #[cfg(unix)]
    {
        let link = folder.join("cargo-home");
        std::os::unix::fs::symlink(cargo_home, &link).context("cannot make a link")?;
        Ok(link)
    }
    #[cfg(not(unix))]
    Ok(cargo_home.to_owned())
}

fn copy(files: &[PathBuf], from: &Path, to: &Path) -> Result<()> {
    for file in files {
        let (source, destination) = (from.join(file), to.join(file));
        // Deleted but not yet committed.
        if !source.exists() {
            continue;
        }
        fs::create_dir_all(
            destination
                .parent()
                .context("a tracked file has a folder")?,
        )?;
        fs::copy(&source, &destination)
            .with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}
