//! One worker thread of the proxy: its VMs, its clock and its streams.
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use weir_engine::time::Timestamp;

use crate::attributes::Attributes;
use crate::base::Base;
use crate::handle::{Handle, HandleId};
use crate::hostcall::HostcallCounts;
use crate::load_error::LoadError;
use crate::outcome::{End, Outcome, Sent};
use crate::plugin::Plugin;
use crate::stream::{Stream, StreamId};
use crate::stream_state::StreamState;
use crate::vm::Vm;

/// One thread; `Send`, so that each runs on its own.
///
/// [`Plugin::worker`] makes one that runs a single plugin. Envoy's main thread has VMs too, which tick
/// and serve no streams: a [`crate::Proxy`] has one, or start one worker more and only tell it the time.
pub struct Worker {
    now: Timestamp,
    /// In the order of their start, numbered through; a number is never used again.
    vms: BTreeMap<u32, (Arc<Base>, Vm)>,
    started_vms: u32,
    pub(crate) handles: BTreeMap<HandleId, Handle>,
    /// The plugin of [`Worker::stream`].
    pub(crate) current: HandleId,
    pub(crate) reloads: u32,
    /// Streams that were cut and whose outcome nobody has asked for yet.
    cut: HashMap<StreamId, Box<StreamState>>,
    gone: Gone,
}

/// What VMs did that do not exist any more.
#[derive(Default)]
struct Gone {
    hostcalls: HostcallCounts,
    entries: u64,
    fuel: u64,
}

impl Worker {
    pub(crate) fn empty(now: Timestamp) -> Self {
        Self {
            now,
            vms: BTreeMap::new(),
            started_vms: 0,
            handles: BTreeMap::new(),
            current: HandleId(0),
            reloads: 0,
            cut: HashMap::new(),
            gone: Gone::default(),
        }
    }
    pub(crate) fn start(plugin: &Plugin) -> Result<Self, LoadError> {
        let mut worker = Self::empty(plugin.0.host.0.config.start);
        worker.attach(plugin, worker.current)?;
        Ok(worker)
    }

