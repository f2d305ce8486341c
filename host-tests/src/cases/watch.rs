//! Notices that files change, by their times.
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// How often files are looked at.
const PERIOD: Duration = Duration::from_millis(300);

/// Files, the folders that they were found in, and when each changed last.
#[derive(Debug)]
pub struct Watch {
    seen: BTreeMap<PathBuf, Option<SystemTime>>,
}

impl Watch {
    /// Looks at `files` now. A folder changes when a file in it comes or goes.
    pub fn new(files: &BTreeSet<PathBuf>) -> Self {
        let folders = files.iter().filter_map(|file| file.parent());
        let folders = folders.filter(|folder| !folder.as_os_str().is_empty());
        let all = files.iter().map(PathBuf::as_path).chain(folders);
        Self {
            seen: all.map(|path| (path.to_owned(), changed(path))).collect(),
        }
    }

    /// Whether any of them is another one than it was.
    pub fn has_changed(&self) -> bool {
        self.seen.iter().any(|(path, then)| changed(path) != *then)
    }

    /// Returns when one of them is another one; looks every 300 ms.
    pub fn wait(&self) {
        while !self.has_changed() {
            std::thread::sleep(PERIOD);
        }
    }
}

/// `None` where it is not there, which is a state like any other: editors replace files.
fn changed(path: &std::path::Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|file| file.modified())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_that_is_written_removed_or_new_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        fs::write(&file, "a").unwrap();
        let old = SystemTime::UNIX_EPOCH;
        fs::File::open(&file).unwrap().set_modified(old).unwrap();
        let files = BTreeSet::from([file.clone()]);

        let watch = Watch::new(&files);
        assert!(!watch.has_changed());
        fs::write(&file, "b").unwrap();
        assert!(watch.has_changed());

        let watch = Watch::new(&files);
        fs::remove_file(&file).unwrap();
        assert!(watch.has_changed());
        watch.wait();
    }
}
