use weir_host::{Clusters, End, Exchange, Outcome, Worker};

use crate::callouts::{Lines, started, told};
use crate::fixture::{self, config};

fn calling(what: &str) -> (Worker, Lines) {
    started(fixture::grpc(), config(what), Clusters::default())
}

/// Everything logged by one exchange until its response headers, and the exchange.
fn run(what: &str) -> (String, Outcome) {
    let (mut worker, lines) = calling(what);
    let outcome = worker.exchange(&Exchange::get("/"));
    (told(&lines), outcome)
}

#[test]
fn a_unary_call_gets_its_message_or_its_close_never_both() {
    for (what, heard) in [
        ("050grpc", "R 5 3, v 0, zone,"),
        ("051grpc", "C 5 7, G 0 7, no{via_upstream},"),
        ("053grpc", "C 5 12, G 0 12, no such method{via_upstream},"),
        ("050answers", "C 5 13, G 0 13, via_upstream,"),
        (
            "050silent",
            "C 5 14, G 0 14, upstream request timeout{response_timeout},",
        ),
        ("050refuses", "C 5 14, G 0 14, upstream connect error"),
        ("050resets", "C 5 14, G 0 14, upstream connect error"),
    ] {
        let (told, outcome) = run(what);

        assert!(told.starts_with(&format!("S 0 5, {heard}")), "{told}");
        assert_eq!(outcome.end, End::Complete, "{what}");
    }
}

#[test]
fn a_stream_hears_metadata_messages_trailers_and_its_close_in_order() {
    let (told, outcome) = run("102grpc");

    let sends = "S 0 6, s 0, s 0";
    let echoes = "I 6 4, 1, v 2, R 6 3, v 0, zone, R 6 3, v 0, ztwo";
    let end = "T 6 2, 1, 0, C 6 0, G 0 0, via_upstream";
    assert!(
        told.starts_with(&format!("{sends}, {echoes}, {end}")),
        "{told}"
    );
    assert_eq!(outcome.end, End::Complete);
}

#[test]
fn a_stream_that_fails_gets_empty_metadata_and_trailers_all_the_same() {
    for (what, trailing, close) in [
        ("101grpc", "T 6 5, v 1, 7", "C 6 7, G 0 7, no{via_upstream}"),
        (
            "100refuses",
            "T 6 4, v 1, 14",
            "C 6 14, G 0 14, upstream connect",
        ),
        (
            "100resets",
            "T 6 4, v 1, 14",
            "C 6 14, G 0 14, upstream connect",
        ),
    ] {
        let (told, _) = run(what);

        let all = format!("S 0 6, s 0, s 0, I 6 0, v 1, v 2, {trailing}, {close}");
        assert!(told.starts_with(&all), "{told}");
    }
}

#[test]
fn a_stream_that_its_server_ended_takes_messages_in_vain_until_it_is_closed() {
    let (told, _) = run("201grpc");

    // The message of the status is gone after the callback, its code stays.
    assert!(told.ends_with("s 0, s 0, s 1, G 0 7"), "{told}");
}

#[test]
fn a_closed_stream_hears_the_rest_and_is_forgotten_with_its_end() {
    let (told, _) = run("300grpc");

    let closed = "S 0 6, s 0, s 0, s 0, s 0";
    assert!(
        told.starts_with(&format!(
            "{closed}, I 6 3, v 1, v 2, R 6 3, v 0, zone, T 6 1"
        )),
        "{told}"
    );
    assert!(told.ends_with("s 1, s 1, s 1, G 0 0"), "{told}");
}

#[test]
fn a_cancelled_call_is_forgotten_and_a_token_of_another_kind_is_a_bad_argument() {
    let (mut worker, lines) = calling("450grpc");

    let outcome = worker.exchange(&Exchange::get("/"));

    assert_eq!(told(&lines), "S 0 5, s 0, s 1, s 1, s 2, s 1, s 2");
    assert!(matches!(outcome.end, End::Stranded(_)));
}

#[test]
fn a_cluster_without_hosts_fails_the_call_and_closes_it_afterwards() {
    let clusters = || {
        Clusters::none().with(
            "nobody",
            weir_host::Cluster::that(weir_host::Reaction::Empty),
        )
    };
    let close = "14, G 0 14, no healthy upstream{no_healthy_upstream}";

    let (mut calling, lines) = started(fixture::grpc(), config("050nobody"), clusters());
    calling.exchange(&Exchange::get("/"));
    let heard = told(&lines);
    assert!(
        heard.starts_with(&format!("S 10 777, C 5 {close}")),
        "{heard}"
    );

    // A stream hears its metadata inside of the hostcall.
    let (mut streaming, lines) = started(fixture::grpc(), config("200nobody"), clusters());
    streaming.exchange(&Exchange::get("/"));
    let heard = told(&lines);
    let inside = "I 6 0, v 1, v 2, T 6 4, v 1, 14";
    assert!(
        heard.starts_with(&format!("{inside}, S 10 777, C 6 {close}")),
        "{heard}"
    );
}

#[test]
fn a_service_is_a_message_where_it_parses_as_one_and_a_name_elsewhere() {
    let (told, _) = run("050\n\x06\n\x04grpc");
    assert!(told.starts_with("S 0 5, R 5 3"), "{told}");

    let (told, _) = run("050\n\x06\n\x04nope");
    assert!(
        told.starts_with("S 10 777, C 5 14, G 0 14, Cluster not available"),
        "{told}"
    );

    let (told, _) = run("050unknown");
    assert_eq!(told, "S 4 777");
}

#[test]
fn a_name_that_parses_as_a_message_without_target_would_end_envoy() {
    let (mut worker, _) = calling("050empty");

    worker.exchange(&Exchange::get("/"));

    assert!(worker.failure().unwrap().contains("ends Envoy's process"));
}
