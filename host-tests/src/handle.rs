//! A plugin on one thread: which VM and which root context it has, and what follows when the VM fails.
//!
//! What streams see after a trap, as observed in Envoy 1.40. "Sibling": a stream of the same VM (of any plugin)
//! that was open; "later": one that begins afterwards. The other threads do not notice anything.
//!
//! | trapped in | the stream itself | `Closed`, `Open`, `Reload` | `FailOpen` |
//! |---|---|---|---|
//! | context_create, request headers, body or trailers, response headers | has no answer yet | empty 503, details `wasm_fail_stream` | passes, 200 |
//! | response body, response trailers | has part of its answer | broken off after what was sent | passes, complete |
//! | log, done, delete | is through | nothing changes | nothing changes |
//! | tick, queue_ready, http_call_response, grpc | none | | |
//!
//! | | `Closed` | `Open` | `FailOpen` | `Reload` |
//! |---|---|---|---|---|
//! | siblings, at their next event | 503, or broken off | 503, or broken off | pass | 503, or broken off |
//! | siblings without any event (paused by the filter) | stranded | stranded | stranded | stranded |
//! | later ones | 503 | pass unfiltered | pass unfiltered | 503 within the backoff, else served by a new VM |
//!
//! The guest hears nothing more in a VM that has failed: no log, done or delete of open streams and root contexts,
//! no ticks, messages or answers. What it asked for in a call before it trapped in that call is done nevertheless.
//!
//! Under `Reload` the check is made when a stream begins: within the backoff since the thread's last load of this
//! plugin (also a failed one) it counts `vm_reload_backoff`, else it loads and counts `vm_reload_success`, or
//! `vm_reload_failure` where vm_start or configure trap or answer false: then the failed VM stays. Another plugin of
//! the failed VM reloads for itself and joins the new VM.
//!
//! Where a thread's first start of a plugin fails although the canary was well, the plugin has no VM there: all streams
//! pass unfiltered, whatever the policy, and it is never reloaded. A trap in the root's context_create alone is no such
//! failure (see [`crate::start_up`]): it leaves a VM that has failed, under the policy.
use weir_engine::time::Timestamp;

use crate::attributes::Attributes;
use crate::failure_policy::FailurePolicy;
use crate::flow::lifecycle::after;
use crate::load_error::LoadError;
use crate::plugin::Plugin;
use crate::stream::{Stream, StreamId};
use crate::vm::{Failure, FailureKind};
use crate::worker::Worker;

/// Names a plugin on a thread; the same on all threads of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HandleId(pub(crate) u32);

/// A plugin on this thread.
pub(crate) struct Handle {
    plugin: Plugin,
    pub(crate) vm: u32,
    pub(crate) root: u32,
    /// The first start failed: streams pass unfiltered.
    absent: bool,
    loaded_at: Timestamp,
}

