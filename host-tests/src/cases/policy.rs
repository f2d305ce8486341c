//! A policy as a case uses it: checked, and changed by what the case has different.
use super::CasePolicy;
use super::merge::merge;
use serde_json::{Value, json};
use std::sync::Arc;
use weir_engine::policy::{Deployment, Severity};

/// `base` with what is different. A candidate beside a policy that has none is what is different in it: from there on
/// both are deployed.
pub(super) fn changed(base: &Value, given: &Value) -> Value {
    let mut value = base.clone();
    match given.get("candidate") {
        Some(patch) if base.get("candidate").is_none() => {
            let mut candidate = base.clone();
            merge(&mut candidate, patch);
            json!({"apiVersion": "weir/v1", "kind": "Rollout", "current": base, "candidate": candidate})
        }
        _ => {
            merge(&mut value, given);
            value
        }
    }
}

impl CasePolicy {
    /// Checks a document.
    ///
    /// # Errors
    /// What refuses it.
    pub fn new(value: Value, name: String) -> Result<Self, Vec<String>> {
        let json = value.to_string();
        let checked = Deployment::check(json.as_bytes(), None);
        match checked.deployment {
            Some(deployment) => Ok(Self {
                name,
                value,
                json,
                deployment: Arc::new(deployment),
            }),
            None => Err(checked
                .diagnostics
                .iter()
                .filter(|problem| problem.severity == Severity::Error)
                .map(ToString::to_string)
                .collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_the_policy_with_what_is_different_and_changes_alone_from_then_on() {
        let base = json!({"kind": "Policy", "rollout": {"mode": "enforce"}});

        let both = changed(
            &base,
            &json!({"candidate": {"rollout": {"mode": "shadow"}}}),
        );
        let later = changed(
            &both,
            &json!({"candidate": {"rollout": {"mode": "canary"}}}),
        );

        assert_eq!(both["kind"], "Rollout");
        assert_eq!(both["current"], base);
        assert_eq!(both["candidate"]["rollout"]["mode"], "shadow");
        assert_eq!(
            later["candidate"],
            json!({"kind": "Policy", "rollout": {"mode": "canary"}})
        );
        assert_eq!(later["current"], base);
    }
}
