use crate::policy::{Checked, Code, Document, Policy};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde_json::{Value, json};

const SECRET: &str = "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIGl0Lg==";
const PUBLIC: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// A policy with a full section, after a change of it.
fn document(change: impl FnOnce(&mut Value)) -> Value {
    let mut section = json!({
        "levels": ["email", "phone", "document"],
        "url": "https://verify.example.com/start?from=api",
        "grace": "72h",
        "suspected": "document",
        "thresholds": [
            {"name": "volume", "tiers": ["everyone"], "unit": "requests", "above": 2000, "window": "7d", "level": "phone"},
        ],
        "attestation": {
            "audience": "api.example.com",
            "clockSkew": "60s",
            "maxAge": "24h",
            "keys": [
                {"id": "k1", "hmacSha256": SECRET, "notBefore": "2026-01-01T00:00:00Z", "notAfter": "2027-01-01T00:00:00Z"},
                {"id": "k2", "ed25519": PUBLIC},
            ],
        },
    });
    change(&mut section);
    json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "p", "version": "1", "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "tiers": [{"name": "everyone"}],
        "verification": section,
        "rollout": {"mode": "enforce"},
    })
}

fn check(document: &Value) -> Checked {
    Policy::check(document.to_string().as_bytes(), None)
}

fn found(change: impl FnOnce(&mut Value)) -> Vec<(Code, String)> {
    let found = check(&document(change)).diagnostics;
    found.iter().map(|d| (d.code, d.path.clone())).collect()
}

