//! Step-up verification and concurrency budgets in whole exchanges: whose attestations count, what an account
//! that used much is told, and when its requests are refused.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what tests are built of fails as they do, by panicking"
)]

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use std::time::Duration;
use weir_engine::{
    attestation::{AttestationError, MAX_BYTES},
    denial::Denial,
    detect::{Standing, State},
    evaluate::Body,
    exchange::Exchange,
    hash::HashKey,
    identity::NoProperties,
    ledger::Ledger,
    policy::Policy,
    store::MemoryStore,
    time::Timestamp,
    verdict::{Action, Basis, ReasonCode, Rule, StepUp},
};

const HOUR: u64 = 3600;
const SECRET: [u8; 32] = *b"a secret of thirty-two bytes, no";
const HEADER: &str = "x-weir-attestation";

fn ed25519(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(key: &SigningKey) -> String {
    Base64::encode_string(key.verifying_key().as_bytes())
}

/// What the operator's verifier signs with.
enum Signs<'a> {
    Hs256(&'a [u8]),
    EdDsa(&'a SigningKey),
    Nothing,
}

fn sign(header: &Value, claims: &Value, with: &Signs<'_>) -> String {
    let [header, claims] =
        [header, claims].map(|part| Base64UrlUnpadded::encode_string(part.to_string().as_bytes()));
    let text = format!("{header}.{claims}");
    let signature = match with {
        Signs::Hs256(secret) => {
            let mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
            mac.chain_update(&text).finalize().into_bytes().to_vec()
        }
        Signs::EdDsa(key) => key.sign(text.as_bytes()).to_bytes().to_vec(),
        Signs::Nothing => Vec::new(),
    };
    format!("{text}.{}", Base64UrlUnpadded::encode_string(&signature))
}

/// A policy over one store, with a clock that only the test moves.
struct World {
    policy: Policy,
    ledger: Ledger,
    store: MemoryStore,
    now: Timestamp,
}

fn policy(change: impl FnOnce(&mut Value)) -> Policy {
    let mut document = json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "test", "version": "1", "owner": "team"},
        "identity": {
            "account": [{"header": "x-account-id"}],
            "verification": [{"header": "x-verification"}],
        },
        "tiers": [
            {"name": "trusted", "match": {"verification": ["organization"]}},
            {"name": "basic"},
        ],
        "detection": {"learn": "1m"},
        "verification": {
            "levels": ["email", "phone", "document", "organization"],
            "url": "https://verify.example.com/start",
            "attestation": {
                "audience": "api.example.com",
                "clockSkew": "60s",
                "maxAge": "24h",
                "keys": [
                    {"id": "shared", "hmacSha256": Base64::encode_string(&SECRET)},
                    {"id": "old", "ed25519": public(&ed25519(1)), "notAfter": "2026-05-02T00:00:00Z"},
                    {"id": "new", "ed25519": public(&ed25519(2)), "notBefore": "2026-05-01T00:00:00Z"},
                ],
            },
        },
        "rollout": {"mode": "enforce"},
    });
    change(&mut document);
    let checked = Policy::check(document.to_string().as_bytes(), None);
    checked
        .policy
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// What came of one request.
struct Asked {
    denial: Option<Denial>,
    action: Action,
    would: Action,
    basis: Basis,
    rule: Option<Rule>,
    step_up: Option<StepUp>,
    reasons: Vec<ReasonCode>,
    retry_after: Option<Duration>,
    tier: Option<usize>,
}

impl World {
    fn new(change: impl FnOnce(&mut Value)) -> Self {
        let policy = policy(change);
        Self {
            ledger: Ledger::new(policy.layout()),
            policy,
            store: MemoryStore::default(),
            now: Timestamp::parse_rfc3339("2026-05-01T12:00:00Z").unwrap(),
        }
    }

    fn key() -> HashKey {
        HashKey::new([7; 16])
    }

    fn seconds(&self) -> u64 {
        self.now.as_unix_seconds()
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.saturating_add(Duration::from_secs(seconds));
    }

    /// Claims of an attestation of `phone` for the account `a`, for an hour from now.
    fn claims(&self) -> Value {
        json!({
            "sub": "a", "aud": "api.example.com", "weir_level": "phone",
            "iat": self.seconds(), "exp": self.seconds() + HOUR,
        })
    }

    /// An attestation that is as it should be but for a change of its claims.
    fn token(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims();
        change(&mut claims);
        let header = json!({"alg": "EdDSA", "kid": "new", "typ": "JWT"});
        sign(&header, &claims, &Signs::EdDsa(&ed25519(2)))
    }

