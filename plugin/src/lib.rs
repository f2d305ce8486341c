//! Weir as a Proxy-Wasm filter.
