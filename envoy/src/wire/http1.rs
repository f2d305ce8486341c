//! HTTP/1.1 by hand: heads, bodies by length or in chunks, trailers.
use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use super::message::{Close, End, Fields, Outgoing, find, text};
use super::tape::Tape;

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Bytes(u64),
    Chunks,
    /// Until the connection ends.
    Rest,
}

/// Which side's message is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Request,
    /// To a HEAD request there is no body, whatever the head says.
    Response {
        to_head: bool,
    },
}

/// The head of the next message, with pseudo headers.
///
/// # Errors
/// The connection's end, or what is no HTTP/1.1.
pub(crate) async fn read_head(
    from: &mut (impl AsyncBufRead + Unpin),
    role: Role,
) -> io::Result<Fields> {
    let first = line(from).await?;
    let mut words = first.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let mut fields = match role {
        Role::Request => vec![(":method".to_owned(), word()), (":path".to_owned(), word())],
        Role::Response { .. } => {
            let _version = word();
            vec![(":status".to_owned(), word())]
        }
    };
    for (name, value) in rest_of_fields(from).await? {
        if role == Role::Request && name.eq_ignore_ascii_case("host") {
            fields.insert(2.min(fields.len()), (":authority".to_owned(), value));
        } else {
            fields.push((name, value));
        }
    }
    Ok(fields)
}

/// Reads the body and trailers that belong to `head` onto the tape; its end, too.
///
/// # Errors
/// The connection ended first, or what came is no HTTP/1.1.
pub(crate) async fn read_body(
    from: &mut (impl AsyncBufRead + Unpin),
    role: Role,
    head: &Fields,
    tape: &Tape,
) -> io::Result<()> {
    match length(role, head)? {
        Length::Bytes(bytes) => copy(from, bytes, tape).await?,
        Length::Rest => loop {
            let piece = from.fill_buf().await?;
            if piece.is_empty() {
                break;
            }
            tape.data(piece);
            let read = piece.len();
            from.consume(read);
        },
        Length::Chunks => {
            loop {
                let size = line(from).await?;
                let size = size.split(';').next().unwrap_or_default().trim();
                match u64::from_str_radix(size, 16) {
                    Ok(0) => break,
                    Ok(bytes) => copy(from, bytes, tape).await?,
                    Err(_) => return Err(malformed("a chunk's size", size)),
                }
                line(from).await?;
            }
            let trailers = rest_of_fields(from).await?;
            if !trailers.is_empty() {
                tape.trailers(trailers);
            }
        }
    }
    tape.end(End::Complete);
    Ok(())
}

fn length(role: Role, head: &Fields) -> io::Result<Length> {
    let status = find(head, ":status").unwrap_or_default();
    if role == (Role::Response { to_head: true }) || matches!(status, "204" | "304") {
        return Ok(Length::Bytes(0));
    }
    if find(head, "transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        return Ok(Length::Chunks);
    }
    match (find(head, "content-length"), role) {
        (Some(bytes), _) => match bytes.parse() {
            Ok(bytes) => Ok(Length::Bytes(bytes)),
            Err(_) => Err(malformed("a length", bytes)),
        },
        (None, Role::Request) => Ok(Length::Bytes(0)),
        (None, Role::Response { .. }) => Ok(Length::Rest),
    }
}

