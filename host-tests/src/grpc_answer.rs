//! What a caller of gRPC makes of an HTTP response, and of a server's reactions.
use crate::callouts::Event;
use crate::envoy_replies::with_details;
use crate::exchange::Message;
use crate::grpc_service::{GrpcMethod, frames};
use crate::header_map::HeaderMap;
use crate::local_reply::of_http;

/// Where a response came from, in details.
const VIA_UPSTREAM: &str = "via_upstream";
const INTERNAL: u32 = 13;
const UNKNOWN: u32 = 2;

/// A gRPC stream's callbacks for a whole response.
pub(crate) fn events(response: Message) -> Vec<Event> {
    let Message {
        headers,
        body,
        trailers,
    } = response;
    let http_status = number(&headers, ":status").unwrap_or(0);
    let only_headers = body.is_empty() && trailers.is_none();
    if only_headers && headers.get("grpc-status").is_some() {
        return trailers_only(headers);
    }
    let initial = if only_headers {
        HeaderMap::new()
    } else {
        headers.clone()
    };
    let mut events = vec![Event::GrpcInitial(initial)];
    if http_status != 200 {
        events.extend(error(of_http(http_status)));
        return events;
    }
    if only_headers {
        events.pop();
        events.extend(trailers_only(headers));
        return events;
    }
    let (_, Some(messages)) = frames(&body) else {
        events.extend(error(INTERNAL));
        return events;
    };
    events.extend(
        messages
            .into_iter()
            .map(|message| Event::GrpcMessage(message.to_vec())),
    );
    events.extend(end(trailers.unwrap_or_default()));
    events
}

/// A response whose headers are its end.
pub(crate) fn trailers_only(headers: HeaderMap) -> Vec<Event> {
    let mut events = vec![Event::GrpcInitial(HeaderMap::new())];
    events.extend(end(headers));
    events
}

/// The end that `trailers` tell.
pub(crate) fn end(trailers: HeaderMap) -> [Event; 2] {
    let status = number(&trailers, "grpc-status").unwrap_or(UNKNOWN);
    let message = String::from_utf8_lossy(trailers.get("grpc-message").unwrap_or_default());
    let message = with_details(&message, VIA_UPSTREAM);
    [
        Event::GrpcTrailing(trailers),
        Event::GrpcClose { status, message },
    ]
}

/// The callbacks of a unary call: its last message if it ended well, its failure otherwise.
pub(crate) fn unary(events: Vec<Event>) -> Event {
    let mut last = None;
    for event in events {
        match event {
            Event::GrpcMessage(_) => last = Some(event),
            Event::GrpcClose { status: 0, .. } => break,
            Event::GrpcClose { .. } => return event,
            _ => {}
        }
    }
    // Ended well without a message.
    last.unwrap_or(Event::GrpcClose {
        status: INTERNAL,
        message: String::new(),
    })
}

/// What the method says as soon as it is called.
pub(crate) fn greeting(method: &GrpcMethod, headers: HeaderMap) -> Vec<Event> {
    match method {
        GrpcMethod::Echoes { .. } => vec![Event::GrpcInitial(headers)],
        GrpcMethod::Fails { .. } => trailers_only(headers),
    }
}

fn error(status: u32) -> [Event; 2] {
    [
        Event::GrpcTrailing(HeaderMap::new()),
        Event::GrpcClose {
            status,
            message: VIA_UPSTREAM.to_owned(),
        },
    ]
}

fn number(headers: &HeaderMap, name: &str) -> Option<u32> {
    std::str::from_utf8(headers.get(name)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc_service::frame;

    fn close(response: Message) -> (u32, String) {
        match events(response).pop() {
            Some(Event::GrpcClose { status, message }) => (status, message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_response_that_is_no_grpc_is_an_error_by_its_status_or_its_body() {
        let plain = |status, body: &str| close(Message::response(status, body));

        assert_eq!(plain(404, ""), (12, "via_upstream".into()));
        assert_eq!(plain(200, "answer to"), (13, "via_upstream".into()));
    }

    #[test]
    fn a_unary_call_gets_its_message_or_its_failure() {
        let response = |status: &str| Message {
            headers: HeaderMap::from([(":status", "200")]),
            body: frame(b"hi"),
            trailers: Some(HeaderMap::from([
                ("grpc-status", status),
                ("grpc-message", "late"),
            ])),
        };

        assert!(matches!(unary(events(response("0"))), Event::GrpcMessage(m) if m == b"hi"));
        assert!(
            matches!(unary(events(response("5"))), Event::GrpcClose { status: 5, message } if message == "late{via_upstream}")
        );
        assert!(matches!(
            unary(Vec::new()),
            Event::GrpcClose { status: 13, .. }
        ));
    }
}
