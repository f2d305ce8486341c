//! The steps of `cargo xtask check`, in the order in which they run: quick ones first, and
//! the one that looks at what the others left behind last.

use std::process::{Command, ExitStatus};

use anyhow::{Result, ensure};

use crate::check::{Outcome, Session, Step};
use crate::conformance;
use crate::dependency_rule;
use crate::libtest;
use crate::metadata::Metadata;
use crate::reproducible;
use crate::sdk::{self, Format};
use crate::tree::Snapshot;
use crate::wasm::{self, Place};

/// Every Envoy compiles all of it at each change of configuration. (A Kubernetes ConfigMap, which holds 1 MiB, has become
/// too small for it: images and volumes bring it to a proxy.)
const WASM_BUDGET_BYTES: u64 = 1_500_000;

/// Lines of a failed command's log that are repeated; the file has them all.
const REPORT_LINES: usize = 400;

/// All of them.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        promise: "the code is formatted",
        run: fmt,
    },
    Step {
        name: "dependencies",
        promise: "the dependency rule is kept",
        run: dependencies,
    },
    Step {
        name: "wasm",
        promise: "the plugin builds without warnings and within its size",
        run: wasm,
    },
    Step {
        name: "guests",
        promise: "the probe and the example guests build without warnings",
        run: guests,
    },
    Step {
        name: "reproducible",
        promise: "two folders give the same plugin",
        run: reproducible,
    },
    Step {
        name: "clippy",
        promise: "clippy has nothing to say",
        run: clippy,
    },
    Step {
        name: "clippy-wasm",
        promise: "nor about what only the target of plugin and guests compiles",
        run: clippy_wasm,
    },
    Step {
        name: "test",
        promise: "every test passes",
        run: test,
    },
    Step {
        name: "conformance",
        promise: "our host behaves as Envoy does",
        run: conformance,
    },
    Step {
        name: "sdk",
        promise: "the official SDKs behave well on every answer",
        run: sdk,
    },
    Step {
        name: "doc",
        promise: "the documentation builds without warnings",
        run: doc,
    },
    Step {
        name: "tree",
        promise: "the run left the tree as it was",
        run: tree,
    },
];

fn fmt(session: &mut Session) -> Result<Outcome> {
    let mut cargo = session
        .workspace
        .cargo(&["fmt", "--all", "--", "--check", "--color=never"]);
    plain(session, "fmt", &mut cargo)
}

fn dependencies(session: &mut Session) -> Result<Outcome> {
    let metadata = Metadata::of(session.workspace)?;
    let breaches = dependency_rule::breaches(&metadata);
    Ok(match breaches.is_empty() {
        true => Outcome::Passed(format!("{} packages", metadata.packages.len())),
        false => Outcome::Failed(breaches.join("\n")),
    })
}

fn wasm(session: &mut Session) -> Result<Outcome> {
    let version = session.toolchain()?.version.clone();
    let plugin = session.plugin()?;
    if !plugin.warnings.is_empty() {
        return Ok(Outcome::Failed(plugin.warnings.concat()));
    }
    let size = format!("{} of {WASM_BUDGET_BYTES} bytes", plugin.bytes);
    Ok(match plugin.bytes <= WASM_BUDGET_BYTES {
        true => Outcome::Passed(format!("{size}, {version}")),
        false => Outcome::Failed(format!("the plugin is too large: {size}")),
    })
}

fn guests(session: &mut Session) -> Result<Outcome> {
    let guests = session.guests()?;
    Ok(match guests.warnings.is_empty() {
        true => Outcome::Passed(format!("{} guests", guests.files.len())),
        false => Outcome::Failed(guests.warnings.concat()),
    })
}

fn reproducible(session: &mut Session) -> Result<Outcome> {
    if let Err(error) = &session.before {
        return Ok(Outcome::Skipped(format!("{error:#}")));
    }
    let workspace = session.workspace;
    let comparison = reproducible::compare(workspace, session.toolchain()?)?;
    Ok(match comparison.is_same() {
        true => Outcome::Passed(format!("sha256 {}", comparison.first)),
        false => Outcome::Failed(comparison.to_string()),
    })
}

fn clippy(session: &mut Session) -> Result<Outcome> {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    let mut cargo = session.workspace.cargo(&arguments);
    plain(session, "clippy", &mut cargo)
}

fn clippy_wasm(session: &mut Session) -> Result<Outcome> {
    let workspace = session.workspace;
    let toolchain = session.toolchain()?;
    if !toolchain.has_clippy() {
        // The host's clippy has read the same code; the compiler's own lints remain.
        let warnings = session.plugin()?.warnings.concat() + &session.guests()?.warnings.concat();
        return Ok(match warnings.is_empty() {
            true => Outcome::Passed("by rustc's own lints: this toolchain has no clippy".into()),
            false => Outcome::Failed(warnings),
        });
    }
    let place = Place {
        root: &workspace.root,
        build: &wasm::build_directory(workspace),
        cargo_home: &wasm::cargo_home()?,
    };
    let mut cargo = wasm::cargo(&place, toolchain, "clippy")?;
    cargo.args([
        "--package",
        "weir-engine",
        "--package",
        "weir-plugin",
        "--package",
        "weir-guests",
        "--lib",
        "--examples",
        "--",
        "-D",
        "warnings",
    ]);
    plain(session, "clippy-wasm", &mut cargo)
}

