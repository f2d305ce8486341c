//! Attestations: what is accepted was signed by a key of the policy and says what it has to.
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;
use weir_engine::attestation::AttestationError;
use weir_engine::hash::HashKey;
use weir_engine::identity::{Head, NoProperties};
use weir_engine::policy::Policy;
use weir_engine::time::Timestamp;

const SECRET: [u8; 32] = *b"a secret of thirty-two bytes, no";
const AUDIENCE: &str = "api.example.com";
const ACCOUNT: &str = "account-1";
const LEVELS: [&str; 2] = ["email", "organization"];
/// Seconds since the epoch.
const NOW: u64 = 1_777_000_000;
const SKEW: u64 = 60;
const MAX_AGE: u64 = 3600;

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let public = Base64::encode_string(signing_key().verifying_key().as_bytes());
    let document = json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "fuzz", "version": "1", "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "tiers": [{"name": "basic"}],
        "verification": {
            "levels": LEVELS,
            "attestation": {
                "audience": AUDIENCE,
                "clockSkew": format!("{SKEW}s"),
                "maxAge": format!("{MAX_AGE}s"),
                "keys": [
                    {"id": "shared", "hmacSha256": Base64::encode_string(&SECRET)},
                    {"id": "public", "ed25519": public},
                ],
            },
        },
        "rollout": {"mode": "enforce"},
    });
    let checked = Policy::check(document.to_string().as_bytes(), None);
    checked
        .policy
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
});

fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// A token as it came, or a header and claims to be signed, by the first byte.
pub fn run(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else {
        return;
    };
    match how % 3 {
        0 => check(rest),
        1 => {
            let mut parts = rest.splitn(2, |&byte| byte == b'\n');
            let header = parts.next().unwrap_or_default();
            let claims = parts.next().unwrap_or_default();
            check(signed_shared(header, claims).as_bytes());
        }
        _ => {
            let mut token = valid_public().into_bytes();
            for change in rest.chunks_exact(3) {
                if let [high, low, byte] = *change {
                    let at = usize::from(u16::from_be_bytes([high, low])) % token.len();
                    if let Some(place) = token.get_mut(at) {
                        *place = byte;
                    }
                }
            }
            check(&token);
        }
    }
}

/// What the engine makes of a token.
pub(crate) fn attested(token: &[u8]) -> Option<Result<usize, AttestationError>> {
    let headers: [(&[u8], &[u8]); 4] = [
        (b":method", b"POST"),
        (b":path", b"/v1/messages"),
        (b"x-account-id", ACCOUNT.as_bytes()),
        (b"x-weir-attestation", token),
    ];
    let now = Timestamp::from_unix_nanos(NOW.saturating_mul(1_000_000_000));
    Head::read(
        &POLICY,
        &HashKey::new([1; 16]),
        headers.into_iter(),
        &NoProperties,
        now,
    )
    .attestation
}

fn check(token: &[u8]) {
    let Some(Ok(level)) = attested(token) else {
        return;
    };
    let token = std::str::from_utf8(token).expect("an accepted token is text");
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("an accepted token has three parts");
    };
    let header = object(header);
    match (header["alg"].as_str(), header["kid"].as_str()) {
        (Some("HS256"), Some("shared")) => {
            let (signed, _) = token.rsplit_once('.').unwrap_or_default();
            assert_eq!(signature, encoded(&hmac(signed.as_bytes())));
        }
        // Nobody but the key's owner signs with it, and a signature has one form.
        (Some("EdDSA"), Some("public")) => assert_eq!(token, valid_public()),
        other => panic!("accepted {other:?}"),
    }
    let claims = object(payload);
    let audience = &claims["aud"];
    let is_ours = audience == AUDIENCE
        || audience
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one == AUDIENCE));
    let seconds = |name: &str| claims[name].as_f64().expect("a time is a number");
    let (now, skew) = (1_777_000_000.0, 60.0);
    assert!(is_ours && claims["sub"] == ACCOUNT && header.get("crit").is_none());
    assert!(seconds("exp") + skew > now && seconds("iat") - skew < now + 1.0);
    assert!(seconds("exp") - seconds("iat") < 3601.0);
    assert_eq!(LEVELS.get(level).copied(), claims["weir_level"].as_str());
}

fn object(part: &str) -> Value {
    let text = Base64UrlUnpadded::decode_vec(part).expect("an accepted part is base64url");
    serde_json::from_slice(&text).expect("an accepted part is JSON")
}

fn encoded(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// A token of these bytes, signed with the shared secret.
pub(crate) fn signed_shared(header: &[u8], claims: &[u8]) -> String {
    let text = format!("{}.{}", encoded(header), encoded(claims));
    let signature = encoded(&hmac(text.as_bytes()));
    format!("{text}.{signature}")
}

/// A token that is accepted, signed with the key of which the policy has the public part.
pub(crate) fn valid_public() -> String {
    let header = json!({"alg": "EdDSA", "kid": "public"}).to_string();
    let text = format!(
        "{}.{}",
        encoded(header.as_bytes()),
        encoded(valid_claims().as_bytes())
    );
    let signature = signing_key().sign(text.as_bytes());
    format!("{text}.{}", encoded(&signature.to_bytes()))
}

/// Claims that are accepted.
pub(crate) fn valid_claims() -> String {
    json!({
        "sub": ACCOUNT, "aud": AUDIENCE, "iat": NOW, "exp": NOW.saturating_add(600), "weir_level": "organization",
    })
    .to_string()
}

/// HMAC with SHA-256 (RFC 2104), apart from the engine's own.
fn hmac(message: &[u8]) -> [u8; 32] {
    let mut key = [0; 64];
    for (place, byte) in key.iter_mut().zip(SECRET) {
        *place = byte;
    }
    let inner = Sha256::new()
        .chain_update(key.map(|byte| byte ^ 0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(key.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}
