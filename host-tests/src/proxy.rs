//! A whole proxy: a main thread, workers, and plugins that each filter a listener of their own.
//!
//! Everything happens in an order that depends on nothing but the calls made: plugins come up in the order in which
//! they are given, each in a canary, then on the main thread, then on every worker. What is due at the same
//! time happens on the main thread first, then worker by worker; on a thread VM by VM in the order of their
//! start, and in a VM root context by root context. (In Envoy threads race.)
use std::sync::Arc;
use std::time::Duration;

use weir_engine::time::Timestamp;

use crate::attributes::Attributes;
use crate::exchange::Exchange;
use crate::flow::lifecycle::after;
use crate::handle::HandleId;
use crate::host::Host;
use crate::load_error::LoadError;
use crate::outcome::Outcome;
use crate::plugin::{Plugin, PluginConfig};
use crate::stream::{Stream, StreamId};
use crate::worker::Worker;

/// Rounds in which threads wake one another before time has to pass.
const MOST_ROUNDS: u32 = 20;
/// Events of one thread at one time.
const MOST_AT_ONCE: u32 = 10_000;

/// A plugin to load. Its name is its listener's too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The module: binary, or WAT text.
    pub code: Arc<[u8]>,
    /// The configuration.
    pub config: PluginConfig,
}

/// How a proxy is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyConfig {
    /// Worker threads (`--concurrency`); the main thread comes on top.
    pub workers: usize,
    /// How long an old listener keeps its streams and its timers after an update (`--drain-time-s`).
    pub drain_time: Duration,
}

impl Default for ProxyConfig {
    /// One worker, and Envoy's drain time.
    fn default() -> Self {
        Self {
            workers: 1,
            drain_time: Duration::from_secs(600),
        }
    }
}

/// A listener that an update did not put into place.
#[derive(Debug, thiserror::Error)]
#[error("listener {listener} keeps what it had")]
pub struct Refused {
    /// Its name.
    pub listener: String,
    /// Why.
    #[source]
    pub why: LoadError,
}

/// Names an open stream of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProxyStreamId {
    /// Index of the worker that serves it.
    pub worker: usize,
    /// The stream there.
    pub stream: StreamId,
}

struct Listener {
    plugin: Plugin,
    handle: HandleId,
}

struct Draining {
    until: Timestamp,
    handle: HandleId,
}

/// One proxy process that runs.
pub struct Proxy {
    host: Host,
    config: ProxyConfig,
    now: Timestamp,
    /// The main thread first.
    threads: Vec<Worker>,
    listeners: Vec<Listener>,
    draining: Vec<Draining>,
    next_handle: u32,
}

impl Proxy {
    /// Starts with these plugins.
    ///
    /// # Errors
    /// The first plugin that is refused: Envoy would not start.
    pub fn start(
        host: &Host,
        config: ProxyConfig,
        filters: Vec<Filter>,
    ) -> Result<Self, LoadError> {
        let now = host.0.config.start;
        let mut proxy = Self {
            host: host.clone(),
            config,
            now,
            threads: (0..=config.workers).map(|_| Worker::empty(now)).collect(),
            listeners: Vec::new(),
            draining: Vec::new(),
            next_handle: 0,
        };
        for filter in filters {
            let listener = proxy.listen(&filter)?;
            proxy.listeners.push(listener);
        }
        Ok(proxy)
    }
    /// Tries a plugin in a canary and brings it up on every thread. Where it does not come up on a thread,
    /// streams pass unfiltered there, as in Envoy.
    fn listen(&mut self, filter: &Filter) -> Result<Listener, LoadError> {
        let plugin = Plugin::load(&self.host, &filter.code, filter.config.clone())?;
        let handle = HandleId(self.next_handle);
        self.next_handle = self.next_handle.wrapping_add(1);
        for thread in &mut self.threads {
            // What the guest said against it is in its log, and Envoy goes on.
            let _ = thread.attach(&plugin, handle);
        }
        self.settle();
        Ok(Listener { plugin, handle })
    }

    /// The listeners become those of `filters`. One whose plugin did not change stays as it is. A changed or missing
    /// one is drained: it takes no new streams, while its plugin serves those it has and ticks on; after the
    /// drain time its streams are cut and its plugin ends. What is refused keeps what it had.
    pub fn reconfigure(&mut self, filters: &[Filter]) -> Vec<Refused> {
        let mut refused = Vec::new();
        let mut before = std::mem::take(&mut self.listeners);
        for filter in filters {
            let name = &filter.config.name;
            let old = before
                .iter()
                .position(|listener| listener.plugin.config().name == *name)
                .map(|at| before.remove(at));
            if let Some(listener) = old.as_ref().filter(|old| old.plugin.is_of(filter)) {
                self.listeners.push(Listener {
                    plugin: listener.plugin.clone(),
                    handle: listener.handle,
                });
                continue;
            }
            match self.listen(filter) {
                Ok(listener) => {
                    self.listeners.push(listener);
                    self.drain(old);
                }
                Err(why) => {
                    refused.push(Refused {
                        listener: name.clone(),
                        why,
                    });
                    self.listeners.extend(old);
                }
            }
        }
        for listener in before {
            self.drain(Some(listener));
        }
        refused
    }
    fn drain(&mut self, old: Option<Listener>) {
        self.draining.extend(old.map(|old| Draining {
            until: after(self.now, self.config.drain_time),
            handle: old.handle,
        }));
    }

