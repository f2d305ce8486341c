//! One recorded exchange, borrowed from its record.
use super::error::TraceProblem;
use super::json::{HeaderObject, Headers, Text, body_bytes};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use weir_engine::time::Timestamp;

/// One recorded exchange, as far as a plugin may see it.
pub struct TraceLine<'a> {
    /// When the request's headers arrived.
    pub time: Timestamp,
    /// `:method`.
    pub method: Cow<'a, str>,
    /// `:path`, query included.
    pub path: Cow<'a, str>,
    /// Names in lower case, in recorded order, `:method` and `:path` excluded.
    pub headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The body's bytes, empty when there was none.
    pub body: Cow<'a, [u8]>,
    /// The recorder kept only the beginning of the body.
    pub body_cut: bool,
    /// `None` where no response came.
    pub response: Option<TraceResponse<'a>>,
}

/// The response of one recorded exchange.
pub struct TraceResponse<'a> {
    /// HTTP status, 100 to 599.
    pub status: u16,
    /// Names in lower case, `:status` excluded.
    pub headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The body's bytes; a stream of server-sent events verbatim.
    pub body: Cow<'a, [u8]>,
    /// The recorder kept only the beginning of the body.
    pub body_cut: bool,
}

// Bodies and headers hold prompts and credentials: neither may reach a log through `{:?}`.
impl fmt::Debug for TraceLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TraceLine")
            .field("time", &self.time)
            .field("method", &self.method)
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TraceResponse<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TraceResponse")
            .field("status", &self.status)
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What the format has; `truth` and anything unknown are passed over without being kept.
#[derive(Deserialize)]
#[serde(expecting = "a recorded exchange")]
struct Exchange<'a> {
    #[serde(borrow)]
    time: Text<'a>,
    #[serde(borrow)]
    request: Request<'a>,
    #[serde(borrow, default)]
    response: Option<Response<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `method`, `path`, `headers` and `body`")]
struct Request<'a> {
    #[serde(borrow)]
    method: Text<'a>,
    #[serde(borrow)]
    path: Text<'a>,
    #[serde(borrow, default)]
    headers: HeaderObject<'a>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `status`, `headers` and `body`")]
struct Response<'a> {
    status: u16,
    #[serde(borrow, default)]
    headers: HeaderObject<'a>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

/// Reads one line of Weir's own format.
pub(super) fn parse(record: &str) -> Result<TraceLine<'_>, TraceProblem> {
    let exchange: Exchange<'_> =
        serde_json::from_str(record).map_err(|error| TraceProblem::from_json(&error))?;
    let time = Timestamp::parse_rfc3339(&exchange.time.0).ok_or(TraceProblem::Field {
        field: "`time`",
        what: "must be RFC 3339, like 2026-04-22T08:00:00.123Z",
    })?;
    let request = exchange.request;
    let response = exchange
        .response
        .map(|response| -> Result<_, TraceProblem> {
            Ok(TraceResponse {
                status: status(response.status)?,
                headers: without(response.headers.0, &[":status"]),
                body: body_bytes(response.body)?,
                body_cut: false,
            })
        })
        .transpose()?;
    Ok(TraceLine {
        time,
        method: request.method.0,
        path: request.path.0,
        headers: without(request.headers.0, &[":method", ":path"]),
        body: body_bytes(request.body)?,
        body_cut: false,
        response,
    })
}

/// `headers` less the names in `dropped`.
pub(super) fn without<'a>(mut headers: Headers<'a>, dropped: &[&str]) -> Headers<'a> {
    headers.retain(|(name, _)| !(name.starts_with(':') && dropped.contains(&&**name)));
    headers
}

