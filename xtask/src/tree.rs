//! What git says about the working tree: which files are tracked, and whether a run
//! changed any of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::subprocess;

/// The state of a working tree; equal states mean that nothing tracked or new differs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// `git status`: one line per changed or new file.
    status: String,
    /// `git diff`: tells apart two changes of one file.
    diff: String,
}

impl Snapshot {
    /// The state now.
    ///
    /// # Errors
    /// When `root` is in no git checkout, or there is no git.
    pub(crate) fn of(root: &Path) -> Result<Self> {
        let status = git(root, &["status", "--porcelain", "--untracked-files=all"])?;
        // No HEAD before the first commit; then every file is in the status already.
        let diff = git(root, &["diff", "HEAD", "--no-ext-diff", "--binary"]).unwrap_or_default();
        Ok(Self { status, diff })
    }

    /// Lines that a person can act on, about what differs from `self` in `later`.
    pub(crate) fn changes(&self, later: &Self) -> String {
        let new = |line: &&str| !self.status.lines().any(|known| known == *line);
        let lines: Vec<&str> = later.status.lines().filter(new).collect();
        match lines.is_empty() {
            true => "a file that was changed before has changed again".to_owned(),
            false => lines.join("\n"),
        }
    }
}

/// Files that git tracks in `root`, relative to it.
///
/// # Errors
/// When `root` is in no git checkout, or there is no git.
pub(crate) fn tracked_files(root: &Path) -> Result<Vec<PathBuf>> {
    let listing = git(root, &["ls-files", "-z"])?;
    Ok(listing
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
        .collect())
}

fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    subprocess::stdout_of(Command::new("git").arg("-C").arg(root).args(arguments))
        .context("git cannot read the working tree")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(status: &str, diff: &str) -> Snapshot {
        Snapshot {
            status: status.into(),
            diff: diff.into(),
        }
    }

    #[test]
    fn only_what_the_run_changed_is_named() {
        let before = snapshot(" M README.md\n", "+mine\n");
        let after = snapshot(
            " M README.md\n M policies/schema/policy.v1.json\n",
            "+mine\n+generated\n",
        );

        assert_ne!(before, after);
        assert_eq!(before.changes(&after), " M policies/schema/policy.v1.json");
    }

    #[test]
    fn a_second_change_of_a_changed_file_is_noticed() {
        let before = snapshot(" M README.md\n", "+mine\n");
        let after = snapshot(" M README.md\n", "+generated\n");

        assert_ne!(before, after);
        assert!(before.changes(&after).contains("again"));
    }

    #[test]
    fn this_file_is_tracked_where_there_is_a_checkout() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));

        // A source archive has no git; then there is nothing to promise.
        if let Ok(files) = tracked_files(root) {
            assert!(files.is_empty() || files.contains(&PathBuf::from("src/main.rs")));
        }
    }
}
