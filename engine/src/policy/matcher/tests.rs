use crate::{
    identity::{Attribute, Caller},
    policy::{
        Code,
        tests::{at, check, found, minimal},
    },
    time::Timestamp,
};
use alloc::{format, string::String, vec, vec::Vec};
use serde_json::{Value, json};

fn document(matcher: &Value) -> Value {
    let mut document = minimal();
    let source = json!([{"header": "x-fact"}]);
    document["identity"]["attributes"] = json!({
        "beta": {"sources": source, "type": "boolean"},
        "contract": {"sources": source, "type": "time"},
        "region": {"sources": source},
        "seats": {"sources": source, "type": "number"},
    });
    // Every attribute is asked for, so that only what the test is about is said.
    let all = json!({"beta": {"is": true}, "contract": {"minAge": "1d"}, "region": ["x"], "seats": {"atLeast": 1}});
    document["tiers"] = json!([
        {"name": "vetted", "match": matcher},
        {"name": "other", "match": {"attributes": all}},
        {"name": "everyone"},
    ]);
    document
}

fn errors(attributes: &Value) -> Vec<(Code, String)> {
    found(&document(&json!({"attributes": attributes})))
}

fn matches(matcher: &Value, caller: &Caller) -> bool {
    let checked = check(&document(matcher));
    let policy = checked
        .policy
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    let now = Timestamp::parse_rfc3339("2026-05-01T12:00:00Z").unwrap();
    policy.tiers[0].matcher.matches(caller, now)
}

/// Who has one attribute: 0 `beta`, 1 `contract`, 2 `region`, 3 `seats`.
fn with(index: usize, attribute: Attribute) -> Caller {
    let mut attributes = vec![None; 4];
    attributes[index] = Some(attribute);
    Caller {
        attributes,
        ..Caller::default()
    }
}

fn text(text: &str) -> Attribute {
    Attribute::Text(text.into())
}

fn time(text: &str) -> Attribute {
    Attribute::Time(Timestamp::parse_rfc3339(text).unwrap())
}

#[test]
fn an_attribute_matches_what_its_type_can_be_asked() {
    let years = |from, to| json!({"after": format!("{from}-01-01T00:00:00Z"), "before": format!("{to}-01-01T00:00:00Z")});
    for (name, condition, caller, expected) in [
        ("region", json!(["eu", "us"]), with(2, text("us")), true),
        ("region", json!(["eu", "us"]), with(2, text("us-1")), false),
        (
            "region",
            json!({"prefix": ["eu-", "us-"]}),
            with(2, text("us-1")),
            true,
        ),
        (
            "region",
            json!({"prefix": ["eu-"]}),
            with(2, text("us-1")),
            false,
        ),
        (
            "seats",
            json!({"atLeast": 5}),
            with(3, Attribute::Number(5.0)),
            true,
        ),
        (
            "seats",
            json!({"atLeast": 5, "atMost": 9.5}),
            with(3, Attribute::Number(10.0)),
            false,
        ),
        (
            "seats",
            json!({"atMost": 9}),
            with(3, Attribute::Number(-1.0)),
            true,
        ),
        (
            "beta",
            json!({"is": true}),
            with(0, Attribute::Boolean(true)),
            true,
        ),
        (
            "beta",
            json!({"is": false}),
            with(0, Attribute::Boolean(true)),
            false,
        ),
        (
            "contract",
            years(2025, 2027),
            with(1, time("2026-01-01T00:00:00Z")),
            true,
        ),
        (
            "contract",
            years(2025, 2027),
            with(1, time("2027-01-01T00:00:00Z")),
            false,
        ),
        (
            "contract",
            years(2025, 2027),
            with(1, time("2025-01-01T00:00:00Z")),
            false,
        ),
        (
            "contract",
            json!({"minAge": "30d"}),
            with(1, time("2026-04-01T12:00:00Z")),
            true,
        ),
        (
            "contract",
            json!({"minAge": "30d"}),
            with(1, time("2026-04-01T12:00:01Z")),
            false,
        ),
        (
            "contract",
            json!({"minAge": "30d"}),
            with(1, time("2030-01-01T00:00:00Z")),
            false,
        ),
    ] {
        let matcher = json!({"attributes": {name: condition}});
        assert_eq!(
            matches(&matcher, &caller),
            expected,
            "{condition} {caller:?}"
        );
    }
}

