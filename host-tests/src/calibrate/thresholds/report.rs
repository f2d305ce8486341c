//! A proposal and what it would come to, in the shape that `--format json` prints.
use crate::evaluate::Interval;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts up when a member changes its meaning or goes away; new members may come without.
pub(super) const FORMAT: u32 = 1;

/// Everything that is told.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of this shape.
    pub format: u32,
    /// What was read.
    pub period: Counted,
    /// What to know before the proposal is used.
    pub notes: Vec<Note>,
    /// The thresholds.
    pub proposal: Proposal,
    /// Accounts and exchanges by state, now and then, for each part of the accounts that is not empty.
    pub effects: Vec<Effect>,
    /// What would be proposed if some accounts belonged to campaigns.
    pub assumptions: Vec<Assumption>,
    /// Campaigns found, those with most accounts first.
    pub campaigns: Vec<Found>,
    /// How many campaigns there were, listed or not.
    pub campaigns_found: usize,
}

/// What was read.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counted {
    /// First exchange that was judged.
    pub first: Option<String>,
    /// Last one.
    pub last: Option<String>,
    /// From the one to the other.
    pub days: f64,
    /// Decisions.
    pub exchanges: u64,
    /// Of these, judged: all others are left out.
    pub judged: u64,
    /// Decided while the detector learned.
    pub learning: u64,
    /// Decided without a detector.
    pub undetected: u64,
    /// Of no account.
    pub without_account: u64,
    /// Of accounts whose state somebody had fixed.
    pub pinned: u64,
    /// Decided by a list.
    pub listed: u64,
    /// Lines that were no decisions.
    pub skipped: u64,
    /// Accounts judged.
    pub accounts: u64,
    /// Accounts that were seen and never judged.
    pub unjudged_accounts: u64,
    /// Accounts of which never more than the prior was known.
    pub never_weighed: u64,
    /// Accounts found in a campaign.
    pub in_campaigns: u64,
    /// Of these, in campaigns that were confirmed.
    pub confirmed: u64,
    /// Organizations of the accounts that count as innocent; one for each account without.
    pub organizations: u64,
    /// Decisions by mode.
    pub modes: BTreeMap<String, u64>,
    /// Policies that decided: name, version, digest.
    pub policies: Vec<[String; 3]>,
    /// Share of exchanges for which the states worked out at the present thresholds are those recorded.
    pub agreement: f64,
}

/// Something to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Stable.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// The thresholds.
#[derive(Clone, Debug, Serialize)]
pub struct Proposal {
    /// Accounts that count as innocent.
    pub accounts: u64,
    /// For `watch`, `step_up` and `restrict`.
    pub cuts: Vec<CutReport>,
    /// To be pasted into the policy.
    pub yaml: String,
}

/// One threshold.
#[derive(Clone, Debug, Serialize)]
pub struct CutReport {
    /// The state that it enters.
    pub state: &'static str,
    /// Share of accounts that may come to it.
    pub wanted: f64,
    /// Accounts that this allows to have come to it, so that 95 % are sure.
    pub allowed: u64,
    /// The threshold now.
    pub present: f64,
    /// The threshold then.
    pub proposed: f64,
    /// False where even the lowest threshold would hold the wanted rate: the present one is kept.
    pub binds: bool,
    /// Accounts that came to it, or may have.
    pub accounts: u64,
    /// Largest share that is to be believed, one-sided 95 %.
    pub at_most: f64,
}

/// A part of the accounts, now and then.
#[derive(Clone, Debug, Serialize)]
pub struct Effect {
    /// Which accounts: `in_no_campaign`, `unconfirmed`, `confirmed`.
    pub of: &'static str,
    /// How many.
    pub accounts: u64,
    /// By state, mildest first.
    pub states: Vec<StateEffect>,
    /// Accounts restricted or blocked then, by bootstrap of whole organizations; where organizations have several.
    pub restricted_by_organization: Option<Interval>,
}

/// One state.
#[derive(Clone, Debug, Serialize)]
pub struct StateEffect {
    /// Its name.
    pub state: &'static str,
    /// Accounts for which it was the gravest.
    pub accounts_now: u64,
    /// Accounts for which it would have been.
    pub accounts_then: u64,
    /// Share of the latter, two-sided 95 % (Clopper and Pearson).
    pub share_then: Interval,
    /// Exchanges in it.
    pub exchanges_now: u64,
    /// Exchanges that would have been.
    pub exchanges_then: u64,
}

/// What would be proposed under another assumption.
#[derive(Clone, Debug, Serialize)]
pub struct Assumption {
    /// Share of accounts that belong to campaigns.
    pub share: f64,
    /// Which: `highest_scores`, or `found` for those that the detector found.
    pub which: &'static str,
    /// Accounts left, which count as innocent.
    pub accounts: u64,
    /// `watch`, `step_up`, `restrict`; `None` where too few accounts are left for the wanted rates.
    pub thresholds: Option<[f64; 3]>,
    /// Of the accounts found in campaigns and not confirmed, those that would come to `restrict`.
    pub found_restricted: Option<u64>,
}

/// One campaign.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Its name in decisions.
    pub campaign: String,
    /// Accounts found in it.
    pub accounts: u64,
    /// Of these, restricted or blocked as recorded.
    pub restricted: u64,
    /// The largest score of any of them.
    pub largest: f64,
    /// Whether somebody confirmed it.
    pub confirmed: bool,
}
