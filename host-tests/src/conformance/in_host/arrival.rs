//! Messages as Envoy's connection manager and codecs hand them to filters.
//!
//! Over HTTP/2 a filter sees headers in the sender's order and each DATA frame by itself. Over HTTP/1.1 pseudo
//! headers have an order of their own, pieces that come in one read are one, and the end comes separately.
use crate::header_map::HeaderMap;
use crate::inline_headers::Kind;
use crate::scenario::{Ending, MessageSpec, Protocol};
use crate::stream::Stream;

/// A message on its way to the filter.
pub(super) struct Arrival {
    head: HeaderMap,
    ends_with_head: bool,
    pieces: Vec<(Vec<u8>, bool)>,
    trailers: Option<HeaderMap>,
}

impl Arrival {
    /// A request; `ends` is false for a client that never sends the end.
    pub(super) fn of_request(message: &MessageSpec, protocol: Protocol, ends: bool) -> Self {
        let mut pairs = message.request_headers();
        if protocol == Protocol::Http1 {
            for name in [":method", ":path", ":authority"] {
                move_to_front(&mut pairs, name);
            }
            move_behind_method(&mut pairs);
            pairs.retain(|(name, _)| name != "transfer-encoding" && name != "host");
        }
        join_cookies(&mut pairs);
        pairs.push(("x-forwarded-proto".to_owned(), "http".to_owned()));
        Self::new(message, Kind::Request, pairs, protocol, ends)
    }
    /// A response; `ends` is false for an upstream that breaks off.
    pub(super) fn of_response(message: &MessageSpec, protocol: Protocol, ends: bool) -> Self {
        let mut pairs = message.response_headers();
        let told = pairs
            .iter()
            .any(|(name, _)| name == "content-length" || name == "transfer-encoding");
        if protocol == Protocol::Http1 && !told {
            let (name, value) = match message.ends_with_headers() {
                true => ("content-length", "0"),
                false => ("transfer-encoding", "chunked"),
            };
            pairs.push((name.to_owned(), value.to_owned()));
        }
        join_cookies(&mut pairs);
        Self::new(message, Kind::Response, pairs, protocol, ends)
    }
    fn new(
        message: &MessageSpec,
        kind: Kind,
        pairs: Vec<(String, String)>,
        protocol: Protocol,
        ends: bool,
    ) -> Self {
        let mut pieces = message.pieces();
        let mut separately = message.ends == Ending::Separately;
        if protocol == Protocol::Http1 {
            separately = !pieces.is_empty();
            pieces = match pieces.concat() {
                joined if joined.is_empty() => Vec::new(),
                joined => vec![joined],
            };
        }
        let trailers = !message.trailers.is_empty();
        let ends_with_head = ends && !trailers && pieces.is_empty() && !separately;
        let last = pieces.len().saturating_sub(1);
        let with_last = ends && !trailers && !separately;
        let mut pieces: Vec<_> = pieces
            .into_iter()
            .enumerate()
            .map(|(index, piece)| (piece, with_last && index == last))
            .collect();
        if ends && !trailers && separately {
            pieces.push((Vec::new(), true));
        }
        Self {
            head: header_map(kind, pairs),
            ends_with_head,
            pieces,
            trailers: (ends && trailers)
                .then(|| header_map(Kind::Trailers, message.trailers.clone())),
        }
    }
    /// Delivers it as a request.
    pub(super) fn as_request(&self, stream: &mut Stream<'_>) {
        stream.request_headers(&self.head, self.ends_with_head);
        for (piece, ends) in &self.pieces {
            stream.request_body(piece, *ends);
        }
        if let Some(trailers) = &self.trailers {
            stream.request_trailers(trailers);
        }
    }
    /// Delivers it as a response.
    pub(super) fn as_response(&self, stream: &mut Stream<'_>) {
        stream.response_headers(&self.head, self.ends_with_head);
        for (piece, ends) in &self.pieces {
            stream.response_body(piece, *ends);
        }
        if let Some(trailers) = &self.trailers {
            stream.response_trailers(trailers);
        }
    }
}

fn move_to_front(pairs: &mut Vec<(String, String)>, name: &str) {
    if let Some(at) = pairs.iter().position(|(own, _)| own == name) {
        let pair = pairs.remove(at);
        pairs.insert(0, pair);
    }
}

/// `:scheme` is what the connection manager itself adds.
fn move_behind_method(pairs: &mut Vec<(String, String)>) {
    let place = |name: &str| pairs.iter().position(|(own, _)| own == name);
    if let (Some(scheme), Some(method)) = (place(":scheme"), place(":method"))
        && method < scheme
    {
        let pair = pairs.remove(scheme);
        pairs.insert(method + 1, pair);
    }
}

fn header_map(kind: Kind, pairs: Vec<(String, String)>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.add(kind, name.as_bytes(), value.as_bytes());
    }
    map
}

/// Over HTTP/2 cookies may come in crumbs; Envoy puts them together behind the other headers.
fn join_cookies(pairs: &mut Vec<(String, String)>) {
    let is_cookie = |(name, _): &(String, String)| name == "cookie";
    let crumbs: Vec<&str> = pairs
        .iter()
        .filter(|pair| is_cookie(pair))
        .map(|(_, value)| value.as_str())
        .collect();
    if crumbs.is_empty() {
        return;
    }
    let cookie = crumbs.join("; ");
    pairs.retain(|pair| !is_cookie(pair));
    pairs.push(("cookie".to_owned(), cookie));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arrival: &Arrival) -> Vec<String> {
        let name = |(name, _): (&[u8], _)| String::from_utf8_lossy(name).into_owned();
        arrival.head.iter().map(name).collect()
    }

    #[test]
    fn http1_has_its_own_order_joins_pieces_and_ends_separately() {
        let message = MessageSpec {
            headers: vec![
                ("x-a".into(), "b".into()),
                ("transfer-encoding".into(), "chunked".into()),
            ],
            body: vec!["ab".into(), "c".into()],
            ..MessageSpec::default()
        };

        let one = Arrival::of_request(&message, Protocol::Http1, true);
        let two = Arrival::of_request(&message, Protocol::Http2, true);

        let (authority, path) = (":authority".to_owned(), ":path".to_owned());
        assert_eq!(
            names(&one)[..4],
            [authority, path, ":method".into(), ":scheme".into()]
        );
        assert_eq!(names(&one)[4..], ["x-a", "x-forwarded-proto"]);
        assert_eq!(one.pieces, [(b"abc".to_vec(), false), (Vec::new(), true)]);
        assert_eq!(two.pieces, [(b"ab".to_vec(), false), (b"c".to_vec(), true)]);
    }

    #[test]
    fn a_message_without_an_end_ends_nowhere() {
        let message = MessageSpec {
            trailers: vec![("x-t".into(), "1".into())],
            ..MessageSpec::default()
        };

        let arrival = Arrival::of_request(&message, Protocol::Http2, false);

        assert!(!arrival.ends_with_head && arrival.pieces.is_empty() && arrival.trailers.is_none());
        let whole = Arrival::of_request(&message, Protocol::Http2, true);
        assert!(!whole.ends_with_head && whole.trailers.is_some());
    }
}
