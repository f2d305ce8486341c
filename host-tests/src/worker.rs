//! One worker thread of the proxy: its VM, its clock and its streams.
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use weir_engine::time::Timestamp;

use crate::attributes::Attributes;
use crate::flow::lifecycle::after;
use crate::hostcall::HostcallCounts;
use crate::outcome::{End, Outcome};
use crate::plugin::{FailurePolicy, LoadError, Plugin};
use crate::stream::{Stream, StreamId};
use crate::stream_state::StreamState;
use crate::vm::Vm;

/// A VM of its own for one thread; `Send`, so that each runs on its own.
///
/// Envoy's main thread has a VM too, which ticks and serves no streams: start one worker more and only
/// tell it the time.
pub struct Worker {
    plugin: Plugin,
    vm: Vm,
    now: Timestamp,
    loaded_at: Timestamp,
    /// Counts the VMs of this worker.
    generation: u32,
    /// Streams that outlived their VM.
    orphans: HashMap<StreamId, Box<StreamState>>,
    hostcalls_before: HostcallCounts,
    entries_before: u64,
    fuel_before: u64,
}

impl Worker {
    pub(crate) fn start(plugin: Plugin) -> Result<Self, LoadError> {
        let now = plugin.0.host.0.config.start;
        let vm = Vm::start(&plugin, plugin.next_vm(), now)?;
        Ok(Self {
            plugin,
            vm,
            now,
            loaded_at: now,
            generation: 0,
            orphans: HashMap::new(),
            hostcalls_before: HostcallCounts::default(),
            entries_before: 0,
            fuel_before: 0,
        })
    }

