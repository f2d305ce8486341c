//! Judges the detector: drives a world through it with the truth kept outside, and counts.
//!
//! A [`run()`] of one seed feeds [`Exchanges`] to a [`Judge`]; a [`Scoreboard`] keeps a fixed-size
//! record for each account and turns them into a [`SeedScore`]; [`Summary::of`] pools seeds. Whether
//! a request is an attack is known only here, never to a judge. Baselines see the same observations.
mod ablations;
mod account;
pub mod baselines;
mod calibration;
mod campaign;
mod compare;
mod exchanges;
mod experiment;
#[cfg(test)]
mod fixture;
mod flood;
mod html;
mod intervals;
mod judge;
mod organic;
mod reading;
mod reasons;
mod report;
mod run;
mod score;
mod seeds;
mod simulated;
mod summary;
mod sweep;
mod table;
mod targets;
mod through;
mod truth;

pub use ablations::ablations;
pub use calibration::{Bin, Calibration};
pub use campaign::{CampaignScore, Milestone};
pub use compare::{Comparison, MATCHED_RATE};
pub use exchanges::{Campaign, Exchanges, Window};
pub use experiment::{Plan, Setup, experiment};
pub use flood::{Flood, Flooding};
pub use html::html;
pub use intervals::{Cluster, Interval, cluster_bootstrap, wilson};
pub use judge::Judge;
pub use organic::{Organic, STRATA};
pub use reading::{Reading, SizeClass, reading};
pub use reasons::{Properties, Reasons, property_of};
pub use report::{HISTOGRAM, Report, RunReport};
pub use run::{Cost, Lane, Loop, SeedRun, run};
pub use score::{DayPoint, Scoreboard, SeedScore};
pub use seeds::{Seeds, in_parallel};
pub use simulated::{Simulated, SimulatedSetup};
pub use summary::{CurvePoint, Family, OrganicRate, Precision, RATES, Summary, curve, operate};
pub use sweep::{History, Operating, Sweep};
pub use table::table;
pub use targets::{Target, targets};
pub use through::{Agreement, Decides, Difference, Each, PluginCost, Through, ThroughError};
