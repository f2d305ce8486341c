use std::num::{NonZeroU32, NonZeroUsize};

use weir_engine::time::Timestamp;
use weir_host::{
    Chunking, Client, End, Exchange, HeaderMap, Host, HostConfig, Message, Plugin, PluginConfig,
    Stranding, Upstream,
};

use crate::fixture::{self, config, messages, said, worker, worker_with};

fn in_pieces(mut exchange: Exchange, bytes: usize) -> Exchange {
    let chunks = Chunking {
        bytes: NonZeroUsize::new(bytes).unwrap(),
        separate_end: true,
    };
    exchange.request_chunks = chunks;
    exchange.response_chunks = chunks;
    exchange
}

#[test]
fn body_size_accumulates_while_the_body_callback_pauses() {
    let mut worker = worker(fixture::script(), "110000");

    let outcome = worker.exchange(&in_pieces(Exchange::post("/", "x".repeat(9)), 4));

    assert!(
        said(&outcome).starts_with("C 2 1, h 7 0, b 4 0, b 8 0, b 9 0, b 9 1, r 2 1"),
        "{}",
        said(&outcome)
    );
    assert_eq!(outcome.upstream.body, b"xxxxxxxxx");
    assert_eq!(outcome.end, End::Complete);
}

#[test]
fn body_size_is_that_of_the_piece_while_the_body_continues() {
    let mut worker = worker(fixture::script(), "000000");

    let outcome = worker.exchange(&in_pieces(
        Exchange::get("/").answered_by(Message::response(200, "abcdefghi")),
        4,
    ));

    assert!(
        said(&outcome).contains("h 5 1, r 2 0, s 4 0, s 4 0, s 1 0, s 0 1"),
        "{}",
        said(&outcome)
    );
    assert_eq!(outcome.downstream.body, b"abcdefghi");
}

#[test]
fn the_watermark_answer_holds_data_without_showing_it_again() {
    let mut worker = worker(fixture::script(), "120000");

    let outcome = worker.exchange(&in_pieces(Exchange::post("/", "abcdefgh"), 4));

    assert!(
        said(&outcome).contains("b 4 0, b 4 0, b 0 1"),
        "{}",
        said(&outcome)
    );
    assert_eq!(outcome.upstream.body, b"abcdefgh");
}

#[test]
fn an_answer_out_of_range_stops_and_drops_the_piece() {
    let mut worker = worker(fixture::script(), "170000");

    let outcome = worker.exchange(&in_pieces(Exchange::post("/", "abcdefgh"), 4));

    assert_eq!(outcome.upstream.body, b"");
    assert_eq!(outcome.end, End::Stranded(Stranding::RequestTooShort));
}

#[test]
fn a_pause_in_headers_hides_the_body_unless_the_plugin_may_stop_there() {
    let closed = PluginConfig {
        allow_on_headers_stop_iteration: false,
        ..config("100000")
    };
    let mut worker = worker_with(fixture::script(), closed);

    let outcome = worker.exchange(&Exchange::post("/", "body"));

    assert_eq!(said(&outcome), "C 2 1, h 7 0, L 2, D 2, X 2");
    assert_eq!(outcome.end, End::Stranded(Stranding::Request));
    assert_eq!(outcome.details, "downstream_remote_disconnect");
    assert!(outcome.upstream.headers.is_empty());
}

#[test]
fn continuing_after_a_full_stop_shows_all_held_data_at_once() {
    let closed = PluginConfig {
        allow_on_headers_stop_iteration: false,
        ..config("100000")
    };
    let mut worker = worker_with(fixture::script(), closed);
    let mut stream = worker.stream();
    stream.request_headers(&Exchange::post("/", "").request.headers, false);
    stream.request_body(b"abc", false);
    stream.request_body(b"def", false);
    stream.request_body(b"", true);
    let id = stream.id();
    assert!(!stream.request_has_started());

    worker.tick(Timestamp::from_unix_nanos(1_000_000_000));

    let stream = worker.resume_stream(id).unwrap();
    assert!(stream.request_is_complete());
    let outcome = stream.close();
    assert!(
        messages(&outcome.log).contains(&"b 6 1"),
        "{}",
        said(&outcome)
    );
    assert_eq!(outcome.upstream.body, b"abcdef");
    assert_eq!(outcome.end, End::Left);
}

#[test]
fn continuing_after_a_paused_body_passes_it_on_without_another_callback() {
    let mut worker = worker(fixture::script(), "111000");
    let mut stream = worker.stream();
    stream.request_headers(&Exchange::post("/", "").request.headers, false);
    stream.request_body(b"abc", true);
    let id = stream.id();

    worker.tick(Timestamp::from_unix_nanos(1_000_000_000));

    let mut stream = worker.resume_stream(id).unwrap();
    assert!(stream.request_is_complete());
    stream.response_headers(&HeaderMap::from([(":status", "204")]), true);
    let outcome = stream.close();
    assert_eq!(said(&outcome), "C 2 1, h 7 0, b 3 1, r 1 1, L 2, D 2, X 2");
    assert_eq!((outcome.status(), outcome.end), (Some(204), End::Complete));
    assert_eq!(outcome.upstream.body, b"abc");
}

