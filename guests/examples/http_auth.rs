//! Asks another service about every request and holds it until that answers: 200 lets it through,
//! anything else is a 403, and a service that cannot even be asked a 503.
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
        // Tests name the service and what it shall answer.
        let cluster = self.get_http_request_header("x-cluster");
        let cluster = cluster.unwrap_or_else(|| "answers".into());
        let ticket = self.get_http_request_header("x-ticket").unwrap_or_default();
        let asked = self.dispatch_http_call(
            &cluster,
            vec![
                (":method", "GET"),
                (":path", &format!("/status/{ticket}")),
                (":authority", "auth.example"),
            ],
            None,
            vec![],
            Duration::from_secs(1),
        );
        if let Err(status) = asked {
            info!("cannot ask {cluster}: {status:?}");
            self.send_http_response(503, vec![], Some(b"cannot ask\n"));
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
    fn on_http_call_response(
        &mut self,
        _token: u32,
        _headers: usize,
        size: usize,
        _trailers: usize,
    ) {
        let status = self.get_http_call_response_header(":status");
        let status = status.unwrap_or_else(|| "nothing".into());
        let body = self
            .get_http_call_response_body(0, size)
            .unwrap_or_default();
        info!("answered {status}, {}", String::from_utf8_lossy(&body));
        if status == "200" {
            self.is_open = true;
            self.resume_http_request();
        } else {
            self.send_http_response(403, vec![("x-auth", &status)], Some(b"no\n"));
        }
    }
}
