//! A Proxy-Wasm host on wasmtime that behaves as Envoy does.
//!
//! [`Host`] is the proxy's process, [`Plugin`] a compiled filter with one configuration, [`Worker`]
//! one thread with its VMs, [`Stream`] one exchange in it; [`Proxy`] puts threads and plugins
//! together. No clock is ever read: workers are told the time.
//! [`Proxy`] is a process with a main thread, several workers and plugins. Any Proxy-Wasm plugin runs in it;
//! [`scenario`] says what happens to one, [`plugin_test`] and [`conformance`] run scenarios, [`calls`] and [`schedule`]
//! look into a run. Beside the host stands what the `weir` command is made of:
//! [`trace`], [`simulate`], [`world`] and [`replay`] for traffic, [`evaluate`] and [`calibrate`] for the
//! detector, [`cases`], [`diff`], [`explain`], [`layers`], [`policy_file`] and [`policy_schema`] for policies, [`demo`].
//!
//! ```
//! use weir_host::{Exchange, Host, HostConfig, Plugin, PluginConfig};
//!
//! // A filter that refuses everything with a 403.
//! let filter = br#"(module
//!   (import "env" "proxy_send_local_response"
//!     (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
//!   (memory (export "memory") 1)
//!   (data (i32.const 0) "no entry")
//!   (func (export "proxy_abi_version_0_2_1"))
//!   (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 4096))
//!   (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
//!     (drop (call $reply (i32.const 403) (i32.const 0) (i32.const 0)
//!       (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const -1)))
//!     (i32.const 1)))"#;
//! let host = Host::new(HostConfig::default())?;
//! let plugin = Plugin::load(&host, filter, PluginConfig::named("refuse"))?;
//! let mut worker = plugin.worker()?;
//!
//! let outcome = worker.exchange(&Exchange::get("/v1/models"));
//!
//! assert_eq!(outcome.status(), Some(403));
//! assert_eq!(outcome.downstream.body, b"no entry");
//! assert!(outcome.upstream.headers.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod abi;
mod attributes;
mod base;
mod callouts;
mod census;
mod clusters;
mod columns;
mod envoy_replies;
mod events;
mod exchange;
mod exports;
mod failure_policy;
mod flow;
mod grpc_answer;
mod grpc_calls;
mod grpc_service;
mod handle;
mod header_map;
mod host;
mod hostcall;
mod inline_headers;
mod load_error;
mod local_reply;
mod log;
mod memory;
mod metrics;
mod outcome;
mod page;
mod phase;
mod plugin;
mod protobuf;
mod proxy;
mod shared_data;
mod shared_queues;
mod shared_store;
mod start_up;
mod state;
mod status;
mod stream;
mod stream_state;
mod vm;
mod watchdog;
mod worker;

pub mod artifact;
pub mod calibrate;
pub mod calls;
pub mod cases;
pub mod conformance;
pub mod decision;
pub mod decision_log;
pub mod demo;
pub mod diff;
pub mod evaluate;
pub mod explain;
pub mod layers;
pub mod output;
pub mod plugin_test;
pub mod policy_file;
pub mod policy_schema;
pub mod replay;
pub mod scenario;
pub mod schedule;
pub mod simulate;
pub mod trace;
pub mod weir;
pub mod world;
pub mod yaml;

pub use attributes::{Attributes, Value, Xds};
pub use clusters::{Answer, Cluster, Clusters, Reaction};
pub use exchange::{Chunking, Client, Exchange, Message, Upstream};
pub use failure_policy::FailurePolicy;
pub use grpc_service::{GrpcMethod, GrpcService, ProbeService};
pub use header_map::HeaderMap;
pub use host::{Host, HostConfig, HostError};
pub use hostcall::{Hostcall, HostcallCounts};
pub use load_error::LoadError;
pub use log::{LogLevel, LogLine, LogSink};
pub use metrics::{Histogram, Stat};
pub use outcome::{End, Outcome, Sent, Stranding};
pub use plugin::{Plugin, PluginConfig};
pub use proxy::{Filter, Proxy, ProxyConfig, ProxyStreamId, Refused};
pub use shared_data::SharedDataBytes;
pub use shared_store::SharedDataStore;
pub use status::Status;
pub use stream::{Stream, StreamId};
pub use worker::Worker;
