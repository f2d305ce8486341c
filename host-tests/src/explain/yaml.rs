//! Writes an explained policy as YAML that reads back as the same policy.
use super::{Content, Entry, Origin};
use crate::yaml::YamlDocument;
use serde_json::Value;

/// Column at which comments begin, where the line is shorter.
const COMMENT_COLUMN: usize = 40;
/// Longest list that stands in one line.
const LINE: usize = 64;

/// The whole text.
pub(super) fn text(entries: &[Entry]) -> String {
    let mut out = String::new();
    keys(entries, 0, "", &mut out);
    out
}

/// Writes keys at `indent`; `first` stands before the first of them in place of its indent (`- ` of a list).
fn keys(entries: &[Entry], indent: usize, first: &str, out: &mut String) {
    // What is not there cannot stand behind the dash of a list.
    let lead = match first {
        "" => None,
        _ => entries
            .iter()
            .position(|entry| entry.origin != Origin::Unset),
    };
    let order = lead
        .into_iter()
        .chain((0..entries.len()).filter(|at| Some(*at) != lead));
    for (nth, entry) in order.filter_map(|at| entries.get(at)).enumerate() {
        let margin = match nth {
            0 if !first.is_empty() => first.to_owned(),
            _ => " ".repeat(indent),
        };
        let key = entry.key.as_deref().map(scalar).unwrap_or_default();
        let start = format!("{margin}{key}:");
        match &entry.content {
            Content::Value(Value::Null) => {
                line(&format!("{}# {key}:", " ".repeat(indent)), entry, out);
            }
            Content::Value(value) => leaf(&start, value, indent, entry, out),
            Content::Keys(inner) => {
                let empty = inner.iter().all(|entry| entry.origin == Origin::Unset);
                let braces = if empty { " {}" } else { "" };
                line(&format!("{start}{braces}"), entry, out);
                keys(inner, indent + 2, "", out);
            }
            Content::Elements(elements) => {
                line(&start, entry, out);
                for element in elements {
                    elements_of(element, indent + 2, out);
                }
            }
        }
    }
}

fn elements_of(element: &Entry, indent: usize, out: &mut String) {
    let dash = format!("{}- ", " ".repeat(indent));
    match &element.content {
        Content::Keys(inner) if inner.iter().any(|entry| entry.origin != Origin::Unset) => {
            keys(inner, indent + 2, &dash, out);
        }
        Content::Keys(_) => line(&format!("{dash}{{}}"), element, out),
        Content::Value(value) => line(&format!("{dash}{}", inline(value)), element, out),
        Content::Elements(_) => line(&format!("{dash}[]"), element, out), // no policy has lists of lists
    }
}

/// A key with a value; a long list of texts takes a line for each.
fn leaf(start: &str, value: &Value, indent: usize, entry: &Entry, out: &mut String) {
    let short = inline(value);
    match value {
        Value::Array(elements) if short.len() > LINE => {
            line(start, entry, out);
            let margin = " ".repeat(indent + 2);
            for element in elements {
                out.push_str(&format!("{margin}- {}\n", inline(element)));
            }
        }
        _ => line(&format!("{start} {short}"), entry, out),
    }
}

/// One line and what it says.
fn line(text: &str, entry: &Entry, out: &mut String) {
    let origin = entry.origin.as_str();
    let sentence = entry
        .description
        .split_inclusive(". ")
        .next()
        .unwrap_or_default();
    let sentence = sentence.trim_end().trim_end_matches('.');
    let comment = match sentence {
        "" => origin.to_owned(),
        sentence => format!("{origin}: {sentence}"),
    };
    out.push_str(&format!("{text:<COMMENT_COLUMN$} # {comment}\n"));
}

/// A value in one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(inline).collect();
            format!("[{}]", elements.join(", "))
        }
        // JSON is YAML.
        other => other.to_string(),
    }
}

/// Text, in quotes where YAML would read something else than it.
fn scalar(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let starts = text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '/');
    let reads_back = || {
        YamlDocument::parse(text).is_ok_and(|read| read.value.as_str().is_some_and(|it| it == text))
    };
    match starts && text.bytes().all(plain) && reads_back() {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    }
}
