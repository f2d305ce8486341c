//! The policy of the run. What is done to an account depends on its plan alone, so that one Envoy shows everything.
use serde_json::{Value, json};

use super::denials;

/// Plans with every grant: nothing is refused them for what they ask for.
const GRANTED: [&str; 4] = ["unshaped", "stripped", "asked-less", "kept"];

/// Where refused accounts are told to ask.
pub(super) const CONTACT: &str = "ask@example.com";

/// The whole document.
pub(super) fn document() -> Value {
    let capabilities = ["agentic_tools", "reasoning_traces", "logprobs"];
    let mut tiers: Vec<Value> = GRANTED
        .iter()
        .map(|plan| json!({"name": plan, "match": {"plan": [plan]}, "grants": capabilities}))
        .collect();
    tiers.extend(denials::BUDGETS.map(|plan| json!({"name": plan, "match": {"plan": [plan]}})));
    tiers.push(json!({"name": "basic"}));
    let denied: Vec<Value> = denials::listed()
        .map(|account| {
            json!({"account": account, "owner": "tests", "reason": "to be refused", "expires": "2099-01-01T00:00:00Z"})
        })
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
            {"name": "stays-spent", "per": "organization", "unit": "requests", "limit": 1, "window": "1s",
                "tiers": ["stays-spent"]},
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
        "lists": {"deny": denied},
        "responses": {"contact": CONTACT, "termsOfUse": "https://example.com/terms"},
        "state": {"memory": "1MiB"},
        "rollout": {"mode": "enforce"},
    })
}
