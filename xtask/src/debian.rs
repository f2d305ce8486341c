//! rustc with the standard library for wasm from Debian 13's packages, unpacked and never
//! installed: for machines whose own toolchain cannot be extended. Needs no root.
//!
//! apt verifies each package against the signed index with the machine's own keyring; the
//! archive's address is the one the machine's apt already uses. rustc runs through the
//! loader and libraries that come with it, so the machine may be older than Debian 13.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::staging::Staging;
use crate::subprocess;

const RELEASE: &str = "trixie";

/// rustc, its standard libraries, and the closure of the libraries rustc is linked with.
const PACKAGES: &[&str] = &[
    "rustc",
    "libstd-rust-dev",
    "libstd-rust-1.85",
    "libstd-rust-dev-wasm32",
    "libllvm19",
    "libc6",
    "libstdc++6",
    "libgcc-s1",
    "zlib1g",
    "libzstd1",
    "libffi8",
    "libedit2",
    "libxml2",
    "libbsd0",
    "libmd0",
    "liblzma5",
    "libtinfo6",
];

/// Only Debian's own keys may vouch for the packages, not every key the machine trusts.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Finds its files relative to itself, so that the target directory may be moved.
const WRAPPER: &str = r#"#!/bin/sh
root=${0%/*}/root/usr
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/lib/x86_64-linux-gnu" "$root/bin/rustc" "$@"
"#;

/// The compiler that an earlier run left below `target`, if any.
pub(crate) fn cached(target: &Path) -> Option<PathBuf> {
    let rustc = home(target).join("rustc");
    rustc.is_file().then_some(rustc)
}

/// Downloads (about 190 MB), unpacks and tries the compiler; returns the path of its rustc.
///
/// # Errors
/// When this is no Debian-like amd64 machine, the archive cannot be reached, a signature
/// or hash is wrong, or the compiler does not run. Nothing half-done stays behind.
pub(crate) fn provision(target: &Path) -> Result<PathBuf> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("only for Linux on x86_64");
    }
    let staging = Staging::new(target, "debian")?;
    let apt = Apt::with_index(staging.path())?;
    let uris = apt.stdout("download", &[&["--print-uris"], PACKAGES].concat())?;
    eprintln!(
        "downloading {} packages of Debian {RELEASE} ({} MB)",
        PACKAGES.len(),
        total_bytes(&uris).div_ceil(1_000_000)
    );
    apt.stdout("download", PACKAGES)?;
    unpack(staging.path())?;
    staging.publish("toolchain", &home(target))?;
    cached(target).context("the unpacked toolchain has vanished")
}

fn home(target: &Path) -> PathBuf {
    target.join("toolchain-debian-1.85")
}

/// Makes `toolchain/` in `folder` from the packages lying there, and tries it.
fn unpack(folder: &Path) -> Result<()> {
    let toolchain = folder.join("toolchain");
    let root = toolchain.join("root");
    fs::create_dir_all(&root)?;
    let mut packages = 0;
    for entry in fs::read_dir(folder)? {
        let package = entry?.path();
        if package
            .extension()
            .is_some_and(|extension| extension == "deb")
        {
            subprocess::stdout_of(
                Command::new("dpkg-deb")
                    .arg("--extract")
                    .arg(&package)
                    .arg(&root),
            )?;
            packages += 1;
        }
    }
    if packages != PACKAGES.len() {
        bail!(
            "apt-get download left {packages} packages, expected {}",
            PACKAGES.len()
        );
    }
    let rustc = toolchain.join("rustc");
    fs::write(&rustc, WRAPPER)?;
    make_executable(&rustc)?;
    subprocess::stdout_of(Command::new(&rustc).arg("--version"))
        .context("the unpacked rustc does not run")
        .map(drop)
}

/// Lets everyone who may read the file run it.
pub(crate) fn make_executable(file: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(file, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("cannot make {} executable", file.display()))?;
    }
    Ok(())
}

/// apt with a sources list, state and cache of its own; the machine's are not touched.
struct Apt<'a> {
    folder: &'a Path,
}

impl<'a> Apt<'a> {
    /// Gets the index of the first of the machine's archives that has the release.
    fn with_index(folder: &'a Path) -> Result<Self> {
        // Without lists of its own a machine still knows which it would get.
        let listing =
            subprocess::stdout_of(Command::new("apt-get").args(["update", "--print-uris"]))
                .context("cannot ask apt for the machine's archive")?;
        let archives = archives(&listing);
        for directory in ["state/lists/partial", "cache/archives/partial", "parts"] {
            fs::create_dir_all(folder.join(directory))?;
        }
        fs::write(folder.join("state/status"), "")?;

        let apt = Self { folder };
        let mut failures = Vec::new();
        for archive in &archives {
            fs::write(
                folder.join("sources.list"),
                source_line(archive, Path::new(KEYRING).is_file()),
            )?;
            match apt.stdout("update", &["-o", "APT::Update::Error-Mode=any"]) {
                Ok(_) => return Ok(apt),
                Err(error) => failures.push(format!("{error:#}")),
            }
        }
        bail!(
            "none of the machine's {} package archives has Debian {RELEASE}: {}",
            archives.len(),
            failures.join("; ")
        )
    }

    /// Runs an apt-get command; options on the command line win over the machine's settings.
    fn stdout(&self, command: &str, arguments: &[&str]) -> Result<String> {
        let path = |name: &str| self.folder.join(name).display().to_string();
        let options = [
            format!("Dir::Etc::SourceList={}", path("sources.list")),
            format!("Dir::Etc::SourceParts={}", path("parts")),
            format!("Dir::Etc::PreferencesParts={}", path("parts")),
            format!("Dir::Etc::Preferences={}", path("no-preferences")),
            format!("Dir::State={}", path("state")),
            format!("Dir::State::status={}", path("state/status")),
            format!("Dir::Cache={}", path("cache")),
            "APT::Architecture=amd64".into(),
            "APT::Architectures=amd64".into(),
            "Acquire::Languages=none".into(),
            // For root, apt drops to a user that cannot write here.
            "APT::Sandbox::User=root".into(),
            "Acquire::AllowInsecureRepositories=false".into(),
            "Acquire::AllowWeakRepositories=false".into(),
            "APT::Get::AllowUnauthenticated=false".into(),
        ];
        let mut apt = Command::new("apt-get");
        apt.arg(command).arg("-qq").current_dir(self.folder);
        for option in options {
            apt.args(["-o", &option]);
        }
        subprocess::stdout_of(apt.args(arguments))
    }
}

/// Archive addresses in `apt-get update --print-uris`, in its order, each once:
/// `'ADDRESS/dists/SUITE/InRelease' FILE SIZE`.
fn archives(listing: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in listing.lines() {
        let address = line
            .strip_prefix('\'')
            .and_then(|rest| rest.split_once("/dists/"));
        if let Some((archive, _)) = address
            && !found.iter().any(|known| known == archive)
        {
            found.push(archive.to_owned());
        }
    }
    found
}

/// One-line source; `target=Packages` leaves out indices that only software centres read.
fn source_line(archive: &str, has_keyring: bool) -> String {
    let signed_by = if has_keyring {
        format!(" signed-by={KEYRING}")
    } else {
        String::new()
    };
    format!("deb [arch=amd64 target=Packages{signed_by}] {archive} {RELEASE} main\n")
}

/// Sum of the sizes in `apt-get download --print-uris`: `'ADDRESS' FILE SIZE HASH`.
fn total_bytes(uris: &str) -> u64 {
    uris.lines()
        .filter_map(|line| line.split(' ').nth(2)?.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_read_from_what_apt_would_update() {
        let listing = "'http://one.test/debian/dists/bookworm/InRelease' one.test_debian_InRelease 0 \n\
                       'http://one.test/debian/dists/bookworm-updates/InRelease' one.test_InRelease 0 \n\
                       'http://two.test/security/dists/bookworm-security/InRelease' two.test_InRelease 0 \n\
                       Hit something that is no address\n";

        assert_eq!(
            archives(listing),
            ["http://one.test/debian", "http://two.test/security"]
        );
    }

    #[test]
    fn only_debians_own_keys_are_accepted_where_the_machine_has_them_apart() {
        let line = source_line("http://one.test/debian", true);

        assert_eq!(
            line,
            format!(
                "deb [arch=amd64 target=Packages signed-by={KEYRING}] http://one.test/debian trixie main\n"
            )
        );
    }

    #[test]
    fn a_source_never_asks_apt_to_trust_it_unsigned() {
        for has_keyring in [true, false] {
            assert!(!source_line("http://one.test/debian", has_keyring).contains("trusted"));
        }
    }

    #[test]
    fn the_size_of_the_download_is_the_sum_over_packages() {
        let uris = "'http://one.test/a.deb' a.deb 1000 SHA256:00\n'http://one.test/b.deb' b.deb 234 SHA256:11\n";

        assert_eq!(total_bytes(uris), 1234);
    }

    #[test]
    fn nothing_is_cached_in_an_empty_target_directory() {
        let target = Staging::new(&std::env::temp_dir(), "target").unwrap();

        assert_eq!(cached(target.path()), None);
    }
}
