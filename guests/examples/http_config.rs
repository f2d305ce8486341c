//! The plugin's configuration, a line `NAME: VALUE`, decides on a header of every response. Any other
//! configuration is refused.
#![expect(
    missing_docs,
    reason = "the SDK's `main!` exports an undocumented function"
)]

use std::rc::Rc;

use log::{error, info};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { header: Rc::default() }));
}}

type Header = Rc<(String, String)>;

struct Root {
    header: Header,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let text = self.get_plugin_configuration().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let Some((name, value)) = text.trim().split_once(": ") else {
            error!("`{text}` is no header; write NAME: VALUE");
            return false;
        };
        info!("responses get {name}: {value}");
        self.header = Rc::new((name.to_owned(), value.to_owned()));
        true
    }
    fn create_http_context(&self, _context: u32) -> Option<Box<dyn HttpContext>> {
        let header = Rc::clone(&self.header);
        Some(Box::new(Stream { header }))
    }
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    header: Header,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_response_headers(&mut self, _count: usize, _ends: bool) -> Action {
        let (name, value) = &*self.header;
        self.set_http_response_header(name, Some(value));
        Action::Continue
    }
}