    fn begin(&self, more: &[(&str, &str)]) -> Exchange {
        let headers = [
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            ("x-account-id", "a"),
        ];
        let headers: Vec<(&[u8], &[u8])> = headers
            .iter()
            .chain(more)
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        Exchange::begin(
            &self.policy,
            &Self::key(),
            headers.iter().copied(),
            &NoProperties,
            self.now,
        )
    }

    /// What comes of `token` in a request of the account `a`.
    fn attested(&self, token: &str) -> Result<usize, AttestationError> {
        let exchange = self.begin(&[(HEADER, token)]);
        exchange.head().attestation.expect("a token came with it")
    }

    fn decide(&mut self, exchange: &mut Exchange) -> Asked {
        let body = json!({"model": "m", "messages": [], "max_tokens": 10}).to_string();
        let answer = exchange.decide(
            &self.policy,
            &Self::key(),
            Body::Whole(body.as_bytes()),
            &mut self.ledger,
            &mut self.store,
        );
        let evaluation = exchange.evaluation().unwrap();
        let verdict = &evaluation.verdict;
        Asked {
            denial: answer.into_denial(),
            action: verdict.action,
            would: verdict.would_action,
            basis: verdict.basis,
            rule: verdict.rule,
            step_up: verdict.verification,
            reasons: verdict.reasons.iter().map(|reason| reason.code).collect(),
            retry_after: verdict.retry_after,
            tier: evaluation.tier,
        }
    }

    fn finish(&mut self, mut exchange: Exchange) -> String {
        let finished = exchange.finish(
            &self.policy,
            true,
            Some(200),
            self.now,
            &mut self.ledger,
            &mut self.store,
        );
        finished.expect("decided").decision
    }

    /// One request of the account `a` from its beginning to its end.
    fn ask(&mut self, headers: &[(&str, &str)]) -> Asked {
        let mut exchange = self.begin(headers);
        let asked = self.decide(&mut exchange);
        self.finish(exchange);
        asked
    }

    /// One request of an account in this state.
    fn ask_in(&mut self, state: State, headers: &[(&str, &str)]) -> Asked {
        let mut exchange = self.begin(headers);
        exchange.stands(Standing {
            state,
            learned: 1.0,
            ..Standing::default()
        });
        self.decide(&mut exchange)
    }
}

mod attestations {
    use super::*;

    #[test]
    fn one_that_is_as_it_should_be_raises_the_level() {
        let world = World::new(|_| {});

        assert_eq!(world.attested(&world.token(|_| {})), Ok(1));
        let exchange = world.begin(&[(HEADER, &world.token(|_| {}))]);
        let caller = exchange.head().caller.as_ref().unwrap();
        assert_eq!(caller.verification.as_deref(), Some("phone"));
    }

    #[test]
    fn either_algorithm_counts_with_its_own_key() {
        let world = World::new(|_| {});
        let shared = json!({"alg": "HS256", "kid": "shared"});

        let token = sign(&shared, &world.claims(), &Signs::Hs256(&SECRET));

        assert_eq!(world.attested(&token), Ok(1));
    }

    #[test]
    fn a_weaker_one_lowers_nothing_and_a_stronger_one_opens_its_tier() {
        let mut world = World::new(|_| {});
        let (email, organization) = (
            world.token(|claims| claims["weir_level"] = json!("email")),
            world.token(|claims| claims["weir_level"] = json!("organization")),
        );

        let exchange = world.begin(&[(HEADER, &email), ("x-verification", "document")]);
        let caller = exchange.head().caller.as_ref().unwrap();
        assert_eq!(caller.verification.as_deref(), Some("document"));
        assert_eq!(world.ask(&[("x-verification", "document")]).tier, Some(1));
        assert_eq!(world.ask(&[(HEADER, &organization)]).tier, Some(0));
    }

    #[test]
    fn it_is_taken_off_the_request() {
        let mut world = World::new(|_| {});
        let mut exchange = world.begin(&[(HEADER, &world.token(|_| {}))]);

        let answer = exchange.decide(
            &world.policy,
            &World::key(),
            Body::Whole(b"{}"),
            &mut world.ledger,
            &mut world.store,
        );

        let weir_engine::exchange::Answer::Forward(forward) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(forward.remove_headers, [HEADER]);
    }

