//! Reads what the proxy knows about a request, sets a property of its own, and shows both to the client.
#![expect(
    missing_docs,
    reason = "the SDK's `main!` exports an undocumented function"
)]

use log::info;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root));
}}

struct Root;

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        for name in ["plugin_name", "plugin_root_id", "plugin_vm_id"] {
            let value = self.get_property(vec![name]).unwrap_or_default();
            info!("{name} is {}", String::from_utf8_lossy(&value));
        }
        true
    }
    fn create_http_context(&self, _context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream))
    }
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream;

impl Stream {
    fn text(&self, path: &[&str]) -> String {
        let value = self.get_property(path.to_vec());
        value.map_or_else(
            || "none".into(),
            |value| String::from_utf8_lossy(&value).into_owned(),
        )
    }
    fn number(&self, path: &[&str]) -> Option<i64> {
        let value = self.get_property(path.to_vec())?;
        Some(i64::from_le_bytes(value.try_into().ok()?))
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _ends: bool) -> Action {
        let (method, path) = (
            self.text(&["request", "method"]),
            self.text(&["request", "path"]),
        );
        info!("{method} {path} as {}", self.text(&["request", "protocol"]));
        info!("x-a is {}", self.text(&["request", "headers", "x-a"]));
        info!(
            "there is {}",
            self.text(&["metadata", "filter_metadata", "nothing"])
        );
        self.set_property(
            vec!["verdict"],
            Some(format!("{method} is fine").as_bytes()),
        );
        Action::Continue
    }
    fn on_http_response_headers(&mut self, _count: usize, _ends: bool) -> Action {
        let code = self.number(&["response", "code"]);
        self.add_http_response_header("x-code", &format!("{code:?}"));
        self.add_http_response_header("x-verdict", &self.text(&["verdict"]));
        Action::Continue
    }
}
