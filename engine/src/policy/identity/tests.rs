use super::Source;
use crate::policy::{
    Checked, Code,
    tests::{at, check, found, minimal},
};
use alloc::{format, string::ToString, vec, vec::Vec};
use serde_json::{Value, json};

fn with(identity: &Value) -> Value {
    let mut document = minimal();
    for (key, value) in identity.as_object().into_iter().flatten() {
        document["identity"][key] = value.clone();
    }
    document
}

fn compiled(identity: &Value) -> super::Identity {
    let Checked {
        policy,
        diagnostics,
    } = check(&with(identity));
    policy
        .map(|policy| policy.identity)
        .unwrap_or_else(|| panic!("{diagnostics:?}"))
}

#[test]
fn every_source_is_a_path_of_envoys_and_each_path_stands_once() {
    let identity = compiled(&json!({
        "account": [
            {"claim": {"path": "sub"}},
            {"certificate": "uri_san"},
            {"property": {"path": ["connection", "uri_san_peer_certificate"]}},
        ],
        "organization": [{"claim": {"path": ["https://example.com/org", "id"], "payload": "jwt"}}],
        "created": [{"claim": {"path": "iat", "type": "number"}}],
        "plan": [{"claim": {"path": "sub"}}, {"certificate": "sha256"}],
        "address": [{"property": {"path": "source.address"}}],
        "verification": [{"certificate": "subject"}, {"certificate": "dns_san"}],
    }));

    let claims = "metadata\0filter_metadata\0envoy.filters.http.jwt_authn\0";
    assert_eq!(
        identity.properties,
        [
            format!("{claims}payload\0sub"),
            "connection\0uri_san_peer_certificate".to_string(),
            format!("{claims}jwt\0https://example.com/org\0id"),
            format!("{claims}payload\0iat"),
            "connection\0subject_peer_certificate".to_string(),
            "connection\0dns_san_peer_certificate".to_string(),
            "connection\0sha256_peer_certificate_digest".to_string(),
            "source\0address".to_string(),
        ]
    );
    let first_plan = identity
        .sources
        .iter()
        .flatten()
        .filter(|source| matches!(source, Source::Property { index: 0, .. }));
    assert_eq!(first_plan.count(), 2, "the account's and the plan's");
}

#[test]
fn a_policy_without_such_sources_names_no_property() {
    assert!(compiled(&json!({})).properties.is_empty());
}

#[test]
fn a_path_at_which_nothing_can_be_is_an_error() {
    let long = "x".repeat(257);
    let document = with(&json!({
        "account": [{"property": {"path": ""}}],
        "organization": [{"property": {"path": []}}],
        "plan": [{"claim": {"path": "a..b"}}],
        "created": [{"claim": {"path": "iat", "payload": "", "type": "number"}}],
        "payment": [{"property": {"path": ["a\u{0}b"]}}],
        "asn": [{"property": {"path": [long]}}],
        "client": [{"property": {"path": "response.code"}}],
        "verification": [{"property": {"path": vec!["a"; 17]}}],
    }));

    assert_eq!(
        found(&document),
        [
            at(Code::BadPath, "identity.account[0].property.path"),
            at(Code::BadPath, "identity.organization[0].property.path"),
            at(Code::BadPath, "identity.created[0].claim.payload"),
            at(Code::BadPath, "identity.verification[0].property.path"),
            at(Code::BadPath, "identity.plan[0].claim.path"),
            at(Code::BadPath, "identity.payment[0].property.path"),
            at(Code::BadPath, "identity.asn[0].property.path"),
            at(Code::BadPath, "identity.client[0].property.path"),
        ]
    );
}

#[test]
fn a_credential_is_no_identity_by_the_way_of_a_property_either() {
    let document = with(&json!({
        "account": [{"property": {"path": ["request", "headers", "Authorization"]}}],
    }));

    let expected = [at(
        Code::CredentialSource,
        "identity.account[0].property.path",
    )];
    assert_eq!(found(&document), expected);
}