    #[test]
    fn an_expired_one_is_refused_and_the_decision_says_so() {
        let mut world = World::new(|_| {});
        let token = world.token(|_| {});
        world.wait(HOUR + 60);

        assert_eq!(world.attested(&token), Err(AttestationError::Expired));
        let mut exchange = world.begin(&[(HEADER, &token)]);
        let asked = world.decide(&mut exchange);
        let decision = world.finish(exchange);

        assert_eq!(asked.action, Action::Allow);
        assert!(
            decision.contains("ATTESTATION_REFUSED:expired"),
            "{decision}"
        );
        assert!(!decision.contains(token.split_once('.').unwrap().0));
    }

    #[test]
    fn one_that_is_replayed_counts_until_it_expires_and_not_after() {
        let mut world = World::new(|_| {});
        let token = world.token(|_| {});

        for _ in 0..61 {
            assert_eq!(world.attested(&token), Ok(1));
            world.wait(60);
        }

        for _ in 0..3 {
            assert_eq!(world.attested(&token), Err(AttestationError::Expired));
            world.wait(30 * 24 * HOUR);
        }
    }

    #[test]
    fn one_for_another_audience_is_refused() {
        let world = World::new(|_| {});
        let attested =
            |audience: Value| world.attested(&world.token(|claims| claims["aud"] = audience));

        assert_eq!(attested(json!(["other", "api.example.com"])), Ok(1));
        for other in [
            json!("other"),
            json!("api.example.com."),
            json!([]),
            json!(["other"]),
            json!(""),
        ] {
            assert_eq!(
                attested(other.clone()),
                Err(AttestationError::WrongAudience),
                "{other}"
            );
        }
    }

    #[test]
    fn one_of_another_account_is_refused() {
        let world = World::new(|_| {});

        for other in ["b", "A", "a ", ""] {
            let token = world.token(|claims| claims["sub"] = json!(other));
            assert_eq!(
                world.attested(&token),
                Err(AttestationError::WrongAccount),
                "{other}"
            );
        }
    }

    #[test]
    fn one_that_another_key_signed_is_refused() {
        let world = World::new(|_| {});
        let header = |alg: &str, kid: &str| json!({"alg": alg, "kid": kid});
        let token = |header: &Value, with: &Signs<'_>| sign(header, &world.claims(), with);
        let (one, two) = (ed25519(1), ed25519(2));

        for (token, error) in [
            (
                token(&header("EdDSA", "new"), &Signs::EdDsa(&one)),
                AttestationError::BadSignature,
            ),
            (
                token(&header("EdDSA", "old"), &Signs::EdDsa(&two)),
                AttestationError::BadSignature,
            ),
            (
                token(&header("HS256", "shared"), &Signs::Hs256(&[7; 32])),
                AttestationError::BadSignature,
            ),
            (
                token(&header("HS256", "shared"), &Signs::EdDsa(&two)),
                AttestationError::BadSignature,
            ),
            (
                token(&header("EdDSA", "third"), &Signs::EdDsa(&two)),
                AttestationError::UnknownKey,
            ),
            (
                token(&header("EdDSA", ""), &Signs::EdDsa(&two)),
                AttestationError::UnknownKey,
            ),
        ] {
            assert_eq!(world.attested(&token), Err(error));
        }
    }

    #[test]
    fn a_public_key_is_no_secret_and_the_token_does_not_choose_the_algorithm() {
        let world = World::new(|_| {});
        let key = ed25519(2);
        let confused = [
            Signs::Hs256(key.verifying_key().as_bytes()),
            Signs::Hs256(&public(&key).into_bytes()),
        ]
        .map(|with| {
            sign(
                &json!({"alg": "HS256", "kid": "new"}),
                &world.claims(),
                &with,
            )
        });
        let other_way = sign(
            &json!({"alg": "EdDSA", "kid": "shared"}),
            &world.claims(),
            &Signs::Hs256(&SECRET),
        );

        for token in confused.iter().chain([&other_way]) {
            assert_eq!(world.attested(token), Err(AttestationError::UnknownKey));
        }
    }

    #[test]
    fn an_unsigned_one_is_refused() {
        let world = World::new(|_| {});
        for alg in ["none", "None", "NONE", ""] {
            let token = sign(
                &json!({"alg": alg, "kid": "new"}),
                &world.claims(),
                &Signs::Nothing,
            );
            assert_eq!(
                world.attested(&token),
                Err(AttestationError::UnknownKey),
                "{alg}"
            );
        }
        let stripped = sign(
            &json!({"alg": "EdDSA", "kid": "new"}),
            &world.claims(),
            &Signs::Nothing,
        );
        assert_eq!(
            world.attested(&stripped),
            Err(AttestationError::BadSignature)
        );
    }

