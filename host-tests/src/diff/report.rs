//! What came of a comparison, in the shape that `--format json` prints.
use super::ground::Ground;
use crate::decision::{Decision, Reason};
use serde::Serialize;

/// Counts up when a member changes its meaning or goes away; new members may come without.
pub(super) const FORMAT: u32 = 1;

/// A policy that takes part.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reviewed {
    /// The file.
    pub file: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.version`.
    pub version: String,
    /// Hash of the document.
    pub digest: String,
    /// Its own mode; it is replayed as if it enforced.
    pub mode: String,
}

/// The whole comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of this shape.
    pub format: u32,
    /// The policy.
    pub policy: Reviewed,
    /// The candidate.
    pub candidate: Reviewed,
    /// `wasm` or `native`.
    pub engine: String,
    /// Workers of each replay.
    pub workers: usize,
    /// Exchanges decided.
    pub exchanges: u64,
    /// Records that were no exchange.
    pub skipped: u64,
    /// Accounts seen.
    pub accounts: u64,
    /// Exchanges of nobody in particular.
    pub without_account: u64,
    /// Exchanges with another action.
    pub changed_exchanges: u64,
    /// Accounts with such an exchange.
    pub changed_accounts: u64,
    /// Exchanges that the candidate takes for another account's; they are listed under the policy's.
    pub other_account: u64,
    /// Exchanges whose account is in another tier.
    pub other_tier: u64,
    /// From action to action; new refusals first.
    pub changes: Vec<ChangeReach>,
    /// By tier; of an account that changes its tier, both.
    pub tiers: Vec<Group>,
    /// By capability; an exchange counts for each that it asks for under either policy.
    pub capabilities: Vec<Group>,
    /// By basis and rule, where the action differs.
    pub grounds: Vec<GroundChange>,
    /// By basis and rule, where the action is the same and rests on something else.
    pub same_action: Vec<GroundChange>,
    /// By what the stricter decision gives as its reasons.
    pub reasons: Vec<Group>,
    /// How many accounts are refused anything at all.
    pub accounts_refused: AccountsRefused,
    /// Accounts with new refusals.
    pub newly_refused_accounts: u64,
    /// The first of them: those that lose the largest share of their exchanges.
    pub newly_refused: Vec<AccountChange>,
    /// Accounts with refusals that fall away.
    pub no_longer_refused_accounts: u64,
    /// The first of them.
    pub no_longer_refused: Vec<AccountChange>,
}

impl Report {
    /// Whether every exchange gets the same action from both.
    pub fn is_same(&self) -> bool {
        self.changed_exchanges == 0
    }
}

/// From one action to another, and how often.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeReach {
    /// Action of the policy.
    pub before: &'static str,
    /// Action of the candidate.
    pub after: &'static str,
    /// Exchanges.
    pub exchanges: u64,
    /// Accounts.
    pub accounts: u64,
    /// Exchanges to look at, one an account; in `changes` only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
}

/// Changes of a tier, of a capability, of a reason.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Exchanges in it, changed or not; for reasons, changed ones.
    pub exchanges: u64,
    /// From action to action.
    pub changes: Vec<ChangeReach>,
}

/// What decisions rested on, before and after.
#[derive(Clone, Debug, Serialize)]
pub struct GroundChange {
    /// Under the policy.
    pub before: Standpoint,
    /// Under the candidate.
    pub after: Standpoint,
    /// Exchanges.
    pub exchanges: u64,
    /// Accounts.
    pub accounts: u64,
}

/// An action and what it rests on.
#[derive(Clone, Debug, Serialize)]
pub struct Standpoint {
    /// The action.
    pub action: &'static str,
    /// Basis of the decision.
    pub basis: String,
    /// The rule that decided.
    pub rule: Option<String>,
}

impl Standpoint {
    pub(super) fn new(action: &'static str, ground: &Ground) -> Self {
        Self {
            action,
            basis: ground.basis.clone(),
            rule: ground.rule.clone(),
        }
    }
    /// Basis and rule in one.
    pub(super) fn ground(&self) -> String {
        let Self { basis, rule, .. } = self.clone();
        Ground { basis, rule }.to_string()
    }
}

/// One exchange to look at: nothing of what was asked or answered.
#[derive(Clone, Debug, Serialize)]
pub struct Example {
    /// Line of the trace; of a tap recording, the exchange.
    pub line: u64,
    /// When it began.
    pub time: String,
    /// Its account.
    pub account: Option<String>,
    /// Its endpoint.
    pub endpoint: String,
    /// The model asked for.
    pub model: Option<String>,
    /// What it asks for under the candidate.
    pub capabilities: Vec<String>,
    /// The policy's decision.
    pub before: Sided,
    /// The candidate's.
    pub after: Sided,
}

/// One of the two decisions of an example.
#[derive(Clone, Debug, Serialize)]
pub struct Sided {
    /// Action, as if the policy enforced.
    pub action: String,
    /// Basis of the decision.
    pub basis: String,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Tier of the account.
    pub tier: Option<String>,
    /// State of the account.
    pub state: String,
    /// Log odds of a campaign.
    pub score: Option<f64>,
    /// What speaks for the decision, strongest first.
    pub reasons: Vec<Reason>,
}

impl Sided {
    pub(super) fn of(decision: &Decision<'_>) -> Self {
        Self {
            action: decision.would_action.clone().into_owned(),
            basis: decision.basis.clone().into_owned(),
            rule: decision.rule.clone(),
            tier: decision.tier.clone(),
            state: decision.state.clone().into_owned(),
            score: decision.score,
            reasons: decision.telling().into_iter().cloned().collect(),
        }
    }
    pub(super) fn ground(&self) -> String {
        let (basis, rule) = (self.basis.clone(), self.rule.clone());
        Ground { basis, rule }.to_string()
    }
    /// Codes of the reasons with their values, as people read them.
    pub(super) fn reasons(&self) -> String {
        let reasons: Vec<String> = self
            .reasons
            .iter()
            .map(|reason| format!("{}={}", reason.code, (reason.value * 1e3).round() / 1e3))
            .collect();
        match reasons.is_empty() {
            true => "-".to_owned(),
            false => reasons.join(" "),
        }
    }
}

/// One account whose exchanges are refused, or refused no longer.
#[derive(Clone, Debug, Serialize)]
pub struct AccountChange {
    /// The account.
    pub account: String,
    /// All of its exchanges.
    pub exchanges: u64,
    /// Those that are refused by only one of both.
    pub changed: u64,
    /// Their share.
    pub share: f64,
    /// Exchanges that the policy refuses.
    pub refused_before: u64,
    /// Exchanges that the candidate refuses.
    pub refused_after: u64,
    /// The first that is refused by only one of both.
    pub first_line: u64,
    /// What that refusal rests on.
    pub basis: String,
    /// The rule of that refusal.
    pub rule: Option<String>,
}

/// Accounts by who refuses any of their exchanges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountsRefused {
    /// Nobody does.
    pub never: u64,
    /// Both do.
    pub by_both: u64,
    /// Only the candidate does.
    pub newly: u64,
    /// Only the policy does.
    pub no_longer: u64,
}
