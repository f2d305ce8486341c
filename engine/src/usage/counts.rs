//! The `usage` object of a response.
use super::Tokens;
use crate::endpoint::Endpoint;
use crate::json::{Fault, Kind, Reader};

/// What a value under `usage` turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// `null`, which stands in every chunk but the last.
    Nothing,
    /// Counts.
    Counts,
    /// Something without counts.
    Nonsense,
}

/// Counts as told so far; a later one replaces an earlier one of the same name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    input: Option<u32>,
    cache_written: Option<u32>,
    cache_read: Option<u32>,
    output: Option<u32>,
}

impl Counts {
    /// Nothing told.
    pub(super) const NONE: Self = Self {
        input: None,
        cache_written: None,
        cache_read: None,
        output: None,
    };

    /// Both counts, or `None` while one is missing.
    ///
    /// Anthropic counts the prompt in three parts, of which the cached two may be missing.
    pub(super) fn tokens(&self) -> Option<Tokens> {
        let (input, output) = (self.input?, self.output?);
        let cached = self
            .cache_written
            .unwrap_or(0)
            .saturating_add(self.cache_read.unwrap_or(0));
        Some(Tokens {
            input: input.saturating_add(cached),
            output,
            ..Tokens::default()
        })
    }

    /// Reads the value that comes next. Only what is told replaces: `null` and other types do not.
    pub(super) fn read(
        &mut self,
        endpoint: Endpoint,
        reader: &mut Reader<'_>,
    ) -> Result<Told, Fault> {
        match reader.kind()? {
            Kind::Null => return reader.skip().map(|()| Told::Nothing),
            Kind::Object => reader.enter()?,
            _ => return reader.skip().map(|()| Told::Nonsense),
        }
        let mut told = Told::Nonsense;
        while let Some(key) = reader.field()? {
            let count = match (endpoint, key.as_ref()) {
                (Endpoint::OpenAiChat, b"prompt_tokens")
                | (Endpoint::AnthropicMessages, b"input_tokens") => &mut self.input,
                (Endpoint::OpenAiChat, b"completion_tokens")
                | (Endpoint::AnthropicMessages, b"output_tokens") => &mut self.output,
                (Endpoint::AnthropicMessages, b"cache_creation_input_tokens") => {
                    &mut self.cache_written
                }
                (Endpoint::AnthropicMessages, b"cache_read_input_tokens") => &mut self.cache_read,
                _ => {
                    reader.skip()?;
                    continue;
                }
            };
            match reader.kind()? {
                Kind::Number => {
                    if let Some(value) = reader.unsigned()? {
                        *count = Some(value);
                        told = Told::Counts;
                    }
                }
                _ => reader.skip()?,
            }
        }
        Ok(told)
    }
}
