//! Weir as a Proxy-Wasm filter: an adapter between the host and the engine, which decides.
#![expect(
    missing_docs,
    reason = "the SDK's `main!` exports an undocumented function"
)]

mod delay;
mod hostcalls;
mod installed;
mod metrics;
mod root;
mod stall;
mod store;
mod stream;
mod worker;

proxy_wasm::main! {{
    // Only the log and WASI may be called in here: Envoy restricts `_initialize`.
    proxy_wasm::set_root_context(|_| Box::new(root::Root::default()));
}}
