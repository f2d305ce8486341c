//! Builds the plugin, and what else is a guest. Always asks cargo, which is quick when nothing changed, so that what
//! is tested and shipped is never a stale file.
//!
//! The bytes depend on the sources, Cargo.lock and the toolchain, not on the folder, the
//! user's cargo home or their environment: `cargo xtask reproducible` holds it to that.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::digest;
use crate::staging::Staging;
use crate::subprocess;
use crate::toolchain::{self, TARGET, Toolchain};
use crate::workspace::{self, Workspace};

const PACKAGE: &str = "weir-plugin";
const PROFILE: &str = "plugin";

/// All in Envoy's V8 since long before 1.40; the vector code of memchr and aho-corasick
/// and one-instruction memcpy need them.
const TARGET_FEATURES: &str = "+simd128,+bulk-memory,+sign-ext,+nontrapping-fptoint";

/// Where a build happens; the folder must not show in the bytes.
pub(crate) struct Place<'a> {
    /// Folder of the root manifest.
    pub(crate) root: &'a Path,
    /// Cargo's build directory, apart from the host's so that neither invalidates the other.
    pub(crate) build: &'a Path,
    /// Cargo's home, absolute.
    pub(crate) cargo_home: &'a Path,
}

/// A plugin that compiled.
pub(crate) struct Artifact {
    /// The .wasm.
    pub(crate) path: PathBuf,
    /// Its size.
    pub(crate) bytes: u64,
    /// Lower-case hexadecimal hash of it.
    pub(crate) sha256: String,
    /// rustc's warnings about the workspace's own crates, as it renders them.
    pub(crate) warnings: Vec<String>,
}

/// `cargo xtask wasm`.
///
/// # Errors
/// When no toolchain can be had or the file cannot be written.
pub(crate) fn run(workspace: &Workspace, out: Option<PathBuf>) -> Result<bool> {
    let toolchain = toolchain::select(workspace)?;
    let out = out.unwrap_or_else(|| default_path(workspace));
    match build_into(workspace, &toolchain, &out)? {
        Ok(artifact) => {
            eprint!("{}", artifact.warnings.concat());
            eprintln!(
                "plugin: {} bytes, sha256 {}, {}",
                artifact.bytes, artifact.sha256, toolchain.version
            );
            println!("{}", artifact.path.display());
            Ok(true)
        }
        Err(diagnostics) => {
            eprint!("{diagnostics}");
            eprintln!("the plugin does not compile with {}", toolchain.version);
            Ok(false)
        }
    }
}

/// Where the plugin is left unless told otherwise.
pub(crate) fn default_path(workspace: &Workspace) -> PathBuf {
    workspace.target.join("weir.wasm")
}

/// Builds the workspace's plugin and copies it to `out` in one step. The inner error is
/// what the compiler said.
///
/// # Errors
/// When cargo cannot run or the file cannot be written.
pub(crate) fn build_into(
    workspace: &Workspace,
    toolchain: &Toolchain,
    out: &Path,
) -> Result<Result<Artifact, String>> {
    let (build_directory, cargo_home) = (build_directory(workspace), cargo_home()?);
    let place = Place {
        root: &workspace.root,
        build: &build_directory,
        cargo_home: &cargo_home,
    };
    let artifact = match build(&place, toolchain)? {
        Ok(artifact) => artifact,
        Err(diagnostics) => return Ok(Err(diagnostics)),
    };
    let out = std::path::absolute(out)?;
    let folder = out
        .parent()
        .with_context(|| format!("{} is no file name", out.display()))?;
    let staging = Staging::new(folder, "wasm")?;
    fs::copy(&artifact.path, staging.path().join("plugin"))?;
    staging.publish("plugin", &out)?;
    Ok(Ok(Artifact {
        path: out,
        ..artifact
    }))
}

/// Cargo's directory for builds for [`TARGET`].
pub(crate) fn build_directory(workspace: &Workspace) -> PathBuf {
    workspace.target.join("wasm-build")
}

/// Builds the plugin of any copy of the workspace. The inner error is what the compiler said.
///
/// # Errors
/// When cargo cannot run.
pub(crate) fn build(place: &Place, toolchain: &Toolchain) -> Result<Result<Artifact, String>> {
    let compiled = match compile(place, toolchain, PACKAGE, &[])? {
        Ok(compiled) => compiled,
        Err(diagnostics) => return Ok(Err(diagnostics)),
    };
    let [path] = compiled.files.as_slice() else {
        bail!("cargo built {PACKAGE} but did not name one .wasm")
    };
    Ok(Ok(Artifact {
        bytes: fs::metadata(path)?.len(),
        sha256: digest::sha256_of(path)?,
        path: path.clone(),
        warnings: compiled.warnings,
    }))
}

/// Compiles a package for [`TARGET`] with the plugin's profile; `targets` narrows or widens it to
/// cargo's targets. The inner error is what the compiler said.
///
/// # Errors
/// When cargo cannot run.
pub(crate) fn compile(
    place: &Place,
    toolchain: &Toolchain,
    package: &str,
    targets: &[&str],
) -> Result<Result<Compiled, String>> {
    let mut cargo = cargo(place, toolchain, "build")?;
    cargo
        .args(["--package", package, "--profile", PROFILE])
        .args(targets)
        .arg("--message-format=json");
    let output = subprocess::run_watched(&mut cargo)?;
    let compiled = Compiled::parse(&String::from_utf8_lossy(&output.stdout));
    Ok(match output.status.success() {
        true => Ok(compiled),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(compiled.warnings.concat() + &said)
        }
    })
}

