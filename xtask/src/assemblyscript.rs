//! Builds the guests in AssemblyScript, where node and npm are there; the packages are those of the lock
//! file, from whatever registry npm is set to.
//!
//! The compiler takes ten seconds a guest, so a guest is compiled again only when something changed that
//! goes into it, which its stamp tells.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::digest;
use crate::npm::{self, LOCK};
use crate::staging::Staging;
use crate::subprocess;
use crate::workspace::Workspace;

const COMPILER: &str = "node_modules/assemblyscript/bin/asc";

/// `abort` is no import of any proxy; the runtime brings one that logs.
const COMPILER_FLAGS: &[&str] = &[
    "--optimize",
    "--noColors",
    "--use",
    "abort=abort_proc_exit",
    "--path",
];

/// What became of the guests.
pub(crate) enum Outcome {
    /// Every .wasm.
    Built(Vec<PathBuf>),
    /// This machine cannot build them, and why.
    Skipped(String),
    /// What the compiler said.
    Broken(String),
}

/// Builds every `guests/assemblyscript/assembly/*.ts`.
///
/// # Errors
/// When files cannot be read or written.
pub(crate) fn build(workspace: &Workspace) -> Result<Outcome> {
    let sources = workspace.root.join("guests/assemblyscript");
    let node = match npm::node_version() {
        Ok(node) => node,
        Err(error) => return Ok(Outcome::Skipped(skipped(&error))),
    };
    let folder = workspace.target.join("assemblyscript");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let lock = digest::sha256_of(&sources.join(LOCK))?;
    let packages = match npm::packages(&sources, &folder, COMPILER) {
        Ok(packages) => packages,
        Err(error) => return Ok(Outcome::Skipped(skipped(&error))),
    };
    let mut built = Vec::new();
    for source in guests(&sources.join("assembly"))? {
        let flags = COMPILER_FLAGS.join(" ");
        let stamp = format!("{node}{lock}\n{flags}\n{}\n", digest::sha256_of(&source)?);
        let wasm = folder
            .join(source.file_stem().context("a guest without a name")?)
            .with_extension("wasm");
        let stamp_file = wasm.with_extension("stamp");
        let is_current =
            wasm.is_file() && fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp);
        if !is_current && let Err(said) = compile(&source, &packages, &folder, &wasm)? {
            return Ok(Outcome::Broken(said));
        }
        fs::write(stamp_file, stamp)?;
        built.push(wasm);
    }
    Ok(Outcome::Built(built))
}

fn skipped(error: &anyhow::Error) -> String {
    format!(
        "guests in AssemblyScript: {error:#}; they need node, npm and a registry that npm can reach"
    )
}

/// Every guest's source, sorted.
fn guests(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut sources: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    sources.retain(|source| source.extension() == Some("ts".as_ref()));
    sources.sort();
    Ok(sources)
}

/// The inner error is what the compiler said.
fn compile(
    source: &Path,
    packages: &Path,
    folder: &Path,
    wasm: &Path,
) -> Result<Result<(), String>> {
    let staging = Staging::new(folder, "guest")?;
    let name: OsString = source
        .file_name()
        .context("a guest without a name")?
        .to_owned();
    // A place of its own, so that the compiler, which takes names relative to it, sees no other.
    fs::copy(source, staging.path().join(&name))?;
    let mut node = Command::new("node");
    node.arg(packages.join(COMPILER))
        .arg(&name)
        .args(COMPILER_FLAGS)
        .arg(packages.join("node_modules"))
        .args(["--binaryFile", "guest.wasm"])
        .current_dir(staging.path());
    // Its warnings are about its own library.
    let output = subprocess::run_watched(&mut node)?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Ok(Err(String::from_utf8_lossy(&said).into_owned()));
    }
    staging.publish("guest.wasm", wasm)?;
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sources_are_guests() {
        let staging = Staging::new(&std::env::temp_dir(), "assemblyscript-test").unwrap();
        for name in ["b.ts", "a.ts", "tsconfig.json"] {
            fs::write(staging.path().join(name), "").unwrap();
        }

        let found = guests(staging.path()).unwrap();

        assert_eq!(
            found,
            ["a.ts", "b.ts"].map(|name| staging.path().join(name))
        );
    }
}
