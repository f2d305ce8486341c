//! A server that does with each request what it was told to do with it.
//!
//! It speaks whichever HTTP version its client does.
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use super::http1::{self, Role};
use super::http2::{Link, PREFACE};
use super::message::{Close, End, Fields, Outgoing};
use super::tape::{Tape, Watch};

mod streams;

/// Decides what becomes of each request.
pub trait Service: Send + Sync + 'static {
    /// Called with the head of a request, before its body.
    fn begin(&self, head: &Fields) -> Served;
}

/// Where a request is written down and what is done with it.
#[derive(Debug)]
pub struct Served {
    /// The request.
    pub tape: Tape,
    /// What is done.
    pub reaction: Reaction,
    /// HTTP/1.1 only: how long after the request.
    pub pause: Duration,
}

/// What is done with a request once it is complete.
#[derive(Debug)]
pub enum Reaction {
    /// It is answered.
    Answer(Outgoing),
    /// The stream is reset (HTTP/2) or the connection closed (HTTP/1.1).
    Reset,
    /// Nothing, ever.
    Hang,
    /// HTTP/2 only, and at once: a conversation, message by message.
    Converse(fn(Watch, Responder) -> Talk),
}

/// A conversation until its end.
pub type Talk = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Sends the parts of an answer on one stream.
#[derive(Debug)]
pub struct Responder {
    link: Link,
    stream: u32,
}

impl Responder {
    /// Headers first, trailers last.
    pub fn headers(&self, fields: &Fields, ends: bool) {
        self.link.headers(self.stream, fields, ends);
    }
    /// A piece of the body.
    pub async fn data(&self, piece: &[u8]) {
        self.link.data(self.stream, piece, false).await;
    }
}

/// A running server on a port of its own; ended, with its connections, when dropped.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a server on loopback, inside the running tokio runtime.
    ///
    /// # Errors
    /// No port could be had.
    pub async fn start(service: Arc<dyn Service>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let addr = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(converse(stream, Arc::clone(&service)));
                while connections.try_join_next().is_some() {} // forget the finished ones
            }
        });
        Ok(Self { addr, accepting })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A peer that goes away in the middle is part of what is tested, not an error.
async fn converse(stream: TcpStream, service: Arc<dyn Service>) {
    let _ = stream.set_nodelay(true);
    let (from, to) = stream.into_split();
    let mut from = BufReader::new(from);
    match starts_with_preface(&mut from).await {
        Ok(true) => streams::serve(from, to, service).await,
        Ok(false) => drop(http1(from, to, service).await),
        Err(_) => {}
    }
}

async fn starts_with_preface(from: &mut BufReader<OwnedReadHalf>) -> io::Result<bool> {
    // No method begins with these bytes, so that the first read tells unless it is shorter.
    let begins = from.fill_buf().await?.starts_with(b"PRI");
    if begins {
        let mut preface = [0; PREFACE.len()];
        from.read_exact(&mut preface).await?;
    }
    Ok(begins)
}

async fn http1(
    mut from: BufReader<OwnedReadHalf>,
    mut to: OwnedWriteHalf,
    service: Arc<dyn Service>,
) -> io::Result<()> {
    loop {
        let head = http1::read_head(&mut from, Role::Request).await?;
        let Served {
            tape,
            reaction,
            pause,
        } = service.begin(&head);
        tape.headers(head.clone());
        if let Err(error) = http1::read_body(&mut from, Role::Request, &head, &tape).await {
            tape.end(End::Reset);
            return Err(error);
        }
        sleep(pause).await;
        match reaction {
            Reaction::Answer(answer) => {
                to.write_all(&http1::to_bytes(&answer)).await?;
                match answer.close {
                    Close::WithLast | Close::Separately => {}
                    Close::Never => return wait_for_end(&mut from).await,
                    Close::Reset => return Ok(()),
                }
            }
            Reaction::Reset => return Ok(()),
            Reaction::Hang | Reaction::Converse(_) => return wait_for_end(&mut from).await,
        }
    }
}

async fn wait_for_end(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<()> {
    loop {
        match from.fill_buf().await?.len() {
            0 => return Ok(()),
            read => from.consume(read),
        }
    }
}
