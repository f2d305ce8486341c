//! Scenarios that nobody thought of: one exchange each, with a script drawn from a seed.
//!
//! What is drawn is what a plugin may do in its stream: every callback's answer, in range or not, every
//! hostcall with sound and with wrong arguments, chunkings, trailers, broken upstreams, clients that
//! leave. Left out is what no two runs of Envoy agree on (races between threads and sockets, real time,
//! random bytes) and what would touch other streams of the same VM: traps, timers, shared keys. Those
//! have scenarios written by hand. Left out is also what crashes Envoy 1.40: continuing a response that
//! has not come, or a body whenever it is shown, making trailers or writing a body when a stream is done, dropping a local reply's body, replying to or closing a stream in its log callback.
mod calls;

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::scenario::{
    ClientSpec, Ending, ExchangeSpec, MessageSpec, PluginSpec, ProxySpec, Scenario, Script, Step,
    UpstreamSpec, Visit,
};

/// The proxy that all random scenarios share: one listener whose plugin may stop in headers and see the
/// body (`stop`), one whose stop there holds everything (`hold`).
pub fn proxy() -> ProxySpec {
    let plugin = |name: &str, allow: bool| PluginSpec {
        name: name.to_owned(),
        vm_id: name.to_owned(),
        allow_on_headers_stop_iteration: allow,
        ..PluginSpec::default()
    };
    ProxySpec {
        plugins: vec![plugin("stop", true), plugin("hold", false)],
        ..ProxySpec::default()
    }
}

/// The scenario of `seed`. Its request carries `seed` as `x-id`.
pub fn scenario(seed: u64) -> Scenario {
    let mut draw = Draw {
        generator: Pcg64::seed_from_u64(seed),
        seed,
        calls_out_in: "",
        replies_to_response: false,
    };
    let mut exchange = draw.exchange();
    exchange
        .request
        .headers
        .push(("x-id".to_owned(), seed.to_string()));
    Scenario {
        name: format!("random-{seed}"),
        items: Vec::new(),
        proxy: proxy(),
        steps: vec![Step::Exchange(Box::new(exchange))],
        expect: Vec::new(),
    }
}

struct Draw {
    generator: Pcg64,
    seed: u64,
    /// The callback in which a callout is made. One at most: two that are answered at once race.
    calls_out_in: &'static str,
    /// Whether the response is replied to; else the request. A reply to a reply is seen by the filter or not, by
    /// where in Envoy's own calls it is made.
    replies_to_response: bool,
}

