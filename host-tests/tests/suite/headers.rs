use weir_host::{Exchange, HeaderMap};

use crate::fixture::{self, said, worker};

fn exchange() -> Exchange {
    Exchange::post("/", "body")
        .with_header("X-M", "a")
        .with_header("x-m", "b")
        .with_header("x-empty", "")
}

#[test]
fn request_headers_are_gone_once_they_continue_and_back_in_the_log() {
    let mut worker = worker(fixture::headers(), "0");

    let outcome = worker.exchange(&exchange());

    let in_headers = "a 0, a, b 1, c 2, d 2, e 0, e 0, f 2, g 0, h 0, i 0, j 0, j 0";
    let in_body = "k 2, l 0, m 2, n 2, k 2, l 0, m 2, n 0";
    let in_log = "o 0, p 2, q 2, r 1";
    assert_eq!(said(&outcome), format!("{in_headers}, {in_body}, {in_log}"));
}

#[test]
fn paused_request_headers_stay_readable_and_writable() {
    let mut worker = worker(fixture::headers(), "1");

    let outcome = worker.exchange(&exchange());

    assert!(
        said(&outcome).contains("k 0, l 0, m 0, n 2, k 0, l 0, m 0, n 0, o 0, p 0, q 0, r 1"),
        "{}",
        said(&outcome)
    );
}

#[test]
fn the_upstream_gets_one_replaced_value_and_the_added_trailer() {
    let mut worker = worker(fixture::headers(), "0");

    let outcome = worker.exchange(&exchange());

    let upstream = outcome.upstream;
    let values: Vec<_> = upstream
        .headers
        .iter()
        .filter(|(name, _)| name == b"x-m")
        .map(|(_, value)| value)
        .collect();
    assert_eq!(values, [b"value\nx"]);
    assert_eq!(upstream.headers.get("new-name"), Some(&b""[..]));
    assert_eq!(
        upstream.trailers,
        Some(HeaderMap::from([("x-m", "value\nx")]))
    );
    assert!(upstream.complete);
}

#[test]
fn headers_written_in_the_log_do_not_change_what_the_upstream_got() {
    let mut worker = worker(fixture::headers(), "1");

    let outcome = worker.exchange(&exchange().with_header("new-name", "client"));

    assert_eq!(
        outcome.upstream.headers.get("new-name"),
        Some(&b"client"[..])
    );
}
