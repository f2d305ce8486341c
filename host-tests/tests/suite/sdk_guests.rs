use std::time::Duration;

use weir_engine::time::Timestamp;
use weir_host::{End, Exchange, LoadError, Message, PluginConfig};

use crate::fixture::config;
use crate::guests::{Started, guest_or_skip, start};

fn started(test: &str, name: &str, config: PluginConfig) -> Option<Started> {
    Some(start(&guest_or_skip(test, name)?, config).unwrap())
}

fn at(ms: u64) -> Timestamp {
    Timestamp::from_unix_nanos(Duration::from_millis(ms).as_nanos() as u64)
}

#[test]
fn hello_world_logs_and_ticks_twice() {
    let test = "hello_world_logs_and_ticks_twice";
    let Some(mut guest) = started(test, "hello_world", config("")) else {
        return;
    };
    assert_eq!(guest.told(), ["hello, world"]);

    guest.worker.advance_to(at(1000));

    assert_eq!(guest.told(), ["tick 1", "tick 2"]);
    assert_eq!(guest.worker.next_tick(), None);
}

#[test]
fn http_headers_sees_and_changes_headers_on_both_ways() {
    let test = "http_headers_sees_and_changes_headers_on_both_ways";
    let Some(mut guest) = started(test, "http_headers", config("")) else {
        return;
    };
    let exchange = Exchange::get("/a")
        .with_header("user-agent", "a client")
        .with_header("x-secret", "s");

    let outcome = guest.worker.exchange(&exchange);

    let upstream = |name| Started::upstream_header(&outcome, name);
    assert_eq!(upstream("x-seen-by").as_deref(), Some("http_headers"));
    assert_eq!(upstream("user-agent").as_deref(), Some("a guest"));
    assert_eq!(upstream("x-secret"), None);
    let seen = Started::downstream_header(&outcome, "x-guest");
    assert_eq!(seen.as_deref(), Some("http_headers"));
    let told = guest.told();
    for line in [
        "#2 <- :path: /a",
        "#2 <- x-secret: s",
        "#2 -> :status: 200",
        "#2 is done",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}: {told:?}");
    }
}

#[test]
fn http_headers_answers_one_path_by_itself() {
    let test = "http_headers_answers_one_path_by_itself";
    let Some(mut guest) = started(test, "http_headers", config("")) else {
        return;
    };

    let outcome = guest.worker.exchange(&Exchange::get("/hello"));

    assert_eq!(outcome.status(), Some(200));
    assert_eq!(outcome.downstream.body, b"Hello!\n");
    let answered = Started::downstream_header(&outcome, "x-answered-by");
    assert_eq!(answered.as_deref(), Some("guest"));
    assert!(outcome.upstream.headers.is_empty());
}

#[test]
fn http_body_blackens_a_word_however_the_body_is_cut() {
    let test = "http_body_blackens_a_word_however_the_body_is_cut";
    let Some(mut guest) = started(test, "http_body", config("")) else {
        return;
    };
    let body = "a secret and another secret";
    for bytes in [1, 5, 100] {
        let mut exchange = Exchange::get("/").answered_by(Message::response(200, body));
        exchange.response_chunks.bytes = bytes.try_into().unwrap();

        let outcome = guest.worker.exchange(&exchange);

        let body = String::from_utf8_lossy(&outcome.downstream.body);
        assert_eq!(body, "a [removed] and another [removed]");
        assert_eq!(outcome.end, End::Complete);
        let length = Started::downstream_header(&outcome, "content-length");
        assert_eq!(length, None);
    }
}

#[test]
fn http_config_lets_its_configuration_decide_a_header_and_refuses_nonsense() {
    let test = "http_config_lets_its_configuration_decide_a_header_and_refuses_nonsense";
    let Some(wasm) = guest_or_skip(test, "http_config") else {
        return;
    };

    let mut guest = start(&wasm, config("x-colour: green\n")).unwrap();
    let outcome = guest.worker.exchange(&Exchange::get("/"));

    assert_eq!(guest.told(), ["responses get x-colour: green"]);
    let colour = Started::downstream_header(&outcome, "x-colour");
    assert_eq!(colour.as_deref(), Some("green"));
    let refused = start(&wasm, config("green")).err();
    assert!(matches!(refused, Some(LoadError::Refused { .. })));
}

