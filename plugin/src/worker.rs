//! What one VM (one worker thread) keeps across streams and across reloads of the policy.
//!
//! A changed policy makes a new root context in the same VM; counters that wait, the hash key and the
//! metrics' ids outlive it here.
use crate::{
    delay::Delays,
    hostcalls::{self, Level},
    metrics::Metrics,
    store::SharedData,
};
use std::cell::RefCell;
use weir_engine::{
    decision,
    detect::{
        Observation, Standing, State,
        sentinel::{Sentinel, SentinelStats},
    },
    evaluate::Evaluation,
    hash::HashKey,
    identity::Head,
    ledger::{Ledger, LedgerStats},
    policy::{Arm, Deployment, Detection, Policy},
    store::{CounterStore, StoreError, Swap},
    table::Layout,
    time::Timestamp,
    trial::Trial,
    usage::Usage,
    verdict::Rule,
};

/// Shared key of the hash key; every VM of the process uses the same one.
const HASH_KEY: &[u8] = b"weir.key";
/// Buckets whose waiting settlements one tick writes: about 3 us each, so a tick stays below a millisecond.
const BUCKETS_PER_TICK: usize = 128;

/// Ticks between two reports of metrics: 5 s, as often as Envoy itself flushes stats, so that a quiet
/// worker does not spend more calls on counting than on deciding.
const TICKS_PER_REPORT: u32 = 50;

/// Exchanges of which one gives its token counts to the histograms: each value is a call into the
/// host. Which ones is a matter of chance (their id is a hash), so quantiles stay true; sums are
/// counted exactly, beside them.
const HISTOGRAM_SAMPLE: u128 = 8;

/// One VM's share of the work.
pub(crate) struct Worker {
    /// Key of identity hashes.
    pub(crate) key: HashKey,
    /// Counters.
    pub(crate) ledger: Ledger,
    /// Streams between their head and their log: while there are any, ticks look at the clock.
    pub(crate) open: u32,
    /// Streams that wait before they go on.
    pub(crate) delays: Delays,
    /// Streams came to this VM: it is not the one of Envoy's main thread.
    pub(crate) serves_streams: bool,
    detection: Option<Watch>,
    metrics: Metrics,
    reported: LedgerStats,
    latest: Timestamp,
    ticks: u32,
    /// A disagreement of two policies was told since the last report.
    told_disagreement: bool,
}

/// This VM's part in detection.
struct Watch {
    settings: Detection,
    sentinel: Sentinel,
    reported: SentinelStats,
}

thread_local! {
    static WORKER: RefCell<Option<Worker>> = const { RefCell::new(None) };
}

/// Lets `work` use this VM's worker; `None` before the first policy was accepted.
pub(crate) fn with<R>(work: impl FnOnce(&mut Worker) -> R) -> Option<R> {
    // The host never calls back in while a callback runs, so the borrow is always free.
    WORKER.with(|worker| worker.try_borrow_mut().ok()?.as_mut().map(work))
}

/// Prepares this VM for its first policy; later ones find everything in place.
pub(crate) fn prepare(policy: &Policy) -> Result<(), StoreError> {
    if let Some(running) = with(|worker| worker.ledger.layout) {
        warn_of_other_layout(policy, running);
        return with(|worker| worker.watch(policy)).unwrap_or(Ok(()));
    }
    let mut seed = [0u8; 16];
    hostcalls::random(&mut seed).map_err(|refused| StoreError {
        status: refused.status,
    })?;
    let key = agree(seed)?;
    let layout = policy.layout().agree(&mut SharedData)?;
    warn_of_other_layout(policy, layout);
    let mut worker = Worker {
        key,
        ledger: Ledger::new(layout),
        open: 0,
        delays: Delays::default(),
        serves_streams: false,
        detection: None,
        metrics: Metrics::default(),
        reported: LedgerStats::default(),
        latest: Timestamp::default(),
        ticks: 0,
        told_disagreement: false,
    };
    worker.watch(policy)?;
    WORKER.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut() {
            *slot = Some(worker);
        }
    });
    Ok(())
}

/// The keys of the running layout could never be freed, so it stays.
fn warn_of_other_layout(policy: &Policy, running: Layout) {
    if running != policy.layout() {
        let text = "weir: state.memory differs from the one this process started with and takes effect at the next start";
        hostcalls::log(Level::Warn, text);
    }
}

/// The key that all VMs of the process use: whichever came first.
fn agree(proposal: [u8; 16]) -> Result<HashKey, StoreError> {
    let mut store = SharedData;
    let mut stored = Vec::new();
    if store.get(HASH_KEY, &mut stored)?.is_none() {
        if store.compare_and_swap(HASH_KEY, &proposal, None)? == Swap::Done {
            return Ok(HashKey::new(proposal));
        }
        store.get(HASH_KEY, &mut stored)?;
    }
    let key = stored.try_into().map_err(|_| StoreError { status: 0 })?;
    Ok(HashKey::new(key))
}

