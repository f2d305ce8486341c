//! Envoy's admin interface, as far as the launcher asks it.
use std::net::SocketAddr;

use serde_json::Value;

use crate::client::{Client, Request};
use crate::error::EnvoyError;
use crate::stats::Stats;

/// Characters of an answer that an error repeats.
const SHOWN: usize = 300;

/// Asks one Envoy; every question is a connection of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admin {
    addr: SocketAddr,
}

impl Admin {
    pub(crate) const fn new(addr: SocketAddr) -> Self {
        Self { addr }
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The body that `path` gives, with its status.
    async fn get(&self, path: &str) -> Result<(u16, String), EnvoyError> {
        let failed = |source| EnvoyError::Admin {
            path: path.to_owned(),
            source,
        };
        let mut client = Client::http1(self.addr);
        let response = client.send(Request::get(path)).await.map_err(failed)?;
        let status = response.status();
        let body = response.bytes().await.map_err(failed)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// The body of a path that must succeed.
    pub(crate) async fn text(&self, path: &str) -> Result<String, EnvoyError> {
        match self.get(path).await? {
            (200, body) => Ok(body),
            (_, answer) => Err(strange(path, &answer)),
        }
    }

    pub(crate) async fn json(&self, path: &str) -> Result<Value, EnvoyError> {
        let body = self.text(path).await?;
        serde_json::from_str(&body).map_err(|_| strange(path, &body))
    }

    /// Whether the server is past its initialization.
    pub(crate) async fn is_live(&self) -> Result<bool, EnvoyError> {
        Ok(self.get("/ready").await?.0 == 200)
    }

    /// Where the first listener is bound, once there is one.
    pub(crate) async fn listener(&self) -> Result<Option<SocketAddr>, EnvoyError> {
        Ok(self.listeners().await?.first().map(|(_, addr)| *addr))
    }

    /// Every listener's name and where it is bound.
    pub(crate) async fn listeners(&self) -> Result<Vec<(String, SocketAddr)>, EnvoyError> {
        let listeners = self.json("/listeners?format=json").await?;
        let statuses = listeners.get("listener_statuses").and_then(Value::as_array);
        let bound = |status: &Value| {
            let name = status.get("name")?.as_str()?.to_owned();
            let bound = status.pointer("/local_address/socket_address")?;
            let host = bound.get("address")?.as_str()?;
            let port = bound.get("port_value")?;
            Some((name, format!("{host}:{port}").parse().ok()?))
        };
        Ok(statuses.into_iter().flatten().filter_map(bound).collect())
    }

    /// Counters and gauges now.
    pub(crate) async fn stats(&self) -> Result<Stats, EnvoyError> {
        self.stats_at("/stats?format=json").await
    }

    /// Those of them whose names match a regular expression, which must need no escape in a URL.
    pub(crate) async fn stats_named(&self, pattern: &str) -> Result<Stats, EnvoyError> {
        self.stats_at(&format!("/stats?format=json&filter={pattern}"))
            .await
    }

    async fn stats_at(&self, path: &str) -> Result<Stats, EnvoyError> {
        let answer = self.json(path).await?;
        Stats::from_json(&answer).ok_or_else(|| strange(path, &answer.to_string()))
    }

    /// The release, `1.40.0`.
    pub(crate) async fn version(&self) -> Result<String, EnvoyError> {
        let path = "/server_info";
        let info = self.json(path).await?;
        let version = info
            .get("version")
            .and_then(Value::as_str)
            .unwrap_or_default();
        // commit/release/tree/build/library
        match version.split('/').nth(1) {
            Some(release) => Ok(release.to_owned()),
            None => Err(strange(path, version)),
        }
    }
}

fn strange(path: &str, answer: &str) -> EnvoyError {
    let answer = answer.chars().take(SHOWN).collect();
    EnvoyError::AdminAnswer {
        path: path.to_owned(),
        answer,
    }
}
