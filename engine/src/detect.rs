//! Finds campaigns: accounts that act as one.
//!
//! Every exchange leaves an [`Observation`]. Observations are fed, in time order, to one [`Detector`],
//! which keeps a record for each account and compares groups of accounts with everybody else. What it
//! thinks of an account is its [`Standing`].
pub mod observation;
pub mod prompt;
pub mod standing;
mod wire;

pub use observation::{Observation, Plan, Verification};
pub use prompt::{FieldPrint, PromptPrint, Topics};
pub use standing::{Evidence, Signal, Standing, State};