impl Draw {
    /// Below `end`, which is at least 1.
    fn below(&mut self, end: usize) -> usize {
        // The bias of the remainder is below 2^-50 for ends this small.
        (self.generator.next_u64() % (end as u64).max(1)) as usize
    }
    /// True in `percent` of 100 draws.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
    fn one<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        let index = self.below(of.len());
        of.get(index).cloned()
    }
    fn word(&mut self, of: &[&'static str]) -> &'static str {
        self.one(of).unwrap_or_default()
    }
    fn number(&mut self, of: &[u32]) -> u32 {
        self.one(of).unwrap_or_default()
    }

    fn exchange(&mut self) -> ExchangeSpec {
        let mut request = self.message();
        let is_head = self.chance(5);
        if is_head {
            request.headers.push((":method".into(), "HEAD".into()));
        }
        if self.chance(20) {
            let path = self.word(&["/a?b=c", "/deep/er", "/%41"]);
            request.headers.push((":path".into(), path.into()));
        }
        self.calls_out_in = self.word(&[
            "request_headers",
            "request_headers",
            "request_trailers",
            "response_headers",
            "response_trailers",
        ]);
        self.replies_to_response = self.chance(50);
        request.script = self.script();
        ExchangeSpec {
            through: Some(self.word(&["stop", "stop", "hold"]).to_owned()),
            request,
            upstream: match self.upstream() {
                // A body in answer to HEAD is the upstream's mistake, not the plugin's.
                UpstreamSpec::Answers(answer) if is_head => UpstreamSpec::Answers(MessageSpec {
                    body: Vec::new(),
                    trailers: Vec::new(),
                    ends: Ending::WithLast,
                    ..answer
                }),
                UpstreamSpec::BreaksOff(_) if is_head => UpstreamSpec::Resets {},
                // Then the response is a reply, too.
                UpstreamSpec::Resets {} if self.replies_to_response => UpstreamSpec::default(),
                upstream => upstream,
            },
            client: match self.chance(5) {
                true => ClientSpec::LeavesBeforeEnd,
                false => ClientSpec::Stays,
            },
        }
    }
    fn upstream(&mut self) -> UpstreamSpec {
        let mut answer = self.message();
        if self.chance(30) {
            let status = self.word(&["201", "404", "500", "503"]);
            answer.headers.push((":status".into(), status.into()));
        }
        match self.below(100) {
            0..=84 => UpstreamSpec::Answers(answer),
            85..=91 => UpstreamSpec::Resets {},
            92..=96 => UpstreamSpec::BreaksOff(answer),
            _ => UpstreamSpec::Hangs {},
        }
    }
    fn message(&mut self) -> MessageSpec {
        let pieces = match self.below(10) {
            0..=3 => 0,
            4..=6 => 1,
            7 | 8 => 2,
            _ => 4,
        };
        MessageSpec {
            headers: self.headers(),
            body: (0..pieces)
                .map(|_| self.word(&["a", "bcd", "efghijkl", "\u{e9}\u{4e16}", "0123456789abcdef"]))
                .map(str::to_owned)
                .collect(),
            ends: match self.chance(50) {
                true => Ending::WithLast,
                false => Ending::Separately,
            },
            trailers: match self.chance(25) {
                true => vec![("x-trailer".into(), self.value().into())],
                false => Vec::new(),
            },
            ..MessageSpec::default()
        }
    }
    fn headers(&mut self) -> Vec<(String, String)> {
        (0..self.below(4))
            .map(|_| {
                let name = self.word(&["x-a", "x-b", "x-c", "accept", "cookie"]);
                (name.to_owned(), self.value().to_owned())
            })
            .collect()
    }
    fn value(&mut self) -> &'static str {
        self.word(&["1", "two", "a,b", "longer value with spaces", "x=y; z"])
    }

    fn script(&mut self) -> Script {
        let mut script = Script::default();
        for (callback, answers, likely) in [
            ("request_headers", HEADERS, 90),
            ("request_body", DATA, 80),
            ("request_trailers", TRAILERS, 60),
            ("response_headers", HEADERS, 70),
            ("response_body", DATA_OF_RESPONSES, 70),
            ("response_trailers", TRAILERS, 60),
            ("http_call_response", &[0], 100),
            ("log", &[0], 40),
            ("done", &[1, 1, 1, 0], 20),
            ("delete", &[0], 10),
        ] {
            if self.chance(likely) {
                let mut visits: Vec<Visit> = (0..=self.below(3))
                    .map(|_| self.visit(callback, answers))
                    .collect();
                // The last one is repeated, and a body that is continued whenever it is shown is shown without end.
                if callback.ends_with("_body")
                    && let Some(last) = visits.last_mut()
                {
                    last.calls
                        .retain(|call| !call.contains_key("continue_stream"));
                }
                script.0.insert(callback.to_owned(), visits);
            }
        }
        script
    }
    fn visit(&mut self, callback: &str, answers: &[u32]) -> Visit {
        let mut calls: Vec<_> = (0..self.below(4)).map(|_| self.call(callback)).collect();
        if matches!(callback, "log" | "done" | "delete") {
            // Of bodies there is what Envoy's memory happens to hold, even of one that was passed on.
            calls.retain(|call| !calls::makes_trailers(call) && !calls::is_about_bodies(call));
        }
        let mut has_callout = false;
        calls.retain(|call| {
            let is_callout = call.contains_key("http_call");
            !is_callout || !std::mem::replace(&mut has_callout, true)
        });
        if self.chance(match callback {
            "http_call_response" => 80,
            "log" | "done" | "delete" => 0,
            _ => 15,
        }) {
            // At most one of them in a callback, and last: Envoy does some at once and some later.
            calls.push(self.turn(callback));
        }
        // To continue and to answer so as well sends a message twice.
        let continues = calls
            .iter()
            .any(|call| call.contains_key("continue_stream"));
        let answer = match continues {
            true if callback.ends_with("_headers") => self.number(&[1, 1, 3, 4, 99]),
            true if callback.ends_with("_trailers") => 1,
            true if callback == "request_body" => self.number(&[1, 1, 2, 3]),
            true if callback == "response_body" => 1,
            _ => self.number(answers),
        };
        Visit {
            calls,
            answer: Some(answer),
        }
    }
}

/// Answers of headers callbacks: mostly continue and stop, then all others, then out of range.
const HEADERS: &[u32] = &[0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 4, 5, 99];
/// Of body callbacks.
const DATA: &[u32] = &[0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 4, 99];
/// The same without those that drop a piece or hold it and show it no more: Envoy crashes where that was the end
/// of a local reply.
const DATA_OF_RESPONSES: &[u32] = &[0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
/// Of trailers callbacks.
const TRAILERS: &[u32] = &[0, 0, 0, 0, 1, 1, 2];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_scenario_and_another_seed_another() {
        assert_eq!(scenario(7), scenario(7));
        assert_ne!(scenario(7).steps, scenario(8).steps);
    }

    #[test]
    fn a_drawn_scenario_survives_being_written_and_read() {
        for seed in 0..200 {
            let drawn = scenario(seed);
            let text = serde_json::to_string(&drawn).unwrap();

            assert_eq!(Scenario::parse_all(&text).unwrap(), [drawn], "seed {seed}");
        }
    }
}
