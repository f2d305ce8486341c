//! The decision record: one line of JSON for each exchange, the same in Envoy, in our host and in native replays.
use crate::{
    detect::State,
    endpoint::Endpoint,
    evaluate::{Evaluation, Part},
    identity::Head,
    policy::{Arm, Policy},
    time::Timestamp,
    usage::Usage,
    verdict::{Reason, ReasonCode, Rule, rounded},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde::Serialize;

/// One decision as it is logged; the field order is the format's.
#[derive(Serialize)]
struct Record<'a> {
    time: String,
    decision_id: String,
    policy: PolicyRef<'a>,
    mode: &'a str,
    account: Option<&'a str>,
    organization: Option<&'a str>,
    tier: Option<&'a str>,
    endpoint: &'a str,
    model: Option<&'a str>,
    capabilities: Vec<&'a str>,
    state: &'a str,
    action: &'a str,
    would_action: &'a str,
    basis: &'a str,
    /// Log odds of a campaign in nats; null without a detector and while it learns.
    score: Option<f64>,
    reasons: Vec<ReasonRecord>,
    campaign: Option<String>,
    rule: Option<String>,
    tokens: Option<TokensRecord>,
    /// `current` or `candidate`, where there are two policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    arm: Option<&'a str>,
    /// What the policy that did not answer would have done, where it is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<Other>,
}

/// What the decision says of a deployment of two policies.
#[derive(Debug)]
pub(crate) struct Beside {
    /// The policy that answered.
    pub(crate) arm: Arm,
    /// What the other would have done, where it is something else.
    pub(crate) other: Option<Other>,
}

/// What the policy that did not answer would have done if it enforced.
#[derive(Debug, Serialize)]
pub(crate) struct Other {
    version: String,
    digest: String,
    would_action: &'static str,
    basis: &'static str,
    rule: Option<String>,
}

impl Other {
    pub(crate) fn of(policy: &Policy, evaluation: &Evaluation) -> Self {
        let verdict = &evaluation.verdict;
        Self {
            version: policy.version.clone(),
            digest: policy.digest.clone(),
            would_action: verdict.would_action.name(),
            basis: verdict.basis.name(),
            rule: verdict.rule.map(|rule| rule_name(policy, rule)),
        }
    }
}

/// One exchange that was decided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decided<'a> {
    /// The request's head.
    pub(crate) head: &'a Head,
    /// The verdict and what it found.
    pub(crate) evaluation: &'a Evaluation,
    /// The part that the policy had in it.
    pub(crate) part: Part,
    /// When it came.
    pub(crate) started: Timestamp,
    /// What is known of its usage; `None` where no upstream answered.
    pub(crate) usage: Option<Usage>,
}

#[derive(Serialize)]
struct PolicyRef<'a> {
    name: &'a str,
    version: &'a str,
    digest: &'a str,
}

#[derive(Serialize)]
struct ReasonRecord {
    code: String,
    value: f64,
    weight: f64,
}

#[derive(Serialize)]
struct TokensRecord {
    input: u32,
    output: u32,
}

/// The name of a decision as callers and logs see it: 32 hex digits.
pub fn id(head: &Head) -> String {
    format!("{:032x}", head.decision_id)
}

