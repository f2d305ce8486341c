//! One stream, both ends of it: an upstream that sends an event when told, and the client that reads it.
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long an event may take before it counts as held back.
const PATIENCE: Duration = Duration::from_secs(10);
/// Deltas of reasoning, and as many of text.
const DELTAS: usize = 100;
/// What every delta of reasoning says, and nothing else.
const REASONING: &str = "because of";

/// The two ends.
pub(crate) struct Stream {
    upstream: TcpStream,
    client: TcpStream,
}

/// One event that arrived.
pub(crate) struct Step {
    pub(crate) first_byte: Duration,
    pub(crate) shows_reasoning: bool,
}

/// A message with thinking and text, event by event.
pub(crate) fn events() -> Vec<String> {
    let usage = json!({"input_tokens": 100, "output_tokens": 1});
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m-large", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage});
    let block = |index: u32, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let delta = |index: u32, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let stop = |index: u32| json!({"type": "content_block_stop", "index": index});

    let mut events = vec![json!({"type": "message_start", "message": message})];
    events.push(block(
        0,
        json!({"type": "thinking", "thinking": "", "signature": ""}),
    ));
    for number in 0..DELTAS {
        let thinking = format!(" {REASONING} {number}");
        events.push(delta(
            0,
            json!({"type": "thinking_delta", "thinking": thinking}),
        ));
    }
    events.push(delta(
        0,
        json!({"type": "signature_delta", "signature": "c2lnbmF0dXJl"}),
    ));
    events.push(stop(0));
    events.push(block(1, json!({"type": "text", "text": ""})));
    for number in 0..DELTAS {
        events.push(delta(
            1,
            json!({"type": "text_delta", "text": format!(" the weir {number}")}),
        ));
    }
    events.push(stop(1));
    events.push(
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
        "usage": {"output_tokens": 2 * DELTAS}}),
    );
    events.push(json!({"type": "message_stop"}));
    events
        .iter()
        .map(|event| {
            format!(
                "event: {}\ndata: {event}\n\n",
                event["type"].as_str().unwrap_or_default()
            )
        })
        .collect()
}

impl Stream {
    /// Asks `server` for a stream, which asks `upstream` for it.
    pub(crate) fn open(server: SocketAddr, upstream: &TcpListener, plan: &str) -> io::Result<Self> {
        let body = json!({"model": "m-large", "max_tokens": 4096, "stream": true,
            "thinking": {"type": "enabled", "budget_tokens": 2048}, "messages": [{"role": "user", "content": "Hello"}]});
        let body = body.to_string();
        let mut client = ready(TcpStream::connect(server)?)?;
        let request = format!(
            "POST /v1/messages HTTP/1.1\r\nhost: weir\r\nx-account-id: a\r\nx-plan: {plan}\r\n\
            content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        client.write_all(request.as_bytes())?;
        let mut upstream = ready(upstream.accept()?.0)?;
        read_until(&mut upstream, |read| read.ends_with(body.as_bytes()))?;
        upstream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")?;
        read_until(&mut client, |read| read.ends_with(b"\r\n\r\n"))?;
        Ok(Self { upstream, client })
    }

    /// Sends one event and waits until all of it has arrived.
    pub(crate) fn step(&mut self, event: &str) -> io::Result<Step> {
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        let sent = Instant::now();
        self.upstream.write_all(chunk.as_bytes())?;
        let mut first_byte = None;
        // The end of an event is the end of a chunk, here as behind Envoy.
        let read = read_until(&mut self.client, |read| {
            first_byte.get_or_insert_with(|| sent.elapsed());
            read.ends_with(b"\n\n\r\n")
        });
        let read = read.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                io::Error::other(format!("an event was held back: {event}"))
            }
            _ => error,
        })?;
        Ok(Step {
            first_byte: first_byte.unwrap_or_default(),
            shows_reasoning: String::from_utf8_lossy(&read).contains(REASONING),
        })
    }
}

fn ready(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn read_until(
    stream: &mut TcpStream,
    mut is_whole: impl FnMut(&[u8]) -> bool,
) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read.extend(buffer.iter().take(count));
        if is_whole(&read) {
            return Ok(read);
        }
    }
}