    #[test]
    fn one_that_demands_an_extension_is_refused() {
        let world = World::new(|_| {});
        for crit in [json!(["exp"]), json!([]), json!(null), json!("b64")] {
            let header = json!({"alg": "EdDSA", "kid": "new", "crit": crit});
            let token = sign(&header, &world.claims(), &Signs::EdDsa(&ed25519(2)));
            assert_eq!(
                world.attested(&token),
                Err(AttestationError::Unsupported),
                "{crit}"
            );
        }
    }

    #[test]
    fn an_oversized_one_is_not_read() {
        let world = World::new(|_| {});

        let token = world.token(|claims| claims["x"] = json!("y".repeat(MAX_BYTES)));

        assert_eq!(world.attested(&token), Err(AttestationError::Malformed));
        assert_eq!(
            world.attested(&"x".repeat(1 << 20)),
            Err(AttestationError::Malformed)
        );
        assert_eq!(world.attested(""), Err(AttestationError::Malformed));
    }

    #[test]
    fn two_different_ones_count_as_none() {
        let mut world = World::new(|_| {});
        let (one, other) = (
            world.token(|_| {}),
            world.token(|claims| claims["weir_level"] = json!("document")),
        );

        let exchange = world.begin(&[(HEADER, &one), (HEADER, &other)]);

        assert_eq!(exchange.head().attestation, None);
        assert_eq!(exchange.head().caller.as_ref().unwrap().verification, None);
        assert_eq!(
            world.attested(&format!("{one},{other}")),
            Err(AttestationError::Malformed)
        );
        assert!(
            world
                .ask(&[(HEADER, &one), (HEADER, &other)])
                .denial
                .is_none()
        );
    }

    #[test]
    fn a_level_that_the_policy_does_not_have_is_refused() {
        let world = World::new(|_| {});
        for level in ["passport", "", "Phone"] {
            let token = world.token(|claims| claims["weir_level"] = json!(level));
            assert_eq!(
                world.attested(&token),
                Err(AttestationError::UnknownLevel),
                "{level}"
            );
        }
    }

    #[test]
    fn one_that_lives_for_longer_than_the_policy_accepts_is_refused() {
        let world = World::new(|_| {});
        let now = world.seconds();
        let lives = |seconds: u64| {
            world.attested(&world.token(|claims| claims["exp"] = json!(now + seconds)))
        };

        assert_eq!(lives(24 * HOUR), Ok(1));
        assert_eq!(lives(24 * HOUR + 1), Err(AttestationError::TooLong));
        assert_eq!(lives(u64::MAX - now), Err(AttestationError::TooLong));
    }

    #[test]
    fn clocks_may_differ_by_the_skew_in_both_directions_and_no_further() {
        let mut world = World::new(|_| {});
        let ahead = |by: u64| {
            move |claims: &mut Value| {
                let iat = claims["iat"].as_u64().unwrap() + by;
                claims["iat"] = json!(iat);
                claims["exp"] = json!(iat + HOUR);
            }
        };
        assert_eq!(world.attested(&world.token(ahead(60))), Ok(1));
        assert_eq!(
            world.attested(&world.token(ahead(61))),
            Err(AttestationError::NotYet)
        );
        let not_before =
            world.token(|claims| claims["nbf"] = json!(claims["iat"].as_u64().unwrap() + 61));
        assert_eq!(world.attested(&not_before), Err(AttestationError::NotYet));

        let token = world.token(|_| {});
        world.wait(HOUR + 59);
        assert_eq!(world.attested(&token), Ok(1));
        assert_eq!(world.attested(&not_before), Ok(1));
        world.wait(1);
        assert_eq!(world.attested(&token), Err(AttestationError::Expired));
    }

    #[test]
    fn a_key_counts_from_its_not_before_to_its_not_after() {
        let mut world = World::new(|_| {});
        let by = |world: &World, kid: &str, seed: u8| {
            let header = json!({"alg": "EdDSA", "kid": kid});
            world.attested(&sign(
                &header,
                &world.claims(),
                &Signs::EdDsa(&ed25519(seed)),
            ))
        };
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();

        world.now = at("2026-04-30T23:59:59Z");
        assert_eq!(
            (by(&world, "old", 1), by(&world, "new", 2)),
            (Ok(1), Err(AttestationError::KeyNotInUse))
        );
        world.now = at("2026-05-01T00:00:00Z");
        assert_eq!((by(&world, "old", 1), by(&world, "new", 2)), (Ok(1), Ok(1)));
        world.now = at("2026-05-02T00:00:00Z");
        assert_eq!(
            (by(&world, "old", 1), by(&world, "new", 2)),
            (Err(AttestationError::KeyNotInUse), Ok(1))
        );
    }

