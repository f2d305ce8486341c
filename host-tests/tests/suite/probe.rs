use serde_json::{Value, json};
use weir_host::{Exchange, Host, LoadError, Message, Outcome, Plugin, PluginConfig, Worker};

use crate::fixture::{config, host, messages};
use crate::guests::{guest_or_skip, start};

fn worker_with(host: &Host, wasm: &[u8], config: PluginConfig) -> Worker {
    Plugin::load(host, wasm, config).unwrap().worker().unwrap()
}

/// What the probe said, without the VM's number.
fn said(outcome: &Outcome) -> Vec<&str> {
    let lines = messages(&outcome.log).into_iter();
    lines
        .map(|line| &line[line.find('|').unwrap() + 1..])
        .collect()
}

/// Lines of a stream that follows `script`, between its creation and its log.
fn run(wasm: &[u8], root: &Value, script: &Value) -> Vec<String> {
    let mut worker = worker_with(&host(), wasm, config(&root.to_string()));
    let exchange = Exchange::get("/")
        .with_header("x-id", "7")
        .with_header("x-script", &script.to_string());
    let outcome = worker.exchange(&exchange);
    let lines = said(&outcome).into_iter().map(str::to_owned);
    let mut lines: Vec<String> = lines.skip(1).collect();
    let end = lines.iter().position(|line| line == "s7|> log").unwrap();
    lines.truncate(end);
    lines
}

#[test]
fn the_probe_does_what_the_streams_script_says() {
    let Some(wasm) = guest_or_skip("the_probe_does_what_the_streams_script_says", "probe") else {
        return;
    };
    let script = json!({
        "request_headers": [{"do": [
            {"get_header_map_value": [0, ":path"]},
            {"get_header_map_value": [0, "x-b"]},
            {"add_header_map_value": [0, "x-b", {"hex": "c3a9"}]},
            {"get_header_map_value": [0, "x-b"]},
            {"get_header_map_pairs": [0]},
            {"get_current_time_nanoseconds": []},
            {"log": [6, "refused"]},
        ]}],
        "response_headers": [{"do": [{"replace_header_map_value": [2, ":status", "418"]}]}],
    });

    let lines = run(&wasm, &json!({}), &script);

    assert_eq!(
        lines,
        [
            "s7|> request_headers 7 1",
            r#"s7|get_header_map_value 0 ":path" -> 0 "/""#,
            r#"s7|get_header_map_value 0 "x-b" -> 1"#,
            r#"s7|add_header_map_value 0 "x-b" "\xc3\xa9" -> 0"#,
            r#"s7|get_header_map_value 0 "x-b" -> 0 "\xc3\xa9""#,
            r"s7|get_header_map_pairs 0 -> 0 [:authority: api.example, :path: /, :method: GET, :scheme: http, x-forwarded-proto: http, x-id: *, x-script: *, x-b: \xc3\xa9]",
            "s7|get_current_time_nanoseconds -> 0 time",
            r#"s7|log 6 "refused" -> 2"#,
            "s7|> response_headers 2 1",
            r#"s7|replace_header_map_value 2 ":status" "418" -> 0"#,
        ]
    );
}

#[test]
fn odd_calls_are_reported_and_the_next_one_is_made() {
    let Some(wasm) = guest_or_skip("odd_calls_are_reported_and_the_next_one_is_made", "probe")
    else {
        return;
    };
    let script = json!({"request_headers": [{"do": [
        {"nothing": []}, {"log": [2]}, {"log": [2, "a", 3]}, {"log": ["$odd", "a"]}, {"log": 5}, 7, {},
        {"raw": ["proxy_log", 1]}, {"raw": []}, {"wasi": ["nothing"]}, {"grow": []},
        {"set_header_map_pairs": [0, [["a"]]]},
        {"done": []},
    ]}]});

    let lines = run(&wasm, &json!({}), &script);

    let bad = |name: &str| format!("s7|bad call {name}");
    assert_eq!(lines[1], bad("nothing"));
    assert_eq!(lines[2..6], [(); 4].map(|()| bad("log")));
    assert_eq!(
        lines[6..8],
        [(); 2].map(|()| "s7|bad call: no map of one name")
    );
    assert_eq!(
        lines[8..13],
        ["raw", "raw", "wasi", "grow", "set_header_map_pairs"].map(bad)
    );
    assert_eq!(lines[13], "s7|done -> 1");
}

