//! What a suspected campaign is told, and what it is not.
use super::*;
use crate::{
    detect::{Evidence, Signal, Standing},
    evaluate::Body,
    exchange::Exchange,
    hash::HashKey,
    identity::NoProperties,
    ledger::Ledger,
    store::MemoryStore,
};

/// The answer to one request of `account`, whose standing is `state`.
fn asked(policy: &Policy, endpoint: (&str, &str), account: &str, state: State) -> Denial {
    let (path, request_id) = endpoint;
    let headers: [(&[u8], &[u8]); 4] = [
        (b":method", b"POST"),
        (b":path", path.as_bytes()),
        (b"x-account-id", account.as_bytes()),
        (b"x-request-id", request_id.as_bytes()),
    ];
    let key = HashKey::new([7; 16]);
    let mut exchange = Exchange::begin(policy, &key, headers.into_iter(), &NoProperties, now());
    let evidence = Evidence {
        signal: Signal::named("EVENNESS").unwrap_or_else(|| panic!("a signal")),
        value: 0.71,
        weight: 9.5,
    };
    let mut standing = Standing {
        state,
        score: 9.5,
        campaign: 77,
        learned: 1.0,
        ..Standing::default()
    };
    standing.evidence[0] = Some(evidence);
    exchange.stands(standing);
    let mut ledger = Ledger::new(policy.layout());
    let body =
        br#"{"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}"#;
    let mut store = MemoryStore::default();
    exchange
        .decide(policy, &key, Body::Whole(body), &mut ledger, &mut store)
        .into_denial()
        .expect("a refusal")
}

#[test]
fn what_the_detector_refuses_is_told_byte_for_byte_as_a_list_would() {
    let policy = policy(|document| {
        document["lists"] = json!({"deny": [
            {"account": "listed", "owner": "t", "reason": "r", "expires": "2027-01-01T00:00:00Z"},
        ]});
        document["responses"] = json!({
            "termsOfUse": "https://example.com/terms",
            "headers": ["provider", "ietf", "envoy"],
        });
    });
    for path in ["/v1/chat/completions", "/v1/messages"] {
        let listed = asked(&policy, (path, "1"), "listed", State::Observe);
        for state in [State::Restrict, State::Block] {
            let suspected = asked(&policy, (path, "1"), "suspected", state);
            let again = asked(&policy, (path, "2"), "suspected", state);

            assert_eq!(suspected, listed, "one decision id");
            let id = |denial: &Denial| headers(denial)["x-weir-decision-id"].to_string();
            let (ours, theirs) = (id(&again), id(&listed));
            assert_ne!(ours, theirs);
            assert_eq!(again.body.replace(&ours, &theirs), listed.body);
        }
    }
}

#[test]
fn the_detectors_refusals_are_told_as_others_at_every_endpoint() {
    let policy = policy(|_| {});
    let suspected = |action| refused(action, Basis::Detection, Rule::State(State::Restrict));
    let listed = refused(Action::Deny, Basis::List, Rule::DenyList(0));
    let mut above = refused(Action::Verify, Basis::Budget, Rule::Verification(0));
    above.verdict.verification = Some(StepUp::now(1));
    let mut verified = suspected(Action::Verify);
    verified.verdict.verification = Some(StepUp::now(1));
    for endpoint in ENDPOINTS {
        let told = |evaluation: &Evaluation| denied(&policy, endpoint, evaluation);

        assert_eq!(told(&suspected(Action::Deny)), told(&listed));
        assert_eq!(told(&verified), told(&above));
    }
}

#[test]
fn no_refusal_tells_which_signal_score_state_or_rule_is_behind_it() {
    let signals = (0..=u8::MAX).filter_map(Signal::from_code);
    let mut secrets: Vec<String> = signals.map(|signal| signal.name().to_lowercase()).collect();
    secrets.extend(
        [
            "0.71",
            "9.5",
            "77",
            "campaign",
            "detect",
            "suspect",
            "score",
            "signal",
            "state",
            "watch",
            "step_up",
            "restrict",
            "block",
            "per-hour",
            "ratelimit-",
        ]
        .map(String::from),
    );
    for action in ["verify", "throttle", "deny"] {
        let policy = policy(|document| {
            document["responses"] = json!({
                "states": {"watch": action, "step_up": action, "restrict": action, "block": action},
                "headers": ["provider", "ietf"],
            });
        });
        for state in [State::Watch, State::StepUp, State::Restrict, State::Block] {
            let denial = asked(&policy, ("/v1/messages", "1"), "a", state);

            let id = headers(&denial)["request-id"].to_string();
            let told = format!("{denial:?}").replace(&id, "").to_lowercase();
            for secret in &secrets {
                assert!(!told.contains(secret), "{secret} in {told}");
            }
        }
    }
}
