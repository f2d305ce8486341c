//! Walks a case through a host, phase by phase.
use super::message::{Answer, Request};
use super::{Case, CasePolicy, Phase, Seen, Step};
use std::time::Duration;
use weir_envoy::Stats;

/// A host that a case runs on, from its first policy to its end.
pub trait Runner {
    /// Sends one request and sees it to its end.
    ///
    /// # Errors
    /// The host itself broke; a refused request is no error.
    fn exchange(&mut self, request: &Request, answer: &Answer) -> Result<Seen, HostFault>;
    /// Sends one request that stays under way until the case ends; the upstream does not answer it.
    ///
    /// # Errors
    /// As for [`Self::exchange`], and where the request does not reach the upstream.
    fn hold(&mut self, request: &Request) -> Result<(), HostFault>;
    /// Lets time pass.
    ///
    /// # Errors
    /// As for [`Self::exchange`].
    fn wait(&mut self, time: Duration) -> Result<(), HostFault>;
    /// Another policy takes over; what was counted stays.
    ///
    /// # Errors
    /// The host does not take a policy that the engine takes.
    fn reload(&mut self, policy: &CasePolicy) -> Result<(), HostFault>;
    /// The counters of the case so far, `enough` of which says whether they tell what is waited for.
    ///
    /// # Errors
    /// As for [`Self::exchange`].
    fn metrics(&mut self, enough: &dyn Fn(&Stats) -> bool) -> Result<Stats, HostFault>;
    /// Whether this host counts a metric at all.
    fn counts(&self, metric: &str) -> bool {
        let _ = metric;
        true
    }
    /// Why the phase, and with it the rest of the case, cannot be run here; `None` where it can.
    fn cannot(&self, phase: &Phase) -> Option<String> {
        let _ = phase;
        None
    }
}

/// A host broke, which is no verdict on the policy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HostFault(pub String);

impl HostFault {
    /// A request that was to be under way has been answered by the policy.
    pub(super) fn not_held() -> Self {
        Self("a request that the upstream was not to answer was refused".to_owned())
    }

    /// With an error and what it came from.
    pub(super) fn of(error: impl std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        Self(text)
    }
}

/// How a case went on one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything was as expected.
    Passed,
    /// Something was not.
    Failed,
    /// What could be run passed; the rest could not be.
    Partly,
    /// Nothing could be run.
    Skipped,
}

impl Status {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Partly => "partly",
            Self::Skipped => "skipped",
        }
    }
}

/// Something that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Line of the phase.
    pub line: usize,
    /// What was expected and what was seen.
    pub what: String,
}

/// What a case came to on one host.
#[derive(Debug, Default)]
pub struct Ran {
    /// What was not as expected.
    pub unmet: Vec<Unmet>,
    /// The exchanges of each phase that ran.
    pub phases: Vec<Vec<Seen>>,
    /// Why the rest was not run, if it was not.
    pub skipped: Option<String>,
}

impl Ran {
    /// Nothing of the case.
    pub fn skipped(reason: String) -> Self {
        Self {
            skipped: Some(reason),
            ..Self::default()
        }
    }

    /// How it went.
    pub fn status(&self) -> Status {
        if !self.unmet.is_empty() {
            Status::Failed
        } else if self.skipped.is_none() {
            Status::Passed
        } else if self.phases.iter().any(|phase| !phase.is_empty()) {
            Status::Partly
        } else {
            Status::Skipped
        }
    }
}

/// Runs `case` on a host that has begun with its policy. A host that breaks fails the case.
pub fn run(case: &Case, runner: &mut dyn Runner) -> Ran {
    let mut ran = Ran::default();
    for phase in &case.phases {
        if let Some(reason) = runner.cannot(phase) {
            ran.skipped = Some(format!("line {}: {reason}", phase.line));
            break;
        }
        if let Err(fault) = self::phase(phase, runner, &mut ran) {
            ran.unmet.push(Unmet {
                line: phase.line,
                what: format!("the host failed: {fault}"),
            });
            break;
        }
    }
    ran
}

fn phase(phase: &Phase, runner: &mut dyn Runner, ran: &mut Ran) -> Result<(), HostFault> {
    let mut all = Vec::new();
    match &phase.step {
        Step::Send {
            request,
            answer,
            times,
            every,
        } => {
            let (mut first, mut failing) = (None, 0_u32);
            for number in 0..*times {
                if number > 0 && !every.is_zero() {
                    runner.wait(*every)?;
                }
                let seen = runner.exchange(request, answer)?;
                let unmet = phase.expect.as_ref().map(|expect| expect.unmet(&seen));
                all.push(seen);
                let Some(unmet) = unmet.filter(|unmet| !unmet.is_empty()) else {
                    continue;
                };
                failing = failing.saturating_add(1);
                first.get_or_insert((number, unmet));
            }
            if let Some((number, unmet)) = first {
                let which = match times {
                    1 => String::new(),
                    times => format!(
                        "request {} of {times}, the first of {failing}: ",
                        number.saturating_add(1)
                    ),
                };
                ran.unmet.extend(unmet.into_iter().map(|what| Unmet {
                    line: phase.line,
                    what: format!("{which}{what}"),
                }));
            }
        }
        Step::Hold { request, times } => {
            for _ in 0..*times {
                runner.hold(request)?;
            }
        }
        Step::Wait(time) => runner.wait(*time)?,
        Step::Policy(policy) => runner.reload(policy)?,
        Step::Look => {}
    }
    ran.phases.push(all);
    if let Some(expect) = phase
        .expect
        .as_ref()
        .filter(|expect| expect.looks_at_metrics())
    {
        let stats = runner.metrics(&|stats| expect.unmet_metrics(stats, |_| true).is_empty())?;
        let unmet = expect.unmet_metrics(&stats, |metric| runner.counts(metric));
        ran.unmet.extend(unmet.into_iter().map(|what| Unmet {
            line: phase.line,
            what,
        }));
    }
    Ok(())
}
