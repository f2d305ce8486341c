//! The probe: a Proxy-Wasm guest without an SDK that does what a script says and logs what it saw.
//!
//! It exists to ask a host questions: one module for every question, so that two hosts can be held
//! against each other by their logs. `README.md` describes scripts, calls and log lines. It must not
//! panic on any script; a call that makes no sense is logged as `bad call`.

mod abi;
mod bytes;
mod callbacks;
mod calls;
mod interpreter;
mod report;
mod script;
mod special;
mod vm;
