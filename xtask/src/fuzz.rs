//! `cargo xtask fuzz`: builds the fuzzers of `fuzz/` with coverage and runs them for a while.
//!
//! libFuzzer is steered by counters that the compiler puts into the code. A stable compiler does that too
//! when its LLVM passes are named one by one, which is all that cargo-fuzz does on a nightly one; only the
//! address sanitizer is missing, and safe code has no use for it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::subprocess;
use crate::workspace::Workspace;

/// Seconds for each target where none are given.
pub(crate) const SECONDS: u32 = 60;

/// What can be fuzzed: the modules of `fuzz/`.
pub(crate) const TARGETS: [&str; 3] = ["facts", "shaper", "attestation"];

/// Longest input; seeds are shorter.
const MAX_LEN: u32 = 20 * 1024;
/// Megabytes that a fuzzer may hold, its own corpus included, and allocate at once.
const MAX_MEMORY: [u32; 2] = [1024, 16];
/// Seconds that one input may take.
const MAX_SECONDS: u32 = 5;

/// Coverage of edges and comparisons for libFuzzer; whoever knows that it is fuzzed may ask for
/// `cfg(fuzzing)`; nothing overflows or breaks an assertion unseen.
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions=on",
    "-Coverflow-checks=on",
];

/// Fuzzes `target`, or each in turn, for so many seconds.
///
/// # Errors
/// When the fuzzers cannot be built or started; the message ends with the next step.
pub(crate) fn run(workspace: &Workspace, target: Option<&str>, seconds: u32) -> Result<bool> {
    let compiler = env::var_os("CXX").unwrap_or_else(|| OsString::from("c++"));
    if subprocess::stdout_of(Command::new(&compiler).arg("--version")).is_err() {
        let compiler = compiler.to_string_lossy();
        bail!(
            "libFuzzer needs a C++ compiler, and {compiler} does not run\n\
             \x20 next: install one, or name it in CXX"
        );
    }
    let fuzzers = Fuzzers::build(workspace)?;
    let mut sound = true;
    for target in TARGETS
        .iter()
        .filter(|known| target.is_none_or(|wanted| wanted == **known))
    {
        sound &= fuzzers.run(workspace, target, seconds)?;
    }
    Ok(sound)
}

struct Fuzzers {
    /// Cargo's target directory for them, apart from that of everything else because of the flags.
    folder: PathBuf,
    /// Folder of the built fuzzers.
    programs: PathBuf,
}

impl Fuzzers {
    fn build(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.target.join("fuzz");
        let host = host()?;
        // Naming the target keeps the flags away from build scripts and macros.
        let mut cargo = workspace.cargo(&["build", "--release", "--locked", "--package=weir-fuzz"]);
        cargo
            .args(TARGETS.map(|target| format!("--bin=fuzz-{target}")))
            .arg(format!("--target={host}"))
            .arg("--target-dir")
            .arg(&folder)
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("RUSTFLAGS", FLAGS.join(" "));
        built(cargo.status(), "the fuzzers")?;
        let seeds = folder.join("seeds");
        let mut cargo = workspace.cargo(&[
            "run",
            "--quiet",
            "--locked",
            "--package=weir-fuzz",
            "--bin=fuzz-seeds",
            "--",
        ]);
        built(cargo.arg(&seeds).status(), "the seeds")?;
        Ok(Self {
            programs: folder.join(host).join("release"),
            folder,
        })
    }

    /// Whether `target` survived; what broke it is left in a file that libFuzzer names.
    fn run(&self, workspace: &Workspace, target: &str, seconds: u32) -> Result<bool> {
        let corpus = self.made("corpus", target)?;
        let artifacts = self.made("artifacts", target)?;
        let [held, at_once] = MAX_MEMORY;
        eprintln!(
            "fuzzing {target} for {seconds} s; what it finds is left in {}",
            workspace.display(&artifacts)
        );
        let status = Command::new(self.programs.join(format!("fuzz-{target}")))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={MAX_LEN}"))
            .arg(format!("-rss_limit_mb={held}"))
            .arg(format!("-malloc_limit_mb={at_once}"))
            .arg(format!("-timeout={MAX_SECONDS}"))
            .arg("-print_final_stats=1")
            .arg(prefix(&artifacts))
            .arg(&corpus)
            .arg(self.folder.join("seeds").join(target))
            .current_dir(&workspace.root)
            .status()
            .with_context(|| format!("cannot run the fuzzer of {target}"))?;
        Ok(status.success())
    }

    fn made(&self, kind: &str, target: &str) -> Result<PathBuf> {
        let folder = self.folder.join(kind).join(target);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }
}

fn built(status: std::io::Result<std::process::ExitStatus>, what: &str) -> Result<()> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("cannot build {what}: cargo ended with {status}"),
        Err(error) => Err(error).with_context(|| format!("cannot build {what}")),
    }
}

fn prefix(artifacts: &Path) -> OsString {
    let mut argument = OsString::from("-artifact_prefix=");
    argument.push(artifacts.join(""));
    argument
}

/// The triple that the compiler builds for unasked.
fn host() -> Result<String> {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let version = subprocess::stdout_of(Command::new(compiler).arg("-vV"))?;
    host_of(&version)
        .map(str::to_owned)
        .context("rustc -vV names no host")
}

fn host_of(version: &str) -> Option<&str> {
    version.lines().find_map(|line| line.strip_prefix("host: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_read_out_of_what_rustc_says() {
        let version = "rustc 1.95.0 (abc 2026-01-01)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n";

        assert_eq!(host_of(version), Some("x86_64-unknown-linux-gnu"));
        assert_eq!(host_of("rustc 1.95.0"), None);
    }

    #[test]
    fn artifacts_are_left_inside_of_their_folder() {
        assert_eq!(
            prefix(Path::new("/target/fuzz/artifacts/facts")),
            "-artifact_prefix=/target/fuzz/artifacts/facts/"
        );
    }
}
