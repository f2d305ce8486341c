//! Exchanges under two policies: who answers, what the other would have done, and when a guard ends it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what tests are built of fails as they do, by panicking"
)]

use serde_json::{Value, json};
use weir_engine::{
    evaluate::Body,
    exchange::Answer,
    guard::{Guards, Trip},
    hash::HashKey,
    identity::NoProperties,
    ledger::Ledger,
    policy::{Arm, Deployment},
    store::MemoryStore,
    time::Timestamp,
    trial::Trial,
    verdict::Action,
};

/// A deployment over one store, with a clock that only the test moves.
struct World {
    deployment: Deployment,
    guards: Guards,
    key: HashKey,
    ledger: Ledger,
    store: MemoryStore,
    now: Timestamp,
}

/// What came of one request.
struct Seen {
    arm: Arm,
    refused: bool,
    /// The detector is told of it.
    observed: bool,
    decision: Value,
}

fn policy(version: &str, limit: u32, rollout: &Value) -> Value {
    json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "test", "version": version, "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "tiers": [{"name": "all"}],
        "budgets": [
            {"name": "requests", "per": "account", "unit": "requests", "limit": limit, "window": "1h"},
            {"name": "tokens", "per": "account", "unit": "output_tokens", "limit": 1_000_000, "window": "1h"},
        ],
        "rollout": rollout,
    })
}

/// Policy 1 enforces with room for 1,000 requests; policy 2 has room for `limit`.
fn pair(limit: u32, rollout: &Value) -> Value {
    json!({
        "apiVersion": "weir/v1",
        "kind": "Rollout",
        "current": policy("1", 1000, &json!({"mode": "enforce"})),
        "candidate": policy("2", limit, rollout),
    })
}

