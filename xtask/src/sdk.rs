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

/// The packages of both languages.
pub(crate) struct Packages {
    python: PathBuf,
    node: PathBuf,
}

/// `cargo xtask sdk`.
///
/// # Errors
/// When something is missing on this machine; the message ends with the next step.
pub(crate) fn run(workspace: &Workspace, format: Format) -> Result<bool> {
    let packages = packages(workspace)?;
    let envoy = envoy::provision(workspace)?;
    let plugin = wasm::default_path(workspace);
    let toolchain = toolchain::select(workspace)?;
    if let Err(diagnostics) = wasm::build_into(workspace, &toolchain, &plugin)? {
        eprint!("{diagnostics}");
        bail!("the plugin does not compile");
    }
    let mut command = comparison(workspace, &packages, &envoy.path, &plugin, format)?;
    let status = command.status().context("cannot run what was built")?;
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => bail!("the comparison could not be made"),
    }
}

/// The SDKs of both languages; installed once.
///
/// # Errors
/// When they cannot be had; the message ends with the next step.
pub(crate) fn packages(workspace: &Workspace) -> Result<Packages> {
    let (sources, folder) = (sources(workspace), workspace.target.join("sdk"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let lack = |language, error: anyhow::Error, programs| {
        anyhow!(
            "the SDKs for {language} cannot be had: {error:#}\n\
             \x20 next: install {programs}, and let it reach a registry"
        )
    };
    let python = python_packages(&sources, &folder)
        .map_err(|error| lack("Python", error, "python3 (3.10 or newer) with pip"))?;
    let node = npm::node_version()
        .and_then(|_| npm::packages(&sources, &folder, OF_NODE))
        .map_err(|error| lack("Node", error, "node (20 or newer) with npm"))?;
    Ok(Packages { python, node })
}

/// Whether files came that are not those that were pinned: a reason to stop, not to go on without.
pub(crate) fn is_mismatch(error: &anyhow::Error) -> bool {
    let said = format!("{error:#}");
    ["DO NOT MATCH THE HASHES", "EINTEGRITY"]
        .iter()
        .any(|words| said.contains(words))
}

/// The command that makes the comparison, built. It ends with 0 where everything is as expected, with 1 where
/// something is not, with 2 where it cannot run.
///
/// # Errors
/// When it does not compile.
pub(crate) fn comparison(
    workspace: &Workspace,
    packages: &Packages,
    envoy: &Path,
    plugin: &Path,
    format: Format,
) -> Result<Command> {
    let mut command = Command::new(program(workspace)?);
    let format = match format {
        Format::Text => "text",
        Format::Json => "json",
    };
    command.arg("--envoy").arg(envoy);
    command.arg("--wasm").arg(plugin);
    command.arg("--python").arg(&packages.python);
    command.arg("--node").arg(&packages.node);
    command.arg("--drivers").arg(sources(workspace));
    command.args(["--format", format]).stdin(Stdio::null());
    Ok(command)
}

fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("envoy/sdk")
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
    fn files_of_another_hash_are_no_lack_of_a_registry() {
        assert!(is_mismatch(&anyhow!("npm failed: code EINTEGRITY")));
        assert!(!is_mismatch(&anyhow!("cannot run `npm`")));
    }

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
