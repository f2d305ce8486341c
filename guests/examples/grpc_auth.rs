//! Asks a gRPC service about every request: status 0 lets it through, anything else is a 403 that carries
//! the service's words.
#![expect(
    missing_docs,
    reason = "the SDK's `main!` exports an undocumented function"
)]

use std::time::Duration;

use log::info;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_http_context(|_, _| Box::new(Gate { is_open: false }));
}}

struct Gate {
    is_open: bool,
}

impl Gate {
    fn hold(&self) -> Action {
        match self.is_open {
            true => Action::Continue,
            false => Action::Pause,
        }
    }
}

impl HttpContext for Gate {
    fn on_http_request_headers(&mut self, _count: usize, _ends: bool) -> Action {
        // Tests choose the method, and so the answer.
        let method = self.get_http_request_header("x-method");
        let method = method.unwrap_or_else(|| "Unary".into());
        let asked = self.dispatch_grpc_call(
            "grpc",
            "test.Probe",
            &method,
            vec![("x-from", b"guest")],
            Some(b"may it pass?"),
            Duration::from_secs(1),
        );
        if let Err(status) = asked {
            info!("cannot ask: {status:?}");
            self.send_http_response(503, vec![], None);
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

impl Context for Gate {
    fn on_grpc_call_response(&mut self, _token: u32, status: u32, size: usize) {
        if status == 0 {
            let message = self
                .get_grpc_call_response_body(0, size)
                .unwrap_or_default();
            info!("answered {}", String::from_utf8_lossy(&message));
            self.is_open = true;
            self.resume_http_request();
            return;
        }
        let (code, words) = self.get_grpc_status();
        let words = words.unwrap_or_default();
        info!("refused with {status}, {code}: {words}");
        self.send_http_response(
            403,
            vec![("x-grpc-status", &status.to_string())],
            Some(words.as_bytes()),
        );
    }
}
