//! Holds a response's body until it is there as a whole, then blackens a word in it.
#![expect(
    missing_docs,
    reason = "the SDK's `main!` exports an undocumented function"
)]

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| Box::new(Censor));
}}

const WORD: &str = "secret";

struct Censor;

impl Context for Censor {}

impl HttpContext for Censor {
    fn on_http_response_headers(&mut self, _count: usize, ends: bool) -> Action {
        if !ends {
            // The length changes, and hosts do not mend this header.
            self.set_http_response_header("content-length", None);
        }
        Action::Continue
    }
    fn on_http_response_body(&mut self, size: usize, ends: bool) -> Action {
        if !ends {
            return Action::Pause;
        }
        // After pauses, the size is that of everything which was held.
        if let Some(body) = self.get_http_response_body(0, size) {
            let body = String::from_utf8_lossy(&body);
            if body.contains(WORD) {
                let blackened = body.replace(WORD, "[removed]");
                self.set_http_response_body(0, size, blackened.as_bytes());
            }
        }
        Action::Continue
    }
}