impl Worker {
    /// Begins detection where the policy wants it. Once begun, it goes on as it began: its memory in shared
    /// data could never be freed, and what it has learned was learned under its settings.
    fn watch(&mut self, policy: &Policy) -> Result<(), StoreError> {
        let Some(wanted) = policy.detection() else {
            return Ok(());
        };
        if let Some(watch) = &self.detection {
            if watch.settings.differs(wanted) {
                let text = "weir: detection differs from the one this process started with and takes effect at the next start";
                hostcalls::log(Level::Warn, text);
            }
            return Ok(());
        }
        let mut owner = [0u8; 8];
        hostcalls::random(&mut owner).map_err(|refused| StoreError {
            status: refused.status,
        })?;
        let sentinel = Sentinel::start(wanted, u64::from_le_bytes(owner), &mut SharedData)?;
        self.detection = Some(Watch {
            settings: wanted.clone(),
            sentinel,
            reported: SentinelStats::default(),
        });
        Ok(())
    }

    /// What is thought of an account; mostly without a call.
    pub(crate) fn standing(&mut self, account: u64) -> Option<Standing> {
        let (now, watch) = (self.latest, self.detection.as_mut()?);
        Some(watch.sentinel.standing(account, now, &mut SharedData))
    }

    /// Takes what an exchange left for the detector.
    pub(crate) fn observe(&mut self, observation: &Observation) {
        if let Some(watch) = &mut self.detection {
            watch
                .sentinel
                .observe(observation, self.latest, &mut SharedData);
        }
    }

    /// The host's clock; also what `latest` then tells without a call.
    pub(crate) fn now(&mut self) -> Timestamp {
        self.latest = Timestamp::from_unix_nanos(hostcalls::now_unix_nanos());
        self.latest
    }

    /// The time of the last look at the clock: when the latest request came, or a tick ago while any
    /// stream is open.
    pub(crate) fn latest(&self) -> Timestamp {
        self.latest
    }

    /// Counts a finished exchange.
    pub(crate) fn count(
        &mut self,
        policy: &Policy,
        head: &Head,
        evaluation: &Evaluation,
        usage: Option<Usage>,
    ) {
        let verdict = &evaluation.verdict;
        let tier = evaluation
            .tier
            .and_then(|tier| policy.tier_names().nth(tier))
            .unwrap_or("none");
        let endpoint = head.endpoint.name();
        let state = evaluation
            .standing
            .map_or(State::Observe, |standing| standing.state);
        let labels = [
            ("action", verdict.action.name()),
            ("would", verdict.would_action.name()),
            ("basis", verdict.basis.name()),
            ("tier", tier),
            ("endpoint", endpoint),
            ("mode", policy.mode()),
            ("state", state.name()),
        ];
        self.metrics.add("exchanges", &labels, 1);
        let uninspected = match verdict.rule {
            Some(Rule::Oversized) => Some("oversized"),
            Some(Rule::Compressed) => Some("compressed"),
            Some(Rule::Malformed) => Some("malformed"),
            Some(Rule::UnknownEndpoint) => Some("unknown_endpoint"),
            _ => None,
        };
        if let Some(reason) = uninspected {
            self.metrics.add("uninspected", &[("reason", reason)], 1);
        }
        if evaluation.store_failed {
            self.metrics.add("state_failures", &[], 1);
        }
        let Some(usage) = usage else { return };
        let outcome = match usage {
            Usage::Known(_) => "known",
            Usage::Absent => "absent",
            Usage::Unknown => "unknown",
        };
        self.metrics
            .add("usage", &[("outcome", outcome), ("endpoint", endpoint)], 1);
        let Usage::Known(tokens) = usage else { return };
        for (part, tokens) in [("reasoning", tokens.reasoning), ("cached", tokens.cached)] {
            if tokens > 0 {
                let labels = [("part", part), ("endpoint", endpoint)];
                self.metrics
                    .add("token_parts_total", &labels, u64::from(tokens));
            }
        }
        let sampled = head.decision_id % HISTOGRAM_SAMPLE == 0;
        for (direction, tokens) in [("input", tokens.input), ("output", tokens.output)] {
            let labels = [("direction", direction), ("endpoint", endpoint)];
            self.metrics.add("tokens_total", &labels, u64::from(tokens));
            if sampled {
                self.metrics
                    .record("tokens_sampled", &labels, u64::from(tokens));
            }
        }
    }

    /// Counts an exchange that two policies decided on. What they disagree on is counted; one example of it in five
    /// seconds is told in the log, by its decision, which access logs have in full.
    pub(crate) fn count_trial(&mut self, deployment: &Deployment, trial: &Trial) {
        let Some(evaluation) = trial.exchange().evaluation() else {
            return;
        };
        let tier = evaluation
            .tier
            .and_then(|tier| trial.policy(deployment).tier_names().nth(tier))
            .unwrap_or("none");
        let arm = trial.arm().name();
        let action = evaluation.verdict.action.name();
        let labels = [("arm", arm), ("action", action), ("tier", tier)];
        self.metrics.add("rollout_exchanges", &labels, 1);
        let Some(disagreement) = trial.disagreement() else {
            return;
        };
        let (current, candidate) = (disagreement.current.name(), disagreement.candidate.name());
        let labels = [
            ("arm", arm),
            ("current", current),
            ("candidate", candidate),
            ("tier", tier),
        ];
        self.metrics.add("disagreements", &labels, 1);
        if !self.told_disagreement {
            self.told_disagreement = true;
            let decision = decision::id(trial.exchange().head());
            let text = format!(
                "weir: the current policy would {current}, the candidate {candidate}; {arm} acted, decision {decision}"
            );
            hostcalls::log(Level::Info, &text);
        }
    }

