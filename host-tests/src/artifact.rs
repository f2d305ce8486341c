//! Finds the plugin, the guests and the proxy that commands run: what the user names, or what the
//! source checkout builds.
//!
//! In a checkout it always asks `cargo xtask`, which builds only what changed, so that no command
//! ever runs a stale plugin. What that prints is passed on, so that people see what takes time.
use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// Why an artifact cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// A file or folder was named that is not there.
    #[error("{named_by} names {}, which is not a {}", path.display(), if *folder { "folder" } else { "file" })]
    NotThere {
        /// Flag or environment variable.
        named_by: &'static str,
        /// As given.
        path: PathBuf,
        /// Whether it should be a folder.
        folder: bool,
    },
    /// Nothing was named and this is not a source checkout.
    #[error("there is no source checkout to build {what} from; {help}")]
    NoCheckout {
        /// Plugin, guests or proxy.
        what: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// cargo could not be started.
    #[error("cannot run `cargo xtask {task}`; {help}")]
    NotStarted {
        /// Task of xtask.
        task: &'static str,
        /// What to do.
        help: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// cargo said no; it printed why.
    #[error("`cargo xtask {task}` failed ({status}); {help}")]
    Failed {
        /// Task of xtask.
        task: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// What to do.
        help: &'static str,
    },
    /// cargo was content but named nothing that is there.
    #[error("`cargo xtask {task}` printed no path of something that exists")]
    NoPath {
        /// Task of xtask.
        task: &'static str,
    },
}

/// Where to look.
pub struct Artifacts {
    checkout: PathBuf,
    cargo: OsString,
    variable: fn(&str) -> Option<OsString>,
}

/// What is wanted, and how people can name it.
struct Wanted {
    what: &'static str,
    task: &'static str,
    variable: &'static str,
    help: &'static str,
    folder: bool,
}

const PLUGIN: Wanted = Wanted {
    what: "the plugin",
    task: "wasm",
    variable: "WEIR_WASM",
    help: "name a built plugin with --wasm FILE or WEIR_WASM",
    folder: false,
};
const GUESTS: Wanted = Wanted {
    what: "the guests",
    task: "guests",
    variable: "WEIR_GUESTS",
    help: "name a folder of built guests with WEIR_GUESTS",
    folder: true,
};
const ENVOY: Wanted = Wanted {
    what: "Envoy",
    task: "envoy",
    variable: "ENVOY",
    help: "name an Envoy binary with ENVOY, or use --host wasm, which needs none",
    folder: false,
};

impl Artifacts {
    /// The checkout that this command was built from, and the process's environment.
    pub fn new() -> Self {
        Self {
            checkout: Path::new(env!("CARGO_MANIFEST_DIR")).join(".."),
            cargo: env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            variable: |name| env::var_os(name),
        }
    }
    /// The plugin: `given` (the flag), or `WEIR_WASM`, or built now.
    ///
    /// # Errors
    /// [`ArtifactError`], with what to do.
    pub fn plugin(&self, given: Option<&Path>) -> Result<PathBuf, ArtifactError> {
        match given {
            Some(path) => existing("--wasm", path.to_owned(), false),
            None => self.find(&PLUGIN),
        }
    }
    /// The folder of the probe and the example guests, each NAME.wasm: `WEIR_GUESTS`, or built now.
    ///
    /// # Errors
    /// [`ArtifactError`], with what to do.
    pub fn guests(&self) -> Result<PathBuf, ArtifactError> {
        self.find(&GUESTS)
    }
    /// The proxy: `ENVOY`, or provisioned now.
    ///
    /// # Errors
    /// [`ArtifactError`], with what to do.
    pub fn envoy(&self) -> Result<PathBuf, ArtifactError> {
        self.find(&ENVOY)
    }
    fn find(&self, wanted: &Wanted) -> Result<PathBuf, ArtifactError> {
        let Wanted {
            what,
            task,
            variable,
            help,
            folder,
        } = *wanted;
        if let Some(path) = (self.variable)(variable).filter(|path| !path.is_empty()) {
            return existing(variable, path.into(), folder);
        }
        if !self.checkout.join("xtask/Cargo.toml").is_file() {
            return Err(ArtifactError::NoCheckout { what, help });
        }
        let output = Command::new(&self.cargo)
            .args(["xtask", task])
            .current_dir(&self.checkout)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output();
        let output = output.map_err(|source| ArtifactError::NotStarted { task, help, source })?;
        if !output.status.success() {
            return Err(ArtifactError::Failed {
                task,
                status: output.status,
                help,
            });
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let path = text
            .lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(|line| self.checkout.join(line));
        path.filter(|path| is_there(path, folder))
            .ok_or(ArtifactError::NoPath { task })
    }
}

impl Default for Artifacts {
    fn default() -> Self {
        Self::new()
    }
}

fn existing(named_by: &'static str, path: PathBuf, folder: bool) -> Result<PathBuf, ArtifactError> {
    if is_there(&path, folder) {
        Ok(path)
    } else {
        Err(ArtifactError::NotThere {
            named_by,
            path,
            folder,
        })
    }
}

fn is_there(path: &Path, folder: bool) -> bool {
    if folder {
        path.is_dir()
    } else {
        path.is_file()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use tempfile::TempDir;

    /// A checkout whose cargo is `script`.
    fn checkout(script: &str, variable: fn(&str) -> Option<OsString>) -> (TempDir, Artifacts) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("xtask")).unwrap();
        fs::write(folder.path().join("xtask/Cargo.toml"), "").unwrap();
        fs::write(folder.path().join("built"), "").unwrap();
        let cargo = folder.path().join("cargo.sh");
        fs::write(&cargo, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        let artifacts = Artifacts {
            checkout: folder.path().to_owned(),
            cargo: cargo.into(),
            variable,
        };
        (folder, artifacts)
    }

    #[test]
    fn in_a_checkout_xtask_is_asked_each_time_and_its_last_line_is_the_path() {
        let (folder, artifacts) = checkout(
            "test \"$1 $2\" = 'xtask wasm' && echo noise && echo \"$PWD/built\" && echo run >> runs",
            |_| None,
        );

        for _ in 0..2 {
            assert_eq!(
                artifacts.plugin(None).unwrap().canonicalize().unwrap(),
                folder.path().join("built").canonicalize().unwrap()
            );
        }

        assert_eq!(
            fs::read_to_string(folder.path().join("runs")).unwrap(),
            "run\nrun\n"
        );
    }

    #[test]
    fn what_the_user_names_comes_first_and_must_be_there() {
        let (folder, artifacts) = checkout("exit 9", |name| {
            (name == "ENVOY").then(|| "/no/such/envoy".into())
        });

        assert_eq!(
            artifacts
                .plugin(Some(&folder.path().join("built")))
                .unwrap(),
            folder.path().join("built")
        );
        assert!(matches!(
            artifacts.plugin(Some(Path::new("missing.wasm"))),
            Err(ArtifactError::NotThere {
                named_by: "--wasm",
                ..
            })
        ));
        assert!(matches!(
            artifacts.envoy(),
            Err(ArtifactError::NotThere {
                named_by: "ENVOY",
                ..
            })
        ));
    }

    #[test]
    fn guests_are_a_folder() {
        let (folder, artifacts) = checkout("echo \"$PWD/xtask\"", |_| None);
        assert_eq!(
            artifacts.guests().unwrap().canonicalize().unwrap(),
            folder.path().join("xtask").canonicalize().unwrap()
        );

        let (_folder, artifacts) = checkout("echo \"$PWD/built\"", |_| None);
        assert!(matches!(
            artifacts.guests(),
            Err(ArtifactError::NoPath { task: "guests" })
        ));
    }

    #[test]
    fn every_failure_says_what_to_do_instead() {
        let (_failing, fails) = checkout("exit 2", |_| None);
        let (_silent, silent) = checkout("true", |_| None);
        let nowhere = Artifacts {
            checkout: "/no/such/checkout".into(),
            cargo: "cargo".into(),
            variable: |_| None,
        };

        assert!(
            fails
                .envoy()
                .unwrap_err()
                .to_string()
                .contains("--host wasm")
        );
        assert!(
            nowhere
                .plugin(None)
                .unwrap_err()
                .to_string()
                .contains("--wasm FILE or WEIR_WASM")
        );
        assert!(matches!(
            silent.plugin(None),
            Err(ArtifactError::NoPath { task: "wasm" })
        ));
    }
}
