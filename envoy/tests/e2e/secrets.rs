//! Prompts and credentials stay where they are: in the request.
use std::path::Path;

use serde_json::{Value, json};
use weir_envoy::client::{Client, Request};

use crate::programs;
use crate::setup::{Api, PATIENCE, Weir, budget, policy, send, status};

const SECRET: &str = "MARKER-7f3a";

/// A request with the marker in every place where people put what nobody else should read.
fn marked(api: Api) -> Value {
    let prompt = format!("remember {SECRET} and run the tests");
    let mut body = match api {
        Api::OpenAi => json!({"model": "m", "user": SECRET, "messages": [
            {"role": "system", "content": prompt},
            {"role": "user", "content": [{"type": "text", "text": prompt}]},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function",
                "function": {"name": "run", "arguments": format!("{{\"x\":\"{SECRET}\"}}")}}]},
            {"role": "tool", "tool_call_id": "1", "content": prompt}]}),
        Api::Anthropic => json!({"model": "m", "max_tokens": 9, "metadata": {"user_id": SECRET},
            "system": prompt, "messages": [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "run",
                "input": {"x": SECRET}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1",
                "content": prompt}]}]}),
    };
    body[SECRET] = json!(SECRET);
    body
}

fn keyed(request: Request) -> [Request; 3] {
    let key = format!("sk-{SECRET}");
    [
        request
            .clone()
            .header("authorization", format!("Bearer {key}")),
        request.clone().header("x-api-key", &key),
        request.header("api-key", &key),
    ]
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[tokio::test]
async fn prompts_and_credentials_appear_in_no_log_metric_dump_or_file() {
    let kept = tempfile::tempdir().unwrap();
    let policy = policy(|policy| {
        policy["inspection"]["maxBody"] = json!("4KiB");
        policy["budgets"] = budget("requests", 9);
        policy["capabilities"]["planning"] =
            json!({"anyOf": [{"phrases": {"of": ["run the tests"]}}]});
        policy["tiers"] = json!([{"name": "basic", "grants": ["planning"]}]);
    });
    let weir = Weir::start_with(programs!(), &policy, |options| {
        options.dir = Some(kept.path().to_owned());
    })
    .await;
    let mut admin = Client::http1(weir.envoy.admin_addr());
    let louder = Request::method("POST", "/logging?wasm=trace");
    assert_eq!(status(&mut admin, louder).await, 200);

    let mut statuses = Vec::new();
    for mut client in weir.clients() {
        for api in Api::BOTH {
            let whole = marked(api);
            let mut streamed = whole.clone();
            streamed["stream"] = json!(true);
            let mut with_tool = whole.clone();
            with_tool["tools"] = api.with_tool()["tools"].clone();
            with_tool["tools"][0]["description"] = json!(SECRET);
            let mut large = whole.clone();
            large["pad"] = json!(SECRET.repeat(1_000));
            let cut = whole.to_string().replace("\"messages\"", "\"messages\":[");
            for request in [
                Request::post_json(api.path(), &whole).in_pieces_of(13),
                Request::post_json(api.path(), &streamed),
                Request::post_json(api.path(), &with_tool),
                Request::post_json(api.path(), &large),
                Request::post(api.path(), cut),
                Request::post_json(api.path(), &whole).header("content-encoding", SECRET),
                Request::post_json(api.path(), &whole).header("x-mock-status", "500"),
                Request::post_json(&format!("/v1/other?key={SECRET}")[..], &whole),
            ] {
                for request in keyed(request) {
                    let response = send(&mut client, request).await;
                    statuses.push(response.status());
                    let headers = format!("{:?}", response.headers());
                    let body = response.bytes().await.unwrap();
                    assert!(!headers.contains(SECRET), "{headers}");
                    let own = !body
                        .windows(SECRET.len())
                        .any(|part| part == SECRET.as_bytes());
                    assert!(
                        own,
                        "an answer repeats it: {}",
                        String::from_utf8_lossy(&body)
                    );
                }
            }
        }
    }
    for expected in [200, 400, 403, 413, 415, 429, 500] {
        assert!(
            statuses.contains(&expected),
            "no {expected} among {statuses:?}"
        );
    }

    let decisions = weir
        .envoy
        .wait_for_decisions(statuses.len(), PATIENCE)
        .await
        .unwrap();
    weir.envoy
        .wait_for_access(statuses.len(), PATIENCE)
        .await
        .unwrap();
    let account = decisions[0]["account"].as_str().unwrap();
    assert!(account.starts_with("key-"), "{account}");
    assert!(
        decisions.iter().all(|one| one["account"] == account),
        "one key, one account"
    );
    for path in [
        "/stats",
        "/stats/prometheus",
        "/stats/recentlookups",
        "/config_dump",
        "/clusters",
        "/listeners",
        "/server_info",
        "/certs",
    ] {
        let answer = send(&mut admin, Request::get(path)).await;
        let text = String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned();
        assert!(!text.contains(SECRET), "{path} tells");
    }
    let files = files(kept.path());
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        let line = text.lines().find(|line| line.contains(SECRET));
        assert_eq!(line, None, "{}", file.display());
    }
}
