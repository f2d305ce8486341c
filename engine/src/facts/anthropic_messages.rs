//! Facts of `POST /v1/messages`.
use super::prompt::Prompt;
use super::text::TextSink;
use super::{Reasoning, RequestFacts, count, enter_object, flag, is_effort, thinking, word};
use crate::json::{Fault, Reader};

pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    facts: &mut RequestFacts<'a>,
    sink: &mut dyn TextSink,
) -> Result<(), Fault> {
    let (mut asked, mut effort) = (Reasoning::default(), false);
    let mut prompt = Prompt::new(facts, sink);
    let outcome = fields(reader, &mut prompt, &mut asked, &mut effort);
    let shape = prompt.shape.finish();
    facts.shape = shape;
    facts.reasoning = Reasoning {
        requested: asked.requested || effort,
        ..asked
    };
    outcome
}

fn fields<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    asked: &mut Reasoning,
    effort: &mut bool,
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
            b"thinking" => *asked = thinking(reader)?,
            b"output_config" => *effort = output_effort(reader)?,
            _ => reader.skip()?,
        }
    }
    Ok(())
}

/// Whether `output_config.effort` asks for effort.
fn output_effort(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    let mut effort = false;
    if enter_object(reader)? {
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"effort" => effort = word(reader)?.is_some_and(|level| is_effort(&level)),
                _ => reader.skip()?,
            }
        }
    }
    Ok(effort)
}
