//! The JSON Schema of policies, held against what the engine says of the same documents.
use super::policy_documents::{all, every_key, now};
use super::weir::repository;
use jsonschema::Validator;
use serde_json::{Value, json};
use weir_engine::policy::{Code, Diagnostics, Policy, Severity};
use weir_host::policy_file::PolicyFile;
use weir_host::policy_schema::PolicySchema;

/// Problems of a document's form, which the schema has to find as well.
const OF_FORM: &[&str] = &[
    "P002", "P003", "P004", "P005", "P010", "P011", "P012", "P013", "P031", "P040",
];

fn validator() -> Validator {
    jsonschema::draft202012::new(&weir_engine::policy::schema()).unwrap()
}

fn check(document: &Value) -> Diagnostics {
    Policy::check(document.to_string().as_bytes(), now()).diagnostics
}

/// A place in a document, and what the schema says about it.
struct Place {
    /// JSON pointer.
    pointer: String,
    /// As diagnostics name it.
    path: String,
    schema: Value,
    /// Whether the schema demands the key.
    required: bool,
}

/// Every key of `document` with its schema.
fn places(document: &Value) -> Vec<Place> {
    let schema = weir_engine::policy::schema();
    let mut places = Vec::new();
    walk(&schema, &schema, document, "", "", &mut places);
    places
}

fn walk(
    root: &Value,
    schema: &Value,
    value: &Value,
    pointer: &str,
    path: &str,
    places: &mut Vec<Place>,
) {
    let schema = alternative(root, schema, value);
    match value {
        Value::Object(keys) => {
            for (key, value) in keys {
                let pointer = format!("{pointer}/{key}");
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                let holder = holder(schema, key);
                let below = holder["properties"]
                    .get(key)
                    .unwrap_or(&holder["additionalProperties"]);
                let required = holder["required"].as_array();
                let required = required.is_some_and(|names| names.iter().any(|name| name == key));
                walk(root, below, value, &pointer, &path, places);
                let schema = merged(root, below);
                places.push(Place {
                    pointer,
                    path,
                    schema,
                    required,
                });
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let pointer = format!("{pointer}/{index}");
                walk(
                    root,
                    &schema["items"],
                    element,
                    &pointer,
                    &format!("{path}[{index}]"),
                    places,
                );
            }
        }
        _ => {}
    }
}

/// The part of `schema` that describes `key`: itself, or one of its variants.
fn holder<'a>(schema: &'a Value, key: &str) -> &'a Value {
    let variants = schema["oneOf"].as_array().into_iter().flatten();
    let mut variants = variants.filter(|variant| variant["properties"].get(key).is_some());
    variants.next().unwrap_or(schema)
}

/// Of a schema for lists and for maps the part for this value.
fn alternative<'a>(root: &'a Value, schema: &'a Value, value: &Value) -> &'a Value {
    let schema = followed(root, schema);
    let kind = if value.is_array() { "array" } else { "object" };
    let alternatives = schema["anyOf"].as_array().into_iter().flatten();
    let mut alternatives = alternatives.map(|one| followed(root, one));
    alternatives
        .find(|one| one["type"] == kind)
        .unwrap_or(schema)
}

fn followed<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    while let Some(name) = schema["$ref"].as_str() {
        schema = root.pointer(name.trim_start_matches('#')).unwrap();
    }
    schema
}

/// A schema with what it refers to.
fn merged(root: &Value, schema: &Value) -> Value {
    let mut merged = followed(root, schema).clone();
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        merged[keyword] = value.clone();
    }
    merged
}

fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = document.clone();
    *changed.pointer_mut(pointer).unwrap() = value;
    changed
}

fn without(document: &Value, pointer: &str) -> Value {
    let mut changed = document.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    changed
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove(key);
    changed
}

#[test]
fn what_the_schema_gives_is_in_the_repository_as_the_command_prints_it() {
    let schema = PolicySchema::default();
    for (path, printed, command) in [
        (
            "policies/schema/policy.schema.json",
            schema.to_json(),
            "weir schema",
        ),
        (
            "docs/policy-reference.md",
            schema.to_markdown(),
            "weir schema --format markdown",
        ),
    ] {
        let written = std::fs::read_to_string(repository(path)).unwrap_or_default();

        assert!(written == printed, "run: {command} > {path}");
    }
}

