//! A believable minute in front of an LLM API: who asks for what, and what the policy makes of it.
//!
//! The same script runs in a real Envoy ([`in_envoy`]) and in our host ([`in_host`]). It checks what
//! the shipped policy promises each caller, so that a demo that ends well has shown something.
#![expect(
    clippy::indexing_slicing,
    reason = "a JSON value answers null for what it does not have"
)]

pub mod in_envoy;
pub mod in_host;
pub mod script;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What one exchange came to.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status that the caller got.
    pub status: u16,
    /// `error.message` of a refusal; empty for an answer.
    pub message: String,
}

/// All exchanges of one caller.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Exchanges by status.
    pub statuses: BTreeMap<u16, u64>,
    /// What the first refusal said.
    pub first_refusal: Option<String>,
}

impl Tally {
    /// Counts one answer.
    pub fn count(&mut self, answer: Answer) {
        *self.statuses.entry(answer.status).or_default() += 1;
        if answer.status >= 400 && self.first_refusal.is_none() {
            self.first_refusal = Some(answer.message);
        }
    }
    fn of(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or_default()
    }
    fn exchanges(&self) -> u64 {
        self.statuses.values().sum()
    }
}

/// What a run of the script came to.
#[derive(Debug)]
pub struct Report {
    /// What ran the plugin: `envoy 1.40.0`, `wasm`.
    pub host: String,
    /// One per caller of the script, in its order.
    pub tallies: Vec<Tally>,
    /// Every decision that was logged.
    pub decisions: Vec<Value>,
    /// Files to look at: what, where.
    pub files: Vec<(&'static str, PathBuf)>,
}

impl Report {
    /// Number of exchanges.
    pub fn exchanges(&self) -> u64 {
        self.tallies.iter().map(Tally::exchanges).sum()
    }

    /// Where the run differs from what the policy promises; empty when it kept every promise.
    pub fn broken_promises(&self, callers: &[script::Caller]) -> Vec<String> {
        let mut broken = Vec::new();
        for (caller, tally) in callers.iter().zip(&self.tallies) {
            for &(status, expected) in &caller.expected {
                let got = tally.of(status);
                if got != expected {
                    broken.push(format!(
                        "{}: {got} answers with status {status} instead of {expected}",
                        caller.name
                    ));
                }
            }
        }
        let decided = self.decisions.len() as u64;
        if decided != self.exchanges() {
            broken.push(format!(
                "{decided} decisions for {} exchanges",
                self.exchanges()
            ));
        }
        broken
    }

    /// For people.
    pub fn to_table(&self, callers: &[script::Caller]) -> String {
        let mut rows = vec![
            [
                "caller",
                "exchanges",
                "passed",
                "429",
                "other",
                "what it was told first",
            ]
            .map(String::from),
        ];
        for (caller, tally) in callers.iter().zip(&self.tallies) {
            let other = tally.exchanges() - tally.of(200) - tally.of(429);
            rows.push([
                caller.name.to_string(),
                tally.exchanges().to_string(),
                tally.of(200).to_string(),
                tally.of(429).to_string(),
                other.to_string(),
                tally
                    .first_refusal
                    .clone()
                    .unwrap_or_else(|| "-".to_string()),
            ]);
        }
        let mut text = format!("Weir in {}: {} exchanges\n\n", self.host, self.exchanges());
        text.push_str(&align(&rows));
        text.push('\n');
        for (what, path) in &self.files {
            text.push_str(&format!("{}: {}\n", what.replace('_', " "), path.display()));
        }
        text
    }

    /// For machines.
    pub fn to_json(&self, callers: &[script::Caller]) -> Value {
        let by = |field: &str| {
            let mut counts = BTreeMap::<&str, u64>::new();
            for decision in &self.decisions {
                *counts
                    .entry(decision[field].as_str().unwrap_or("none"))
                    .or_default() += 1;
            }
            json!(counts)
        };
        let tokens = |direction: &str| {
            self.decisions
                .iter()
                .filter_map(|decision| decision["tokens"][direction].as_u64())
                .sum::<u64>()
        };
        let actors: Vec<Value> = callers
            .iter()
            .zip(&self.tallies)
            .map(|(caller, tally)| json!({"name": caller.name, "exchanges": tally.exchanges(), "statuses": tally.statuses, "first_refusal": tally.first_refusal}))
            .collect();
        let files: BTreeMap<&str, String> = self
            .files
            .iter()
            .map(|(what, path)| (*what, path.display().to_string()))
            .collect();
        json!({
            "host": self.host,
            "exchanges": self.exchanges(),
            "actions": by("action"),
            "bases": by("basis"),
            "tokens": {"input": tokens("input"), "output": tokens("output")},
            "callers": actors,
            "files": files,
            "broken_promises": self.broken_promises(callers),
        })
    }
}

/// Columns as wide as their widest cell, numbers to the right; the last column as it is.
fn align<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
            let padding = " ".repeat(width - cell.chars().count());
            let number = cell.bytes().all(|byte| byte.is_ascii_digit());
            if number && index > 0 {
                line.push_str(&padding);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&padding);
            }
            line.push_str("  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `error.message` of a refusal in either provider's format, or the `detail` of a problem document.
fn message_of(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = body["error"]["message"]
        .as_str()
        .or_else(|| body["detail"].as_str());
    message.unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_who_got_something_else_than_promised_is_told() {
        let callers = script::callers("2026-05-01T00:00:00Z");
        let tallies = callers.iter().map(|_| Tally::default()).collect();
        let report = Report {
            host: "test".to_string(),
            tallies,
            decisions: vec![json!({})],
            files: Vec::new(),
        };

        let broken = report.broken_promises(&callers);

        assert!(
            broken.iter().any(|text| text
                .contains("nightly batch job: 0 answers with status 200 instead of 1000")),
            "{broken:?}"
        );
        assert!(broken.contains(&"1 decisions for 0 exchanges".to_string()));
    }

    #[test]
    fn tables_line_up() {
        let rows = [
            ["a", "n"].map(String::from),
            ["long", "10"].map(String::from),
        ];

        assert_eq!(align(&rows), "a     n\nlong  10\n");
    }
}
