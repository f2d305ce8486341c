//! One exchange as Envoy tells it, callback by callback. Takes no decision of its own.
use crate::{
    hostcalls::{self, Buffer, HeaderMap, Level, Pairs},
    installed::Installed,
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
    denial::Denial,
    evaluate::Body,
    exchange::{Answer, Forward, HeadChanges},
    identity::Properties,
    trial::Trial,
};

/// The filter state that access logs read as `wasm.weir.decision`.
const DECISION: &str = "weir.decision";

/// One stream. Keeps the policies that it began under, whatever is configured meanwhile.
pub(crate) struct Stream {
    id: u32,
    installed: Option<Rc<Installed>>,
    stalls: Rc<RefCell<Stalls>>,
    trial: Option<Trial>,
    /// The request says how long its body is.
    has_length: bool,
    decided: bool,
    replied: bool,
    ended: bool,
}

impl Stream {
    pub(crate) fn new(
        id: u32,
        installed: Option<Rc<Installed>>,
        stalls: Rc<RefCell<Stalls>>,
    ) -> Self {
        Self {
            id,
            installed,
            stalls,
            trial: None,
            has_length: false,
            decided: false,
            replied: false,
            ended: false,
        }
    }

    /// Decides once and carries the verdict out.
    fn decide(&mut self, body: Body<'_>) -> Action {
        self.decided = true;
        let (Some(installed), Some(trial)) = (&self.installed, &mut self.trial) else {
            return Action::Continue;
        };
        let answer = worker::with(|worker| {
            let standing = trial.suspect().and_then(|account| worker.standing(account));
            let exchange = trial.exchange_mut();
            if let Some(standing) = standing {
                exchange.stands(standing);
            }
            exchange.waits_with(worker.delays.len());
            exchange.arrives(worker.latest());
            trial.decide(
                &installed.deployment,
                &worker.key,
                body,
                &mut worker.ledger,
                &mut SharedData,
            )
        });
        let denial = match answer {
            None => return Action::Continue,
            Some(Answer::Forward(forward)) => return self.forward(forward, body),
            Some(Answer::Reply(denial)) => denial,
        };
        self.replied = true;
        reply(&denial)
    }

    /// Lets the request go on, changed and late as the verdict says; `body` is what was decided on.
    fn forward(&mut self, forward: Forward, body: Body<'_>) -> Action {
        let mut refused = false;
        for name in &forward.remove_headers {
            refused |= hostcalls::remove_header(HeaderMap::Request, name).is_err();
        }
        let unchanged = match &forward.body {
            Some(changed) => self.replace_body(changed, body).is_err(),
            None => false,
        };
        if refused || unchanged {
            worker::with(|worker| worker.count_unshaped("request"));
        }
        // What the request still asks for may be more than it may have: the engine says whether it goes on.
        if let (true, Some(installed), Some(trial)) = (unchanged, &self.installed, &mut self.trial)
        {
            let policy = trial.policy(&installed.deployment);
            let exchange = trial.exchange_mut();
            let denial = worker::with(|worker| {
                exchange.not_changed(policy, &mut worker.ledger, &mut SharedData)
            });
            if let Some(denial) = denial.flatten() {
                self.replied = true;
                return reply(&denial);
            }
        }
        let Some(delay) = forward.delay else {
            return Action::Continue;
        };
        let held = worker::with(|worker| worker.delays.hold(self.id, worker.latest(), delay));
        if held.is_some() {
            Action::Pause
        } else {
            Action::Continue
        }
    }

    /// Puts `changed` in the place of `body`. The length goes first: a body of another length than its head
    /// says would leave the upstream waiting. Where the head has gone on already, a body that became shorter
    /// is filled up with white space, which ends JSON as well as nothing does.
    fn replace_body(&self, changed: &[u8], body: Body<'_>) -> Result<(), hostcalls::Refused> {
        let (bytes, is_whole) = match body {
            Body::Whole(bytes) => (bytes, true),
            Body::Prefix(bytes) => (bytes, false),
        };
        let length = match (self.has_length, is_whole) {
            (false, _) => Ok(()),
            (true, true) => {
                let length = changed.len().to_string();
                hostcalls::replace_header(HeaderMap::Request, "content-length", &length)
            }
            (true, false) => hostcalls::remove_header(HeaderMap::Request, "content-length"),
        };
        match length {
            Ok(()) => hostcalls::replace_buffer(Buffer::RequestBody, bytes.len(), changed),
            Err(refused) if !is_whole || changed.len() > bytes.len() => Err(refused),
            Err(_) => {
                let mut filled = changed.to_vec();
                filled.resize(bytes.len(), b' ');
                hostcalls::replace_buffer(Buffer::RequestBody, bytes.len(), &filled)
            }
        }
    }

