//! Contexts come and go: streams, ticks and root contexts that nobody holds any more.
use weir_engine::time::Timestamp;

use crate::attributes::Attributes;
use crate::state::Root;
use crate::stream_state::StreamState;
use crate::vm::Vm;

impl Vm {
    /// A new stream of `root`. The guest learns of it when headers arrive. `skips`: never.
    pub(crate) fn open_stream(&mut self, root: u32, skips: bool, attributes: Attributes) -> u32 {
        let state = self.store.data_mut();
        let id = state.next_context;
        state.next_context = id.wrapping_add(1);
        let mut stream = StreamState::new(root, state.now, attributes);
        stream.skips_filter = skips;
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
        if self
            .stream_mut(id)
            .is_some_and(|stream| stream.skips_filter)
        {
            return self.remove_stream(id);
        }
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
        self.remove_stream(id)
    }
    /// The stream is gone, without any call.
    pub(crate) fn remove_stream(&mut self, id: u32) -> Option<Box<StreamState>> {
        let stream = self.store.data_mut().streams.remove(&id)?;
        self.end_root_if_unused(stream.root);
        Some(stream)
    }
    fn delete_context(&mut self, id: u32) {
        if let Some(delete) = self.exports.delete.clone() {
            let _ = self.enter(&delete, id, id);
            self.run_deferred();
        }
        self.store
            .data_mut()
            .declarations
            .retain(|(context, _), _| *context != id);
    }
    /// One plugin more uses `root`.
    pub(crate) fn hold_root(&mut self, root: u32) {
        if let Some(root) = self.root_mut(root) {
            root.holders += 1;
        }
    }
    /// One plugin less uses `root`, which ends with its last stream if nobody else does.
    pub(crate) fn release_root(&mut self, root: u32) {
        if let Some(root) = self.root_mut(root) {
            root.holders = root.holders.saturating_sub(1);
        }
        self.end_root_if_unused(root);
    }
    fn end_root_if_unused(&mut self, id: u32) {
        let state = self.store.data();
        let unused =
            |root: &Root| root.id == id && root.started && root.holders == 0 && !root.done_pending;
        if state.roots.iter().any(unused) && !state.streams.values().any(|stream| stream.root == id)
        {
            self.ask_root_to_end(id);
        }
    }
    fn ask_root_to_end(&mut self, id: u32) {
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
    /// Whether any plugin or stream still uses this VM.
    pub(crate) fn is_used(&self) -> bool {
        let state = self.store.data();
        !state.streams.is_empty() || state.roots.iter().any(|root| root.holders > 0)
    }
    /// The VM goes: roots that were never asked to end are asked now. Those that wait for `proxy_done` hear nothing.
    pub(crate) fn shut_down(&mut self) {
        let ids: Vec<u32> = self
            .store
            .data()
            .roots
            .iter()
            .filter(|root| !root.done_pending)
            .map(|root| root.id)
            .collect();
        for id in ids {
            self.ask_root_to_end(id);
        }
        self.counted = None;
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
