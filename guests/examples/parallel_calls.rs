//! Asks three services at once, holds the request until all have answered, and passes the sum on.
#![expect(
    missing_docs,
    reason = "the SDK's `main!` exports an undocumented function"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use log::info;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_http_context(|_, _| Box::new(Fan::default()));
}}

/// Lengths of the bodies that are asked for.
const LENGTHS: [usize; 3] = [3, 5, 7];

#[derive(Default)]
struct Fan {
    /// Length that was asked for by token.
    open: BTreeMap<u32, usize>,
    sum: usize,
}

impl Fan {
    fn hold(&self) -> Action {
        match self.open.is_empty() {
            true => Action::Continue,
            false => Action::Pause,
        }
    }
}

impl HttpContext for Fan {
    fn on_http_request_headers(&mut self, _count: usize, _ends: bool) -> Action {
        for length in LENGTHS {
            let token = self.dispatch_http_call(
                "answers",
                vec![
                    (":method", "GET"),
                    (":path", &format!("/bytes/{length}")),
                    (":authority", "bytes.example"),
                ],
                None,
                vec![],
                Duration::from_secs(1),
            );
            if let Ok(token) = token {
                self.open.insert(token, length);
            }
        }
        self.hold()
    }
    // A body that goes on takes the headers with it, where hosts show bodies of held requests.
    fn on_http_request_body(&mut self, _size: usize, _ends: bool) -> Action {
        self.hold()
    }
    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.hold()
    }
}

impl Context for Fan {
    fn on_http_call_response(
        &mut self,
        token: u32,
        _headers: usize,
        size: usize,
        _trailers: usize,
    ) {
        let asked = self.open.remove(&token);
        info!("{size} bytes for {asked:?}");
        self.sum += size;
        if self.open.is_empty() {
            info!("{} bytes in all", self.sum);
            self.add_http_request_header("x-sum", &self.sum.to_string());
            self.resume_http_request();
        }
    }
}
