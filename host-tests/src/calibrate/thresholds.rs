//! Proposes `detection.thresholds` from the decisions of a period in which nobody was acted on.
//!
//! The wanted rate is of accounts over the period, so an account counts by the largest score that it had
//! while it was judged. A threshold is the lowest above which so few accounts came that the wanted rate
//! is held with 95 % confidence (Wilks 1941; [`exact`]). That holds where accounts are independent of one
//! another, and for accounts and periods like these.
//!
//! Who of them is innocent is not known. Nobody is taken for guilty unless somebody has looked and said
//! so ([`Asked::confirmed`]); everybody else counts as innocent, and beside the proposal stands what it
//! would be if a share of them were not.
mod effect;
pub mod exact;
mod history;
mod notes;
mod period;
mod proposal;
mod report;
mod table;

pub use history::Cuts;
pub use period::{BadDecision, Period};
pub use proposal::{Asked, Refusal, propose};
pub use report::{
    Assumption, Counted, CutReport, Effect, Found, Note, Proposal, Report, StateEffect,
};
pub use table::{table, yaml};
