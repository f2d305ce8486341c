//! Where two JSON values differ, and whether a list of what may differ explains it.
use std::fmt;

use serde_json::Value;

/// Characters of a value that a message repeats.
const SHOWN: usize = 60;

/// What may differ, and how it must look in the shaped value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Removal {
    /// A JSON pointer; `*` stands for any one step.
    pub(super) path: &'static str,
    /// The `type` of the object that holds it; any where none is given.
    pub(super) of: Option<&'static str>,
    pub(super) left: Left,
    /// Whether it must differ somewhere. Where the shaping is about it, nothing taken away would be a mistake.
    pub(super) is_due: bool,
}

/// What is left in the place of what was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Null,
    EmptyText,
    EmptyList,
    /// Another text, as where a signature is on something else.
    OtherText,
    /// Whatever the API makes of the changed request.
    Anything,
}

/// One place where two values differ.
#[derive(Debug)]
pub(super) struct Difference<'v> {
    pointer: String,
    /// The `type` of the object that holds it.
    of: Option<&'v str>,
    /// None where it is not there.
    before: Option<&'v Value>,
    after: Option<&'v Value>,
}

impl Removal {
    /// Something that is due.
    pub(super) const fn due(path: &'static str, left: Left) -> Self {
        Self {
            path,
            of: None,
            left,
            is_due: true,
        }
    }

    /// Something that may also not be there.
    pub(super) const fn possible(path: &'static str, left: Left) -> Self {
        Self {
            is_due: false,
            ..Self::due(path, left)
        }
    }

    /// Only in objects with this `type`.
    pub(super) const fn of(self, kind: &'static str) -> Self {
        Self {
            of: Some(kind),
            ..self
        }
    }

    fn explains(&self, difference: &Difference) -> bool {
        is_at(self.path, &difference.pointer)
            && self.of.is_none_or(|of| difference.of == Some(of))
            && match self.left {
                Left::Null => difference.after == Some(&Value::Null),
                Left::EmptyText => difference.after == Some(&Value::from("")),
                Left::EmptyList => difference.after == Some(&Value::Array(Vec::new())),
                Left::OtherText => difference
                    .after
                    .is_some_and(|after| after.as_str().is_some_and(|text| !text.is_empty())),
                Left::Anything => true,
            }
    }
}

fn is_at(pattern: &str, pointer: &str) -> bool {
    pattern.split('/').count() == pointer.split('/').count()
        && pattern
            .split('/')
            .zip(pointer.split('/'))
            .all(|(wanted, step)| wanted == "*" || wanted == step)
}

/// What is wrong about the differences: those that nothing explains, and removals that are due and did not happen.
pub(super) fn objections(before: &Value, after: &Value, removals: &[Removal]) -> Vec<String> {
    let found = differences(before, after);
    let unexplained = found
        .iter()
        .filter(|one| !removals.iter().any(|removal| removal.explains(one)));
    let missing = removals
        .iter()
        .filter(|removal| removal.is_due && !found.iter().any(|one| removal.explains(one)));
    let unexplained = unexplained.map(ToString::to_string);
    let missing = missing.map(|removal| format!("{}: nothing was taken away", removal.path));
    unexplained.chain(missing).collect()
}

/// Every place where the values differ, as deep as possible.
fn differences<'v>(before: &'v Value, after: &'v Value) -> Vec<Difference<'v>> {
    let mut found = Vec::new();
    compare("", None, Some(before), Some(after), &mut found);
    found
}

fn compare<'v>(
    pointer: &str,
    of: Option<&'v str>,
    before: Option<&'v Value>,
    after: Option<&'v Value>,
    found: &mut Vec<Difference<'v>>,
) {
    match (before, after) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let of = one.get("type").and_then(Value::as_str);
            let added = other.keys().filter(|name| !one.contains_key(*name));
            for name in one.keys().chain(added) {
                compare(
                    &format!("{pointer}/{name}"),
                    of,
                    one.get(name),
                    other.get(name),
                    found,
                );
            }
        }
        // What is empty differs as a whole: that is how a list is blanked.
        (Some(Value::Array(one)), Some(Value::Array(other)))
            if !other.is_empty() || one.is_empty() =>
        {
            for index in 0..one.len().max(other.len()) {
                compare(
                    &format!("{pointer}/{index}"),
                    of,
                    one.get(index),
                    other.get(index),
                    found,
                );
            }
        }
        (before, after) if before == after => {}
        (before, after) => found.push(Difference {
            pointer: pointer.to_owned(),
            of,
            before,
            after,
        }),
    }
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: Option<&Value>| match value {
            Some(value) => value.to_string().chars().take(SHOWN).collect(),
            None => "nothing".to_owned(),
        };
        write!(
            f,
            "{}: {} became {}",
            self.pointer,
            shown(self.before),
            shown(self.after)
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const REMOVALS: &[Removal] = &[
        Removal::due("/content/*/thinking", Left::EmptyText).of("thinking"),
        Removal::possible("/logprobs", Left::EmptyList),
    ];

    fn answer(thinking: &str, text: &str) -> Value {
        json!({"content": [{"type": "thinking", "thinking": thinking, "signature": "s"}, {"type": "text", "text": text}],
            "logprobs": [1, 2]})
    }

    #[test]
    fn what_a_policy_removes_is_explained_and_anything_else_is_told() {
        let before = answer("why", "so");

        assert!(objections(&before, &answer("", "so"), REMOVALS).is_empty());
        assert_eq!(
            objections(&before, &answer("", "no"), REMOVALS),
            ["/content/1/text: \"so\" became \"no\""]
        );
        assert_eq!(objections(&before, &answer("wh", "so"), REMOVALS).len(), 2);
    }

    #[test]
    fn what_was_due_and_did_not_happen_is_told() {
        let same = answer("why", "so");

        assert_eq!(
            objections(&same, &same, REMOVALS),
            ["/content/*/thinking: nothing was taken away"]
        );
    }

    #[test]
    fn a_blanked_list_differs_as_a_whole_and_a_shorter_one_where_it_ends() {
        let (mut blanked, mut shorter) = (answer("", "so"), answer("", "so"));
        blanked["logprobs"] = json!([]);
        shorter["logprobs"] = json!([1]);
        let before = answer("why", "so");

        assert!(objections(&before, &blanked, REMOVALS).is_empty());
        assert_eq!(
            objections(&before, &shorter, REMOVALS),
            ["/logprobs/1: 2 became nothing"]
        );
    }
}
