//! The policy of the run. What is done to an account depends on its plan alone, so that one Envoy shows everything.
use serde_json::{Value, json};

use super::denials;

/// Plans with every grant: nothing is refused them for what they ask for.
const GRANTED: [&str; 4] = ["unshaped", "stripped", "asked-less", "kept"];

/// Where refused accounts are told to ask.
pub(super) const CONTACT: &str = "ask@example.com";
/// Where accounts are verified.
pub(super) const VERIFY_AT: &str = "https://example.com/verify";

/// The whole document.
pub(super) fn document() -> Value {
    let capabilities = ["agentic_tools", "reasoning_traces", "logprobs"];
    let mut tiers: Vec<Value> = GRANTED
        .iter()
        .map(|plan| json!({"name": plan, "match": {"plan": [plan]}, "grants": capabilities}))
        .collect();
    tiers.extend(denials::BUDGETS.map(|plan| json!({"name": plan, "match": {"plan": [plan]}})));
    let unverified = denials::UNVERIFIED;
    tiers.push(json!({"name": unverified, "match": {"plan": [unverified]}}));
    tiers.push(json!({"name": "basic"}));
    let entry = |account: String| json!({"account": account, "owner": "tests", "reason": "to be refused", "expires": "2099-01-01T00:00:00Z"});
    let denied: Vec<Value> = denials::accounts("list").map(entry).collect();
    // Somebody's decision on a state stands for days of traffic that would bring an account into it.
    let state = |denial, state: &'static str| {
        denials::accounts(denial).map(move |account| {
            let mut entry = entry(account);
            if let Some(entry) = entry.as_object_mut() {
                entry.insert("state".to_owned(), state.into());
            }
            entry
        })
    };
    let states: Vec<Value> = state("detection", "restrict")
        .chain(state("detection-429", "step_up"))
        .collect();
    json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "sdk", "version": "1", "owner": "tests"},
        "identity": {
            "account": [{"header": "x-account-id"}],
            "organization": [{"header": "x-org-id"}],
            "plan": [{"header": "x-plan"}],
        },
        "capabilities": {
            "agentic_tools": {"anyOf": [{"tools": {"atLeast": 1}}, {"toolResults": {"atLeast": 1}}]},
            "reasoning_traces": {"anyOf": [{"visibleReasoning": {}}]},
            "logprobs": {"anyOf": [{"logprobs": {}}]},
        },
        "tiers": tiers,
        "budgets": [
            {"name": "comes-back", "per": "account", "unit": "requests", "limit": 1, "window": "6s",
                "tiers": ["comes-back"]},
            {"name": "busy", "per": "organization", "unit": "concurrency", "limit": 1, "window": "1h",
                "tiers": ["busy"]},
            {"name": "long", "per": "account", "unit": "requests", "limit": 1, "window": "1h", "tiers": ["long"]},
        ],
        "shaping": {"rules": [
            {"name": "stripped", "when": {"tiers": ["stripped"]},
                "response": {"logprobs": "strip", "visibleReasoning": "strip", "toolLoops": "strip"}},
            {"name": "asked-less", "when": {"tiers": ["asked-less"]},
                "request": {"logprobs": "drop", "visibleReasoning": "hide"}},
            {"name": "kept", "when": {"tiers": ["kept"]},
                "response": {"logprobs": "strip", "visibleReasoning": "strip", "toolLoops": "keep"}},
        ]},
        "verification": {
            "levels": ["organization"],
            "url": VERIFY_AT,
            "thresholds": [{"name": "volume", "tiers": [unverified], "unit": "requests", "above": 1, "window": "1h",
                "level": "organization"}],
        },
        "detection": {"memory": "16MiB"},
        "lists": {"deny": denied, "states": states},
        "responses": {
            "contact": CONTACT,
            "termsOfUse": "https://example.com/terms",
            "states": {"step_up": "throttle", "restrict": "deny"},
            // A suspect is told to wait for longer, and so is not left to the SDK's own retries.
            "longestRetry": "10s",
        },
        "state": {"memory": "4MiB"},
        "rollout": {"mode": "enforce"},
    })
}
