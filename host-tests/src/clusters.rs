//! The clusters that guests can call, and how each behaves.
//!
//! Nothing is ever connected to: what a cluster says is a function of what it is asked, so a run
//! can be repeated. Envoy's own answers (503, 504) have the texts of Envoy 1.40.
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::exchange::Message;
use crate::grpc_service::{GrpcService, ProbeService};
use crate::header_map::HeaderMap;

/// Answers a whole request.
pub type Answer = dyn Fn(&Message) -> Message + Send + Sync;

/// What a cluster does with a call.
#[derive(Clone)]
pub enum Reaction {
    /// Answers it.
    Answers(Arc<Answer>),
    /// Speaks gRPC.
    Serves(Arc<dyn GrpcService>),
    /// Nothing listens: the guest gets Envoy's 503.
    Refuses,
    /// Closes the connection when it has the request: the guest gets Envoy's 503.
    Resets,
    /// Never answers: the guest gets Envoy's 504 at its timeout, and nothing without one.
    Silent,
    /// The cluster has no hosts: the call fails at once and nothing is called back.
    Empty,
}

/// A cluster.
#[derive(Clone)]
pub struct Cluster {
    /// What it does.
    pub reaction: Reaction,
    /// Virtual time from the call to what it does; 0 is "as soon as nothing else is to be done".
    pub latency: Duration,
}

impl Cluster {
    /// A cluster without latency.
    pub const fn that(reaction: Reaction) -> Self {
        Self {
            reaction,
            latency: Duration::ZERO,
        }
    }
    /// A cluster that answers every request by `answer`.
    pub fn answering(answer: impl Fn(&Message) -> Message + Send + Sync + 'static) -> Self {
        Self::that(Reaction::Answers(Arc::new(answer)))
    }
    /// The same, later.
    #[must_use]
    pub const fn after(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }
}

/// Clusters by name; a call of any other name fails.
#[derive(Clone)]
pub struct Clusters(BTreeMap<String, Cluster>);

impl Clusters {
    /// No cluster at all.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }
    /// The same with `cluster` under `name`, in place of another of that name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, cluster: Cluster) -> Self {
        self.0.insert(name.into(), cluster);
        self
    }
    /// The cluster of that name.
    pub fn get(&self, name: &[u8]) -> Option<&Cluster> {
        self.0.get(std::str::from_utf8(name).ok()?)
    }
}

impl Default for Clusters {
    /// The clusters of the stage in a real Envoy: `answers`, `refuses`, `silent`, `resets`, `empty`, `grpc`.
    fn default() -> Self {
        Self::none()
            .with("answers", Cluster::answering(probe_answer))
            .with("refuses", Cluster::that(Reaction::Refuses))
            .with("silent", Cluster::that(Reaction::Silent))
            .with("resets", Cluster::that(Reaction::Resets))
            .with("empty", Cluster::that(Reaction::Empty))
            .with(
                "grpc",
                Cluster::that(Reaction::Serves(Arc::new(ProbeService))),
            )
    }
}

impl fmt::Debug for Clusters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// `/status/NNN` is answered with that status, `/bytes/N` with N letters, `/trailers` with a trailer.
fn probe_answer(request: &Message) -> Message {
    let text = |name: &str| {
        String::from_utf8_lossy(request.headers.get(name).unwrap_or_default()).into_owned()
    };
    let (method, path) = (text(":method"), text(":path"));
    let number = |prefix: &str| -> Option<usize> { path.strip_prefix(prefix)?.parse().ok() };
    let status = number("/status/").unwrap_or(200);
    let mut body = match number("/bytes/") {
        Some(bytes) => (b'a'..=b'z').cycle().take(bytes).collect(),
        None => format!("answer to {method} {path}").into_bytes(),
    };
    let bodiless = method == "HEAD" || status == 204 || status == 304;
    let trailers = (path == "/trailers").then(|| HeaderMap::from([("x-trailer", "yes")]));
    let mut headers = HeaderMap::from([(":status", status.to_string())]);
    if trailers.is_some() {
        headers.append("transfer-encoding", "chunked");
    } else if status != 204 {
        headers.append("content-length", body.len().to_string());
    }
    headers.append("x-callout", "yes");
    if bodiless {
        body.clear();
    }
    Message {
        headers,
        body,
        trailers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &str, path: &str) -> Message {
        let headers = HeaderMap::from([(":method", method), (":path", path)]);
        probe_answer(&Message::new(headers, ""))
    }

    #[test]
    fn a_probe_answer_tells_what_was_asked() {
        let plain = ask("GET", "/a");
        assert_eq!(plain.body, b"answer to GET /a");
        assert_eq!(plain.headers.get("content-length"), Some(&b"16"[..]));

        assert_eq!(
            ask("GET", "/status/418").headers.get(":status"),
            Some(&b"418"[..])
        );
        assert_eq!(
            ask("GET", "/bytes/28").body,
            b"abcdefghijklmnopqrstuvwxyzab"
        );
        assert!(ask("GET", "/trailers").trailers.is_some());
        assert!(ask("HEAD", "/a").body.is_empty());
    }
}
