//! Exchanges as Envoy's HTTP tap filter records them: `HttpBufferedTrace` as JSON.
//!
//! Shape from Envoy's `data/tap/v3/http.proto` and `common.proto`, printed with the proto's own
//! field names; the lowerCamelCase of other proto printers is accepted too. Bodies are base64
//! (`as_bytes`) or text (`as_string`).
use super::error::TraceProblem;
use super::json::{Headers, Text, lower};
use super::line::{TraceLine, TraceResponse, status, without};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use weir_engine::time::Timestamp;

#[derive(Deserialize)]
#[serde(expecting = "an object with `http_buffered_trace`")]
struct Wrapper<'a> {
    #[serde(borrow, alias = "httpBufferedTrace")]
    http_buffered_trace: Option<Buffered<'a>>,
    #[serde(alias = "httpStreamedTraceSegment")]
    http_streamed_trace_segment: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `request` and `response`")]
struct Buffered<'a> {
    #[serde(borrow)]
    request: Message<'a>,
    #[serde(borrow, default)]
    response: Option<Message<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `headers` and `body`")]
struct Message<'a> {
    #[serde(borrow, default)]
    headers: Vec<Header<'a>>,
    #[serde(borrow, default)]
    body: Option<Body<'a>>,
    #[serde(borrow, default, alias = "headersReceivedTime")]
    headers_received_time: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `key` and `value`")]
struct Header<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    #[serde(borrow, default)]
    value: Option<Text<'a>>,
    /// Where Envoy puts what is not UTF-8, in base64.
    #[serde(borrow, default, alias = "rawValue")]
    raw_value: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `as_bytes` or `as_string`")]
struct Body<'a> {
    #[serde(borrow, default, alias = "asBytes")]
    as_bytes: Option<Text<'a>>,
    #[serde(borrow, default, alias = "asString")]
    as_string: Option<Text<'a>>,
    #[serde(default)]
    truncated: bool,
}

/// Whether the first line of a recording, complete or not, is the tap filter's.
pub(super) fn begins(first_line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        #[serde(
            alias = "httpBufferedTrace",
            alias = "http_streamed_trace_segment",
            alias = "httpStreamedTraceSegment"
        )]
        http_buffered_trace: Option<IgnoredAny>,
    }
    match serde_json::from_slice::<Probe>(first_line) {
        Ok(probe) => probe.http_buffered_trace.is_some(),
        // A trace line is an object on its own line; an object that only begins here was printed for people.
        Err(error) => {
            error.is_eof()
                && (first_line.trim_ascii() == b"{"
                    || first_line.windows(16).any(|window| {
                        window.starts_with(b"\"http_")
                            || window.starts_with(b"\"httpBuffered")
                            || window.starts_with(b"\"httpStreamed")
                    }))
        }
    }
}

/// Reads one tap record.
pub(super) fn parse(record: &str) -> Result<TraceLine<'_>, TraceProblem> {
    let wrapper: Wrapper<'_> =
        serde_json::from_str(record).map_err(|error| TraceProblem::from_json(&error))?;
    if wrapper.http_streamed_trace_segment.is_some() {
        return Err(TraceProblem::Streamed);
    }
    let Buffered { request, response } =
        wrapper.http_buffered_trace.ok_or(TraceProblem::Field {
            field: "`http_buffered_trace`",
            what: "is missing: other kinds of tap recordings hold no HTTP exchange",
        })?;
    let received = request.headers_received_time;
    let headers = headers(request.headers)?;
    let answer = response.map(answer).transpose()?;
    let time = time(received, answer.as_ref())?;
    let method = find(&headers, ":method").ok_or(TraceProblem::Field {
        field: "`:method`",
        what: "is missing in the request's headers",
    })?;
    let path = find(&headers, ":path").ok_or(TraceProblem::Field {
        field: "`:path`",
        what: "is missing in the request's headers",
    })?;
    let (body, body_cut) = body(request.body)?;
    Ok(TraceLine {
        time,
        method,
        path,
        headers: without(headers, &[":method", ":path"]),
        body,
        body_cut,
        response: answer,
    })
}

