//! Cases: what a policy promises, in phases of traffic, time and reloads, held against it on any host.
//!
//! A file names a policy and cases (`docs/policy-tests.md`). The same cases run on the engine itself
//! ([`native`]), on the plugin in our host ([`wasm`]) and in a real Envoy ([`envoy`]); what two hosts make of one
//! case must not differ. It is not a load test and not a replay: every exchange is written down.
mod clock;
mod condition;
pub mod coverage;
mod document;
pub mod envoy;
mod expectation;
pub mod junit;
mod merge;
mod message;
pub mod native;
mod policy;
mod reader;
pub mod report;
mod run;
mod seen;
pub mod suite;
pub mod wasm;
pub mod watch;

use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use weir_engine::policy::Deployment;
use weir_engine::time::Timestamp;

pub use expectation::Expectation;
pub use message::{Answer, HeaderValue, Request};
pub use reader::{Mistakes, START, read};
pub use run::{HostFault, Ran, Runner, Status, Unmet, run};
pub use seen::{Asked, Detail, Seen};

/// A case, ready for any host.
#[derive(Debug)]
pub struct Case {
    /// The promise that it shows.
    pub name: String,
    /// Where it stands.
    pub file: PathBuf,
    /// Line of the file.
    pub line: usize,
    /// When it begins, on hosts whose clock can be set.
    pub start: Timestamp,
    /// The case says itself when it begins, so its verdicts depend on the date.
    pub sets_clock: bool,
    /// The policy of its file.
    pub base: Arc<CasePolicy>,
    /// The policy that it begins with.
    pub policy: Arc<CasePolicy>,
    /// What happens.
    pub phases: Vec<Phase>,
}

/// A policy as cases use it.
#[derive(Debug)]
pub struct CasePolicy {
    /// The file that it came from.
    pub name: String,
    /// The document.
    pub value: Value,
    /// The plugin's configuration.
    pub json: String,
    /// Compiled: one policy, or one and its candidate.
    pub deployment: Arc<Deployment>,
}

/// One thing that happens, and what is expected of it.
#[derive(Debug)]
pub struct Phase {
    /// Line of the file.
    pub line: usize,
    /// What happens.
    pub step: Step,
    /// What must be seen.
    pub expect: Option<Expectation>,
}

/// One thing that happens.
#[derive(Debug)]
pub enum Step {
    /// Requests.
    Send {
        /// What is sent.
        request: Box<Request>,
        /// What the upstream answers.
        answer: Answer,
        /// How often, at least once.
        times: u32,
        /// From one to the next.
        every: Duration,
    },
    /// Requests that are under way until the case ends, because the upstream does not answer.
    Hold {
        /// What is sent.
        request: Box<Request>,
        /// How many.
        times: u32,
    },
    /// Time passes.
    Wait(Duration),
    /// Another policy takes over; counters stay.
    Policy(Arc<CasePolicy>),
    /// Nothing; counters are looked at.
    Look,
}