    /// The time that the guest sees. It does not run timers.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        self.vm.store.data_mut().now = now;
    }
    /// The time that the guest sees.
    pub const fn now(&self) -> Timestamp {
        self.now
    }
    /// Sets the time and runs each timer that is due, once; it is armed again from `now`.
    pub fn tick(&mut self, now: Timestamp) {
        self.set_now(now);
        self.vm.tick(now);
    }
    /// The earliest time at which [`Worker::tick`] does something; `None` without timers.
    pub fn next_tick(&self) -> Option<Timestamp> {
        self.vm.next_tick()
    }
    /// Runs every timer and answers every callout up to `now` at its own time, then sets the time to `now`.
    ///
    /// A guest that ticks often makes a long jump expensive: one call per period and timer.
    pub fn advance_to(&mut self, now: Timestamp) {
        while let Some(due) = self.next_event().filter(|due| *due <= now) {
            self.run_next_event(due);
        }
        self.set_now(now);
    }

    /// Opens a stream with the default [`Attributes`].
    pub fn stream(&mut self) -> Stream<'_> {
        self.stream_with(Attributes::default())
    }
    /// Opens a stream. Under [`FailurePolicy::Reload`] this is where a failed VM is replaced.
    pub fn stream_with(&mut self, attributes: Attributes) -> Stream<'_> {
        self.reload_if_failed();
        let context = self.vm.open_stream(attributes);
        let id = StreamId {
            generation: self.generation,
            context,
        };
        Stream { worker: self, id }
    }
    /// A stream that was opened and not closed.
    pub fn resume_stream(&mut self, id: StreamId) -> Option<Stream<'_>> {
        self.stream_state(id)?;
        Some(Stream { worker: self, id })
    }

    /// Moves to another configuration of the same VM: a new root context for new streams, while the old
    /// one ends with its last stream.
    ///
    /// # Errors
    /// [`LoadError::OtherVm`], or what the guest said; the old configuration stays then.
    pub fn reconfigure(&mut self, plugin: &Plugin) -> Result<(), LoadError> {
        if !self.plugin.shares_vm_with(plugin) {
            return Err(LoadError::OtherVm);
        }
        let settings = Arc::clone(&plugin.0.settings);
        match self.vm.start_root(&settings) {
            Ok(root) => self.vm.switch_root(root),
            Err(refusal) => {
                self.vm.discard_root(|root| root.configuring);
                return Err(refusal);
            }
        }
        self.plugin = plugin.clone();
        Ok(())
    }

    /// How often the guest made each hostcall since the worker started.
    pub fn hostcalls(&self) -> HostcallCounts {
        let mut sum = self.hostcalls_before.clone();
        sum.add(&self.vm.store.data().hostcalls);
        sum
    }
    /// How often the host called the guest since the worker started.
    pub const fn vm_entries(&self) -> u64 {
        self.entries_before + self.vm.entries
    }
    /// Fuel that the guest burnt since the worker started, about a unit for each instruction; a pure function of
    /// its input. `None` unless [`crate::HostConfig::fuel`] is set.
    pub fn fuel(&self) -> Option<u64> {
        self.vm.fuel().map(|fuel| self.fuel_before + fuel)
    }
    /// Bytes of the VM's linear memory, which never shrinks.
    pub fn memory_bytes(&self) -> u64 {
        self.vm.memory_bytes()
    }
    /// Why the VM no longer answers; `None` while it is well.
    pub fn failure(&self) -> Option<&str> {
        self.vm.failure.as_deref()
    }
    /// How often a failed VM was replaced.
    pub const fn reloads(&self) -> u32 {
        self.generation
    }
    /// Streams that are open.
    pub fn open_streams(&self) -> usize {
        self.vm.store.data().streams.len() + self.orphans.len()
    }

    pub(crate) const fn generation(&self) -> u32 {
        self.generation
    }
    pub(crate) const fn vm(&self) -> &Vm {
        &self.vm
    }
    pub(crate) const fn vm_mut(&mut self) -> &mut Vm {
        &mut self.vm
    }
    pub(crate) fn stream_state(&self, id: StreamId) -> Option<&StreamState> {
        if id.generation == self.generation {
            self.vm
                .store
                .data()
                .streams
                .get(&id.context)
                .map(|stream| &**stream)
        } else {
            self.orphans.get(&id).map(|stream| &**stream)
        }
    }
    pub(crate) fn stream_state_mut(&mut self, id: StreamId) -> Option<&mut StreamState> {
        if id.generation == self.generation {
            self.vm.stream_mut(id.context)
        } else {
            self.orphans.get_mut(&id).map(|stream| &mut **stream)
        }
    }
    pub(crate) fn close_stream(&mut self, id: StreamId) -> Outcome {
        let closed = if id.generation == self.generation {
            self.vm.close_stream(id.context)
        } else {
            self.orphans.remove(&id)
        };
        match closed {
            Some(stream) => Outcome::of(stream),
            None => Outcome {
                end: End::Left,
                downstream: crate::outcome::Sent::default(),
                upstream: crate::outcome::Sent::default(),
                details: String::new(),
                filter_state: Vec::new(),
                log: Vec::new(),
            },
        }
    }

    fn reload_if_failed(&mut self) {
        let FailurePolicy::Reload { backoff } = self.plugin.config().failure_policy else {
            return;
        };
        if self.vm.failure.is_none() {
            return;
        }
        if self.now < after(self.loaded_at, backoff.max(Duration::from_nanos(1))) {
            return self.count("vm_reload_backoff");
        }
        self.loaded_at = self.now;
        self.count("vm_reload");
        match Vm::start(&self.plugin, self.plugin.next_vm(), self.now) {
            Ok(vm) => {
                self.count("vm_reload_success");
                self.replace(vm);
            }
            Err(_) => self.count("vm_reload_failure"),
        }
    }
    fn replace(&mut self, vm: Vm) {
        let mut old = std::mem::replace(&mut self.vm, vm);
        self.fuel_before += old.fuel().unwrap_or_default();
        let state = old.store.data_mut();
        self.hostcalls_before.add(&state.hostcalls);
        self.entries_before += old.entries;
        for (context, stream) in state.streams.drain() {
            self.orphans.insert(
                StreamId {
                    generation: self.generation,
                    context,
                },
                stream,
            );
        }
        self.generation += 1;
    }
    fn count(&self, event: &str) {
        let stats = &self.plugin.0.host.0.stats;
        stats.count(format!("wasm.{}.{event}", self.plugin.config().name));
    }
}
