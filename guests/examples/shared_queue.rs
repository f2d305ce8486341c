//! Streams put paths into a queue; one root is told, takes them out and keeps a list of them in
//! shared data.
#![expect(
    missing_docs,
    reason = "the SDK's `main!` exports an undocumented function"
)]

use log::info;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { queue: 0 }));
}}

struct Root {
    queue: u32,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        self.queue = self.register_shared_queue("paths");
        true
    }
    fn on_queue_ready(&mut self, queue: u32) {
        while let Ok(Some(path)) = self.dequeue_shared_queue(queue) {
            let path = String::from_utf8_lossy(&path).into_owned();
            info!("took {path}");
            let (list, cas) = self.get_shared_data("paths");
            let mut list = list.unwrap_or_default();
            list.extend(path.bytes().chain(*b"\n"));
            if let Err(status) = self.set_shared_data("paths", Some(&list), cas) {
                info!("not kept: {status:?}");
            }
        }
    }
    fn create_http_context(&self, _context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { queue: self.queue }))
    }
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    queue: u32,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _ends: bool) -> Action {
        let path = self.get_http_request_header(":path").unwrap_or_default();
        if let Err(status) = self.enqueue_shared_queue(self.queue, Some(path.as_bytes())) {
            info!("not queued: {status:?}");
        }
        Action::Continue
    }
}
