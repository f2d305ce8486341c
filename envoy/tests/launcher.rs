//! The launcher, the mock and the client against a real Envoy, with a probe plugin instead of Weir.
//!
//! What the probe proves about Envoy is what the plugin relies on: when filter state must be set to be logged, how
//! metric names become labels, how the configuration arrives, what a reload does.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what tests are built of fails as they do, by panicking"
)]

mod real_envoy;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use weir_envoy::client::{Client, Request};
use weir_envoy::mock::{Mock, Tokens};
use weir_envoy::{Envoy, EnvoyError, EnvoyOptions, ReloadOutcome};

const PATIENCE: Duration = Duration::from_secs(20);
const POLICY: &str = r#"{ "version":  "1", "quote": "\"ü\"" }"#;

struct Setup {
    envoy: Envoy,
    mock: Mock,
    _wasm: TempDir,
}

fn probe() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("probe.wasm");
    std::fs::write(&path, wat::parse_str(include_str!("probe.wat")).unwrap()).unwrap();
    (dir, path)
}

async fn start(binary: PathBuf, change: impl FnOnce(&mut EnvoyOptions)) -> Setup {
    let (dir, wasm) = probe();
    let mock = Mock::start().await.unwrap();
    let mut options = EnvoyOptions::new(binary, wasm, POLICY, mock.addr());
    change(&mut options);
    let envoy = Envoy::start(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    Setup {
        envoy,
        mock,
        _wasm: dir,
    }
}

fn chat() -> Value {
    json!({"model": "m-large", "messages": [{"role": "user", "content": "Hello, weir"}]})
}

fn messages() -> Value {
    json!({"model": "m-large", "max_tokens": 10, "messages": [{"role": "user", "content": "Hello"}]})
}

/// What every test needs of the policy in force: the probe's decision repeats its configuration.
fn version_of(decision: &Value) -> &str {
    decision
        .pointer("/policy/version")
        .and_then(Value::as_str)
        .unwrap()
}

#[tokio::test]
async fn filter_state_set_as_late_as_on_log_reaches_both_access_logs() {
    let Setup {
        envoy,
        mock: _mock,
        _wasm,
    } = start(real_envoy!(), |_| {}).await;
    let mut client = Client::http1(envoy.listen_addr());

    let request = Request::post_json("/v1/chat/completions?key=secret", &chat());
    let response = client
        .send(request.header("authorization", "Bearer secret"))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap();

    let decisions = envoy.wait_for_decisions(1, PATIENCE).await.unwrap();
    let as_configured: Value = serde_json::from_str(POLICY).unwrap();
    assert_eq!(decisions, [json!({"policy": as_configured})]);
    let access = &envoy.wait_for_access(1, PATIENCE).await.unwrap()[0];
    assert_eq!(
        access["decision"],
        format!(r#"{{"policy":{POLICY}}}"#),
        "byte for byte, whitespace kept"
    );
    assert_eq!(access["method"], "POST");
    assert_eq!(access["path"], "/v1/chat/completions");
    assert_eq!(access["response_code"], 200);
    assert_eq!(access["response_code_details"], "via_upstream");
    assert!(
        access["request_id"].is_string() && access["duration_ms"].is_number(),
        "{access}"
    );
    let log = std::fs::read_to_string(envoy.access_log_path()).unwrap();
    assert!(!log.contains("secret"), "{log}");
}

#[tokio::test]
async fn metric_names_become_labels_in_prometheus_and_sums_in_stats() {
    let Setup {
        envoy,
        mock: _mock,
        _wasm,
    } = start(real_envoy!(), |_| {}).await;
    let mut client = Client::http1(envoy.listen_addr());

    for _ in 0..3 {
        let response = client
            .send(Request::post_json("/v1/chat/completions", &chat()))
            .await
            .unwrap();
        response.bytes().await.unwrap();
    }
    envoy.wait_for_decisions(3, PATIENCE).await.unwrap();

    let stats = envoy.stats().await.unwrap();
    let labels = [("endpoint", "openai.chat"), ("tier", "a/b:c-d_e.f")];
    assert_eq!(stats.sum("weir_exchanges", &labels), 3);
    let prometheus = envoy.prometheus().await.unwrap();
    let series = |start: &str| {
        prometheus
            .lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_default()
    };
    let exchanges = series("weir_exchanges{");
    for label in [
        r#"action="allow""#,
        r#"endpoint="openai.chat""#,
        r#"tier="a/b:c-d_e.f""#,
    ] {
        assert!(exchanges.contains(label), "{exchanges}");
    }
    assert!(exchanges.ends_with(" 3"), "{exchanges}");
    assert_eq!(
        series("weir_used_tokens_count{"),
        r#"weir_used_tokens_count{direction="input"} 3"#
    );
    assert_eq!(
        series("weir_used_tokens_bucket{direction=\"input\",le=\"64\"}"),
        "weir_used_tokens_bucket{direction=\"input\",le=\"64\"} 0",
        "token histograms have buckets in powers of four"
    );
}

#[tokio::test]
async fn a_new_policy_serves_new_connections_as_soon_as_it_is_accepted() {
    let Setup {
        envoy,
        mock: _mock,
        _wasm,
    } = start(real_envoy!(), |_| {}).await;
    let before = envoy.listen_addr();
    let mut kept = Client::http1(envoy.listen_addr());
    kept.send(Request::post_json("/v1/messages", &messages()))
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();

    let outcome = envoy.reload(r#"{"version":"2"}"#).await.unwrap();
    let old = kept
        .send(Request::post_json("/v1/messages", &messages()))
        .await
        .unwrap();
    let told = old.header("connection").map(str::to_owned);
    old.bytes().await.unwrap();
    let mut new = Client::http2(envoy.listen_addr());
    new.send(Request::post_json("/v1/messages", &messages()))
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();

    assert_eq!(outcome, ReloadOutcome::Accepted);
    assert_eq!(envoy.listen_addr(), before, "the port stays");
    assert_eq!(
        told.as_deref(),
        Some("close"),
        "an old connection is told to go"
    );
    let decisions = envoy.wait_for_decisions(3, PATIENCE).await.unwrap();
    // The second is the old connection's: the probe, unlike a good plugin, keeps its policy in the VM, which the
    // new root context shares, and so answers with "2" there, too.
    assert_eq!(version_of(&decisions[0]), "1");
    assert_eq!(version_of(&decisions[2]), "2");
}

#[tokio::test]
async fn a_refused_policy_leaves_the_old_one_serving_and_says_why() {
    let Setup {
        envoy,
        mock: _mock,
        _wasm,
    } = start(real_envoy!(), |_| {}).await;

    let refused = envoy.reload("bad").await.unwrap();
    let mut client = Client::http1(envoy.listen_addr());
    client
        .send(Request::post_json("/v1/messages", &messages()))
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let again = envoy.reload(POLICY).await.unwrap();
    let next = envoy.reload(r#"{"version":"3"}"#).await.unwrap();

    let ReloadOutcome::Rejected { reason } = refused else {
        panic!("accepted")
    };
    assert!(
        reason.contains("the probe refuses this configuration"),
        "{reason}"
    );
    let decisions = envoy.wait_for_decisions(1, PATIENCE).await.unwrap();
    assert_eq!(version_of(&decisions[0]), "1");
    assert_eq!(
        (again, next),
        (ReloadOutcome::Accepted, ReloadOutcome::Accepted)
    );
    let stats = envoy.stats().await.unwrap();
    assert_eq!(stats.get("listener_manager.lds.update_rejected"), 1);
}

#[tokio::test]
async fn no_exchange_is_lost_while_policies_are_replaced_under_load() {
    let Setup { envoy, mock, _wasm } = start(real_envoy!(), |_| {}).await;
    let addr = envoy.listen_addr();

    let replaced = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let mut client = if number % 2 == 0 {
                Client::http1(addr)
            } else {
                Client::http2(addr)
            };
            let replaced = Arc::clone(&replaced);
            tokio::spawn(async move {
                let (mut sent, mut left) = (0, 20);
                while left > 0 {
                    let response = client
                        .send(Request::post_json("/v1/messages", &messages()))
                        .await
                        .unwrap();
                    assert_eq!(response.status(), 200);
                    response.bytes().await.unwrap();
                    sent += 1;
                    left -= u64::from(replaced.load(Ordering::Relaxed));
                }
                (sent, client.connections())
            })
        })
        .collect();
    for version in ["2", "3"] {
        let outcome = envoy
            .reload(&json!({"version": version}).to_string())
            .await
            .unwrap();
        assert_eq!(outcome, ReloadOutcome::Accepted);
    }
    replaced.store(true, Ordering::Relaxed);
    let (mut sent, mut connections) = (0, 0);
    for client in clients {
        let (of_this, its) = client.await.unwrap();
        sent += of_this;
        connections += its;
    }

    assert_eq!(mock.count(), sent);
    let decisions = envoy
        .wait_for_decisions(usize::try_from(sent).unwrap(), PATIENCE)
        .await
        .unwrap();
    assert_eq!(decisions.len() as u64, sent);
    assert!(
        connections > 8,
        "reloads fell into the load: {connections} connections"
    );
}

#[tokio::test]
async fn a_large_policy_with_every_kind_of_character_arrives_byte_for_byte() {
    let text = "line\n\ttab \\u0000 quote\" back\\ ${WASM} %PATH% 水 🌊 : # {} \u{85}\u{2028}"
        .repeat(2_000);
    let policy = serde_json::to_string_pretty(&json!({"text": text})).unwrap();
    let Setup {
        envoy,
        mock: _mock,
        _wasm,
    } = start(real_envoy!(), |options| {
        options.policy_json.clone_from(&policy)
    })
    .await;

    let mut client = Client::http1(envoy.listen_addr());
    client
        .send(Request::post_json("/v1/messages", &messages()))
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();

    let access = &envoy.wait_for_access(1, PATIENCE).await.unwrap()[0];
    assert!(
        access["decision"] == format!(r#"{{"policy":{policy}}}"#),
        "the configuration was changed on its way"
    );
}

#[tokio::test]
async fn a_policy_refused_at_the_start_is_an_error_that_says_why() {
    let binary = real_envoy!();
    let (_dir, wasm) = probe();
    let upstream = "127.0.0.1:9".parse().unwrap();

    let error = Envoy::start(EnvoyOptions::new(binary, wasm, "bad", upstream))
        .await
        .unwrap_err();

    assert!(matches!(error, EnvoyError::Refused { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("the probe refuses this configuration"),
        "{error}"
    );
}

#[tokio::test]
async fn a_stream_passes_event_by_event_over_both_protocols() {
    let Setup { envoy, mock, _wasm } = start(real_envoy!(), |_| {}).await;
    let mut body = chat();
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});

    for mut client in [
        Client::http1(envoy.listen_addr()),
        Client::http2(envoy.listen_addr()),
    ] {
        let request = Request::post_json("/v1/chat/completions", &body)
            .header("x-mock-split-bytes", "7")
            .header("x-account-id", "a-1")
            .header("x-forwarded-for", "203.0.113.7")
            .header("accept-encoding", "gzip");
        let events = client.send(request).await.unwrap().events().await.unwrap();

        assert_eq!(events.last().unwrap().data, "[DONE]");
        let text: String = events
            .iter()
            .filter_map(|event| serde_json::from_str::<Value>(&event.data).ok())
            .filter_map(|chunk| Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned()))
            .collect();
        assert!(text.contains("流れる") && text.contains("🌊"), "{text}");
    }
    let served = mock.served();
    assert_eq!(served.len(), 2);
    let sum = served.iter().fold(Tokens::default(), |mut sum, one| {
        sum += one.usage;
        sum
    });
    assert_eq!(mock.tokens_of("a-1"), sum);
    assert!(sum.input > 0 && sum.output == 48, "{sum:?}");
    assert!(
        served
            .iter()
            .all(|one| one.complete && one.header("accept-encoding").is_none())
    );
    let forwarded_for = served[0].header("x-forwarded-for").unwrap();
    assert!(forwarded_for.starts_with("203.0.113.7,"), "{forwarded_for}");
}

#[tokio::test]
async fn a_body_over_the_buffer_limit_is_413_over_both_protocols_and_one_under_it_passes() {
    let Setup { envoy, mock, _wasm } =
        start(real_envoy!(), |options| options.buffer_limit_bytes = 65_535).await;
    let body = |bytes: usize| json!({"model": "m", "messages": [], "pad": "x".repeat(bytes)});

    for mut client in [
        Client::http1(envoy.listen_addr()),
        Client::http2(envoy.listen_addr()),
    ] {
        let small = Request::post_json("/v1/chat/completions", &body(60_000)).in_pieces_of(1_000);
        let small = client.send(small).await.unwrap();
        let status = small.status();
        small.bytes().await.unwrap();
        let large = Request::post_json("/v1/chat/completions", &body(400_000)).in_pieces_of(16_000);
        let large = client.send(large).await.unwrap();

        assert_eq!((status, large.status()), (200, 413));
    }
    assert_eq!(mock.count(), 2, "what was refused never went upstream");
}

#[tokio::test]
async fn a_stream_left_in_the_middle_is_left_upstream_and_still_logged() {
    let Setup { envoy, mock, _wasm } = start(real_envoy!(), |_| {}).await;
    let mut body = messages();
    body["stream"] = json!(true);

    for mut client in [
        Client::http1(envoy.listen_addr()),
        Client::http2(envoy.listen_addr()),
    ] {
        let request = Request::post_json("/v1/messages", &body)
            .header("x-mock-delay-ms", "5")
            .header("x-mock-output-tokens", "5000")
            .header("x-mock-events", "5000");
        let mut response = client.send(request).await.unwrap();
        let first = response.next_event().await.unwrap().unwrap();
        assert_eq!(first.name.as_deref(), Some("message_start"));
        response.abort();
    }

    envoy.wait_for_decisions(2, PATIENCE).await.unwrap();
    for served in mock.served() {
        assert!(!served.complete);
        assert!(
            served.usage.input > 0 && served.usage.output == 0,
            "{:?}",
            served.usage
        );
    }
}

#[tokio::test]
async fn errors_and_broken_streams_of_the_upstream_come_through() {
    let Setup { envoy, mock, _wasm } = start(real_envoy!(), |_| {}).await;
    let mut client = Client::http1(envoy.listen_addr());
    let mut streamed = messages();
    streamed["stream"] = json!(true);

    let failing = Request::post_json("/v1/messages", &messages()).header("x-mock-status", "529");
    let failing = client.send(failing).await.unwrap();
    let unknown = client.send(Request::get("/v1/models")).await.unwrap();
    let breaking =
        Request::post_json("/v1/messages", &streamed).header("x-mock-abort-after-events", "3");

    assert_eq!(failing.status(), 529);
    assert_eq!(
        failing.json().await.unwrap()["error"]["type"],
        "overloaded_error"
    );
    assert_eq!(unknown.status(), 404);
    drop(unknown);
    let mut breaking = client.send(breaking).await.unwrap();
    for name in ["message_start", "content_block_start", "ping"] {
        assert_eq!(
            breaking
                .next_event()
                .await
                .unwrap()
                .unwrap()
                .name
                .as_deref(),
            Some(name)
        );
    }
    assert!(
        breaking.next_event().await.is_err(),
        "an end that is none is not taken for one"
    );
    assert!(!mock.served()[2].complete);
}

#[tokio::test]
async fn nothing_runs_or_stays_after_drop_and_a_kept_directory_starts_anew() {
    let binary = real_envoy!();
    let kept = tempfile::tempdir().unwrap();
    let dir = kept.path().join("run");

    for _ in 0..2 {
        let Setup {
            envoy,
            mock: _mock,
            _wasm,
        } = start(binary.clone(), |options| options.dir = Some(dir.clone())).await;
        assert_eq!(envoy.version(), "1.40.0");
        let mut client = Client::http1(envoy.listen_addr());
        client
            .send(Request::post_json("/v1/messages", &messages()))
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        envoy.wait_for_decisions(1, PATIENCE).await.unwrap();
        let addr = envoy.listen_addr();
        drop(envoy);

        let refused = Client::http1(addr).send(Request::get("/")).await;
        assert!(matches!(
            refused,
            Err(weir_envoy::client::ClientError::Connect { .. })
        ));
        let log = std::fs::read_to_string(dir.join("decisions.jsonl")).unwrap();
        assert_eq!(log.lines().count(), 1, "the run before is gone");
    }
}