/// The one problem after a change of the section.
fn problem(change: impl FnOnce(&mut Value)) -> (Code, String) {
    let found = found(change);
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

fn at(code: Code, path: &str) -> (Code, String) {
    (code, format!("verification.{path}"))
}

#[test]
fn a_full_section_is_accepted_without_a_word() {
    let checked = check(&document(|_| {}));

    assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
    let policy = checked.policy.unwrap();
    assert_eq!(policy.verification.level("document"), Some(2));
    assert_eq!(policy.verification.suspected, Some(2));
    assert_eq!(
        policy.verification.header.as_deref(),
        Some("x-weir-attestation")
    );
}

#[test]
fn what_needs_levels_says_once_that_there_are_none() {
    let found = found(|section| drop(section.as_object_mut().unwrap().remove("levels")));

    assert_eq!(found, [at(Code::NoLevels, "levels")]);
}

#[test]
fn all_problems_are_told_at_once() {
    let found = found(|section| {
        section["levels"] = json!(["email", "email", "a b"]);
        section["url"] = json!("http://verify.example.com");
        section["grace"] = json!("soon");
        section["suspected"] = json!("passport");
        section["thresholds"] = json!([
            {},
            {"name": "x", "tiers": ["gold", "everyone"], "unit": "concurrency", "above": 4_294_967_295_u64, "window": "367d", "level": "passport"},
            {"name": "x", "tiers": [], "unit": "tokens", "above": 0, "window": "1h", "level": "email"},
        ]);
        section["attestation"] =
            json!({"header": "authorization", "clockSkew": "11m", "maxAge": "32d", "keys": []});
    });

    let threshold = |index: usize, code, key: &str| at(code, &format!("thresholds[{index}].{key}"));
    let expected = [
        at(Code::DuplicateName, "levels[1]"),
        at(Code::BadName, "levels[2]"),
        at(Code::BadUrl, "url"),
        at(Code::UnknownLevel, "suspected"),
        at(Code::BadDuration, "grace"),
        threshold(0, Code::MissingKey, "name"),
        threshold(0, Code::MissingKey, "unit"),
        threshold(0, Code::MissingKey, "above"),
        threshold(0, Code::MissingKey, "window"),
        threshold(0, Code::MissingKey, "level"),
        threshold(1, Code::UnknownTier, "tiers[0]"),
        threshold(1, Code::WrongValue, "unit"),
        threshold(1, Code::OutOfRange, "above"),
        threshold(1, Code::OutOfRange, "window"),
        threshold(1, Code::UnknownLevel, "level"),
        threshold(2, Code::DuplicateName, "name"),
        threshold(2, Code::OutOfRange, "tiers"),
        at(Code::CredentialSource, "attestation.header"),
        at(Code::MissingKey, "attestation.audience"),
        at(Code::OutOfRange, "attestation.clockSkew"),
        at(Code::OutOfRange, "attestation.maxAge"),
        at(Code::MissingKey, "attestation.keys"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn callers_are_sent_to_https_or_to_this_machine() {
    for good in [
        "https://verify.example.com",
        "https://verify.example.com:8443/a?b=c#d",
        "http://localhost:8080/x",
        "http://127.0.0.1",
        "http://[::1]:9/x",
    ] {
        assert_eq!(found(|section| section["url"] = json!(good)), [], "{good}");
    }
    for bad in [
        "",
        "verify.example.com",
        "https://",
        "https:///path",
        "https://:443/",
        "https://user:password@verify.example.com/",
        "http://localhost.example.com/",
        "http://verify.example.com/",
        "javascript:alert(1)",
        "https://verify.example.com/a b",
        "https://verify.example.com/\r\nx-injected: 1",
        "https://verify.example.com/\"><script>",
        "https://verify.example.com/ü",
    ] {
        let problem = problem(|section| section["url"] = json!(bad));
        assert_eq!(problem, at(Code::BadUrl, "url"), "{bad}");
    }
}

#[test]
fn the_header_is_a_name_and_none_that_a_request_needs() {
    for bad in [
        "",
        "X-Attestation",
        "x attestation",
        ":path",
        "content-length",
        "host",
    ] {
        let problem = problem(|section| section["attestation"]["header"] = json!(bad));
        assert_eq!(problem, at(Code::BadName, "attestation.header"), "{bad}");
    }
    for bad in ["authorization", "cookie", "x-api-key"] {
        let problem = problem(|section| section["attestation"]["header"] = json!(bad));
        assert_eq!(
            problem,
            at(Code::CredentialSource, "attestation.header"),
            "{bad}"
        );
    }
}

#[test]
fn a_state_that_asks_for_verification_needs_the_level_that_clears() {
    let mut document =
        document(|section| drop(section.as_object_mut().unwrap().remove("suspected")));
    document["detection"] = json!({});
    document["responses"] =
        json!({"states": {"step_up": "verify", "restrict": "throttle", "block": "verify"}});

    let found: Vec<_> = check(&document)
        .diagnostics
        .iter()
        .map(|d| (d.code, d.path.clone()))
        .collect();

    let expected = ["step_up", "block"]
        .map(|state| (Code::NoSuspectedLevel, format!("responses.states.{state}")));
    assert_eq!(found, expected);
}

#[test]
fn a_crossing_has_to_be_remembered_until_its_grace_is_over() {
    let problem = problem(|section| {
        section["grace"] = json!("340d");
    });

    assert_eq!(problem, at(Code::OutOfRange, "thresholds[0].window"));
}

#[test]
fn an_account_never_needs_more_records_than_a_bucket_has() {
    let threshold = |index: usize| json!({"name": format!("t{index}"), "unit": "requests", "above": 1, "window": "1d", "level": "email"});

    let most = found(|section| section["thresholds"] = (0..8).map(threshold).collect());
    let more = problem(|section| section["thresholds"] = (0..9).map(threshold).collect());

    assert_eq!(most, []);
    assert_eq!(more, at(Code::TooMany, "thresholds"));
}

#[test]
fn the_memory_of_a_crossing_outlives_the_grace_by_the_window_and_a_slot() {
    use crate::policy::verification::memory;
    use core::time::Duration;

    for (window, grace) in [(1, 1_000_000), (3600, 259_200), (604_800, 259_200), (60, 0)] {
        let (window, grace) = (Duration::from_secs(window), Duration::from_secs(grace));
        let memory = memory(window, grace);

        assert!(memory >= window + grace);
        // Fifteen of sixteen sub-windows: the least age of the oldest of marks that follow each other.
        assert!(
            memory * 15 / 16 + Duration::from_nanos(15) >= grace,
            "{memory:?}"
        );
    }
}

#[test]
fn unusable_keys_are_refused_for_what_they_are() {
    let short = "dG9vIHNob3J0";
    let unpadded = SECRET.trim_end_matches('=');
    let zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let one = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let no_point = "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (key, bad) in [
        ("hmacSha256", short),
        ("hmacSha256", unpadded),
        ("hmacSha256", ""),
        (
            "hmacSha256",
            "not base64 at all, but long enough for a secret",
        ),
        ("ed25519", short),
        ("ed25519", SECRET),
        ("ed25519", zero),
        ("ed25519", one),
        ("ed25519", no_point),
    ] {
        let problem =
            problem(|section| section["attestation"]["keys"] = json!([{"id": "k", key: bad}]));
        assert_eq!(
            problem,
            at(Code::BadKey, &format!("attestation.keys[0].{key}")),
            "{bad}"
        );
    }
}

#[test]
fn a_key_has_an_id_of_its_own_one_algorithm_and_a_time() {
    let found = found(|section| {
        section["attestation"]["keys"] = json!([
            {"id": "k", "ed25519": PUBLIC, "hmacSha256": SECRET},
            {"id": "k"},
            {"ed25519": PUBLIC, "notBefore": "yesterday"},
            {"id": "not an id", "ed25519": PUBLIC, "notBefore": "2027-01-01T00:00:00Z", "notAfter": "2027-01-01T00:00:00Z"},
        ]);
    });

    let key = |index: usize, code, key: &str| at(code, &format!("attestation.keys[{index}]{key}"));
    let expected = [
        key(0, Code::BadKey, ""),
        key(1, Code::DuplicateName, ".id"),
        key(1, Code::BadKey, ""),
        key(2, Code::MissingKey, ".id"),
        key(2, Code::BadTime, ".notBefore"),
        key(3, Code::BadName, ".id"),
        key(3, Code::OutOfRange, ".notAfter"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_key_whose_time_is_over_is_warned_of() {
    let now = crate::time::Timestamp::parse_rfc3339("2027-01-01T00:00:00Z");

    let checked = Policy::check(document(|_| {}).to_string().as_bytes(), now);

    assert!(checked.policy.is_some());
    let found: Vec<_> = checked
        .diagnostics
        .iter()
        .map(|d| (d.code, d.path.clone()))
        .collect();
    assert_eq!(found, [at(Code::ExpiredKey, "attestation.keys[0]")]);
}

#[test]
fn nothing_that_is_ever_printed_holds_a_key() {
    const MARK: &str = "S3cretS3cretS3cretS3cretS3cretS3cretS3cretS3c=";
    let wrong: [fn(&mut Value); 13] = [
        |section| section["attestation"]["keys"][0]["hmacSha256"] = json!(MARK),
        |section| section["attestation"]["keys"][0]["hmacSha256"] = json!({MARK: MARK}),
        |section| section["attestation"]["keys"][0]["hmacSha256"] = json!([MARK]),
        |section| section["attestation"]["keys"][0]["hmac"] = json!(MARK),
        |section| section["attestation"]["keys"][0]["ed25519"] = json!(MARK),
        |section| section["attestation"]["keys"][0]["id"] = json!(MARK),
        |section| section["attestation"]["keys"][0]["id"] = json!([MARK]),
        |section| section["attestation"]["keys"][0]["notAfter"] = json!(MARK),
        |section| section["attestation"]["keys"][0]["notAfter"] = json!({"x": MARK}),
        |section| section["attestation"]["keys"][0] = json!(MARK),
        |section| section["attestation"]["keys"] = json!(MARK),
        |section| section["attestation"]["keys"] = json!({"hmacSha256": MARK}),
        |section| section["attestation"] = json!(MARK),
    ];
    for (index, change) in wrong.into_iter().enumerate() {
        let checked = check(&document(change));
        assert!(checked.policy.is_none(), "{index}");
        let printed = format!("{:?}", checked.diagnostics);
        assert!(!printed.contains("S3cret"), "{index}: {printed}");
    }

    let right = document(|section| section["attestation"]["keys"][0]["id"] = json!("k0"));
    let read: Document = serde_json::from_value(right.clone()).unwrap();
    let printed = format!("{read:?} {:?}", check(&right).policy.unwrap());
    assert!(printed.contains("k0"));
    let bytes = "84, 104, 101, 32, 113";
    assert!(
        !printed.contains(SECRET.split_at(8).0) && !printed.contains(bytes),
        "{printed}"
    );
}
