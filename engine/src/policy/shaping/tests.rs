use super::*;
use crate::policy::{Checked, Policy};
use alloc::string::ToString;
use serde_json::{Value, json};
use std::vec;

fn checked(rules: &Value) -> Checked {
    let document = json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "p", "version": "1", "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "capabilities": {"logprobs": {"anyOf": [{"logprobs": {}}]}, "tools": {"anyOf": [{"tools": {"atLeast": 1}}]}},
        "tiers": [{"name": "known", "match": {"plan": ["paid"]}}, {"name": "everyone"}],
        "detection": {},
        "responses": {"states": {"watch": "shape"}},
        "rollout": {"mode": "enforce"},
        "shaping": {"rules": rules},
    });
    Policy::check(document.to_string().as_bytes(), None)
}

fn subject(tier: usize, state: State, capabilities: &[usize]) -> Subject {
    let mut set = CapabilitySet::default();
    capabilities.iter().for_each(|index| set.insert(*index));
    Subject {
        tier,
        state,
        acts_on_state: state != State::Observe,
        capabilities: set,
        in_tool_loop: false,
    }
}

fn names(rules: &Value, subject: Subject) -> Option<String> {
    let policy = checked(rules).policy.unwrap();
    let selected = policy.shaping.select(subject, |_| true);
    selected.rule.map(|index| policy.shaping.name(index).into())
}

#[test]
fn a_rule_holds_where_all_that_it_names_holds_and_anything_listed_is_enough() {
    let rules = json!([{
        "name": "r",
        "when": {"tiers": ["everyone"], "states": ["watch", "step_up"], "capabilities": ["logprobs", "tools"]},
        "request": {"samples": 1},
    }]);

    for (tier, state, capabilities, holds) in [
        (1, State::Watch, &[0][..], true),
        (1, State::StepUp, &[1], true),
        (1, State::Watch, &[0, 1], true),
        (0, State::Watch, &[0], false),
        (1, State::Restrict, &[0], false),
        (1, State::Watch, &[], false),
    ] {
        let named = names(&rules, subject(tier, state, capabilities));

        assert_eq!(named.is_some(), holds, "{tier} {state:?} {capabilities:?}");
    }
}

#[test]
fn rules_that_hold_add_up_and_the_first_is_named() {
    let rules = json!([
        {"name": "a", "when": {"tiers": ["known"]}, "request": {"samples": 1}},
        {"name": "b", "request": {"samples": 4, "logprobs": "drop", "reasoningEffort": "high"}},
        {"name": "c", "when": {"states": ["watch"]}, "request": {"samples": 2, "reasoningEffort": "low"}, "response": {"logprobs": "strip"}},
    ]);
    let policy = checked(&rules).policy.unwrap();

    let all = policy
        .shaping
        .select(subject(0, State::Watch, &[]), |_| true);
    let one = policy
        .shaping
        .select(subject(1, State::Observe, &[]), |_| true);

    assert_eq!((all.rule, all.by_state), (Some(0), false));
    assert_eq!(all.request.samples, Some(1));
    assert_eq!(all.request.effort, Some(Effort::Low));
    assert!(all.request.drop_logprobs && all.strip.logprobs);
    assert_eq!((one.rule, one.by_state), (Some(1), false));
    assert_eq!(one.request.samples, Some(4));
    assert!(one.strip.is_nothing());
}

#[test]
fn a_tool_loop_keeps_its_reasoning_unless_a_rule_insists() {
    let select = |rules: Value, in_tool_loop| {
        let policy = checked(&rules).policy.unwrap();
        let subject = subject(0, State::Observe, &[]);
        let subject = Subject {
            in_tool_loop,
            ..subject
        };
        policy.shaping.select(subject, |_| true)
    };
    let keeps =
        json!([{"name": "a", "response": {"visibleReasoning": "strip", "logprobs": "strip"}}]);
    let insists =
        json!([{"name": "a", "response": {"visibleReasoning": "strip", "toolLoops": "strip"}}]);

    assert!(select(keeps.clone(), false).strip.reasoning);
    let kept = select(keeps, true).strip;
    assert!(!kept.reasoning && kept.logprobs);
    assert!(select(insists, true).strip.reasoning);
}

#[test]
fn what_follows_from_a_misspelt_word_is_not_reported_as_well() {
    let rules = json!([{"name": "a", "when": {"states": ["odd"]}, "request": {"logprobs": false}}]);

    let mut found: Vec<_> = checked(&rules)
        .diagnostics
        .iter()
        .filter(|problem| problem.path.starts_with("shaping"))
        .map(|problem| (problem.code, problem.path.to_string()))
        .collect();

    // Keys come in the order that they were written in, or not: that is the JSON library's business.
    found.sort();
    let wrong = |path: &str| (Code::WrongValue, path.to_string());
    assert_eq!(
        found,
        vec![
            wrong("shaping.rules[0].request.logprobs"),
            wrong("shaping.rules[0].when.states[0]"),
        ]
    );
}

#[test]
fn the_rule_that_is_named_is_the_first_that_changes_anything() {
    let rules = json!([
        {"name": "idle", "request": {"logprobs": "drop"}},
        {"name": "acts", "when": {"states": ["watch"]}, "request": {"samples": 1}},
    ]);
    let policy = checked(&rules).policy.unwrap();
    let subject = subject(0, State::Watch, &[]);

    let selected = policy
        .shaping
        .select(subject, |limits| limits.samples.is_some());
    let untouched = policy.shaping.select(subject, |_| false);

    assert_eq!((selected.rule, selected.by_state), (Some(1), true));
    assert!(selected.request.drop_logprobs, "all that match add up");
    assert_eq!(untouched.rule, None);
}
