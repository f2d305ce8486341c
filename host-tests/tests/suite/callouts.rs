use std::sync::{Arc, Mutex};
use std::time::Duration;

use weir_engine::time::Timestamp;
use weir_host::{
    Cluster, Clusters, End, Exchange, Host, HostConfig, LogLine, Message, Plugin, PluginConfig,
    Reaction, Stranding, Worker,
};

use crate::fixture::{self, config, messages, said};

pub(crate) type Lines = Arc<Mutex<Vec<LogLine>>>;

fn at_ms(ms: u64) -> Timestamp {
    Timestamp::from_unix_nanos(ms * 1_000_000)
}

pub(crate) fn started(guest: Vec<u8>, config: PluginConfig, clusters: Clusters) -> (Worker, Lines) {
    let lines = Lines::default();
    let sink = Arc::clone(&lines);
    let host = Host::new(HostConfig {
        log: Some(Arc::new(move |line: &LogLine| {
            sink.lock().unwrap().push(line.clone());
        })),
        clusters,
        ..HostConfig::default()
    });
    let worker = Plugin::load(&host.unwrap(), &guest, config)
        .unwrap()
        .worker()
        .unwrap();
    lines.lock().unwrap().clear();
    (worker, lines)
}

/// Bodies wait with their headers.
fn calling_in(what: &str, clusters: Clusters) -> (Worker, Lines) {
    let closed = PluginConfig {
        allow_on_headers_stop_iteration: false,
        ..config(what)
    };
    started(fixture::callout(), closed, clusters)
}

fn calling(what: &str) -> (Worker, Lines) {
    calling_in(what, Clusters::default())
}

pub(crate) fn told(lines: &Lines) -> String {
    messages(&lines.lock().unwrap()).join(", ")
}

fn post() -> Exchange {
    Exchange::post("/", "body").answered_by(Message::response(200, "answer"))
}

#[test]
fn calls_are_refused_in_envoys_order_and_their_token_is_zero() {
    let (mut worker, _) = started(
        fixture::callout_arguments(),
        config(""),
        Clusters::default(),
    );

    let outcome = worker.exchange(&Exchange::get("/"));

    let pointers = "S 6 777, S 6 777";
    let arguments = "S 2 0, S 2 0, S 2 0, S 2 0, S 10 0";
    // The call without hosts spent token 4.
    let calls = "S 0 8, S 0 12";
    assert_eq!(
        said(&outcome),
        format!("{pointers}, {arguments}, {calls}, G 0 0, G 0, M 2, M 0, M 2, M 1")
    );
}

#[test]
fn an_answer_comes_after_the_paused_call_and_can_be_read_in_its_callback_only() {
    let (mut worker, lines) = calling("000answers");

    let outcome = worker.exchange(&post());

    let answer = "A 1 4, A 4 16, M 0, M 2, B 0, 200, answer to GET /x";
    let body_once_continued = "b 4 1, M 2, M 2, B 1";
    let told = told(&lines);
    assert!(
        told.starts_with(&format!("S 0 4, {answer}, {body_once_continued}")),
        "{told}"
    );
    assert_eq!((outcome.status(), outcome.end), (Some(200), End::Complete));
    assert_eq!(outcome.upstream.body, b"body");
    assert_eq!(worker.now(), Timestamp::default());
}

#[test]
fn refused_and_reset_calls_are_answered_by_envoys_503_and_slow_ones_by_its_504() {
    for (cluster, status, text) in [
        ("001refuses", "503", "upstream connect error"),
        ("001resets", "503", "upstream connect error"),
        ("031silent", "504", "upstream request timeout"),
    ] {
        let (mut worker, lines) = calling(cluster);

        let outcome = worker.exchange(&post());

        let told = told(&lines);
        assert!(told.contains(&format!(", {status}, {text}")), "{told}");
        assert_eq!((outcome.status(), outcome.end), (Some(401), End::Complete));
        assert!(outcome.upstream.headers.is_empty());
    }
}

#[test]
fn a_call_that_failed_at_once_strands_the_stream_that_waits_for_it() {
    for cluster in ["000empty", "000unknown", "000silent"] {
        let (mut worker, _) = calling(cluster);

        assert_eq!(
            worker.exchange(&post()).end,
            End::Stranded(Stranding::Request),
            "{cluster}"
        );
    }
}

