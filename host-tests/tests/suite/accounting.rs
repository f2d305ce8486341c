//! What is charged is what responses reported, whatever becomes of the streams.
use super::weir::{Process, wasm_or_skip};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::cell::Cell;
use std::num::NonZeroUsize;
use std::time::Duration;
use weir_engine::time::Timestamp;
use weir_host::weir::DECISION;
use weir_host::{Client, Exchange, Message, Outcome, Upstream, Worker};

/// Larger than anything that a run can use, so that nothing is refused before the question at the end.
const LIMIT: u32 = u32::MAX;

fn policy() -> Value {
    json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "accounting", "version": "1", "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "tiers": [{"name": "everyone"}],
        "budgets": [{"name": "tokens", "per": "account", "unit": "tokens", "limit": LIMIT, "window": "1d"}],
        "rollout": {"mode": "enforce"},
    })
}

/// What becomes of one exchange.
#[derive(Clone, Debug)]
enum Fate {
    Answered,
    Streamed,
    /// The client leaves after so many bytes of the stream.
    Left(usize),
    /// The upstream breaks off after so many bytes of the stream.
    BrokenOff(usize),
    Failed,
    Reset,
}

fn fates() -> impl Strategy<Value = Vec<(u8, Fate, u32, u32)>> {
    let fate = prop_oneof![
        Just(Fate::Answered),
        Just(Fate::Streamed),
        (0usize..700).prop_map(Fate::Left),
        (0usize..700).prop_map(Fate::BrokenOff),
        Just(Fate::Failed),
        Just(Fate::Reset),
    ];
    proptest::collection::vec((0u8..3, fate, 0u32..5000, 0u32..5000), 1..40)
}

fn usage_event(input: u32, output: u32) -> String {
    let chunk =
        json!({"choices": [], "usage": {"prompt_tokens": input, "completion_tokens": output}});
    format!("data: {chunk}\n\n")
}

fn stream(input: u32, output: u32) -> String {
    let mut text = String::new();
    for piece in ["Grüße", " aus", " 京都", "!"] {
        let chunk = json!({"choices": [{"index": 0, "delta": {"content": piece}}], "usage": null});
        text.push_str(&format!("data: {chunk}\n\n"));
    }
    text + &usage_event(input, output) + "data: [DONE]\n\n"
}

fn exchange(account: u8, fate: &Fate, input: u32, output: u32) -> Exchange {
    let whole =
        json!({"choices": [], "usage": {"prompt_tokens": input, "completion_tokens": output}})
            .to_string();
    let ok = |body: String| Message::response(200, body);
    let streamed = || {
        let mut message = ok(stream(input, output));
        message.headers.remove("content-length");
        message
    };
    let (upstream, client) = match fate {
        Fate::Answered => (Upstream::Answers(ok(whole)), Client::Stays),
        Fate::Streamed => (Upstream::Answers(streamed()), Client::Stays),
        Fate::Left(bytes) => (
            Upstream::Answers(streamed()),
            Client::LeavesAfterReceiving(*bytes),
        ),
        Fate::BrokenOff(bytes) => (
            Upstream::BreaksOff {
                answer: streamed(),
                sent: *bytes,
            },
            Client::Stays,
        ),
        Fate::Failed => (
            Upstream::Answers(Message::response(
                500,
                "{\"error\":{\"message\":\"overloaded\"}}",
            )),
            Client::Stays,
        ),
        Fate::Reset => (Upstream::Resets, Client::Stays),
    };
    let body = json!({"model": "m", "max_tokens": 300, "messages": [{"role": "user", "content": "hello"}]});
    let mut exchange = Exchange::post("/v1/chat/completions", body.to_string())
        .with_header("x-account-id", &format!("a-{account}"));
    exchange.upstream = upstream;
    exchange.client = client;
    exchange.response_chunks.bytes = NonZeroUsize::new(50).unwrap();
    exchange
}

/// What the response told before it ended, by what the client got of it.
fn told(outcome: &Outcome, fate: &Fate, input: u32, output: u32) -> u32 {
    let body = String::from_utf8_lossy(&outcome.downstream.body).into_owned();
    let complete = match fate {
        Fate::Answered => true,
        Fate::Streamed | Fate::Left(_) | Fate::BrokenOff(_) => {
            body.contains(usage_event(input, output).trim_end())
        }
        Fate::Failed | Fate::Reset => false,
    };
    if complete { input + output } else { 0 }
}

/// What the window of an account holds: a request that would take all of it is refused while it holds anything.
fn charged(worker: &mut Worker, account: u8) -> u32 {
    let body = json!({"model": "m", "max_tokens": LIMIT, "messages": []});
    let ask = Exchange::post("/v1/chat/completions", body.to_string())
        .with_header("x-account-id", &format!("a-{account}"));
    let outcome = worker.exchange(&ask);
    let decision: Value = serde_json::from_slice(outcome.filter_state(DECISION).unwrap()).unwrap();
    match decision["action"].as_str() {
        Some("throttle") => decision["reasons"][0]["value"].as_f64().unwrap() as u32,
        _ => 0,
    }
}

fn advance(workers: &mut [Worker], now: &mut Timestamp, by: Duration) {
    *now = now.saturating_add(by);
    for worker in workers {
        worker.tick(*now);
    }
}

#[test]
fn tokens_charged_are_the_tokens_that_responses_reported() {
    let Some(wasm) = wasm_or_skip("accounting") else {
        return;
    };
    let process = Process::new(&wasm, &policy());
    let run = Cell::new(0u64);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    runner
        .run(&fates(), |fates| {
            // Far enough apart that every run begins with empty windows.
            run.set(run.get() + 1);
            let mut now = Timestamp::from_unix_nanos(run.get() * 2_000_000 * 1_000_000_000);
            let mut workers = [
                process.plugin.worker().unwrap(),
                process.plugin.worker().unwrap(),
            ];
            let mut expected = [0u32; 3];

            for (index, (account, fate, input, output)) in fates.iter().enumerate() {
                advance(&mut workers, &mut now, Duration::from_millis(130));
                let outcome =
                    workers[index % 2].exchange(&exchange(*account, fate, *input, *output));
                expected[usize::from(*account)] += told(&outcome, fate, *input, *output);
            }
            for _ in 0..3 {
                advance(&mut workers, &mut now, Duration::from_millis(130));
            }

            for (account, expected) in (0u8..).zip(expected) {
                prop_assert_eq!(
                    charged(&mut workers[0], account),
                    expected,
                    "account {}",
                    account
                );
            }
            Ok(())
        })
        .unwrap();
}
