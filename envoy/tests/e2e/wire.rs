//! Peers that do what orderly libraries do not: bodies that end in trailers, stop in the middle or never come, and an
//! upstream that waits for the test between its events.
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::client::conn::http2;
use hyper::{HeaderMap, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The sending half of a request body; an error resets the stream, dropping it ends the body in order.
pub(crate) type BodySender = mpsc::UnboundedSender<io::Result<Frame<Bytes>>>;

/// A request body that the test feeds.
pub(crate) struct Fed(mpsc::UnboundedReceiver<io::Result<Frame<Bytes>>>);

impl Body for Fed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context)
    }
}

pub(crate) fn data(bytes: impl Into<Bytes>) -> io::Result<Frame<Bytes>> {
    Ok(Frame::data(bytes.into()))
}

pub(crate) fn trailers() -> io::Result<Frame<Bytes>> {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", "1".parse().unwrap());
    Ok(Frame::trailers(trailers))
}

/// One HTTP/2 connection whose request bodies the test feeds.
pub(crate) struct FedClient {
    addr: SocketAddr,
    sender: http2::SendRequest<Fed>,
}

impl FedClient {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        Self { addr, sender }
    }

    /// Posts for `account`. The head leaves at once, the body as it is fed.
    pub(crate) fn post(
        &mut self,
        path: &str,
        account: &str,
    ) -> (BodySender, JoinHandle<hyper::Result<Response<Incoming>>>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let request = hyper::Request::post(format!("http://{}{path}", self.addr))
            .header("content-type", "application/json")
            .header("x-account-id", account)
            .body(Fed(receiver))
            .unwrap();
        (sender, tokio::spawn(self.sender.send_request(request)))
    }
}

/// An HTTP/1.1 connection that sends the head of a post and the first half of its body.
pub(crate) async fn half_a_post(addr: SocketAddr, path: &str, account: &str) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: weir\r\nx-account-id: {account}\r\ncontent-length: 100\r\n\r\n{{\"model\":\"m\""
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// An upstream that answers every request with a stream of events, each sent when the test says so.
pub(crate) struct SteppedUpstream {
    pub(crate) addr: SocketAddr,
    events: mpsc::UnboundedSender<String>,
}

impl SteppedUpstream {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (events, told) = mpsc::unbounded_channel();
        tokio::spawn(serve(listener, told));
        Self { addr, events }
    }

    /// Sends one event; an empty one ends the stream.
    pub(crate) fn send(&self, event: &str) {
        self.events.send(event.to_owned()).unwrap();
    }
}

/// One connection after the other, one request each.
async fn serve(
    listener: TcpListener,
    mut events: mpsc::UnboundedReceiver<String>,
) -> io::Result<Infallible> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        read_request(&mut stream).await?;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        while let Some(event) = events.recv().await {
            let chunk = format!("{:x}\r\n{event}\r\n", event.len());
            stream.write_all(chunk.as_bytes()).await?;
            if event.is_empty() {
                break;
            }
        }
    }
}

/// Reads a head and the body whose length it tells.
async fn read_request(stream: &mut TcpStream) -> io::Result<()> {
    let mut read = Vec::new();
    loop {
        if let Some(head) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&read[..head]).to_ascii_lowercase();
            let length: usize = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or_default();
            if read.len() >= head + 4 + length {
                return Ok(());
            }
        }
        if stream.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
