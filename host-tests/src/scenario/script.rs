//! What the probe does: hostcalls and answers by callback.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// By callback (`request_headers`, `tick`, ...): its first visit, its second, ...; the last one is
/// repeated. A callback without an entry does nothing and continues. `guests/README.md` lists
/// callbacks and calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Script(pub BTreeMap<String, Vec<Visit>>);

/// One visit of a callback.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Visit {
    /// Hostcalls in order: maps of one name (without `proxy_`) to its arguments.
    #[serde(rename = "do", skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Map<String, Value>>,
    /// What the callback returns; 0 (or true) if absent.
    #[serde(rename = "return", skip_serializing_if = "Option::is_none")]
    pub answer: Option<u32>,
}

impl Script {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// One line of ASCII, as a header can carry it.
    pub fn to_json(&self) -> String {
        // A map with string keys cannot fail.
        let text = serde_json::to_string(self).unwrap_or_default();
        let mut ascii = String::with_capacity(text.len());
        for character in text.chars() {
            if character.is_ascii() && character != '\u{7f}' {
                ascii.push(character);
            } else {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
        ascii
    }
}
