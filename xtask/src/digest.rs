//! SHA-256 of files: what a download or a build must be compared by.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Lower-case hexadecimal SHA-256 of a file's bytes.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn sha256_of(path: &Path) -> Result<String> {
    let unreadable = || format!("cannot read {}", path.display());
    let mut file = File::open(path).with_context(unreadable)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer).with_context(unreadable)? {
            0 => {
                return Ok(hash
                    .finalize()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect());
            }
            read => hash.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

/// A file is not the one expected: damaged or replaced on its way, never a mere lack.
#[derive(Debug)]
pub(crate) struct Mismatch {
    path: PathBuf,
    given: String,
    expected: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            given,
            expected,
        } = self;
        write!(
            formatter,
            "{} has sha256 {given}, expected {expected}",
            path.display()
        )
    }
}

impl std::error::Error for Mismatch {}

/// Refuses a file that is not the one expected.
///
/// # Errors
/// [`Mismatch`] when the hash differs; another one when the file cannot be read.
pub(crate) fn require(path: &Path, expected: &str) -> Result<()> {
    let given = sha256_of(path)?;
    if given != expected {
        return Err(Mismatch {
            path: path.to_owned(),
            given,
            expected: expected.to_owned(),
        }
        .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::staging::Staging;

    /// FIPS 180-2, example B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_expected_file_is_accepted_and_a_changed_one_refused_with_both_hashes() {
        let folder = Staging::new(&std::env::temp_dir(), "digest").unwrap();
        let file = folder.path().join("abc");

        fs::write(&file, "abc").unwrap();
        assert!(require(&file, ABC).is_ok());
        assert!(!require(folder.path(), ABC).unwrap_err().is::<Mismatch>());

        fs::write(&file, "abd").unwrap();
        let error = require(&file, ABC).unwrap_err();
        assert!(error.is::<Mismatch>());
        let error = error.to_string();
        assert!(
            error.contains(ABC) && error.contains(&sha256_of(&file).unwrap()),
            "{error}"
        );
    }

    #[test]
    fn a_file_larger_than_the_buffer_is_hashed_whole() {
        let folder = Staging::new(&std::env::temp_dir(), "digest").unwrap();
        let file = folder.path().join("million");

        fs::write(&file, vec![b'a'; 1_000_000]).unwrap();

        // FIPS 180-2, example B.3: one million times "a".
        let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
        assert_eq!(sha256_of(&file).unwrap(), expected);
    }
}