#[test]
fn http_auth_lets_through_what_the_service_allows_and_denies_the_rest() {
    let test = "http_auth_lets_through_what_the_service_allows_and_denies_the_rest";
    let Some(mut guest) = started(test, "http_auth", config("")) else {
        return;
    };
    let mut ask = |cluster: &str, ticket: &str| {
        let exchange = Exchange::post("/", "body")
            .with_header("x-cluster", cluster)
            .with_header("x-ticket", ticket);
        let outcome = guest.worker.exchange(&exchange);
        let auth = Started::downstream_header(&outcome, "x-auth");
        (outcome.status(), auth, outcome.upstream.body, guest.told())
    };

    let (status, _, upstream, told) = ask("answers", "200");
    assert_eq!((status, &upstream[..]), (Some(200), &b"body"[..]));
    assert_eq!(told, ["answered 200, answer to GET /status/200"]);

    let (status, auth, upstream, _) = ask("answers", "401");
    assert_eq!((status, auth.as_deref()), (Some(403), Some("401")));
    assert!(upstream.is_empty());

    let (status, auth, ..) = ask("silent", "");
    assert_eq!((status, auth.as_deref()), (Some(403), Some("504")));

    let (status, _, _, told) = ask("empty", "");
    assert_eq!(status, Some(503));
    assert_eq!(told, ["cannot ask empty: InternalFailure"]);
}

#[test]
fn parallel_calls_waits_for_all_of_them() {
    let test = "parallel_calls_waits_for_all_of_them";
    let Some(mut guest) = started(test, "parallel_calls", config("")) else {
        return;
    };

    let outcome = guest.worker.exchange(&Exchange::get("/"));

    assert_eq!(outcome.status(), Some(200));
    let sum = Started::upstream_header(&outcome, "x-sum");
    assert_eq!(sum.as_deref(), Some("15"));
    let told = guest.told();
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(told[3], "15 bytes in all");
}

#[test]
fn properties_are_read_and_one_is_set() {
    let test = "properties_are_read_and_one_is_set";
    let named = PluginConfig {
        root_id: "root".into(),
        vm_id: "vm".into(),
        ..config("")
    };
    let Some(mut guest) = started(test, "properties", named) else {
        return;
    };
    let plugin = [
        "plugin_name is probe",
        "plugin_root_id is root",
        "plugin_vm_id is vm",
    ];
    assert_eq!(guest.told(), plugin);

    let exchange = Exchange::get("/a?b=c").with_header("x-a", "1");
    let outcome = guest.worker.exchange(&exchange);

    let told = guest.told();
    let stream = ["GET /a?b=c as HTTP/1.1", "x-a is 1", "there is none"];
    assert_eq!(told, stream);
    let header = |name| Started::downstream_header(&outcome, name);
    assert_eq!(header("x-code").as_deref(), Some("Some(200)"));
    assert_eq!(header("x-verdict").as_deref(), Some("GET is fine"));
    let verdict = outcome.filter_state("wasm.verdict");
    assert_eq!(verdict, Some(&b"GET is fine"[..]));
}

#[test]
fn shared_data_counts_across_workers() {
    let test = "shared_data_counts_across_workers";
    let Some(wasm) = guest_or_skip(test, "shared_data") else {
        return;
    };
    let mut guest = start(&wasm, config("")).unwrap();
    let plugin = weir_host::Plugin::load(&guest.host, &wasm, config("")).unwrap();
    let mut other = plugin.worker().unwrap();

    let numbers = [
        guest.worker.exchange(&Exchange::get("/")),
        other.exchange(&Exchange::get("/")),
        guest.worker.exchange(&Exchange::get("/")),
    ]
    .map(|outcome| Started::upstream_header(&outcome, "x-number").unwrap());

    assert_eq!(numbers, ["1", "2", "3"]);
    assert_eq!(guest.told(), ["request 1", "request 2", "request 3"]);
}
