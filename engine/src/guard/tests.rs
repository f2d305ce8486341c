//! What trips a guard, and what does not.
use super::*;
use crate::store::MemoryStore;
use std::format;

fn watch(guard: &str) -> GuardWatch {
    let json = format!(
        r#"{{"apiVersion": "weir/v1", "kind": "Policy",
        "metadata": {{"name": "p", "version": "1", "owner": "o"}},
        "identity": {{"account": [{{"header": "x-account-id"}}]}},
        "tiers": [{{"name": "vetted", "match": {{"plan": ["e"]}}}}, {{"name": "basic"}}],
        "rollout": {{"mode": "enforce", "guard": {guard}}}}}"#
    );
    let checked = Policy::check(json.as_bytes(), None);
    let policy = checked
        .policy
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    GuardWatch::over(&policy, Arm::Current, at(0)).unwrap()
}

const fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_nanos((1_800_000_000 + seconds) * 1_000_000_000)
}

const fn acted(tier: usize, refused: bool, failed: bool) -> Acted {
    Acted {
        account: None,
        tier: Some(tier),
        admitted: !refused,
        refused,
        failed,
    }
}

/// Counts exchanges of so many accounts.
fn count(watch: &mut GuardWatch, accounts: u64, acted: Acted) {
    for _ in 0..accounts {
        let next = u64::try_from(watch.counted.len()).unwrap() + 1;
        let account = Some(next);
        watch.count(Acted { account, ..acted });
    }
}

#[test]
fn one_account_counts_once_between_two_looks() {
    let guard = r#"{"refusedShare": 0.5, "minExchanges": 10}"#;
    let (mut watch, mut store) = (watch(guard), MemoryStore::new());
    count(&mut watch, 10, acted(1, false, false));
    for _ in 0..1000 {
        watch.count(acted(1, true, false));
    }

    assert_eq!(watch.look(at(0), &mut store), Ok(false));
}

#[test]
fn it_trips_when_a_tier_is_refused_too_often_and_tells_every_worker() {
    let guard = r#"{"refusedShare": 0.5, "tiers": {"vetted": 0.02}, "minExchanges": 100}"#;
    let (mut one, mut other, mut store) = (watch(guard), watch(guard), MemoryStore::new());
    for number in 0..98 {
        count(&mut one, 1, acted(0, number % 49 == 0, false));
        count(&mut one, 1, acted(1, number % 2 == 0, false));
    }
    assert_eq!(one.look(at(0), &mut store), Ok(false), "too few to say");

    count(&mut other, 1, acted(0, true, false));
    count(&mut other, 1, acted(0, false, false));

    assert_eq!(other.look(at(1), &mut store), Ok(true));
    assert_eq!(other.trip(), Some(Trip::Refused(0)));
    assert_eq!(one.look(at(1), &mut store), Ok(true), "it learns of it");
    assert_eq!(one.look(at(2), &mut store), Ok(false), "it is said once");
}

#[test]
fn it_trips_when_the_upstream_fails_too_often_and_refusals_do_not_count_for_that() {
    let guard = r#"{"failedShare": 0.1, "minExchanges": 10}"#;
    let (mut watch, mut store) = (watch(guard), MemoryStore::new());
    for _ in 0..100 {
        count(&mut watch, 1, acted(1, true, true));
    }
    for _ in 0..9 {
        count(&mut watch, 1, acted(1, false, false));
    }
    count(&mut watch, 1, acted(1, false, true));
    assert_eq!(watch.look(at(0), &mut store), Ok(false));

    count(&mut watch, 1, acted(1, false, true));

    assert_eq!(watch.look(at(0), &mut store), Ok(true));
    assert_eq!(watch.trip(), Some(Trip::Failed));
}

#[test]
fn what_happened_longer_ago_than_the_window_does_not_count() {
    let guard = r#"{"refusedShare": 0.5, "minExchanges": 10, "window": "1m"}"#;
    let (mut watch, mut store) = (watch(guard), MemoryStore::new());
    for _ in 0..9 {
        count(&mut watch, 1, acted(1, true, false));
    }
    assert_eq!(watch.look(at(0), &mut store), Ok(false));

    count(&mut watch, 1, acted(1, true, false));

    assert_eq!(watch.look(at(70), &mut store), Ok(false));
}

#[test]
fn a_damaged_record_is_begun_anew() {
    let guard = r#"{"refusedShare": 0.5, "minExchanges": 1}"#;
    let (mut watch, mut store) = (watch(guard), MemoryStore::new());
    store
        .compare_and_swap(&watch.key(), b"wg2\0\x07short", None)
        .unwrap();
    count(&mut watch, 1, acted(1, false, false));

    assert_eq!(watch.look(at(0), &mut store), Ok(false));

    assert_eq!(watch.trip(), None);
}

#[test]
fn the_policy_that_was_configured_last_has_the_record_and_the_one_before_counts_no_longer() {
    let (one, other) = (
        r#"{"refusedShare": 0.5, "minExchanges": 1}"#,
        r#"{"refusedShare": 0.4, "minExchanges": 1}"#,
    );
    let (mut before, mut after, mut store) = (watch(one), watch(other), MemoryStore::new());
    after.configured = at(10);
    count(&mut before, 1, acted(1, false, false));
    assert_eq!(before.look(at(1), &mut store), Ok(false));

    count(&mut after, 1, acted(1, false, false));
    assert_eq!(after.look(at(11), &mut store), Ok(false));
    for _ in 0..9 {
        count(&mut before, 1, acted(1, true, false));
    }

    assert_eq!(before.look(at(12), &mut store), Ok(false), "it is over");
    assert_eq!(after.look(at(12), &mut store), Ok(false));
    let key_count = usize::from(store.get(&before.key(), &mut Vec::new()).unwrap().is_some());
    assert_eq!((before.key(), key_count), (after.key(), 1));
}

#[test]
fn who_is_refused_by_both_policies_hides_no_upstream_that_fails() {
    let guard = r#"{"failedShare": 0.5, "minExchanges": 10}"#;
    let (mut watch, mut store) = (watch(guard), MemoryStore::new());
    for _ in 0..90 {
        let both = Acted {
            refused: false,
            ..acted(1, true, false)
        };
        count(&mut watch, 1, both);
    }
    for _ in 0..10 {
        count(&mut watch, 1, acted(1, false, true));
    }

    assert_eq!(watch.look(at(0), &mut store), Ok(true));
}
