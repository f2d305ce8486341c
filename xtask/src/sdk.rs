//! Provisions the official SDKs and holds them against a real Envoy with Weir.
//!
//! Versions are exact and files are named by their hashes: `envoy/sdk/requirements.txt` for pip,
//! `envoy/sdk/package-lock.json` for npm. What is compared, and how, is `weir-envoy`'s matter.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;

use crate::digest;
use crate::envoy;
use crate::npm;
use crate::staging::Staging;
use crate::subprocess;
use crate::toolchain;
use crate::wasm;
use crate::workspace::Workspace;

const REQUIREMENTS: &str = "requirements.txt";
/// Files without which an installation is not whole.
const OF_PYTHON: &str = "anthropic/__init__.py";
const OF_NODE: &str = "node_modules/openai/package.json";

/// How the result is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables for a person
    Text,
    /// One JSON object
    Json,
}

/// `cargo xtask sdk`.
///
/// # Errors
/// When something is missing on this machine; the message ends with the next step.
pub(crate) fn run(workspace: &Workspace, format: Format) -> Result<bool> {
    let sources = workspace.root.join("envoy/sdk");
    let folder = workspace.target.join("sdk");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let python = python_packages(&sources, &folder).map_err(|error| {
        anyhow!("the SDKs for Python cannot be had: {error:#}\n  next: install python3 (3.10 or newer) with pip, and let it reach a registry")
    })?;
    let node = npm::node_version().and_then(|_| npm::packages(&sources, &folder, OF_NODE)).map_err(|error| {
        anyhow!("the SDKs for Node cannot be had: {error:#}\n  next: install node (20 or newer) and npm, and let it reach a registry")
    })?;
    let envoy = envoy::provision(workspace)?;
    let plugin = wasm::default_path(workspace);
    if let Err(diagnostics) = wasm::build_into(workspace, &toolchain::select(workspace)?, &plugin)?
    {
        eprint!("{diagnostics}");
        bail!("the plugin does not compile");
    }
    let program = program(workspace)?;

    let mut command = Command::new(program);
    command
        .arg("--envoy")
        .arg(envoy.path)
        .arg("--wasm")
        .arg(plugin)
        .arg("--python")
        .arg(python)
        .arg("--node")
        .arg(node)
        .arg("--drivers")
        .arg(sources)
        .args([
            "--format",
            if format == Format::Json {
                "json"
            } else {
                "text"
            },
        ])
        .stdin(Stdio::null());
    let status = command.status().context("cannot run what was built")?;
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => bail!("the comparison could not be made"),
    }
}

/// Builds the program that runs the comparison.
fn program(workspace: &Workspace) -> Result<PathBuf> {
    let build = [
        "build",
        "--quiet",
        "--locked",
        "--package",
        "weir-envoy",
        "--bin",
        "sdk",
    ];
    let status = workspace
        .cargo(&build)
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("the program that compares does not compile");
    }
    let name = format!("sdk{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace.target.join("debug").join(name))
}

/// The folder with the packages of the requirements; installed once for each version of Python, since some of
/// them are compiled for one.
fn python_packages(sources: &Path, folder: &Path) -> Result<PathBuf> {
    let version = "import sys; print('%d.%d' % sys.version_info[:2])";
    let version = subprocess::stdout_of(Command::new("python3").args(["-c", version]))?;
    let requirements = sources.join(REQUIREMENTS);
    let hash = digest::sha256_of(&requirements)?;
    let short = hash.get(..16).unwrap_or(&hash);
    let installed = folder.join(format!("python-{}-{short}", version.trim()));
    if installed.join(OF_PYTHON).is_file() {
        return Ok(installed);
    }
    eprintln!("installing the SDKs for Python with pip");
    let staging = Staging::new(folder, "python")?;
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ])
    .args([
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "--target",
    ])
    .arg(staging.path().join("packages"))
    .arg("--requirement")
    .arg(&requirements);
    subprocess::stdout_of(&mut pip)?;
    staging.publish("packages", &installed)?;
    Ok(installed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_exact_and_has_hashes_and_no_registry_is_named() {
        let workspace = Workspace::find().unwrap();
        let file = workspace.root.join("envoy/sdk").join(REQUIREMENTS);

        let text = fs::read_to_string(file).unwrap().replace("\\\n", "");

        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let pinned = |line: &&str| line.contains("==") && line.contains("--hash=sha256:");
        assert!(lines.iter().all(pinned), "{text}");
        assert!(lines.iter().any(|line| line.starts_with("openai==")));
        assert!(!text.contains("://"));
    }
}
