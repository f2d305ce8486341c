//! Whole exchanges of callers whose facts come from the host's properties, their headers, or both.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what tests are built of fails as they do, by panicking"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use std::cell::RefCell;
use weir_engine::{
    evaluate::Body,
    exchange::Exchange,
    hash::HashKey,
    identity::{Attribute, Caller, Head, NoProperties, Properties},
    ledger::Ledger,
    policy::Policy,
    store::MemoryStore,
    time::Timestamp,
};

const KEY: HashKey = HashKey::new([7; 16]);
const SUB: &str = "metadata\0filter_metadata\0envoy.filters.http.jwt_authn\0payload\0sub";
const SUBJECT: &str = "connection\0subject_peer_certificate";

/// What a host knows, and everything that it was asked.
#[derive(Default)]
struct Host {
    known: Vec<(&'static str, Vec<u8>)>,
    asked: RefCell<Vec<String>>,
}

impl Host {
    fn knows(mut self, path: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.known.push((path, value.into()));
        self
    }

    fn asked(&self, path: &str) -> usize {
        self.asked
            .borrow()
            .iter()
            .filter(|asked| *asked == path)
            .count()
    }
}

impl Properties for Host {
    fn property(&self, path: &str) -> Option<Vec<u8>> {
        self.asked.borrow_mut().push(path.to_owned());
        let found = self.known.iter().find(|(known, _)| *known == path);
        found.map(|(_, value)| value.clone())
    }
}

fn policy(change: impl FnOnce(&mut Value)) -> Policy {
    let mut document = json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "test", "version": "7", "owner": "team"},
        "identity": {"account": [{"claim": {"path": "sub"}}, {"certificate": "subject"}, {"header": "x-account-id"}]},
        "tiers": [{"name": "everyone"}],
        "rollout": {"mode": "enforce"},
    });
    change(&mut document);
    let checked = Policy::check(document.to_string().as_bytes(), None);
    checked
        .policy
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-05-01T12:00:00Z").unwrap()
}

fn head(policy: &Policy, host: &dyn Properties, headers: &[(&str, &str)]) -> Head {
    let fixed: [(&[u8], &[u8]); 2] = [(b":method", b"POST"), (b":path", b"/v1/chat/completions")];
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    Head::read(policy, &KEY, fixed.into_iter().chain(headers), host, now())
}

fn caller(policy: &Policy, host: &dyn Properties, headers: &[(&str, &str)]) -> Option<Caller> {
    head(policy, host, headers).caller
}

fn account(host: &Host, headers: &[(&str, &str)]) -> Option<String> {
    Some(caller(&policy(|_| ()), host, headers)?.account)
}

#[test]
fn the_first_source_with_a_value_names_the_account() {
    let claim = Host::default()
        .knows(SUB, "a-17")
        .knows(SUBJECT, "CN=batch,O=Example");
    let certificate = Host::default().knows(SUBJECT, "CN=batch,O=Example");
    let empty = Host::default().knows(SUB, "").knows(SUBJECT, " ");
    let header = [("x-account-id", "h-1")];

    assert_eq!(account(&claim, &header).as_deref(), Some("a-17"));
    assert_eq!(
        account(&certificate, &header).as_deref(),
        Some("CN=batch,O=Example")
    );
    assert_eq!(account(&empty, &header).as_deref(), Some("h-1"));
    assert_eq!(account(&Host::default(), &[]), None);
}

#[test]
fn a_claim_that_cannot_be_read_is_not_made_up_for_by_a_header() {
    let header = [("x-account-id", "h-1")];

    for value in [&b"\xff\xfe"[..], b"a\0b", b"\x01\0\0\0\0\0\0\0", b"a\r\nb"] {
        let host = Host::default().knows(SUB, value);
        assert_eq!(account(&host, &header), None, "{value:?}");
    }
}

#[test]
fn contradicting_headers_name_nobody_and_no_later_source_is_asked() {
    let policy = policy(|document| {
        document["identity"]["account"] =
            json!([{"header": "x-account-id"}, {"claim": {"path": "sub"}}]);
    });
    let host = Host::default().knows(SUB, "a-17");

    let both = caller(
        &policy,
        &host,
        &[("x-account-id", "a"), ("x-account-id", "b")],
    );

    assert_eq!(both, None);
    assert_eq!(host.asked(SUB), 0);
}

