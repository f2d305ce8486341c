//! Builds the guests of `guests/`: the probe and the examples, each as NAME.wasm in one folder.
//!
//! Like the plugin it always asks the compilers, so that no test ever runs a stale guest.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::assemblyscript;
use crate::staging::Staging;
use crate::toolchain::{self, Toolchain};
use crate::wasm::{self, Place};
use crate::workspace::Workspace;

const PACKAGE: &str = "weir-guests";

/// Guests that compiled.
pub(crate) struct Guests {
    /// Folder that holds them and nothing else.
    pub(crate) folder: PathBuf,
    /// Every .wasm, sorted by name.
    pub(crate) files: Vec<PathBuf>,
    /// rustc's warnings about the workspace's own crates, as it renders them.
    pub(crate) warnings: Vec<String>,
    /// What was left out, and why.
    pub(crate) skipped: Vec<String>,
}

/// `cargo xtask guests`.
///
/// # Errors
/// When no toolchain can be had or a file cannot be written.
pub(crate) fn run(workspace: &Workspace) -> Result<bool> {
    let toolchain = toolchain::select(workspace)?;
    match build(workspace, &toolchain)? {
        Ok(guests) => {
            eprint!("{}", guests.warnings.concat());
            for skipped in &guests.skipped {
                eprintln!("skipped: {skipped}");
            }
            for file in &guests.files {
                let bytes = fs::metadata(file)?.len();
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                eprintln!("{bytes:>8} bytes  {name}");
                println!("{}", file.display());
            }
            println!("{}", guests.folder.display());
            Ok(true)
        }
        Err(diagnostics) => {
            eprint!("{diagnostics}");
            eprintln!(
                "the guests do not compile; Rust's compiler is {}",
                toolchain.version
            );
            Ok(false)
        }
    }
}

/// Builds every guest. The inner error is what a compiler said.
///
/// # Errors
/// When a compiler cannot run or a file cannot be written.
pub(crate) fn build(
    workspace: &Workspace,
    toolchain: &Toolchain,
) -> Result<Result<Guests, String>> {
    let (build_directory, cargo_home) = (wasm::build_directory(workspace), wasm::cargo_home()?);
    let place = Place {
        root: &workspace.root,
        build: &build_directory,
        cargo_home: &cargo_home,
    };
    let compiled = match wasm::compile(&place, toolchain, PACKAGE, &["--lib", "--examples"])? {
        Ok(compiled) => compiled,
        Err(diagnostics) => return Ok(Err(diagnostics)),
    };
    let mut files = compiled.files;
    let mut skipped = Vec::new();
    match assemblyscript::build(workspace)? {
        assemblyscript::Outcome::Built(more) => files.extend(more),
        assemblyscript::Outcome::Skipped(reason) => skipped.push(reason),
        assemblyscript::Outcome::Broken(diagnostics) => return Ok(Err(diagnostics)),
    }
    let folder = workspace.target.join("guests");
    let files = publish(&folder, &files)?;
    Ok(Ok(Guests {
        folder,
        files,
        warnings: compiled.warnings,
        skipped,
    }))
}

/// Copies files into the folder, each in one step, and removes guests that are no more.
fn publish(folder: &Path, files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let staging = Staging::new(folder, "guests")?;
    let mut names: BTreeSet<OsString> = BTreeSet::new();
    for file in files {
        let name = file.file_name().context("a guest without a name")?;
        fs::copy(file, staging.path().join("guest"))
            .with_context(|| format!("cannot copy {}", file.display()))?;
        staging.publish("guest", &folder.join(name))?;
        names.insert(name.to_owned());
    }
    for entry in fs::read_dir(folder)?.flatten() {
        let is_guest = entry.path().extension() == Some("wasm".as_ref());
        if is_guest && !names.contains(&entry.file_name()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_that_is_no_more_leaves_the_folder() {
        let staging = Staging::new(&std::env::temp_dir(), "guests-test").unwrap();
        let (built, folder) = (staging.path().join("built"), staging.path().join("guests"));
        fs::create_dir_all(&built).unwrap();
        let files = ["one.wasm", "two.wasm"].map(|name| built.join(name));
        for file in &files {
            fs::write(file, "module").unwrap();
        }

        publish(&folder, &files).unwrap();
        let left = publish(&folder, &files[..1]).unwrap();

        assert_eq!(left, [folder.join("one.wasm")]);
        assert!(!folder.join("two.wasm").exists());
    }
}
