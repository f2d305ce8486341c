//! The JSON Schema of a policy, from the types that it is read into: what editors complete and mark.
//!
//! It knows keys, words, forms of texts and ranges. It does not know what only the whole document shows (names that
//! refer to nothing, a tier that nobody reaches) nor what a text means (`9999d` has the form of a duration), so that
//! what it accepts may still be refused by [`Policy::check`](super::Policy::check). It is stricter in one thing: a key without a value
//! (`detection:`), which the check takes for absent, is marked, because hardly anybody means that.
use super::Document;
use alloc::{
    borrow::{Cow, ToOwned as _},
    string::String,
    vec::Vec,
};
use schemars::{
    JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema,
    transform::Transform, transform::transform_subschemas,
};
use serde_json::{Map, Value};

/// The schema, draft 2020-12; the same text for the same version of Weir.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(Plain);
    let schema = settings.into_generator().into_root_schema_for::<Document>();
    let Value::Object(generated) = schema.to_value() else {
        return Value::Null; // the schema of a struct is an object
    };
    // What it is first, then the keys, then what they refer to.
    let mut ordered = Map::new();
    for key in ["$schema", "title", "description"] {
        if let Some(value) = generated.get(key) {
            ordered.insert(key.to_owned(), value.clone());
        }
    }
    for (key, value) in generated {
        ordered.entry(key).or_insert(value);
    }
    Value::Object(ordered)
}

/// Makes of what serde reads what people should write.
#[derive(Clone)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        without_null(schema);
        if let Some(Value::String(description)) = schema.get_mut("description") {
            // Comments are wrapped where source code is; editors wrap for themselves.
            *description = description.replace('\n', " ");
        }
        // Names of Rust's number types; what they mean is said in JSON Schema's own words.
        match schema.get("format").and_then(Value::as_str) {
            Some("uint32") => {
                schema.remove("format");
                if schema.get("maximum").is_none() {
                    schema.insert("maximum".into(), u32::MAX.into());
                }
            }
            Some("uint64" | "double") => {
                schema.remove("format");
            }
            _ => {}
        }
    }
}

/// An `Option` may be null for serde; for an author it is left out.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    let Some(Value::Array(choices)) = schema.get_mut("anyOf") else {
        return;
    };
    let is_null = |choice: &Value| choice.get("type").is_some_and(|name| name == "null");
    if !choices.iter().any(is_null) {
        return;
    }
    choices.retain(|choice| !is_null(choice));
    if let [Value::Object(only)] = choices.as_slice() {
        let only = only.clone();
        schema.remove("anyOf");
        for (key, value) in only {
            if schema.get(&key).is_none() {
                schema.insert(key, value);
            }
        }
    }
}

/// Declares a form of values: a type that stands for it in the schema. The literal is what people call it.
macro_rules! forms {
    ($($(#[doc = $doc:literal])* $name:ident = $title:literal $schema:tt)*) => {$(
        $(#[doc = $doc])*
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!($schema);
                schema.insert("title".into(), $title.into());
                let doc: &[&str] = &[$($doc),*];
                let doc: Vec<&str> = doc.iter().map(|line| line.trim()).collect();
                schema.insert("description".into(), String::into(doc.join(" ")));
                schema
            }
        }
    )*};
}

/// What a [`Name`] looks like, for keys as well.
pub(super) const NAME: &str = "^[A-Za-z0-9._-]{1,64}$";

forms! {
    /// A length of time: whole numbers with the units `d`, `h`, `m`, `s`, `ms`, largest first.
    Duration = "duration" {
        "type": "string",
        "minLength": 2,
        "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
        "examples": ["90s", "5m", "1h30m", "14d"]
    }
    /// An amount of memory: a whole number and `B`, `KiB`, `MiB`, `GiB`, `KB`, `MB` or `GB`.
    Size = "size" {"type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB|KB|MB|GB)$", "examples": ["512KiB", "64MiB"]}
    /// A point in time, RFC 3339.
    Time = "time" {
        "type": "string",
        "format": "date-time",
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$",
        "examples": ["2027-01-31T00:00:00Z"]
    }
    /// A name: 1 to 64 letters, digits, `-`, `_` and `.`.
    Name = "name" {"type": "string", "pattern": NAME}
    /// Name of a request header, in lower case.
    HeaderName = "header name" {"type": "string", "pattern": "^[a-z0-9._-]{1,64}$", "examples": ["x-account-id"]}
    /// An id as the identity header has it: 1 to 128 bytes, no space around it.
    Id = "id" {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^\\S(.*\\S)?$"}
    /// One line of text.
    Line = "text" {"type": "string", "maxLength": 512, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"}
    /// One line of text that says something.
    Sentence = "text" {"type": "string", "maxLength": 512, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\u0000-\\u001f\\u007f-\\u009f\\s][^\\u0000-\\u001f\\u007f-\\u009f]*$"}
    /// A path of names: one text with dots between them, or a list where a name has a dot in it.
    Segments = "path" {
        "anyOf": [
            {"type": "string", "pattern": "^[^.]+(\\.[^.]+)*$"},
            {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 256}, "minItems": 1, "maxItems": 16}
        ]
    }
    /// A path into a policy, entries of lists by their name.
    Lock = "path" {"type": "string", "pattern": "^[a-z][A-Za-z]*(\\.[^.]+)*$", "examples": ["detection", "budgets.account-requests.limit"]}
    /// Addresses that begin with the same bits, or one address.
    Network = "network" {"type": "string", "pattern": "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$", "examples": ["203.0.113.0/24", "2001:db8::/32"]}
    /// A path without query and without a slash at its end.
    UrlPath = "path" {"type": "string", "maxLength": 256, "pattern": "^(/[A-Za-z0-9._-]+)+$", "examples": ["/v1/models"]}
    /// An address that callers are sent to: `https`, or `http` to this machine.
    Url = "URL" {"type": "string", "maxLength": 512, "pattern": "^https?://[A-Za-z0-9\\[]", "examples": ["https://verify.example.com/start"]}
    /// A phrase of 1 to 128 bytes.
    Phrase = "phrase" {"type": "string", "maxLength": 128, "pattern": "\\S"}
    /// Key material, base64.
    Base64 = "base64" {"type": "string", "pattern": "^[A-Za-z0-9+/]+={0,2}$"}
    /// Weights of the signals, as `weir calibrate` prints them.
    Weights = "weights" {"type": "object"}
}
