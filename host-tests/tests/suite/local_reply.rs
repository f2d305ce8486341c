use weir_engine::time::Timestamp;
use weir_host::{End, Exchange, Message};

use crate::fixture::{self, said, worker};

fn exchange() -> Exchange {
    Exchange::post("/", "body").answered_by(Message::response(200, "answer"))
}

#[test]
fn the_first_of_two_replies_wins_all_but_the_details_and_the_callbacks_answer_does_not_count() {
    let mut worker = worker(fixture::reply(), "0");

    let outcome = worker.exchange(&exchange());

    assert_eq!((outcome.status(), outcome.end), (Some(401), End::Complete));
    assert_eq!(outcome.downstream.body, b"no entry");
    assert_eq!(outcome.details, "");
    assert!(outcome.upstream.headers.is_empty());
}

#[test]
fn a_reply_to_the_request_runs_through_the_filters_own_response_callbacks() {
    for phase in ["0", "1"] {
        let outcome = worker(fixture::reply(), phase).exchange(&exchange());

        assert!(
            said(&outcome).contains("a 0, b 0, r 4 0, s 8 1"),
            "{}",
            said(&outcome)
        );
        assert_eq!(outcome.downstream.headers.get("x-own"), Some(&b"1"[..]));
        assert_eq!(outcome.downstream.headers.get("x-r"), Some(&b"1"[..]));
        assert_eq!(
            outcome.downstream.headers.get("content-type"),
            Some(&b"text/plain"[..])
        );
        assert_eq!(
            outcome.downstream.headers.get("content-length"),
            Some(&b"8"[..])
        );
    }
}

#[test]
fn a_reply_in_response_headers_replaces_the_response_past_the_filter() {
    let outcome = worker(fixture::reply(), "2").exchange(&exchange());

    assert_eq!((outcome.status(), outcome.end), (Some(401), End::Complete));
    assert_eq!(said(&outcome), "r 2 0, a 0, b 0");
    assert_eq!(outcome.downstream.headers.get("x-own"), None);
    assert_eq!(outcome.upstream.body, b"body");
}

#[test]
fn a_reply_after_response_headers_resets_the_stream() {
    let outcome = worker(fixture::reply(), "3").exchange(&exchange());

    assert_eq!((outcome.status(), outcome.end), (Some(200), End::Reset));
    assert!(!outcome.downstream.complete);
}

#[test]
fn a_reply_from_a_tick_answers_the_paused_stream_and_stops_no_other() {
    let mut worker = worker(fixture::script(), "10000001");
    let mut stream = worker.stream();
    stream.request_headers(&Exchange::get("/").request.headers, true);
    let paused = stream.id();

    worker.tick(Timestamp::from_unix_nanos(1_000_000_000));

    let outcome = worker.resume_stream(paused).unwrap().close();
    assert_eq!((outcome.status(), outcome.end), (Some(429), End::Complete));
    let mut next = worker.stream();
    next.request_headers(&exchange().request.headers, false);
    next.request_body(b"body", true);
    assert!(next.request_is_complete());
}

#[test]
fn an_empty_reply_has_neither_type_nor_length() {
    let mut worker = worker(fixture::script(), "10000001");
    let mut stream = worker.stream();
    stream.request_headers(&Exchange::get("/").request.headers, true);
    let id = stream.id();

    worker.tick(Timestamp::from_unix_nanos(1_000_000_000));

    let outcome = worker.resume_stream(id).unwrap().close();
    let headers: Vec<_> = outcome.downstream.headers.iter().collect();
    assert_eq!(headers, [(&b":status"[..], &b"429"[..])]);
}

#[test]
fn a_reply_to_a_grpc_request_is_a_200_with_a_grpc_status_and_without_a_body() {
    for phase in ["0", "2"] {
        let mut exchange = exchange();
        exchange
            .request
            .headers
            .set("content-type", "application/grpc");

        let outcome = worker(fixture::reply(), phase).exchange(&exchange);

        assert_eq!((outcome.status(), outcome.end), (Some(200), End::Complete));
        let headers = &outcome.downstream.headers;
        assert_eq!(headers.get("grpc-status"), Some(&b"16"[..]));
        assert_eq!(headers.get("grpc-message"), Some(&b"no entry"[..]));
        assert_eq!(headers.get("content-type"), Some(&b"application/grpc"[..]));
        assert_eq!(headers.get("content-length"), None);
        assert!(outcome.downstream.body.is_empty());
    }
}

#[test]
fn a_reply_to_head_ends_with_its_headers() {
    let mut exchange = Exchange::get("/");
    exchange.request.headers.set(":method", "HEAD");

    let outcome = worker(fixture::reply(), "0").exchange(&exchange);

    assert!(said(&outcome).contains("r 4 1"), "{}", said(&outcome));
    assert_eq!((outcome.status(), outcome.end), (Some(401), End::Complete));
    assert!(outcome.downstream.body.is_empty());
}