#[test]
fn a_type_that_the_value_or_the_fact_cannot_have_is_an_error() {
    let number = |name: &str| json!({"property": {"path": ["metadata", "filter_metadata", "f", name], "type": "number"}});
    let document = with(&json!({
        "account": [
            {"claim": {"path": "n", "type": "integer"}},
            {"property": {"path": "connection.id", "type": "number"}},
            number("id"),
        ],
        "created": [{"claim": {"path": "flag", "type": "boolean"}}],
        "attributes": {
            "beta": {"sources": [number("beta")], "type": "boolean"},
            "seats": {"sources": [number("seats"), {"claim": {"path": "s", "type": "boolean"}}], "type": "number"},
        },
    }));

    let found = found(&document);

    for path in [
        "identity.account[0].claim.type",
        "identity.account[1].property.type",
        "identity.created[0].claim.type",
        "identity.attributes.beta.sources[0].property.type",
        "identity.attributes.seats.sources[1].claim.type",
    ] {
        assert!(
            found.contains(&at(Code::WrongType, path)),
            "{path}: {found:?}"
        );
    }
    let wrong = found.iter().filter(|(code, _)| *code == Code::WrongType);
    assert_eq!(wrong.count(), 5);
}

#[test]
fn problems_of_form_name_the_source() {
    let document = with(&json!({
        "account": [{"claim": {"path": 7}}, {"certificate": "issuer"}, {"claim": {}}, {"header": "x-a"}],
        "plan": [{"property": {"path": "a.b", "kind": "number"}}, {"property": {"path": ["a", 7]}}],
    }));

    assert_eq!(
        found(&document),
        [
            at(Code::WrongValue, "identity.account[0].claim.path"),
            at(Code::WrongValue, "identity.account[1].certificate"),
            at(Code::MissingKey, "identity.account[2].claim"),
            at(Code::UnknownKey, "identity.plan[0].property.kind"),
            at(Code::WrongValue, "identity.plan[1].property.path[1]"),
        ]
    );
}

#[test]
fn trusted_hops_have_a_bound_and_need_a_list() {
    for (hops, expected) in [
        (json!(32), None),
        (json!(33), Some(Code::OutOfRange)),
        (json!(999_999_999), Some(Code::OutOfRange)),
        (json!(-1), Some(Code::WrongValue)),
        (json!(99_999_999_999_u64), Some(Code::WrongValue)),
    ] {
        let found = found(&with(&json!({"trustedHops": hops})));
        let expected = expected.map(|code| at(code, "identity.trustedHops"));
        assert_eq!(found, Vec::from_iter(expected), "{hops}");
    }
    let address = json!([{"property": {"path": "source.address"}}]);
    let idle = found(&with(&json!({"trustedHops": 1, "address": address})));
    assert_eq!(idle, [at(Code::IdleHops, "identity.trustedHops")]);
}

#[test]
fn attributes_have_names_sources_and_a_bound() {
    let mut many = json!({});
    for index in 0..33 {
        many[format!("a{index}")] = json!({"sources": [{"header": "x-a"}]});
    }
    let errors = |attributes: &Value| -> Vec<_> {
        let found = found(&with(&json!({"attributes": attributes})));
        let unused = |(code, _): &(Code, _)| *code == Code::UnusedAttribute;
        found.into_iter().filter(|entry| !unused(entry)).collect()
    };

    assert_eq!(errors(&many), [at(Code::TooMany, "identity.attributes")]);
    assert_eq!(
        errors(&json!({"a b": {"sources": [{"header": "X"}]}, "region": {}})),
        [
            at(Code::BadName, "identity.attributes.a b"),
            at(Code::BadName, "identity.attributes.a b.sources[0].header"),
            at(Code::MissingKey, "identity.attributes.region.sources"),
        ]
    );
}
