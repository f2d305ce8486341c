//! `weir check --explain`: what a policy means where it says nothing.
use super::policy_documents::{all, compiled, every_key, short, shortest};
use serde_json::Value;
use weir_host::explain::Explained;
use weir_host::policy_file::PolicyFile;

fn read_back(explained: &Explained) -> Value {
    let text = explained.to_yaml();
    match PolicyFile::parse(text.clone(), "explained.yaml") {
        Ok(file) => file.value,
        Err(error) => panic!("{error}\n{text}"),
    }
}

fn found<'a>(explained: &'a Value, path: &str) -> &'a Value {
    let keys = explained.as_array().unwrap();
    keys.iter().find(|key| key["path"] == path).unwrap()
}

#[test]
fn an_explained_policy_means_what_the_policy_means() {
    for (name, document) in all() {
        let explained = read_back(&Explained::of(&document));

        assert!(
            compiled(&explained) == compiled(&document),
            "{name}: {explained:#}"
        );
    }
}

#[test]
fn an_explained_policy_gives_every_key_that_means_something() {
    for (name, document) in all() {
        let explained = read_back(&Explained::of(&document));

        let again = Explained::of(&explained).to_json();

        for key in again.as_array().unwrap() {
            assert_ne!(key["origin"], "default", "{name}: {key}");
        }
    }
}

#[test]
fn every_key_has_an_origin_and_a_word_that_says_what_it_is() {
    let explained = Explained::of(&short()).to_json();

    let limit = found(&explained, "inspection.maxBody");
    assert_eq!(
        (&limit["value"], &limit["origin"]),
        (&"1MiB".into(), &"default".into())
    );
    assert_eq!(found(&explained, "metadata.name")["origin"], "given");
    let guard = found(&explained, "rollout.guard.refusedShare");
    assert_eq!(
        (&guard["value"], &guard["origin"]),
        (&Value::Null, &"unset".into())
    );
    assert_eq!(
        found(&explained, "responses.states.restrict")["value"],
        "deny"
    );
    for key in explained.as_array().unwrap() {
        assert!(!key["description"].as_str().unwrap().is_empty(), "{key}");
    }
}

#[test]
fn actions_by_state_are_not_told_where_no_account_has_a_state() {
    let explained = Explained::of(&shortest()).to_json();

    assert_eq!(found(&explained, "responses.states")["origin"], "unset");
}

#[test]
fn the_policy_with_every_key_leaves_out_only_what_excludes_another() {
    let explained = Explained::of(&every_key()).to_json();

    let absent: Vec<&str> = explained
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["origin"] != "given")
        .map(|key| key["path"].as_str().unwrap())
        // Conditions of another type than the attribute has.
        .filter(|path| !path.starts_with("tiers[0].match.attributes."))
        .collect();
    assert_eq!(
        absent,
        [
            "tiers[1].match",
            "tiers[1].grants",
            "lists.deny[0].organization",
            "lists.exempt[0].account",
            "lists.states[0].organization",
            "detection.profile",
            "verification.attestation.keys[0].hmacSha256",
            "verification.attestation.keys[1].ed25519",
            "verification.attestation.keys[1].notBefore",
            "verification.attestation.keys[1].notAfter",
        ]
    );
}
