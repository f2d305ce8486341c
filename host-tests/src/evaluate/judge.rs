//! What is judged: anything that takes observations and has a standing for every account.
use weir_engine::detect::{Detector, Observation, Standing};
use weir_engine::time::Timestamp;

/// A detector as the evaluation drives it.
pub trait Judge {
    /// Takes one exchange; exchanges come in time order.
    fn observe(&mut self, observation: &Observation);
    /// Does everything that is due until `now`.
    fn advance(&mut self, now: Timestamp);
    /// Appends the accounts whose standing changed since the last call.
    fn take_changed(&mut self, out: &mut Vec<(u64, Standing)>);
    /// Bytes that it holds.
    fn memory_bytes(&self) -> usize;
}

impl Judge for Detector {
    fn observe(&mut self, observation: &Observation) {
        Self::observe(self, observation);
    }
    fn advance(&mut self, now: Timestamp) {
        while !Self::advance(self, now, usize::MAX) {}
    }
    fn take_changed(&mut self, out: &mut Vec<(u64, Standing)>) {
        Self::take_changed(self, out, usize::MAX);
    }
    fn memory_bytes(&self) -> usize {
        Self::memory_bytes(self)
    }
}
