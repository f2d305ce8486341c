//! Facts of `POST /v1/responses`.
use super::RequestFacts;
use super::prompt::{Prompt, add, role_of};
use super::reasoning::{Level, Reasoning};
use super::sampling::StructuredOutput;
use super::text::{Role, TextSink, hand_out_name};
use super::values::{
    asks_for_logprobs, asks_for_summary, count, enter_object, flag, includes_logprobs, sequences,
    word,
};
use crate::json::{Fault, Kind, Reader};

/// What several keys say together.
#[derive(Default)]
struct Settings {
    included_logprobs: bool,
    top_logprobs: bool,
}

/// What an item of the input is.
#[derive(Default)]
struct Item {
    role: Option<Role>,
    is_reasoning: bool,
    is_call: bool,
    is_result: bool,
    is_attachment: bool,
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
    facts.logprobs = settings.included_logprobs || settings.top_logprobs;
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
            b"input" => input(reader, prompt)?,
            b"instructions" => prompt.system(reader)?,
            b"prompt" => template(reader, prompt)?,
            b"model" => prompt.facts.model = word(reader)?,
            b"stream" => prompt.facts.stream = flag(reader)?,
            b"max_output_tokens" => prompt.facts.max_output_tokens = count(reader)?,
            b"top_logprobs" => settings.top_logprobs = asks_for_logprobs(reader)?,
            b"include" => settings.included_logprobs = includes_logprobs(reader)?,
            b"tools" => {
                let mut tools = 0;
                let outcome = offered(reader, prompt.sink, &mut tools);
                prompt.shape.tools(tools);
                prompt.facts.tools = tools;
                outcome?;
            }
            b"reasoning" => prompt.facts.reasoning = reasoning(reader)?,
            b"text" => prompt.facts.structured_output = text_format(reader)?,
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

/// `input`: a text of the user, or items.
fn input<'a>(reader: &mut Reader<'a>, prompt: &mut Prompt<'_, 'a>) -> Result<(), Fault> {
    match reader.kind()? {
        Kind::String => {
            prompt.begin_message();
            let outcome = prompt.text(reader, Role::User);
            prompt.end_message(Role::User);
            outcome
        }
        Kind::Array => {
            reader.enter()?;
            while reader.item()? {
                if reader.kind()? == Kind::Object {
                    item(reader, prompt)?;
                } else {
                    reader.skip()?;
                }
            }
            Ok(())
        }
        _ => reader.skip(),
    }
}

fn item<'a>(reader: &mut Reader<'a>, prompt: &mut Prompt<'_, 'a>) -> Result<(), Fault> {
    let item = Item::ahead(reader)?;
    prompt.begin_message();
    let outcome = item_fields(reader, prompt, &item);
    let facts = &mut *prompt.facts;
    add(&mut facts.tool_calls, u32::from(item.is_call));
    add(&mut facts.tool_results, u32::from(item.is_result));
    add(&mut facts.attachments, u32::from(item.is_attachment));
    // An item of another kind has no text of the user and is no turn.
    prompt.end_message(item.role.unwrap_or(Role::User));
    outcome
}

fn item_fields<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    item: &Item,
) -> Result<(), Fault> {
    let role = item.role.unwrap_or(Role::User);
    reader.enter()?;
    while let Some(key) = reader.field()? {
        prompt.message_key(&key, reader);
        match key.as_ref() {
            b"content" if !item.is_reasoning => prompt.content(reader, role, 0)?,
            // Some servers take parts where items belong.
            b"text" if reader.kind()? == Kind::String && !item.is_reasoning => {
                prompt.text(reader, role)?
            }
            b"output" => match reader.kind()? {
                Kind::Object => prompt.part(reader, Role::Tool, 1)?,
                _ => prompt.content(reader, Role::Tool, 0)?,
            },
            _ => reader.skip()?,
        }
    }
    Ok(())
}

