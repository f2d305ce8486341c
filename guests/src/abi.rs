//! The border between safe code and the host: imports, exports, and memory that crosses it.
#![expect(
    unsafe_code,
    reason = "the Proxy-Wasm ABI is raw pointers and unmangled names"
)]

mod cells;
mod exports;
mod imports;

pub(crate) use cells::{Cells, address};
pub(crate) use imports::{call, exit};
