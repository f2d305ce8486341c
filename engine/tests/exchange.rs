//! Whole exchanges on the native engine: what callers get, what is charged, what is logged.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "what tests are built of fails as they do, by panicking"
)]

use serde_json::{Value, json};
use std::time::Duration;
use weir_engine::{
    denial::Denial,
    detect::{Evidence, Observation, Plan, Signal, Standing, State, Verification},
    evaluate::Body,
    exchange::{Answer, Exchange, Forward},
    hash::HashKey,
    identity::NoProperties,
    ledger::Ledger,
    policy::Policy,
    store::{CounterStore, MemoryStore, StoreError, Swap, Version},
    time::Timestamp,
};

/// A policy over one store, with a clock that only the test moves.
struct World {
    policy: Policy,
    key: HashKey,
    ledger: Ledger,
    store: MemoryStore,
    now: Timestamp,
}

impl World {
    fn new(change: impl FnOnce(&mut Value)) -> Self {
        let mut document = json!({
            "apiVersion": "weir/v1",
            "kind": "Policy",
            "metadata": {"name": "test", "version": "7", "owner": "team"},
            "identity": {
                "account": [{"header": "x-account-id"}, {"apiKey": {}}],
                "organization": [{"header": "x-org-id"}],
                "created": [{"header": "x-account-created"}],
                "verification": [{"header": "x-verification"}],
                "plan": [{"header": "x-plan"}],
            },
            "capabilities": {
                "agentic_tools": {"anyOf": [{"tools": {"atLeast": 1}}]},
                "logprobs": {"anyOf": [{"logprobs": {}}]},
            },
            "tiers": [
                {"name": "vetted", "match": {"plan": ["enterprise"]}, "grants": ["agentic_tools", "logprobs"]},
                {"name": "basic"},
            ],
            "responses": {"termsOfUse": "https://example.com/terms"},
            "rollout": {"mode": "enforce"},
        });
        change(&mut document);
        let checked = Policy::check(document.to_string().as_bytes(), None);
        let policy = checked
            .policy
            .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
        let ledger = Ledger::new(policy.layout());
        let now = Timestamp::parse_rfc3339("2026-05-01T12:00:00Z").unwrap();
        Self {
            policy,
            key: HashKey::new([7; 16]),
            ledger,
            store: MemoryStore::default(),
            now,
        }
    }

    fn begin(&self, headers: &[(&str, &str)]) -> Exchange {
        let headers: Vec<(&[u8], &[u8])> = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        Exchange::begin(
            &self.policy,
            &self.key,
            headers.iter().copied(),
            &NoProperties,
            self.now,
        )
    }

    fn decide(&mut self, exchange: &mut Exchange, body: &Value) -> Option<Denial> {
        let body = body.to_string();
        exchange
            .decide(
                &self.policy,
                &self.key,
                Body::Whole(body.as_bytes()),
                &mut self.ledger,
                &mut self.store,
            )
            .into_denial()
    }

    /// The end of an answer, or of one that broke off.
    fn finish(&mut self, exchange: Exchange, ended: bool) -> Value {
        self.finish_with(exchange, ended, Some(200))
    }

    fn finish_with(&mut self, mut exchange: Exchange, ended: bool, status: Option<u16>) -> Value {
        let finished = exchange
            .finish(
                &self.policy,
                ended,
                status,
                self.now,
                &mut self.ledger,
                &mut self.store,
            )
            .expect("decided");
        serde_json::from_str(&finished.decision).expect("one JSON object")
    }

    /// One request by `account`; what it was refused with, and its decision.
    fn ask(
        &mut self,
        account: &str,
        body: &Value,
        response: Option<&Value>,
    ) -> (Option<Denial>, Value) {
        let mut exchange = self.begin(&[
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            ("x-account-id", account),
        ]);
        let denial = self.decide(&mut exchange, body);
        if let (None, Some(response)) = (&denial, response) {
            exchange.response(response.to_string().as_bytes(), true);
        }
        let decision = self.finish(exchange, response.is_some());
        (denial, decision)
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
    }
}

fn chat() -> Value {
    json!({"model": "m-large", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 100})
}

fn answer(input: u32, output: u32) -> Value {
    json!({"choices": [], "usage": {"prompt_tokens": input, "completion_tokens": output}})
}

fn budget(unit: &str, limit: u32) -> impl FnOnce(&mut Value) {
    let unit = unit.to_string();
    move |document| {
        document["budgets"] =
            json!([{"name": "b", "per": "account", "unit": unit, "limit": limit, "window": "1h"}]);
    }
}