    /// Tells whether the guard of an arm has tripped.
    pub(crate) fn tell_guard(&mut self, arm: Arm, tripped: bool) {
        let labels = [("arm", arm.name())];
        self.metrics
            .set("guard_tripped", &labels, u64::from(tripped));
    }

    /// Counts a look at a guard that shared memory refused.
    pub(crate) fn count_guard_failure(&mut self) {
        self.metrics.add("guard_failures", &[], 1);
    }

    /// Delayed streams that may go on now.
    pub(crate) fn due(&mut self) -> Vec<u32> {
        let latest = &mut self.latest;
        self.delays.due(|| {
            *latest = Timestamp::from_unix_nanos(hostcalls::now_unix_nanos());
            *latest
        })
    }

    /// Counts a request or a response that could not be shaped as the policy wants.
    pub(crate) fn count_unshaped(&mut self, part: &str) {
        self.metrics.add("unshaped", &[("part", part)], 1);
    }

    /// Counts a request that was gone before it could be decided.
    pub(crate) fn count_abandoned(&mut self) {
        self.metrics.add("abandoned", &[], 1);
    }

    /// Writes settlements and observations that wait, leads detection if it is this VM's turn, and writes
    /// metrics now and then. True when nothing is left to do before the next tick.
    pub(crate) fn tick(&mut self) -> bool {
        self.settle(BUCKETS_PER_TICK);
        let now = self.detection.is_some().then(|| self.now());
        let serves = self.serves_streams;
        let idle = match (&mut self.detection, now) {
            (Some(watch), Some(now)) => watch.sentinel.tick(now, serves, &mut SharedData),
            _ => true,
        };
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks % TICKS_PER_REPORT == 0 {
            self.report();
        }
        idle
    }

    /// Writes everything that waits.
    pub(crate) fn flush(&mut self) {
        self.settle(usize::MAX);
        if let Some(watch) = &mut self.detection {
            watch.sentinel.flush(self.latest, &mut SharedData);
        }
        self.report();
    }

    /// Looks at the clock only where something waits or is open, but then it must: a window that others
    /// have charged since this worker's last request would seem to lie in the future, and be begun
    /// anew. So whatever is charged or settled is at a time that is a tick old at most.
    fn settle(&mut self, max_buckets: usize) {
        if self.open > 0 || self.ledger.pending() > 0 {
            let now = self.now();
            self.ledger.flush(max_buckets, now, &mut SharedData);
        }
    }

    fn report(&mut self) {
        self.told_disagreement = false;
        let stats = self.ledger.stats();
        let before = std::mem::replace(&mut self.reported, stats);
        for (name, now, then) in [
            ("state_conflicts", stats.conflicts, before.conflicts),
            (
                "state_retries_exhausted",
                stats.retries_exhausted,
                before.retries_exhausted,
            ),
            ("state_evictions", stats.evictions, before.evictions),
            (
                "state_corrupt_buckets",
                stats.corrupt_buckets,
                before.corrupt_buckets,
            ),
            (
                "state_clock_resets",
                stats.clock_resets,
                before.clock_resets,
            ),
            ("state_dropped", stats.dropped, before.dropped),
            ("state_abandoned_leases", stats.abandoned, before.abandoned),
        ] {
            self.metrics.add(name, &[], now.saturating_sub(then));
        }
        self.report_detection();
        self.metrics.flush();
    }

    fn report_detection(&mut self) {
        let Some(watch) = &mut self.detection else {
            return;
        };
        let stats = watch.sentinel.stats();
        let before = std::mem::replace(&mut watch.reported, stats);
        for (name, now, then) in [
            ("detection_observed", stats.observed, before.observed),
            ("detection_lost", stats.lost, before.lost),
            ("detection_shed", stats.shed, before.shed),
            ("detection_late", stats.late, before.late),
            ("detection_judged", stats.judged, before.judged),
            ("detection_passes", stats.passes, before.passes),
            ("detection_published", stats.published, before.published),
            ("detection_evicted", stats.evicted, before.evicted),
            ("detection_corrupt", stats.corrupt, before.corrupt),
            ("detection_failures", stats.failures, before.failures),
        ] {
            self.metrics.add(name, &[], now.saturating_sub(then));
        }
        let states = State::ALL.iter().skip(1).map(|state| state.name());
        for (state, accounts) in states.zip(watch.sentinel.accounts().into_iter().flatten()) {
            self.metrics
                .set("detection_accounts", &[("state", state)], accounts);
        }
    }
}