impl Item {
    /// Looks for type and role of the item that comes next, which may follow what they govern. What a cut
    /// body does not hold of it does not count.
    fn ahead(reader: &Reader<'_>) -> Result<Self, Fault> {
        let mut item = Self::default();
        match item.scan(&mut reader.clone()) {
            Ok(()) | Err(Fault::Ended) => Ok(item),
            Err(fault) => Err(fault),
        }
    }

    fn scan(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        reader.enter()?;
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"role" => self.role = word(reader)?.map(|name| role_of(&name)),
                b"type" => {
                    let kind = word(reader)?.unwrap_or_default();
                    self.is_reasoning = kind == "reasoning";
                    self.is_call = kind.ends_with("_call");
                    self.is_result = kind.ends_with("_call_output");
                    self.is_attachment =
                        matches!(kind.as_ref(), "input_image" | "input_file" | "input_audio");
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }
}

/// `prompt`: a stored template, whose variables are text of the user.
fn template<'a>(reader: &mut Reader<'a>, prompt: &mut Prompt<'_, 'a>) -> Result<(), Fault> {
    if !enter_object(reader)? {
        return Ok(());
    }
    while let Some(key) = reader.field()? {
        if key.as_ref() != b"variables" || reader.kind()? != Kind::Object {
            reader.skip()?;
            continue;
        }
        prompt.begin_message();
        let outcome = variables(reader, prompt);
        prompt.end_message(Role::User);
        outcome?;
    }
    Ok(())
}

fn variables<'a>(reader: &mut Reader<'a>, prompt: &mut Prompt<'_, 'a>) -> Result<(), Fault> {
    reader.enter()?;
    while reader.field()?.is_some() {
        match reader.kind()? {
            Kind::Object => prompt.part(reader, Role::User, 1)?,
            _ => prompt.content(reader, Role::User, 0)?,
        }
    }
    Ok(())
}

/// Counts tools and hands out their names; a tool that the server brings along has its type for one.
fn offered(reader: &mut Reader<'_>, sink: &mut dyn TextSink, tools: &mut u32) -> Result<(), Fault> {
    if reader.kind()? != Kind::Array {
        return reader.skip();
    }
    reader.enter()?;
    while reader.item()? {
        add(tools, 1);
        if !enter_object(reader)? {
            continue;
        }
        let (mut name, mut kind) = (None, None);
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"name" if reader.kind()? == Kind::String => name = Some(reader.string()?),
                b"type" if reader.kind()? == Kind::String => kind = Some(reader.string()?),
                _ => reader.skip()?,
            }
        }
        hand_out_name(name.or(kind).unwrap_or_default(), sink);
    }
    Ok(())
}

/// `reasoning`: hidden unless a summary of it is asked for; its encrypted form shows nothing.
fn reasoning(reader: &mut Reader<'_>) -> Result<Reasoning, Fault> {
    let (mut enabled, mut summary, mut older_summary) = (false, false, false);
    let mut level = Level::default();
    let mut budget_tokens = None;
    if enter_object(reader)? {
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"effort" => level = Level::read(reader)?,
                b"summary" => summary = asks_for_summary(reader)?,
                b"generate_summary" => older_summary = asks_for_summary(reader)?,
                b"enabled" => enabled = flag(reader)?,
                b"max_tokens" => budget_tokens = count(reader)?,
                _ => reader.skip()?,
            }
        }
    }
    Ok(Reasoning {
        requested: level.asks || enabled || budget_tokens > Some(0),
        visible: summary || older_summary,
        budget_tokens,
        effort: level.effort,
    })
}

/// `text.format`.
fn text_format(reader: &mut Reader<'_>) -> Result<StructuredOutput, Fault> {
    let mut format = StructuredOutput::Free;
    if enter_object(reader)? {
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"format" => format = StructuredOutput::read(reader)?,
                _ => reader.skip()?,
            }
        }
    }
    Ok(format)
}
