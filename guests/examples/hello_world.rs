//! The least that a plugin can be: a root context that logs, and ticks twice.
#![expect(
    missing_docs,
    reason = "the SDK's `main!` exports an undocumented function"
)]

use std::time::Duration;

use log::info;
use proxy_wasm::traits::{Context, RootContext};
use proxy_wasm::types::LogLevel;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Greeter { ticks: 0 }));
}}

struct Greeter {
    ticks: u32,
}

impl Context for Greeter {}

impl RootContext for Greeter {
    fn on_vm_start(&mut self, _size: usize) -> bool {
        info!("hello, world");
        self.set_tick_period(Duration::from_millis(100));
        true
    }
    fn on_tick(&mut self) {
        self.ticks += 1;
        info!("tick {}", self.ticks);
        if self.ticks == 2 {
            self.set_tick_period(Duration::ZERO);
        }
    }
}
