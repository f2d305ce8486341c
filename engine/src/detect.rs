//! Finds campaigns: accounts that act as one.
//!
//! Every exchange leaves an [`Observation`]. Observations are fed, in time order, to one [`Detector`],
//! which keeps a record for each account and compares groups of accounts with everybody else. What it
//! thinks of an account is its [`Standing`].
mod account;
mod accounts;
mod detector;
mod emergence;
mod groups;
mod judgement;
mod measures;
pub mod observation;
mod profile;
pub mod prompt;
mod signal;
mod slots;
pub mod standing;
mod suspect;
mod tally;
mod wire;

pub use detector::{Detector, Settings, Surveyed};
pub use emergence::Emergence;
pub use observation::{Observation, Plan, Verification};
pub use profile::{Profile, ProfileError};
pub use prompt::{FieldPrint, PromptPrint, Topics};
pub use signal::Signal;
pub use standing::{Evidence, Standing, State};
