//! What a simulation is told: how many accounts of which kinds, how fast, how large.
use crate::yaml::{YamlDocument, YamlError};
use serde::Deserialize;
use std::io;
use std::path::{Path, PathBuf};
use weir_engine::time::Timestamp;

/// The scenarios that come with Weir: name and text.
pub const SHIPPED: [(&str, &str); 4] = [
    ("mixed", include_str!("../../scenarios/mixed.yaml")),
    ("organic", include_str!("../../scenarios/organic.yaml")),
    ("campaign", include_str!("../../scenarios/campaign.yaml")),
    (
        "million-accounts",
        include_str!("../../scenarios/million-accounts.yaml"),
    ),
];
const MAX_ACCOUNTS: usize = 1 << 32;
/// Bodies above this help nobody: no provider takes them.
const MAX_BODY_BYTES: usize = 32 << 20;

/// What a simulation is told. Shares are between 0 and 1.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Used in messages.
    pub name: String,
    /// When the first exchange may come, RFC 3339.
    pub start: String,
    /// Exchanges to make when the command does not say.
    pub exchanges: u64,
    /// Accounts of all kinds together.
    pub accounts: usize,
    /// Organizations that accounts share; the other accounts have one of their own.
    pub organizations: usize,
    /// When exchanges come, unless recorded arrivals say so.
    pub rate: Rate,
    /// How large request bodies are.
    pub body: Body,
    /// What goes wrong upstream.
    #[serde(default)]
    pub faults: Faults,
    /// Share of accounts that use the Anthropic API; the others use OpenAI's. Of all kinds alike.
    pub anthropic: f64,
    /// Who sends what.
    pub kinds: Vec<Kind>,
}

/// A Poisson process with a daily rhythm.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Mean exchanges per second, above 0.
    pub per_second: f64,
    /// How far the rate swings around its mean over a day: 0 flat, 1 from nothing to double.
    #[serde(default)]
    pub diurnal: f64,
}

/// How large request bodies are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// Median bytes where no recorded arrivals give the context's size.
    pub median_bytes: usize,
    /// Cap in bytes; only a question that is longer by itself exceeds it.
    pub max_bytes: usize,
}

/// What goes wrong upstream, as shares of exchanges.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Answers with an error status.
    pub upstream_errors: f64,
    /// Streams that end before their usage came.
    pub cut_streams: f64,
}

/// One kind of accounts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Name; `truth.kind` is `organic:NAME` or `campaign:NAME`.
    pub name: String,
    /// The campaign these accounts belong to.
    #[serde(default)]
    pub campaign: Option<String>,
    /// Where their prompts come from.
    pub prompts: Prompts,
    /// Share of all accounts; over all kinds they sum to 1.
    pub accounts: f64,
    /// Exchanges of such an account relative to the other kinds' accounts.
    pub activity: f64,
    /// Zipf exponent of activity inside the kind: 0 even, 1 very uneven.
    #[serde(default)]
    pub zipf: f64,
    /// How large its bodies are relative to the scenario's.
    #[serde(default = "one")]
    pub size: f64,
    /// Share of exchanges with a system prompt.
    #[serde(default)]
    pub system: f64,
    /// Share with tools and a history of tool calls.
    #[serde(default)]
    pub tools: f64,
    /// Share that asks for reasoning.
    #[serde(default)]
    pub reasoning: f64,
    /// Share that asks for log probabilities (OpenAI only).
    #[serde(default)]
    pub logprobs: f64,
    /// Share that asks for several samples (OpenAI only).
    #[serde(default)]
    pub samples: f64,
    /// Share that is streamed.
    #[serde(default)]
    pub stream: f64,
}

/// Where prompts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompts {
    /// Ordinary users.
    Organic,
    /// Extraction.
    Extraction,
}

/// Why a scenario cannot be used; the message begins with `name:line:column`.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// No shipped scenario and no file.
    #[error("there is no scenario `{name}`: shipped are {shipped}; anything else must be a file")]
    Unknown {
        /// As given.
        name: String,
        /// Those that come with Weir.
        shipped: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not a document.
    #[error("{name}{}: {error}", error.at.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default())]
    Document {
        /// Scenario or file.
        name: String,
        /// What and where.
        error: YamlError,
    },
    /// A document that is not a scenario.
    #[error("{name}:{line}:{column}: {path}: {what}")]
    Value {
        /// Scenario or file.
        name: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// Of the value.
        path: String,
        /// What is wrong with it.
        what: String,
    },
}

