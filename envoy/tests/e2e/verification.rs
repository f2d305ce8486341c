//! Accounts that are asked for a better verification, and the statements that their verifier signs.
use std::time::{SystemTime, UNIX_EPOCH};

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use weir_envoy::client::Request;

use crate::programs;
use crate::setup::{Api, PATIENCE, Weir, policy, send};

const SECRET: [u8; 32] = [7; 32];

/// Whoever asks more than once an hour has to be verified by phone; without grace, or with some.
fn asking(grace: &str) -> Value {
    policy(|policy| {
        policy["identity"]["verification"] = json!([{"header": "x-verification"}]);
        policy["verification"] = json!({
            "levels": ["email", "phone"],
            "url": "https://verify.example.com/start",
            "grace": grace,
            "thresholds": [{"name": "volume", "unit": "requests", "above": 1, "window": "1h", "level": "phone"}],
            "attestation": {"audience": "api.example.com", "maxAge": "1h", "clockSkew": "0s",
                "keys": [{"id": "k1", "hmacSha256": Base64::encode_string(&SECRET)}]},
        });
    })
}

/// A statement of `account`'s verifier, issued `age` seconds ago for ten minutes.
fn attestation(account: &str, age: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let issued = now.as_secs() - age;
    let part = |value: Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let head = part(json!({"alg": "HS256", "kid": "k1"}));
    let claims = part(
        json!({"sub": account, "aud": "api.example.com", "iat": issued,
        "exp": issued + 600, "weir_level": "phone"}),
    );
    let signed = format!("{head}.{claims}");
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).unwrap();
    mac.update(signed.as_bytes());
    let signature = Base64UrlUnpadded::encode_string(&mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

fn ask(api: Api, account: &str) -> Request {
    api.post(account, &api.body())
}

#[tokio::test]
async fn who_asks_too_much_is_told_where_to_verify_and_passes_with_a_statement_that_goes_no_further()
 {
    let weir = Weir::start(programs!(), &asking("0s")).await;
    for (api, mut client) in Api::BOTH.into_iter().zip(weir.clients()) {
        let account = api.endpoint();
        assert_eq!(send(&mut client, ask(api, account)).await.status(), 200);
        let before = weir.mock.count();

        let refused = send(&mut client, ask(api, account)).await;
        let stale = ask(api, account).header("x-weir-attestation", attestation(account, 3_000));
        let stale = send(&mut client, stale).await.status();
        let others = ask(api, account).header("x-weir-attestation", attestation("other", 0));
        let others = send(&mut client, others).await.status();
        let attested = ask(api, account).header("x-weir-attestation", attestation(account, 0));
        let passed = send(&mut client, attested).await.status();

        assert_eq!(
            (refused.status(), stale, others, passed),
            (403, 403, 403, 200)
        );
        assert_eq!(refused.header("x-should-retry"), Some("false"));
        assert_eq!(refused.header("x-weir-verification-level"), Some("phone"));
        let body = refused.json().await.unwrap();
        let wanted = json!({"level": "phone", "url": "https://verify.example.com/start"});
        assert_eq!(body["error"]["verification"], wanted);
        assert_eq!(weir.mock.count(), before + 1);
        let served = weir.mock.served();
        assert_eq!(served.last().unwrap().header("x-weir-attestation"), None);
    }
    let decisions = weir.envoy.wait_for_decisions(10, PATIENCE).await.unwrap();
    for (code, count) in [
        ("VERIFICATION_REQUIRED", 6),
        ("ATTESTATION_REFUSED:expired", 2),
        ("ATTESTATION_REFUSED:wrong_account", 2),
    ] {
        let names = |one: &&Value| one["reasons"].to_string().contains(code);
        assert_eq!(decisions.iter().filter(names).count(), count, "{code}");
    }
}

#[tokio::test]
async fn who_asks_too_much_is_warned_while_the_grace_lasts() {
    let weir = Weir::start(programs!(), &asking("1d")).await;
    let (api, mut client) = (Api::OpenAi, weir.http1());
    let first = send(&mut client, ask(api, "a")).await;
    assert_eq!(
        (first.status(), first.header("x-weir-verification")),
        (200, None)
    );
    first.bytes().await.unwrap();

    let warned = send(&mut client, ask(api, "a")).await;

    assert_eq!(warned.status(), 200);
    let warning = warned.header("x-weir-verification").unwrap();
    assert!(
        warning.starts_with("required; level=\"phone\"; by=\"20"),
        "{warning}"
    );
}

#[tokio::test]
async fn what_is_left_of_a_budget_is_told_beside_the_answers_own_headers() {
    let policy = policy(|policy| {
        policy["budgets"] = json!([{"name": "asks", "per": "account", "unit": "requests", "limit": 9, "window": "1h"}]);
        policy["responses"] = json!({"headers": ["provider", "ietf"]});
    });
    let weir = Weir::start(programs!(), &policy).await;
    for (api, name) in [
        (Api::OpenAi, "x-ratelimit-remaining-requests"),
        (Api::Anthropic, "anthropic-ratelimit-requests-remaining"),
    ] {
        for mut client in weir.clients() {
            let response = send(&mut client, ask(api, name)).await;

            assert!(response.header("content-type").is_some());
            assert!(response.header("x-request-id").is_some());
            let left: u32 = response.header(name).unwrap().parse().unwrap();
            assert!((7..=8).contains(&left), "{left}");
            let ietf = response.header("ratelimit").unwrap();
            assert!(ietf.contains(&format!("\"asks\";r={left}")), "{ietf}");
            response.json().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_refusal_of_geminis_api_is_in_its_words() {
    let weir = Weir::start(programs!(), &policy(|_| {})).await;
    let body = json!({"contents": [{"parts": [{"text": "hi"}]}],
        "tools": [{"functionDeclarations": [{"name": "run"}]}]});
    let request = Request::post_json("/v1beta/models/m-large:generateContent", &body);

    let refused = send(&mut weir.http2(), request.header("x-account-id", "a")).await;

    assert_eq!(refused.status(), 403);
    let error = refused.json().await.unwrap();
    assert_eq!(error["error"]["status"], "PERMISSION_DENIED");
    let decision = &weir.envoy.wait_for_decisions(1, PATIENCE).await.unwrap()[0];
    assert_eq!(
        (&decision["model"], &decision["endpoint"]),
        (&json!("m-large"), &json!("gemini.generate"))
    );
}