fn answer(message: Message<'_>) -> Result<TraceResponse<'_>, TraceProblem> {
    let headers = headers(message.headers)?;
    let code = find(&headers, ":status")
        .and_then(|text| text.parse().ok())
        .ok_or(TraceProblem::Field {
            field: "`:status`",
            what: "must be a number among the response's headers",
        })?;
    let (body, body_cut) = body(message.body)?;
    Ok(TraceResponse {
        status: status(code)?,
        headers: without(headers, &[":status"]),
        body,
        body_cut,
    })
}

fn time(
    received: Option<Text<'_>>,
    answer: Option<&TraceResponse<'_>>,
) -> Result<Timestamp, TraceProblem> {
    if let Some(Text(received)) = received {
        return Timestamp::parse_rfc3339(&received).ok_or(TraceProblem::Field {
            field: "`headers_received_time`",
            what: "must be RFC 3339",
        });
    }
    // To the second, and a moment late; better than refusing the recordings of older configurations.
    answer
        .and_then(|answer| find(&answer.headers, "date"))
        .and_then(|date| http_date(&date))
        .ok_or(TraceProblem::NoTime)
}

/// The point that an HTTP date names (RFC 9110, `Wed, 22 Apr 2026 08:00:00 GMT`).
fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_weekday, date) = text.split_once(", ")?;
    let parts: Vec<&str> = date.split(' ').collect();
    let [day, month, year, clock, "GMT"] = parts[..] else {
        return None;
    };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    Timestamp::parse_rfc3339(&format!("{year}-{month:02}-{day}T{clock}Z"))
}

fn headers(headers: Vec<Header<'_>>) -> Result<Headers<'_>, TraceProblem> {
    headers
        .into_iter()
        .map(|header| {
            let value = match (header.value, header.raw_value) {
                (Some(Text(value)), _) => value,
                (None, Some(raw)) => {
                    Cow::Owned(String::from_utf8_lossy(&base64(&raw.0)?).into_owned())
                }
                (None, None) => Cow::Borrowed(""),
            };
            Ok((lower(header.key.0), value))
        })
        .collect()
}

fn find<'a>(headers: &Headers<'a>, wanted: &str) -> Option<Cow<'a, str>> {
    headers
        .iter()
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.clone())
}

fn body(body: Option<Body<'_>>) -> Result<(Cow<'_, [u8]>, bool), TraceProblem> {
    let Some(body) = body else {
        return Ok((Cow::Borrowed(&[]), false));
    };
    let bytes = match (body.as_string, body.as_bytes) {
        (Some(Text(Cow::Borrowed(text))), _) => Cow::Borrowed(text.as_bytes()),
        (Some(Text(Cow::Owned(text))), _) => Cow::Owned(text.into_bytes()),
        (None, Some(encoded)) => Cow::Owned(base64(&encoded.0)?),
        (None, None) => Cow::Borrowed(&[][..]),
    };
    Ok((bytes, body.truncated))
}