#[test]
fn a_property_is_asked_for_once_however_many_facts_name_it_and_only_where_it_is_needed() {
    let claim = json!([{"claim": {"path": "sub"}}]);
    let policy = policy(|document| {
        let identity = &mut document["identity"];
        identity["account"] = json!([{"header": "x-account-id"}, {"claim": {"path": "sub"}}]);
        identity["plan"] = claim.clone();
        identity["organization"] = claim.clone();
        identity["verification"] =
            json!([{"header": "x-verification"}, {"certificate": "subject"}]);
        identity["address"] = json!([{"property": {"path": "source.address"}}]);
    });
    let host = Host::default().knows(SUB, "o-1");

    let caller = caller(
        &policy,
        &host,
        &[("x-account-id", "a"), ("x-verification", "phone")],
    )
    .unwrap();

    assert_eq!(
        (caller.plan.as_deref(), caller.organization.as_deref()),
        (Some("o-1"), Some("o-1"))
    );
    assert_eq!(host.asked(SUB), 1);
    assert_eq!(host.asked(SUBJECT), 0, "a header had the value");
    assert_eq!(
        host.asked("source\0address"),
        0,
        "nothing asks for the address"
    );
}

#[test]
fn a_property_that_is_missing_is_asked_for_once_too() {
    let policy =
        policy(|document| document["identity"]["plan"] = json!([{"claim": {"path": "sub"}}]));
    let host = Host::default();

    caller(&policy, &host, &[("x-account-id", "a")]);

    assert_eq!(host.asked(SUB), 1);
}

#[test]
fn a_policy_that_names_no_property_asks_for_none() {
    let policy = policy(|document| {
        document["identity"]["account"] = json!([{"header": "x-account-id"}, {"apiKey": {}}]);
        document["detection"] = json!({});
    });
    let host = Host::default();

    assert!(caller(&policy, &host, &[("x-account-id", "a")]).is_some());
    assert!(host.asked.borrow().is_empty());
}

#[test]
fn a_numeric_claim_is_an_account_where_the_policy_says_that_it_is_a_number() {
    let numeric = policy(|document| {
        document["identity"]["account"] = json!([{"claim": {"path": "sub", "type": "number"}}]);
        document["identity"]["created"] = json!([{"claim": {"path": "iat", "type": "number"}}]);
    });
    let iat = "metadata\0filter_metadata\0envoy.filters.http.jwt_authn\0payload\0iat";
    let host = Host::default()
        .knows(SUB, 123_456_789_f64.to_le_bytes())
        .knows(iat, 1_746_100_800_f64.to_le_bytes());

    let read = caller(&numeric, &host, &[]).unwrap();

    assert_eq!(read.account, "123456789");
    assert_eq!(
        read.created,
        Timestamp::parse_rfc3339("2025-05-01T12:00:00Z")
    );
    assert_eq!(
        account(&host, &[("x-account-id", "h-1")]),
        None,
        "as text it is unreadable"
    );
}

#[test]
fn trusted_hops_say_whose_address_counts_and_a_short_list_names_nobody() {
    let address = |hops: u32, list: &str| {
        let policy = policy(|document| {
            document["identity"]["trustedHops"] = json!(hops);
            document["tiers"] = json!([{"name": "office", "match": {"network": ["203.0.113.0/24"]}}, {"name": "everyone"}]);
        });
        caller(
            &policy,
            &NoProperties,
            &[("x-account-id", "a"), ("x-forwarded-for", list)],
        )
        .unwrap()
        .address
        .map(|address| address.to_string())
    };
    let list = "198.51.100.1, 203.0.113.7,192.0.2.9";

    assert_eq!(address(0, list).as_deref(), Some("192.0.2.9"));
    assert_eq!(address(1, list).as_deref(), Some("203.0.113.7"));
    assert_eq!(address(2, list).as_deref(), Some("198.51.100.1"));
    assert_eq!(address(3, list), None);
    assert_eq!(address(1, "203.0.113.7"), None);
    assert_eq!(address(0, "unknown"), None);
}

