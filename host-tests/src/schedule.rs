//! Workers interleaved on purpose: every order of their hostcalls, or many orders by a seed.
//!
//! A race between workers shows once in a million exchanges on real threads. Here workers run on threads
//! of their own, but only one moves at a time: before each hostcall that touches what the process shares
//! (shared data, queues, metrics) its thread hands the baton on, and the exploration says who goes on. What
//! lies between two such calls touches nothing that others see, so all behaviours are among the orders
//! of these calls. An order is explored by running it from the start with a process of its own (stateless
//! search: Godefroid, *Model Checking for Programming Languages using VeriSoft*, POPL 1997), depth first
//! or as a random walk, with a bound on preemptions if one is wanted (Musuvathi and Qadeer,
//! *Iterative Context Bounding for Systematic Testing of Multithreaded Programs*, PLDI 2007).
//!
//! Hostcalls never block, so workers that wait for one another do so by asking again and again. An order
//! that is longer than [`Exploration::max_steps`] is continued fairly, one worker after the other, as
//! often again: if it does not end then either, nobody gets out, and that is a [`Failure::Livelock`]. A
//! guest that makes no hostcall at all is ended by [`crate::HostConfig::hang_limit`].
//!
//! ```
//! use weir_host::schedule::{Exploration, Failure, Run, Schedule};
//! use weir_host::{Exchange, Host, HostConfig, Plugin, PluginConfig};
//!
//! // Counts requests in shared data, and loses one where two workers read before either writes.
//! let guest = br#"(module
//!   (import "env" "proxy_get_shared_data" (func $get (param i32 i32 i32 i32 i32) (result i32)))
//!   (import "env" "proxy_set_shared_data" (func $set (param i32 i32 i32 i32 i32) (result i32)))
//!   (memory (export "memory") 1)
//!   (func (export "proxy_abi_version_0_2_1"))
//!   (func (export "malloc") (param i32) (result i32) (i32.const 64))
//!   (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
//!     (i32.store8 (i32.const 64) (i32.const 0))
//!     (drop (call $get (i32.const 0) (i32.const 1) (i32.const 8) (i32.const 12) (i32.const 16)))
//!     (i32.store8 (i32.const 64) (i32.add (i32.load8_u (i32.const 64)) (i32.const 1)))
//!     (call $set (i32.const 0) (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 0))))"#;
//! let schedule = Schedule::default();
//! let host = Host::new(HostConfig { schedule: Some(schedule.clone()), ..HostConfig::default() })?;
//! let plugin = Plugin::load(&host, guest, PluginConfig::named("count"))?;
//!
//! let explored = schedule.explore(&Exploration::exhaustive(), || {
//!     let (host, plugin) = plugin.in_new_process()?;
//!     let mut run = Run::new();
//!     for _ in 0..2 {
//!         run = run.worker(plugin.worker()?, |worker| {
//!             worker.exchange(&Exchange::get("/"));
//!         });
//!     }
//!     Ok(run.then(move || match host.shared_data("") {
//!         data if data[0].1 == [2] => Ok(()),
//!         _ => Err("a request was not counted".into()),
//!     }))
//! })?;
//!
//! let found = explored.failure.expect("an order that loses an update");
//! assert_eq!(found.failure, Failure::Broken("a request was not counted".into()));
//! assert_eq!(found.order.to_string(), "0 1 1 0"); // both read before either writes
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
mod baton;
mod exploration;
mod order;
mod search;

pub use exploration::{Exploration, Explored, Failing, Failure, Run, Search};
pub use order::{Order, Step};

use std::sync::Arc;

use crate::hostcall::Hostcall;

/// Ties hosts to explorations: goes into [`crate::HostConfig::schedule`]. Clones are the same schedule.
///
/// Calls from threads that no exploration started pass at once.
#[derive(Clone, Default)]
pub struct Schedule(Arc<baton::Baton>);

/// The order was given up; the guest's call ends as a trap.
pub(crate) struct GivenUp;

impl Schedule {
    /// Lets the others have their turn before this thread's worker makes a hostcall that they can see.
    pub(crate) fn before(&self, call: Hostcall) -> Result<(), GivenUp> {
        if call.is_shared() {
            self.0.pass_on(call)
        } else {
            Ok(())
        }
    }
}
