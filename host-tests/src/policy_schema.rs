//! The JSON Schema of policies, as readers of it need it, and as pages for people.
mod reference;

use serde_json::Value;

/// The schema of policies.
#[derive(Clone, Debug)]
pub struct PolicySchema {
    root: Value,
}

impl Default for PolicySchema {
    /// The one of this version of Weir.
    fn default() -> Self {
        Self {
            root: weir_engine::policy::schema(),
        }
    }
}

impl PolicySchema {
    /// The schema of the whole document.
    pub const fn root(&self) -> &Value {
        &self.root
    }

    /// As an editor reads it: pretty JSON that ends with a line's end, the same for the same version of Weir.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.root)
    }

    /// As people read it: Markdown, a table for each section.
    pub fn to_markdown(&self) -> String {
        reference::page(self)
    }

    /// What a `$ref` refers to; schemas without one are meant themselves.
    pub(crate) fn followed<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        while let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let target = name
                .strip_prefix('#')
                .and_then(|name| self.root.pointer(name));
            schema = target.unwrap_or(&Value::Null);
        }
        schema
    }

    /// What a schema says of its value, its own words before those of what it refers to.
    pub(crate) fn description(&self, schema: &Value) -> String {
        self.said(schema, "description")
            .unwrap_or_default()
            .to_owned()
    }

    /// The text of a keyword, here or in what is referred to.
    pub(crate) fn said<'a>(&'a self, schema: &'a Value, keyword: &str) -> Option<&'a str> {
        let own = schema.get(keyword);
        own.or_else(|| self.followed(schema).get(keyword))?.as_str()
    }
}
