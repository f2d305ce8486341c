//! SHA-256 of files: what a download or a build must be compared by.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
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

/// Refuses a file that is not the one expected.
///
/// # Errors
/// When the hash differs (the message has both) or the file cannot be read.
pub(crate) fn require(path: &Path, expected: &str) -> Result<()> {
    let given = sha256_of(path)?;
    if given != expected {
        bail!("{} has sha256 {given}, expected {expected}", path.display());
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

        fs::write(&file, "abd").unwrap();
        let error = require(&file, ABC).unwrap_err().to_string();
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
