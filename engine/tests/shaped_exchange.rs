//! Shaping and delays in whole exchanges on the native engine: whom they hold for, and what is told of them.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what tests are built of fails as they do, by panicking"
)]

use serde_json::{Value, json};
use std::time::Duration;
use weir_engine::{
    detect::{Standing, State},
    evaluate::Body,
    exchange::{Answer, Exchange, Forward},
    hash::HashKey,
    identity::NoProperties,
    ledger::Ledger,
    policy::Policy,
    store::MemoryStore,
    time::Timestamp,
    verdict::Action,
};

const KEY: HashKey = HashKey::new([7; 16]);

/// Everybody's probabilities are stripped; accounts in `watch` get one sample, those in `step_up` wait.
fn policy(change: impl FnOnce(&mut Value)) -> Policy {
    let mut document = json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "test", "version": "1", "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "tiers": [{"name": "everyone"}],
        "detection": {"learn": "1m"},
        "shaping": {"rules": [
            {"name": "all", "request": {"logprobs": "drop"}, "response": {"logprobs": "strip"}},
            {"name": "suspects", "when": {"states": ["watch"]}, "request": {"samples": 1}},
        ]},
        "responses": {"states": {"watch": "shape", "step_up": "delay"}, "delay": {"for": "3s", "maxWaiting": 2}},
        "rollout": {"mode": "enforce"},
    });
    change(&mut document);
    let checked = Policy::check(document.to_string().as_bytes(), None);
    checked
        .policy
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// A request of the account `a` for two samples with probabilities, decided on.
fn asked(policy: &Policy, state: State, waiting: usize) -> (Exchange, Answer) {
    let now = Timestamp::parse_rfc3339("2026-05-01T12:00:00Z").unwrap();
    let headers: [(&[u8], &[u8]); 3] = [
        (b":method", b"POST"),
        (b":path", b"/v1/chat/completions"),
        (b"x-account-id", b"a"),
    ];
    let mut exchange = Exchange::begin(policy, &KEY, headers.into_iter(), &NoProperties, now);
    exchange.stands(Standing {
        state,
        learned: 1.0,
        ..Standing::default()
    });
    exchange.waits_with(waiting);
    let body = json!({"model": "m", "messages": [], "n": 2, "logprobs": true}).to_string();
    let mut ledger = Ledger::new(policy.layout());
    let mut store = MemoryStore::default();
    let body = Body::Whole(body.as_bytes());
    let answer = exchange.decide(policy, &KEY, body, &mut ledger, &mut store);
    (exchange, answer)
}

fn forward(answer: Answer) -> Forward {
    match answer {
        Answer::Forward(forward) => forward,
        Answer::Reply(denial) => panic!("{denial:?}"),
    }
}

fn body(forward: &Forward) -> Option<Value> {
    forward
        .body
        .as_ref()
        .map(|body| serde_json::from_slice(body).expect("JSON"))
}

fn action(exchange: &Exchange) -> Action {
    exchange.evaluation().expect("decided").verdict.action
}

#[test]
fn rules_of_a_state_hold_for_accounts_in_it_alone() {
    let policy = policy(|_| {});
    for (state, samples) in [(State::Observe, 2), (State::Watch, 1), (State::StepUp, 2)] {
        let (_, answer) = asked(&policy, state, 0);

        let wanted = json!({"model": "m", "messages": [], "n": samples});
        assert_eq!(body(&forward(answer)), Some(wanted), "{state:?}");
    }
}

#[test]
fn a_delayed_request_waits_and_one_more_than_may_wait_is_refused_or_passes() {
    for (full, refused) in [("throttle", true), ("allow", false)] {
        let policy = policy(|document| document["responses"]["delay"]["whenFull"] = json!(full));

        let (exchange, waits) = asked(&policy, State::StepUp, 1);
        let (_, more) = asked(&policy, State::StepUp, 2);

        assert_eq!(forward(waits).delay, Some(Duration::from_secs(3)));
        assert_eq!(action(&exchange), Action::Delay);
        match more {
            Answer::Reply(denial) => assert!(refused && denial.status == 429, "{denial:?}"),
            Answer::Forward(forward) => assert!(!refused && forward.delay.is_none()),
        }
    }
}

#[test]
fn a_response_that_cannot_be_read_goes_on_and_is_told() {
    let policy = policy(|_| {});
    let readable = br#"{"choices":[{"logprobs":{"content":[]}}]}"#;
    for (encoding, response, told) in [
        (&b"identity"[..], &readable[..], false),
        (b"identity", b"\x1f\x8b\x08\x00", true),
        (b"identity", b"data: {\"choices\":[{\n\n", true),
        (b"gzip", b"\x1f\x8b\x08\x00", true),
    ] {
        let (mut exchange, _) = asked(&policy, State::Observe, 0);
        let headers: [(&[u8], &[u8]); 1] = [(b"content-encoding", encoding)];

        let changes = exchange.response_head(&policy, headers.into_iter());
        let changed = exchange.response(response, true);

        assert_eq!((changes.reply, exchange.is_unstripped()), (None, told));
        assert_eq!(changed.is_none(), told, "{changed:?}");
    }
}

#[test]
fn a_response_that_cannot_be_read_ends_where_the_policy_refuses_it() {
    let policy = policy(|document| {
        document["shaping"]["unreadable"] = json!("deny");
        document["responses"]["termsOfUse"] = json!("https://example.com/terms");
    });
    let (mut encoded, _) = asked(&policy, State::Observe, 0);
    let (mut broken, _) = asked(&policy, State::Observe, 0);
    let headers: [(&[u8], &[u8]); 1] = [(b"content-encoding", b"gzip")];

    let changes = encoded.response_head(&policy, headers.into_iter());
    let last = broken.response(b"data: {\"choices\":[{\n\n", false);
    let after = broken.response(b"data: {}\n\n", true);

    let denial = changes.reply.expect("a reply");
    assert_eq!(denial.status, 500);
    assert!(
        denial.body.contains("https://example.com/terms"),
        "{}",
        denial.body
    );
    let last_word = ("x-should-retry", String::from("false"));
    assert!(denial.headers.contains(&last_word));
    let last = String::from_utf8(last.expect("an error")).unwrap();
    assert!(last.contains("\"error\""), "{last}");
    assert_eq!(after, Some(Vec::new()));
    assert!(!broken.is_unstripped() && !encoded.is_unstripped());
}
