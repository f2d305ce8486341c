//! Replies that Envoy makes up itself, or a guest by `proxy_send_local_response`.
//!
//! As observed on Envoy 1.40: further headers come first and names are lower-cased; `:status` among them does not count,
//! and a length or a type among them is overwritten in its place. A request whose `content-type` is gRPC's, as it
//! arrived, gets a 200 without a body: status and text become `grpc-status` and `grpc-message`.
use crate::header_map::HeaderMap;
use crate::inline_headers::Kind;

/// A reply before it is fitted to its request.
#[derive(Default)]
pub(crate) struct LocalReply {
    pub(crate) status: u32,
    pub(crate) details: String,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: HeaderMap,
    /// Used for gRPC requests; what the status says in HTTP if absent.
    pub(crate) grpc_status: Option<u32>,
}

/// What of a request decides how a reply to it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestKind {
    pub(crate) grpc: bool,
    pub(crate) head: bool,
}

impl RequestKind {
    /// By the headers as they arrived.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let content_type = headers.get("content-type").unwrap_or_default();
        Self {
            grpc: content_type
                .strip_prefix(b"application/grpc")
                .is_some_and(|rest| rest.is_empty() || rest.first() == Some(&b'+')),
            head: headers.get(":method") == Some(b"HEAD"),
        }
    }
}

impl LocalReply {
    /// Headers and body for a request of that kind.
    pub(crate) fn into_response(self, request: RequestKind) -> (HeaderMap, Vec<u8>) {
        let mut headers = HeaderMap::from([(":status", self.status.to_string())]);
        for (name, value) in self.headers.iter() {
            headers.add(Kind::Response, name, value);
        }
        if request.grpc {
            let status = self.grpc_status.unwrap_or_else(|| of_http(self.status));
            headers.set(":status", "200");
            headers.remove("content-length");
            headers.set_in_place("content-type", "application/grpc");
            if headers.get("grpc-status").is_none() {
                headers.append("grpc-status", status.to_string());
            }
            if !self.body.is_empty() && !request.head {
                headers.set_in_place("grpc-message", percent_encoded(&self.body));
            }
            return (headers, Vec::new());
        }
        headers.set(":status", self.status.to_string());
        if self.body.is_empty() {
            headers.remove("content-length");
            headers.remove("content-type");
        } else {
            headers.set_in_place("content-length", self.body.len().to_string());
            if headers.get("content-type").is_none() {
                headers.append("content-type", "text/plain");
            }
        }
        let body = if request.head { Vec::new() } else { self.body };
        (headers, body)
    }
}

/// gRPC's mapping of HTTP statuses.
pub(crate) fn of_http(status: u32) -> u32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}

/// As a header can carry it: what is no printable ASCII, and the percent sign, as `%XX`.
fn percent_encoded(text: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text {
        match byte {
            b'%' => encoded.push_str("%25"),
            b' '..=b'~' => encoded.push(char::from(*byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(headers: &[(&str, &str)], body: &str) -> LocalReply {
        LocalReply {
            status: 403,
            body: body.into(),
            headers: headers.iter().copied().collect(),
            ..LocalReply::default()
        }
    }

    const GRPC: RequestKind = RequestKind {
        grpc: true,
        head: false,
    };

    #[test]
    fn a_status_of_its_own_does_not_count_and_length_and_type_stay_in_their_places() {
        let own = [
            (":status", "418"),
            ("Content-Type", "application/json"),
            ("content-length", "999"),
            ("x-up", "U"),
            ("X-Up", "V"),
        ];

        let (headers, body) = reply(&own, "{}").into_response(RequestKind::default());

        let expected = HeaderMap::from([
            (":status", "403"),
            ("content-type", "application/json"),
            ("content-length", "2"),
            ("x-up", "U"),
            ("x-up", "V"),
        ]);
        assert_eq!((headers, body), (expected, b"{}".to_vec()));
    }

    #[test]
    fn a_reply_to_head_has_a_length_and_no_body() {
        let head = RequestKind {
            head: true,
            grpc: false,
        };

        let (headers, body) = reply(&[], "body").into_response(head);

        assert_eq!(headers.get("content-length"), Some(&b"4"[..]));
        assert!(body.is_empty());
    }

    #[test]
    fn a_reply_to_grpc_is_trailers_only() {
        let own = [
            ("x-a", "1"),
            ("content-type", "text/html"),
            ("content-length", "9"),
        ];

        let (headers, body) = reply(&own, "a%b\nü\"c").into_response(GRPC);

        let expected = HeaderMap::from([
            (":status", "200"),
            ("x-a", "1"),
            ("content-type", "application/grpc"),
            ("grpc-status", "7"),
            ("grpc-message", "a%25b%0A%C3%BC\"c"),
        ]);
        assert_eq!((headers, body), (expected, Vec::new()));
    }

    #[test]
    fn a_grpc_status_among_the_headers_wins_and_an_empty_text_is_no_message() {
        let with_status = LocalReply {
            grpc_status: Some(5),
            ..reply(&[("grpc-status", "9"), ("grpc-message", "own")], "")
        };

        let (headers, _) = with_status.into_response(GRPC);

        assert_eq!(headers.get("grpc-status"), Some(&b"9"[..]));
        assert_eq!(headers.get("grpc-message"), Some(&b"own"[..]));
    }

    #[test]
    fn only_grpcs_own_types_are_grpc() {
        let is_grpc =
            |content_type| RequestKind::of(&HeaderMap::from([("content-type", content_type)])).grpc;

        assert!(is_grpc("application/grpc") && is_grpc("application/grpc+proto"));
        assert!(!is_grpc("application/grpc-web") && !is_grpc("text/plain"));
    }
}
