//! The same scenarios in our host and in a real Envoy, and what differs.
//!
//! [`run_in_host`] and [`run_in_envoy`] each turn a [`crate::scenario::Scenario`] into an
//! [`crate::scenario::Observation`], [`differences`] compares the two, [`CHECKLIST`] says what has to be
//! shown, and [`random`] makes scenarios that nobody thought of. Nothing in here decides what Envoy does.
mod checklist;
mod compare;
mod in_envoy;
mod in_host;
mod normal;
pub mod random;
mod report;

pub use checklist::{CHECKLIST, Item};
pub use compare::{Difference, differences};
pub use in_envoy::{EnvoyRun, EnvoyRunError, SharedEnvoy, run_in_envoy};
pub use in_host::{Modules, RunError, run_in_host, run_in_host_with};
pub use report::{Compared, Different, RandomReport, Report, Skipped};