impl Worker {
    /// Brings `plugin` up on this thread: in the VM of its key, with the root context of the same
    /// plugin if that is here already.
    ///
    /// # Errors
    /// What the guest said. Streams of `id` pass unfiltered then, until it is detached.
    pub(crate) fn attach(&mut self, plugin: &Plugin, id: HandleId) -> Result<(), LoadError> {
        let same = self
            .handles
            .values()
            .find(|handle| handle.plugin.is_same_as(plugin));
        let same = same.filter(|handle| !handle.absent && self.is_well(handle.vm));
        if let Some((vm, root)) = same.map(|handle| (handle.vm, handle.root)) {
            self.insert(id, plugin, vm, root, false);
            return Ok(());
        }
        let vm = self.vm_of(&plugin.0.base)?;
        let started = self.start_root(vm, plugin);
        let (root, absent) = started.as_ref().map_or((0, true), |root| (*root, false));
        self.insert(id, plugin, vm, root, absent);
        if absent {
            self.abandon_unused(vm);
        }
        started.map(|_| ())
    }
    fn insert(&mut self, id: HandleId, plugin: &Plugin, vm: u32, root: u32, absent: bool) {
        if let Some(found) = self.vm_mut(vm) {
            found.hold_root(root);
        }
        let handle = Handle {
            plugin: plugin.clone(),
            vm,
            root,
            absent,
            loaded_at: self.now(),
        };
        self.handles.insert(id, handle);
    }
    fn start_root(&mut self, vm: u32, plugin: &Plugin) -> Result<u32, LoadError> {
        match self.vm_mut(vm) {
            Some(vm) => vm.start_root(&plugin.0.settings),
            None => Ok(0),
        }
    }
    fn is_well(&self, vm: u32) -> bool {
        self.vm(vm).is_some_and(|vm| vm.failure.is_none())
    }
    /// A VM in which nothing came up is none for Envoy. Streams that pass by still need a place here.
    fn abandon_unused(&mut self, number: u32) {
        if let Some(vm) = self.vm_mut(number)
            && !vm.is_used()
        {
            vm.shut_down();
            vm.failure.get_or_insert_with(|| Failure {
                reason: "the VM did not start".to_owned(),
                kind: FailureKind::NotStarted,
            });
        }
    }
    /// The plugin serves no more new streams; its root context ends with the last stream that it has.
    pub(crate) fn detach(&mut self, id: HandleId) {
        let Some(handle) = self.handles.remove(&id) else {
            return;
        };
        if !self.hangs()
            && let Some(vm) = self.vm_mut(handle.vm)
        {
            vm.release_root(handle.root);
        }
        if !self.hangs() {
            self.drop_unused_vms();
        }
    }
    /// Opens a stream of a plugin.
    pub(crate) fn stream_of(&mut self, plugin: HandleId, attributes: Attributes) -> Stream<'_> {
        self.reload_if_failed(plugin);
        let (vm, root, skips) = match self.handles.get(&plugin) {
            None => (0, 0, true),
            Some(handle) => {
                let skips = handle.absent
                    || (!self.is_well(handle.vm)
                        && handle.plugin.config().failure_policy.skips_failed_vm());
                (handle.vm, handle.root, skips)
            }
        };
        let context = match self.vm_mut(vm) {
            Some(vm) => vm.open_stream(root, skips, attributes),
            None => 0,
        };
        let id = StreamId { vm, context };
        Stream { worker: self, id }
    }
    fn reload_if_failed(&mut self, id: HandleId) {
        let now = self.now();
        let hangs = self.hangs();
        let Some(handle) = self.handles.get(&id) else {
            return;
        };
        let FailurePolicy::Reload { backoff } = handle.plugin.config().failure_policy else {
            return;
        };
        if hangs || handle.absent || self.is_well(handle.vm) {
            return;
        }
        let (plugin, before, root) = (handle.plugin.clone(), handle.vm, handle.root);
        if now < after(handle.loaded_at, backoff) {
            return count(&plugin, "vm_reload_backoff");
        }
        let reloaded = self.vm_of(&plugin.0.base).and_then(|vm| {
            let root = self.start_root(vm, &plugin);
            self.abandon_unused_unless(root.is_ok(), vm);
            Ok((vm, root?))
        });
        if let Some(handle) = self.handles.get_mut(&id) {
            handle.loaded_at = now;
        }
        match reloaded {
            Ok((vm, new_root)) if self.is_well(vm) => {
                count(&plugin, "vm_reload_success");
                self.reloads += 1;
                if let Some(handle) = self.handles.get_mut(&id) {
                    (handle.vm, handle.root) = (vm, new_root);
                }
                if let Some(vm) = self.vm_mut(vm) {
                    vm.hold_root(new_root);
                }
                if let Some(vm) = self.vm_mut(before) {
                    vm.release_root(root);
                }
            }
            _ => count(&plugin, "vm_reload_failure"),
        }
        self.drop_unused_vms();
    }
    fn abandon_unused_unless(&mut self, started: bool, vm: u32) {
        if !started {
            self.abandon_unused(vm);
        }
    }
}

fn count(plugin: &Plugin, event: &str) {
    let stats = &plugin.0.host.0.stats;
    stats.count(format!("wasm.{}.{event}", plugin.config().name));
}