    #[test]
    fn a_policy_that_accepts_none_does_not_look_at_them() {
        let mut world = World::new(|_| {});
        let token = world.token(|_| {});
        world.policy = policy(|document| {
            document["verification"]
                .as_object_mut()
                .unwrap()
                .remove("attestation");
        });

        assert_eq!(world.begin(&[(HEADER, &token)]).head().attestation, None);
    }

    #[test]
    fn an_account_that_the_policy_does_not_know_by_name_cannot_be_attested() {
        let world = World::new(|document| {
            document["identity"]["account"] = json!([{"apiKey": {}}]);
        });

        let exchange = world.begin(&[
            ("authorization", "Bearer a"),
            (HEADER, &world.token(|_| {})),
        ]);

        assert_eq!(
            exchange.head().attestation,
            Some(Err(AttestationError::WrongAccount))
        );
    }
}

mod thresholds {
    use super::*;

    /// More than three requests a day need `phone`, after a grace of 15 hours.
    fn world(change: impl FnOnce(&mut Value)) -> World {
        World::new(|document| {
            document["verification"]["grace"] = json!("15h");
            document["verification"]["thresholds"] = json!([
                {"name": "volume", "tiers": ["basic"], "unit": "requests", "above": 3, "window": "1d", "level": "phone"},
            ]);
            change(document);
        })
    }

    fn without_grace(document: &mut Value) {
        document["verification"]["grace"] = json!("0s");
    }

    #[test]
    fn use_up_to_the_threshold_asks_for_nothing() {
        let mut world = world(without_grace);

        for _ in 0..3 {
            let asked = world.ask(&[]);
            assert_eq!((asked.action, asked.step_up), (Action::Allow, None));
        }
    }

    #[test]
    fn who_crosses_it_is_served_with_a_deadline_and_refused_from_then_on() {
        let mut world = world(|_| {});
        for _ in 0..3 {
            world.ask(&[]);
        }
        let begun = world.now;

        let warned = world.ask(&[]);

        assert_eq!(
            (warned.action, warned.would, warned.rule),
            (Action::Allow, Action::Allow, None)
        );
        assert!(warned.denial.is_none());
        assert_eq!(
            warned.reasons,
            [ReasonCode::Learning, ReasonCode::VerificationRequired]
        );
        let deadline = begun.saturating_add(Duration::from_secs(15 * HOUR));
        let asked = StepUp {
            level: 1,
            deadline: Some(deadline),
        };
        assert_eq!(warned.step_up, Some(asked));

        // Every quarter of an hour: never refused before the grace is over, and soon after.
        let mut refused = None;
        while refused.is_none() {
            world.wait(HOUR / 4);
            let asked = world.ask(&[]);
            let used = world.now.saturating_since(begun);
            if asked.denial.is_some() {
                refused = Some((used, asked));
            } else {
                let deadline = asked.step_up.unwrap().deadline.unwrap();
                assert!(deadline > world.now);
            }
        }
        let (after, refused) = refused.unwrap();
        let grace = Duration::from_secs(15 * HOUR);
        let memory = Duration::from_secs((24 + 15 + 1) * HOUR);
        assert!(
            after >= grace && after <= grace + memory / 16 + Duration::from_secs(HOUR / 4),
            "{after:?}"
        );
        assert_eq!(refused.denial.unwrap().status, 403);
        assert_eq!(
            (refused.action, refused.basis, refused.rule),
            (Action::Verify, Basis::Budget, Some(Rule::Verification(0)))
        );
        assert_eq!(
            refused.step_up,
            Some(StepUp {
                level: 1,
                deadline: None
            })
        );
        assert_eq!(refused.retry_after, None);
    }

    #[test]
    fn without_grace_the_next_request_is_refused() {
        let mut world = world(without_grace);
        for _ in 0..3 {
            world.ask(&[]);
        }

        let refused = world.ask(&[]);

        assert_eq!(refused.rule, Some(Rule::Verification(0)));
        assert_eq!(refused.denial.unwrap().status, 403);
    }

