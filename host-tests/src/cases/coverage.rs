//! Which rules of a policy some case has seen at work.
//!
//! A rule counts when a decision names it. Cases may change their policy (a smaller limit, a list entry), so rules are
//! known by their name, and entries of lists, which have none, by what they say.
use super::message::Request;
use super::{Case, CasePolicy, Ran, Seen, Step};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use weir_engine::size::parse_bytes;

/// Rules of all policies under test, and how many exchanges showed each.
#[derive(Debug, Default)]
pub struct Coverage {
    policies: BTreeMap<String, (Arc<CasePolicy>, BTreeMap<String, u64>)>,
}

/// A rule and the exchanges that showed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// `budgets.account-requests` style.
    pub rule: String,
    /// Exchanges that showed it.
    pub exchanges: u64,
}

/// A policy's rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyCoverage {
    /// Its file.
    pub policy: String,
    /// Rules that were shown.
    pub covered: usize,
    /// Every rule.
    pub rules: Vec<Rule>,
}

/// States of which a policy says what is done about them.
const STATES: &str = "responses.states";

impl Coverage {
    /// The rules of the policies of `cases`, none of them seen yet.
    pub fn new<'c>(cases: impl IntoIterator<Item = &'c Case>) -> Self {
        let mut coverage = Self::default();
        for case in cases {
            coverage
                .policies
                .entry(case.base.name.clone())
                .or_insert_with(|| {
                    let rules = rules(&case.base.value).into_iter();
                    let rules = rules.map(|rule| (rule, 0)).collect();
                    (Arc::clone(&case.base), rules)
                });
        }
        coverage
    }

    /// Counts what the exchanges of a case showed.
    pub fn take(&mut self, case: &Case, ran: &Ran) {
        let Some((base, rules)) = self.policies.get_mut(&case.base.name) else {
            return;
        };
        let mut policy = Arc::clone(&case.policy);
        for (phase, exchanges) in case.phases.iter().zip(&ran.phases) {
            match &phase.step {
                Step::Policy(next) => policy = Arc::clone(next),
                Step::Send { request, .. } => {
                    for seen in exchanges {
                        let policy = acted(&policy.value, seen);
                        for rule in shown(policy, request, seen) {
                            let same = is_same(&base.value, policy, &rule);
                            if let Some(count) = rules.get_mut(&rule).filter(|_| same) {
                                *count = count.saturating_add(1);
                            }
                        }
                    }
                }
                Step::Hold { .. } | Step::Wait(_) | Step::Look => {}
            }
        }
    }

    /// By policy.
    pub fn policies(&self) -> Vec<PolicyCoverage> {
        self.policies
            .iter()
            .map(|(policy, (_, rules))| PolicyCoverage {
                policy: policy.clone(),
                covered: rules.values().filter(|count| **count > 0).count(),
                rules: rules
                    .iter()
                    .map(|(rule, exchanges)| Rule {
                        rule: rule.clone(),
                        exchanges: *exchanges,
                    })
                    .collect(),
            })
            .collect()
    }

    /// Rules that were shown, of a hundred; 100 where there is none.
    pub fn percent(&self) -> f64 {
        let policies = self.policies();
        let all: usize = policies.iter().map(|policy| policy.rules.len()).sum();
        let covered: usize = policies.iter().map(|policy| policy.covered).sum();
        match all {
            0 => 100.0,
            all => covered as f64 * 100.0 / all as f64,
        }
    }
}

/// Every rule of a policy that a case can show.
fn rules(policy: &Value) -> Vec<String> {
    let at = |pointer: &str| policy.pointer(pointer);
    let mut rules = Vec::new();
    for (section, pointer) in [
        ("tiers", "/tiers"),
        ("budgets", "/budgets"),
        ("shaping", "/shaping/rules"),
        ("verification", "/verification/thresholds"),
    ] {
        let named = at(pointer).and_then(Value::as_array).into_iter().flatten();
        let names = named.filter_map(|rule| rule.get("name")?.as_str());
        rules.extend(names.map(|name| format!("{section}.{name}")));
    }
    for (section, pointer) in [
        ("capabilities", "/capabilities"),
        (STATES, "/responses/states"),
    ] {
        let named = at(pointer).and_then(Value::as_object).into_iter().flatten();
        rules.extend(named.map(|(name, _)| format!("{section}.{name}")));
    }
    for list in [
        "lists.deny",
        "lists.exempt",
        "lists.states",
        "inspection.passThrough",
    ] {
        let pointer = format!("/{}", list.replace('.', "/"));
        let entries = at(&pointer).and_then(Value::as_array);
        let entries = entries.map_or(0, Vec::len);
        rules.extend((0..entries).map(|entry| format!("{list}[{entry}]")));
    }
    for rule in ["oversized", "compressed", "malformed", "unknownEndpoint"] {
        rules.push(format!("inspection.{rule}"));
    }
    rules.push("identity.anonymous".to_owned());
    rules
}

/// Of two policies the one that acted.
fn acted<'p>(policy: &'p Value, seen: &Seen) -> &'p Value {
    let arm = seen.decision.get("arm").and_then(Value::as_str);
    arm.and_then(|arm| policy.get(arm)).unwrap_or(policy)
}