#[test]
fn a_policy_that_the_engine_takes_without_a_word_is_valid() {
    let validator = validator();

    for (name, document) in all() {
        assert!(
            check(&document).is_empty(),
            "{name}: {:#?}",
            check(&document)
        );
        let problems: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{name}: {problems:#?}");
    }
}

#[test]
fn every_shipped_policy_names_the_schema_in_its_first_line() {
    for file in super::policy_documents::shipped() {
        let first = file.text.lines().next();
        assert_eq!(
            first,
            Some("# yaml-language-server: $schema=schema/policy.schema.json"),
            "{}",
            file.name
        );
    }
}

#[test]
fn the_schema_requires_what_the_engine_calls_missing_and_nothing_else() {
    let validator = validator();
    let document = every_key();
    let mut required = 0;

    for place in places(&document) {
        let less = without(&document, &place.pointer);
        let found = check(&less);
        let is_missing = found.iter().any(|problem| {
            let below = problem.path.strip_prefix(&place.path);
            let of_key = below.is_some_and(|below| below.is_empty() || below.starts_with('.'));
            // Of a map without its only key the engine speaks as a whole.
            let of_holder = place.path.starts_with(&problem.path);
            match problem.code {
                Code::MissingKey => of_key || of_holder,
                Code::WrongValue | Code::EmptyCapability => of_holder,
                _ => false,
            }
        });
        if place.required {
            required += 1;
            assert!(is_missing, "{}: {found:#?}", place.path);
        }
        if is_missing {
            assert!(
                found.refuse() && !validator.is_valid(&less),
                "{}",
                place.path
            );
        }
    }

    assert!(required > 50, "{required}");
}

#[test]
fn a_key_that_the_schema_does_not_have_is_refused_wherever_it_stands() {
    let validator = validator();
    let document = every_key();
    let mut seen = 0;

    for place in places(&document) {
        if place.schema.get("properties").is_none() {
            continue;
        }
        seen += 1;
        let mut more = document.clone();
        more.pointer_mut(&place.pointer).unwrap()["odd"] = json!(1);

        assert!(
            check(&more).refuse() && !validator.is_valid(&more),
            "{}",
            place.path
        );
    }

    assert!(seen > 20, "{seen}");
}

#[test]
fn a_number_outside_of_the_range_in_the_schema_is_outside_of_the_engines_and_its_ends_are_not() {
    let document = every_key();
    let mut seen = 0;

    for place in places(&document) {
        let step = if place.schema["type"] == "integer" {
            1.0
        } else {
            0.001
        };
        let refused_at = |number: f64| {
            let number = if step == 1.0 {
                json!(number as i64)
            } else {
                json!(number)
            };
            let found = check(&with(&document, &place.pointer, number));
            let mut errors = found.iter().filter(|one| one.severity == Severity::Error);
            errors.any(|error| error.path == place.path)
        };
        for (bound, beyond) in [("minimum", -step), ("maximum", step)] {
            let Some(end) = place.schema[bound].as_f64() else {
                continue;
            };
            seen += 1;
            assert!(refused_at(end + beyond), "{} beyond {end}", place.path);
            // What 32 bits hold is an end of the type; for phrases the engine has a nearer one.
            if end < f64::from(u32::MAX) {
                assert!(!refused_at(end), "{} at {end}", place.path);
            }
        }
    }

    assert!(seen > 30, "{seen}");
}

#[test]
fn a_document_whose_form_the_engine_refuses_is_refused_by_the_schema() {
    let validator = validator();
    let mut seen = 0;

    for entry in std::fs::read_dir(repository("policies/diagnostics")).unwrap() {
        let file = PolicyFile::read(&entry.unwrap().path()).unwrap();
        let found = check(&file.value);
        if found
            .iter()
            .any(|problem| OF_FORM.contains(&problem.code.as_str()))
        {
            seen += 1;
            assert!(!validator.is_valid(&file.value), "{}", file.name);
        }
    }

    assert!(seen > 8, "{seen}");
}

#[test]
fn a_word_or_a_type_that_the_schema_does_not_know_is_unknown_to_the_engine() {
    let validator = validator();
    let document = every_key();

    for place in places(&document) {
        for odd in [json!("an odd word!"), json!([[]]), json!(true), json!(-1)] {
            let changed = with(&document, &place.pointer, odd);
            let found = check(&changed);
            let codes: Vec<&str> = found.iter().map(|problem| problem.code.as_str()).collect();
            if codes.iter().any(|code| OF_FORM.contains(code)) {
                assert!(!validator.is_valid(&changed), "{}: {codes:?}", place.path);
            }
            if !validator.is_valid(&changed) {
                assert!(found.refuse(), "{}: {changed:#}", place.path);
            }
        }
    }
}
