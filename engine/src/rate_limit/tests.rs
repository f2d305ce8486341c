use super::*;
use crate::identity::NoProperties;
use crate::{
    evaluate::Body, exchange::Exchange, hash::HashKey, ledger::Ledger, store::MemoryStore,
};
use alloc::{borrow::ToOwned, collections::BTreeMap};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: &str = "2026-05-01T12:00:00.25Z";

/// A policy with these budgets (name, unit, limit, window) and families.
fn policy(budgets: &[(&str, &str, u32, &str)], families: &[&str]) -> Policy {
    let budgets: Vec<Value> = budgets
        .iter()
        .map(|(name, unit, limit, window)| json!({"name": name, "per": "account", "unit": unit, "limit": limit, "window": window}))
        .collect();
    let document = json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "p", "version": "1", "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "tiers": [{"name": "everyone"}],
        "budgets": budgets,
        "responses": {"headers": families},
        "rollout": {"mode": "enforce"},
    });
    let checked = Policy::check(document.to_string().as_bytes(), None);
    checked
        .policy
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics))
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339(NOW).unwrap()
}

/// What is told where `remaining` is left of the budgets in order, and the upstream says this.
fn told(
    policy: &Policy,
    provider: Provider,
    remaining: &[u32],
    upstream: &[(&str, &str)],
) -> BTreeMap<&'static str, String> {
    let quotas: Vec<Quota> = remaining
        .iter()
        .enumerate()
        .map(|(budget, &remaining)| Quota { budget, remaining })
        .collect();
    let upstream = upstream
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let headers = headers(policy, provider, &quotas, now(), upstream);
    let count = headers.len();
    let headers: BTreeMap<_, _> = headers.into_iter().collect();
    assert_eq!(headers.len(), count, "each stands once");
    headers
}

