//! A private folder to prepare something in before one rename publishes it, so that an
//! interrupted download or copy never leaves a half one under its final name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};

/// Leftovers of a killed run older than this are nobody's any more.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

const PREFIX: &str = ".weir-staging-";

/// A fresh folder, removed with all that is still in it when dropped.
pub(crate) struct Staging {
    path: PathBuf,
}

impl Staging {
    /// Makes a folder in `parent`, unique among threads and processes, and sweeps what
    /// killed runs left there.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn new(parent: &Path, purpose: &str) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);

        sweep(parent);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{PREFIX}{purpose}-{}-{number}", process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path })
    }

    /// Where to prepare.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves `name`, prepared in here, to `destination` in one step, replacing a file there.
    /// A folder there is left as it is: another run was faster and its result is as good.
    ///
    /// # Errors
    /// When it cannot be moved, e.g. to another file system.
    pub(crate) fn publish(&self, name: &str, destination: &Path) -> Result<()> {
        let prepared = self.path.join(name);
        match fs::rename(&prepared, destination) {
            Err(error) if prepared.is_dir() && destination.is_dir() && is_occupied(&error) => {
                Ok(())
            }
            result => result.with_context(|| {
                format!(
                    "cannot move the finished {name} to {}",
                    destination.display()
                )
            }),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Nothing to do about a failure here; the next run's sweep tries again.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn is_occupied(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
    )
}

fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let age = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
            .and_then(|time| time.elapsed().ok());
        if ours && age.is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_published_is_gone_and_what_was_published_stays() {
        let outer = Staging::new(&std::env::temp_dir(), "outer").unwrap();
        let destination = outer.path().join("finished");

        let inner = Staging::new(outer.path(), "inner").unwrap();
        fs::write(inner.path().join("finished"), "whole").unwrap();
        fs::write(inner.path().join("half"), "ha").unwrap();
        inner.publish("finished", &destination).unwrap();
        drop(inner);

        assert_eq!(fs::read_to_string(destination).unwrap(), "whole");
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_slower_of_two_runs_keeps_the_folder_of_the_faster() {
        let outer = Staging::new(&std::env::temp_dir(), "outer").unwrap();
        let destination = outer.path().join("toolchain");
        let prepare = |owner: &str| {
            let staging = Staging::new(outer.path(), "race").unwrap();
            fs::create_dir(staging.path().join("toolchain")).unwrap();
            fs::write(staging.path().join("toolchain/owner"), owner).unwrap();
            staging
        };

        prepare("faster")
            .publish("toolchain", &destination)
            .unwrap();
        prepare("slower")
            .publish("toolchain", &destination)
            .unwrap();

        assert_eq!(
            fs::read_to_string(destination.join("owner")).unwrap(),
            "faster"
        );
    }

    #[test]
    fn publishing_what_was_not_prepared_is_an_error() {
        let staging = Staging::new(&std::env::temp_dir(), "empty").unwrap();

        assert!(
            staging
                .publish("nothing", &staging.path().join("there"))
                .is_err()
        );
    }
}