    /// A part of the response has come, the last one if `end`: what counts only while the exchange is under way is
    /// given back before the client can know that it is over.
    fn response_part(&mut self, end: bool) {
        self.ended |= end;
        let Some(trial) = self.trial.as_mut().filter(|_| end) else {
            return;
        };
        if trial.holds_leases() {
            worker::with(|worker| {
                trial.response_ended(worker.latest(), &mut worker.ledger, &mut SharedData);
            });
        }
    }

    /// What a callback answers after the verdict.
    fn after_verdict(&self) -> Action {
        let waits = worker::with(|worker| worker.delays.holds(self.id)) == Some(true);
        if self.replied || waits {
            Action::Pause
        } else {
            Action::Continue
        }
    }

    /// Bytes of the body that the policy which answers reads at most.
    fn max_body(&self) -> Option<usize> {
        let (installed, trial) = (self.installed.as_ref()?, self.trial.as_ref()?);
        Some(trial.policy(&installed.deployment).max_body())
    }

    /// Decides when enough of the body is there.
    fn body(&mut self, size: usize, end: bool) -> Action {
        if self.decided {
            return self.after_verdict();
        }
        let Some(cap) = self.max_body() else {
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

/// The headers in `before`, as they were serialized, with `changes` made to them: one call for all of them.
fn changed_headers<'a>(
    before: &'a [u8],
    changes: &'a HeadChanges,
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone {
    let goes = |name: &[u8]| {
        let removed = changes.remove.iter();
        let set = changes.set.iter().map(|(name, _)| name);
        removed
            .chain(set)
            .any(|gone| name.eq_ignore_ascii_case(gone.as_bytes()))
    };
    let set = changes.set.iter();
    Pairs::new(before)
        .filter(move |(name, _)| !goes(name))
        .chain(set.map(|(name, value)| (name.as_bytes(), value.as_bytes())))
}

/// Carries `changes` out: in one call, or one by one where the headers could not be read or are more than the host takes
/// at once. A list that lacks what was there would take it away, and a length that stays would cut the body short.
fn change_response_head(before: &[u8], changes: &HeadChanges) -> Result<(), hostcalls::Refused> {
    let map = HeaderMap::Response;
    if changes.remove.is_empty() && changes.set.is_empty() {
        return Ok(());
    }
    let is_read = Pairs::new(before).next().is_some();
    if is_read && hostcalls::replace_headers(map, changed_headers(before, changes)).is_ok() {
        return Ok(());
    }
    let removed = changes.remove.iter();
    let removed = removed.map(|name| hostcalls::remove_header(map, name));
    let set = changes.set.iter();
    let set = set.map(|(name, value)| hostcalls::replace_header(map, name, value));
    // All of them, whatever comes of the first.
    removed.chain(set).fold(Ok(()), Result::and)
}

/// Answers in the place of whoever was to answer.
fn reply(denial: &Denial) -> Action {
    let Denial {
        status,
        headers,
        body,
    } = denial;
    if hostcalls::send_local_response(*status, headers, body, "weir").is_err() {
        let text = "weir: the host refused a local reply; the stream stays paused";
        hostcalls::log(Level::Error, text);
    }
    Action::Pause
}

/// The attributes of the current stream. One that the host will not serialize (a null claim, a whole map of messages) is
/// none that an identity could be read from.
struct Attributes;

impl Properties for Attributes {
    fn property(&self, path: &str) -> Option<Vec<u8>> {
        hostcalls::property(path).ok().flatten() // absent: identity.anonymous decides about an account that lacks
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, end: bool) -> Action {
        let Some(installed) = &self.installed else {
            return Action::Continue;
        };
        // Without headers there is no caller, and the policy says what happens to that.
        let headers = hostcalls::headers(HeaderMap::Request).unwrap_or_default();
        self.has_length = Pairs::new(&headers).any(|(name, _)| name == b"content-length");
        let begun = worker::with(|worker| {
            worker.serves_streams = true;
            worker.open = worker.open.saturating_add(1);
            let now = worker.now();
            let (guards, headers) = (installed.guards()?, Pairs::new(&headers));
            let deployment = &installed.deployment;
            Some(Trial::begin(
                deployment,
                &guards,
                &worker.key,
                headers,
                &Attributes,
                now,
            ))
        });
        self.trial = begun.flatten();
        let needs_body = self.trial.as_ref().is_some_and(Trial::needs_body);
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
            return self.after_verdict();
        }
        // Trailers end the body, and the last body callback did not know that it was the last.
        let cap = self.max_body().unwrap_or_default();
        let bytes = hostcalls::buffer(Buffer::RequestBody, cap).unwrap_or_default();
        self.decide(Body::Whole(&bytes))
    }

    fn on_http_response_headers(&mut self, _count: usize, end: bool) -> Action {
        self.response_part(end);
        let (Some(installed), Some(trial)) = (&self.installed, &mut self.trial) else {
            return Action::Continue;
        };
        let policy = trial.policy(&installed.deployment);
        let exchange = trial.exchange_mut();
        if self.replied || !exchange.needs_response_head(policy) {
            return Action::Continue;
        }
        let headers = hostcalls::headers(HeaderMap::Response).unwrap_or_default();
        let changes = exchange.response_head(policy, Pairs::new(&headers));
        if let Some(denial) = changes.reply {
            self.replied = true;
            return reply(&denial);
        }
        if change_response_head(&headers, &changes).is_err() {
            let text = "weir: the host refused a change of the response's headers";
            hostcalls::log(Level::Error, text);
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        self.response_part(end);
        let Some(trial) = self.trial.as_mut().filter(|_| !self.replied) else {
            return Action::Continue;
        };
        let exchange = trial.exchange_mut();
        if !exchange.reads_response() {
            return Action::Continue;
        }
        let chunk = if size == 0 {
            Ok(Vec::new())
        } else {
            hostcalls::buffer(Buffer::ResponseBody, size)
        };
        let Ok(chunk) = chunk else {
            exchange.response_lost();
            return Action::Continue;
        };
        if let Some(shaped) = exchange.response(&chunk, end) {
            if hostcalls::replace_buffer(Buffer::ResponseBody, chunk.len(), &shaped).is_err() {
                worker::with(|worker| worker.count_unshaped("response"));
            }
        }
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        self.response_part(true);
        Action::Continue
    }

    fn on_log(&mut self) {
        let (Some(installed), Some(mut trial)) = (self.installed.clone(), self.trial.take()) else {
            return;
        };
        worker::with(|worker| {
            if let Ok(mut stalls) = self.stalls.try_borrow_mut() {
                stalls.forget(self.id);
            }
            worker.delays.forget(self.id);
            worker.open = worker.open.saturating_sub(1);
            let now = worker.latest();
            let deployment = &installed.deployment;
            let finished = installed.with_guards(|guards| {
                let status = trial
                    .needs_status(guards, self.ended)
                    .then(hostcalls::response_status);
                trial.finish(
                    deployment,
                    guards,
                    self.ended,
                    status.flatten(),
                    now,
                    &mut worker.ledger,
                    &mut SharedData,
                )
            });
            let Some(finished) = finished.flatten() else {
                worker.count_abandoned();
                return;
            };
            let (policy, exchange) = (trial.policy(deployment), trial.exchange());
            if let Some(observation) = &finished.observation {
                worker.observe(observation);
            }
            if hostcalls::set_filter_state(DECISION, &finished.decision).is_err() {
                hostcalls::log(
                    Level::Error,
                    "weir: the host refused the decision as filter state",
                );
            }
            if exchange.is_unstripped() {
                worker.count_unshaped("response");
            }
            if let Some(evaluation) = exchange.evaluation() {
                worker.count(policy, exchange.head(), evaluation, finished.usage);
            }
            if deployment.candidate.is_some() {
                worker.count_trial(deployment, &trial);
            }
        });
    }
}