/// Decodes base64, standard or URL-safe alphabet, padded or not, as proto3's JSON allows.
fn base64(text: &str) -> Result<Vec<u8>, TraceProblem> {
    const BAD: TraceProblem = TraceProblem::Field {
        field: "`as_bytes`",
        what: "must be base64",
    };
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for symbol in text.bytes() {
        let sextet = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return Err(BAD),
        };
        bits = (bits << 6 | u32::from(sextet)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    if text.len() % 4 == 1 {
        Err(BAD)
    } else {
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Envoy prints one exchange (JSON_BODY_AS_BYTES, record_headers_received_time).
    const PRINTED: &str = r#"{
 "http_buffered_trace": {
  "request": {
   "headers": [
    {"key": ":authority", "value": "llm.example"},
    {"key": ":path", "value": "/v1/chat/completions"},
    {"key": ":method", "value": "POST"},
    {"key": "x-account-id", "value": "a-17"}
   ],
   "body": {"as_bytes": "eyJtb2RlbCI6Im0ifQ==", "truncated": false},
   "trailers": [],
   "headers_received_time": "2026-04-22T08:00:00.123456789Z"
  },
  "response": {
   "headers": [{"key": ":status", "value": "200"}, {"key": "date", "value": "Wed, 22 Apr 2026 08:00:02 GMT"}],
   "body": {"as_bytes": "e30", "truncated": true},
   "trailers": [],
   "headers_received_time": null
  },
  "downstream_connection": null
 }
}"#;

    #[test]
    fn a_buffered_trace_reads_as_the_exchange_it_records() {
        let line = parse(PRINTED).unwrap();

        assert_eq!(line.time.as_unix_nanos(), 1_776_844_800_123_456_789);
        assert_eq!(
            (&*line.method, &*line.path, &*line.body, line.body_cut),
            (
                "POST",
                "/v1/chat/completions",
                &b"{\"model\":\"m\"}"[..],
                false
            )
        );
        assert_eq!(
            line.headers
                .iter()
                .map(|(name, value)| (&**name, &**value))
                .collect::<Vec<_>>(),
            [(":authority", "llm.example"), ("x-account-id", "a-17")]
        );
        let response = line.response.unwrap();
        assert_eq!(
            (response.status, &*response.body, response.body_cut),
            (200, &b"{}"[..], true)
        );
    }

    #[test]
    fn without_a_recorded_time_the_response_date_counts_and_without_both_it_is_refused() {
        let dated = PRINTED.replace("\"2026-04-22T08:00:00.123456789Z\"", "null");
        let undated = dated.replace("\"date\"", "\"server\"");

        assert_eq!(
            parse(&dated).unwrap().time.as_unix_nanos(),
            1_776_844_802_000_000_000
        );
        assert!(matches!(parse(&undated), Err(TraceProblem::NoTime)));
    }

    #[test]
    fn a_body_as_string_is_read_verbatim() {
        let text = PRINTED.replace(
            "\"as_bytes\": \"eyJtb2RlbCI6Im0ifQ==\"",
            r#""as_string": "{\"model\":\"m\"}""#,
        );

        assert_eq!(&*parse(&text).unwrap().body, b"{\"model\":\"m\"}");
    }

    #[test]
    fn a_streamed_recording_is_refused_with_what_to_change() {
        let problem = parse(r#"{"http_streamed_trace_segment":{"trace_id":"1"}}"#).unwrap_err();

        assert!(problem.help().contains("streaming: false"));
    }

    #[test]
    fn base64_reads_both_alphabets_and_refuses_what_is_neither() {
        for (given, expected) in [
            ("", Some(&b""[..])),
            ("Zg==", Some(b"f")),
            ("Zm9v", Some(b"foo")),
            ("-_8", Some(&[0xfb, 0xff])),
            ("+/8=", Some(&[0xfb, 0xff])),
            ("Z", None),
            ("Zm9v!", None),
        ] {
            assert_eq!(base64(given).ok().as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn the_first_line_tells_the_format() {
        for tap in [
            "{\n",
            r#"{"http_buffered_trace":{}}"#,
            r#"{ "httpBufferedTrace": {"#,
            r#"{"http_streamed_trace_segment":{}}"#,
        ] {
            assert!(begins(tap.as_bytes()), "{tap}");
        }
        for trace in [
            "",
            "not json",
            r#"{"time":"2026"#,
            r#"{"time":"2026-04-22T08:00:00Z","request":{}}"#,
            "[]",
        ] {
            assert!(!begins(trace.as_bytes()), "{trace}");
        }
    }
}
