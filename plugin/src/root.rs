//! The root context: takes a policy, makes streams, ticks.
use crate::{
    hostcalls::{self, Buffer, Level},
    installed::{self, Installed},
    stall::Stalls,
    stream::Stream,
    worker,
};
use proxy_wasm::{
    traits::{Context, HttpContext, RootContext},
    types::ContextType,
};
use std::{cell::RefCell, rc::Rc};
use weir_engine::{
    policy::{Deployment, Severity},
    time::Timestamp,
};

/// Often enough that a settlement waits unnoticed, seldom enough to cost nothing.
const TICK_MS: u32 = 100;

/// While the detector has more to do than one tick may: a millisecond of every ten.
const BUSY_TICK_MS: u32 = 10;

/// Ticks between two looks at the guards: about a second, or less while the detector is busy.
const TICKS_PER_LOOK: u32 = 10;

/// One configuration of the plugin.
#[derive(Default)]
pub(crate) struct Root {
    installed: Option<Rc<Installed>>,
    /// Streams that wait for their body.
    stalls: Rc<RefCell<Stalls>>,
    busy: bool,
    ticks: u32,
}

impl Context for Root {
    fn on_done(&mut self) -> bool {
        // The VM may live on under another root, or end: what waits is written now.
        worker::with(worker::Worker::flush);
        true
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let Ok(json) = hostcalls::buffer(Buffer::PluginConfiguration, size) else {
            hostcalls::log(Level::Error, "weir: the configuration could not be read");
            return false;
        };
        let now = Timestamp::from_unix_nanos(hostcalls::now_unix_nanos());
        let checked = Deployment::check(&json, Some(now));
        for diagnostic in checked.diagnostics.iter() {
            let level = match diagnostic.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warn,
            };
            hostcalls::log(level, &format!("weir: {diagnostic}"));
        }
        let Some(deployment) = checked.deployment else {
            if json.first() == Some(&0x0a) {
                let text = "weir: the configuration looks like a protobuf message; give a google.protobuf.StringValue that holds the policy as JSON";
                hostcalls::log(Level::Error, text);
            }
            return false;
        };
        for policy in deployment.policies() {
            if let Err(error) = worker::prepare(policy) {
                hostcalls::log(Level::Error, &format!("weir: {error}"));
                return false;
            }
        }
        if hostcalls::set_tick_period_ms(TICK_MS).is_err() {
            hostcalls::log(
                Level::Error,
                "weir: the host gives no ticks; settlements and metrics would never be written",
            );
            return false;
        }
        let current = installed::told(&deployment.current);
        let text = match &deployment.candidate {
            None => format!("weir: {current} in force"),
            Some(candidate) => {
                let candidate = installed::told(candidate);
                format!("weir: {current} in force, candidate {candidate}")
            }
        };
        hostcalls::log(Level::Info, &text);
        let installed = Installed::new(deployment, now);
        // A guard that has tripped is known from the start where the same policy is configured again.
        worker::with(|worker| installed.begin(worker));
        self.installed = Some(Rc::new(installed));
        true
    }

    fn on_tick(&mut self) {
        let busy = worker::with(|worker| !worker.tick()).unwrap_or_default();
        if busy != self.busy {
            let period = if busy { BUSY_TICK_MS } else { TICK_MS };
            // Refused, the work goes on at the old pace.
            if hostcalls::set_tick_period_ms(period).is_ok() {
                self.busy = busy;
            }
        }
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks % TICKS_PER_LOOK == 0 {
            if let Some(installed) = &self.installed {
                worker::with(|worker| installed.look(worker));
            }
        }
        let overdue = worker::with(|worker| {
            let mut stalls = self.stalls.try_borrow_mut().ok()?;
            Some(stalls.overdue(|| worker.now()))
        });
        let due = worker::with(worker::Worker::due).unwrap_or_default();
        for stream in overdue.flatten().unwrap_or_default().into_iter().chain(due) {
            if hostcalls::set_effective_context(stream).is_ok() {
                let _ = hostcalls::continue_request();
            }
        }
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(
            id,
            self.installed.clone(),
            Rc::clone(&self.stalls),
        )))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
