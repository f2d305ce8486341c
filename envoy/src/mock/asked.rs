//! What a request asks for, in terms that all APIs share. Each API's own file reads it out of its own words.
use serde_json::{Map, Value};

/// Nested schemas that arguments are made for; deeper ones get null.
const DEPTH: usize = 8;

/// The request, as far as the answer depends on it.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// As the request named it.
    pub(super) model: Value,
    pub(super) streaming: bool,
    /// Output tokens at most.
    pub(super) limit: Option<u32>,
    /// How many alternatives; 0 counts as 1.
    pub(super) choices: u32,
    /// The tool that the answer calls.
    pub(super) call: Option<Tool>,
    pub(super) reasoning: Option<Reasoning>,
    /// Alternatives for each token; none where no log probabilities are asked for.
    pub(super) top_logprobs: Option<usize>,
}

/// How much of its reasoning an answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reasoning {
    Visible,
    /// It happens, is paid for and can be given back, but no text of it is shown.
    Hidden,
}

/// A tool that the client offers.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub(super) name: String,
    schema: Value,
}

/// What the client says about whether tools are called.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ToolChoice {
    Never,
    /// Called unless a result has just come.
    Free,
    /// Called; the named one, or any.
    Forced(Option<String>),
}

impl Tool {
    pub(super) fn new(name: &Value, schema: Option<&Value>) -> Option<Self> {
        Some(Self {
            name: name.as_str()?.to_owned(),
            schema: schema.cloned().unwrap_or(Value::Null),
        })
    }

    /// The one that is called, if one is. `answered`: the last thing that the client said was a tool's result.
    pub(super) fn called(
        mut offered: Vec<Self>,
        choice: &ToolChoice,
        answered: bool,
    ) -> Option<Self> {
        match choice {
            ToolChoice::Never => None,
            ToolChoice::Free if answered => None,
            ToolChoice::Forced(Some(name)) => offered.into_iter().find(|tool| tool.name == *name),
            ToolChoice::Free | ToolChoice::Forced(None) => {
                (!offered.is_empty()).then(|| offered.swap_remove(0))
            }
        }
    }

    /// Arguments that fit the schema as far as types and enumerations go.
    pub(super) fn arguments(&self) -> Value {
        match fitting(&self.schema, "", DEPTH) {
            arguments @ Value::Object(_) => arguments,
            _ => Value::Object(Map::new()),
        }
    }
}

fn fitting(schema: &Value, name: &str, depth: usize) -> Value {
    let member = |name: &str| schema.get(name);
    let Some(depth) = depth.checked_sub(1) else {
        return Value::Null;
    };
    if let Some(first) = member("enum").and_then(|values| values.get(0)) {
        return first.clone();
    }
    let kind = member("type").and_then(Value::as_str).unwrap_or_default();
    match kind.to_ascii_lowercase().as_str() {
        "string" => Value::from(format!("{name} \"Zürich\" 水\\🌊")),
        "integer" => Value::from(7),
        "number" => Value::from(0.5),
        "boolean" => Value::from(true),
        "array" => {
            let items = member("items").unwrap_or(&Value::Null);
            Value::from(vec![fitting(items, name, depth)])
        }
        "object" => {
            let properties = member("properties").and_then(Value::as_object);
            let properties = properties.into_iter().flatten();
            properties
                .map(|(name, schema)| (name.clone(), fitting(schema, name, depth)))
                .collect()
        }
        _ => Value::Null,
    }
}

/// A number of the request, where it is one.
pub(super) fn number(of: &Map<String, Value>, name: &str) -> Option<u32> {
    of.get(name)?.as_u64()?.try_into().ok()
}

/// Whether the member is `true`.
pub(super) fn is_true(of: &Map<String, Value>, name: &str) -> bool {
    of.get(name).and_then(Value::as_bool) == Some(true)
}

/// A text at the end of a path; empty where there is none.
pub(super) fn text<'a>(of: &'a Value, path: &str) -> &'a str {
    of.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// The elements of a list; none where it is no list.
pub(super) fn list<'a>(of: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    of.get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Sets what a pointer names: a member of an object, there or not, inside objects that are there.
pub(super) fn set(of: &mut Value, pointer: &str, value: Value) {
    let Some((path, name)) = pointer.rsplit_once('/') else {
        return;
    };
    if let Some(Value::Object(object)) = of.pointer_mut(path) {
        object.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tools() -> Vec<Tool> {
        ["first", "second"]
            .iter()
            .filter_map(|name| Tool::new(&json!(name), None))
            .collect()
    }

    #[test]
    fn a_tool_is_called_as_the_client_chooses_and_not_again_after_its_result() {
        let called = |choice: &ToolChoice, answered| {
            Tool::called(tools(), choice, answered).map(|tool| tool.name)
        };
        let second = ToolChoice::Forced(Some("second".to_owned()));

        assert_eq!(called(&ToolChoice::Never, false), None);
        assert_eq!(called(&ToolChoice::Free, false).unwrap(), "first");
        assert_eq!(called(&ToolChoice::Free, true), None);
        assert_eq!(called(&second, true).unwrap(), "second");
        assert_eq!(called(&ToolChoice::Forced(None), true).unwrap(), "first");
    }

    #[test]
    fn arguments_fit_the_schema_and_no_depth_of_it_is_followed_for_ever() {
        let schema = json!({"type": "object", "properties": {
            "city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["C", "F"]},
            "at": {"type": "array", "items": {"type": "boolean"}}}});
        let mut deep = json!({});
        for _ in 0..50 {
            deep = json!({"type": "array", "items": deep});
        }

        let arguments = Tool::new(&json!("t"), Some(&schema)).unwrap().arguments();

        assert_eq!(arguments["days"], 7);
        assert_eq!(arguments["unit"], "C");
        assert_eq!(arguments["at"], json!([true]));
        assert!(arguments["city"].as_str().unwrap().contains('水'));
        assert_eq!(
            fitting(&deep, "", DEPTH).to_string(),
            "[[[[[[[[null]]]]]]]]"
        );
    }
}
