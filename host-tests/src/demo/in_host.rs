//! The script in our own host, where no Envoy can be had: the same `.wasm`, the same mock upstream.
use super::script::Caller;
use super::{Answer, Report, Tally, message_of};
use crate::replay::plugin::settle;
use crate::weir::{DECISION, plugin_config};
use crate::{HeaderMap, Host, HostConfig, Plugin, Worker};
use std::io::Write;
use std::path::Path;
use weir_engine::time::Timestamp;
use weir_envoy::client::{Client, Request};
use weir_envoy::mock::Mock;

/// Workers, as Envoy gets in the demo.
const WORKERS: usize = 2;

/// Runs the script; `now` tells the time, `progress` is called after each exchange. Files go to `dir`.
///
/// # Errors
/// The plugin is refused or traps, the mock cannot be reached, a file cannot be written.
pub async fn run(
    callers: &[Caller],
    wasm: &Path,
    policy_json: String,
    dir: &Path,
    now: impl Fn() -> Timestamp,
    progress: impl Fn(),
) -> anyhow::Result<Report> {
    let mock = Mock::start().await?;
    let mut upstream = Client::http1(mock.addr());
    let host = Host::new(HostConfig {
        start: now(),
        ..HostConfig::default()
    })?;
    let plugin = Plugin::load(&host, &std::fs::read(wasm)?, plugin_config(&policy_json))?;
    let mut workers = (0..WORKERS)
        .map(|_| plugin.worker())
        .collect::<Result<Vec<_>, _>>()?;
    std::fs::create_dir_all(dir)?;
    let mut tallies = vec![Tally::default(); callers.len()];
    let mut decisions = Vec::new();
    let mut turn = 0;
    for (caller, tally) in callers.iter().zip(&mut tallies) {
        for ask in &caller.asks {
            turn += 1;
            let Some(worker) = workers.get_mut(turn % WORKERS) else {
                continue;
            };
            let time = now();
            if worker.next_tick().is_some_and(|due| due <= time) {
                worker.tick(time);
            }
            worker.set_now(time);
            let (answer, decision) =
                exchange(worker, &mut upstream, caller, ask.path, &ask.body, turn).await?;
            tally.count(answer);
            decisions.push(decision);
            progress();
        }
    }
    for worker in &mut workers {
        settle(worker);
    }
    let log = dir.join("decisions.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&log)?);
    for decision in &decisions {
        writeln!(file, "{decision}")?;
    }
    file.flush()?;
    let metrics = dir.join("metrics.txt");
    let stats: String = host
        .stats()
        .iter()
        .map(|(name, stat)| {
            format!(
                "{name}: {stat}
"
            )
        })
        .collect();
    std::fs::write(&metrics, stats)?;
    Ok(Report {
        host: "wasm".to_owned(),
        tallies,
        decisions,
        files: vec![("decision_log", log), ("metrics", metrics)],
    })
}

async fn exchange(
    worker: &mut Worker,
    upstream: &mut Client,
    caller: &Caller,
    path: &'static str,
    body: &str,
    turn: usize,
) -> anyhow::Result<(Answer, serde_json::Value)> {
    let mut headers = HeaderMap::from([
        (":method", "POST"),
        (":path", path),
        (":authority", "demo"),
        (":scheme", "http"),
        ("x-forwarded-proto", "http"), // Envoy adds it, and its router asks for it
        ("content-type", "application/json"),
    ]);
    headers.append("x-request-id", turn.to_string());
    for (name, value) in &caller.identity {
        headers.append(name, value);
    }
    let mut stream = worker.stream();
    stream.request_headers(&headers, false);
    stream.request_body(body.as_bytes(), true);
    if stream.request_is_complete() {
        let mut request =
            Request::post(path, body.to_owned()).header("content-type", "application/json");
        for (name, value) in &caller.identity {
            request = request.header(*name, value);
        }
        let response = upstream.send(request).await?;
        let mut headers = HeaderMap::from([(":status", response.status().to_string())]);
        for (name, value) in response.headers() {
            headers.append(name.as_str(), value.as_bytes());
        }
        stream.response_headers(&headers, false);
        stream.response_body(&response.bytes().await?, true);
    }
    let outcome = stream.close();
    if let Some(failure) = worker.failure() {
        anyhow::bail!("the plugin's VM failed: {failure}");
    }
    let status = outcome
        .status()
        .ok_or_else(|| anyhow::anyhow!("the stream ended without an answer: {:?}", outcome.end))?;
    let message = message_of(&outcome.downstream.body);
    let decision = outcome
        .filter_state(DECISION)
        .ok_or_else(|| anyhow::anyhow!("the plugin left no decision"))?;
    Ok((
        Answer { status, message },
        serde_json::from_slice(decision)?,
    ))
}
