//! Cases on the engine itself: the reference that every host is compared with.
use super::clock::{REPORT, TICK, ticks};
use super::message::{Answer, Request};
use super::run::{HostFault, Runner};
use super::{Asked, Case, CasePolicy, Seen};
use crate::weir::VM_ID;
use crate::{Host, SharedDataStore};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use weir_engine::denial::Denial;
use weir_engine::detect::sentinel::Sentinel;
use weir_engine::evaluate::Body;
use weir_engine::exchange::{Answer as Verdict, Forward};
use weir_engine::guard::Guards;
use weir_engine::hash::HashKey;
use weir_engine::identity::NoProperties;
use weir_engine::ledger::Ledger;
use weir_engine::policy::{Deployment, Policy};
use weir_engine::time::Timestamp;
use weir_engine::trial::Trial;
use weir_envoy::Stats;

/// The key of identity hashes, the same on every host whose randomness can be set.
pub(super) const KEY: [u8; 16] = [0; 16];
/// Envoy's reads.
pub(super) const PIECE: usize = 16 << 10;
/// Buckets that one tick writes, as in the plugin.
const BUCKETS_PER_TICK: usize = 128;
/// Ticks between two looks at guards, as in the plugin.
const TICKS_PER_LOOK: u32 = 10;
/// The labels of `weir_exchanges` and what of a decision they tell, in the plugin's order.
const LABELS: [(&str, &str); 7] = [
    ("action", "action"),
    ("would", "would_action"),
    ("basis", "basis"),
    ("tier", "tier"),
    ("endpoint", "endpoint"),
    ("mode", "mode"),
    ("state", "state"),
];

/// One worker's engine, with a store of its own.
pub struct Native {
    deployment: Arc<Deployment>,
    guards: Guards,
    /// Of the configuration that runs.
    ticks: u32,
    key: HashKey,
    ledger: Ledger,
    store: SharedDataStore,
    sentinel: Option<Sentinel>,
    now: Timestamp,
    number: u64,
    counted: BTreeMap<String, u64>,
    /// Exchanges that are under way.
    held: Vec<Trial>,
}

impl Native {
    /// An engine for `case`; nothing but its memory comes from `host`.
    ///
    /// # Errors
    /// The store's own.
    pub fn new(case: &Case, host: &Host) -> Result<Self, HostFault> {
        let mut this = Self {
            guards: Guards::over(&case.policy.deployment, case.start),
            deployment: Arc::clone(&case.policy.deployment),
            ticks: 0,
            key: HashKey::new(KEY),
            ledger: Ledger::new(case.policy.deployment.current.layout()),
            store: host.store(VM_ID),
            sentinel: None,
            now: case.start,
            number: 0,
            counted: BTreeMap::new(),
            held: Vec::new(),
        };
        this.begin()?;
        Ok(this)
    }

    /// Detection begins with the first policy that wants it and goes on as it began; guards look at what is known of
    /// them. As in the plugin.
    fn begin(&mut self) -> Result<(), HostFault> {
        let wanted = self.deployment.policies().find_map(Policy::detection);
        if let (Some(detection), None) = (wanted, &self.sentinel) {
            let started = Sentinel::start(detection, 1, &mut self.store);
            self.sentinel = Some(started.map_err(HostFault::of)?);
        }
        self.ticks = 0;
        self.look();
        Ok(())
    }

    fn look(&mut self) {
        if self.guards.are_any() {
            // Counters that cannot be reached are looked at again.
            let _ = self.guards.look(self.now, &mut self.store);
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.saturating_add(time);
        for at in ticks(self.now, time) {
            self.now = at;
            self.ledger.flush(BUCKETS_PER_TICK, at, &mut self.store);
            if let Some(sentinel) = &mut self.sentinel {
                sentinel.tick(at, self.number > 0, &mut self.store);
            }
            self.ticks = self.ticks.wrapping_add(1);
            if self.ticks.is_multiple_of(TICKS_PER_LOOK) {
                self.look();
            }
        }
        self.now = end;
    }

    fn next_headers(&mut self, request: &Request) -> Vec<(String, String)> {
        self.number = self.number.saturating_add(1);
        request.header_lines(self.now, self.number)
    }

    fn decide(&mut self, request: &Request, headers: &[(String, String)]) -> (Trial, Verdict) {
        let (deployment, began) = (Arc::clone(&self.deployment), self.now);
        let pairs = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let mut trial = Trial::begin(
            &deployment,
            &self.guards,
            &self.key,
            pairs,
            &NoProperties,
            began,
        );
        let policy = trial.policy(&deployment);
        let body = match request.body.get(..policy.max_body()) {
            _ if !trial.needs_body() => Body::Whole(&[]),
            Some(prefix) if prefix.len() < request.body.len() => Body::Prefix(prefix),
            _ => Body::Whole(&request.body),
        };
        if let (Some(sentinel), Some(account)) = (&mut self.sentinel, trial.suspect()) {
            trial
                .exchange_mut()
                .stands(sentinel.standing(account, began, &mut self.store));
        }
        let ledger = &mut self.ledger;
        let verdict = trial.decide(&deployment, &self.key, body, ledger, &mut self.store);
        (trial, verdict)
    }

    /// The request as it goes on, held for as long as it has to be.
    fn forward(
        &mut self,
        forward: Forward,
        max_body: usize,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Asked {
        let mut headers: Vec<(String, String)> = headers.to_vec();
        headers
            .retain(|(name, _)| !name.starts_with(':') && !forward.remove_headers.contains(name));
        if let Some(delay) = forward.delay {
            let ticks = delay.as_nanos().div_ceil(TICK.as_nanos());
            self.pass(TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX)));
        }
        let body = match forward.body {
            // What lies beyond the part that was read stays as it is.
            Some(changed) => {
                let rest = body.get(max_body..).unwrap_or_default();
                [changed.as_slice(), rest].concat()
            }
            None => body.to_vec(),
        };
        Asked { headers, body }
    }

