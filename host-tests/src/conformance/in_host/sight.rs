//! What was seen of a stream of our host, as a client, an upstream and an access log tell it.
use crate::conformance::normal;
use crate::header_map::HeaderMap;
use crate::outcome::{End, Outcome, Sent, Stranding};
use crate::scenario::{Protocol, ProxySpec, Received, ReceivedEnd, Seen};

/// A stream that was closed; `is_head` if its method was `HEAD`.
pub(super) fn of(outcome: Outcome, spec: &ProxySpec, is_head: bool) -> Seen {
    let code = outcome.code.unwrap_or(0);
    let details = match outcome.details.as_str() {
        // A worker that hangs writes no log.
        _ if outcome.end == End::Stranded(Stranding::WorkerHangs) => "-",
        "" if code == 0 => "-",
        "" if outcome.details_told => "",
        "" => "via_upstream",
        details => details,
    };
    let end = match outcome.end {
        End::Complete => ReceivedEnd::Complete,
        End::Reset => ReceivedEnd::Reset,
        End::Stranded(_) | End::Left => ReceivedEnd::Stranded,
    };
    let lacks = |sent: &Sent, protocol| protocol == Protocol::Http1 && is_short(sent);
    // A client that was promised more than it got still waits.
    let end = match end {
        ReceivedEnd::Complete if !is_head && lacks(&outcome.downstream, spec.downstream) => {
            ReceivedEnd::Stranded
        }
        end => end,
    };
    let whole = outcome.upstream.complete && !lacks(&outcome.upstream, spec.upstream);
    let mut downstream = received(outcome.downstream, spec.downstream, end);
    if is_head {
        downstream.body.clear();
    }
    Seen {
        code,
        details: details.replace(' ', "_"),
        upstream: whole.then(|| received(outcome.upstream, spec.upstream, ReceivedEnd::Complete)),
        downstream,
    }
}

/// Whether less was sent than `content-length` promises.
fn is_short(sent: &Sent) -> bool {
    let promised = sent.headers.get("content-length");
    promised
        .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
        .is_some_and(|promised: usize| promised > sent.body.len())
}

fn received(sent: Sent, protocol: Protocol, end: ReceivedEnd) -> Received {
    Received {
        headers: normal::headers(pairs(&sent.headers), protocol),
        body: String::from_utf8_lossy(&sent.body).into_owned(),
        trailers: sent
            .trailers
            .as_ref()
            .map(|trailers| normal::trailers(pairs(trailers)))
            .filter(|trailers| !trailers.is_empty()),
        end,
    }
}

fn pairs(map: &HeaderMap) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    map.iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}