    /// The time.
    pub const fn now(&self) -> Timestamp {
        self.now
    }
    /// The earliest time at which something happens by itself.
    pub fn next_event(&self) -> Option<Timestamp> {
        let events = self.threads.iter().filter_map(Worker::next_event);
        let drained = self.draining.iter().map(|listener| listener.until);
        events.chain(drained).min()
    }
    /// Runs everything up to `now` at its own time, then sets the time to `now`. Guests that keep one another busy
    /// without any time passing are left to it after 10,000 events of a thread.
    pub fn advance_to(&mut self, now: Timestamp) {
        while let Some(due) = self.next_event().filter(|due| *due <= now) {
            let restless = due <= self.now;
            self.set_now(due.max(self.now));
            if !self.run_due() && restless {
                break;
            }
        }
        self.set_now(now.max(self.now));
        self.settle();
    }
    /// Runs what is due first, at `due`, and nothing else that is due then.
    pub(crate) fn run_one(&mut self, due: Timestamp) {
        if self.draining.iter().any(|old| old.until <= due) {
            return self.advance_to(due);
        }
        self.set_now(due.max(self.now));
        let now = self.now;
        let first = self
            .threads
            .iter_mut()
            .find(|thread| thread.next_event().is_some_and(|due| due <= now));
        if let Some(thread) = first {
            thread.run_next_event(now);
        }
        self.settle();
    }
    fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        for thread in &mut self.threads {
            thread.set_now(now);
        }
    }
    /// Drained listeners go before timers run. False where a thread does not come to rest.
    fn run_due(&mut self) -> bool {
        let now = self.now;
        while let Some(at) = self.draining.iter().position(|old| old.until <= now) {
            let old = self.draining.remove(at);
            for thread in &mut self.threads {
                thread.cut_streams(
                    old.handle,
                    "downstream_local_disconnect(filter_chain_is_being_removed)",
                );
                thread.detach(old.handle);
            }
        }
        for thread in &mut self.threads {
            for _ in 0..MOST_AT_ONCE {
                match thread.next_event() {
                    Some(due) if due <= now => thread.run_next_event(due),
                    _ => break,
                }
            }
        }
        self.settle();
        self.next_event().is_none_or(|due| due > now)
    }
    /// Everything that threads have sent one another arrives; whether anything did.
    pub(crate) fn settle(&mut self) -> bool {
        let mut any = false;
        // Each queue that fills may fill another; one that fills itself for ever is left to the next time.
        for _ in 0..MOST_ROUNDS {
            let arrived = self.threads.iter_mut().map(Worker::run_posted);
            if arrived.filter(|arrived| *arrived).count() == 0 {
                break;
            }
            any = true;
        }
        any
    }

    /// Opens a stream on a plugin's listener at a worker; `None` where one of the two does not exist.
    pub fn stream(&mut self, listener: &str, worker: usize) -> Option<Stream<'_>> {
        self.stream_with(listener, worker, Attributes::default())
    }
    /// [`Proxy::stream`] with attributes.
    pub fn stream_with(
        &mut self,
        listener: &str,
        worker: usize,
        attributes: Attributes,
    ) -> Option<Stream<'_>> {
        let handle = self.handle(listener)?;
        let thread = self.threads.get_mut(worker.checked_add(1)?)?;
        Some(thread.stream_of(handle, attributes))
    }
    /// A stream that was opened and not closed.
    pub fn resume_stream(&mut self, id: ProxyStreamId) -> Option<Stream<'_>> {
        self.worker(id.worker)?.resume_stream(id.stream)
    }
    /// Runs a whole exchange on a plugin's listener at a worker; `None` where one of the two does not exist.
    pub fn exchange(
        &mut self,
        listener: &str,
        worker: usize,
        exchange: &Exchange,
    ) -> Option<Outcome> {
        let handle = self.handle(listener)?;
        let thread = self.threads.get_mut(worker.checked_add(1)?)?;
        let outcome = thread.exchange_of(handle, exchange);
        let now = thread.now();
        self.advance_to(now);
        Some(outcome)
    }
    fn handle(&self, listener: &str) -> Option<HandleId> {
        self.listeners
            .iter()
            .find(|own| own.plugin.config().name == listener)
            .map(|own| own.handle)
    }
    /// A worker by its index.
    pub fn worker(&mut self, worker: usize) -> Option<&mut Worker> {
        self.threads.get_mut(worker.checked_add(1)?)
    }
    /// The main thread, whose VMs tick and serve no streams.
    pub fn main_thread(&mut self) -> Option<&mut Worker> {
        self.threads.first_mut()
    }
    /// The process ends: every worker's streams are cut, then its plugins end, the last one first; the main thread
    /// comes last.
    pub fn shut_down(mut self) {
        let handles: Vec<HandleId> = (0..self.next_handle).rev().map(HandleId).collect();
        for thread in self.threads.iter_mut().skip(1) {
            thread.end(&handles);
        }
        if let Some(main) = self.threads.first_mut() {
            main.end(&handles);
        }
    }
}

impl Worker {
    fn end(&mut self, handles: &[HandleId]) {
        for handle in handles {
            self.cut_streams(*handle, "downstream_local_disconnect");
        }
        for handle in handles {
            self.detach(*handle);
        }
    }
}