/// A cargo command for [`TARGET`] whose result does not depend on the user's settings.
///
/// # Errors
/// When the cargo home cannot be read.
pub(crate) fn cargo(place: &Place, toolchain: &Toolchain, subcommand: &str) -> Result<Command> {
    let mut cargo = Command::new(workspace::cargo());
    cargo
        .arg(subcommand)
        .args(["--locked", "--target", TARGET, "--target-dir"])
        .arg(place.build);
    cargo.current_dir(place.root);
    for (name, _) in env::vars_os().filter(|(name, _)| changes_the_build(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    cargo
        .env("CARGO_HOME", place.cargo_home)
        .env("CARGO_ENCODED_RUSTFLAGS", rustc_flags(place, toolchain)?)
        .env("CARGO_INCREMENTAL", "0")
        .env("RUSTC_WRAPPER", "")
        .env("RUSTC_WORKSPACE_WRAPPER", "");
    toolchain.apply(&mut cargo);
    Ok(cargo)
}

/// Cargo's home directory, where the sources of dependencies are.
///
/// # Errors
/// When neither `CARGO_HOME` nor a home directory is set.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    match env::var_os("CARGO_HOME").filter(|home| !home.is_empty()) {
        Some(home) => Ok(std::path::absolute(home)?),
        None => Ok(env::home_dir()
            .context("neither CARGO_HOME nor a home directory is set")?
            .join(".cargo")),
    }
}

fn changes_the_build(variable: &str) -> bool {
    const PREFIXES: [&str; 4] = [
        "CARGO_PROFILE_",
        "CARGO_BUILD_",
        "CARGO_TARGET_",
        "CARGO_PKG_",
    ];
    let named = PREFIXES.iter().any(|prefix| variable.starts_with(prefix));
    variable == "RUSTFLAGS" || named && variable != "CARGO_BUILD_JOBS"
}

/// The flags, separated as `CARGO_ENCODED_RUSTFLAGS` wants so that paths may have spaces.
fn rustc_flags(place: &Place, toolchain: &Toolchain) -> Result<OsString> {
    let mut flags = OsString::from(format!("-Ctarget-feature={TARGET_FEATURES}"));
    for (from, to) in path_names(place, toolchain)? {
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    Ok(flags)
}

/// What panic locations shall say instead of this machine's paths; of several that fit a
/// path, rustc takes the last.
fn path_names(place: &Place, toolchain: &Toolchain) -> Result<Vec<(PathBuf, String)>> {
    let mut names = vec![
        (place.root.to_owned(), "/weir".to_owned()),
        (place.cargo_home.to_owned(), "/cargo".to_owned()),
        (toolchain.sysroot.clone(), "/rust".to_owned()),
        // With the rust-src component rustc would name its real folder, without it this one.
        (
            toolchain.sysroot.join("lib/rustlib/src/rust"),
            format!("/rustc/{}", toolchain.commit),
        ),
    ];
    // Each registry's folder carries a hash of its address, which differs behind a mirror.
    let registries = place.cargo_home.join("registry/src");
    if let Ok(entries) = fs::read_dir(&registries) {
        let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        folders.sort();
        names.extend(
            folders
                .into_iter()
                .map(|folder| (folder, "/registry".to_owned())),
        );
    }
    Ok(names)
}

/// What matters of cargo's `--message-format=json`.
#[derive(Default)]
pub(crate) struct Compiled {
    /// Every .wasm, in the order in which they were done.
    pub(crate) files: Vec<PathBuf>,
    /// What rustc said, as it renders it.
    pub(crate) warnings: Vec<String>,
}

impl Compiled {
    fn parse(lines: &str) -> Self {
        let mut compiled = Self::default();
        for message in lines
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        {
            let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str);
            match text("/reason") {
                Some("compiler-message") => compiled
                    .warnings
                    .extend(text("/message/rendered").map(str::to_owned)),
                Some("compiler-artifact") => {
                    let files = message
                        .get("filenames")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten();
                    let files = files.filter_map(Value::as_str).map(PathBuf::from);
                    compiled
                        .files
                        .extend(files.filter(|file| file.extension() == Some("wasm".as_ref())));
                }
                _ => {}
            }
        }
        compiled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_messages_yield_every_wasm_and_what_rustc_said() {
        let lines = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"memchr"},"filenames":["/t/libmemchr.rlib"]}"#,
            "\n",
            r#"{"reason":"compiler-message","message":{"rendered":"warning: unused\n"}}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"weir_plugin"},"filenames":["/t/weir_plugin.wasm"]}"#,
            "\nnot JSON\n",
            r#"{"reason":"build-finished","success":true}"#,
        );

        let compiled = Compiled::parse(lines);

        assert_eq!(compiled.files, [Path::new("/t/weir_plugin.wasm")]);
        assert_eq!(compiled.warnings, ["warning: unused\n"]);
    }

    #[test]
    fn settings_that_would_change_the_bytes_are_dropped_and_others_kept() {
        for dropped in [
            "RUSTFLAGS",
            "CARGO_PROFILE_PLUGIN_OPT_LEVEL",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_TARGET_DIR",
        ] {
            assert!(changes_the_build(dropped), "{dropped}");
        }
        for kept in [
            "PATH",
            "RUSTUP_TOOLCHAIN",
            "CARGO_BUILD_JOBS",
            "CARGO_NET_OFFLINE",
            "HTTPS_PROXY",
        ] {
            assert!(!changes_the_build(kept), "{kept}");
        }
    }
}
