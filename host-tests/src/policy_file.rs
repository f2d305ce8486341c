//! A policy as people keep it: a YAML or JSON file, loaded with the place of every value.
//!
//! Loading says nothing about what the policy means; that is the engine's validation, whose
//! diagnostics name paths that [`PolicyFile::position`] turns into lines.
use crate::yaml::{MAX_BYTES, Position, YamlDocument, YamlError, YamlProblem};
use serde_json::Value;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A loaded policy file.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// The document as the engine takes it.
    pub value: Value,
    /// The file as it was written.
    pub text: String,
    /// What to call it in messages.
    pub name: String,
    document: YamlDocument,
}

/// Why a policy file cannot be loaded; the message begins with `name:line:column`.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileError {
    /// Not readable.
    #[error("cannot read {name}")]
    Read {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Readable, but not a document.
    #[error("{}: {error}", location(name, error.at))]
    Document {
        /// The file.
        name: String,
        /// What and where.
        error: YamlError,
    },
}

impl PolicyFile {
    /// Loads a file; `-` is standard input.
    ///
    /// # Errors
    /// [`PolicyFileError`]; at most 4 MiB are read.
    pub fn read(path: &Path) -> Result<Self, PolicyFileError> {
        if path.as_os_str() == "-" {
            return Self::from_reader(io::stdin(), "<stdin>");
        }
        Self::open(path)
    }
    /// Loads a file, whatever it is called.
    pub(crate) fn open(path: &Path) -> Result<Self, PolicyFileError> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Self::from_reader(file, &name),
            Err(source) => Err(PolicyFileError::Read { name, source }),
        }
    }
    /// Loads from `text`; `name` is for messages.
    ///
    /// # Errors
    /// [`PolicyFileError::Document`].
    pub fn parse(text: String, name: &str) -> Result<Self, PolicyFileError> {
        let document = YamlDocument::parse(&text).map_err(|error| PolicyFileError::Document {
            name: name.to_owned(),
            error,
        })?;
        Ok(Self {
            value: document.value.clone(),
            text,
            name: name.to_owned(),
            document,
        })
    }
    /// Line and column, from 1, of the value at `path` (`budgets[0].limit`) or of its nearest
    /// parent that exists; the whole document always does.
    pub fn position(&self, path: &str) -> (usize, usize) {
        let Position { line, column } = self.document.position(path);
        (line, column)
    }
    /// What was loaded, and where each value of it is.
    pub(crate) fn into_document(self) -> YamlDocument {
        self.document
    }
    fn from_reader(reader: impl Read, name: &str) -> Result<Self, PolicyFileError> {
        let failed = |problem| PolicyFileError::Document {
            name: name.to_owned(),
            error: YamlError { at: None, problem },
        };
        let mut bytes = Vec::new();
        let read = reader
            .take(MAX_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| PolicyFileError::Read {
                name: name.to_owned(),
                source,
            })?;
        if read > MAX_BYTES {
            return Err(failed(YamlProblem::TooLong {
                given: read as u64,
                limit: MAX_BYTES,
            }));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error
                .as_bytes()
                .get(..error.utf8_error().valid_up_to())
                .unwrap_or_default();
            let line_start = valid
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            let column = String::from_utf8_lossy(valid.get(line_start..).unwrap_or_default())
                .chars()
                .count()
                + 1;
            let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
            PolicyFileError::Document {
                name: name.to_owned(),
                error: YamlError {
                    at: Some(Position { line, column }),
                    problem: YamlProblem::NotUtf8 { at: valid.len() },
                },
            }
        })?;
        Self::parse(text, name)
    }
}

fn location(name: &str, at: Option<Position>) -> String {
    match at {
        Some(Position { line, column }) => format!("{name}:{line}:{column}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_its_value_its_text_and_its_places() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.yaml");
        std::fs::write(&path, "kind: Policy\nbudgets:\n- limit: 3\n").unwrap();

        let file = PolicyFile::read(&path).unwrap();

        assert_eq!(file.value["budgets"][0]["limit"], 3);
        assert_eq!(file.position("budgets[0].limit"), (3, 3));
        assert!(file.text.starts_with("kind:") && file.name.ends_with("p.yaml"));
    }

    #[test]
    fn an_error_begins_with_file_line_and_column() {
        let error = PolicyFile::parse("a: 1\na: 2\n".into(), "p.yaml").unwrap_err();

        assert_eq!(
            error.to_string(),
            "p.yaml:2:1: duplicate key `a`; it was first given in line 1"
        );
    }

    #[test]
    fn invalid_utf8_is_found_where_it_stands() {
        let error = PolicyFile::from_reader(&b"a: 1\nb: \xc3\xa9\xff"[..], "p.yaml").unwrap_err();

        assert_eq!(error.to_string(), "p.yaml:2:5: byte 10 is not UTF-8");
    }

    #[test]
    fn an_endless_input_is_cut_at_the_limit() {
        let error = PolicyFile::from_reader(io::repeat(b' '), "p.yaml").unwrap_err();

        assert!(matches!(
            error,
            PolicyFileError::Document {
                error: YamlError {
                    problem: YamlProblem::TooLong { .. },
                    ..
                },
                ..
            }
        ));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = PolicyFile::read(Path::new("no/such/policy.yaml")).unwrap_err();

        assert_eq!(error.to_string(), "cannot read no/such/policy.yaml");
    }
}
