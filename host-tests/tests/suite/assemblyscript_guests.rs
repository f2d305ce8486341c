use std::time::Duration;

use weir_engine::time::Timestamp;
use weir_host::{Exchange, LoadError, PluginConfig};

use crate::fixture::config;
use crate::guests::{Started, guest_or_skip, start};

#[test]
fn as_headers_sees_and_changes_headers_on_both_ways() {
    let test = "as_headers_sees_and_changes_headers_on_both_ways";
    let Some(wasm) = guest_or_skip(test, "as_headers") else {
        return;
    };
    let mut guest = start(&wasm, config("")).unwrap();
    let exchange = Exchange::get("/é")
        .with_header("user-agent", "a client")
        .with_header("x-secret", "s");

    let outcome = guest.worker.exchange(&exchange);

    let upstream = |name| Started::upstream_header(&outcome, name);
    assert_eq!(upstream("x-seen-by").as_deref(), Some("as_headers"));
    assert_eq!(upstream("user-agent").as_deref(), Some("a guest"));
    assert_eq!(upstream("x-secret"), None);
    let seen = Started::downstream_header(&outcome, "x-guest");
    assert_eq!(seen.as_deref(), Some("as_headers"));
    let told = guest.told();
    for line in [
        "#2 <- :path: /é",
        "#2 <- x-secret: s",
        "#2 -> 200",
        "#2 is done",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}: {told:?}");
    }
}

#[test]
fn as_gate_denies_the_path_that_its_configuration_names_and_ticks_twice() {
    let test = "as_gate_denies_the_path_that_its_configuration_names_and_ticks_twice";
    let Some(wasm) = guest_or_skip(test, "as_gate") else {
        return;
    };
    let configured = |text: &str| PluginConfig {
        root_id: "gate".into(),
        ..config(text)
    };
    let mut guest = start(&wasm, configured("deny /admin")).unwrap();

    let denied = guest.worker.exchange(&Exchange::get("/admin"));
    let passed = guest.worker.exchange(&Exchange::get("/"));
    let second = Duration::from_secs(1).as_nanos() as u64;
    guest.worker.advance_to(Timestamp::from_unix_nanos(second));

    assert_eq!(denied.status(), Some(403));
    assert_eq!(denied.downstream.body, b"no\n");
    assert_eq!(denied.details, "denied_by_guest");
    let by = Started::downstream_header(&denied, "x-guest");
    assert_eq!(by.as_deref(), Some("as_gate"));
    assert_eq!(passed.status(), Some(200));
    assert_eq!(guest.told(), ["denies /admin", "tick 1", "tick 2"]);
    let refused = start(&wasm, configured("allow /")).err();
    assert!(matches!(refused, Some(LoadError::Refused { .. })));
}

#[test]
fn a_root_id_that_the_guest_does_not_know_aborts_with_a_word() {
    let test = "a_root_id_that_the_guest_does_not_know_aborts_with_a_word";
    let Some(wasm) = guest_or_skip(test, "as_gate") else {
        return;
    };

    let refused = start(&wasm, config("deny /")).err().unwrap().to_string();

    assert!(
        refused.contains("Missing root context factory"),
        "{refused}"
    );
}
