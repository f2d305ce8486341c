//! What happened to organic accounts, overall and in a stratum.
use serde::Serialize;

/// Strata of hard negatives, `H1` to `H13`; the first entry stands for all other organic accounts.
pub const STRATA: [&str; 14] = [
    "other", "H1", "H2", "H3", "H4", "H5", "H6", "H7", "H8", "H9", "H10", "H11", "H12", "H13",
];

/// Index into [`STRATA`]; 0 for none and for names that are not in it.
pub(super) fn stratum_index(name: Option<&str>) -> u8 {
    name.and_then(|name| STRATA.iter().position(|stratum| *stratum == name))
        .map_or(0, |index| index as u8)
}

/// Counts of organic accounts active in the window. Ever in the whole window, not per day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Organic {
    /// Accounts with at least one organic request in the window.
    pub accounts: u64,
    /// Of these, ever watched, or more.
    pub watched: u64,
    /// Ever asked to verify, or more.
    pub stepped_up: u64,
    /// Ever acted on: restricted or more.
    pub acted: u64,
    /// Their requests.
    pub requests: u64,
    /// Requests that came while their account was restricted.
    pub requests_refused: u64,
    /// Requests that came while their account was asked to verify, or restricted.
    pub requests_stepped_up: u64,
}

impl Organic {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            accounts: self.accounts + other.accounts,
            watched: self.watched + other.watched,
            stepped_up: self.stepped_up + other.stepped_up,
            acted: self.acted + other.acted,
            requests: self.requests + other.requests,
            requests_refused: self.requests_refused + other.requests_refused,
            requests_stepped_up: self.requests_stepped_up + other.requests_stepped_up,
        }
    }
    /// Share of accounts ever acted on; 0 where there are none.
    pub fn acted_share(&self) -> f64 {
        super::intervals::share(self.acted, self.accounts)
    }
}