#[test]
fn an_ordinary_exchange_passes_and_its_decision_tells_policy_caller_and_tokens() {
    let mut world = World::new(|_| {});

    let (denial, decision) = world.ask("a-17", &chat(), Some(&answer(10, 200)));

    assert_eq!(denial, None);
    assert_eq!(decision["policy"]["name"], "test");
    assert_eq!(decision["policy"]["version"], "7");
    assert!(
        decision["policy"]["digest"]
            .as_str()
            .is_some_and(|digest| digest.starts_with("sha256:") && digest.len() == 71)
    );
    assert_eq!(decision["time"], "2026-05-01T12:00:00.000Z");
    assert_eq!(decision["account"], "a-17");
    assert_eq!(decision["tier"], "basic");
    assert_eq!(decision["model"], "m-large");
    assert_eq!(
        (&decision["action"], &decision["basis"]),
        (&json!("allow"), &json!("none"))
    );
    assert_eq!(decision["tokens"], json!({"input": 10, "output": 200}));
}

#[test]
fn a_capability_outside_the_tier_is_a_final_403_in_the_providers_format() {
    let mut world = World::new(|_| {});
    let mut body = chat();
    body["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
    body["logprobs"] = json!(true);

    let (denial, decision) = world.ask("a", &body, None);

    let denial = denial.expect("refused");
    assert_eq!(denial.status, 403);
    assert!(
        denial
            .headers
            .contains(&("x-should-retry", "false".to_string()))
    );
    let error: Value = serde_json::from_str(&denial.body).unwrap();
    assert_eq!(error["error"]["type"], "permission_error");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("agentic_tools, logprobs")
            && message.contains("https://example.com/terms"),
        "{message}"
    );
    assert_eq!(decision["rule"], "tiers.basic");
    assert_eq!(
        decision["capabilities"],
        json!(["agentic_tools", "logprobs"])
    );
}

#[test]
fn anthropic_callers_get_anthropic_errors() {
    let mut world = World::new(|_| {});
    let mut exchange = world.begin(&[
        (":method", "POST"),
        (":path", "/v1/messages"),
        ("x-account-id", "a"),
    ]);

    let body = json!({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}], "tools": [{"name": "t", "input_schema": {}}]});
    let denial = world.decide(&mut exchange, &body).expect("refused");

    let error: Value = serde_json::from_str(&denial.body).unwrap();
    assert_eq!(
        (&error["type"], &error["error"]["type"]),
        (&json!("error"), &json!("permission_error"))
    );
}

#[test]
fn a_spent_budget_is_a_429_whose_retry_after_is_true() {
    let mut world = World::new(budget("requests", 3));
    for _ in 0..3 {
        assert_eq!(world.ask("a", &chat(), Some(&answer(1, 1))).0, None);
    }

    let (denial, decision) = world.ask("a", &chat(), None);
    let denial = denial.expect("refused");
    let (_, seconds) = denial
        .headers
        .iter()
        .find(|(name, _)| *name == "retry-after")
        .expect("retry-after");
    assert_eq!(denial.status, 429);
    assert_eq!(
        (&decision["action"], &decision["rule"]),
        (&json!("throttle"), &json!("budgets.b"))
    );

    world.wait(Duration::from_secs(seconds.parse().unwrap()));
    assert_eq!(
        world.ask("a", &chat(), None).0,
        None,
        "whoever waits as told is let in"
    );
    assert_eq!(
        world.ask("b", &chat(), None).0,
        None,
        "others have their own budget"
    );
}

#[test]
fn nothing_is_charged_when_any_budget_refuses() {
    let mut world = World::new(|document| {
        document["budgets"] = json!([
            {"name": "wide", "per": "account", "unit": "requests", "limit": 2, "window": "1h"},
            {"name": "narrow", "per": "organization", "unit": "requests", "limit": 1, "window": "1h"},
        ]);
    });
    let ask = |world: &mut World, org: &str| {
        let headers = [
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            ("x-account-id", "a"),
            ("x-org-id", org),
        ];
        let mut exchange = world.begin(&headers);
        world.decide(&mut exchange, &chat()).is_none()
    };

    assert!(ask(&mut world, "o"));
    for _ in 0..5 {
        assert!(!ask(&mut world, "o"), "the organization's budget is spent");
    }
    assert!(
        ask(&mut world, "other"),
        "the refused requests left the account's budget alone"
    );
    assert!(!ask(&mut world, "third"), "now it is spent as well");
}