impl Scenario {
    /// A shipped scenario by name, or else a file.
    ///
    /// # Errors
    /// [`ScenarioError`]; the user is at fault.
    pub fn load(name_or_path: &str) -> Result<Self, ScenarioError> {
        if SHIPPED.iter().any(|(name, _)| *name == name_or_path) {
            return Self::shipped(name_or_path);
        }
        let path = Path::new(name_or_path);
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, name_or_path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ScenarioError::Unknown {
                name: name_or_path.to_owned(),
                shipped: shipped_names(),
            }),
            Err(source) => Err(ScenarioError::Read {
                path: path.to_owned(),
                source,
            }),
        }
    }
    /// A shipped scenario.
    ///
    /// # Errors
    /// [`ScenarioError::Unknown`] for a name that is not among [`SHIPPED`].
    pub fn shipped(name: &str) -> Result<Self, ScenarioError> {
        let (name, text) = SHIPPED
            .iter()
            .find(|(shipped, _)| *shipped == name)
            .ok_or_else(|| ScenarioError::Unknown {
                name: name.to_owned(),
                shipped: shipped_names(),
            })?;
        Self::parse(text, name)
    }
    /// Reads a scenario; `name` is for messages.
    ///
    /// # Errors
    /// [`ScenarioError::Document`] and [`ScenarioError::Value`].
    pub fn parse(text: &str, name: &str) -> Result<Self, ScenarioError> {
        let document = YamlDocument::parse(text).map_err(|error| ScenarioError::Document {
            name: name.to_owned(),
            error,
        })?;
        let failed = |path: &str, what: String| {
            let at = document.position(path);
            ScenarioError::Value {
                name: name.to_owned(),
                line: at.line,
                column: at.column,
                path: path.to_owned(),
                what,
            }
        };
        let scenario: Self = serde_path_to_error::deserialize(&document.value)
            .map_err(|error| failed(&error.path().to_string(), error.inner().to_string()))?;
        scenario
            .check()
            .map_err(|(path, what)| failed(&path, what.to_owned()))?;
        Ok(scenario)
    }
    /// [`Scenario::start`] as a point in time.
    pub(super) fn start_time(&self) -> Timestamp {
        Timestamp::parse_rfc3339(&self.start).unwrap_or_default()
    }
    fn check(&self) -> Result<(), (String, &'static str)> {
        let require = |holds: bool, path: &str, what| {
            if holds {
                Ok(())
            } else {
                Err((path.to_owned(), what))
            }
        };
        let share = |value: f64| (0.0..=1.0).contains(&value);
        require(
            Timestamp::parse_rfc3339(&self.start).is_some(),
            "start",
            "must be RFC 3339, like 2026-04-22T08:00:00Z",
        )?;
        require(
            (1..=MAX_ACCOUNTS).contains(&self.accounts),
            "accounts",
            "must be between 1 and 4294967296",
        )?;
        require(
            self.organizations >= 1,
            "organizations",
            "must be at least 1",
        )?;
        require(
            self.rate.per_second > 0.0 && self.rate.per_second <= 1e6,
            "rate.per_second",
            "must be above 0 and at most 1000000",
        )?;
        require(
            share(self.rate.diurnal),
            "rate.diurnal",
            "must be between 0 and 1",
        )?;
        require(
            (1..=MAX_BODY_BYTES).contains(&self.body.max_bytes),
            "body.max_bytes",
            "must be between 1 and 33554432",
        )?;
        require(
            (1..=self.body.max_bytes).contains(&self.body.median_bytes),
            "body.median_bytes",
            "must be between 1 and max_bytes",
        )?;
        require(
            share(self.faults.upstream_errors),
            "faults.upstream_errors",
            "must be between 0 and 1",
        )?;
        require(
            share(self.faults.cut_streams),
            "faults.cut_streams",
            "must be between 0 and 1",
        )?;
        require(
            share(self.anthropic),
            "anthropic",
            "must be between 0 and 1",
        )?;
        require(
            (self.kinds.iter().map(|kind| kind.accounts).sum::<f64>() - 1.0).abs() < 1e-6,
            "kinds",
            "the kinds' `accounts` must sum to 1",
        )?;
        for (index, kind) in self.kinds.iter().enumerate() {
            for (field, value) in [
                ("accounts", kind.accounts),
                ("system", kind.system),
                ("tools", kind.tools),
                ("reasoning", kind.reasoning),
                ("logprobs", kind.logprobs),
                ("samples", kind.samples),
                ("stream", kind.stream),
            ] {
                require(
                    share(value),
                    &format!("kinds[{index}].{field}"),
                    "must be between 0 and 1",
                )?;
            }
            for (field, value) in [("activity", kind.activity), ("size", kind.size)] {
                require(
                    value > 0.0 && value <= 1e6,
                    &format!("kinds[{index}].{field}"),
                    "must be above 0 and at most 1000000",
                )?;
            }
            require(
                (0.0..=5.0).contains(&kind.zipf),
                &format!("kinds[{index}].zipf"),
                "must be between 0 and 5",
            )?;
        }
        Ok(())
    }
}

fn one() -> f64 {
    1.0
}

fn shipped_names() -> String {
    let worlds = crate::world::SHIPPED.map(|(name, _)| format!("world/{name}"));
    format!(
        "{}, {}",
        SHIPPED.map(|(name, _)| name).join(", "),
        worlds.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_scenario_is_valid_and_carries_its_own_name() {
        for (name, _) in SHIPPED {
            assert_eq!(Scenario::shipped(name).unwrap().name, name);
        }
    }

    #[test]
    fn a_problem_is_told_with_its_line_and_column() {
        let mixed = SHIPPED[0].1;
        let line = 1 + mixed
            .lines()
            .position(|line| line.starts_with("anthropic:"))
            .unwrap();

        for (given, expected) in [
            (
                mixed.replace("anthropic:", "anthropics:"),
                format!("s.yaml:{line}:1: anthropics: unknown field `anthropics`"),
            ),
            (
                mixed.replace("anthropic: 0", "anthropic: 7"),
                format!("s.yaml:{line}:1: anthropic: must be between 0 and 1"),
            ),
        ] {
            let error = Scenario::parse(&given, "s.yaml").unwrap_err().to_string();
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = Scenario::load("no-such-scenario").unwrap_err().to_string();

        assert!(
            error.contains("mixed, organic, campaign, million-accounts"),
            "{error}"
        );
    }
}
