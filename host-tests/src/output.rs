//! Where results go: standard output, or a file that appears whole or not at all.
//!
//! A result file is written beside its place under a temporary name and renamed by
//! [`Output::commit`]; dropped before that, it leaves what was there untouched. Something that is
//! not a regular file (`/dev/null`, a named pipe) is written in place, since renaming over it
//! would destroy it.
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A sink for results.
pub struct Output {
    sink: Sink,
}

enum Sink {
    Stdout(io::Stdout),
    InPlace(File),
    Replace {
        file: NamedTempFile,
        target: PathBuf,
    },
}

impl Output {
    /// Opens `target`; `-` is standard output.
    ///
    /// # Errors
    /// Where the folder cannot be written, or the existing special file cannot be opened.
    pub fn create(target: &Path) -> io::Result<Self> {
        if target.as_os_str() == "-" {
            return Ok(Self {
                sink: Sink::Stdout(io::stdout()),
            });
        }
        // Through links, so that the file they lead to is replaced and not the link.
        let target = target.canonicalize().unwrap_or_else(|_| target.to_owned());
        if target
            .metadata()
            .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
        {
            return Ok(Self {
                sink: Sink::InPlace(OpenOptions::new().write(true).open(&target)?),
            });
        }
        if target.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "is a folder; name a file in it",
            ));
        }
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        Ok(Self {
            sink: Sink::Replace {
                file: temporary_in(folder)?,
                target,
            },
        })
    }
    /// Whether this is standard output.
    pub fn is_stdout(&self) -> bool {
        matches!(self.sink, Sink::Stdout(_))
    }
    /// Makes what was written visible under the target's name.
    ///
    /// # Errors
    /// Where flushing or renaming fails; the former file is then still there.
    pub fn commit(mut self) -> io::Result<()> {
        self.flush()?;
        if let Sink::Replace { file, target } = self.sink {
            file.persist(target).map_err(|error| error.error)?;
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            Sink::Stdout(stdout) => stdout.write(bytes),
            Sink::InPlace(file) => file.write(bytes),
            Sink::Replace { file, .. } => file.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Stdout(stdout) => stdout.flush(),
            Sink::InPlace(file) => file.flush(),
            Sink::Replace { file, .. } => file.flush(),
        }
    }
}

/// A temporary file with the permissions that an ordinary new file gets, not owner-only.
fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".weir-").suffix(".partial");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_appears_only_when_it_is_committed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.jsonl");
        let mut output = Output::create(&target).unwrap();

        output.write_all(b"{}\n").unwrap();
        assert!(!target.exists());
        output.commit().unwrap();

        assert_eq!(fs::read(&target).unwrap(), b"{}\n");
    }

    #[test]
    fn a_failed_run_leaves_the_former_file_and_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.jsonl");
        fs::write(&target, "former").unwrap();
        let mut output = Output::create(&target).unwrap();

        output.write_all(b"half a li").unwrap();
        drop(output);

        assert_eq!(fs::read(&target).unwrap(), b"former");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_goes_on_leading_to_the_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "former").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();

        let mut output = Output::create(&link).unwrap();
        output.write_all(b"new").unwrap();
        output.commit().unwrap();

        assert!(link.is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
    }

    #[test]
    fn a_folder_is_refused_as_a_target() {
        let folder = tempfile::tempdir().unwrap();

        assert!(Output::create(folder.path()).is_err());
    }
}