/// The rules that one exchange showed.
fn shown(policy: &Value, request: &Request, seen: &Seen) -> Vec<String> {
    let decision = &seen.decision;
    let text = |name: &str| decision.get(name).and_then(Value::as_str);
    let mut rules: Vec<String> = text("rule").map(str::to_owned).into_iter().collect();
    if let Some(tier) = text("tier") {
        rules.push(format!("tiers.{tier}"));
    }
    if let Some(state) = text("state") {
        let rule = format!("{STATES}.{state}");
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    let capabilities = decision.get("capabilities").and_then(Value::as_array);
    let names = capabilities.into_iter().flatten().filter_map(Value::as_str);
    rules.extend(names.map(|name| format!("capabilities.{name}")));
    let reasons = decision.get("reasons").and_then(Value::as_array);
    let mut codes = reasons.into_iter().flatten();
    if codes.any(|reason| reason.get("code").and_then(Value::as_str) == Some("PINNED")) {
        rules.extend(pinned(policy, text("account"), text("organization")));
    }
    // What the policy lets in or lets pass unread is named by no decision.
    let says = |pointer: &str| policy.pointer(pointer).and_then(Value::as_str);
    if says("/identity/anonymous") == Some("shared") && text("account") == Some("anonymous") {
        rules.push("identity.anonymous".to_owned());
    }
    let cap = says("/inspection/maxBody").and_then(parse_bytes);
    let is_over = cap.is_some_and(|cap| request.body.len() as u64 > cap);
    if says("/inspection/oversized") == Some("inspect") && is_over {
        rules.push("inspection.oversized".to_owned());
    }
    if text("endpoint") == Some("unknown") && seen.upstream.is_some() {
        let path = request.path.split('?').next().unwrap_or_default();
        let entries = policy
            .pointer("/inspection/passThrough")
            .and_then(Value::as_array);
        let entries = entries.into_iter().flatten().enumerate();
        let named = entries.filter(|(_, named)| {
            let rest = named.as_str().and_then(|named| path.strip_prefix(named));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        rules.extend(named.map(|(entry, _)| format!("inspection.passThrough[{entry}]")));
    }
    rules
}

/// The entry of `lists.states` that speaks of the caller.
fn pinned(policy: &Value, account: Option<&str>, organization: Option<&str>) -> Option<String> {
    let entries = policy.pointer("/lists/states")?.as_array()?;
    let names = |entry: &Value, who: &str, name: Option<&str>| {
        name.is_some() && entry.get(who).and_then(Value::as_str) == name
    };
    let entry = entries.iter().position(|entry| {
        names(entry, "account", account) || names(entry, "organization", organization)
    })?;
    Some(format!("lists.states[{entry}]"))
}

/// Whether a rule of the policy that decided is the rule of the policy under test. Only entries, which are known by
/// their place, can be others.
fn is_same(base: &Value, policy: &Value, rule: &str) -> bool {
    let Some((list, entry)) = rule.strip_suffix(']').and_then(|rule| rule.split_once('[')) else {
        return true;
    };
    let pointer = format!("/{}/{entry}", list.replace('.', "/"));
    base.pointer(&pointer) == policy.pointer(&pointer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::Asked;
    use serde_json::json;

    fn request(path: &str) -> Request {
        Request {
            method: "GET".into(),
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    #[test]
    fn every_section_gives_its_rules() {
        let policy = json!({
            "tiers": [{"name": "t"}], "budgets": [{"name": "b"}], "shaping": {"rules": [{"name": "s"}]},
            "verification": {"thresholds": [{"name": "v"}]}, "capabilities": {"c": {}},
            "responses": {"states": {"watch": "shape"}}, "lists": {"deny": [{"account": "a"}]},
            "inspection": {"passThrough": ["/v1/models"]},
        });

        let rules = rules(&policy);

        for rule in [
            "tiers.t",
            "budgets.b",
            "shaping.s",
            "verification.v",
            "capabilities.c",
            "responses.states.watch",
            "lists.deny[0]",
            "inspection.passThrough[0]",
            "inspection.malformed",
            "identity.anonymous",
        ] {
            assert!(rules.iter().any(|own| own == rule), "{rule}: {rules:?}");
        }
    }

    #[test]
    fn a_decision_shows_its_rule_its_tier_its_state_and_what_was_asked_for() {
        let seen = Seen {
            decision: json!({"rule": "shaping.s", "tier": "t", "state": "watch", "capabilities": ["c"], "account": "a",
                "endpoint": "unknown", "reasons": [{"code": "PINNED"}]}),
            upstream: Some(Asked::default()),
            ..Seen::default()
        };
        let policy = json!({"lists": {"states": [{"account": "b"}, {"account": "a"}]}, "inspection": {"passThrough": ["/v1/mod", "/v1/models"]}});

        let shown = shown(&policy, &request("/v1/models/m?x"), &seen);

        assert_eq!(
            shown,
            [
                "shaping.s",
                "tiers.t",
                "responses.states.watch",
                "capabilities.c",
                "lists.states[1]",
                "inspection.passThrough[1]"
            ]
        );
    }

    #[test]
    fn an_entry_in_the_place_of_another_is_not_that_one() {
        let base = json!({"lists": {"deny": [{"account": "a"}]}});
        let other = json!({"lists": {"deny": [{"account": "b"}]}});

        assert!(is_same(&base, &base, "lists.deny[0]"));
        assert!(!is_same(&base, &other, "lists.deny[0]"));
        assert!(is_same(&base, &other, "budgets.b"));
    }
}