    #[test]
    fn a_refused_request_charges_nothing() {
        let mut world = world(|document| {
            without_grace(document);
            document["budgets"] = json!([
                {"name": "requests", "per": "account", "unit": "requests", "limit": 5, "window": "1d"},
                {"name": "streams", "per": "account", "unit": "concurrency", "limit": 1, "window": "30s"},
            ]);
        });
        for _ in 0..3 {
            world.ask(&[]);
        }
        for _ in 0..20 {
            assert_eq!(world.ask(&[]).rule, Some(Rule::Verification(0)));
        }
        let phone = world.token(|_| {});

        let passed = (0..5).filter(|_| world.ask(&[(HEADER, &phone)]).denial.is_none());

        assert_eq!(passed.count(), 2, "of five requests three were made before");
    }

    #[test]
    fn an_attestation_or_a_verified_account_clears_it_and_a_lower_level_does_not() {
        let mut world = world(without_grace);
        for _ in 0..4 {
            world.ask(&[]);
        }
        let phone = world.token(|_| {});
        let email = world.token(|claims| claims["weir_level"] = json!("email"));
        let other = world.token(|claims| claims["sub"] = json!("b"));

        assert!(world.ask(&[(HEADER, &email)]).denial.is_some());
        assert!(world.ask(&[(HEADER, &other)]).denial.is_some());
        assert!(
            world
                .ask(&[("x-verification", "unheard of")])
                .denial
                .is_some()
        );
        for headers in [
            (HEADER, phone.as_str()),
            ("x-verification", "phone"),
            ("x-verification", "document"),
        ] {
            let asked = world.ask(&[headers]);
            assert_eq!(
                (asked.action, asked.step_up),
                (Action::Allow, None),
                "{}",
                headers.1
            );
        }
    }

    #[test]
    fn it_holds_for_its_tiers_only() {
        let mut world = world(|document| {
            without_grace(document);
            document["verification"]["thresholds"][0]["tiers"] = json!(["trusted"]);
        });

        assert!((0..10).all(|_| world.ask(&[]).denial.is_none()));
    }

    #[test]
    fn shadow_mode_says_what_would_be_and_changes_nothing() {
        let mut world = world(|document| {
            without_grace(document);
            document["rollout"]["mode"] = json!("shadow");
        });
        for _ in 0..3 {
            world.ask(&[]);
        }

        let mut exchange = world.begin(&[(HEADER, "nonsense")]);
        let asked = world.decide(&mut exchange);

        assert_eq!((asked.action, asked.would), (Action::Allow, Action::Verify));
        assert!(asked.denial.is_none());
        assert!(!exchange.needs_response_head(&world.policy));
        let changes = exchange.response_head(&world.policy, [].into_iter());
        assert!(changes.set.is_empty() && changes.remove.is_empty());
        let answer = exchange.decide(
            &world.policy,
            &World::key(),
            Body::Whole(b"{}"),
            &mut world.ledger,
            &mut world.store,
        );
        let untouched = weir_engine::exchange::Answer::Forward(Default::default());
        assert_eq!(answer, untouched);
    }

    #[test]
    fn use_that_falls_below_it_again_is_served_and_the_grace_is_not_given_twice() {
        let mut world = world(|_| {});
        for _ in 0..4 {
            world.ask(&[]);
        }
        world.wait(26 * HOUR);
        let quiet = world.ask(&[]);
        assert_eq!((quiet.action, quiet.step_up), (Action::Allow, None));
        for _ in 0..2 {
            world.ask(&[]);
        }

        let again = world.ask(&[]);

        assert_eq!(again.rule, Some(Rule::Verification(0)));
    }

