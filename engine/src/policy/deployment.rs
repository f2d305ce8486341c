//! What a proxy runs: one policy, or a policy and the candidate that is to follow it.
use super::{
    Policy,
    diagnostic::{Code, Diagnostics},
};
use crate::time::Timestamp;
use alloc::{borrow::Cow, format};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The policy in force and, while it is rolled out, the one that is to follow it.
///
/// The candidate's `rollout` says for whom it acts; for everybody else, and for everybody once its guard has
/// tripped, the current one does.
#[derive(Debug)]
pub struct Deployment {
    /// The last good policy.
    pub current: Policy,
    /// The one that is to follow it.
    pub candidate: Option<Policy>,
}

/// One of the two policies of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arm {
    /// The last good policy.
    Current,
    /// The one that is to follow it.
    Candidate,
}

impl Arm {
    /// `current` or `candidate`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Candidate => "candidate",
        }
    }
}

/// What reading a configuration gave: the deployment unless an error refuses it, and everything noticed.
#[derive(Debug)]
pub struct CheckedDeployment {
    /// The deployment, `None` when refused.
    pub deployment: Option<Deployment>,
    /// Errors and warnings; paths of a candidate begin with `candidate.`, of the policy before it with `current.`.
    pub diagnostics: Diagnostics,
}

/// As much of a configuration as tells a policy from a rollout of two.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
}

/// `kind: Rollout`: two policies, each as it would stand alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Pair<'a> {
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    #[serde(borrow, rename = "kind")]
    _kind: Cow<'a, str>,
    #[serde(borrow)]
    current: &'a RawValue,
    #[serde(borrow)]
    candidate: &'a RawValue,
}

impl Deployment {
    /// The policy of an arm; the current one where there is no candidate.
    pub fn policy(&self, arm: Arm) -> &Policy {
        match (arm, &self.candidate) {
            (Arm::Candidate, Some(candidate)) => candidate,
            (Arm::Current | Arm::Candidate, _) => &self.current,
        }
    }

    /// The policy that looks on while that of `arm` answers.
    pub fn other(&self, arm: Arm) -> Option<&Policy> {
        match arm {
            Arm::Current => self.candidate.as_ref(),
            Arm::Candidate => Some(&self.current),
        }
    }

    /// The policies, the current one first.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        core::iter::once(&self.current).chain(&self.candidate)
    }

    /// Reads the plugin's configuration: a policy (`kind: Policy`), or `kind: Rollout` with `current` and
    /// `candidate`. Neither of two is taken without the other. `now` as for [`Policy::check`].
    pub fn check(json: &[u8], now: Option<Timestamp>) -> CheckedDeployment {
        let is_pair = serde_json::from_slice::<Kind<'_>>(json)
            .is_ok_and(|read| read.kind.as_deref() == Some("Rollout"));
        if !is_pair {
            let checked = Policy::check(json, now);
            return CheckedDeployment {
                deployment: checked.policy.map(|current| Self {
                    current,
                    candidate: None,
                }),
                diagnostics: checked.diagnostics,
            };
        }
        let mut diagnostics = Diagnostics::default();
        let deployment = pair(json, now, &mut diagnostics);
        CheckedDeployment {
            deployment,
            diagnostics,
        }
    }
}

fn pair(json: &[u8], now: Option<Timestamp>, d: &mut Diagnostics) -> Option<Deployment> {
    let pair = match serde_json::from_slice::<Pair<'_>>(json) {
        Ok(pair) => pair,
        Err(error) => {
            let help = "write apiVersion, kind: Rollout, current: {a policy} and candidate: {a policy}; \
                        `weir check CURRENT --candidate CANDIDATE --emit-config` prints it";
            d.error(Code::WrongValue, ".", format!("no rollout: {error}"), help);
            return None;
        }
    };
    if pair.api_version != "weir/v1" {
        let message = "this version is not supported";
        d.error(
            Code::UnsupportedVersion,
            "apiVersion",
            message,
            "write `apiVersion: weir/v1`",
        );
    }
    let mut read = |json: &RawValue, name: &str| {
        let checked = Policy::check(json.get().as_bytes(), now);
        d.absorb_below(name, checked.diagnostics);
        checked.policy
    };
    let (current, candidate) = (
        read(pair.current, "current"),
        read(pair.candidate, "candidate"),
    );
    let (current, candidate) = (current?, candidate?);
    if current.digest() == candidate.digest() {
        let message = "both policies are the same";
        let help = "give the next version as candidate, or the policy alone";
        d.warning(Code::SameVersion, "candidate", message, help);
    } else if (current.name(), current.version()) == (candidate.name(), candidate.version()) {
        let message = format!("both are version {}", candidate.version());
        let help =
            "change `metadata.version` with every change, so that decisions can be told apart";
        d.warning(
            Code::SameVersion,
            "candidate.metadata.version",
            message,
            help,
        );
    }
    (!d.refuse()).then_some(Deployment {
        current,
        candidate: Some(candidate),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::String, vec::Vec};

    fn policy(version: &str, mode: &str) -> String {
        format!(
            r#"{{"apiVersion":"weir/v1","kind":"Policy","metadata":{{"name":"p","version":"{version}","owner":"o"}},
            "identity":{{"account":[{{"header":"x-account-id"}}]}},"tiers":[{{"name":"all"}}],"rollout":{{"mode":"{mode}"}}}}"#
        )
    }

    fn both(current: &str, candidate: &str) -> String {
        format!(
            r#"{{"apiVersion":"weir/v1","kind":"Rollout","current":{current},"candidate":{candidate}}}"#
        )
    }

    #[test]
    fn a_policy_alone_is_a_deployment_without_candidate() {
        let checked = Deployment::check(policy("1", "enforce").as_bytes(), None);

        assert!(
            checked
                .deployment
                .is_some_and(|one| one.candidate.is_none())
        );
    }

    #[test]
    fn each_of_two_policies_has_the_digest_that_it_has_alone() {
        let (current, candidate) = (policy("1", "enforce"), policy("2", "shadow"));
        let alone = |json: &str| {
            let deployment = Deployment::check(json.as_bytes(), None).deployment;
            String::from(deployment.unwrap().current.digest())
        };

        let checked = Deployment::check(both(&current, &candidate).as_bytes(), None);

        let deployment = checked.deployment.unwrap();
        assert_eq!(deployment.current.digest(), alone(&current));
        assert_eq!(deployment.candidate.unwrap().digest(), alone(&candidate));
    }

    #[test]
    fn problems_of_both_are_told_at_once_and_neither_is_taken() {
        let json = both(&policy("1", "enforced"), &policy("", "shadow"));

        let checked = Deployment::check(json.as_bytes(), None);

        let paths: Vec<&str> = checked
            .diagnostics
            .iter()
            .map(|one| one.path.as_str())
            .collect();
        assert_eq!(
            paths,
            ["current.rollout.mode", "candidate.metadata.version"]
        );
        assert!(checked.deployment.is_none());
    }

    #[test]
    fn two_policies_that_decisions_cannot_tell_apart_are_warned_of() {
        for (current, candidate) in [
            (policy("1", "enforce"), policy("1", "shadow")),
            (policy("1", "shadow"), policy("1", "shadow")),
        ] {
            let checked = Deployment::check(both(&current, &candidate).as_bytes(), None);

            let codes: Vec<Code> = checked.diagnostics.iter().map(|one| one.code).collect();
            assert_eq!(codes, [Code::SameVersion]);
        }
    }
}
