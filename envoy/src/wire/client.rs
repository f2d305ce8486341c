//! One request on a connection of its own.
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;

use super::Protocol;
use super::http1::{self, Role};
use super::http2::{Assembly, Event, Link, PREFACE, read_frame};
use super::message::{End, Outgoing};
use super::tape::{Tape, Watch};

/// The stream of the only request.
const STREAM: u32 = 1;

/// A connection that carries one request. Dropping it leaves: the connection is closed.
#[derive(Debug)]
pub struct RawClient {
    local_port: u16,
    protocol: Protocol,
    halves: Option<(OwnedReadHalf, OwnedWriteHalf)>,
    tape: Tape,
    /// Owns the connection once the request is on its way.
    tasks: JoinSet<()>,
}

impl RawClient {
    /// Connects; nothing is sent yet.
    ///
    /// # Errors
    /// What the system said.
    pub async fn connect(addr: SocketAddr, protocol: Protocol) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            local_port: stream.local_addr()?.port(),
            protocol,
            halves: Some(stream.into_split()),
            tape: Tape::default(),
            tasks: JoinSet::new(),
        })
    }

    /// What the server knows this connection by.
    pub const fn local_port(&self) -> u16 {
        self.local_port
    }

    /// The answer, as it arrives.
    pub fn watch(&self) -> Watch {
        self.tape.watch()
    }

    /// Sends the request, in the background; a second one is not sent.
    pub fn send(&mut self, request: Outgoing) {
        let Some((from, to)) = self.halves.take() else {
            return;
        };
        let tape = self.tape.clone();
        match self.protocol {
            Protocol::Http1 => {
                self.tasks.spawn(http1(from, to, request, tape));
            }
            Protocol::Http2 => {
                let (link, writing) = Link::new(to, PREFACE);
                self.tasks.spawn(writing);
                self.tasks.spawn(read(from, link.clone(), tape));
                self.tasks
                    .spawn(async move { link.message(STREAM, &request).await });
            }
        }
    }

    /// Closes the connection and returns once it is closed.
    pub async fn leave(mut self) {
        self.halves = None;
        self.tasks.shutdown().await;
    }
}

async fn http1(from: OwnedReadHalf, mut to: OwnedWriteHalf, request: Outgoing, tape: Tape) {
    let role = Role::Response {
        to_head: request.header(":method") == Some("HEAD"),
    };
    let bytes = http1::to_bytes(&request);
    let answer = async {
        let mut from = BufReader::new(from);
        loop {
            let head = http1::read_head(&mut from, role).await?;
            let interim = head
                .iter()
                .any(|(name, value)| name == ":status" && value.starts_with('1'));
            if !interim {
                tape.headers(head.clone());
                return http1::read_body(&mut from, role, &head, &tape).await;
            }
        }
    };
    // An answer may come before all is sent, and a failing write says less than what is read.
    let (_, read) = tokio::join!(to.write_all(&bytes), answer);
    if read.is_err() {
        tape.end(End::Reset);
    }
}

async fn read(mut from: OwnedReadHalf, link: Link, tape: Tape) {
    let mut assembly = Assembly::default();
    while let Ok(frame) = read_frame(&mut from).await {
        let event = assembly.take(frame);
        link.react(&event);
        let ends = match event {
            Event::Headers { fields, ends, .. } => {
                let interim = fields
                    .iter()
                    .any(|(name, value)| name == ":status" && value.starts_with('1'));
                if !interim {
                    match tape.has_headers() {
                        false => tape.headers(fields),
                        true => tape.trailers(fields),
                    }
                }
                ends
            }
            Event::Data { bytes, ends, .. } => {
                tape.data(&bytes);
                ends
            }
            Event::Reset { .. } | Event::Broken => break,
            _ => false,
        };
        if ends {
            tape.end(End::Complete);
        }
    }
    tape.end(End::Reset);
}