#[test]
fn what_a_response_used_replaces_what_was_reserved_and_debt_is_carried() {
    let mut world = World::new(budget("output_tokens", 250));

    assert_eq!(world.ask("a", &chat(), Some(&answer(1, 10))).0, None);
    assert_eq!(
        world.ask("a", &chat(), Some(&answer(1, 500))).0,
        None,
        "10 used and 100 reserved of 250"
    );

    let (denial, decision) = world.ask("a", &chat(), None);
    assert!(denial.is_some());
    assert_eq!(
        decision["reasons"][0]["value"], 510.0,
        "the overrun is not forgiven"
    );
}

#[test]
fn an_aborted_stream_releases_its_reservation_or_keeps_it_as_the_policy_says() {
    for (unknown, expected) in [("release", None), ("keep", Some(429))] {
        let mut world = World::new(|document| {
            budget("output_tokens", 150)(document);
            document["metering"] = json!({"unknownUsage": unknown});
        });

        assert_eq!(world.ask("a", &chat(), None).0, None);

        assert_eq!(
            world.ask("a", &chat(), None).0.map(|denial| denial.status),
            expected,
            "{unknown}"
        );
    }
}

#[test]
fn listed_accounts_are_refused_or_exempted_until_their_entry_expires() {
    let mut world = World::new(|document| {
        budget("requests", 1)(document);
        let entry = |account: &str| json!([{"account": account, "owner": "t", "reason": "r", "expires": "2026-05-01T13:00:00Z"}]);
        document["lists"] = json!({"deny": entry("bad"), "exempt": entry("good")});
    });

    assert_eq!(
        world
            .ask("bad", &chat(), None)
            .0
            .map(|denial| denial.status),
        Some(403)
    );
    for _ in 0..3 {
        let (denial, decision) = world.ask("good", &chat(), None);
        assert_eq!((denial, &decision["basis"]), (None, &json!("list")));
    }

    world.wait(Duration::from_secs(3600));
    assert_eq!(world.ask("bad", &chat(), None).0, None);
    assert_eq!(world.ask("good", &chat(), None).0, None);
    assert_eq!(
        world
            .ask("good", &chat(), None)
            .0
            .map(|denial| denial.status),
        Some(429)
    );
}

#[test]
fn shadow_mode_lets_everything_pass_and_tells_what_it_would_have_done() {
    let mut world = World::new(|document| {
        budget("requests", 1)(document);
        document["rollout"]["mode"] = json!("shadow");
    });
    world.ask("a", &chat(), None);

    let (denial, decision) = world.ask("a", &chat(), Some(&answer(1, 2)));

    assert_eq!(denial, None);
    assert_eq!(
        (&decision["action"], &decision["would_action"]),
        (&json!("allow"), &json!("throttle"))
    );
    assert_eq!(decision["tokens"], json!({"input": 1, "output": 2}));
}

