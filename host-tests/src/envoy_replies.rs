//! What Envoy itself says in place of a cluster that says nothing: HTTP answers, and ends of gRPC calls.
use crate::exchange::Message;
use crate::header_map::HeaderMap;

/// A reply that Envoy makes up for a callout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply {
    status: u16,
    pub(crate) text: &'static str,
    /// Response code details, which end the message of a failed gRPC call.
    details: &'static str,
}

/// The connection was refused.
pub(crate) const REFUSED: Reply = Reply {
    status: 503,
    text: "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
    details: "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}",
};
/// The connection broke before the answer.
pub(crate) const CLOSED: Reply = Reply {
    status: 503,
    text: "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
    details: "upstream_reset_before_response_started{connection_termination}",
};
/// It took too long.
pub(crate) const TIMEOUT: Reply = Reply {
    status: 504,
    text: "upstream request timeout",
    details: "response_timeout",
};
/// The cluster has no hosts.
pub(crate) const NO_HOSTS: Reply = Reply {
    status: 503,
    text: "no healthy upstream",
    details: "no_healthy_upstream",
};

/// gRPC's `Unavailable`, which all of them are.
pub(crate) const UNAVAILABLE: u32 = 14;

impl Reply {
    /// As an HTTP callout gets it.
    pub(crate) fn message(self) -> Message {
        let headers = HeaderMap::from([
            (":status", self.status.to_string()),
            ("content-length", self.text.len().to_string()),
            ("content-type", "text/plain".to_owned()),
        ]);
        Message::new(headers, self.text)
    }
    /// As a gRPC stream gets it: trailers only.
    pub(crate) fn trailers(self) -> HeaderMap {
        HeaderMap::from([
            (":status", "200"),
            ("content-type", "application/grpc"),
            ("grpc-status", "14"),
            ("grpc-message", self.text),
        ])
    }
    /// What `proxy_get_status` says of a gRPC call that ended so.
    pub(crate) fn grpc_message(self) -> String {
        with_details(self.text, self.details)
    }
}

/// A gRPC status message as the guest gets it.
pub(crate) fn with_details(message: &str, details: &str) -> String {
    if message.is_empty() {
        details.to_owned()
    } else {
        format!("{message}{{{details}}}")
    }
}

/// The router's header about how long the upstream took, which comes last.
pub(crate) fn add_service_time(headers: &mut HeaderMap, latency: std::time::Duration) {
    headers.append(
        "x-envoy-upstream-service-time",
        latency.as_millis().to_string(),
    );
}
