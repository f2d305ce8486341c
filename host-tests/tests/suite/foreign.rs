use weir_host::Exchange;

use crate::fixture::{self, said, worker};

/// Calls `name` with `arguments`, in configure too where `in_root`.
fn call(in_root: bool, name: &str, arguments: &str) -> String {
    let how = format!("{}{:02}{name}{arguments}", u8::from(in_root), name.len());
    said(&worker(fixture::foreign(), &how).exchange(&Exchange::get("/")))
}

#[test]
fn an_unknown_function_is_not_found_and_leaves_the_results_alone() {
    for name in ["nope", "resolve_dns", ""] {
        assert_eq!(call(false, name, ""), "F 1 777, P 0, P 0", "{name}");
    }
}

#[test]
fn a_known_function_writes_both_results_even_when_it_fails() {
    assert_eq!(call(false, "uncompress", "garbage"), "F 3 0, 0 0, P 0, P 0");
    assert_eq!(
        call(false, "clear_route_cache", "x"),
        "F 0 0, 0 0, , P 0, P 0"
    );
    assert!(call(false, "compress", "aaaa").starts_with("F 0 12, "));
}

#[test]
fn filter_state_objects_are_set_by_their_names() {
    let set = |arguments| call(false, "set_envoy_filter_state", arguments);

    assert!(set("\n\x0cenvoy.string\x12\x01v").ends_with("P 0, P 0, v"));
    assert!(set("\n\x04nope\x12\x01v").starts_with("F 1 0"));
    assert!(set("\n\x7f").starts_with("F 2 0"));
    let number = "\n\x1benvoy.ratelimit.hits_addend\x12\x01x";
    assert!(set(number).starts_with("F 2 0"));
    // In a root context there is no stream that could have it.
}

#[test]
fn a_property_that_the_root_declared_read_only_is_set_once() {
    let read_only = "\n\x01p\x10\x01";

    // The second declaration is another context's.
    assert_eq!(
        call(true, "declare_property", read_only),
        "F 0 0, 0 0, , P 0, P 2"
    );
    assert_eq!(
        call(false, "declare_property", read_only),
        "F 0 0, 0 0, , P 0, P 0"
    );
    assert!(call(false, "declare_property", "\n\x7f").starts_with("F 2 0"));
}

#[test]
fn expressions_and_keys_are_not_offered_and_answered_like_ones_that_cannot_be_used() {
    let status = |name, arguments| call(false, name, arguments)[..3].to_owned();

    assert_eq!(status("expr_create", "request.path"), "F 2");
    assert_eq!(status("expr_evaluate", "\0\0\0\0"), "F 1");
    assert_eq!(status("expr_evaluate", "x"), "F 2");
    assert_eq!(status("expr_delete", "\0\0\0\0"), "F 0");
    assert_eq!(status("expr_delete", "x"), "F 2");
    assert_eq!(status("sign", ""), "F 2");
    let signature = call(false, "verify_signature", "\n\x04nope");
    assert!(signature.contains("nope is not supported."), "{signature}");
}
