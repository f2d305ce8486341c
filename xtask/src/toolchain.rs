//! Which rustc and linker build for `wasm32-wasip1` on this machine.
//!
//! In this order: the target of the machine's own toolchain; a Debian toolchain that an
//! earlier run unpacked; `rustup target add`; Debian's packages. Nothing is remembered
//! about what failed, so a network that opens is used at once.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::debian;
use crate::subprocess;
use crate::workspace::Workspace;

/// What the plugin is compiled for.
pub(crate) const TARGET: &str = "wasm32-wasip1";

/// A compiler that can build for [`TARGET`].
#[derive(Debug)]
pub(crate) struct Toolchain {
    /// What `rustc --version` prints.
    pub(crate) version: String,
    /// Commit of the compiler's sources, the directory name that its own paths carry.
    pub(crate) commit: String,
    /// Folder that holds `lib/rustlib`.
    pub(crate) sysroot: PathBuf,
    /// The compiler and linker to name to cargo; `None` for those it takes by itself.
    replacement: Option<Replacement>,
}

#[derive(Debug)]
struct Replacement {
    rustc: PathBuf,
    linker: PathBuf,
}

impl Toolchain {
    /// Makes a cargo command use this toolchain.
    pub(crate) fn apply(&self, cargo: &mut Command) {
        if let Some(Replacement { rustc, linker }) = &self.replacement {
            cargo
                .env("RUSTC", rustc)
                .env("CARGO_TARGET_WASM32_WASIP1_LINKER", linker);
        }
    }

    /// Whether the machine's clippy can check code for [`TARGET`]; it cannot read another
    /// compiler's standard library.
    pub(crate) fn has_clippy(&self) -> bool {
        self.replacement.is_none()
    }

    fn machine(rustc: &OsString) -> Result<Self> {
        Self::describe(rustc, None)
    }

    fn unpacked(rustc: PathBuf, machine: &Self) -> Result<Self> {
        let linker = lld_of(&machine.sysroot)?;
        let program = rustc.clone().into_os_string();
        Self::describe(&program, Some(Replacement { rustc, linker }))
    }

    fn describe(rustc: &OsString, replacement: Option<Replacement>) -> Result<Self> {
        let verbose = subprocess::stdout_of(Command::new(rustc).arg("-vV"))?;
        let sysroot = subprocess::stdout_of(Command::new(rustc).arg("--print=sysroot"))?;
        Ok(Self {
            version: verbose.lines().next().unwrap_or_default().to_owned(),
            commit: field(&verbose, "commit-hash")
                .unwrap_or("unknown")
                .to_owned(),
            sysroot: PathBuf::from(sysroot.trim_end()),
            replacement,
        })
    }

    fn has_target(&self) -> bool {
        let library = self.sysroot.join("lib/rustlib").join(TARGET).join("lib");
        fs::read_dir(library).is_ok_and(|files| {
            files
                .flatten()
                .any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
        })
    }
}

/// Finds or fetches a toolchain for [`TARGET`].
///
/// # Errors
/// When none of the ways works; the message names each with what failed.
pub(crate) fn select(workspace: &Workspace) -> Result<Toolchain> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let machine = Toolchain::machine(&rustc)?;
    if machine.has_target() {
        return Ok(machine);
    }
    if let Some(rustc) = debian::cached(&workspace.target) {
        return Toolchain::unpacked(rustc, &machine);
    }
    let Err(rustup) = add_target() else {
        return Ok(machine);
    };
    eprintln!("rustup cannot add {TARGET} here; taking it from Debian's packages");
    debian::provision(&workspace.target)
        .and_then(|rustc| Toolchain::unpacked(rustc, &machine))
        .map_err(|debian| neither(&rustup, &debian))
}

fn add_target() -> Result<()> {
    eprintln!("adding {TARGET} to the Rust toolchain with rustup (about 20 MB)");
    subprocess::stdout_of(Command::new("rustup").args(["target", "add", TARGET])).map(drop)
}

fn neither(rustup: &anyhow::Error, debian: &anyhow::Error) -> anyhow::Error {
    anyhow!(
        "no compiler for {TARGET}; tried both ways to get one\n\
         \x20 1. `rustup target add {TARGET}`: {rustup:#}\n\
         \x20 2. rustc from Debian's packages, unpacked below the target directory: {debian:#}\n\
         \x20 next: run `rustup target add {TARGET}` where its network is open, or this on Debian \
         or a derivative whose package archive can be reached"
    )
}

/// The linker that every rustup toolchain brings; Debian's own is in another package.
fn lld_of(sysroot: &Path) -> Result<PathBuf> {
    let hosts = fs::read_dir(sysroot.join("lib/rustlib"))
        .with_context(|| format!("cannot read {}", sysroot.join("lib/rustlib").display()))?;
    hosts
        .flatten()
        .map(|host| host.path().join("bin/rust-lld"))
        .find(|lld| lld.is_file())
        .with_context(|| {
            format!(
                "no rust-lld below {}, which links for {TARGET}",
                sysroot.display()
            )
        })
}

fn field<'a>(verbose: &'a str, key: &str) -> Option<&'a str> {
    verbose
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staging::Staging;

    fn toolchain(sysroot: &Path) -> Toolchain {
        Toolchain {
            version: "rustc 1.0.0".into(),
            commit: "0".into(),
            sysroot: sysroot.into(),
            replacement: None,
        }
    }

    #[test]
    fn a_target_counts_as_installed_only_with_its_standard_library() {
        let sysroot = Staging::new(&env::temp_dir(), "sysroot").unwrap();
        let library = sysroot.path().join("lib/rustlib").join(TARGET).join("lib");

        assert!(!toolchain(sysroot.path()).has_target());
        fs::create_dir_all(&library).unwrap();
        assert!(!toolchain(sysroot.path()).has_target());
        fs::write(library.join("libstd-0123.rlib"), "").unwrap();
        assert!(toolchain(sysroot.path()).has_target());
    }

    #[test]
    fn the_linker_is_found_whatever_the_host_is_called() {
        let sysroot = Staging::new(&env::temp_dir(), "sysroot").unwrap();
        let binaries = sysroot.path().join("lib/rustlib/some-host/bin");
        fs::create_dir_all(&binaries).unwrap();

        assert!(
            lld_of(sysroot.path())
                .unwrap_err()
                .to_string()
                .contains("rust-lld")
        );
        fs::write(binaries.join("rust-lld"), "").unwrap();
        assert_eq!(lld_of(sysroot.path()).unwrap(), binaries.join("rust-lld"));
    }

    #[test]
    fn the_error_names_both_ways_and_what_failed() {
        let error =
            neither(&anyhow!("rustup: no network"), &anyhow!("apt: no archive")).to_string();

        for part in [
            "rustup target add",
            "rustup: no network",
            "Debian",
            "apt: no archive",
            "next:",
        ] {
            assert!(error.contains(part), "{part} is missing in {error}");
        }
    }

    #[test]
    fn the_commit_is_read_from_the_verbose_version() {
        let verbose = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\ncommit-hash: 59807616e1fa\nhost: x\n";

        assert_eq!(field(verbose, "commit-hash"), Some("59807616e1fa"));
        assert_eq!(field(verbose, "commit-date"), None);
    }
}
