//! `generationConfig` of a Gemini request.
use crate::facts::RequestFacts;
use crate::facts::reasoning::{Effort, Level, Reasoning};
use crate::facts::sampling::{Sampling, StructuredOutput};
use crate::facts::shape::Shape;
use crate::facts::values::{asks_for_logprobs, count, enter_object, flag, sequences, word};
use crate::json::{Fault, Kind, Reader};

/// What the configuration says so far; of several, the last to say a thing.
#[derive(Default)]
pub(super) struct Config {
    samples: Option<u32>,
    max_output_tokens: Option<u32>,
    stop_sequences: u32,
    sampling: Sampling,
    response_logprobs: bool,
    top_logprobs: bool,
    mime_type: StructuredOutput,
    schema: StructuredOutput,
    json_schema: StructuredOutput,
    thinking: Thinking,
}

/// `thinkingConfig`.
#[derive(Clone, Copy, Default)]
struct Thinking {
    visible: bool,
    budget_asks: bool,
    budget_tokens: Option<u32>,
    level: Level,
}

impl Config {
    /// The value of `generationConfig`.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, shape: &mut Shape) -> Result<(), Fault> {
        if !enter_object(reader)? {
            return Ok(());
        }
        while let Some(key) = reader.field()? {
            shape.any_field(&key, reader);
            match key.as_ref() {
                b"candidateCount" | b"candidate_count" => self.samples = count(reader)?,
                b"maxOutputTokens" | b"max_output_tokens" => {
                    self.max_output_tokens = count(reader)?
                }
                b"stopSequences" | b"stop_sequences" => self.stop_sequences = sequences(reader)?,
                b"responseLogprobs" | b"response_logprobs" => {
                    self.response_logprobs = asks_for_logprobs(reader)?
                }
                b"logprobs" => self.top_logprobs = asks_for_logprobs(reader)?,
                b"responseMimeType" | b"response_mime_type" => {
                    self.mime_type = match word(reader)?.as_deref() {
                        Some("application/json") => StructuredOutput::Json,
                        _ => StructuredOutput::Free,
                    }
                }
                b"responseSchema" | b"response_schema" => {
                    self.schema = StructuredOutput::schema(reader)?
                }
                b"responseJsonSchema" | b"response_json_schema" => {
                    self.json_schema = StructuredOutput::schema(reader)?
                }
                b"thinkingConfig" | b"thinking_config" => self.thinking.read(reader)?,
                other => {
                    if !self.sampling.read(other, reader)? {
                        reader.skip()?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Puts what was said into `facts`.
    pub(super) fn tell(&self, facts: &mut RequestFacts<'_>) {
        facts.samples = self.samples.unwrap_or(1).max(1);
        facts.max_output_tokens = self.max_output_tokens;
        facts.stop_sequences = self.stop_sequences;
        facts.sampling = self.sampling;
        facts.logprobs = self.response_logprobs || self.top_logprobs;
        facts.structured_output = self.mime_type.max(self.schema).max(self.json_schema);
        let thinking = self.thinking;
        facts.reasoning = Reasoning {
            requested: thinking.budget_asks || thinking.level.asks,
            visible: thinking.visible,
            budget_tokens: thinking.budget_tokens,
            effort: thinking.level.effort,
        };
    }
}

impl Thinking {
    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        if !enter_object(reader)? {
            return Ok(());
        }
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"includeThoughts" | b"include_thoughts" => self.visible = flag(reader)?,
                b"thinkingBudget" | b"thinking_budget" => {
                    // Below zero stands for as much as the model sees fit.
                    let is_open = is_negative(reader.clone())?;
                    self.budget_tokens = count(reader)?;
                    self.budget_asks = is_open || self.budget_tokens > Some(0);
                }
                b"thinkingLevel" | b"thinking_level" => self.level = level(reader)?,
                _ => reader.skip()?,
            }
        }
        Ok(())
    }
}

fn is_negative(mut reader: Reader<'_>) -> Result<bool, Fault> {
    Ok(match reader.kind()? {
        Kind::Number => reader.number()?.is_negative,
        _ => word(&mut reader)?.is_some_and(|word| word.starts_with('-')),
    })
}

/// `thinkingLevel`: a word in any case, or the number of one, which counts as the highest.
fn level(reader: &mut Reader<'_>) -> Result<Level, Fault> {
    if reader.kind()? == Kind::Number {
        let asks = reader.unsigned()? > Some(0);
        return Ok(Level {
            asks,
            effort: asks.then_some(Effort::High),
        });
    }
    Ok(match word(reader)? {
        Some(word) if !word.eq_ignore_ascii_case("THINKING_LEVEL_UNSPECIFIED") => {
            Level::of(&word.to_ascii_lowercase())
        }
        _ => Level::default(),
    })
}