#[test]
fn root_callbacks_follow_the_configuration_and_streams_without_a_script_too() {
    let test = "root_callbacks_follow_the_configuration_and_streams_without_a_script_too";
    let Some(wasm) = guest_or_skip(test, "probe") else {
        return;
    };
    let root = json!({
        "configure": [{"do": [{"define_metric": [0, "m"]}, {"set_shared_data": ["k", "v", 0]}]}],
        "context_create": [{"do": [{"increment_metric": ["$metric", 3]}]}],
        "request_headers": [{"do": [
            {"get_metric": ["$metric"]},
            {"get_shared_data": ["k"]},
            {"set_shared_data": ["k", "w", "$cas"]},
            {"send_local_response": [429, "no", {"repeat": ["ab", 151]}, [["a", "b"]], -1]},
        ], "return": 1}],
    });
    let mut worker = worker_with(&host(), &wasm, config(&root.to_string()));

    let outcome = worker.exchange(&Exchange::get("/"));

    let lines = said(&outcome);
    assert_eq!(
        lines[..3],
        [
            "c2|> context_create 2 1",
            "c2|increment_metric 4 3 -> 0",
            "c2|> request_headers 5 1"
        ]
    );
    assert_eq!(lines[3], "c2|get_metric 4 -> 0 3");
    assert!(
        lines[4].starts_with(r#"c2|get_shared_data "k" -> 0 "v" "#),
        "{lines:?}"
    );
    assert!(lines[5].ends_with("-> 0"), "{lines:?}");
    let body = format!("\"{}\".. 302 ", "ab".repeat(150));
    assert!(
        lines[6].starts_with(&format!(r#"c2|send_local_response 429 "no" {body}"#)),
        "{lines:?}"
    );
    assert!(lines[6].ends_with(" [a: b] -1 -> 0"), "{lines:?}");
    assert_eq!(outcome.status(), Some(429));
}

#[test]
fn a_body_can_be_read_visit_by_visit_and_replaced() {
    let Some(wasm) = guest_or_skip("a_body_can_be_read_visit_by_visit_and_replaced", "probe")
    else {
        return;
    };
    let script = json!({"response_body": [
        {"do": [{"get_buffer_bytes": [1, 0, 9]}], "return": 1},
        {"do": [{"set_buffer_bytes": [1, 0, 4, "new"]}, {"get_buffer_status": [1]}]},
    ]});
    let exchange = Exchange::get("/")
        .answered_by(Message::response(200, "body"))
        .with_header("x-script", &script.to_string());

    let outcome = worker_with(&host(), &wasm, config("")).exchange(&exchange);

    let lines = said(&outcome);
    let body: Vec<&&str> = lines
        .iter()
        .skip_while(|line| !line.contains("response_body"))
        .collect();
    assert_eq!(*body[0], "c2|> response_body 4 0");
    assert_eq!(*body[1], r#"c2|get_buffer_bytes 1 0 9 -> 0 "body""#);
    assert_eq!(*body[2], "c2|> response_body 4 1");
    assert_eq!(*body[3], r#"c2|set_buffer_bytes 1 0 4 "new" -> 0"#);
    assert_eq!(*body[4], "c2|get_buffer_status 1 -> 0 3 0");
}

#[test]
fn raw_arguments_and_wasi_are_passed_on() {
    let Some(wasm) = guest_or_skip("raw_arguments_and_wasi_are_passed_on", "probe") else {
        return;
    };
    let script = json!({"request_headers": [{"do": [
        {"raw": ["proxy_log", 2, 4_294_967_295_u32, 10]},
        {"raw": ["proxy_get_header_map_value", 0, "x-b", "out", "out"]},
        {"wasi": ["random_get", 70_000]},
        {"wasi": ["clock_time_get", 0]},
        {"wasi": ["fd_write", 1, "text\n"]},
        {"wasi": ["path_open", "file"]},
        {"wasi": ["environ_get"]},
        {"wasi": ["proc_exit", 3]},
        {"grow": [20_000]},
    ]}]});
    let environment = PluginConfig {
        environment: vec![("A".into(), "b".into())],
        ..config("")
    };
    let mut worker = worker_with(&host(), &wasm, environment);
    let exchange = Exchange::get("/").with_header("x-script", &script.to_string());

    let outcome = worker.exchange(&exchange);

    let lines: Vec<&str> = messages(&outcome.log)
        .into_iter()
        .map(|line| line.rsplit('|').next().unwrap())
        .skip(2)
        .take(11)
        .collect();
    assert_eq!(
        lines,
        [
            "raw proxy_log 2 4294967295 10 -> 6",
            r#"raw proxy_get_header_map_value 0 "x-b" out out -> 1 777 777"#,
            "wasi random_get 70000 -> 28",
            "wasi clock_time_get 0 -> 0 time",
            "text",
            r#"wasi fd_write 1 "text\x0a" -> 0 5"#,
            r#"wasi path_open "file" -> 44"#,
            r#"wasi environ_get -> 0 "A=b""#,
            "wasi proc_exit 3",
            "wasi proc_exit 3 -> returned",
            "grow 20000 -> -1",
        ]
    );
}

#[test]
fn every_way_to_die_kills_the_vm() {
    let Some(wasm) = guest_or_skip("every_way_to_die_kills_the_vm", "probe") else {
        return;
    };
    for death in [
        json!({"trap": []}),
        json!({"loop": []}),
        json!({"recurse": []}),
        json!({"allocate": [2_000_000_000]}),
    ] {
        let script = json!({"request_headers": [{"do": [death]}]}).to_string();
        let mut worker = worker_with(&host(), &wasm, config(""));

        let outcome = worker.exchange(&Exchange::get("/").with_header("x-script", &script));

        assert!(worker.failure().is_some(), "{script}");
        // A proxy whose guest never comes back never answers.
        let status = (!script.contains("loop")).then_some(503);
        assert_eq!(outcome.status(), status, "{script}");
    }
}

#[test]
fn the_environment_speaks_in_initialize_and_the_vms_configuration_in_vm_start() {
    let test = "the_environment_speaks_in_initialize_and_the_vms_configuration_in_vm_start";
    let Some(wasm) = guest_or_skip(test, "probe") else {
        return;
    };
    let initialize = json!({
        "initialize": [{"do": [{"log": [2, "early"]}]}],
        "context_create": [{"do": [{"wasi": ["sched_yield"]}]}],
    });
    let plugin = |answer: u32| PluginConfig {
        environment: vec![("PROBE".into(), initialize.to_string())],
        vm_configuration: json!({"vm_start": [{"return": answer}]})
            .to_string()
            .into_bytes(),
        ..config("")
    };

    let told = start(&wasm, plugin(1)).unwrap().told();

    let lines: Vec<&str> = told
        .iter()
        .map(|line| line.split_once('|').map_or(line.as_str(), |(_, line)| line))
        .collect();
    assert_eq!(
        lines,
        [
            "r0|> initialize",
            "early",
            r#"r0|log 2 "early" -> 0"#,
            "r1|> context_create 1 0",
            "r1|wasi sched_yield -> 0",
            "r1|> vm_start 27",
            "r1|> configure 0",
        ]
    );
    let refused = start(&wasm, plugin(0)).err();
    assert!(matches!(
        refused,
        Some(LoadError::Refused {
            call: "proxy_on_vm_start",
            ..
        })
    ));
}
