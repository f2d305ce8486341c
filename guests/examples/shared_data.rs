//! Counts requests in shared data, across all workers: read, add one, write unless another one was faster.
#![expect(
    missing_docs,
    reason = "the SDK's `main!` exports an undocumented function"
)]

use log::info;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel, Status};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_http_context(|_, _| Box::new(Counter));
}}

const KEY: &str = "requests";

/// A version that no value has: hosts take it for a key that is not there yet, and only then.
const ABSENT: u32 = u32::MAX;

struct Counter;

impl Counter {
    fn count(&self) -> Option<u64> {
        for _ in 0..10 {
            let (value, cas) = self.get_shared_data(KEY);
            let before = value.and_then(|value| Some(u64::from_le_bytes(value.try_into().ok()?)));
            let now = before.unwrap_or(0) + 1;
            match self.set_shared_data(KEY, Some(&now.to_le_bytes()), cas.or(Some(ABSENT))) {
                Err(Status::CasMismatch) => {}
                written => return written.ok().map(|()| now),
            }
        }
        None
    }
}

impl Context for Counter {}

impl HttpContext for Counter {
    fn on_http_request_headers(&mut self, _count: usize, _ends: bool) -> Action {
        if let Some(number) = self.count() {
            info!("request {number}");
            self.add_http_request_header("x-number", &number.to_string());
        }
        Action::Continue
    }
}