fn test(session: &mut Session) -> Result<Outcome> {
    let wasm = session.plugin()?.path.clone();
    let guests = session.guests()?.folder.clone();
    let mut cargo = session
        .workspace
        .cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    // Without --show-output, what a test says about skipping something is lost.
    cargo
        .args(["--", "--show-output"])
        .env("WEIR_WASM", wasm)
        .env("WEIR_GUESTS", guests);
    match session.envoy()? {
        Ok(envoy) => cargo.env("ENVOY", envoy.path),
        Err(reason) => {
            session.skip(format!("tests in a real Envoy: {reason}"));
            cargo.env_remove("ENVOY")
        }
    };
    let (status, log) = session.logged("test", &mut cargo)?;
    let result = libtest::read(&log);
    for reason in result.skipped {
        session.skip(reason);
    }
    let count = format!("{} tests passed, {} failed", result.passed, result.failed);
    if status.success() {
        ensure!(result.passed > 0, "no test ran");
        return Ok(Outcome::Passed(count));
    }
    let failures = libtest::without_successes(&log);
    Ok(Outcome::Failed(format!(
        "{}\n{count}",
        report(session, "test", status, &failures)
    )))
}

fn conformance(session: &mut Session) -> Result<Outcome> {
    let envoy = match session.envoy()? {
        Ok(envoy) => envoy,
        Err(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let guests = session.guests()?.folder.clone();
    let workspace = session.workspace;
    let built = plain(
        session,
        "conformance",
        &mut workspace.cargo(&conformance::BUILD),
    )?;
    if matches!(built, Outcome::Failed(_)) {
        return Ok(built);
    }
    let mut weir = Command::new(conformance::binary(workspace));
    weir.args(["conformance", "--format", "json"])
        .args(["--random", conformance::RANDOM])
        .env("ENVOY", envoy.path)
        .env("WEIR_GUESTS", guests);
    let (status, log) = session.logged("conformance", &mut weir)?;
    let Ok(comparison) = conformance::read(&log) else {
        return Ok(Outcome::Failed(report(
            session,
            "conformance",
            status,
            &log,
        )));
    };
    for item in comparison.skipped {
        session.skip(format!("conformance: {item}"));
    }
    if status.success() && comparison.differences.is_empty() {
        return Ok(Outcome::Passed(comparison.note));
    }
    let told = comparison.differences + &comparison.note;
    Ok(Outcome::Failed(report(
        session,
        "conformance",
        status,
        &told,
    )))
}

fn sdk(session: &mut Session) -> Result<Outcome> {
    let envoy = match session.envoy()? {
        Ok(envoy) => envoy,
        Err(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let workspace = session.workspace;
    let packages = match sdk::packages(workspace) {
        Ok(packages) => packages,
        Err(error) if sdk::is_mismatch(&error) => return Err(error),
        Err(error) => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    let plugin = session.plugin()?.path.clone();
    let mut command = sdk::comparison(workspace, &packages, &envoy.path, &plugin, Format::Text)?;
    plain(session, "sdk", &mut command)
}

fn doc(session: &mut Session) -> Result<Outcome> {
    let arguments = [
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--locked",
    ];
    let mut cargo = session.workspace.cargo(&arguments);
    plain(session, "doc", cargo.env("RUSTDOCFLAGS", "-D warnings"))
}

fn tree(session: &mut Session) -> Result<Outcome> {
    let before = match &session.before {
        Ok(before) => before,
        Err(error) => {
            return Ok(Outcome::Skipped(format!("{error:#}")));
        }
    };
    let after = Snapshot::of(&session.workspace.root)?;
    Ok(match *before == after {
        true => Outcome::Passed(String::new()),
        false => Outcome::Failed(format!(
            "the run changed the tree:\n{}",
            before.changes(&after)
        )),
    })
}

/// A step that is one command: it passes when the command does.
fn plain(session: &Session, name: &str, command: &mut Command) -> Result<Outcome> {
    let (status, log) = session.logged(name, command)?;
    Ok(match status.success() {
        true => Outcome::Passed(String::new()),
        false => Outcome::Failed(report(session, name, status, &log)),
    })
}

/// The end of a log without cargo's progress, how the command ended (it may have been
/// killed), and where the whole log is.
fn report(session: &Session, name: &str, status: ExitStatus, log: &str) -> String {
    const PROGRESS: [&str; 5] = [
        "Checking",
        "Compiling",
        "Documenting",
        "Downloaded",
        "Downloading",
    ];
    let matters = |line: &&str| {
        !PROGRESS
            .iter()
            .any(|verb| line.trim_start().starts_with(verb))
    };
    let lines: Vec<&str> = log.lines().filter(matters).collect();
    let tail = lines
        .get(lines.len().saturating_sub(REPORT_LINES)..)
        .unwrap_or_default();
    let path = session
        .workspace
        .target
        .join("check")
        .join(format!("{name}.log"));
    format!(
        "{}\n{name} ended with {status}; all of its output: {}",
        tail.join("\n"),
        session.workspace.display(&path)
    )
}
