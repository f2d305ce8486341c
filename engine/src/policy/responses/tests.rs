use super::*;
use crate::policy::{Checked, Policy};
use alloc::string::ToString;
use serde_json::{Value, json};

fn check(responses: Value) -> Checked {
    let document = json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "p", "version": "1", "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "tiers": [{"name": "everyone"}],
        "rollout": {"mode": "enforce"},
        "responses": responses,
    });
    Policy::check(document.to_string().as_bytes(), None)
}

fn found(responses: Value) -> Vec<(Code, String)> {
    let diagnostics = check(responses).diagnostics;
    let found = diagnostics.iter();
    found.map(|d| (d.code, d.path.clone())).collect()
}

#[test]
fn an_absent_section_waits_briefly_and_tells_no_quotas() {
    let responses = check(json!({})).policy.unwrap().responses;

    assert_eq!(responses.delay, Duration::from_secs(2));
    assert_eq!(responses.longest_retry, Duration::from_secs(60));
    assert_eq!(
        (responses.max_waiting, responses.pass_when_full),
        (64, false)
    );
    assert_eq!(responses.headers, []);
}

#[test]
fn what_is_written_is_what_holds() {
    let written = json!({
        "headers": ["provider", "envoy"],
        "longestRetry": "90s",
        "delay": {"for": "1500ms", "maxWaiting": 10000, "whenFull": "allow"},
    });

    let responses = check(written).policy.unwrap().responses;

    assert_eq!(
        responses.headers,
        [HeaderFamily::Provider, HeaderFamily::Envoy]
    );
    assert_eq!(responses.delay, Duration::from_millis(1500));
    assert_eq!(responses.longest_retry, Duration::from_secs(90));
    assert_eq!(
        (responses.max_waiting, responses.pass_when_full),
        (10_000, true)
    );
}

#[test]
fn values_at_the_edge_are_taken_and_beyond_it_refused() {
    for (key, edges, beyond) in [
        ("for", ["100ms", "30s"], ["99ms", "30001ms"]),
        ("longestRetry", ["0s", "1h"], ["3600001ms", "1d"]),
    ] {
        let given = |text: &str| match key {
            "for" => json!({"delay": {"for": text}}),
            key => json!({key: text}),
        };
        let path = match key {
            "for" => "responses.delay.for",
            _ => "responses.longestRetry",
        };
        for text in edges {
            assert_eq!(found(given(text)), [], "{text}");
        }
        for text in beyond {
            assert_eq!(found(given(text)), [(Code::OutOfRange, path.to_string())]);
        }
        assert_eq!(
            found(given("soon")),
            [(Code::BadDuration, path.to_string())]
        );
    }
    for (most, fits) in [(0, false), (1, true), (10_000, true), (10_001, false)] {
        let found = found(json!({"delay": {"maxWaiting": most}}));
        assert_eq!(found.is_empty(), fits, "{most}");
    }
}

#[test]
fn a_family_that_stands_twice_is_refused() {
    assert_eq!(
        found(json!({"headers": ["ietf", "provider", "ietf"]})),
        [(Code::RepeatedFamily, "responses.headers[2]".to_string())]
    );
}
