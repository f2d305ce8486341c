//! The schema as a page: a heading and a table for each section, in the order of the document.
use super::PolicySchema;
use serde_json::Value;
use std::collections::BTreeMap;

const INTRODUCTION: &str = "# Policy reference

Every key of a policy. This page is printed by `weir schema --format markdown` from the types that policies are read
into. `weir check POLICY --explain` prints the same of one policy, with its values.

A key that is *required* has to be there; another one means its default where it is absent. Durations are written
`90s`, `1h30m`, `14d` (units `d h m s ms`), sizes `512KiB`, `64MiB`, times `2027-01-31T00:00:00Z`, names as 1 to 64
letters, digits, `-`, `_` and `.`.
";

/// The whole page.
pub(super) fn page(schema: &PolicySchema) -> String {
    let mut out = INTRODUCTION.to_owned();
    let mut told = BTreeMap::new();
    section(
        schema,
        "The document",
        "",
        schema.root(),
        &mut told,
        &mut out,
    );
    out
}

/// What stood under which path: the name of a definition, and where its table is.
type Told<'a> = BTreeMap<&'a str, String>;

/// A table of the keys below `path`, then their own tables.
fn section<'a>(
    schema: &'a PolicySchema,
    title: &str,
    path: &str,
    of: &'a Value,
    told: &mut Told<'a>,
    out: &mut String,
) {
    let of = schema.followed(of);
    let keys = keys(of);
    if keys.is_empty() {
        return;
    }
    out.push_str(&format!("\n## {title}\n\n{}\n", schema.description(of)));
    if of.get("oneOf").is_some() && of.get("properties").is_none() {
        out.push_str("\nOne of these keys:\n");
    }
    out.push_str("\n| Key | Value | Default | |\n|---|---|---|---|\n");
    for key in &keys {
        let required = of.get("required").and_then(Value::as_array);
        let required = required.is_some_and(|names| names.iter().any(|name| name == key.name));
        let default = match key.schema.get("default") {
            _ if required => "*required*".to_owned(),
            None => String::new(),
            Some(Value::Object(map)) if map.is_empty() => String::new(),
            Some(Value::String(text)) => format!("`{text}`"),
            Some(value) => format!("`{value}`"),
        };
        let value = kind(schema, key.schema);
        let words = words(schema, key.schema);
        let (name, says) = (key.name, key.says(schema));
        let says = format!("{says}{words}").replace('|', "\\|");
        out.push_str(&format!("| `{name}` | {value} | {default} | {says} |\n"));
    }
    for key in &keys {
        let path = match path {
            "" => key.name.to_owned(),
            within => format!("{within}.{}", key.name),
        };
        below(schema, &path, key.schema, told, out);
    }
}

/// The tables of what stands under a key: its keys, those of its elements, or of its entries.
fn below<'a>(
    schema: &'a PolicySchema,
    path: &str,
    of: &'a Value,
    told: &mut Told<'a>,
    out: &mut String,
) {
    let target = schema.followed(of);
    if let Some(items) = target.get("items") {
        return below(schema, &format!("{path}[]"), items, told, out);
    }
    if let Some(entries) = target
        .get("additionalProperties")
        .filter(|it| it.is_object())
    {
        return below(schema, &format!("{path}.NAME"), entries, told, out);
    }
    for alternative in target
        .get("anyOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if alternative.get("$ref").is_some() {
            below(schema, path, alternative, told, out);
        }
    }
    if keys(target).is_empty() {
        return;
    }
    let name = of.get("$ref").and_then(Value::as_str);
    match name.and_then(|name| told.get(name)) {
        Some(before) => out.push_str(&format!("\n## `{path}`\n\nThe same as `{before}`.\n")),
        None => {
            if let Some(name) = name {
                told.insert(name, path.to_owned());
            }
            section(schema, &format!("`{path}`"), path, of, told, out);
        }
    }
}

/// A key of a section, or of one of its variants.
struct Key<'a> {
    name: &'a str,
    schema: &'a Value,
    /// What the variant says, whose only key this is.
    variant: Option<&'a Value>,
}

impl Key<'_> {
    fn says(&self, schema: &PolicySchema) -> String {
        schema.description(self.variant.unwrap_or(self.schema))
    }
}

fn keys(of: &Value) -> Vec<Key<'_>> {
    let own = of.get("properties").and_then(Value::as_object);
    let own = own.into_iter().flatten().map(|(name, schema)| Key {
        name,
        schema,
        variant: None,
    });
    let variants = of.get("oneOf").and_then(Value::as_array);
    let variants = variants.into_iter().flatten().flat_map(|variant| {
        let keys = variant.get("properties").and_then(Value::as_object);
        keys.into_iter().flatten().map(move |(name, schema)| Key {
            name,
            schema,
            variant: Some(variant),
        })
    });
    own.chain(variants).collect()
}

/// What to write, in a word or two.
fn kind(schema: &PolicySchema, of: &Value) -> String {
    let target = schema.followed(of);
    if let Some(word) = of.get("const").and_then(Value::as_str) {
        return format!("`{word}`");
    }
    if let Some(title) = schema.said(of, "title") {
        return title.to_owned();
    }
    if let Some(items) = target.get("items") {
        return format!("list of {}", plural(&kind(schema, items)));
    }
    let range = || {
        let end = |keyword| of.get(keyword).or_else(|| target.get(keyword));
        let most = end("maximum").filter(|most| most.as_u64() != Some(u64::from(u32::MAX)));
        match (end("minimum"), most) {
            (Some(least), Some(most)) => format!(", {least} to {most}"),
            (Some(least), None) if least != 0 => format!(", {least} or more"),
            _ => String::new(),
        }
    };
    match target.get("type").and_then(Value::as_str) {
        Some("integer") => format!("whole number{}", range()),
        Some("number") => format!("number{}", range()),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("string") => "text".to_owned(),
        Some("object")
            if target
                .get("additionalProperties")
                .is_some_and(Value::is_object) =>
        {
            "entries by name".to_owned()
        }
        Some("object") if keys(target).is_empty() => "`{}`".to_owned(),
        Some(_) => "section".to_owned(),
        None if target.get("anyOf").is_some() => "list or section".to_owned(),
        None if keys(target).is_empty() => "word".to_owned(),
        None => "one of several".to_owned(),
    }
}

fn plural(kind: &str) -> String {
    match kind {
        "section" | "one of several" => "entries".to_owned(),
        "whole number" | "word" | "text" | "name" | "phrase" | "path" | "id" => format!("{kind}s"),
        other => other.to_owned(),
    }
}

/// The words that may be written, with what each means.
fn words(schema: &PolicySchema, of: &Value) -> String {
    let target = schema.followed(of);
    let target = target
        .get("items")
        .map_or(target, |items| schema.followed(items));
    let words = target.get("oneOf").and_then(Value::as_array);
    let words = words.into_iter().flatten().filter_map(|word| {
        let name = word.get("const")?.as_str()?;
        Some(format!("<br>`{name}`: {}", schema.description(word)))
    });
    words.collect()
}
