//! Exchanges under way in our host: what their clients and upstreams do, and when.
use std::time::Duration;

use weir_engine::time::Timestamp;

use super::arrival::Arrival;
use super::sight;
use crate::attributes::Attributes;
use crate::flow::lifecycle::after;
use crate::proxy::{Proxy, ProxyStreamId};
use crate::scenario::{
    ClientSpec, ExchangeSpec, Protocol, ProxySpec, Received, Seen, UpstreamSpec,
};
use crate::stream::Stream;

/// How long streams that stand still are given timers and answers of callouts, in virtual time.
const HORIZON: Duration = Duration::from_secs(3);

/// Rounds until streams count as standing still: guests that answer themselves for ever never come to rest, and no time
/// passes for them.
const MOST_ROUNDS: u32 = 20_000;

/// The exchanges of one step.
pub(super) struct Flights<'a> {
    proxy: &'a mut Proxy,
    spec: &'a ProxySpec,
    all: Vec<Flight<'a>>,
}

struct Flight<'a> {
    exchange: &'a ExchangeSpec,
    stream: ProxyStreamId,
    answered: bool,
    seen: Option<Seen>,
}

impl<'a> Flights<'a> {
    pub(super) fn new(proxy: &'a mut Proxy, spec: &'a ProxySpec) -> Self {
        Self {
            proxy,
            spec,
            all: Vec::new(),
        }
    }
    /// Sends a request, and lets happen what follows without delay; `None` where nobody listens.
    pub(super) fn begin(&mut self, exchange: &'a ExchangeSpec) -> Option<()> {
        let first = self.spec.plugins.first().map(|plugin| plugin.name.as_str());
        let listener = exchange.through.as_deref().or(first)?;
        let attributes = Attributes {
            protocol: match self.spec.downstream {
                Protocol::Http1 => "HTTP/1.1",
                Protocol::Http2 => "HTTP/2",
            },
            ..Attributes::default()
        };
        let ends = exchange.client == ClientSpec::Stays;
        let request = Arrival::of_request(&exchange.request, self.spec.downstream, ends);
        let mut stream = self.proxy.stream_with(listener, 0, attributes)?;
        request.as_request(&mut stream);
        let ended = stream.has_ended();
        let stream = stream.id();
        if !ended {
            // Posted events come before anything that crosses a wire.
            self.proxy.settle();
        }
        self.all.push(Flight {
            exchange,
            stream: ProxyStreamId { worker: 0, stream },
            answered: false,
            seen: None,
        });
        self.until(self.proxy.now());
        Some(())
    }
    /// Gives everything the time that it may need; then the clients leave that still wait.
    pub(super) fn finish(mut self) -> Vec<Seen> {
        self.until(after(self.proxy.now(), HORIZON));
        for flight in &mut self.all {
            flight.close(self.proxy, self.spec);
        }
        self.proxy.advance_to(self.proxy.now());
        self.all
            .into_iter()
            .filter_map(|flight| flight.seen)
            .collect()
    }
    fn until(&mut self, horizon: Timestamp) {
        for _ in 0..MOST_ROUNDS {
            let (proxy, spec) = (&mut *self.proxy, self.spec);
            // Not `any`: each of them moves in each round.
            let moved = self
                .all
                .iter_mut()
                .filter_map(|flight| flight.step(proxy, spec))
                .count();
            if moved > 0 {
                continue;
            }
            if self.proxy.settle() {
                continue;
            }
            if self.all.iter().all(|flight| flight.seen.is_some()) {
                return;
            }
            match self.proxy.next_event() {
                Some(due) if due <= horizon => self.proxy.run_one(due),
                _ => return,
            }
        }
    }
}

impl Flight<'_> {
    /// The upstream answers a complete request, a stream that has ended is closed; `None` if neither.
    fn step(&mut self, proxy: &mut Proxy, spec: &ProxySpec) -> Option<()> {
        if self.seen.is_some() {
            return None;
        }
        let mut stream = proxy.resume_stream(self.stream)?;
        if stream.has_ended() {
            self.close(proxy, spec);
            return Some(());
        }
        if self.answered || stream.is_answered_locally() || !stream.upstream_has_request() {
            return None;
        }
        self.answered = true;
        let (answer, whole) = match &self.exchange.upstream {
            UpstreamSpec::Answers(answer) => (answer, true),
            UpstreamSpec::BreaksOff(answer) => (answer, false),
            UpstreamSpec::Resets {} => {
                upstream_breaks(&mut stream, spec.upstream);
                return Some(());
            }
            UpstreamSpec::Hangs {} => return None,
        };
        Arrival::of_response(answer, spec.upstream, whole).as_response(&mut stream);
        if !whole {
            upstream_breaks(&mut stream, spec.upstream);
        }
        Some(())
    }
    fn close(&mut self, proxy: &mut Proxy, spec: &ProxySpec) {
        if self.seen.is_some() {
            return;
        }
        if let Some(stream) = proxy.resume_stream(self.stream) {
            let head = self.exchange.request.request_headers();
            let is_head = head
                .iter()
                .any(|(name, value)| name == ":method" && value == "HEAD");
            let mut seen = sight::of(stream.close(), spec, is_head);
            if proxy
                .worker(self.stream.worker)
                .is_some_and(|worker| worker.hangs())
            {
                // What the worker had to send never leaves it, and nobody writes a log.
                seen.downstream = Received::default();
                seen.code = 0;
                seen.details = "-".to_owned();
            }
            self.seen = Some(seen);
        }
    }
}

/// What Envoy calls it when an upstream resets a stream, or closes the connection.
fn upstream_breaks(stream: &mut Stream<'_>, protocol: Protocol) {
    match protocol {
        Protocol::Http1 => stream.upstream_breaks("connection termination", "protocol error"),
        Protocol::Http2 => stream.upstream_breaks("remote reset", "remote reset"),
    }
}
