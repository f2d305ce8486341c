//! Facts of `POST /v1/completions` and `/v1/embeddings`: prompts that nobody speaks.
use super::RequestFacts;
use super::prompt::{Prompt, add};
use super::sampling::StructuredOutput;
use super::text::{Role, TextSink};
use super::values::{count, counted_logprobs, flag, sequences, word};
use crate::json::{Fault, Kind, Reader};

/// How deep prompts nest: an array of arrays of tokens.
const LEVELS: u8 = 2;

/// What several keys say together.
#[derive(Default)]
struct Settings {
    n: Option<u32>,
    best_of: Option<u32>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    logprobs: bool,
    /// vLLM's, of the tokens of the prompt.
    prompt_logprobs: bool,
}

pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    facts: &mut RequestFacts<'a>,
    sink: &mut dyn TextSink,
) -> Result<(), Fault> {
    let mut settings = Settings::default();
    let mut prompt = Prompt::new(facts, sink);
    let outcome = fields(reader, &mut prompt, &mut settings);
    let shape = prompt.shape.finish();
    facts.shape = shape;
    facts.logprobs = settings.logprobs || settings.prompt_logprobs;
    facts.samples = settings.n.max(settings.best_of).unwrap_or(1).max(1);
    facts.max_output_tokens = settings.max_completion_tokens.max(settings.max_tokens);
    outcome
}

fn fields<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    settings: &mut Settings,
) -> Result<(), Fault> {
    reader.enter_root()?;
    while let Some(key) = reader.field()? {
        prompt.shape.any_field(&key, reader);
        match key.as_ref() {
            b"prompt" | b"input" => prompts(reader, prompt, 0)?,
            b"suffix" if reader.kind()? == Kind::String => one_text(reader, prompt)?,
            b"model" => prompt.facts.model = word(reader)?,
            b"stream" => prompt.facts.stream = flag(reader)?,
            b"n" => settings.n = count(reader)?,
            b"best_of" => settings.best_of = count(reader)?,
            b"max_tokens" => settings.max_tokens = count(reader)?,
            b"max_completion_tokens" => settings.max_completion_tokens = count(reader)?,
            b"logprobs" => settings.logprobs = counted_logprobs(reader)?,
            b"prompt_logprobs" => settings.prompt_logprobs = counted_logprobs(reader)?,
            b"stop" => prompt.facts.stop_sequences = sequences(reader)?,
            b"response_format" => {
                prompt.facts.structured_output = StructuredOutput::read(reader)?;
            }
            other => {
                if !prompt.facts.sampling.read(other, reader)? {
                    reader.skip()?;
                }
            }
        }
    }
    Ok(())
}

/// A prompt or several: texts, arrays of tokens, or parts where the model takes more than text.
fn prompts<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    level: u8,
) -> Result<(), Fault> {
    match reader.kind()? {
        Kind::String => one_text(reader, prompt),
        Kind::Array if level < LEVELS => {
            let mut has_tokens = false;
            let outcome = items(reader, prompt, level.saturating_add(1), &mut has_tokens);
            add(&mut prompt.facts.user_turns, u32::from(has_tokens));
            outcome
        }
        Kind::Object => {
            prompt.begin_message();
            let outcome = prompt.part(reader, Role::User, 1);
            prompt.end_message(Role::User);
            outcome
        }
        _ => reader.skip(),
    }
}

fn items<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    level: u8,
    has_tokens: &mut bool,
) -> Result<(), Fault> {
    reader.enter()?;
    while reader.item()? {
        if reader.kind()? == Kind::Number {
            *has_tokens = true;
            add(&mut prompt.facts.prompt_tokens, 1);
        }
        prompts(reader, prompt, level)?;
    }
    Ok(())
}

fn one_text<'a>(reader: &mut Reader<'a>, prompt: &mut Prompt<'_, 'a>) -> Result<(), Fault> {
    prompt.begin_message();
    let outcome = prompt.text(reader, Role::User);
    prompt.end_message(Role::User);
    outcome
}
