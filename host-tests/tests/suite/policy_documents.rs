//! Policy documents that tests of the schema and of explanations go through.
use super::weir::repository;
use serde_json::{Value, json};
use weir_engine::policy::Policy;
use weir_engine::time::Timestamp;
use weir_host::policy_file::PolicyFile;

/// Before anything in them expires.
pub(crate) fn now() -> Option<Timestamp> {
    Timestamp::parse_rfc3339("2026-11-01T00:00:00Z")
}

/// The files in `policies/`.
pub(crate) fn shipped() -> Vec<PolicyFile> {
    let mut paths: Vec<_> = std::fs::read_dir(repository("policies"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
        .iter()
        .map(|path| PolicyFile::read(path).unwrap())
        .collect()
}

/// A policy that has every key.
pub(crate) fn every_key() -> Value {
    let text = include_str!("every_key.yaml").to_owned();
    PolicyFile::parse(text, "every_key.yaml").unwrap().value
}

/// The shortest policy.
pub(crate) fn shortest() -> Value {
    json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "p", "version": "1", "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "tiers": [{"name": "everyone"}],
        "rollout": {"mode": "enforce"},
    })
}

/// The shortest policy, and the shortest of each section that is off where it is absent.
pub(crate) fn short() -> Value {
    let mut policy = shortest();
    policy["detection"] = json!({});
    policy["capabilities"] = json!({"c": {"anyOf": [{"phrases": {"of": ["x"]}}]}});
    policy["shaping"] =
        json!({"rules": [{"name": "r", "when": {}, "response": {"visibleReasoning": "strip"}}]});
    let key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    policy["verification"] = json!({
        "levels": ["email"],
        "attestation": {"audience": "a", "keys": [{"id": "k", "ed25519": key}]},
    });
    policy["rollout"] =
        json!({"mode": "canary", "canary": {"tiers": ["everyone"]}, "guard": {"failedShare": 0.1}});
    policy
}

/// All of these, each with a name for messages.
pub(crate) fn all() -> Vec<(String, Value)> {
    let mut all: Vec<_> = shipped()
        .into_iter()
        .map(|file| (file.name, file.value))
        .collect();
    all.push(("every key".to_owned(), every_key()));
    all.push(("shortest".to_owned(), shortest()));
    all.push(("short".to_owned(), short()));
    all
}

/// The compiled policy as text, but for the digest of its document.
pub(crate) fn compiled(document: &Value) -> String {
    let checked = Policy::check(document.to_string().as_bytes(), now());
    assert!(checked.diagnostics.is_empty(), "{:#?}", checked.diagnostics);
    let policy = checked.policy.unwrap();
    format!("{policy:#?}").replace(policy.digest(), "")
}
