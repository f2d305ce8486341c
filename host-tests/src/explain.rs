//! A policy as it is in effect: every key that the schema has, given or not, with its value and what it says.
//!
//! The document is read beside the JSON Schema, whose defaults and descriptions are those of the engine's own types. So
//! nothing here knows any key by name, but for one that needs another section.
mod yaml;

use crate::policy_schema::PolicySchema;
use serde_json::{Map, Value, json};

/// Has defaults, which mean nothing without the section `detection`.
const WITH_DETECTION: &str = "responses.states";

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The policy says it.
    Given,
    /// The policy leaves it out, and this is what that means.
    Default,
    /// The policy leaves it out, and then there is none.
    Unset,
}

impl Origin {
    /// `given`, `default` or `unset`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Default => "default",
            Self::Unset => "unset",
        }
    }
}

/// One key of a policy, or one element of a list.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it is, as diagnostics name it: `tiers[0].name`.
    pub path: String,
    /// The key; `None` for an element.
    pub key: Option<String>,
    /// Where its value comes from.
    pub origin: Origin,
    /// What it says, from the schema; empty where the schema has no word for it.
    pub description: String,
    /// Its value.
    pub content: Content,
}

/// What stands under a key.
#[derive(Clone, Debug)]
pub enum Content {
    /// A text, a number, a word, a list of those, or nothing (`null`) where the key is unset.
    Value(Value),
    /// Keys.
    Keys(Vec<Entry>),
    /// Elements that have keys themselves.
    Elements(Vec<Entry>),
}

/// A policy as it is in effect.
#[derive(Clone, Debug)]
pub struct Explained {
    entries: Vec<Entry>,
}

impl Explained {
    /// Explains a valid policy document by the schema of policies.
    pub fn of(document: &Value) -> Self {
        let schema = PolicySchema::default();
        let no_keys = Map::new();
        let given = document.as_object().unwrap_or(&no_keys);
        let reader = Reader {
            schema: &schema,
            has_detection: given.get("detection").is_some_and(|value| !value.is_null()),
        };
        Self {
            entries: reader.keys(schema.root(), given, Origin::Given, ""),
        }
    }

    /// As YAML with a comment on every line: a policy that means the same, with every default written out.
    pub fn to_yaml(&self) -> String {
        yaml::text(&self.entries)
    }

    /// As a list of `path`, `value`, `origin` and `description`, in document order: one entry for each value and each
    /// unset key (`null`); what only holds other keys has none.
    pub fn to_json(&self) -> Value {
        let mut list = Vec::new();
        collect(&self.entries, &mut list);
        Value::Array(list)
    }
}

fn collect(entries: &[Entry], list: &mut Vec<Value>) {
    for entry in entries {
        match &entry.content {
            Content::Keys(entries) | Content::Elements(entries) => collect(entries, list),
            Content::Value(value) => list.push(json!({
                "path": entry.path,
                "value": value,
                "origin": entry.origin.as_str(),
                "description": entry.description,
            })),
        }
    }
}

struct Reader<'a> {
    schema: &'a PolicySchema,
    has_detection: bool,
}

impl<'a> Reader<'a> {
    /// The keys of a mapping that `schema` describes.
    fn keys(
        &self,
        schema: &'a Value,
        given: &Map<String, Value>,
        origin: Origin,
        path: &str,
    ) -> Vec<Entry> {
        let schema = self.schema.followed(schema);
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let entry = |(key, schema): (&String, &'a Value)| {
                self.key(key, schema, given.get(key), origin, path)
            };
            return properties.iter().map(entry).collect();
        }
        // Keys that authors choose (capabilities), or one of some (`header` or `apiKey`).
        let entry = |(key, value): (&String, &Value)| match self.variant(schema, key) {
            Some((variant, schema)) => Entry {
                description: self.schema.description(variant),
                ..self.key(key, schema, Some(value), origin, path)
            },
            None => {
                let schema = schema.get("additionalProperties");
                self.key(
                    key,
                    schema.unwrap_or(&Value::Null),
                    Some(value),
                    origin,
                    path,
                )
            }
        };
        given.iter().map(entry).collect()
    }

    fn key(
        &self,
        key: &str,
        schema: &'a Value,
        given: Option<&Value>,
        origin: Origin,
        path: &str,
    ) -> Entry {
        let path = match path {
            "" => key.to_owned(),
            within => format!("{within}.{key}"),
        };
        let idle = path == WITH_DETECTION && !self.has_detection;
        let default = schema.get("default").filter(|_| !idle);
        let (value, origin) = match (given.filter(|value| !value.is_null()), default) {
            (Some(value), _) => (value, origin),
            (None, Some(value)) => (value, Origin::Default),
            (None, None) => (&Value::Null, Origin::Unset),
        };
        Entry {
            content: self.content(schema, value, origin, &path),
            path,
            key: Some(key.to_owned()),
            origin,
            description: self.schema.description(schema),
        }
    }

    fn content(&self, schema: &'a Value, value: &Value, origin: Origin, path: &str) -> Content {
        let schema = self.with_keys(schema);
        match value {
            Value::Object(given) if is_described(schema) => {
                let keys = self.keys(schema, given, origin, path);
                match keys.is_empty() {
                    true => Content::Value(value.clone()),
                    false => Content::Keys(keys),
                }
            }
            Value::Array(elements) if elements.iter().any(Value::is_object) => {
                let items = schema.get("items").unwrap_or(&Value::Null);
                let element = |(index, value): (usize, &Value)| {
                    let path = format!("{path}[{index}]");
                    Entry {
                        content: self.content(items, value, origin, &path),
                        path,
                        key: None,
                        origin,
                        description: self.schema.description(items),
                    }
                };
                Content::Elements(elements.iter().enumerate().map(element).collect())
            }
            _ => Content::Value(value.clone()),
        }
    }

    /// The variant of a schema "one key of these" that has `key`, and what it says of the key's value.
    fn variant(&self, schema: &'a Value, key: &str) -> Option<(&'a Value, &'a Value)> {
        let variants = schema.get("oneOf")?.as_array()?;
        let mut variants = variants.iter();
        variants.find_map(|variant| Some((variant, variant.get("properties")?.get(key)?)))
    }

    /// The alternative for a value with keys, where a schema has one for lists as well.
    fn with_keys(&self, schema: &'a Value) -> &'a Value {
        let schema = self.schema.followed(schema);
        let alternatives = schema.get("anyOf").and_then(Value::as_array);
        let mut alternatives = alternatives.into_iter().flatten();
        let described = alternatives.find(|one| is_described(self.schema.followed(one)));
        described.map_or(schema, |one| self.schema.followed(one))
    }
}

/// Whether the schema says which keys there are; it does not of weights, which are one value.
fn is_described(schema: &Value) -> bool {
    ["properties", "oneOf", "additionalProperties"]
        .iter()
        .any(|keyword| schema.get(keyword).is_some())
}