async fn copy(from: &mut (impl AsyncBufRead + Unpin), bytes: u64, tape: &Tape) -> io::Result<()> {
    let mut own = from.take(bytes);
    loop {
        let piece = own.fill_buf().await?;
        if piece.is_empty() {
            break;
        }
        tape.data(piece);
        let read = piece.len();
        own.consume(read);
    }
    match own.limit() {
        0 => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut bytes = Vec::new();
    from.read_until(b'\n', &mut bytes).await?;
    match bytes.strip_suffix(b"\n") {
        Some(line) => Ok(text(line.strip_suffix(b"\r").unwrap_or(line))),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

async fn rest_of_fields(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Fields> {
    let mut fields = Fields::new();
    loop {
        let line = line(from).await?;
        if line.is_empty() {
            return Ok(fields);
        }
        // A line without a colon is written down as a name without a value: somebody sent it.
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        fields.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn malformed(what: &str, given: &str) -> io::Error {
    let message = format!("{given:?} is not {what} in HTTP/1.1");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Everything that is sent of a request or response.
///
/// Without a `content-length`, what has a body or trailers goes in chunks; a response without either says
/// `content-length: 0`, since it would otherwise last until the connection ends.
pub(crate) fn to_bytes(message: &Outgoing) -> Vec<u8> {
    let pseudo = |name| message.header(name).unwrap_or_default();
    let is_response = message.header(":status").is_some();
    let mut bytes = match message.header(":status") {
        Some(status) => format!("HTTP/1.1 {status} {}\r\n", reason(status)),
        None => {
            let (method, path, host) = (pseudo(":method"), pseudo(":path"), pseudo(":authority"));
            format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n")
        }
    }
    .into_bytes();
    for (name, value) in &message.headers {
        if !name.starts_with(':') {
            field(&mut bytes, name, value);
        }
    }
    let told = ["content-length", "transfer-encoding"].map(|name| message.header(name));
    let bodiless = matches!(message.header(":status"), Some("204" | "304"));
    let chunked = match told {
        [None, None] if bodiless => false,
        [None, None] if message.ends_with_headers() => {
            if is_response {
                field(&mut bytes, "content-length", "0");
            }
            false
        }
        [None, None] => {
            field(&mut bytes, "transfer-encoding", "chunked");
            true
        }
        [Some(_), _] => false,
        [None, Some(coding)] => coding.contains("chunked"),
    };
    bytes.extend(b"\r\n");
    for piece in &message.pieces {
        if !chunked {
            bytes.extend(piece);
        } else if !piece.is_empty() {
            bytes.extend(format!("{:x}\r\n", piece.len()).as_bytes());
            bytes.extend(piece);
            bytes.extend(b"\r\n");
        }
    }
    if chunked && matches!(message.close, Close::WithLast | Close::Separately) {
        bytes.extend(b"0\r\n");
        for (name, value) in &message.trailers {
            field(&mut bytes, name, value);
        }
        bytes.extend(b"\r\n");
    }
    bytes
}

fn field(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend(format!("{name}: {value}\r\n").as_bytes());
}

fn reason(status: &str) -> &'static str {
    match status {
        "200" => "OK",
        "404" => "Not Found",
        "503" => "Service Unavailable",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::fields;

    fn post(headers: &[(&str, &str)]) -> Outgoing {
        let mut message =
            Outgoing::head(&[(":method", "POST"), (":path", "/"), (":authority", "a")]);
        message.headers.extend(fields(headers));
        message.pieces = vec![b"one".to_vec(), b"three".to_vec()];
        message
    }

    async fn read(bytes: &[u8], role: Role) -> (Fields, Tape) {
        let mut from = bytes;
        let tape = Tape::default();
        let head = read_head(&mut from, role).await.unwrap();
        if read_body(&mut from, role, &head, &tape).await.is_err() {
            tape.end(End::Reset);
        }
        (head, tape)
    }

    #[tokio::test]
    async fn a_message_in_chunks_with_trailers_arrives_as_it_was() {
        let mut sent = post(&[("x-a", "b")]);
        sent.trailers = fields(&[("x-t", "u")]);

        let (head, tape) = read(&to_bytes(&sent), Role::Request).await;

        assert_eq!(find(&head, ":authority"), Some("a"));
        assert_eq!(find(&head, "transfer-encoding"), Some("chunked"));
        let got = tape.now();
        assert_eq!(got.body, b"onethree");
        assert_eq!(got.trailers, Some(fields(&[("x-t", "u")])));
        assert_eq!(got.end, End::Complete);
    }

    #[tokio::test]
    async fn a_length_that_is_told_is_sent_as_it_is() {
        let sent = to_bytes(&post(&[("content-length", "9")]));

        assert!(sent.ends_with(b"content-length: 9\r\n\r\nonethree"));
        let (_, tape) = read(&sent, Role::Request).await;
        assert_eq!(tape.now().end, End::Reset, "one byte is missing");
    }

    #[tokio::test]
    async fn a_response_without_body_says_so() {
        let sent = to_bytes(&Outgoing::head(&[(":status", "404")]));

        assert_eq!(sent, b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        let (_, tape) = read(&sent, Role::Response { to_head: false }).await;
        assert_eq!(tape.now().end, End::Complete);
    }
}
