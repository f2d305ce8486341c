//! A decision as it is read back from a log: what reviews and calibrations need of it.
//!
//! The plugin writes it (`engine/src/decision.rs`), replays put `line` in front. Members that are not
//! listed here are passed over, so a log of a newer plugin reads as well.
use serde::Deserialize;
use std::borrow::Cow;
use weir_engine::detect::State;
use weir_engine::time::Timestamp;
use weir_engine::verdict::Action;

/// Every action, mildest first.
pub const ACTIONS: [Action; 6] = [
    Action::Allow,
    Action::Shape,
    Action::Delay,
    Action::Verify,
    Action::Throttle,
    Action::Deny,
];

/// One decision.
#[derive(Clone, Debug, Deserialize)]
#[serde(expecting = "a decision")]
pub struct Decision<'a> {
    /// Line of the trace; in replays only.
    #[serde(default)]
    pub line: Option<u64>,
    /// RFC 3339.
    #[serde(borrow)]
    pub time: Cow<'a, str>,
    /// What it was decided by.
    #[serde(borrow)]
    pub policy: PolicyName<'a>,
    /// `shadow`, `canary` or `enforce`.
    #[serde(borrow)]
    pub mode: Cow<'a, str>,
    /// Whose exchange it was, where somebody was identified.
    #[serde(default)]
    pub account: Option<String>,
    /// The account's organization.
    #[serde(default)]
    pub organization: Option<String>,
    /// Name of the caller's tier.
    #[serde(default)]
    pub tier: Option<String>,
    /// Stable name of the endpoint.
    #[serde(borrow)]
    pub endpoint: Cow<'a, str>,
    /// Model asked for, as the client wrote it, shortened.
    #[serde(default)]
    pub model: Option<String>,
    /// Names of the capabilities asked for.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// State of the account, by name.
    #[serde(borrow)]
    pub state: Cow<'a, str>,
    /// What is done if the policy enforces, by name.
    #[serde(borrow)]
    pub would_action: Cow<'a, str>,
    /// What that rests on.
    #[serde(borrow)]
    pub basis: Cow<'a, str>,
    /// Log odds of a campaign in nats; absent while nobody is judged.
    #[serde(default)]
    pub score: Option<f64>,
    /// What was measured.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// The campaign that the account was found in.
    #[serde(default)]
    pub campaign: Option<String>,
    /// The rule that decided.
    #[serde(default)]
    pub rule: Option<String>,
}

/// Which policy decided.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
pub struct PolicyName<'a> {
    /// `metadata.name`.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// `metadata.version`.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// Hash of the document.
    #[serde(borrow)]
    pub digest: Cow<'a, str>,
}

/// One measured fact.
#[derive(Clone, Debug, Deserialize, PartialEq, serde::Serialize)]
pub struct Reason {
    /// Its stable code.
    pub code: String,
    /// What was measured, in the code's unit.
    pub value: f64,
    /// Its share of the score in nats; 0 for rules.
    pub weight: f64,
}

impl<'a> Decision<'a> {
    /// Reads one line of a log.
    ///
    /// # Errors
    /// Where it is no decision. The message quotes nothing of the line.
    pub fn parse(line: &'a [u8]) -> Result<Self, NoDecision> {
        serde_json::from_slice(line).map_err(|error| NoDecision {
            column: error.column(),
            what: match error.classify() {
                serde_json::error::Category::Eof => "it ends in the middle",
                serde_json::error::Category::Syntax => "it is not JSON",
                _ => "a member is missing or of another type",
            },
        })
    }
    /// What is done if the policy enforces; `None` for an action of a newer plugin.
    pub fn action(&self) -> Option<Action> {
        ACTIONS
            .into_iter()
            .find(|action| action.name() == self.would_action)
    }
    /// State of the account; `None` for one of a newer plugin.
    pub fn state(&self) -> Option<State> {
        State::ALL
            .into_iter()
            .find(|state| state.name() == self.state)
    }
    /// When the exchange began.
    pub fn time(&self) -> Option<Timestamp> {
        Timestamp::parse_rfc3339(&self.time)
    }
    /// Whether the detector was still learning, and judged nobody.
    pub fn is_learning(&self) -> bool {
        self.has(LEARNING)
    }
    /// Whether somebody had fixed the state of the account in `lists.states`.
    pub fn is_pinned(&self) -> bool {
        self.has(PINNED)
    }
    /// The reasons that speak for what was decided, strongest first: evidence for a campaign where the
    /// account's state decided, else what the rule measured.
    pub fn telling(&self) -> Vec<&Reason> {
        let by_state = self.basis == "detection";
        let mut telling: Vec<&Reason> = self
            .reasons
            .iter()
            .filter(|reason| match by_state {
                true => reason.weight > 0.0 || reason.code == PINNED,
                false => reason.weight == 0.0 && reason.code != LEARNING,
            })
            .collect();
        telling.sort_by(|one, other| other.weight.total_cmp(&one.weight));
        telling
    }
    fn has(&self, code: &str) -> bool {
        self.reasons.iter().any(|reason| reason.code == code)
    }
}

const LEARNING: &str = "LEARNING";
const PINNED: &str = "PINNED";

/// A line of a log that is no decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decision: {what} (column {column})")]
pub struct NoDecision {
    what: &'static str,
    column: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"line":3,"time":"2026-05-01T12:00:00.000Z","decision_id":"x","policy":{"name":"p","version":"1","digest":"sha256:0"},"mode":"shadow","account":"a\"17","organization":null,"tier":"basic","endpoint":"openai.chat","model":"m","capabilities":["logprobs"],"state":"step_up","action":"allow","would_action":"verify","basis":"detection","score":6.5,"reasons":[{"code":"PRIOR","value":1.0,"weight":-6.9},{"code":"RHYTHM","value":1.0,"weight":1.5},{"code":"EVENNESS","value":0.7,"weight":4.0},{"code":"BUDGET_USED","value":7.0,"weight":0.0}],"campaign":"00ff","rule":"responses.states.step_up","tokens":null,"new_in_another_version":{}}"#;

    #[test]
    fn a_line_reads_as_the_decision_that_was_written() {
        let decision = Decision::parse(LINE.as_bytes()).unwrap();

        assert_eq!(
            (decision.line, decision.account.as_deref()),
            (Some(3), Some("a\"17"))
        );
        assert_eq!(
            (decision.action(), decision.state()),
            (Some(Action::Verify), Some(State::StepUp))
        );
        assert!(decision.time().is_some() && !decision.is_learning() && !decision.is_pinned());
    }

    #[test]
    fn what_tells_is_evidence_where_the_state_decided_and_the_rules_measure_elsewhere() {
        let by_state = Decision::parse(LINE.as_bytes()).unwrap();
        let text = LINE.replace("\"detection\"", "\"budget\"");
        let by_budget = Decision::parse(text.as_bytes()).unwrap();

        let codes = |decision: &Decision<'_>| {
            let telling = decision.telling().into_iter();
            telling
                .map(|reason| reason.code.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(codes(&by_state), ["EVENNESS", "RHYTHM"]);
        assert_eq!(codes(&by_budget), ["BUDGET_USED"]);
    }

    #[test]
    fn a_line_that_is_none_is_refused_without_being_quoted() {
        for line in ["", "{", "{}", "[1]", r#"{"time":"SECRET"}"#, "SECRET"] {
            let refused = Decision::parse(line.as_bytes()).unwrap_err().to_string();

            assert!(!refused.contains("SECRET"), "{refused}");
        }
    }
}
