//! Facts of `POST /v1/messages` and of `/v1/messages/count_tokens`.
use super::RequestFacts;
use super::prompt::Prompt;
use super::reasoning::{Level, Reasoning, thinking};
use super::sampling::StructuredOutput;
use super::text::TextSink;
use super::values::{count, enter_object, flag, sequences, word};
use crate::json::{Fault, Reader};

/// What several keys say together.
#[derive(Default)]
struct Settings {
    thinking: Reasoning,
    output: Output,
    output_format: StructuredOutput,
}

/// `output_config`.
#[derive(Default)]
struct Output {
    level: Level,
    format: StructuredOutput,
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
    let (thinking, output) = (settings.thinking, settings.output);
    facts.reasoning = Reasoning {
        requested: thinking.requested || output.level.asks,
        effort: output.level.effort,
        ..thinking
    };
    facts.structured_output = output.format.max(settings.output_format);
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
            b"system" => prompt.system(reader)?,
            b"model" => prompt.facts.model = word(reader)?,
            b"stream" => prompt.facts.stream = flag(reader)?,
            b"max_tokens" => prompt.facts.max_output_tokens = count(reader)?,
            b"tools" => {
                let mut tools = 0;
                let outcome = prompt.tools(reader, &mut tools);
                prompt.facts.tools = tools;
                outcome?;
            }
            b"thinking" => settings.thinking = thinking(reader)?,
            b"output_config" => settings.output = Output::read(reader)?,
            b"output_format" => settings.output_format = StructuredOutput::read(reader)?,
            b"stop_sequences" => prompt.facts.stop_sequences = sequences(reader)?,
            other => {
                if !prompt.facts.sampling.read(other, reader)? {
                    reader.skip()?;
                }
            }
        }
    }
    Ok(())
}

impl Output {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut output = Self::default();
        if enter_object(reader)? {
            while let Some(key) = reader.field()? {
                match key.as_ref() {
                    b"effort" => output.level = Level::read(reader)?,
                    b"format" => output.format = StructuredOutput::read(reader)?,
                    _ => reader.skip()?,
                }
            }
        }
        Ok(output)
    }
}
