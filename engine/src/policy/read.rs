//! From JSON text to `Document`, reporting every problem of form at once.
//!
//! serde stops at the first problem. So each problem is noted, the offending value taken out, and
//! the rest read again: `Document` requires nothing, hence what remains is still readable. Taking
//! an element out of a list shifts those behind it; `TakenOut` puts later paths right again.
use super::{
    diagnostic::{Code, Diagnostics},
    document::Document,
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Write as _;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

/// Where a value of the wrong type may be a key, so that no message repeats it.
const SECRETS: [&str; 2] = ["verification.attestation", "privacy"];
/// Problems of form that are reported of one document; more is a file that is not a policy.
const MAX_PROBLEMS: usize = 100;

/// What was taken out of the document before it could be read.
#[derive(Default)]
pub(super) struct TakenOut {
    /// Path in the original document of everything taken out.
    paths: Vec<String>,
    /// List (original path) and original index of each element taken out.
    elements: Vec<(String, usize)>,
}

impl TakenOut {
    /// The path in the original document of `path` in the reduced one.
    pub(super) fn original(&self, path: &str) -> String {
        let mut original = String::new();
        for (position, piece) in path.split('[').enumerate() {
            if position == 0 {
                original.push_str(piece);
                continue;
            }
            let (index, rest) = piece.split_once(']').unwrap_or((piece, ""));
            let index = index.parse::<usize>().unwrap_or_default();
            let index = self.shifted(&original, index);
            let _ = write!(original, "[{index}]{rest}");
        }
        original
    }

    /// Whether the value at this original path, or one around it, was taken out: no wonder it is missing.
    pub(super) fn covers(&self, path: &str) -> bool {
        self.paths.iter().any(|taken| {
            path.strip_prefix(taken.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// Whether a value inside of the one at this original path was taken out.
    pub(super) fn is_within(&self, path: &str) -> bool {
        self.paths.iter().any(|taken| {
            taken
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with(['.', '[']))
        })
    }

    fn shifted(&self, list: &str, mut index: usize) -> usize {
        let mut gone: Vec<usize> = self
            .elements
            .iter()
            .filter(|(path, _)| path == list)
            .map(|(_, index)| *index)
            .collect();
        gone.sort_unstable();
        for element in gone {
            if element <= index {
                index = index.saturating_add(1);
            }
        }
        index
    }
}

/// Reads a document; `None` when nothing of it could be.
pub(super) fn document(json: &[u8], diagnostics: &mut Diagnostics) -> Option<(Document, TakenOut)> {
    let mut value = match serde_json::from_slice::<Value>(json) {
        Ok(value) => value,
        Err(error) => {
            let help = "give the policy as JSON; `weir check POLICY --emit-config` prints it";
            diagnostics.error(Code::Syntax, ".", format!("not JSON: {error}"), help);
            return None;
        }
    };
    if !value.is_object() {
        diagnostics.error(
            Code::WrongValue,
            ".",
            "a policy is a map",
            "start with `apiVersion: weir/v1`",
        );
        return None;
    }
    let mut taken = TakenOut::default();
    for _ in 0..MAX_PROBLEMS {
        let error = match serde_path_to_error::deserialize::<_, Document>(&value) {
            Ok(document) => return Some((document, taken)),
            Err(error) => error,
        };
        let message = error.inner().to_string();
        let steps = steps(error.path(), &message);
        note(&taken.original(&text(&steps.all)), &message, diagnostics);
        if !take_out(&mut value, &steps, &mut taken) {
            return None;
        }
    }
    diagnostics.error(
        Code::TooMany,
        ".",
        format!("more than {MAX_PROBLEMS} problems of form"),
        "mend those above first",
    );
    None
}

/// One step into the document.
enum Step {
    Key(String),
    Index(usize),
}

/// Where a problem is, and how much of the document goes with it.
struct Steps {
    all: Vec<Step>,
    /// Steps to the value that is taken out: an enum's element goes as a whole, since `{}` is none.
    taken: usize,
}

fn steps(path: &Path, message: &str) -> Steps {
    let mut all = Vec::new();
    let mut taken = None;
    for segment in path {
        match segment {
            Segment::Seq { index } => all.push(Step::Index(*index)),
            Segment::Map { key } => all.push(Step::Key(key.clone())),
            Segment::Enum { variant } => {
                taken.get_or_insert(all.len());
                all.push(Step::Key(variant.clone()));
            }
            Segment::Unknown => break,
        }
    }
    if let Some(key) = quoted(message, "unknown field ") {
        if !matches!(all.last(), Some(Step::Key(last)) if last == key) {
            all.push(Step::Key(key.to_string()));
        }
    }
    let taken = taken.unwrap_or(all.len());
    Steps { all, taken }
}

fn text(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Index(index) => {
                let _ = write!(path, "[{index}]");
            }
            Step::Key(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
        }
    }
    if path.is_empty() {
        path.push('.');
    }
    path
}

fn note(at: &str, message: &str, diagnostics: &mut Diagnostics) {
    if let Some(key) = quoted(message, "unknown field ") {
        let (_, expected) = message
            .split_once("expected ")
            .unwrap_or(("", "no keys here"));
        diagnostics.error(
            Code::UnknownKey,
            at,
            format!("unknown key `{key}`"),
            format!("use {expected}"),
        );
    } else if let Some(key) = quoted(message, "missing field ") {
        diagnostics.error(
            Code::MissingKey,
            at,
            format!("`{key}` is missing"),
            format!("add `{key}`"),
        );
    } else if let Some(word) = quoted(message, "unknown variant ") {
        let (_, expected) = message
            .split_once("expected ")
            .unwrap_or(("", "another word"));
        let message = if at.starts_with("privacy") {
            "that is not a choice here".to_string()
        } else {
            format!("`{word}` is not a choice here")
        };
        diagnostics.error(Code::WrongValue, at, message, format!("use {expected}"));
    } else {
        let (found, expected) = message
            .split_once(", expected ")
            .unwrap_or((message, "another value"));
        let found = if SECRETS.iter().any(|secret| at.starts_with(secret)) {
            "unexpected type of value"
        } else {
            found
        };
        let found = found.replace("invalid type: ", "unexpected ");
        let found = found.replace("invalid value: ", "unexpected ");
        diagnostics.error(
            Code::WrongValue,
            at,
            found,
            format!("give {}", plain(expected)),
        );
    }
}

/// What serde expects, in the words of people who write YAML.
fn plain(expected: &str) -> &str {
    match expected {
        "u32" | "u64" => "a whole number, without quotes",
        "f64" => "a number, without quotes",
        "a sequence" => "a list",
        _ if expected.starts_with("struct ") => "a map",
        _ if expected.contains("single key") => "a map with one key",
        _ => expected,
    }
}

fn quoted<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    message
        .strip_prefix(before)?
        .strip_prefix('`')?
        .split('`')
        .next()
}

/// Takes the offending value, or the nearest one around it, out of the document; false when nothing is left.
fn take_out(document: &mut Value, steps: &Steps, taken: &mut TakenOut) -> bool {
    for length in (1..=steps.taken).rev() {
        let Some((last, before)) = steps.all.get(..length).and_then(<[Step]>::split_last) else {
            return false;
        };
        let Some(parent) = walk(document, before) else {
            continue;
        };
        let list = taken.original(&text(before));
        match (last, parent) {
            (Step::Key(key), Value::Object(map)) if map.contains_key(key) => {
                map.remove(key);
                taken
                    .paths
                    .push(taken.original(&text(steps.all.get(..length).unwrap_or_default())));
                return true;
            }
            (Step::Index(index), Value::Array(elements)) if *index < elements.len() => {
                elements.remove(*index);
                let original = taken.shifted(&list, *index);
                taken.paths.push(format!("{list}[{original}]"));
                taken.elements.push((list, original));
                return true;
            }
            _ => {}
        }
    }
    false
}

fn walk<'a>(mut value: &'a mut Value, steps: &[Step]) -> Option<&'a mut Value> {
    for step in steps {
        value = match (step, value) {
            (Step::Key(key), Value::Object(map)) => map.get_mut(key)?,
            (Step::Index(index), Value::Array(elements)) => elements.get_mut(*index)?,
            _ => return None,
        };
    }
    Some(value)
}
