//! Contexts come and go: streams, ticks and root contexts that a newer configuration replaced.
use weir_engine::time::Timestamp;

use crate::attributes::Attributes;
use crate::state::Root;
use crate::stream_state::StreamState;
use crate::vm::Vm;

impl Vm {
    /// A new stream of the current root. The guest learns of it when headers arrive.
    pub(crate) fn open_stream(&mut self, attributes: Attributes) -> u32 {
        let root = self.root;
        let state = self.store.data_mut();
        let id = state.next_context;
        state.next_context = id.wrapping_add(1);
        let stream = StreamState::new(root, state.now, attributes);
        state.streams.insert(id, Box::new(stream));
        id
    }
    pub(super) fn create_context(&mut self, id: u32) {
        let Some(stream) = self.stream_mut(id).filter(|stream| !stream.in_vm) else {
            return;
        };
        stream.in_vm = true;
        let root = stream.root;
        if let Some(create) = self.exports.context_create.clone() {
            // A trap here shows in the headers callback that follows.
            let _ = self.enter(&create, id, (id, root));
            self.run_deferred();
        }
    }
    /// `on_log`, `on_done`, `on_delete`, then the stream is gone.
    pub(crate) fn close_stream(&mut self, id: u32) -> Option<Box<StreamState>> {
        self.create_context(id);
        if let Some(stream) = self.stream_mut(id) {
            stream.logging = true;
        }
        if let Some(log) = self.exports.log.clone() {
            let _ = self.enter(&log, id, id);
            self.run_deferred();
        }
        if let Some(stream) = self.stream_mut(id) {
            stream.logging = false;
        }
        if let Some(done) = self.exports.done.clone() {
            // Envoy deletes a stream's context whatever it answers.
            let _ = self.enter(&done, id, id);
            self.run_deferred();
        }
        self.delete_context(id);
        let stream = self.store.data_mut().streams.remove(&id);
        if let Some(root) = stream.as_ref().map(|stream| stream.root)
            && root != self.root
        {
            self.end_retired_roots();
        }
        stream
    }
    fn delete_context(&mut self, id: u32) {
        if let Some(delete) = self.exports.delete.clone() {
            let _ = self.enter(&delete, id, id);
            self.run_deferred();
        }
    }
    /// New streams belong to `root`; the one before ends with its last stream.
    pub(crate) fn switch_root(&mut self, root: u32) {
        let before = std::mem::replace(&mut self.root, root);
        if let Some(old) = self.root_mut(before) {
            old.retired = true;
            old.tick_period = None;
            old.next_tick = None;
        }
        self.end_retired_roots();
    }
    /// Takes back a root whose configuration was refused.
    pub(crate) fn discard_root(&mut self, refused: impl Fn(&Root) -> bool) {
        let ids: Vec<u32> = self
            .store
            .data()
            .roots
            .iter()
            .filter(|root| refused(root))
            .map(|root| root.id)
            .collect();
        for id in ids {
            self.delete_context(id);
            self.store.data_mut().roots.retain(|root| root.id != id);
        }
    }
    fn end_retired_roots(&mut self) {
        let state = self.store.data();
        let idle = |root: &&Root| {
            root.retired
                && !root.done_pending
                && !state.streams.values().any(|stream| stream.root == root.id)
        };
        let ids: Vec<u32> = state
            .roots
            .iter()
            .filter(idle)
            .map(|root| root.id)
            .collect();
        for id in ids {
            let done = match self.exports.done.clone() {
                Some(done) => self.enter(&done, id, id).unwrap_or(1),
                None => 1,
            };
            self.run_deferred();
            match self.root_mut(id) {
                Some(root) if done == 0 => root.done_pending = true,
                _ => self.end_root(id),
            }
        }
    }
    /// The last that a root context hears.
    pub(crate) fn end_root(&mut self, id: u32) {
        self.delete_context(id);
        let state = self.store.data_mut();
        state.roots.retain(|root| root.id != id);
        state.callouts.cancel_root(id);
    }
    fn root_mut(&mut self, id: u32) -> Option<&mut Root> {
        self.store
            .data_mut()
            .roots
            .iter_mut()
            .find(|root| root.id == id)
    }

    /// Calls `proxy_on_tick` of every root whose timer is due and arms it again from `now`.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        let due: Vec<u32> = self
            .store
            .data()
            .roots
            .iter()
            .filter(|root| root.next_tick.is_some_and(|at| at <= now))
            .map(|root| root.id)
            .collect();
        for id in due {
            if let Some(tick) = self.exports.tick.clone() {
                let _ = self.enter(&tick, id, id);
                self.run_deferred();
            }
            if let Some(root) = self.root_mut(id) {
                root.next_tick = root.tick_period.map(|period| after(now, period));
            }
        }
    }
    /// The earliest time at which a timer is due.
    pub(crate) fn next_tick(&self) -> Option<Timestamp> {
        match self.failure {
            Some(_) => None,
            None => self
                .store
                .data()
                .roots
                .iter()
                .filter_map(|root| root.next_tick)
                .min(),
        }
    }
}

/// `now` + `period`, at the end of time at most.
pub(crate) fn after(now: Timestamp, period: std::time::Duration) -> Timestamp {
    let period = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
    Timestamp::from_unix_nanos(now.as_unix_nanos().saturating_add(period))
}
