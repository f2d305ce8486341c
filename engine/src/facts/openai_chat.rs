//! Facts of `POST /v1/chat/completions`.
use super::RequestFacts;
use super::prompt::Prompt;
use super::reasoning::{Level, Reasoning, thinking};
use super::sampling::StructuredOutput;
use super::text::TextSink;
use super::values::{
    asks_for_logprobs, asks_for_summary, count, counted_logprobs, enter_object, flag, sequences,
    word,
};
use crate::json::{Fault, Reader};

/// What several keys say together.
#[derive(Default)]
struct Settings {
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    logprobs: bool,
    top_logprobs: bool,
    /// vLLM's, of the tokens of the prompt.
    prompt_logprobs: bool,
    tools: u32,
    functions: u32,
    level: Level,
    include_reasoning: bool,
    reasoning: Reasoning,
    thinking: Reasoning,
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
    facts.max_output_tokens = settings.max_completion_tokens.max(settings.max_tokens);
    facts.logprobs = settings.logprobs || settings.top_logprobs || settings.prompt_logprobs;
    facts.tools = settings.tools.saturating_add(settings.functions);
    let (reasoning, thinking) = (settings.reasoning, settings.thinking);
    facts.reasoning = Reasoning {
        requested: settings.level.asks
            || settings.include_reasoning
            || reasoning.requested
            || thinking.requested,
        visible: settings.include_reasoning || reasoning.visible || thinking.visible,
        budget_tokens: reasoning.budget_tokens.max(thinking.budget_tokens),
        effort: settings.level.effort.max(reasoning.effort),
    };
    outcome
}

fn fields<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    settings: &mut Settings,
) -> Result<(), Fault> {
    reader.enter_root()?;
    while let Some(key) = reader.field()? {
        prompt.shape.field(&key, reader);
        match key.as_ref() {
            b"messages" => prompt.messages(reader)?,
            b"model" => prompt.facts.model = word(reader)?,
            b"stream" => prompt.facts.stream = flag(reader)?,
            b"n" => prompt.facts.samples = count(reader)?.unwrap_or(1).max(1),
            b"max_tokens" => settings.max_tokens = count(reader)?,
            b"max_completion_tokens" => settings.max_completion_tokens = count(reader)?,
            b"logprobs" => settings.logprobs = asks_for_logprobs(reader)?,
            b"top_logprobs" => settings.top_logprobs = asks_for_logprobs(reader)?,
            b"prompt_logprobs" => settings.prompt_logprobs = counted_logprobs(reader)?,
            b"tools" => {
                settings.tools = 0;
                prompt.tools(reader, &mut settings.tools)?;
            }
            b"functions" => {
                settings.functions = 0;
                prompt.tools(reader, &mut settings.functions)?;
            }
            b"reasoning_effort" => settings.level = Level::read(reader)?,
            b"include_reasoning" => settings.include_reasoning = flag(reader)?,
            b"reasoning" => settings.reasoning = reasoning(reader)?,
            b"thinking" => settings.thinking = thinking(reader)?,
            b"response_format" => {
                prompt.facts.structured_output = StructuredOutput::read(reader)?;
            }
            b"stop" => prompt.facts.stop_sequences = sequences(reader)?,
            other => {
                if !prompt.facts.sampling.read(other, reader)? {
                    reader.skip()?;
                }
            }
        }
    }
    Ok(())
}

/// `reasoning`, as servers beyond OpenAI's own take it: reasoning is then returned unless excluded.
fn reasoning(reader: &mut Reader<'_>) -> Result<Reasoning, Fault> {
    let (mut enabled, mut excluded, mut summary) = (false, false, false);
    let mut level = Level::default();
    let mut budget_tokens = None;
    if enter_object(reader)? {
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"effort" => level = Level::read(reader)?,
                b"enabled" => enabled = flag(reader)?,
                b"exclude" => excluded = flag(reader)?,
                b"summary" => summary = asks_for_summary(reader)?,
                b"max_tokens" => budget_tokens = count(reader)?,
                _ => reader.skip()?,
            }
        }
    }
    let requested = level.asks || enabled || budget_tokens > Some(0);
    Ok(Reasoning {
        requested,
        visible: !excluded && (requested || summary),
        budget_tokens,
        effort: level.effort,
    })
}