fn expected(headers: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
    headers
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

const BUDGETS: &[(&str, &str, u32, &str)] = &[
    ("hourly", "requests", 100, "1h"),
    ("daily", "requests", 1000, "1d"),
    ("in", "input_tokens", 50_000, "1m"),
    ("out", "output_tokens", 9_000, "1500ms"),
    ("at-once", "concurrency", 4, "10m"),
];
const LEFT: &[u32] = &[41, 40, 30_000, 8_000, 3];

#[test]
fn the_current_draft_lists_every_budget() {
    let policy = policy(BUDGETS, &["ietf"]);

    assert_eq!(
        told(&policy, Provider::OpenAi, LEFT, &[]),
        expected(&[
            (
                "ratelimit-policy",
                "\"hourly\";q=100;w=3600;qu=\"requests\", \
                 \"daily\";q=1000;w=86400;qu=\"requests\", \
                 \"in\";q=50000;w=60;qu=\"input-tokens\", \
                 \"out\";q=9000;w=2;qu=\"output-tokens\", \
                 \"at-once\";q=4;qu=\"concurrent-requests\"",
            ),
            (
                "ratelimit",
                "\"hourly\";r=41;t=3600, \"daily\";r=40;t=86400, \"in\";r=30000;t=60, \
                 \"out\";r=8000;t=2, \"at-once\";r=3",
            ),
        ])
    );
}

#[test]
fn openais_family_tells_the_tightest_budget_of_requests_and_of_tokens() {
    let policy = policy(BUDGETS, &["openai"]);

    assert_eq!(
        told(&policy, Provider::Anthropic, LEFT, &[]),
        expected(&[
            ("x-ratelimit-limit-requests", "1000"),
            ("x-ratelimit-remaining-requests", "40"),
            ("x-ratelimit-reset-requests", "24h0m0s"),
            ("x-ratelimit-limit-tokens", "9000"),
            ("x-ratelimit-remaining-tokens", "8000"),
            ("x-ratelimit-reset-tokens", "2s"),
        ])
    );
}

#[test]
fn anthropics_family_tells_points_in_time_that_are_not_too_early() {
    let policy = policy(BUDGETS, &["anthropic"]);

    assert_eq!(
        told(&policy, Provider::OpenAi, LEFT, &[]),
        expected(&[
            ("anthropic-ratelimit-requests-limit", "1000"),
            ("anthropic-ratelimit-requests-remaining", "40"),
            ("anthropic-ratelimit-requests-reset", "2026-05-02T12:00:01Z"),
            ("anthropic-ratelimit-tokens-limit", "9000"),
            ("anthropic-ratelimit-tokens-remaining", "8000"),
            ("anthropic-ratelimit-tokens-reset", "2026-05-01T12:00:02Z"),
            ("anthropic-ratelimit-input-tokens-limit", "50000"),
            ("anthropic-ratelimit-input-tokens-remaining", "30000"),
            (
                "anthropic-ratelimit-input-tokens-reset",
                "2026-05-01T12:01:01Z"
            ),
            ("anthropic-ratelimit-output-tokens-limit", "9000"),
            ("anthropic-ratelimit-output-tokens-remaining", "8000"),
            (
                "anthropic-ratelimit-output-tokens-reset",
                "2026-05-01T12:00:02Z"
            ),
        ])
    );
}

#[test]
fn envoys_family_tells_of_requests_with_every_window() {
    let policy = policy(BUDGETS, &["envoy"]);

    assert_eq!(
        told(&policy, Provider::OpenAi, LEFT, &[]),
        expected(&[
            (
                "x-ratelimit-limit",
                "1000, 100;w=3600;name=\"hourly\", 1000;w=86400;name=\"daily\"",
            ),
            ("x-ratelimit-remaining", "40"),
            ("x-ratelimit-reset", "86400"),
        ])
    );
}

#[test]
fn the_providers_family_is_the_one_that_its_clients_read_and_stands_once() {
    let policy = policy(BUDGETS, &["provider", "openai", "ietf"]);
    let names = |provider| -> Vec<_> {
        let told = told(&policy, provider, &[1], &[]);
        told.into_keys().collect()
    };

    let openai = [
        "ratelimit",
        "ratelimit-policy",
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
    ];
    assert_eq!(names(Provider::OpenAi), openai);
    assert_eq!(names(Provider::Gemini), openai);
    assert_eq!(names(Provider::Anthropic).len(), 8);
}

#[test]
fn nothing_is_told_without_a_family_or_without_a_budget() {
    let silent = policy(BUDGETS, &[]);
    let other = policy(BUDGETS, &["openai", "anthropic", "envoy"]);

    assert_eq!(told(&silent, Provider::OpenAi, LEFT, &[]), expected(&[]));
    let all = policy(BUDGETS, &["ietf", "openai", "anthropic", "envoy"]);
    assert_eq!(told(&all, Provider::OpenAi, &[], &[]), expected(&[]));
    let leases = [Quota {
        budget: 4,
        remaining: 3,
    }];
    let nothing = core::iter::empty();
    assert_eq!(
        headers(&other, Provider::OpenAi, &leases, now(), nothing),
        []
    );
}

#[test]
fn of_two_that_have_as_little_left_the_one_that_takes_longer_is_told() {
    let policy = policy(BUDGETS, &["openai"]);

    let told = told(&policy, Provider::OpenAi, &[7, 7], &[]);

    assert_eq!(told["x-ratelimit-limit-requests"], "1000");
}

#[test]
fn an_upstream_that_is_stricter_is_left_alone_and_one_that_is_not_is_corrected() {
    let policy = policy(&[("b", "requests", 100, "10m")], &["openai"]);
    for (name, said, ours) in [
        ("x-ratelimit-limit-requests", "60", None),
        ("x-ratelimit-limit-requests", "100", None),
        ("x-ratelimit-limit-requests", " 10000 ", Some("100")),
        (
            "x-ratelimit-limit-requests",
            "18446744073709551615",
            Some("100"),
        ),
        ("x-ratelimit-limit-requests", "60, 60;w=60", None),
        ("x-ratelimit-limit-requests", "", None),
        ("x-ratelimit-limit-requests", "-1", None),
        ("x-ratelimit-limit-requests", "many", None),
        (
            "x-ratelimit-limit-requests",
            "99999999999999999999999",
            None,
        ),
        ("x-ratelimit-remaining-requests", "0", None),
        ("x-ratelimit-remaining-requests", "42.0", Some("41")),
        ("x-ratelimit-reset-requests", "1s", Some("10m0s")),
        ("x-ratelimit-reset-requests", "6m0s", Some("10m0s")),
        ("x-ratelimit-reset-requests", "10m0.001s", None),
        ("x-ratelimit-reset-requests", "1h", None),
        ("x-ratelimit-reset-requests", "1d1h1m1s", None),
        ("x-ratelimit-reset-requests", "20ms", Some("10m0s")),
        ("x-ratelimit-reset-requests", "120", Some("10m0s")),
        ("x-ratelimit-reset-requests", "600.5", None),
        ("x-ratelimit-reset-requests", "2026-05-01T12:00:00Z", None),
        ("x-ratelimit-reset-requests", "1 fortnight", None),
        ("x-ratelimit-reset-requests", "", None),
        ("x-ratelimit-reset-requests", "99999999999999999999h", None),
    ] {
        let told = told(&policy, Provider::OpenAi, &[41], &[(name, said)]);

        assert_eq!(told.get(name).map(String::as_str), ours, "{name}: {said}");
        assert!(told.len() >= 2, "the others are told");
    }
}

#[test]
fn points_in_time_are_compared_as_such() {
    let policy = policy(&[("b", "requests", 100, "1h")], &["anthropic"]);
    let name = "anthropic-ratelimit-requests-reset";
    for (said, ours) in [
        ("2026-05-01T12:30:00Z", Some("2026-05-01T13:00:01Z")),
        ("2026-05-01T13:30:00Z", None),
        ("2026-05-01T15:30:00+02:00", None),
        ("2026-05-01T14:30:00+02:00", Some("2026-05-01T13:00:01Z")),
        ("soon", None),
    ] {
        let told = told(&policy, Provider::Anthropic, &[1], &[(name, said)]);

        assert_eq!(told.get(name).map(String::as_str), ours, "{said}");
    }
}

#[test]
fn what_the_upstream_says_twice_or_in_no_text_is_left_alone() {
    let policy = policy(&[("b", "requests", 100, "1h")], &["envoy"]);
    let quotas = [Quota {
        budget: 0,
        remaining: 41,
    }];
    let upstream: [(&[u8], &[u8]); 3] = [
        (b"x-ratelimit-limit", b"100, \xff"),
        (b"X-RateLimit-Remaining", b"500"),
        (b"x-ratelimit-remaining", b"600"),
    ];

    let told = headers(
        &policy,
        Provider::OpenAi,
        &quotas,
        now(),
        upstream.into_iter(),
    );

    assert_eq!(told, [("x-ratelimit-reset", "3600".to_string())]);
}

#[test]
fn an_envoy_upstreams_windows_are_kept() {
    let policy = policy(&[("b", "requests", 100, "1h")], &["envoy"]);
    let limit = |said| {
        let upstream = [("x-ratelimit-limit", said)];
        let told = told(&policy, Provider::OpenAi, &[41], &upstream);
        told.get("x-ratelimit-limit").cloned()
    };

    let ours = "100;w=3600;name=\"b\"";
    for (said, expected) in [
        ("60, 60;w=60", Some(format!("60, 60;w=60, {ours}"))),
        ("600, 600;w=60", Some(format!("100, 600;w=60, {ours}"))),
        ("600", Some(format!("100, {ours}"))),
        ("lots, 600;w=60", None),
    ] {
        assert_eq!(limit(said), expected, "{said}");
    }
}

#[test]
fn an_upstreams_list_is_kept_in_front_and_names_stay_unique() {
    let policy = policy(&[("b", "requests", 100, "1h")], &["ietf"]);
    let ours = "\"b\";r=41;t=3600";
    for (said, expected) in [
        (
            &["\"u\";r=1;t=5"][..],
            Some(format!("\"u\";r=1;t=5, {ours}")),
        ),
        (&["u;r=1"], Some(format!("u;r=1, {ours}"))),
        (
            &["\"u\";r=1", "\"v\";r=2"],
            Some(format!("\"u\";r=1, \"v\";r=2, {ours}")),
        ),
        (
            &["\"a, \\\"b\";r=1;pk=:Y2E=:"],
            Some(format!("\"a, \\\"b\";r=1;pk=:Y2E=:, {ours}")),
        ),
        (&["\"b\";r=7"], None),
        (&["b;r=7"], None),
        // The drafts before: a dictionary, which items would break.
        (&["limit=100, remaining=50, reset=5"], None),
        (&["100"], None),
        (&["\"open;r=1"], None),
        (&["\"u\";pk=\"open"], None),
        (&["\"u\" r=1"], None),
        (&["\"u\";r=1,"], None),
        (&["\"ü\";r=1"], None),
    ] {
        let upstream: Vec<_> = said.iter().map(|value| ("RateLimit", *value)).collect();

        let told = told(&policy, Provider::Unknown, &[41], &upstream);

        assert_eq!(told.get("ratelimit"), expected.as_ref(), "{said:?}");
        assert!(told.contains_key("ratelimit-policy"));
    }
}

#[test]
fn a_spent_budget_tells_when_the_request_would_fit() {
    let policy = policy(BUDGETS, &["ietf", "openai"]);
    let refused = |budget| {
        let quotas = [Quota {
            budget,
            remaining: 0,
        }];
        let wait = Duration::from_millis(90_001);
        let headers = spent(&policy, Provider::OpenAi, &quotas, wait, now());
        headers.into_iter().collect::<BTreeMap<_, _>>()
    };

    assert_eq!(refused(0)["ratelimit"], "\"hourly\";r=0;t=91");
    assert_eq!(refused(0)["x-ratelimit-reset-requests"], "1m31s");
    assert_eq!(refused(4)["ratelimit"], "\"at-once\";r=0;t=91");
    assert!(!refused(4).contains_key("x-ratelimit-reset-requests"));
}

#[test]
fn an_admitted_exchange_tells_what_it_left_of_its_budgets() {
    let policy = policy(&[("b", "requests", 100, "1h")], &["provider", "ietf"]);
    let key = HashKey::new([7; 16]);
    let request: [(&[u8], &[u8]); 3] = [
        (b":method", b"POST"),
        (b":path", b"/v1/chat/completions"),
        (b"x-account-id", b"a"),
    ];
    let mut exchange = Exchange::begin(&policy, &key, request.into_iter(), &NoProperties, now());
    let body = Body::Whole(br#"{"model": "m", "messages": [{"role": "user", "content": "hi"}]}"#);
    let mut ledger = Ledger::new(policy.layout());
    let mut store = MemoryStore::default();
    let answer = exchange.decide(&policy, &key, body, &mut ledger, &mut store);
    let upstream: [(&[u8], &[u8]); 2] = [
        (b"x-ratelimit-limit-requests", b"5000"),
        (b"x-ratelimit-remaining-requests", b"7"),
    ];

    let changes = exchange.response_head(&policy, upstream.into_iter());

    assert_eq!(answer.into_denial(), None);
    assert!(exchange.needs_response_head(&policy));
    let expected = [
        ("x-ratelimit-limit-requests", "100"),
        ("x-ratelimit-reset-requests", "1h0m0s"),
        ("ratelimit-policy", "\"b\";q=100;w=3600;qu=\"requests\""),
        ("ratelimit", "\"b\";r=99;t=3600"),
    ];
    assert_eq!(
        changes.set,
        expected.map(|(name, value)| (name, value.to_owned()))
    );
}

proptest! {
    #[test]
    fn no_number_is_larger_and_no_reset_earlier_than_the_upstreams(
        limit in 1_u32..,
        left: u32,
        said in (any::<u32>(), any::<u32>(), 0_u64..200_000),
        window in 1_u64..100_000,
    ) {
        let window = format!("{window}s");
        let policy = policy(&[("b", "tokens", limit, &window)], &["openai"]);
        let [limit, remaining, reset] = [
            "x-ratelimit-limit-tokens",
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-reset-tokens",
        ];
        let (count, rest, seconds) = said;
        let upstream = [count.to_string(), rest.to_string(), clock(Duration::from_secs(seconds))];
        let [a, b, c] = &upstream;

        let told = told(&policy, Provider::OpenAi, &[left], &[(limit, a), (remaining, b), (reset, c)]);

        let number = |name: &str, said: &str| -> u64 {
            told.get(name).map_or(said, String::as_str).parse().unwrap()
        };
        prop_assert!(number(limit, a) <= u64::from(count));
        prop_assert!(number(remaining, b) <= u64::from(rest).min(u64::from(left)));
        let later = told.get(reset).unwrap_or(c);
        let later = crate::time::parse_duration(later).unwrap();
        prop_assert!(later >= Duration::from_secs(seconds));
        prop_assert!(later >= crate::time::parse_duration(&window).unwrap());
    }

    #[test]
    fn whatever_an_upstream_says_is_read_without_a_trap_and_written_as_visible_text(
        said in "\\PC{0,60}|[ -~]{0,60}|[\",;= a-z0-9\\\\]{0,60}",
        name in 0_usize..10,
    ) {
        let families = ["ietf", "openai", "anthropic", "envoy"];
        let policy = policy(BUDGETS, &families);
        let names = [
            "ratelimit", "ratelimit-policy", "x-ratelimit-limit", "x-ratelimit-remaining",
            "x-ratelimit-reset", "x-ratelimit-limit-requests", "x-ratelimit-reset-requests",
            "x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset",
            "anthropic-ratelimit-requests-remaining",
        ];

        let told = told(&policy, Provider::OpenAi, LEFT, &[(names[name], &said)]);

        for value in told.values() {
            prop_assert!(value.chars().all(|c| (' '..='~').contains(&c)), "{:?}", value);
        }
    }
}
