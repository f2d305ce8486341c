use super::*;
use alloc::{string::ToString, vec};
use serde_json::{Value, json};

pub(super) fn minimal() -> Value {
    json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "p", "version": "1", "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "tiers": [{"name": "everyone"}],
        "rollout": {"mode": "enforce"},
    })
}

pub(super) fn check(document: &Value) -> Checked {
    Policy::check(document.to_string().as_bytes(), None)
}

pub(super) fn found(document: &Value) -> Vec<(Code, String)> {
    check(document)
        .diagnostics
        .iter()
        .map(|d| (d.code, d.path.clone()))
        .collect()
}

pub(super) fn at(code: Code, path: &str) -> (Code, String) {
    (code, path.to_string())
}

#[test]
fn the_smallest_policy_is_accepted_without_a_word() {
    let checked = check(&minimal());

    assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
    assert_eq!(checked.policy.map(|policy| policy.mode()), Some("enforce"));
}

#[test]
fn an_empty_document_names_everything_that_is_missing() {
    let missing = |path| at(Code::MissingKey, path);

    let expected = vec![
        missing("apiVersion"),
        missing("kind"),
        missing("metadata.name"),
        missing("metadata.version"),
        missing("metadata.owner"),
        missing("identity"),
        missing("tiers"),
        missing("rollout.mode"),
    ];

    assert_eq!(found(&json!({})), expected);
}

#[test]
fn problems_of_form_and_of_meaning_are_reported_together_with_paths_of_the_original() {
    let mut document = minimal();
    document["tierz"] = json!([]);
    document["budgets"] = json!([
        {"name": "ok", "per": "account", "unit": "requests", "limit": 5, "window": "1h"},
        {"name": "typo", "per": "account", "unit": "requests", "limitt": 5, "limit": 1, "window": "1h"},
        "not a budget",
        {"name": "zero", "per": "account", "unit": "request", "limit": 0, "window": "1 fortnight"},
    ]);
    document["capabilities"] =
        json!({"tools": {"anyOf": [{"toolz": {}}, {"tools": {"atLeast": 0}}, {"tools": {}}]}});

    let found = found(&document);

    for expected in [
        at(Code::UnknownKey, "tierz"),
        at(Code::UnknownKey, "budgets[1].limitt"),
        at(Code::WrongValue, "budgets[2]"),
        at(Code::WrongValue, "budgets[3].unit"),
        at(Code::OutOfRange, "budgets[3].limit"),
        at(Code::BadDuration, "budgets[3].window"),
        at(
            Code::OutOfRange,
            "capabilities.tools.anyOf[1].tools.atLeast",
        ),
        at(Code::MissingKey, "capabilities.tools.anyOf[2].tools"),
    ] {
        assert!(found.contains(&expected), "{expected:?} not in {found:#?}");
    }
    assert_eq!(
        found.len(),
        9,
        "nothing is reported twice or as a consequence of another: {found:#?}"
    );
}

#[test]
fn a_refused_document_yields_no_policy() {
    let mut document = minimal();
    document["tiers"] = json!([{"name": "a", "match": {"plan": ["x"]}}]);

    let checked = check(&document);

    assert!(checked.policy.is_none());
    assert_eq!(found(&document), [at(Code::NoCatchAllTier, "tiers")]);
}

#[test]
fn names_that_do_not_exist_and_names_given_twice_are_errors() {
    let mut document = minimal();
    document["tiers"] = json!([{"name": "a", "match": {"plan": ["x"]}, "grants": ["fly"]}, {"name": "a"}, {"name": "b"}]);
    document["budgets"] = json!([{"name": "n", "per": "account", "unit": "tokens", "limit": 1, "window": "1s", "tiers": ["c"]}]);

    let expected = [
        at(Code::UnknownCapability, "tiers[0].grants[0]"),
        at(Code::DuplicateName, "tiers[1].name"),
        at(Code::UnreachableTier, "tiers[2]"),
        at(Code::UnknownTier, "budgets[0].tiers[0]"),
    ];

    assert_eq!(found(&document), expected);
}

#[test]
fn an_unreachable_tier_is_a_warning_that_refuses_nothing() {
    let mut document = minimal();
    document["tiers"] = json!([{"name": "a"}, {"name": "b"}]);

    let checked = check(&document);

    assert!(checked.policy.is_some());
    assert_eq!(
        checked
            .diagnostics
            .iter()
            .map(|d| d.severity)
            .collect::<Vec<_>>(),
        [Severity::Warning]
    );
}

#[test]
fn a_list_entry_says_who_why_and_until_when() {
    let mut document = minimal();
    document["lists"] = json!({"deny": [{"account": "a", "organization": "o"}, {"account": "b", "owner": "t", "reason": "r", "expires": "tomorrow"}]});

    let expected = [
        at(Code::AmbiguousEntry, "lists.deny[0]"),
        at(Code::MissingKey, "lists.deny[0].owner"),
        at(Code::MissingKey, "lists.deny[0].reason"),
        at(Code::MissingKey, "lists.deny[0].expires"),
        at(Code::BadTime, "lists.deny[1].expires"),
    ];

    assert_eq!(found(&document), expected);
}

#[test]
fn an_entry_whose_time_is_over_is_pointed_out() {
    let mut document = minimal();
    document["lists"] = json!({"exempt": [{"account": "a", "owner": "t", "reason": "r", "expires": "2026-01-01T00:00:00Z"}]});
    let now = Timestamp::parse_rfc3339("2026-06-01T00:00:00Z");

    let checked = Policy::check(document.to_string().as_bytes(), now);

    assert!(checked.policy.is_some());
    assert_eq!(
        checked
            .diagnostics
            .iter()
            .map(|d| d.code)
            .collect::<Vec<_>>(),
        [Code::ExpiredEntry]
    );
}

#[test]
fn what_is_not_a_policy_at_all_is_refused_with_a_next_step() {
    for text in [
        &b""[..],
        b"[]",
        b"null",
        b"{\"apiVersion\":",
        b"\x0a\x05hello",
        b"\xff\xfe",
        "[".repeat(100_000).as_bytes(),
    ] {
        let checked = Policy::check(text, None);

        assert!(checked.policy.is_none());
        assert!(checked.diagnostics.iter().all(|d| !d.help.is_empty()));
        assert!(checked.diagnostics.refuse());
    }
}

#[test]
fn a_document_full_of_mistakes_ends_with_a_count_instead_of_a_flood() {
    let mut document = minimal();
    for index in 0..1000 {
        document[format!("unknown-{index}")] = json!(1);
    }

    let found = found(&document);

    assert_eq!(found.len(), 101);
    assert_eq!(found.last().map(|(code, _)| *code), Some(Code::TooMany));
}

#[test]
fn codes_are_unique() {
    let mut codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();

    assert_eq!(codes.len(), Code::ALL.len());
}