fn deployment(document: &Value) -> Deployment {
    let checked = Deployment::check(document.to_string().as_bytes(), None);
    checked
        .deployment
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

impl World {
    fn new(document: &Value) -> Self {
        let deployment = deployment(document);
        let now = Timestamp::parse_rfc3339("2026-05-01T12:00:00Z").unwrap();
        Self {
            guards: Guards::over(&deployment, now),
            ledger: Ledger::new(deployment.current.layout()),
            deployment,
            key: HashKey::new([7; 16]),
            store: MemoryStore::default(),
            now,
        }
    }

    /// Another configuration of the same process.
    fn reload(&mut self, document: &Value) {
        self.deployment = deployment(document);
        self.guards = Guards::over(&self.deployment, self.now);
        self.look();
    }

    fn look(&mut self) -> Vec<(Arm, Trip)> {
        self.guards.look(self.now, &mut self.store).unwrap()
    }

    /// A request of each of so many accounts.
    fn ask_all(&mut self, accounts: u32) {
        for number in 0..accounts {
            self.ask(&format!("a-{number}"));
        }
    }

    fn ask(&mut self, account: &str) -> Seen {
        self.ask_with(account, "hello", 200)
    }

    fn ask_with(&mut self, account: &str, text: &str, status: u16) -> Seen {
        let headers: [(&[u8], &[u8]); 3] = [
            (b":method", b"POST"),
            (b":path", b"/v1/chat/completions"),
            (b"x-account-id", account.as_bytes()),
        ];
        let body =
            json!({"model": "m", "messages": [{"role": "user", "content": text}]}).to_string();
        let body = body.as_bytes();
        let mut trial = Trial::begin(
            &self.deployment,
            &self.guards,
            &self.key,
            headers.into_iter(),
            &NoProperties,
            self.now,
        );
        assert!(trial.needs_body());
        let cap = trial.policy(&self.deployment).max_body();
        let body = match body.get(..cap) {
            Some(prefix) if prefix.len() < body.len() => Body::Prefix(prefix),
            _ => Body::Whole(body),
        };
        let answer = trial.decide(
            &self.deployment,
            &self.key,
            body,
            &mut self.ledger,
            &mut self.store,
        );
        let refused = matches!(answer, Answer::Reply(_));
        if !refused {
            let usage = r#"{"usage":{"prompt_tokens":10,"completion_tokens":7}}"#;
            trial.exchange_mut().response(usage.as_bytes(), true);
        }
        let finished = trial
            .finish(
                &self.deployment,
                &mut self.guards,
                true,
                Some(status),
                self.now,
                &mut self.ledger,
                &mut self.store,
            )
            .expect("decided");
        self.ledger.flush(usize::MAX, self.now, &mut self.store);
        Seen {
            arm: trial.arm(),
            refused,
            observed: finished.observation.is_some(),
            decision: serde_json::from_str(&finished.decision).expect("one JSON object"),
        }
    }
}

#[test]
fn a_candidate_in_shadow_touches_nothing_and_what_it_would_do_is_in_the_decision() {
    let mut world = World::new(&pair(2, &json!({"mode": "shadow"})));

    let seen: Vec<Seen> = (0..4).map(|_| world.ask("a-1")).collect();

    assert!(
        seen.iter()
            .all(|one| !one.refused && one.arm == Arm::Current)
    );
    let told: Vec<&Value> = seen.iter().map(|one| &one.decision["other"]).collect();
    assert_eq!((told[0], told[1]), (&Value::Null, &Value::Null));
    for other in &told[2..] {
        assert_eq!(other["version"], "2");
        assert_eq!(other["would_action"], "throttle");
        assert_eq!(other["rule"], "budgets.requests");
    }
    assert_eq!(seen[3].decision["policy"]["version"], "1");
    assert_eq!(seen[3].decision["arm"], "current");
    assert_eq!(seen[3].decision["would_action"], "allow");
}

#[test]
fn what_a_candidate_would_refuse_does_not_count_against_its_budgets() {
    let mut world = World::new(&pair(2, &json!({"mode": "shadow"})));
    for _ in 0..10 {
        world.ask("a-1");
        world.now = world.now.saturating_add(std::time::Duration::from_secs(60));
    }

    // Two of its window's requests are an hour old now, and eight were never its own.
    world.now = world
        .now
        .saturating_add(std::time::Duration::from_secs(3600));

    assert!(world.ask("a-1").decision.get("other").is_none());
}

#[test]
fn neither_policy_disturbs_the_counters_of_the_other() {
    let mut world = World::new(&pair(1, &json!({"mode": "shadow"})));
    for _ in 0..5 {
        world.ask("a-1");
    }

    world.reload(&policy("3", 6, &json!({"mode": "enforce"})));

    assert!(!world.ask("a-1").refused, "five of six are used");
    assert!(world.ask("a-1").refused);
}

#[test]
fn a_promoted_candidate_carries_on_with_what_was_used_before() {
    let mut world = World::new(&pair(5, &json!({"mode": "shadow"})));
    for _ in 0..4 {
        world.ask("a-1");
    }

    world.reload(&pair(5, &json!({"mode": "enforce"})));
    let (fifth, sixth) = (world.ask("a-1"), world.ask("a-1"));

    assert_eq!((fifth.arm, fifth.refused), (Arm::Candidate, false));
    assert!(sixth.refused);
    assert_eq!(sixth.decision["policy"]["version"], "2");
    assert_eq!(sixth.decision["other"]["version"], "1");
    assert_eq!(sixth.decision["other"]["would_action"], "allow");
}

#[test]
fn an_account_is_in_the_same_arm_in_every_process_and_the_arms_have_their_shares() {
    let document = pair(1000, &json!({"mode": "canary", "canary": {"percent": 20}}));
    let (mut one, mut other) = (World::new(&document), World::new(&document));
    other.key = HashKey::new([9; 16]);
    let mut held = 0_u32;

    for number in 0..2000 {
        let account = format!("a-{number}");
        let arm = one.ask(&account).arm;
        assert_eq!(arm, one.ask(&account).arm);
        assert_eq!(arm, other.ask(&account).arm);
        held += u32::from(arm == Arm::Candidate);
    }

    // 400 with a standard deviation of 18.
    assert!((340..=460).contains(&held), "{held} of 2000");
}

#[test]
fn a_tripped_guard_gives_everybody_back_to_the_policy_before() {
    let rollout = json!({"mode": "enforce", "guard": {"refusedShare": 0.2, "minExchanges": 10}});
    let mut world = World::new(&pair(1, &rollout));
    world.ask_all(5);
    assert_eq!(world.look(), []);
    assert_eq!(world.ask("a-0").arm, Arm::Candidate);

    world.ask_all(5);
    let tripped = world.look();
    let after = world.ask("a-0");

    assert_eq!(tripped, [(Arm::Candidate, Trip::Refused(0))]);
    assert_eq!((after.arm, after.refused), (Arm::Current, false));
    assert_eq!(after.decision["other"]["would_action"], "throttle");
    world.reload(&pair(1, &rollout));
    assert_eq!(world.ask("a-0").arm, Arm::Current, "it stays tripped");
}

#[test]
fn a_guard_does_not_count_whom_the_policy_before_refuses_too() {
    let rollout = json!({"mode": "enforce", "guard": {"refusedShare": 0.1, "minExchanges": 10}});
    let mut document = pair(1000, &rollout);
    let denied = json!({"deny": [{"account": "a-bad", "owner": "o", "reason": "r", "expires": "2030-01-01T00:00:00Z"}]});
    document["current"]["lists"] = denied.clone();
    document["candidate"]["lists"] = denied;
    let mut world = World::new(&document);

    for _ in 0..50 {
        assert!(world.ask("a-bad").refused);
    }

    assert_eq!(world.look(), []);
}

#[test]
fn a_guard_trips_on_an_upstream_that_fails_and_not_on_clients_that_leave() {
    let rollout = json!({"mode": "enforce", "guard": {"failedShare": 0.5, "minExchanges": 10}});
    let mut world = World::new(&pair(1000, &rollout));
    for number in 0..20 {
        world.ask_with(&format!("a-{number}"), "hello", 499);
    }
    assert_eq!(world.look(), []);

    for number in 0..30 {
        world.ask_with(&format!("a-{number}"), "hello", 503);
    }

    assert_eq!(world.look(), [(Arm::Candidate, Trip::Failed)]);
}

#[test]
fn a_policy_alone_whose_guard_trips_becomes_a_shadow_and_says_so() {
    let rollout = json!({"mode": "enforce", "guard": {"refusedShare": 0.2, "minExchanges": 10}});
    let mut world = World::new(&policy("1", 1, &rollout));
    world.ask_all(5);
    assert_eq!(world.look(), []);
    world.ask_all(5);

    assert_eq!(world.look(), [(Arm::Current, Trip::Refused(0))]);
    let after = world.ask("a-1");

    assert!(!after.refused);
    assert_eq!(after.decision["mode"], "shadow");
    assert_eq!(after.decision["would_action"], "throttle");
    assert!(after.decision.get("arm").is_none());
}

#[test]
fn a_guard_that_tripped_in_another_worker_is_heard_of() {
    let rollout = json!({"mode": "enforce", "guard": {"refusedShare": 0.2, "minExchanges": 10}});
    let document = pair(1, &rollout);
    let mut one = World::new(&document);
    one.ask_all(5);
    one.look();
    one.ask_all(5);
    one.look();
    let mut other = World::new(&document);
    other.store = one.store;

    assert_eq!(other.look(), [(Arm::Candidate, Trip::Refused(0))]);
    assert_eq!(other.ask("a-2").arm, Arm::Current);
}

#[test]
fn usage_is_settled_in_the_counters_of_both() {
    let mut document = pair(1000, &json!({"mode": "shadow"}));
    document["candidate"]["budgets"][1]["limit"] = json!(2048);
    let mut world = World::new(&document);

    // Each reserves 1,024 and uses 7: without settling, the third would find no room.
    let seen: Vec<Seen> = (0..100).map(|_| world.ask("a-1")).collect();

    assert!(seen.iter().all(|one| one.decision.get("other").is_none()));
}

#[test]
fn a_body_is_judged_by_the_cap_of_each_policy() {
    let mut document = pair(1000, &json!({"mode": "shadow"}));
    document["candidate"]["inspection"] = json!({"maxBody": "1KiB"});
    let mut world = World::new(&document);

    let seen = world.ask_with("a-1", &"x".repeat(2000), 200);

    assert!(!seen.refused);
    assert_eq!(seen.decision["other"]["rule"], "inspection.oversized");
    assert_eq!(seen.decision["other"]["would_action"], Action::Deny.name());
}

#[test]
fn a_detector_that_only_the_candidate_wants_hears_of_every_exchange() {
    let mut document = pair(1000, &json!({"mode": "shadow"}));
    document["candidate"]["detection"] = json!({"learn": "1d", "memory": "16MiB"});
    let mut world = World::new(&document);

    let seen = world.ask("a-1");

    assert_eq!(seen.arm, Arm::Current);
    assert!(seen.observed);
}

#[test]
fn who_has_used_up_a_budget_before_is_refused_by_both_and_trips_nothing() {
    let guard = json!({"mode": "enforce", "guard": {"refusedShare": 0.1, "minExchanges": 5}});
    let mut document = pair(3, &guard);
    document["current"]["budgets"][0]["limit"] = json!(3);
    let mut world = World::new(&policy("1", 3, &json!({"mode": "enforce"})));
    for _ in 0..3 {
        world.ask_all(20);
    }

    world.reload(&document);
    world.ask_all(20);
    let seen = world.ask("a-1");

    assert_eq!((seen.arm, seen.refused), (Arm::Candidate, true));
    assert!(seen.decision.get("other").is_none(), "{}", seen.decision);
    assert_eq!(world.look(), []);
}

#[test]
fn one_client_that_is_refused_again_and_again_trips_no_guard() {
    let guard = json!({"refusedShare": 0.5, "minExchanges": 10});
    let mut world = World::new(&policy("1", 1, &json!({"mode": "enforce", "guard": guard})));
    world.ask_all(10);

    for _ in 0..1000 {
        world.ask("a-1");
    }

    assert_eq!(world.look(), []);
}

#[test]
fn a_candidate_that_reads_too_little_of_bodies_trips_its_guard() {
    let guard = json!({"mode": "enforce", "guard": {"refusedShare": 0.5, "minExchanges": 10}});
    let mut document = pair(1000, &guard);
    document["candidate"]["inspection"] = json!({"maxBody": "1KiB"});
    let mut world = World::new(&document);

    for number in 0..10 {
        let seen = world.ask_with(&format!("a-{number}"), &"x".repeat(2000), 200);
        assert!(seen.refused);
    }

    assert_eq!(world.look(), [(Arm::Candidate, Trip::Refused(0))]);
}