#[test]
fn trailers_end_the_body_without_an_end_in_a_body_callback() {
    let mut worker = worker(fixture::script(), "110000");
    let mut exchange = Exchange::post("/", "body");
    exchange.request.trailers = Some(HeaderMap::from([("x-t", "1")]));

    let outcome = worker.exchange(&exchange);

    assert!(
        said(&outcome).contains("b 4 0, t 1, r 2 1"),
        "{}",
        said(&outcome)
    );
    assert_eq!(outcome.upstream.body, b"body");
    assert_eq!(outcome.upstream.trailers, exchange.request.trailers);
    assert!(outcome.upstream.complete);
}

#[test]
fn a_response_that_stays_paused_is_stranded() {
    let mut worker = worker(fixture::script(), "000011");

    let outcome = worker.exchange(&Exchange::get("/").answered_by(Message::response(200, "body")));

    assert_eq!(outcome.end, End::Stranded(Stranding::Response));
    assert_eq!(outcome.downstream.body, b"");
}

#[test]
fn holding_more_than_the_buffer_limit_is_a_413_for_requests_and_a_reset_for_responses() {
    let limited = HostConfig {
        buffer_limit_bytes: NonZeroU32::new(10).unwrap(),
        ..HostConfig::default()
    };
    let host = Host::new(limited).unwrap();
    let mut request = Plugin::load(&host, &fixture::script(), config("110000"))
        .unwrap()
        .worker()
        .unwrap();
    let mut response = Plugin::load(&host, &fixture::script(), config("000011"))
        .unwrap()
        .worker()
        .unwrap();

    let refused = request.exchange(&in_pieces(Exchange::post("/", "x".repeat(30)), 8));
    let broken = response.exchange(&in_pieces(
        Exchange::get("/").answered_by(Message::response(200, "x".repeat(30))),
        8,
    ));

    assert_eq!((refused.status(), refused.end), (Some(413), End::Complete));
    // The piece that is too much is still shown: a reply during a filter's callback waits for its end.
    assert!(
        said(&refused).contains("b 8 0, b 16 0, r 3 0, s 17 1"),
        "{}",
        said(&refused)
    );
    assert_eq!(broken.end, End::Reset);
    assert_eq!(broken.status(), Some(200));
}

#[test]
fn set_buffer_replaces_at_the_start_appends_at_the_end_and_refuses_the_middle() {
    for (range, status, body) in [
        ("000", 0, "ZZabcd"),
        ("020", 0, "ZZcd"),
        ("090", 0, "ZZ"),
        ("400", 0, "abcdZZ"),
        ("100", 2, "abcd"),
    ] {
        let mut exchange = Exchange::post("/", "abcd");
        exchange.request.headers.remove("content-length");

        let outcome = worker(fixture::rewrite(), range).exchange(&exchange);

        assert_eq!(
            (said(&outcome).as_str(), outcome.upstream.body.as_slice()),
            (&*format!("a {status}"), body.as_bytes())
        );
    }
}

#[test]
fn a_stale_content_length_strands_the_request_and_a_removed_one_does_not() {
    let stale = worker(fixture::rewrite(), "090").exchange(&Exchange::post("/", "abcd"));
    let removed = worker(fixture::rewrite(), "091").exchange(&Exchange::post("/", "abcd"));

    assert_eq!(stale.end, End::Stranded(Stranding::RequestTooShort));
    assert_eq!(removed.end, End::Complete);
}

#[test]
fn a_client_that_leaves_and_an_upstream_that_breaks_off_still_reach_the_log() {
    let mut worker = worker(fixture::script(), "000000");
    let answer = Message::response(200, "0123456789");
    let base = in_pieces(
        Exchange::post("/", "abcdefgh").answered_by(answer.clone()),
        4,
    );

    let left = worker.exchange(&Exchange {
        client: Client::LeavesAfterSending(4),
        ..base.clone()
    });
    let deaf = worker.exchange(&Exchange {
        client: Client::LeavesAfterReceiving(4),
        ..base.clone()
    });
    let reset = worker.exchange(&Exchange {
        upstream: Upstream::Resets,
        ..base.clone()
    });
    let cut = worker.exchange(&Exchange {
        upstream: Upstream::BreaksOff { answer, sent: 4 },
        ..base
    });

    assert_eq!(
        (left.end, left.upstream.body.as_slice()),
        (End::Left, &b"abcd"[..])
    );
    assert_eq!(
        (deaf.end, deaf.downstream.body.as_slice()),
        (End::Left, &b"0123"[..])
    );
    assert_eq!((reset.end, reset.status()), (End::Complete, Some(503)));
    assert_eq!(
        (cut.end, cut.status(), cut.downstream.body.as_slice()),
        (End::Reset, Some(200), &b"0123"[..])
    );
    for outcome in [left, deaf, reset, cut] {
        assert!(said(&outcome).contains("L "), "{}", said(&outcome));
    }
}
