//! A Proxy-Wasm host on wasmtime that behaves as Envoy does.
pub mod artifact;
pub mod decision_log;
pub mod output;
pub mod policy_file;
pub mod replay;
pub mod rfc3339;
pub mod simulate;
pub mod trace;
pub mod yaml;
