//! One exchange as Envoy tells it, callback by callback. Takes no decision of its own.
use crate::{
    hostcalls::{self, Buffer, Level, Pairs},
    stall::Stalls,
    store::SharedData,
    worker,
};
use proxy_wasm::{
    traits::{Context, HttpContext},
    types::Action,
};
use std::{cell::RefCell, rc::Rc};
use weir_engine::{
    evaluate::Body,
    exchange::{Answer, Exchange},
    policy::Policy,
};

/// The filter state that access logs read as `wasm.weir.decision`.
const DECISION: &str = "weir.decision";

/// One stream. Keeps the policy that it began under, whatever is configured meanwhile.
pub(crate) struct Stream {
    id: u32,
    policy: Option<Rc<Policy>>,
    stalls: Rc<RefCell<Stalls>>,
    exchange: Option<Exchange>,
    decided: bool,
    replied: bool,
    ended: bool,
}

impl Stream {
    pub(crate) fn new(id: u32, policy: Option<Rc<Policy>>, stalls: Rc<RefCell<Stalls>>) -> Self {
        Self {
            id,
            policy,
            stalls,
            exchange: None,
            decided: false,
            replied: false,
            ended: false,
        }
    }

    /// Decides once and carries the verdict out.
    fn decide(&mut self, body: Body<'_>) -> Action {
        self.decided = true;
        let (Some(policy), Some(exchange)) = (&self.policy, &mut self.exchange) else {
            return Action::Continue;
        };
        let denial = worker::with(|worker| {
            let standing = exchange
                .suspect()
                .and_then(|account| worker.standing(account));
            if let Some(standing) = standing {
                exchange.stands(standing);
            }
            exchange.decide(
                policy,
                &worker.key,
                body,
                &mut worker.ledger,
                &mut SharedData,
            )
        });
        if exchange.holds() {
            worker::with(|worker| worker.holding = worker.holding.saturating_add(1));
        }
        let Some(denial) = denial.and_then(Answer::into_denial) else {
            return Action::Continue;
        };
        self.replied = true;
        if hostcalls::send_local_response(denial.status, &denial.headers, &denial.body, "weir")
            .is_err()
        {
            hostcalls::log(
                Level::Error,
                "weir: the host refused a local reply; the request stays paused",
            );
        }
        Action::Pause
    }

    /// Decides when enough of the body is there.
    fn body(&mut self, size: usize, end: bool) -> Action {
        if self.decided {
            return if self.replied {
                Action::Pause
            } else {
                Action::Continue
            };
        }
        let Some(cap) = self.policy.as_ref().map(|policy| policy.max_body()) else {
            return Action::Continue;
        };
        if !end && size <= cap {
            return Action::Pause;
        }
        let bytes = hostcalls::buffer(Buffer::RequestBody, size.min(cap)).unwrap_or_default(); // unreadable is malformed: inspection.malformed decides
        self.decide(if size > cap {
            Body::Prefix(&bytes)
        } else {
            Body::Whole(&bytes)
        })
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, end: bool) -> Action {
        let Some(policy) = &self.policy else {
            return Action::Continue;
        };
        // Without headers there is no caller, and the policy says what happens to that.
        let headers = hostcalls::request_headers().unwrap_or_default();
        let begun = worker::with(|worker| {
            worker.serves_streams = true;
            let now = worker.now();
            Exchange::begin(policy, &worker.key, Pairs::new(&headers), now)
        });
        let needs_body = begun.as_ref().is_some_and(Exchange::needs_body);
        self.exchange = begun;
        if end || !needs_body {
            return self.decide(Body::Whole(&[]));
        }
        let held = worker::with(|worker| {
            let mut stalls = self.stalls.try_borrow_mut().ok()?;
            Some(stalls.hold(self.id, worker.latest()))
        });
        if held.flatten() == Some(true) {
            Action::Pause
        } else {
            Action::Continue
        }
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        let settled = !self.decided
            && worker::with(|worker| {
                let mut stalls = self.stalls.try_borrow_mut().ok()?;
                Some(stalls.body(self.id, || worker.now()))
            })
            .flatten()
                == Some(true);
        if settled {
            let text = "weir: allow_on_headers_stop_iteration is off: request heads reach the upstream before the verdict on the body";
            hostcalls::log(Level::Warn, text);
        }
        self.body(size, end)
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        if self.decided {
            return if self.replied {
                Action::Pause
            } else {
                Action::Continue
            };
        }
        // Trailers end the body, and the last body callback did not know that it was the last.
        let cap = self.policy.as_ref().map_or(0, |policy| policy.max_body());
        let bytes = hostcalls::buffer(Buffer::RequestBody, cap).unwrap_or_default();
        self.decide(Body::Whole(&bytes))
    }

    fn on_http_response_headers(&mut self, _count: usize, end: bool) -> Action {
        self.ended |= end;
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        self.ended |= end;
        let Some(exchange) = self.exchange.as_mut().filter(|_| !self.replied && size > 0) else {
            return Action::Continue;
        };
        if exchange.reads_response() {
            match hostcalls::buffer(Buffer::ResponseBody, size) {
                Ok(chunk) => {
                    exchange.response(&chunk, end);
                }
                Err(_) => exchange.response_lost(),
            }
        }
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        self.ended = true;
        Action::Continue
    }

    fn on_log(&mut self) {
        let (Some(policy), Some(mut exchange)) = (self.policy.clone(), self.exchange.take()) else {
            return;
        };
        worker::with(|worker| {
            if let Ok(mut stalls) = self.stalls.try_borrow_mut() {
                stalls.forget(self.id);
            }
            if exchange.holds() {
                worker.holding = worker.holding.saturating_sub(1);
            }
            let now = worker.latest();
            let status = exchange
                .needs_status(self.ended)
                .then(hostcalls::response_status);
            let Some(finished) = exchange.finish(
                &policy,
                self.ended,
                status.flatten(),
                now,
                &mut worker.ledger,
                &mut SharedData,
            ) else {
                worker.count_abandoned();
                return;
            };
            if let Some(observation) = &finished.observation {
                worker.observe(observation);
            }
            if hostcalls::set_filter_state(DECISION, &finished.decision).is_err() {
                hostcalls::log(
                    Level::Error,
                    "weir: the host refused the decision as filter state",
                );
            }
            if let Some(evaluation) = exchange.evaluation() {
                worker.count(&policy, exchange.head(), evaluation, finished.usage);
            }
        });
    }
}