#[test]
fn bodies_that_cannot_be_judged_are_handled_as_the_policy_says() {
    let cases: [(&str, &str, Body<'_>, &[(&str, &str)], u16); 5] = [
        (
            "malformed",
            "allow",
            Body::Whole(b"{\"messages\": [}"),
            &[],
            400,
        ),
        (
            "compressed",
            "allow",
            Body::Whole(b"\x1f\x8b"),
            &[("content-encoding", "gzip")],
            415,
        ),
        (
            "compressed",
            "allow",
            Body::Whole(b"\x1f\x8b"),
            &[
                ("content-encoding", "identity"),
                ("content-encoding", "gzip"),
            ],
            415,
        ),
        (
            "oversized",
            "inspect",
            Body::Prefix(b"{\"messages\": ["),
            &[],
            413,
        ),
        (
            "unknownEndpoint",
            "allow",
            Body::Whole(b""),
            &[(":path", "/v1/unknown")],
            404,
        ),
    ];
    for (key, lenient, body, extra, status) in cases {
        for (setting, expected) in [("deny", Some(status)), (lenient, None)] {
            let mut world = World::new(|document| document["inspection"] = json!({key: setting}));
            let path = extra
                .iter()
                .find(|(name, _)| *name == ":path")
                .map_or("/v1/chat/completions", |(_, path)| path);
            let mut headers = vec![(":method", "POST"), (":path", path), ("x-account-id", "a")];
            headers.extend(extra.iter().filter(|(name, _)| *name != ":path"));
            let mut exchange = world.begin(&headers);

            let denial = exchange
                .decide(
                    &world.policy,
                    &world.key,
                    body,
                    &mut world.ledger,
                    &mut world.store,
                )
                .into_denial();

            assert_eq!(
                denial.map(|denial| denial.status),
                expected,
                "{key}: {setting}"
            );
            assert!(
                world.finish(exchange, true)["rule"]
                    .as_str()
                    .is_none_or(|rule| rule == format!("inspection.{key}"))
            );
        }
    }
}

#[test]
fn a_request_without_an_account_is_refused_or_shares_one() {
    let headers = [(":method", "POST"), (":path", "/v1/chat/completions")];
    let mut strict = World::new(|_| {});
    let mut exchange = strict.begin(&headers);
    assert!(!exchange.needs_body());
    assert_eq!(
        strict
            .decide(&mut exchange, &chat())
            .map(|denial| denial.status),
        Some(401)
    );

    let mut shared = World::new(|document| document["identity"]["anonymous"] = json!("shared"));
    let mut exchange = shared.begin(&headers);
    assert_eq!(shared.decide(&mut exchange, &chat()), None);
    assert_eq!(shared.finish(exchange, false)["account"], "anonymous");
}

#[test]
fn an_api_key_identifies_an_account_and_is_never_told() {
    let mut world = World::new(|_| {});
    let mut accounts = Vec::new();
    for (name, value) in [
        ("authorization", "Bearer sk-MARKER-1"),
        ("x-api-key", "sk-MARKER-1"),
        ("authorization", "bearer sk-MARKER-2"),
    ] {
        let mut exchange = world.begin(&[
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            (name, value),
        ]);
        assert_eq!(world.decide(&mut exchange, &chat()), None);
        let decision = world.finish(exchange, false);
        assert!(!decision.to_string().contains("MARKER"));
        accounts.push(decision["account"].as_str().unwrap().to_string());
    }

    assert!(accounts[0].starts_with("key-"));
    assert_eq!(
        accounts[0], accounts[1],
        "one key, one account, whatever header carries it"
    );
    assert_ne!(accounts[0], accounts[2]);
}

#[test]
fn an_identity_header_that_stands_twice_identifies_nobody() {
    let world = World::new(|_| {});
    let request = [
        (":method", "POST"),
        (":path", "/v1/chat/completions"),
        ("x-account-id", "a"),
    ];

    let twice = [&request[..], &[("X-Account-Id", "b")]].concat();
    let same = [&request[..], &[("x-account-id", "a")]].concat();

    assert!(world.begin(&twice).head().caller.is_none());
    let with_key = [&twice[..], &[("x-api-key", "sk-mine")]].concat();
    assert!(
        world.begin(&with_key).head().caller.is_none(),
        "nor may it be chosen by a key of one's own"
    );
    assert!(world.begin(&same).head().caller.is_some());
}

#[test]
fn hostile_account_ids_are_replaced_by_their_hash() {
    let world = World::new(|_| {});
    for id in ["a\nb".to_string(), "x".repeat(129), "\u{0}".to_string()] {
        let exchange = world.begin(&[
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            ("x-account-id", &id),
        ]);

        let account = &exchange.head().caller.as_ref().expect("an account").account;

        assert!(
            account.starts_with("hash-") && account.len() == 37,
            "{account}"
        );
    }
}

/// Shared memory that is away.
struct Away;

impl CounterStore for Away {
    fn get(&mut self, _: &[u8], _: &mut Vec<u8>) -> Result<Option<Version>, StoreError> {
        Err(StoreError { status: 10 })
    }

    fn compare_and_swap(
        &mut self,
        _: &[u8],
        _: &[u8],
        _: Option<Version>,
    ) -> Result<Swap, StoreError> {
        Err(StoreError { status: 10 })
    }
}

#[test]
fn when_shared_memory_is_away_the_policy_says_whether_requests_pass() {
    for (setting, expected) in [("allow", None), ("deny", Some(503))] {
        let mut world = World::new(|document| {
            budget("requests", 5)(document);
            document["state"] = json!({"onFailure": setting});
        });
        let mut exchange = world.begin(&[
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            ("x-account-id", "a"),
        ]);

        let body = chat().to_string();
        let denial = exchange
            .decide(
                &world.policy,
                &world.key,
                Body::Whole(body.as_bytes()),
                &mut world.ledger,
                &mut Away,
            )
            .into_denial();

        assert_eq!(denial.map(|denial| denial.status), expected, "{setting}");
        assert!(
            exchange
                .evaluation()
                .is_some_and(|evaluation| evaluation.store_failed)
        );
        let decision = world.finish(exchange, false);
        assert_eq!(decision["rule"], "state.onFailure");
        assert_eq!(decision["reasons"][0]["code"], "STATE_UNAVAILABLE");
    }
}

#[test]
fn other_endpoints_draw_on_request_budgets_only() {
    let mut world = World::new(budget("tokens", 1));
    let mut listed = World::new(budget("requests", 1));
    let ask = |world: &mut World| {
        let headers = [
            (":method", "GET"),
            (":path", "/v1/models"),
            ("x-account-id", "a"),
        ];
        let mut exchange = world.begin(&headers);
        let denial = exchange
            .decide(
                &world.policy,
                &world.key,
                Body::Whole(b""),
                &mut world.ledger,
                &mut world.store,
            )
            .into_denial();
        denial.map(|denial| denial.status)
    };

    assert_eq!([ask(&mut world), ask(&mut world)], [None, None]);
    assert_eq!([ask(&mut listed), ask(&mut listed)], [None, Some(429)]);
}

#[test]
fn a_complete_answer_that_tells_no_usage_stays_charged_as_reserved_and_a_failure_costs_nothing() {
    let silent = json!({"choices": [{"index": 0, "delta": {"content": "hi"}}]}).to_string();
    for (status, ended, expected) in [
        (Some(200), true, Some(429)),
        (Some(500), true, None),
        (Some(400), true, None),
        (None, false, None),
    ] {
        let mut world = World::new(budget("output_tokens", 150));
        let mut exchange = world.begin(&[
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            ("x-account-id", "a"),
        ]);
        assert_eq!(world.decide(&mut exchange, &chat()), None);
        if status == Some(200) {
            exchange.response(
                format!("data: {silent}\n\ndata: [DONE]\n\n").as_bytes(),
                true,
            );
        }
        world.finish_with(exchange, ended, status);

        let next = world.ask("a", &chat(), None).0.map(|denial| denial.status);

        assert_eq!(next, expected, "{status:?}");
    }
}

#[test]
fn only_the_paths_that_a_policy_names_pass_through_and_none_that_merely_look_like_them() {
    let mut world = World::new(|document| {
        document["inspection"] =
            json!({"unknownEndpoint": "deny", "passThrough": ["/v1/models", "/v1/files"]});
    });
    let mut status = |path: &str| {
        let headers = [(":method", "POST"), (":path", path), ("x-account-id", "a")];
        let mut exchange = world.begin(&headers);
        let denial = world.decide(&mut exchange, &chat());
        denial.map(|denial| denial.status)
    };

    for path in [
        "/v1/models",
        "/v1/models/m-large",
        "/v1/models?after=x",
        "/v1/files/f-1/content",
    ] {
        assert_eq!(status(path), None, "{path}");
    }
    for path in [
        "/v1/batches",
        "/v1/modelsx",
        "/v1/models/../batches",
        "/v1/models/%2e%2e/batches",
        "/v1/models//batches",
        "/v1/models;a=b",
        "/v1/model",
        "",
    ] {
        assert_eq!(status(path), Some(404), "{path}");
    }
}

/// Detection on, with a header for every fact about the client.
fn watched(change: impl FnOnce(&mut Value)) -> World {
    World::new(|policy| {
        policy["detection"] = json!({"learn": "1d"});
        change(policy);
    })
}

fn standing(state: State, score: f32) -> Standing {
    let mut standing = Standing {
        state,
        score,
        campaign: 0xfeed,
        learned: 1.0,
        ..Standing::default()
    };
    for (place, (signal, weight)) in standing.evidence.iter_mut().zip([
        (Signal::PRIOR, -5.0),
        (Signal::named("EVENNESS").unwrap(), score + 5.0),
    ]) {
        *place = Some(Evidence {
            signal,
            value: 0.71,
            weight,
        });
    }
    standing
}

const CALLER: [(&str, &str); 10] = [
    (":method", "POST"),
    (":path", "/v1/chat/completions"),
    ("x-account-id", "a-1"),
    ("x-org-id", "o-1"),
    ("x-account-created", "2026-03-02T10:11:12Z"),
    ("x-verification", "phone"),
    ("x-payment-fingerprint", "pf-9"),
    ("x-forwarded-for", "203.0.113.7, 10.0.0.1"),
    ("x-asn", "64500"),
    ("user-agent", "OpenAI/Python 1.68.2"),
];

/// One request whose account stands so: its refusal, its decision and what the detector is told.
fn judged(
    world: &mut World,
    headers: &[(&str, &str)],
    standing: Option<Standing>,
    body: &Value,
) -> (Option<Denial>, Value, Option<Observation>) {
    let mut exchange = world.begin(headers);
    if let Some(standing) = standing {
        exchange.stands(standing);
    }
    let denial = world.decide(&mut exchange, body);
    if denial.is_none() {
        exchange.response(answer(10, 200).to_string().as_bytes(), true);
    }
    let finished = exchange
        .finish(
            &world.policy,
            denial.is_none(),
            denial.is_none().then_some(200),
            world.now,
            &mut world.ledger,
            &mut world.store,
        )
        .expect("decided");
    let decision = serde_json::from_str(&finished.decision).unwrap();
    (denial, decision, finished.observation)
}

#[test]
fn an_exchange_is_observed_as_hashes_counts_and_classes() {
    let mut world = watched(|_| {});
    let body = json!({"model": "m", "messages": [
        {"role": "system", "content": "You are a helpful assistant for rivers."},
        {"role": "user", "content": "Which river is the longest one in the whole country?"},
    ], "logprobs": true, "n": 2, "tools": [{"type": "function", "function": {"name": "f"}}]});
    let mut headers = CALLER.to_vec();
    headers.push(("x-plan", "enterprise"));

    let (_, _, observation) = judged(&mut world, &headers, None, &body);

    let observation = observation.expect("the body could be read");
    assert_eq!(observation.time, world.now);
    assert_eq!(
        observation.created,
        Timestamp::parse_rfc3339("2026-03-02T10:11:12Z")
    );
    assert_eq!(observation.verification, Verification::Phone);
    assert_eq!(observation.plan, Plan::Enterprise);
    for known in [
        observation.payment,
        observation.network,
        observation.asn,
        observation.client,
        observation.model,
    ] {
        assert_ne!(known, 0, "{observation:?}");
    }
    assert!(observation.account != 0 && observation.organization != 0);
    assert!(observation.prompt.user.exact != 0 && observation.prompt.system.exact != 0);
    assert!(observation.prompt.tools != 0 && observation.shape != 0);
    assert!(observation.tools && observation.reasoning && observation.samples);
    assert!(!observation.refused);
    assert_eq!((observation.user_turns, observation.input_tokens), (1, 10));
    assert_eq!(observation.output_tokens, 200);
}

#[test]
fn what_is_not_known_is_neutral_and_without_detection_nothing_is_observed() {
    let mut world = watched(|_| {});
    let (_, _, observation) = judged(&mut world, &CALLER[..3], None, &chat());
    let observation = observation.unwrap();
    assert_eq!(
        (observation.payment, observation.network, observation.asn),
        (0, 0, 0)
    );
    assert_eq!((observation.client, observation.organization), (0, 0));

    let mut off = World::new(|_| {});
    assert!(judged(&mut off, &CALLER, None, &chat()).2.is_none());
    let mut unreadable = watched(|_| {});
    assert!(
        judged(&mut unreadable, &CALLER, None, &json!("no request"))
            .2
            .is_none()
    );
}

#[test]
fn what_is_refused_is_observed_as_refused_and_in_shadow_mode_as_served() {
    let logprobs = json!({"model": "m", "messages": [], "logprobs": true});
    let mut world = watched(|_| {});
    let (denial, _, observation) = judged(&mut world, &CALLER, None, &logprobs);
    assert!(denial.is_some() && observation.unwrap().refused);

    let mut shadow = watched(|policy| policy["rollout"]["mode"] = json!("shadow"));
    let (denial, _, observation) = judged(&mut shadow, &CALLER, None, &logprobs);
    assert!(denial.is_none() && !observation.unwrap().refused);
}

#[test]
fn while_the_detector_learns_a_decision_says_so_and_judges_nobody() {
    let mut world = watched(|_| {});
    let learning = Standing {
        learned: 0.25,
        ..standing(State::Observe, -5.0)
    };

    let (denial, decision, _) = judged(&mut world, &CALLER, Some(learning), &chat());

    assert!(denial.is_none());
    assert_eq!(decision["score"], json!(null));
    assert_eq!(decision["state"], "observe");
    assert_eq!(
        decision["reasons"],
        json!([{"code": "LEARNING", "value": 0.25, "weight": 0.0}])
    );
}

#[test]
fn a_restricted_account_is_refused_plainly_and_uncharged_and_its_decision_says_why() {
    let mut world = watched(|policy| {
        policy["budgets"] = json!([{"name": "b", "per": "account", "unit": "requests", "limit": 1, "window": "1h"}]);
    });
    for _ in 0..3 {
        let suspect = standing(State::Restrict, 9.4);
        let (denial, decision, _) = judged(&mut world, &CALLER, Some(suspect), &chat());

        let denial = denial.expect("refused");
        assert_eq!(denial.status, 403);
        for word in [
            "campaign", "EVENNESS", "detect", "score", "restrict", "feed",
        ] {
            assert!(!denial.body.contains(word), "{}", denial.body);
        }
        assert_eq!(decision["action"], "deny");
        assert_eq!(decision["basis"], "detection");
        assert_eq!(decision["rule"], "responses.states.restrict");
        assert_eq!(decision["state"], "restrict");
        assert_eq!(decision["campaign"], "000000000000feed");
        assert_eq!(decision["score"], json!(9.4));
        assert_eq!(
            decision["reasons"],
            json!([
                {"code": "PRIOR", "value": 0.71, "weight": -5.0},
                {"code": "EVENNESS", "value": 0.71, "weight": 14.4},
            ])
        );
    }
    // Nothing was charged.
    let (denial, ..) = judged(&mut world, &CALLER, None, &chat());
    assert!(denial.is_none());
}

#[test]
fn the_policy_says_what_a_state_means() {
    let mut world = watched(|policy| {
        policy["responses"]["states"] = json!({"watch": "throttle", "restrict": "allow"});
    });
    for (state, status) in [
        (State::Observe, None),
        (State::Watch, Some(429)),
        (State::StepUp, None),
        (State::Restrict, None),
        (State::Block, Some(403)),
    ] {
        let (denial, ..) = judged(&mut world, &CALLER, Some(standing(state, 3.0)), &chat());
        assert_eq!(denial.map(|denial| denial.status), status, "{state:?}");
    }
}

#[test]
fn in_shadow_mode_a_restricted_account_passes_and_the_decision_tells_what_would_be() {
    let mut world = watched(|policy| policy["rollout"]["mode"] = json!("shadow"));

    let suspect = standing(State::Restrict, 9.0);
    let (denial, decision, _) = judged(&mut world, &CALLER, Some(suspect), &chat());

    assert!(denial.is_none());
    assert_eq!(decision["action"], "allow");
    assert_eq!(decision["would_action"], "deny");
    assert_eq!(decision["basis"], "detection");
}

#[test]
fn the_exempt_list_spares_from_detections_actions_not_from_its_eyes() {
    let mut world = watched(|policy| {
        policy["lists"] = json!({"exempt": [{"account": "a-1", "owner": "t", "reason": "r", "expires": "2030-01-01T00:00:00Z"}]});
    });

    let suspect = standing(State::Block, 20.0);
    let (denial, decision, observation) = judged(&mut world, &CALLER, Some(suspect), &chat());

    assert!(denial.is_none());
    assert_eq!(decision["basis"], "list");
    assert_eq!(decision["state"], "block");
    assert!(observation.is_some());
}

#[test]
fn rules_follow_the_evidence_in_the_reasons() {
    let mut world = watched(|_| {});
    let logprobs = json!({"model": "m", "messages": [], "logprobs": true});

    let suspect = standing(State::Watch, 3.0);
    let (_, decision, _) = judged(&mut world, &CALLER, Some(suspect), &logprobs);

    let codes: Vec<&str> = decision["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        ["PRIOR", "EVENNESS", "CAPABILITY_NOT_GRANTED:logprobs"]
    );
    assert_eq!(decision["basis"], "capability");
}

#[test]
fn who_is_exempt_is_not_shaped_and_who_is_not_is() {
    let mut world = World::new(|policy| {
        policy["shaping"] = json!({"rules": [{"name": "less", "request": {"samples": 1},
            "response": {"visibleReasoning": "strip"}}]});
        policy["lists"] = json!({"exempt": [{"account": "free", "owner": "t", "reason": "r",
            "expires": "2030-01-01T00:00:00Z"}]});
    });
    let body = json!({"model": "m", "n": 3, "messages": []}).to_string();

    for (account, changed, removed, action) in [
        ("free", None, vec![], "allow"),
        (
            "other",
            Some(body.replace("3", "1").into_bytes()),
            vec!["accept-encoding".to_string()],
            "shape",
        ),
    ] {
        let mut exchange = world.begin(&[
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            ("x-account-id", account),
        ]);
        let answer = exchange.decide(
            &world.policy,
            &world.key,
            Body::Whole(body.as_bytes()),
            &mut world.ledger,
            &mut world.store,
        );

        let wanted = Forward {
            body: changed,
            remove_headers: removed,
            delay: None,
        };
        assert_eq!(answer, Answer::Forward(wanted), "{account}");
        assert_eq!(world.finish(exchange, true)["action"], action);
    }
}

mod shaped {
    use super::*;

    const LOGPROBS: &[u8] = br#"{"messages":[],"logprobs":true}"#;

    fn world(change: impl FnOnce(&mut Value)) -> World {
        World::new(|document| {
            document["shaping"] = json!({"rules": [
                {"name": "less", "request": {"logprobs": "drop"}, "response": {"visibleReasoning": "strip"}},
            ]});
            change(document);
        })
    }

    fn answer(world: &mut World, exchange: &mut Exchange) -> Answer {
        let (ledger, store) = (&mut world.ledger, &mut world.store);
        exchange.decide(
            &world.policy,
            &world.key,
            Body::Whole(LOGPROBS),
            ledger,
            store,
        )
    }

    #[test]
    fn who_may_not_have_what_only_shaping_would_take_away_is_refused_where_the_host_cannot_shape() {
        for (plan, refused) in [("free", Some(403)), ("enterprise", None)] {
            let mut world = world(|document| {
                document["budgets"] = json!([
                    {"name": "requests", "per": "account", "unit": "requests", "limit": 1, "window": "1h"},
                ]);
            });
            let caller = [
                (":method", "POST"),
                (":path", "/v1/chat/completions"),
                ("x-account-id", "a-1"),
                ("x-plan", plan),
            ];
            let mut exchange = world.begin(&caller);
            answer(&mut world, &mut exchange);

            let denial = exchange.not_changed(&world.policy, &mut world.ledger, &mut world.store);

            assert_eq!(denial.map(|denial| denial.status), refused, "{plan}");
            let decision = world.finish(exchange, true);
            let reasons = decision["reasons"].as_array().unwrap();
            assert!(reasons.iter().any(|reason| reason["code"] == "NOT_SHAPED"));
            let mut again = world.begin(&caller);
            let charged = matches!(answer(&mut world, &mut again), Answer::Reply(_));
            assert_eq!(
                charged,
                refused.is_none(),
                "a refused request costs nothing"
            );
        }
    }

    #[test]
    fn a_response_that_names_several_encodings_is_none_that_can_be_read() {
        let mut world = world(|document| document["shaping"]["unreadable"] = json!("deny"));
        let mut exchange = world.begin(&[
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            ("x-account-id", "a-1"),
        ]);
        answer(&mut world, &mut exchange);
        let headers: [(&[u8], &[u8]); 2] =
            [(b"content-encoding", b"gzip"), (b"content-encoding", b"br")];

        let changes = exchange.response_head(&world.policy, headers.into_iter());

        assert_eq!(changes.reply.map(|denial| denial.status), Some(500));
    }

    #[test]
    fn an_answer_that_is_refused_for_its_encoding_is_charged_as_one_that_broke_off() {
        let mut world = world(|document| {
            document["shaping"]["unreadable"] = json!("deny");
            document["metering"] = json!({"unknownUsage": "keep", "defaultOutputTokens": 100});
            document["budgets"] = json!([
                {"name": "tokens", "per": "account", "unit": "tokens", "limit": 100, "window": "1h"},
            ]);
        });
        let caller = [
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            ("x-account-id", "a-1"),
        ];
        let mut exchange = world.begin(&caller);
        answer(&mut world, &mut exchange);
        let headers: [(&[u8], &[u8]); 1] = [(b"content-encoding", b"gzip")];
        exchange.response_head(&world.policy, headers.into_iter());

        world.finish_with(exchange, true, Some(500));

        let mut again = world.begin(&caller);
        let refused = answer(&mut world, &mut again).into_denial();
        assert_eq!(refused.map(|denial| denial.status), Some(429));
    }

    #[test]
    fn a_mask_of_fields_does_not_hide_what_is_reasoning() {
        let mut world = world(|_| {});
        let mut exchange = world.begin(&[
            (":method", "POST"),
            (":path", "/v1beta/models/m:generateContent"),
            ("x-account-id", "a-1"),
            ("x-goog-fieldmask", "candidates.content.parts.text"),
        ]);

        let Answer::Forward(forward) = answer(&mut world, &mut exchange) else {
            panic!("it passes")
        };

        let masks = forward.remove_headers.iter();
        assert_eq!(masks.filter(|name| *name == "x-goog-fieldmask").count(), 1);
    }
}