#[test]
fn who_lacks_an_attribute_matches_nothing_that_asks_for_it() {
    for condition in [
        json!({"region": {"prefix": ["x"]}}),
        json!({"seats": {"atMost": 1e300}}),
        json!({"beta": {"is": false}}),
        json!({"contract": {"minAge": "0s"}}),
    ] {
        let nobody = Caller::default();
        assert!(
            !matches(&json!({"attributes": condition}), &nobody),
            "{condition}"
        );
    }
}

#[test]
fn a_network_matches_the_address_and_nobody_without_one() {
    let matcher = json!({"network": ["203.0.113.0/24", "2001:db8::/32"]});
    let from = |address: &str| Caller {
        address: address.parse().ok(),
        ..Caller::default()
    };

    assert!(matches(&matcher, &from("203.0.113.9")));
    assert!(matches(&matcher, &from("2001:db8::9")));
    assert!(!matches(&matcher, &from("203.0.114.9")));
    assert!(!matches(&matcher, &Caller::default()));
}

#[test]
fn a_condition_of_another_type_says_what_to_write() {
    for (name, condition) in [
        ("region", json!({"atLeast": 5})),
        ("region", json!({})),
        ("seats", json!(["5"])),
        ("seats", json!({"atLeast": 5, "is": true})),
        ("beta", json!(["true"])),
        ("beta", json!({"prefix": ["t"]})),
        ("contract", json!({"atLeast": 5})),
    ] {
        let path = format!("tiers[0].match.attributes.{name}");
        let expected = [at(Code::WrongCondition, &path)];
        assert_eq!(errors(&json!({name: condition})), expected, "{condition}");
    }
}

#[test]
fn what_is_not_declared_or_cannot_be_met_is_an_error() {
    let at = |code, path: &str| at(code, &format!("tiers[0].match.{path}"));
    assert_eq!(
        errors(&json!({"regiom": ["eu"]})),
        [at(Code::UnknownAttribute, "attributes.regiom")]
    );
    assert_eq!(
        errors(&json!({"seats": {"atLeast": 5, "atMost": 4}})),
        [at(Code::ImpossibleCondition, "attributes.seats")]
    );
    let never = json!({"after": "2027-01-01T00:00:00Z", "before": "2027-01-01T00:00:00Z"});
    assert_eq!(
        errors(&json!({"contract": never})),
        [at(Code::ImpossibleCondition, "attributes.contract")]
    );
    assert_eq!(
        errors(&json!({"contract": {"after": "yesterday", "minAge": "old"}})),
        [
            at(Code::BadTime, "attributes.contract.after"),
            at(Code::BadDuration, "attributes.contract.minAge"),
        ]
    );
    assert_eq!(
        errors(&json!({"region": []})),
        [at(Code::OutOfRange, "attributes.region")]
    );
    assert_eq!(
        errors(&json!({"region": {"prefix": ["eu", ""]}})),
        [at(Code::OutOfRange, "attributes.region.prefix")]
    );
    let networks = json!({"network": ["203.0.113.7/24", "10.0.0.0/8", "example"]});
    assert_eq!(
        found(&document(&networks)),
        [
            at(Code::BadNetwork, "network[0]"),
            at(Code::BadNetwork, "network[2]"),
        ]
    );
}

#[test]
fn problems_of_form_have_their_path() {
    let at = |code, path: &str| at(code, &format!("tiers[0].match.attributes.{path}"));
    let mut found = errors(
        &json!({"region": ["eu", 7], "seats": {"atLeest": 5}, "beta": {"is": "yes"}, "contract": 5}),
    );

    // In whatever order the keys of the document are read.
    found.sort_by(|one, other| one.1.cmp(&other.1));
    assert_eq!(
        found,
        [
            at(Code::WrongValue, "beta.is"),
            at(Code::WrongValue, "contract"),
            at(Code::WrongValue, "region[1]"),
            at(Code::UnknownKey, "seats.atLeest"),
        ]
    );
}

#[test]
fn an_attribute_that_no_tier_asks_for_is_warned_of() {
    let mut document = minimal();
    document["identity"]["attributes"] = json!({"region": {"sources": [{"header": "x-region"}]}});

    let checked = check(&document);

    assert!(checked.policy.is_some());
    assert_eq!(
        found(&document),
        [at(Code::UnusedAttribute, "identity.attributes.region")]
    );
}
