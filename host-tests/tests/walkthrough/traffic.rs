//! Clients that never stop asking, over both protocols: 400 accounts alike, and a program that sends more.
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinHandle;
use weir_envoy::client::{Client, Request};

use crate::PATIENCE;

const ACCOUNTS: usize = 400;
const CLIENTS: usize = 4;
/// Of so many requests one is the program's.
const ONE_IN: usize = 8;
/// Between an answer and the next request of a client. Slow enough that the page's limits mean something.
const PAUSE: Duration = Duration::from_millis(15);

pub(crate) struct Traffic {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Traffic {
    pub(crate) fn start(proxy: SocketAddr) -> Self {
        let (stop, answered) = <(Arc<AtomicBool>, Arc<AtomicUsize>)>::default();
        let client = |number| {
            tokio::spawn(client(
                number,
                proxy,
                Arc::clone(&stop),
                Arc::clone(&answered),
            ))
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self {
            stop,
            answered,
            clients,
        }
    }

    /// Waits until so many more requests were answered.
    pub(crate) async fn flows(&self, requests: usize) {
        let (began, until) = (
            Instant::now(),
            self.answered.load(Ordering::Relaxed) + requests,
        );
        while self.answered.load(Ordering::Relaxed) < until {
            assert!(began.elapsed() < PATIENCE, "traffic stands still");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What failed: anything but an answer from the upstream or a refusal for a budget, whole.
    pub(crate) async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut failed = Vec::new();
        for client in self.clients {
            failed.extend(client.await.unwrap());
        }
        failed
    }
}

async fn client(
    number: usize,
    proxy: SocketAddr,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
) -> Vec<String> {
    let mut client = if number.is_multiple_of(2) {
        Client::http1(proxy)
    } else {
        Client::http2(proxy)
    };
    let body = json!({"model": "m-large", "messages": [{"role": "user", "content": "Which herbs go with lentils?"}]});
    let mut failed = Vec::new();
    for turn in 0_usize.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let account = if turn.is_multiple_of(ONE_IN) {
            "batch".to_owned()
        } else {
            format!("a-{}", (turn * CLIENTS + number) % ACCOUNTS)
        };
        let request =
            Request::post_json("/v1/chat/completions", &body).header("x-account-id", &account);
        let outcome = match tokio::time::timeout(PATIENCE, client.send(request)).await {
            Ok(Ok(response)) => {
                let status = response.status();
                let whole = response.bytes().await.is_ok();
                (whole && matches!(status, 200 | 429))
                    .then_some(())
                    .ok_or(format!("{status}, whole: {whole}"))
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer".to_owned()),
        };
        failed.extend(outcome.err().map(|why| format!("{account}: {why}")));
        answered.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
    }
    failed
}