/// The decision as one line of JSON, without a line feed.
pub(crate) fn to_json(policy: &Policy, decided: Decided<'_>, beside: Option<Beside>) -> String {
    let Decided {
        head,
        evaluation,
        part,
        started,
        usage,
    } = decided;
    let verdict = &evaluation.verdict;
    let names = policy.capabilities.names();
    let (caller, pseudonyms) = (head.caller.as_ref(), &head.pseudonyms);
    let standing = evaluation.standing.as_ref();
    let record = Record {
        time: started.to_string(),
        decision_id: id(head),
        policy: PolicyRef {
            name: &policy.name,
            version: &policy.version,
            digest: &policy.digest,
        },
        mode: match part {
            Part::StandsDown => "shadow",
            Part::Decides | Part::LooksOn { .. } => policy.mode(),
        },
        account: pseudonyms
            .account
            .as_deref()
            .or_else(|| caller.map(|caller| caller.account.as_str())),
        organization: pseudonyms
            .organization
            .as_deref()
            .or_else(|| caller.and_then(|caller| caller.organization.as_deref())),
        tier: evaluation
            .tier
            .and_then(|tier| policy.tiers.get(tier))
            .map(|tier| tier.name.as_str()),
        endpoint: Endpoint::name(head.endpoint),
        model: evaluation
            .model
            .as_deref()
            .filter(|_| !policy.privacy.hides_models),
        capabilities: evaluation
            .capabilities
            .iter()
            .filter_map(|index| names.get(index))
            .map(String::as_str)
            .collect(),
        state: standing
            .map_or(State::Observe, |standing| standing.state)
            .name(),
        action: verdict.action.name(),
        would_action: verdict.would_action.name(),
        basis: verdict.basis.name(),
        score: standing
            .filter(|standing| standing.judges())
            .map(|standing| rounded(standing.score)),
        reasons: verdict
            .reasons
            .iter()
            .map(|reason| reason_record(policy, reason))
            .collect(),
        campaign: standing
            .map(|standing| standing.campaign)
            .filter(|campaign| *campaign != 0)
            .map(|campaign| format!("{campaign:016x}")),
        rule: verdict.rule.map(|rule| rule_name(policy, rule)),
        tokens: match usage {
            Some(Usage::Known(tokens)) => Some(TokensRecord {
                input: tokens.input,
                output: tokens.output,
            }),
            _ => None,
        },
        arm: beside.as_ref().map(|beside| beside.arm.name()),
        other: beside.and_then(|beside| beside.other),
    };
    // Serialising plain strings and numbers has no way to fail; an empty line would at least not be a wrong one.
    serde_json::to_string(&record).unwrap_or_default()
}

fn reason_record(policy: &Policy, reason: &Reason) -> ReasonRecord {
    let code = match reason.code {
        ReasonCode::CapabilityNotGranted(index) => {
            let name = policy
                .capabilities
                .names()
                .get(index)
                .map(String::as_str)
                .unwrap_or_default();
            format!("CAPABILITY_NOT_GRANTED:{name}")
        }
        ReasonCode::BudgetUsed => "BUDGET_USED".to_string(),
        ReasonCode::Listed => "LISTED".to_string(),
        ReasonCode::NotInspected => "NOT_INSPECTED".to_string(),
        ReasonCode::NoAccount => "NO_ACCOUNT".to_string(),
        ReasonCode::StateUnavailable => "STATE_UNAVAILABLE".to_string(),
        ReasonCode::Signal(signal) => signal.name().to_string(),
        ReasonCode::NotStripped => "NOT_STRIPPED".to_string(),
        ReasonCode::NotShaped => "NOT_SHAPED".to_string(),
        ReasonCode::Pinned => "PINNED".to_string(),
        ReasonCode::VerificationRequired => "VERIFICATION_REQUIRED".to_string(),
        ReasonCode::AttestationRefused(why) => format!("ATTESTATION_REFUSED:{}", why.name()),
        ReasonCode::Learning => "LEARNING".to_string(),
    };
    ReasonRecord {
        code,
        value: reason.value,
        weight: reason.weight,
    }
}

/// The rule as the policy's author would look for it.
fn rule_name(policy: &Policy, rule: Rule) -> String {
    let tier = |index: usize| {
        policy
            .tiers
            .get(index)
            .map(|tier| tier.name.as_str())
            .unwrap_or_default()
    };
    let budget = |index: usize| {
        policy
            .budgets
            .get(index)
            .map(|budget| budget.name.as_str())
            .unwrap_or_default()
    };
    match rule {
        Rule::Anonymous => "identity.anonymous".to_string(),
        Rule::Oversized => "inspection.oversized".to_string(),
        Rule::Compressed => "inspection.compressed".to_string(),
        Rule::Malformed => "inspection.malformed".to_string(),
        Rule::UnknownEndpoint => "inspection.unknownEndpoint".to_string(),
        Rule::DenyList(index) => format!("lists.deny[{index}]"),
        Rule::ExemptList(index) => format!("lists.exempt[{index}]"),
        Rule::Tier(index) => format!("tiers.{}", tier(index)),
        Rule::Budget(index) => format!("budgets.{}", budget(index)),
        Rule::StateFailure => "state.onFailure".to_string(),
        Rule::Shaping(index) => format!("shaping.{}", policy.shaping.name(index)),
        Rule::Verification(index) => {
            format!("verification.{}", policy.verification.threshold_name(index))
        }
        Rule::State(state) => format!("responses.states.{}", state.name()),
    }
}