    #[test]
    fn a_maximum_beyond_all_counting_is_no_spent_budget() {
        let mut world = world(|document| {
            document["verification"]["thresholds"] = json!([
                {"name": "volume", "unit": "tokens", "above": 1000, "window": "1d", "level": "phone"},
            ]);
        });
        world.ask(&[]);

        for _ in 0..2 {
            let mut exchange = world.begin(&[]);
            let answer = exchange.decide(
                &world.policy,
                &World::key(),
                Body::Whole(br#"{"max_tokens": 4294967295}"#),
                &mut world.ledger,
                &mut world.store,
            );

            assert_eq!(answer.into_denial(), None);
            let verdict = &exchange.evaluation().unwrap().verdict;
            assert_eq!((verdict.rule, verdict.action), (None, Action::Allow));
        }
    }

    #[test]
    fn what_is_asked_for_and_never_used_costs_no_grace() {
        let mut world = world(|document| {
            document["verification"]["thresholds"] = json!([
                {"name": "volume", "unit": "output_tokens", "above": 15, "window": "7d", "level": "phone"},
            ]);
        });
        let mut exchange = world.begin(&[]);
        exchange.decide(
            &world.policy,
            &World::key(),
            Body::Whole(br#"{"max_tokens": 1000000}"#),
            &mut world.ledger,
            &mut world.store,
        );
        exchange.finish(
            &world.policy,
            true,
            Some(400),
            world.now,
            &mut world.ledger,
            &mut world.store,
        );
        world.wait(3 * 24 * HOUR);
        for _ in 0..2 {
            assert_eq!(world.ask(&[]).step_up, None);
        }

        let crossed = world.ask(&[]);

        assert_eq!(crossed.action, Action::Allow);
        let deadline = world.now.saturating_add(Duration::from_secs(15 * HOUR));
        assert_eq!(crossed.step_up.unwrap().deadline, Some(deadline));
    }

    #[test]
    fn a_counter_of_volume_without_room_for_an_estimate_refuses_nobody() {
        let mut world = world(|document| {
            without_grace(document);
            document["verification"]["thresholds"] = json!([
                {"name": "volume", "unit": "tokens", "above": 4_294_967_294_u32, "window": "1d", "level": "phone"},
            ]);
        });
        world.ask(&[]);

        let mut exchange = world.begin(&[]);
        let answer = exchange.decide(
            &world.policy,
            &World::key(),
            Body::Whole(br#"{"max_tokens": 4294967295}"#),
            &mut world.ledger,
            &mut world.store,
        );

        assert_eq!(answer.into_denial(), None);
        let verdict = &exchange.evaluation().unwrap().verdict;
        assert_eq!((verdict.rule, verdict.action), (None, Action::Allow));
    }

    #[test]
    fn of_several_the_highest_level_is_asked_for() {
        let mut world = world(|document| {
            document["verification"]["thresholds"] = json!([
                {"name": "low", "unit": "requests", "above": 1, "window": "1h", "level": "email"},
                {"name": "high", "unit": "output_tokens", "above": 9, "window": "1h", "level": "document"},
                {"name": "middle", "unit": "requests", "above": 1, "window": "1d", "level": "phone"},
            ]);
        });
        world.ask(&[]);

        let warned = world.ask(&[]);

        assert_eq!(warned.step_up.unwrap().level, 2);
    }
}

mod suspects {
    use super::*;

    fn world() -> World {
        World::new(|document| {
            document["verification"]["suspected"] = json!("document");
            document["responses"] = json!({"states": {"step_up": "verify"}});
        })
    }

    #[test]
    fn a_state_asks_for_verification_until_the_account_has_the_level() {
        let mut world = world();
        let phone = world.token(|_| {});
        let document = world.token(|claims| claims["weir_level"] = json!("document"));

        for headers in [
            vec![],
            vec![(HEADER, phone.as_str())],
            vec![("x-verification", "phone")],
        ] {
            let refused = world.ask_in(State::StepUp, &headers);
            assert_eq!(
                (refused.action, refused.basis),
                (Action::Verify, Basis::Detection)
            );
            assert_eq!(
                refused.step_up,
                Some(StepUp {
                    level: 2,
                    deadline: None
                })
            );
            assert_eq!(refused.denial.unwrap().status, 403);
        }
        for headers in [
            (HEADER, document.as_str()),
            ("x-verification", "organization"),
        ] {
            assert!(world.ask_in(State::StepUp, &[headers]).denial.is_none());
        }
        assert!(world.ask_in(State::Watch, &[]).denial.is_none());
    }

    #[test]
    fn what_is_denied_is_not_cleared_by_any_level() {
        let mut world = world();
        let best = world.token(|claims| claims["weir_level"] = json!("organization"));

        let refused = world.ask_in(State::Block, &[(HEADER, &best)]);

        assert_eq!((refused.action, refused.step_up), (Action::Deny, None));
    }
}

mod concurrency {
    use super::*;

    /// Two streams at once, and ten requests an hour.
    fn world() -> World {
        World::new(|document| {
            document["budgets"] = json!([
                {"name": "streams", "per": "account", "unit": "concurrency", "limit": 2, "window": "30s"},
                {"name": "requests", "per": "account", "unit": "requests", "limit": 10, "window": "1h"},
            ]);
        })
    }

    fn opened(world: &mut World) -> Exchange {
        let mut exchange = world.begin(&[]);
        let asked = world.decide(&mut exchange);
        assert!(asked.denial.is_none(), "{:?}", asked.rule);
        exchange
    }

    #[test]
    fn one_more_than_the_limit_may_come_again_in_a_second() {
        let mut world = world();
        let _open = [opened(&mut world), opened(&mut world)];

        let refused = world.ask(&[]);

        assert_eq!(
            (refused.action, refused.rule),
            (Action::Throttle, Some(Rule::Budget(0)))
        );
        assert_eq!(refused.retry_after, Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_budget_that_is_used_up_tells_its_own_time() {
        let mut world = world();
        for _ in 0..8 {
            world.ask(&[]);
        }
        let _open = [opened(&mut world), opened(&mut world)];

        let refused = world.ask(&[]);

        assert_eq!(refused.rule, Some(Rule::Budget(1)));
        assert!(refused.retry_after.unwrap() > Duration::from_secs(60));
    }

    #[test]
    fn a_client_that_asks_again_as_soon_as_it_has_its_answer_is_served_by_any_worker() {
        let mut world = world();
        let (mut first, _second) = (opened(&mut world), opened(&mut world));
        assert!(first.holds_leases());

        first.response_ended(world.now, &mut world.ledger, &mut world.store);

        assert!(!first.holds_leases() && first.holds());
        world.ledger = Ledger::new(world.policy.layout());
        let third = opened(&mut world);
        world.finish(first);
        assert!(world.ask(&[]).denial.is_some());
        drop(third);
    }

    #[test]
    fn a_body_that_comes_slowly_neither_frees_the_places_of_others_nor_takes_none() {
        let mut world = world();
        let mut slow = world.begin(&[]);
        world.wait(120);
        let _open = [opened(&mut world), opened(&mut world)];

        slow.arrives(world.now);
        let refused = world.decide(&mut slow);

        assert_eq!(refused.rule, Some(Rule::Budget(0)));
        assert_eq!(world.ask(&[]).rule, Some(Rule::Budget(0)));
        assert_eq!(world.ledger.stats().clock_resets, 0);
    }

    #[test]
    fn every_way_out_gives_it_back() {
        let mut world = world();
        for (ended, status) in [
            (true, Some(200)),
            (false, Some(200)),
            (false, Some(503)),
            (true, Some(429)),
            (false, None),
        ] {
            let (mut first, mut second) = (opened(&mut world), opened(&mut world));
            first.response_ended(world.now, &mut world.ledger, &mut world.store);
            for exchange in [&mut first, &mut second] {
                exchange.finish(
                    &world.policy,
                    ended,
                    status,
                    world.now,
                    &mut world.ledger,
                    &mut world.store,
                );
                assert!(!exchange.holds());
            }
            assert_eq!(world.ledger.stats().leases, 0);
            world.wait(HOUR * 2);
        }
    }

    #[test]
    fn a_stream_of_an_hour_keeps_its_place_with_ticks_and_loses_it_without_them() {
        let mut world = world();
        let (first, second) = (opened(&mut world), opened(&mut world));
        for _ in 0..HOUR {
            world.wait(1);
            world.ledger.flush(128, world.now, &mut world.store);
        }
        assert_eq!(world.ask(&[]).rule, Some(Rule::Budget(0)));

        // The worker dies with both.
        drop((first, second));
        world.ledger = Ledger::new(world.policy.layout());
        world.wait(15);
        assert_eq!(world.ask(&[]).rule, Some(Rule::Budget(0)));
        world.wait(17);
        assert!(world.ask(&[]).denial.is_none());
    }

    #[test]
    fn a_reload_with_another_limit_leaks_nothing() {
        let mut world = world();
        let (first, second) = (opened(&mut world), opened(&mut world));
        let old = std::mem::replace(
            &mut world.policy,
            policy(|document| {
                document["budgets"] = json!([{"name": "streams", "per": "account", "unit": "concurrency", "limit": 1, "window": "30s"}]);
            }),
        );
        assert!(world.ask(&[]).denial.is_some());

        for mut exchange in [first, second] {
            exchange.finish(
                &old,
                true,
                Some(200),
                world.now,
                &mut world.ledger,
                &mut world.store,
            );
        }

        assert!(world.ask(&[]).denial.is_none());
        assert_eq!(world.ledger.stats().leases, 0);
    }
}
