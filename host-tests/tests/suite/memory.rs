use weir_host::Exchange;

use crate::fixture::{self, said, worker};

#[test]
fn bad_pointers_are_status_6_and_errors_leave_results_untouched() {
    let outcome = worker(fixture::memory(), "").exchange(&Exchange::get("/"));

    assert_eq!(
        said(&outcome),
        "a 6, b 6, c 1, d 6, e 777 777, f 6, g 777, h 2, i 1, j 1, k 2, l 12, m 2, n 1, o 2"
    );
}

#[test]
fn a_value_that_makes_the_guest_grow_its_memory_arrives_whole() {
    let mut worker = worker(fixture::memory(), "");
    let mut body = vec![b'a'; 200_000];
    body.push(b'z');
    let mut exchange = Exchange::post("/", body);
    exchange.request_chunks.bytes = std::num::NonZeroUsize::new(1 << 20).unwrap();
    let before = worker.memory_bytes();

    let outcome = worker.exchange(&exchange);

    assert!(
        said(&outcome).contains("p 0, q 200001, r 97 122"),
        "{}",
        said(&outcome)
    );
    assert!(worker.memory_bytes() > before);
}
