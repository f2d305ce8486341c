//! Reads, adds, replaces and removes headers on the way in and out; answers one path by itself.
#![expect(
    missing_docs,
    reason = "the SDK's `main!` exports an undocumented function"
)]

use log::info;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_http_context(|context, _| Box::new(Headers { context }));
}}

struct Headers {
    context: u32,
}

impl Context for Headers {}

impl HttpContext for Headers {
    fn on_http_request_headers(&mut self, _count: usize, _ends: bool) -> Action {
        for (name, value) in self.get_http_request_headers() {
            info!("#{} <- {name}: {value}", self.context);
        }
        self.add_http_request_header("x-seen-by", "http_headers");
        self.set_http_request_header("user-agent", Some("a guest"));
        self.set_http_request_header("x-secret", None);
        if self.get_http_request_header(":path").as_deref() == Some("/hello") {
            self.send_http_response(200, vec![("x-answered-by", "guest")], Some(b"Hello!\n"));
            return Action::Pause;
        }
        Action::Continue
    }
    fn on_http_response_headers(&mut self, _count: usize, _ends: bool) -> Action {
        for (name, value) in self.get_http_response_headers() {
            info!("#{} -> {name}: {value}", self.context);
        }
        self.remove_http_response_header("server");
        self.add_http_response_header("x-guest", "http_headers");
        Action::Continue
    }
    fn on_log(&mut self) {
        info!("#{} is done", self.context);
    }
}
