use super::*;
use crate::policy::tests::{at, check, found, minimal};
use alloc::{format, string::ToString};
use serde_json::{Value, json};

const KEY_TEXT: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn with(privacy: &Value) -> Value {
    let mut document = minimal();
    document["privacy"] = privacy.clone();
    document
}

fn account(privacy: &Value, process: u8, id: &str) -> Option<String> {
    let policy = check(&with(privacy)).policy.unwrap();
    let caller = Caller {
        account: id.to_string(),
        ..Caller::default()
    };
    policy
        .privacy
        .account(&caller, &HashKey::new([process; 16]))
}

#[test]
fn a_pseudonym_is_the_same_in_every_process_that_has_its_key() {
    let keyed = json!({"accounts": "pseudonym", "key": KEY_TEXT});
    let drawn = json!({"accounts": "pseudonym"});

    assert_eq!(account(&keyed, 1, "a"), account(&keyed, 2, "a"));
    assert_ne!(account(&keyed, 1, "a"), account(&keyed, 1, "b"));
    assert_eq!(account(&drawn, 1, "a"), account(&drawn, 1, "a"));
    assert_ne!(account(&drawn, 1, "a"), account(&drawn, 2, "a"));
    assert_eq!(account(&json!({}), 1, "a"), None);
}

#[test]
fn a_key_that_cannot_be_used_is_named_and_never_repeated() {
    let secret = "c2VjcmV0";
    for (privacy, code, path) in [
        (
            json!({"accounts": "pseudonym", "key": secret}),
            Code::BadKey,
            KEY,
        ),
        (
            json!({"accounts": "pseudonym", "key": "c2VjcmV0!"}),
            Code::BadKey,
            KEY,
        ),
        (
            json!({"accounts": "pseudonym", "key": [secret]}),
            Code::BadKey,
            KEY,
        ),
        (
            json!({"key": format!("{secret}{KEY_TEXT}")}),
            Code::IdleKey,
            KEY,
        ),
        (json!(secret), Code::WrongValue, "privacy"),
        (
            json!({"accounts": secret}),
            Code::WrongValue,
            "privacy.accounts",
        ),
        (json!([secret]), Code::WrongValue, "privacy[0]"),
    ] {
        let document = with(&privacy);
        let found = found(&document);
        assert!(found.contains(&at(code, path)), "{privacy}: {found:?}");
        let told = check(&document).diagnostics;
        assert!(
            !told.iter().any(|told| told.to_string().contains("c2Vjc")),
            "{told:?}"
        );
    }
}

#[test]
fn no_debug_output_shows_the_key() {
    let section: Section =
        serde_json::from_value(json!({"accounts": "pseudonym", "key": KEY_TEXT})).unwrap();
    let shown = format!(
        "{section:?} {:?}",
        compile(Some(section.clone()), &mut Diagnostics::default())
    );

    assert!(
        !shown.contains("MDEy") && shown.contains("secret"),
        "{shown}"
    );
}