/// A status that a response can have.
pub(super) fn status(status: u16) -> Result<u16, TraceProblem> {
    if (100..=599).contains(&status) {
        Ok(status)
    } else {
        Err(TraceProblem::Field {
            field: "`response.status`",
            what: "must be between 100 and 599",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = r#"{"time":"2026-04-22T08:00:00.123Z","request":{"method":"POST","path":"/v1/chat/completions","headers":{"Authorization":"Bearer sk-1","x-account-id":"a-17","via":["a","b"]},"body":{"model":"m-large", "messages":[]}},"response":{"status":200,"headers":{"content-type":"text/event-stream"},"body":"data: {\"a\":1}\n\n"},"truth":{"campaign":"hydra-TRUTH","kind":"attack"}}"#;

    #[test]
    fn a_line_reads_as_the_exchange_it_records() {
        let line = parse(EXAMPLE).unwrap();

        assert_eq!(line.time.as_unix_nanos(), 1_776_844_800_123_000_000);
        assert_eq!(
            (&*line.method, &*line.path),
            ("POST", "/v1/chat/completions")
        );
        assert_eq!(
            line.headers
                .iter()
                .map(|(name, value)| (&**name, &**value))
                .collect::<Vec<_>>(),
            [
                ("authorization", "Bearer sk-1"),
                ("x-account-id", "a-17"),
                ("via", "a"),
                ("via", "b")
            ]
        );
        assert_eq!(&*line.body, br#"{"model":"m-large", "messages":[]}"#);
        let response = line.response.unwrap();
        assert_eq!(
            (response.status, &*response.body),
            (200, &b"data: {\"a\":1}\n\n"[..])
        );
    }

    #[test]
    fn an_object_body_and_plain_headers_are_borrowed() {
        let line = parse(EXAMPLE).unwrap();

        assert!(matches!(line.body, Cow::Borrowed(_)));
        assert!(matches!(
            line.headers[1],
            (Cow::Borrowed(_), Cow::Borrowed(_))
        ));
    }

    #[test]
    fn truth_is_nowhere_in_what_a_plugin_may_see() {
        let TraceLine {
            time: _,
            method,
            path,
            headers,
            body,
            body_cut: _,
            response,
        } = parse(EXAMPLE).unwrap();
        let TraceResponse {
            status: _,
            headers: answer_headers,
            body: answer,
            body_cut: _,
        } = response.unwrap();

        let mut seen = [method.as_bytes(), path.as_bytes(), &body, &answer].concat();
        for (name, value) in headers.iter().chain(&answer_headers) {
            seen.extend_from_slice(name.as_bytes());
            seen.extend_from_slice(value.as_bytes());
        }

        assert!(!String::from_utf8(seen).unwrap().contains("TRUTH"));
    }

    #[test]
    fn debug_output_holds_neither_prompt_nor_credential() {
        let line = parse(EXAMPLE).unwrap();

        let debug = format!("{line:?}");

        assert!(
            !debug.contains("sk-1") && !debug.contains("m-large") && !debug.contains("data:"),
            "{debug}"
        );
    }

    #[test]
    fn an_absent_body_and_an_absent_response_are_allowed() {
        let line = parse(
            r#"{"time":"2026-04-22T08:00:00Z","request":{"method":"GET","path":"/v1/models"}}"#,
        )
        .unwrap();

        assert!(line.body.is_empty() && line.headers.is_empty() && line.response.is_none());
    }

    #[test]
    fn a_bad_line_says_what_is_wrong_with_it() {
        for (given, expected) in [
            ("", "the trace ends in the middle of a record"),
            ("{\"time\":", "the trace ends in the middle of a record"),
            (
                "[]",
                "expected a recorded exchange (column 2 of the record)",
            ),
            (
                r#"{"time":"yesterday","request":{"method":"GET","path":"/"}}"#,
                "`time` must be RFC 3339, like 2026-04-22T08:00:00.123Z",
            ),
            (
                r#"{"time":"2026-04-22T08:00:00Z"}"#,
                "missing field `request` (column 31 of the record)",
            ),
            (
                r#"{"time":"2026-04-22T08:00:00Z","request":"secret prompt"}"#,
                "expected an object with `method`, `path`, `headers` and `body` (column 56 of the record)",
            ),
            (
                r#"{"time":"2026-04-22T08:00:00Z","request":{"method":"GET","path":"/"},"response":{"status":99}}"#,
                "`response.status` must be between 100 and 599",
            ),
        ] {
            assert_eq!(parse(given).unwrap_err().to_string(), expected, "{given}");
        }
    }

    #[test]
    fn a_body_nested_a_hundred_thousand_deep_is_passed_on_unread() {
        let body = "[".repeat(100_000) + &"]".repeat(100_000);
        let record = format!(
            r#"{{"time":"2026-04-22T08:00:00Z","request":{{"method":"POST","path":"/","body":{body}}}}}"#
        );

        assert_eq!(&*parse(&record).unwrap().body, body.as_bytes());
    }
}
