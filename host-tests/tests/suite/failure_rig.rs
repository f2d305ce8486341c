//! A proxy whose guest traps where a request says, and what its clients get.
use std::time::Duration;

use weir_engine::time::Timestamp;
use weir_host::{
    End, Exchange, FailurePolicy, Filter, HeaderMap, Host, HostConfig, Message, Outcome,
    PluginConfig, Proxy, ProxyConfig, Stat, StreamId,
};

use crate::fixture;

pub(crate) const RELOAD: FailurePolicy = FailurePolicy::Reload {
    backoff: Duration::from_secs(1),
};
pub(crate) const POLICIES: [FailurePolicy; 4] = [
    FailurePolicy::Closed,
    FailurePolicy::Open,
    FailurePolicy::FailOpen,
    RELOAD,
];

pub(crate) fn filter(name: &str, policy: FailurePolicy) -> Filter {
    Filter {
        code: fixture::faults().into(),
        config: PluginConfig {
            allow_on_headers_stop_iteration: true,
            failure_policy: policy,
            ..PluginConfig::named(name)
        },
    }
}

pub(crate) struct Rig {
    pub(crate) host: Host,
    pub(crate) proxy: Proxy,
}

impl Rig {
    pub(crate) fn new(filters: Vec<Filter>, workers: usize) -> Self {
        let host = Host::new(HostConfig::default()).unwrap();
        let config = ProxyConfig {
            workers,
            ..ProxyConfig::default()
        };
        let proxy = Proxy::start(&host, config, filters).unwrap();
        Self { host, proxy }
    }
    pub(crate) fn of(policy: FailurePolicy) -> Self {
        Self::new(vec![filter("a", policy)], 1)
    }
    pub(crate) fn run(&mut self, headers: &[(&str, &str)]) -> Outcome {
        self.proxy.exchange("a", 0, &exchange(headers)).unwrap()
    }
    pub(crate) fn trap(&mut self, place: &str) -> Outcome {
        let outcome = self.run(&[("x-trap", place)]);
        match place {
            // The trap itself is in what follows.
            "C" => self.run(&[]),
            "T" => {
                self.proxy.advance_to(millis(1_000));
                outcome
            }
            _ => outcome,
        }
    }
    /// A stream that its filter paused in request headers; of a request without body if it `ends` there.
    pub(crate) fn paused(&mut self, ends: bool) -> StreamId {
        let mut stream = self.proxy.stream("a", 0).unwrap();
        stream.request_headers(&exchange(&[("x-pause", "h")]).request.headers, ends);
        stream.id()
    }
    pub(crate) fn finish(&mut self, id: StreamId) -> Outcome {
        let mut stream = self.proxy.worker(0).unwrap().resume_stream(id).unwrap();
        stream.request_body(b"body", true);
        if stream.request_is_complete() {
            let answer = exchange(&[]);
            stream.response_headers(&answer_of(&answer).headers, true);
        }
        stream.close()
    }
    pub(crate) fn failed(&mut self) -> bool {
        self.proxy.worker(0).unwrap().failure().is_some()
    }
    pub(crate) fn reloads(&self) -> [u64; 4] {
        let stats = self.host.stats();
        ["", "_backoff", "_failure", "_success"].map(|event| {
            match stats[&format!("wasm.a.vm_reload{event}")] {
                Stat::Counter(value) => value,
                _ => panic!("no counter"),
            }
        })
    }
}

pub(crate) fn answer_of(exchange: &Exchange) -> &Message {
    match &exchange.upstream {
        weir_host::Upstream::Answers(answer) => answer,
        _ => panic!("no answer"),
    }
}

pub(crate) fn millis(millis: u64) -> Timestamp {
    Timestamp::from_unix_nanos(millis * 1_000_000)
}

pub(crate) fn exchange(headers: &[(&str, &str)]) -> Exchange {
    let mut answer = Message::new(HeaderMap::from([(":status", "200")]), "answer");
    answer.trailers = Some(HeaderMap::from([("x-t", "1")]));
    let mut exchange = Exchange::post("/", "body").answered_by(answer);
    exchange.request.headers.remove("content-length");
    exchange.request.trailers = Some(HeaderMap::from([("x-q", "1")]));
    for (name, value) in headers {
        exchange = exchange.with_header(name, value);
    }
    exchange
}

pub(crate) fn got(outcome: &Outcome) -> (Option<u16>, End, &str) {
    let body = std::str::from_utf8(&outcome.downstream.body).unwrap();
    (outcome.status(), outcome.end, body)
}

pub(crate) const REFUSED: (Option<u16>, End, &str) = (Some(503), End::Complete, "");
pub(crate) const SERVED: (Option<u16>, End, &str) = (Some(200), End::Complete, "answer");
