//! What was seen of a stream of our host, as a client, an upstream and an access log tell it.
use crate::conformance::normal;
use crate::header_map::HeaderMap;
use crate::outcome::{End, Outcome, Sent};
use crate::scenario::{Protocol, ProxySpec, Received, ReceivedEnd, Seen};

/// A stream that was closed; `is_head` if its method was `HEAD`.
pub(super) fn of(outcome: Outcome, spec: &ProxySpec, is_head: bool) -> Seen {
    let code = outcome.status().unwrap_or(0);
    let details = match outcome.details.as_str() {
        "" if code == 0 => "-",
        "" if outcome.answered_locally => "",
        "" => "via_upstream",
        details => details,
    };
    let end = match outcome.end {
        End::Complete => ReceivedEnd::Complete,
        End::Reset => ReceivedEnd::Reset,
        End::Stranded(_) | End::Left => ReceivedEnd::Stranded,
    };
    let mut downstream = received(outcome.downstream, spec.downstream, end);
    if is_head {
        downstream.body.clear();
    }
    Seen {
        code,
        details: details.replace(' ', "_"),
        upstream: outcome
            .upstream
            .complete
            .then(|| received(outcome.upstream, spec.upstream, ReceivedEnd::Complete)),
        downstream,
    }
}

fn received(sent: Sent, protocol: Protocol, end: ReceivedEnd) -> Received {
    Received {
        headers: normal::headers(pairs(&sent.headers), protocol),
        body: String::from_utf8_lossy(&sent.body).into_owned(),
        trailers: sent
            .trailers
            .as_ref()
            .map(|trailers| normal::trailers(pairs(trailers))),
        end,
    }
}

fn pairs(map: &HeaderMap) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    map.iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}