    /// The response on its way to the client.
    fn respond(
        &mut self,
        policy: &Policy,
        trial: &mut Trial,
        answer: &Answer,
        seen: &mut Seen,
    ) -> bool {
        let lines = answer.header_lines();
        let pairs = lines
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        seen.status = answer.status;
        seen.headers.clone_from(&answer.headers);
        let exchange = trial.exchange_mut();
        if exchange.needs_response_head(policy) {
            let changes = exchange.response_head(policy, pairs);
            if let Some(denial) = changes.reply {
                reply(denial, seen);
                return false;
            }
            seen.headers.retain(|(name, _)| {
                let is_set = changes.set.iter().any(|(set, _)| set == name);
                !is_set && !changes.remove.contains(&name.as_str())
            });
            let set = changes.set.into_iter();
            seen.headers
                .extend(set.map(|(name, value)| (name.to_owned(), value)));
        }
        let pieces = answer.body.chunks(PIECE).map(|piece| (piece, false));
        let end = (!answer.body.is_empty()).then_some((&[][..], true));
        for (piece, ends) in pieces.chain(end) {
            if ends {
                trial.response_ended(self.now, &mut self.ledger, &mut self.store);
            }
            let exchange = trial.exchange_mut();
            let changed = match exchange.reads_response() {
                true => exchange.response(piece, ends),
                false => None,
            };
            seen.body.extend(changed.unwrap_or_else(|| piece.to_vec()));
        }
        true
    }

    fn count(&mut self, decision: &Value) {
        let mut name = String::from("wasmcustom.");
        for (label, field) in LABELS {
            let value = decision.get(field).and_then(Value::as_str);
            let value = value.unwrap_or("none");
            name.push_str(&format!("{label}=.={value};.;"));
        }
        name.push_str("weir_exchanges");
        let count = self.counted.entry(name).or_default();
        *count = count.saturating_add(1);
    }
}

fn reply(denial: Denial, seen: &mut Seen) {
    seen.status = denial.status;
    let headers = denial.headers.into_iter();
    seen.headers = headers
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    seen.body = denial.body.into_bytes();
}

impl Runner for Native {
    fn exchange(&mut self, request: &Request, answer: &Answer) -> Result<Seen, HostFault> {
        let began = self.now;
        let headers = self.next_headers(request);
        let deployment = Arc::clone(&self.deployment);
        let (mut trial, verdict) = self.decide(request, &headers);
        let policy = trial.policy(&deployment);
        let mut seen = Seen::default();
        let mut ended = true;
        match verdict {
            Verdict::Reply(denial) => reply(denial, &mut seen),
            Verdict::Forward(forward) => {
                seen.upstream =
                    Some(self.forward(forward, policy.max_body(), &headers, &request.body));
                seen.held = self.now.saturating_since(began);
                ended = self.respond(policy, &mut trial, answer, &mut seen);
            }
        }
        let status = trial
            .needs_status(&self.guards, ended)
            .then_some(seen.status);
        let finished = trial.finish(
            &deployment,
            &mut self.guards,
            ended,
            status,
            self.now,
            &mut self.ledger,
            &mut self.store,
        );
        if let Some(finished) = finished {
            seen.decision = serde_json::from_str(&finished.decision).map_err(HostFault::of)?;
            self.count(&seen.decision);
            if let (Some(sentinel), Some(observation)) = (&mut self.sentinel, &finished.observation)
            {
                sentinel.observe(observation, self.now, &mut self.store);
            }
        }
        Ok(seen)
    }

    fn hold(&mut self, request: &Request) -> Result<(), HostFault> {
        let headers = self.next_headers(request);
        let (trial, verdict) = self.decide(request, &headers);
        if let Verdict::Reply(_) = verdict {
            return Err(HostFault::not_held());
        }
        self.held.push(trial);
        Ok(())
    }

    fn wait(&mut self, time: Duration) -> Result<(), HostFault> {
        self.pass(time);
        Ok(())
    }

    fn reload(&mut self, policy: &CasePolicy) -> Result<(), HostFault> {
        self.deployment = Arc::clone(&policy.deployment);
        self.guards = Guards::over(&self.deployment, self.now);
        self.begin()
    }

    fn metrics(&mut self, _enough: &dyn Fn(&Stats) -> bool) -> Result<Stats, HostFault> {
        self.pass(REPORT);
        Ok(Stats::new(self.counted.clone()))
    }

    /// Metrics are the plugin's. How often what was decided follows from decisions, so that one is counted here too.
    fn counts(&self, metric: &str) -> bool {
        metric == "weir_exchanges"
    }
}
