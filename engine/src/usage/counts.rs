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
    /// Prompt tokens that `input` leaves out: Anthropic's written to the cache, Gemini's of tools.
    more_input: Option<u32>,
    /// Prompt tokens read from the cache, which Anthropic's `input` leaves out and every other holds.
    cached: Option<u32>,
    output: Option<u32>,
    reasoning: Option<u32>,
    total: Option<u32>,
}

/// A count by its place in [`Counts`].
#[derive(Clone, Copy)]
enum Name {
    Input,
    MoreInput,
    Cached,
    Output,
    Reasoning,
    Total,
}

/// What stands under a key of `usage`.
enum Member {
    Count(Name),
    /// An object that breaks a count down, as the Chat and Responses APIs do.
    Details,
    Other,
}

/// The key of the object or number that tells the usage, at the top level or in `response` or `message`.
pub(super) const fn usage_key(endpoint: Endpoint) -> &'static [u8] {
    match endpoint {
        Endpoint::GeminiGenerate | Endpoint::GeminiStream => b"usageMetadata",
        Endpoint::AnthropicCountTokens => b"input_tokens",
        _ => b"usage",
    }
}

impl Counts {
    /// Nothing told.
    pub(super) const NONE: Self = Self {
        input: None,
        more_input: None,
        cached: None,
        output: None,
        reasoning: None,
        total: None,
    };

    /// The counts, or `None` while input or output is missing.
    pub(super) fn tokens(&self, endpoint: Endpoint) -> Option<Tokens> {
        let input = self.input?.saturating_add(self.more_input.unwrap_or(0));
        let (cached, reasoning) = (self.cached.unwrap_or(0), self.reasoning.unwrap_or(0));
        let (input, output) = match endpoint {
            Endpoint::AnthropicMessages => (input.saturating_add(cached), self.output?),
            // Counts of zero are left out, and thoughts are counted apart from the answer.
            Endpoint::GeminiGenerate | Endpoint::GeminiStream => {
                let output = match self.output {
                    Some(answer) => answer.saturating_add(reasoning),
                    None => self.total.unwrap_or(0).saturating_sub(input).max(reasoning),
                };
                (input, output)
            }
            Endpoint::OpenAiEmbeddings => (input, self.output.unwrap_or(0)),
            _ => (input, self.output?),
        };
        Some(Tokens {
            input,
            output,
            reasoning: reasoning.min(output),
            cached: cached.min(input),
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
            Kind::Number if endpoint == Endpoint::AnthropicCountTokens => {
                // The answer itself is a count, and cost no tokens.
                (self.input, self.output) = (Some(0), Some(0));
                return reader.skip().map(|()| Told::Counts);
            }
            _ => return reader.skip().map(|()| Told::Nonsense),
        }
        let mut told = Told::Nonsense;
        while let Some(key) = reader.field()? {
            match (member(endpoint, &key), reader.kind()?) {
                (Member::Count(name), Kind::Number) => {
                    if let Some(value) = reader.unsigned()? {
                        *self.count(name) = Some(value);
                        told = Told::Counts;
                    }
                }
                (Member::Details, Kind::Object) => self.details(reader)?,
                _ => reader.skip()?,
            }
        }
        Ok(told)
    }

    /// A breakdown: what of a count was cached, or reasoning.
    fn details(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.enter()?;
        while let Some(key) = reader.field()? {
            let count = match key.as_ref() {
                b"cached_tokens" => &mut self.cached,
                b"reasoning_tokens" | b"thinking_tokens" => &mut self.reasoning,
                _ => {
                    reader.skip()?;
                    continue;
                }
            };
            match reader.kind()? {
                Kind::Number => *count = reader.unsigned()?.or(*count),
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    fn count(&mut self, name: Name) -> &mut Option<u32> {
        match name {
            Name::Input => &mut self.input,
            Name::MoreInput => &mut self.more_input,
            Name::Cached => &mut self.cached,
            Name::Output => &mut self.output,
            Name::Reasoning => &mut self.reasoning,
            Name::Total => &mut self.total,
        }
    }
}

fn member(endpoint: Endpoint, key: &[u8]) -> Member {
    match endpoint {
        Endpoint::OpenAiChat | Endpoint::OpenAiCompletions | Endpoint::OpenAiEmbeddings => {
            match key {
                b"prompt_tokens" => Member::Count(Name::Input),
                b"completion_tokens" => Member::Count(Name::Output),
                // What some servers that speak this API call cached tokens.
                b"prompt_cache_hit_tokens" => Member::Count(Name::Cached),
                b"prompt_tokens_details" | b"completion_tokens_details" => Member::Details,
                _ => Member::Other,
            }
        }
        Endpoint::OpenAiResponses => match key {
            b"input_tokens" => Member::Count(Name::Input),
            b"output_tokens" => Member::Count(Name::Output),
            b"input_tokens_details" | b"output_tokens_details" => Member::Details,
            _ => Member::Other,
        },
        Endpoint::AnthropicMessages => match key {
            b"input_tokens" => Member::Count(Name::Input),
            b"cache_creation_input_tokens" => Member::Count(Name::MoreInput),
            b"cache_read_input_tokens" => Member::Count(Name::Cached),
            b"output_tokens" => Member::Count(Name::Output),
            b"output_tokens_details" => Member::Details,
            _ => Member::Other,
        },
        Endpoint::GeminiGenerate | Endpoint::GeminiStream => match key {
            b"promptTokenCount" => Member::Count(Name::Input),
            b"toolUsePromptTokenCount" => Member::Count(Name::MoreInput),
            b"cachedContentTokenCount" => Member::Count(Name::Cached),
            b"candidatesTokenCount" => Member::Count(Name::Output),
            b"thoughtsTokenCount" => Member::Count(Name::Reasoning),
            b"totalTokenCount" => Member::Count(Name::Total),
            _ => Member::Other,
        },
        Endpoint::AnthropicCountTokens | Endpoint::Unknown => Member::Other,
    }
}
