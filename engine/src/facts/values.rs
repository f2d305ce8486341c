//! Values as the most forgiving server takes them.
use super::text;
use crate::json::{Fault, Kind, Reader};
use alloc::borrow::Cow;

/// A value that says yes: `true`, a number above zero, or a word that forgiving servers take for true.
pub(crate) fn flag(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    Ok(match reader.kind()? {
        Kind::Number => reader.unsigned()? > Some(0),
        Kind::String => word(reader)?.is_some_and(|word| {
            ["true", "1", "t", "yes", "y", "on"]
                .iter()
                .any(|yes| word.eq_ignore_ascii_case(yes))
        }),
        kind => reader.skip().map(|()| kind == Kind::True)?,
    })
}

/// Whether a value asks for token probabilities, where 0 asks for none: a word that says yes or a number, in quotes or
/// without.
pub(crate) fn asks_for_logprobs(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    let mut value = reader.clone();
    Ok(flag(reader)? || count(&mut value)? > Some(0))
}

/// Whether a number of alternatives asks for token probabilities: any does, even 0, which gives that of each token.
pub(crate) fn counted_logprobs(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    let mut value = reader.clone();
    Ok(flag(reader)? || count(&mut value)?.is_some())
}

/// Whether the value that comes next asks for a summary of reasoning.
pub(crate) fn asks_for_summary(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    Ok(word(reader)?.is_some_and(|word| !matches!(word.as_ref(), "" | "none")))
}

/// Whether a list names the log probabilities of the output's text.
pub(crate) fn includes_logprobs(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    if reader.kind()? != Kind::Array {
        return reader.skip().map(|()| false);
    }
    reader.enter()?;
    let mut found = false;
    while reader.item()? {
        found |= is_logprobs(reader)?;
    }
    Ok(found)
}

/// Whether the item that comes next is the name of the log probabilities of the output's text.
pub(crate) fn is_logprobs(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    Ok(word(reader)?.is_some_and(|name| name == "message.output_text.logprobs"))
}

/// A count: a number, or a string that holds one.
pub(crate) fn count(reader: &mut Reader<'_>) -> Result<Option<u32>, Fault> {
    match reader.kind()? {
        Kind::Number => reader.unsigned(),
        _ => Ok(word(reader)?.and_then(|word| {
            let mut quoted = Reader::new(word.as_bytes());
            let value = quoted.unsigned();
            quoted.finish().and(value).ok().flatten()
        })),
    }
}

/// A string with its escapes resolved; `None` for anything else.
pub(crate) fn word<'a>(reader: &mut Reader<'a>) -> Result<Option<Cow<'a, str>>, Fault> {
    match reader.kind()? {
        Kind::String => Ok(Some(text::unescaped(reader.string()?))),
        _ => reader.skip().map(|()| None),
    }
}

/// Opens an object and gives true, or passes over anything else and gives false.
pub(super) fn enter_object(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    match reader.kind()? {
        Kind::Object => reader.enter().map(|()| true),
        _ => reader.skip().map(|()| false),
    }
}

/// Adds the items of an array to `items`, those before a cut too; anything else has none.
pub(super) fn count_items(reader: &mut Reader<'_>, items: &mut u32) -> Result<(), Fault> {
    if reader.kind()? != Kind::Array {
        return reader.skip();
    }
    reader.enter()?;
    while reader.item()? {
        *items = items.saturating_add(1);
        reader.skip()?;
    }
    Ok(())
}

/// How many sequences a value names: a string is one, an array as many as it has items.
pub(super) fn sequences(reader: &mut Reader<'_>) -> Result<u32, Fault> {
    if reader.kind()? == Kind::String {
        return reader.string().map(|raw| u32::from(!raw.is_empty()));
    }
    let mut items = 0;
    count_items(reader, &mut items)?;
    Ok(items)
}

/// A number in thousandths, rounded down and saturated, or a string that holds one; `None` below zero.
pub(super) fn thousandths(reader: &mut Reader<'_>) -> Result<Option<u32>, Fault> {
    match reader.kind()? {
        Kind::Number => Ok(reader.number()?.thousandths()),
        _ => Ok(word(reader)?.and_then(|word| {
            let mut quoted = Reader::new(word.as_bytes());
            let value = quoted.number();
            quoted.finish().and(value).ok()?.thousandths()
        })),
    }
}
