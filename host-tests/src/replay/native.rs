//! Decides with the engine itself: the reference that the plugin is compared with.
use super::Decider;
use super::recorded::request_headers;
use crate::SharedDataStore;
use crate::trace::TraceLine;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use weir_engine::evaluate::Body;
use weir_engine::exchange::Exchange;
use weir_engine::hash::HashKey;
use weir_engine::ledger::Ledger;
use weir_engine::policy::Policy;
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
}

impl NativeDecider {
    /// An engine under `policy`; `key` is what the host's randomness would give a plugin.
    pub fn new(policy: Arc<Policy>, key: HashKey, store: SharedDataStore) -> Self {
        let ledger = Ledger::new(policy.layout());
        Self {
            policy,
            key,
            ledger,
            store,
            flushed: Timestamp::default(),
        }
    }
}

impl Decider for NativeDecider {
    type Error = Infallible;
    type Report = ();

    fn decide(
        &mut self,
        line: u64,
        recorded: &TraceLine<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Infallible> {
        let now = recorded.time;
        if now.saturating_since(self.flushed) >= FLUSH_PERIOD {
            self.ledger.flush(BUCKETS_PER_FLUSH, now, &mut self.store);
            self.flushed = now;
        }
        let headers = request_headers(line, recorded);
        let pairs = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let mut exchange = Exchange::begin(&self.policy, &self.key, pairs, now);
        let body = match recorded.body.get(..self.policy.max_body()) {
            Some(prefix) if prefix.len() < recorded.body.len() => Body::Prefix(prefix),
            _ => Body::Whole(&recorded.body),
        };
        let denial = exchange.decide(
            &self.policy,
            &self.key,
            body,
            &mut self.ledger,
            &mut self.store,
        );
        let response = recorded.response.as_ref().filter(|_| denial.is_none());
        if let Some(response) = response {
            exchange.response(&response.body);
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
        }
        Ok(())
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
