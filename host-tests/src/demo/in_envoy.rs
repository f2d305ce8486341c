//! The script in a real Envoy: mock upstream behind it, HTTP clients in front of it.
use super::script::Caller;
use super::{Answer, Report, Tally, message_of};
use std::path::Path;
use std::time::Duration;
use tokio::task::JoinSet;
use weir_envoy::client::{Client, Request};
use weir_envoy::mock::Mock;
use weir_envoy::{Envoy, EnvoyOptions};

/// How long Envoy may take to write the last decisions.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs the script; `progress` is called after each exchange. Files stay in `dir`.
///
/// # Errors
/// Envoy does not start or ends, a connection breaks, a file cannot be written.
pub async fn run(
    callers: &[Caller],
    envoy: &Path,
    wasm: &Path,
    policy_json: String,
    dir: &Path,
    progress: impl Fn() + Clone + Send + 'static,
) -> anyhow::Result<Report> {
    let mock = Mock::start().await?;
    let mut options = EnvoyOptions::new(envoy, wasm, policy_json, mock.addr());
    options.dir = Some(dir.to_path_buf());
    let envoy = Envoy::start(options).await?;
    let mut tasks = JoinSet::new();
    for (index, caller) in callers.iter().enumerate() {
        for connection in 0..caller.connections {
            let caller = caller.clone();
            let progress = progress.clone();
            // Every other connection speaks HTTP/2.
            let mut client = if connection % 2 == 0 {
                Client::http1(envoy.listen_addr())
            } else {
                Client::http2(envoy.listen_addr())
            };
            tasks.spawn(async move {
                let mut tally = Tally::default();
                for ask in caller
                    .asks
                    .iter()
                    .skip(connection)
                    .step_by(caller.connections)
                {
                    let mut request = Request::post(ask.path, ask.body.clone())
                        .header("content-type", "application/json");
                    for (name, value) in &caller.identity {
                        request = request.header(*name, value);
                    }
                    let response = client.send(request).await?;
                    let status = response.status();
                    let body = response.bytes().await?;
                    tally.count(Answer {
                        status,
                        message: message_of(&body),
                    });
                    progress();
                }
                anyhow::Ok((index, tally))
            });
        }
    }
    let mut tallies = vec![Tally::default(); callers.len()];
    while let Some(done) = tasks.join_next().await {
        let (index, part) = done??;
        if let Some(tally) = tallies.get_mut(index) {
            for (status, count) in part.statuses {
                *tally.statuses.entry(status).or_default() += count;
            }
            tally.first_refusal = tally.first_refusal.take().or(part.first_refusal);
        }
    }
    let exchanges: u64 = tallies.iter().map(Tally::exchanges).sum();
    let decisions = envoy
        .wait_for_decisions(usize::try_from(exchanges)?, PATIENCE)
        .await?;
    wait_for_metrics(&envoy, exchanges).await?;
    let metrics = dir.join("metrics.prom");
    std::fs::write(&metrics, envoy.prometheus().await?)?;
    let files = vec![
        ("decision_log", envoy.decision_log_path().to_path_buf()),
        ("access_log", envoy.access_log_path().to_path_buf()),
        ("metrics", metrics),
        ("envoy_log", envoy.log_path().to_path_buf()),
    ];
    Ok(Report {
        host: format!("envoy {}", envoy.version()),
        tallies,
        decisions,
        files,
    })
}

/// The plugin reports its metrics every few seconds: waits until they tell of every exchange.
async fn wait_for_metrics(envoy: &Envoy, exchanges: u64) -> anyhow::Result<()> {
    let until = tokio::time::Instant::now() + PATIENCE;
    while envoy.stats().await?.sum("weir_exchanges", &[]) < exchanges {
        anyhow::ensure!(
            tokio::time::Instant::now() < until,
            "metrics do not tell of every exchange within {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
