//! Facts of Gemini's `:generateContent` and `:streamGenerateContent`.
//!
//! The server reads JSON as protocol buffers do: every key in camel case or with underscores.
mod config;

use self::config::Config;
use super::RequestFacts;
use super::prompt::{LEVELS, Prompt, add, role_of};
use super::text::{Role, TextSink, hand_out_name};
use super::tools::tools;
use super::values::{enter_object, flag, word};
use crate::json::{Fault, Kind, Reader};
use alloc::borrow::Cow;

pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    facts: &mut RequestFacts<'a>,
    sink: &mut dyn TextSink,
) -> Result<(), Fault> {
    let mut config = Config::default();
    let mut prompt = Prompt::new(facts, sink);
    let outcome = fields(reader, &mut prompt, &mut config);
    let shape = prompt.shape.finish();
    facts.shape = shape;
    config.tell(facts);
    outcome
}

fn fields<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    config: &mut Config,
) -> Result<(), Fault> {
    reader.enter_root()?;
    while let Some(key) = reader.field()? {
        prompt.shape.any_field(&key, reader);
        match key.as_ref() {
            b"contents" => contents(reader, prompt)?,
            b"systemInstruction" | b"system_instruction" => content(reader, prompt, true)?,
            b"generationConfig" | b"generation_config" => config.read(reader, &mut prompt.shape)?,
            b"tools" => {
                let mut offered = 0;
                let outcome = each(reader, &mut |reader| {
                    tool(reader, prompt.sink, &mut offered)
                });
                prompt.shape.tools(offered);
                prompt.facts.tools = offered;
                outcome?;
            }
            _ => reader.skip()?,
        }
    }
    Ok(())
}

/// Hands the objects of an array, or the one object that stands in its place, to `read`.
fn each<'a>(
    reader: &mut Reader<'a>,
    read: &mut dyn FnMut(&mut Reader<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    match reader.kind()? {
        Kind::Object => read(reader),
        Kind::Array => {
            reader.enter()?;
            while reader.item()? {
                match reader.kind()? {
                    Kind::Object => read(reader)?,
                    _ => reader.skip()?,
                }
            }
            Ok(())
        }
        _ => reader.skip(),
    }
}

fn contents<'a>(reader: &mut Reader<'a>, prompt: &mut Prompt<'_, 'a>) -> Result<(), Fault> {
    each(reader, &mut |reader| content(reader, prompt, false))
}

/// A message, or the system's.
fn content<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    is_system: bool,
) -> Result<(), Fault> {
    let mut role = Role::System;
    if !is_system {
        role = Role::User;
        ahead(reader, |key, reader| {
            match key {
                b"role" => role = word(reader)?.map_or(Role::User, |name| speaker(&name)),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
    }
    prompt.begin_message();
    let outcome = match reader.kind()? {
        Kind::Object => content_fields(reader, prompt, role, is_system),
        // A system instruction that is a text, as some gateways take it.
        _ => prompt.content(reader, role, 0),
    };
    if !is_system {
        prompt.end_message(role);
    }
    outcome
}

fn content_fields<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    role: Role,
    is_system: bool,
) -> Result<(), Fault> {
    reader.enter()?;
    while let Some(key) = reader.field()? {
        if !is_system {
            prompt.message_key(&key, reader);
        }
        match key.as_ref() {
            b"parts" => parts(reader, prompt, role, 0)?,
            _ => reader.skip()?,
        }
    }
    Ok(())
}

fn speaker(name: &str) -> Role {
    match name {
        "model" => Role::Assistant,
        _ => role_of(name),
    }
}

fn parts<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    role: Role,
    level: u8,
) -> Result<(), Fault> {
    if level >= LEVELS {
        return reader.skip();
    }
    each(reader, &mut |reader| {
        let mut is_thought = false;
        ahead(reader, |key, reader| {
            match key {
                b"thought" => is_thought = flag(reader)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        let mut attached = false;
        let outcome = part(reader, prompt, role, level, is_thought, &mut attached);
        add(&mut prompt.facts.attachments, u32::from(attached));
        outcome
    })
}

fn part<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    role: Role,
    level: u8,
    is_thought: bool,
    attached: &mut bool,
) -> Result<(), Fault> {
    reader.enter()?;
    while let Some(key) = reader.field()? {
        let kind = reader.kind()?;
        match key.as_ref() {
            b"text" if kind == Kind::String && !is_thought => prompt.text(reader, role)?,
            b"inlineData" | b"inline_data" | b"fileData" | b"file_data" => {
                *attached |= kind != Kind::Null;
                reader.skip()?;
            }
            b"functionCall" | b"function_call" | b"executableCode" | b"executable_code" => {
                add(
                    &mut prompt.facts.tool_calls,
                    u32::from(kind == Kind::Object),
                );
                reader.skip()?;
            }
            b"functionResponse"
            | b"function_response"
            | b"codeExecutionResult"
            | b"code_execution_result"
                if kind == Kind::Object =>
            {
                add(&mut prompt.facts.tool_results, 1);
                result(reader, prompt, level)?;
            }
            _ => reader.skip()?,
        }
    }
    Ok(())
}

/// What a tool gave: any JSON, the texts of which are handed out.
fn result<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    level: u8,
) -> Result<(), Fault> {
    reader.enter()?;
    while let Some(key) = reader.field()? {
        match key.as_ref() {
            b"response" | b"output" => values(reader, prompt, 0)?,
            b"parts" => parts(reader, prompt, Role::Tool, level.saturating_add(1))?,
            _ => reader.skip()?,
        }
    }
    Ok(())
}

fn values<'a>(
    reader: &mut Reader<'a>,
    prompt: &mut Prompt<'_, 'a>,
    level: u8,
) -> Result<(), Fault> {
    let deeper = level.saturating_add(1);
    match reader.kind()? {
        Kind::String => prompt.text(reader, Role::Tool),
        Kind::Object if level < LEVELS => {
            reader.enter()?;
            while reader.field()?.is_some() {
                values(reader, prompt, deeper)?;
            }
            Ok(())
        }
        Kind::Array if level < LEVELS => {
            reader.enter()?;
            while reader.item()? {
                values(reader, prompt, deeper)?;
            }
            Ok(())
        }
        _ => reader.skip(),
    }
}

/// Counts the functions of a tool, and whatever else it brings under a key of its own.
fn tool(reader: &mut Reader<'_>, sink: &mut dyn TextSink, offered: &mut u32) -> Result<(), Fault> {
    reader.enter()?;
    while let Some(key) = reader.field()? {
        match key.as_ref() {
            b"functionDeclarations" | b"function_declarations" => tools(reader, offered, sink)?,
            _ => {
                if reader.kind()? != Kind::Null {
                    add(offered, 1);
                    // A key that was unescaped is no raw text any more.
                    if let Cow::Borrowed(name) = key {
                        hand_out_name(name, sink);
                    }
                }
                reader.skip()?;
            }
        }
    }
    Ok(())
}

/// Reads the object that comes next without moving past it, for keys that may follow what they govern. What
/// a cut body does not hold of it does not count.
fn ahead<'a>(
    reader: &Reader<'a>,
    mut field: impl FnMut(&[u8], &mut Reader<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut reader = reader.clone();
    let mut scan = || {
        if enter_object(&mut reader)? {
            while let Some(key) = reader.field()? {
                field(&key, &mut reader)?;
            }
        }
        Ok(())
    };
    match scan() {
        Err(Fault::Ended) => Ok(()),
        outcome => outcome,
    }
}
