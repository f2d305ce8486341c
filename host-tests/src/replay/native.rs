//! Decides with the engine itself: the reference that the plugin is compared with.
use super::Decider;
use super::recorded::request_headers;
use crate::SharedDataStore;
use crate::trace::TraceLine;
use std::sync::Arc;
use std::time::Duration;
use weir_engine::detect::sentinel::Sentinel;
use weir_engine::evaluate::Body;
use weir_engine::exchange::{Answer, Exchange};
use weir_engine::hash::HashKey;
use weir_engine::identity::NoProperties;
use weir_engine::ledger::Ledger;
use weir_engine::policy::Policy;
use weir_engine::store::StoreError;
use weir_engine::time::Timestamp;

/// How often settlements are written, as the plugin does on its ticks.
const FLUSH_PERIOD: Duration = Duration::from_millis(100);
/// Buckets that one flush writes.
const BUCKETS_PER_FLUSH: usize = 128;

/// One worker's engine. Workers share a store, as VMs share their process's memory.
pub struct NativeDecider {
    policy: Arc<Policy>,
    key: HashKey,
    ledger: Ledger,
    store: SharedDataStore,
    flushed: Timestamp,
    /// This worker's part in detection; then the replay calls `tick`.
    sentinel: Option<Sentinel>,
    serves: bool,
}

impl NativeDecider {
    /// An engine under `policy`; `key` is what the host's randomness would give a plugin, and `worker` is
    /// another number for each.
    ///
    /// # Errors
    /// The store's own.
    pub fn new(
        policy: Arc<Policy>,
        key: HashKey,
        mut store: SharedDataStore,
        worker: usize,
    ) -> Result<Self, StoreError> {
        let ledger = Ledger::new(policy.layout());
        let sentinel = match policy.detection() {
            Some(detection) => Some(Sentinel::start(detection, worker as u64 + 1, &mut store)?),
            None => None,
        };
        Ok(Self {
            policy,
            key,
            ledger,
            store,
            flushed: Timestamp::default(),
            sentinel,
            serves: false,
        })
    }
}

impl Decider for NativeDecider {
    type Error = StoreError;
    type Report = ();

    fn decide(
        &mut self,
        line: u64,
        recorded: &TraceLine<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let now = recorded.time;
        self.serves = true;
        if self.sentinel.is_none() && now.saturating_since(self.flushed) >= FLUSH_PERIOD {
            self.ledger.flush(BUCKETS_PER_FLUSH, now, &mut self.store);
            self.flushed = now;
        }
        let headers = request_headers(line, recorded);
        let pairs = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let mut exchange = Exchange::begin(&self.policy, &self.key, pairs, &NoProperties, now);
        let body = match recorded.body.get(..self.policy.max_body()) {
            Some(prefix) if prefix.len() < recorded.body.len() => Body::Prefix(prefix),
            _ => Body::Whole(&recorded.body),
        };
        if let (Some(sentinel), Some(account)) = (&mut self.sentinel, exchange.suspect()) {
            exchange.stands(sentinel.standing(account, now, &mut self.store));
        }
        let answer = exchange.decide(
            &self.policy,
            &self.key,
            body,
            &mut self.ledger,
            &mut self.store,
        );
        let is_forwarded = matches!(answer, Answer::Forward(_));
        let response = recorded.response.as_ref().filter(|_| is_forwarded);
        if let Some(response) = response {
            exchange.response(&response.body, true);
        }
        if let Some(finished) = exchange.finish(
            &self.policy,
            response.is_some(),
            response.map(|response| response.status),
            now,
            &mut self.ledger,
            &mut self.store,
        ) {
            out.extend_from_slice(finished.decision.as_bytes());
            if let (Some(sentinel), Some(observation)) = (&mut self.sentinel, &finished.observation)
            {
                sentinel.observe(observation, now, &mut self.store);
            }
        }
        Ok(())
    }

    fn tick(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        self.ledger.flush(BUCKETS_PER_FLUSH, now, &mut self.store);
        self.flushed = now;
        let serves = self.serves;
        let sentinel = self.sentinel.as_mut();
        Ok(sentinel.is_none_or(|sentinel| sentinel.tick(now, serves, &mut self.store)))
    }

    fn report(mut self) {
        // Only a conflict with another worker leaves something; 256 in a row do not happen.
        for _ in 0..256 {
            if self.ledger.flush(usize::MAX, self.flushed, &mut self.store) == 0 {
                return;
            }
        }
    }
}
