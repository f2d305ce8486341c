//! Prompts that somebody else wrote, instead of the grammars' own.
use crate::simulate::{SourceError, read_prompts};
use std::path::Path;

/// Prompts to draw from; what is absent is made up.
#[derive(Clone, Debug, Default)]
pub struct Corpora {
    /// What ordinary people type.
    pub organic: Option<Vec<String>>,
    /// What extraction sends.
    pub extraction: Option<Vec<String>>,
}

impl Corpora {
    /// Reads JSON lines with a `prompt` each.
    ///
    /// # Errors
    /// [`SourceError`] where a file cannot be read or has another form; it holds no text of the file.
    pub fn load(organic: Option<&Path>, extraction: Option<&Path>) -> Result<Self, SourceError> {
        Ok(Self {
            organic: organic.map(read_prompts).transpose()?,
            extraction: extraction.map(read_prompts).transpose()?,
        })
    }
}