/// What one request of account `a-17` of `o-1` leaves as its decision.
fn decided(policy: &Policy, headers: &[(&str, &str)]) -> String {
    let fixed = [
        (":method", "POST"),
        (":path", "/v1/chat/completions"),
        ("x-account-id", "a-17"),
        ("x-org-id", "o-1"),
    ];
    let headers = fixed
        .iter()
        .chain(headers)
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let (mut ledger, mut store) = (Ledger::new(policy.layout()), MemoryStore::new());
    let mut exchange = Exchange::begin(policy, &KEY, headers, &NoProperties, now());
    let body = Body::Whole(br#"{"model": "secret-model", "messages": []}"#);
    exchange.decide(policy, &KEY, body, &mut ledger, &mut store);
    let finished = exchange.finish(policy, true, Some(200), now(), &mut ledger, &mut store);
    finished.unwrap().decision
}

fn private(document: &mut Value) {
    document["identity"]["organization"] = json!([{"header": "x-org-id"}]);
    document["privacy"] =
        json!({"accounts": "pseudonym", "organizations": "pseudonym", "models": "hidden"});
}

#[test]
fn a_decision_with_pseudonyms_tells_neither_account_nor_organization_nor_model() {
    let line = decided(&policy(private), &[]);

    let decision: Value = serde_json::from_str(&line).unwrap();
    for name in ["account", "organization"] {
        let told = decision[name].as_str().unwrap();
        assert!(told.starts_with("p-") && told.len() == 34, "{told}");
    }
    assert_ne!(decision["account"], decision["organization"]);
    assert_eq!(decision["model"], Value::Null);
    for secret in ["a-17", "o-1\"", "secret-model"] {
        assert!(!line.contains(secret), "{line}");
    }
}

#[test]
fn lists_and_tiers_go_by_the_real_account_where_decisions_tell_a_pseudonym() {
    let policy = policy(|document| {
        private(document);
        document["tiers"] =
            json!([{"name": "known", "match": {"account": ["a-17"]}}, {"name": "everyone"}]);
        document["lists"] = json!({"deny": [
            {"organization": "o-1", "owner": "t", "reason": "r", "expires": "2035-01-01T00:00:00Z"},
        ]});
    });

    let decision: Value = serde_json::from_str(&decided(&policy, &[])).unwrap();

    assert_eq!(decision["tier"], "known");
    assert_eq!(decision["rule"], "lists.deny[0]");
}

#[test]
fn an_attribute_chooses_the_tier() {
    let policy = policy(|document| {
        document["identity"]["attributes"] = json!({
            "region": {"sources": [{"header": "x-region"}]},
            "seats": {"sources": [{"header": "x-seats"}], "type": "number"},
        });
        document["tiers"] = json!([
            {"name": "large", "match": {"attributes": {"region": {"prefix": ["eu-"]}, "seats": {"atLeast": 100}}}},
            {"name": "everyone"},
        ]);
    });
    let tier = |headers: &[(&str, &str)]| {
        let decision: Value = serde_json::from_str(&decided(&policy, headers)).unwrap();
        decision["tier"].as_str().unwrap().to_owned()
    };

    assert_eq!(tier(&[("x-region", "eu-1"), ("x-seats", "100")]), "large");
    assert_eq!(
        tier(&[("x-region", "eu-1"), ("x-seats", "99.9")]),
        "everyone"
    );
    assert_eq!(
        tier(&[("x-region", "eu-1"), ("x-seats", "many")]),
        "everyone"
    );
    assert_eq!(tier(&[("x-seats", "100")]), "everyone");
    let twice = [("x-region", "eu-1"), ("x-seats", "100"), ("x-seats", "5")];
    assert_eq!(tier(&twice), "everyone", "a contradiction is no value");
}

struct Everywhere(Vec<u8>);

impl Properties for Everywhere {
    fn property(&self, _path: &str) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }
}

proptest! {
    #[test]
    fn hostile_property_bytes_neither_panic_nor_reach_a_decision_unreadable(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            any::<f64>().prop_map(|number| number.to_le_bytes().to_vec()),
            "\\PC{0,150}".prop_map(String::into_bytes),
        ],
    ) {
        let types = ["text", "number", "integer", "boolean", "time"];
        let property = |kind: &str| json!({"property": {"path": ["filter_state", "x"], "type": kind}});
        for kind in types {
            let policy = policy(|document| {
                let identity = &mut document["identity"];
                for fact in ["account", "organization", "plan", "verification", "payment", "address", "asn", "client"] {
                    identity[fact] = json!([property(kind)]);
                }
                identity["anonymous"] = json!("shared");
                identity["attributes"] = json!({"t": {"sources": [property(kind)]}});
                document["detection"] = json!({});
                document["tiers"] = json!([{"name": "t", "match": {"attributes": {"t": ["a"]}}}, {"name": "everyone"}]);
            });
            let caller = caller(&policy, &Everywhere(bytes.clone()), &[]).unwrap();
            let attribute = match &caller.attributes[..] {
                [Some(Attribute::Text(text))] => Some(text.as_str()),
                _ => None,
            };
            for text in [Some(caller.account.as_str()), caller.organization.as_deref(), attribute].into_iter().flatten() {
                prop_assert!(text.len() <= 128 && !text.chars().any(char::is_control), "{text:?}");
            }
        }
    }
}