    /// The time that the guest sees. It does not run timers.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        for vm in self.vms_mut() {
            vm.store.data_mut().now = now;
        }
    }
    /// The time that the guest sees.
    pub const fn now(&self) -> Timestamp {
        self.now
    }
    /// Sets the time and runs each timer that is due, once; it is armed again from `now`. VMs in the order
    /// of their start, in each root contexts likewise.
    pub fn tick(&mut self, now: Timestamp) {
        self.set_now(now);
        let numbers: Vec<u32> = self.vms.keys().copied().collect();
        for number in numbers {
            if self.hangs() {
                return;
            }
            if let Some(vm) = self.vm_mut(number) {
                vm.tick(now);
            }
        }
    }
    /// The earliest time at which [`Worker::tick`] does something; `None` without timers.
    pub fn next_tick(&self) -> Option<Timestamp> {
        if self.hangs() {
            return None;
        }
        self.vms.values().filter_map(|(_, vm)| vm.next_tick()).min()
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
    /// Opens a stream. Under [`crate::FailurePolicy::Reload`] this is where a failed VM is replaced.
    pub fn stream_with(&mut self, attributes: Attributes) -> Stream<'_> {
        self.stream_of(self.current, attributes)
    }
    /// A stream that was opened and not closed.
    pub fn resume_stream(&mut self, id: StreamId) -> Option<Stream<'_>> {
        self.stream_state(id)?;
        Some(Stream { worker: self, id })
    }

    /// Moves to another configuration or another plugin: new streams get it, while the old root context ends with
    /// its last stream, and an old VM with its last root context.
    ///
    /// # Errors
    /// What the guest said; the old configuration stays then.
    pub fn reconfigure(&mut self, plugin: &Plugin) -> Result<(), LoadError> {
        let next = HandleId(self.current.0.wrapping_add(1));
        if let Err(refusal) = self.attach(plugin, next) {
            self.detach(next);
            return Err(refusal);
        }
        self.detach(self.current);
        self.current = next;
        Ok(())
    }

    /// How often the guest made each hostcall since the worker started.
    pub fn hostcalls(&self) -> HostcallCounts {
        let mut sum = self.gone.hostcalls.clone();
        for (_, vm) in self.vms.values() {
            sum.add(&vm.store.data().hostcalls);
        }
        sum
    }
    /// How often the host called the guest since the worker started.
    pub fn vm_entries(&self) -> u64 {
        let living: u64 = self.vms.values().map(|(_, vm)| vm.entries).sum();
        self.gone.entries + living
    }
    /// Fuel that the guest burnt since the worker started, about a unit for each instruction; a pure function of
    /// its input. `None` unless [`crate::HostConfig::fuel`] is set.
    pub fn fuel(&self) -> Option<u64> {
        self.vms
            .values()
            .try_fold(self.gone.fuel, |sum, (_, vm)| Some(sum + vm.fuel()?))
    }
    /// Bytes of all VMs' linear memory, which never shrinks.
    pub fn memory_bytes(&self) -> u64 {
        self.vms.values().map(|(_, vm)| vm.memory_bytes()).sum()
    }
    /// Why the plugin's VM no longer answers; `None` while it is well.
    pub fn failure(&self) -> Option<&str> {
        let handle = self.handles.get(&self.current)?;
        let (_, vm) = self.vms.get(&handle.vm)?;
        vm.failure.as_ref().map(|failure| failure.reason.as_str())
    }
    /// Whether a call of a guest never returned: nothing moves on this thread any more.
    pub fn hangs(&self) -> bool {
        self.vms.values().any(|(_, vm)| vm.hangs())
    }
    /// How often a failed VM was replaced.
    pub const fn reloads(&self) -> u32 {
        self.reloads
    }
    /// Streams that are open.
    pub fn open_streams(&self) -> usize {
        self.vms
            .values()
            .map(|(_, vm)| vm.store.data().streams.len())
            .sum::<usize>()
            + self.cut.len()
    }

    pub(crate) fn vm(&self, number: u32) -> Option<&Vm> {
        self.vms.get(&number).map(|(_, vm)| vm)
    }
    pub(crate) fn vm_mut(&mut self, number: u32) -> Option<&mut Vm> {
        self.vms.get_mut(&number).map(|(_, vm)| vm)
    }
    pub(crate) fn vms(&self) -> impl Iterator<Item = (u32, &Vm)> {
        self.vms.iter().map(|(number, (_, vm))| (*number, vm))
    }
    pub(crate) fn vms_mut(&mut self) -> impl Iterator<Item = &mut Vm> {
        self.vms.values_mut().map(|(_, vm)| vm)
    }
    /// The VM of `base` that is well, started if there is none.
    pub(crate) fn vm_of(&mut self, base: &Arc<Base>) -> Result<u32, LoadError> {
        let living = |(_, (own, vm)): &(&u32, &(Arc<Base>, Vm))| {
            Arc::ptr_eq(own, base) && vm.failure.is_none()
        };
        if let Some((number, _)) = self.vms.iter().find(living) {
            return Ok(*number);
        }
        let before = self
            .vms
            .values()
            .rev()
            .find(|(own, _)| Arc::ptr_eq(own, base));
        let inbox = before.map(|(_, vm)| vm.store.data().inbox.clone());
        let mut vm = base.start_vm(self.now)?;
        if let Some(inbox) = inbox {
            // Envoy posts to whatever VM the thread has under that key.
            vm.store.data_mut().inbox = inbox;
        }
        let number = self.started_vms;
        self.started_vms = number.wrapping_add(1);
        self.vms.insert(number, (Arc::clone(base), vm));
        Ok(number)
    }
    /// Lets VMs go that no plugin and no stream uses.
    pub(crate) fn drop_unused_vms(&mut self) {
        let unused: Vec<u32> = self
            .vms
            .iter()
            .filter(|(number, (_, vm))| {
                !vm.is_used() && !self.handles.values().any(|handle| handle.vm == **number)
            })
            .map(|(number, _)| *number)
            .collect();
        for number in unused {
            let Some((_, mut vm)) = self.vms.remove(&number) else {
                continue;
            };
            vm.shut_down();
            self.gone.hostcalls.add(&vm.store.data().hostcalls);
            self.gone.entries += vm.entries;
            self.gone.fuel += vm.fuel().unwrap_or_default();
        }
    }
    pub(crate) fn stream_state(&self, id: StreamId) -> Option<&StreamState> {
        let open = self
            .vm(id.vm)
            .and_then(|vm| vm.store.data().streams.get(&id.context));
        open.or_else(|| self.cut.get(&id)).map(|stream| &**stream)
    }
    pub(crate) fn stream_state_mut(&mut self, id: StreamId) -> Option<&mut StreamState> {
        self.vm_mut(id.vm)?.stream_mut(id.context)
    }
    /// The connections of a plugin's streams are closed; the streams end in the order in which they began.
    pub(crate) fn cut_streams(&mut self, handle: HandleId, details: &str) {
        let Some((number, root)) = self
            .handles
            .get(&handle)
            .map(|handle| (handle.vm, handle.root))
        else {
            return;
        };
        let Some(vm) = self.vm_mut(number) else {
            return;
        };
        let streams = &vm.store.data().streams;
        let mut open: Vec<u32> = streams
            .iter()
            .filter(|(_, stream)| stream.root == root)
            .map(|(id, _)| *id)
            .collect();
        open.sort_unstable();
        for context in open {
            let id = StreamId {
                vm: number,
                context,
            };
            if let Some(stream) = self.stream_state_mut(id) {
                stream.reset(details);
            }
            if let Some(stream) = self.end_stream(id) {
                self.cut.insert(id, stream);
            }
        }
    }
    fn end_stream(&mut self, id: StreamId) -> Option<Box<StreamState>> {
        let hangs = self.hangs();
        let vm = self.vm_mut(id.vm)?;
        match hangs {
            true => vm.store.data_mut().streams.remove(&id.context),
            false => vm.close_stream(id.context),
        }
    }
    pub(crate) fn close_stream(&mut self, id: StreamId) -> Outcome {
        let closed = match self.cut.remove(&id) {
            Some(stream) => Some(stream),
            None => self.end_stream(id),
        };
        if !self.hangs() {
            self.drop_unused_vms();
        }
        match closed {
            Some(stream) => Outcome::of(stream),
            None => Outcome {
                end: End::Left,
                code: None,
                downstream: Sent::default(),
                upstream: Sent::default(),
                details: String::new(),
                details_told: false,
                filter_state: Vec::new(),
                log: Vec::new(),
            },
        }
    }
}
