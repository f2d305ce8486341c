//! gRPC servers that clusters of this host offer, and what they say over plain HTTP.
use crate::exchange::Message;
use crate::header_map::HeaderMap;

/// What a method does with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrpcMethod {
    /// Sends back every message as it comes; ends well when the caller has ended.
    Echoes {
        /// Initial metadata beyond what every gRPC answer has.
        initial: Vec<(String, String)>,
        /// Trailing metadata beyond the status.
        trailing: Vec<(String, String)>,
    },
    /// Ends at once with a status and nothing else.
    Fails {
        /// Its number.
        status: u32,
        /// `grpc-message`.
        message: String,
    },
}

/// A gRPC server.
pub trait GrpcService: Send + Sync {
    /// What the method does.
    fn method(&self, service: &str, method: &str) -> GrpcMethod;
}

/// The service `test.Probe` that also stands in a real Envoy's stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProbeService;

impl GrpcService for ProbeService {
    fn method(&self, service: &str, method: &str) -> GrpcMethod {
        let fails = |status, message: &str| GrpcMethod::Fails {
            status,
            message: message.into(),
        };
        let pair = |name: &str| vec![(name.to_owned(), "1".to_owned())];
        match (service, method) {
            ("test.Probe", "Unary" | "Stream") => GrpcMethod::Echoes {
                initial: Vec::new(),
                trailing: Vec::new(),
            },
            ("test.Probe", "Headers") => GrpcMethod::Echoes {
                initial: pair("x-initial"),
                trailing: pair("x-trailing"),
            },
            ("test.Probe", "Fail") => fails(7, "no"),
            _ => fails(12, "no such method"),
        }
    }
}

impl GrpcMethod {
    /// The headers that the server answers with; those of a failure are all that it says.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers =
            HeaderMap::from([(":status", "200"), ("content-type", "application/grpc")]);
        match self {
            Self::Echoes { initial, .. } => headers.extend(initial.iter().cloned()),
            Self::Fails { status, message } => {
                headers.append("grpc-status", status.to_string());
                headers.append("grpc-message", message);
            }
        }
        headers
    }
    /// The trailers after its last message.
    pub(crate) fn trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::from([("grpc-status", "0")]);
        if let Self::Echoes { trailing, .. } = self {
            trailers.extend(trailing.iter().cloned());
        }
        trailers
    }
}

/// What the server answers to a plain HTTP request.
pub(crate) fn over_http(service: &dyn GrpcService, request: &Message) -> Message {
    let path = String::from_utf8_lossy(request.headers.get(":path").unwrap_or_default());
    let (name, method) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or_default();
    let method = service.method(name, method);
    let echoes = matches!(method, GrpcMethod::Echoes { .. });
    Message {
        headers: method.headers(),
        body: if echoes {
            frames(&request.body).0.to_vec()
        } else {
            Vec::new()
        },
        trailers: echoes.then(|| method.trailers()),
    }
}

/// Flag and length in front of a message.
const PREFIX_BYTES: usize = 5;

/// `message` as it goes over the wire.
pub(crate) fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0][..], &length.to_be_bytes(), message].concat()
}

/// The part of `bytes` that is whole messages, and the messages; `None` in their place if what follows is no message.
pub(crate) fn frames(bytes: &[u8]) -> (&[u8], Option<Vec<&[u8]>>) {
    let (mut rest, mut messages) = (bytes, Vec::new());
    let mut whole = 0;
    while let Some((prefix, later)) = rest.split_at_checked(PREFIX_BYTES) {
        let [flag, length @ ..] = prefix else { break };
        if *flag > 1 {
            return (bytes.get(..whole).unwrap_or_default(), None);
        }
        let length = length
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let Some((message, later)) = later.split_at_checked(length) else {
            break;
        };
        messages.push(message);
        whole += PREFIX_BYTES + length;
        rest = later;
    }
    (bytes.get(..whole).unwrap_or_default(), Some(messages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_messages_are_messages() {
        let wire = [frame(b"hi"), vec![0, 0, 0, 0, 9, b'x']].concat();

        let (whole, messages) = frames(&wire);

        assert_eq!(whole, frame(b"hi"));
        assert_eq!(messages, Some(vec![&b"hi"[..]]));
        assert_eq!(frames(b"answer to POST /").1, None);
    }
}