#[test]
fn time_passes_to_the_answer_and_a_timeout_before_it_wins() {
    let slow = |ms| {
        Clusters::none().with(
            "slow",
            Cluster::answering(|_| Message::response(204, "")).after(Duration::from_millis(ms)),
        )
    };
    let (mut fast, lines) = calling_in("020slow", slow(150));
    fast.exchange(&post());
    assert!(told(&lines).contains(", 204, "), "{}", told(&lines));
    assert_eq!(fast.now(), at_ms(150));

    let (mut late, lines) = calling_in("020slow", slow(250));
    late.exchange(&post());
    assert!(told(&lines).contains(", 504, "), "{}", told(&lines));
    assert_eq!(late.now(), at_ms(200));
}

#[test]
fn timers_that_are_due_before_an_answer_run_at_their_own_time_and_their_calls_are_not_waited_for() {
    let (mut worker, lines) = calling("390silent");
    worker.advance_to(at_ms(1200));

    // The tick's call of 1 s is answered at 1.9 s; the next ticks would call for ever.
    let outcome = worker.exchange(&Exchange::get("/").answered_by(Message::response(200, "")));
    assert_eq!(outcome.end, End::Complete);
    worker.advance_to(at_ms(2500));

    let told = told(&lines);
    assert!(told.starts_with("T 1, S 0 4"), "{told}");
    let (answer, tick) = (told.find("A 1 4").unwrap(), told.rfind("T 1").unwrap());
    assert!(answer < tick, "{told}");
    assert_eq!(worker.next_event(), Some(at_ms(2900)));
}

#[test]
fn an_answer_can_call_again() {
    let (mut worker, lines) = calling("002answers");

    let outcome = worker.exchange(&post());

    let told = told(&lines);
    assert!(told.contains("A 1 4,") && told.contains("A 1 8,"), "{told}");
    assert_eq!(outcome.end, End::Complete);
}

#[test]
fn a_guest_that_repeats_its_call_for_ever_strands_its_stream() {
    let (mut worker, _) = calling("005refuses");

    assert_eq!(
        worker.exchange(&post()).end,
        End::Stranded(Stranding::Request)
    );
}

#[test]
fn a_call_from_response_headers_holds_the_response() {
    let (mut worker, lines) = calling("100answers");

    let outcome = worker.exchange(&post());

    assert!(told(&lines).contains("A 1 4"), "{}", told(&lines));
    assert_eq!((outcome.status(), outcome.end), (Some(200), End::Complete));
    assert_eq!(outcome.downstream.body, b"answer");
}

#[test]
fn an_answer_comes_to_the_root_when_its_stream_is_gone() {
    let (mut worker, lines) = calling("000answers");
    let mut stream = worker.stream();
    stream.request_headers(&Exchange::get("/").request.headers, true);
    stream.close();

    assert!(worker.settle());

    let told = told(&lines);
    assert!(
        told.contains("L 2, A 1 4") && told.ends_with("G 2"),
        "{told}"
    );
}

#[test]
fn calls_from_configure_tick_and_log_are_answered() {
    let (mut configuring, lines) = calling("200answers");
    configuring.settle();
    assert!(told(&lines).starts_with("A 1 4"), "{}", told(&lines));

    let (mut ticking, lines) = calling("300answers");
    ticking.advance_to(at_ms(1500));
    assert!(
        told(&lines).starts_with("T 1, S 0 4, A 1 4"),
        "{}",
        told(&lines)
    );

    let (mut logging, lines) = calling("403answers");
    logging.exchange(&Exchange::get("/"));
    assert!(
        told(&lines).starts_with("L 2, S 0 4, A 1 4"),
        "{}",
        told(&lines)
    );
}

#[test]
fn a_trap_in_an_answer_strands_the_stream_that_waits_for_it() {
    let (mut worker, _) = calling("004answers");

    assert_eq!(
        worker.exchange(&post()).end,
        End::Stranded(Stranding::Request)
    );
    assert!(worker.failure().is_some());
}

#[test]
fn a_scripted_cluster_sees_the_whole_request() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    let cluster = Cluster::answering(move |request| {
        record.lock().unwrap().push(request.clone());
        Message::response(200, "")
    });
    let (mut worker, _) = started(
        fixture::callout(),
        config("000own"),
        Clusters::none()
            .with("own", cluster)
            .with("other", Cluster::that(Reaction::Silent)),
    );

    worker.exchange(&post());

    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].body, b"body");
    assert_eq!(seen[0].headers.get("content-length"), Some(&b"4"[..]));
    assert_eq!(seen[0].headers.get("host"), Some(&b"a"[..]));
}
