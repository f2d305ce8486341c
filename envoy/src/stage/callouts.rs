//! Servers that plugins call out to.
//!
//! Each behaves in one way, whatever a plugin sends: `answers`, `refuses`, `silent`, `resets`, `empty`, `grpc`.
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use crate::wire::{Fields, Outgoing, Reaction, Served, Server, Service, Tape};

mod grpc;

/// How long they take. What client and upstream send without being asked comes first, so that it shows in one order.
const PAUSE: Duration = Duration::from_millis(40);
/// Between two answers of any of them, so that those show in the order of their questions.
const GAP: Duration = Duration::from_millis(6);

/// When the latest answer is due.
type Latest = Arc<Mutex<Instant>>;

/// How long the next answer takes.
fn pause(latest: &Latest) -> Duration {
    let now = Instant::now();
    let mut latest = latest.lock().unwrap_or_else(PoisonError::into_inner);
    *latest = (now + PAUSE).max(*latest + GAP);
    latest.duration_since(now)
}

/// All of them; ended when dropped.
#[derive(Debug)]
pub struct Callouts {
    answers: Server,
    silent: Server,
    resets: Server,
    grpc: Server,
    refuses: SocketAddr,
}

impl Callouts {
    /// Starts them on loopback, inside the running tokio runtime.
    ///
    /// # Errors
    /// No port could be had.
    pub async fn start() -> io::Result<Self> {
        // Bound, so that nobody else gets the port, and given back: nobody listens there.
        let refuses = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?;
        let latest = Arc::new(Mutex::new(Instant::now()));
        Ok(Self {
            answers: Server::start(Arc::new(Answers(Arc::clone(&latest)))).await?,
            silent: Server::start(Arc::new(Silent)).await?,
            resets: Server::start(Arc::new(Resets(latest))).await?,
            grpc: Server::start(Arc::new(grpc::Probe)).await?,
            refuses,
        })
    }

    /// Name, address and whether it speaks HTTP/2; without an address there is no endpoint.
    pub fn clusters(&self) -> [(&'static str, Option<SocketAddr>, bool); 6] {
        [
            ("answers", Some(self.answers.addr()), false),
            ("refuses", Some(self.refuses), false),
            ("silent", Some(self.silent.addr()), false),
            ("resets", Some(self.resets.addr()), false),
            ("empty", None, false),
            ("grpc", Some(self.grpc.addr()), true),
        ]
    }
}

fn of_head<'a>(head: &'a Fields, name: &str) -> &'a str {
    head.iter()
        .find(|(own, _)| own == name)
        .map_or("", |(_, value)| value.as_str())
}

/// Answers as the path says.
struct Answers(Latest);

impl Service for Answers {
    fn begin(&self, head: &Fields) -> Served {
        Served {
            tape: Tape::default(),
            reaction: Reaction::Answer(answer(of_head(head, ":method"), of_head(head, ":path"))),
            pause: pause(&self.0),
        }
    }
}

fn answer(method: &str, path: &str) -> Outgoing {
    let status = path.strip_prefix("/status/").unwrap_or("200");
    let body = match path.strip_prefix("/bytes/").map(str::parse) {
        Some(Ok(bytes)) => (b'a'..=b'z').cycle().take(bytes).collect(),
        _ => format!("answer to {method} {path}").into_bytes(),
    };
    let length = body.len().to_string();
    let mut message = Outgoing::head(&[(":status", status)]);
    if path == "/trailers" {
        // Only chunks can have trailers.
        message.trailers = vec![("x-trailer".to_owned(), "yes".to_owned())];
    } else {
        message.headers.push(("content-length".to_owned(), length));
    }
    message
        .headers
        .push(("x-callout".to_owned(), "yes".to_owned()));
    message.pieces = vec![body];
    message
}

/// Takes requests and says nothing.
struct Silent;

impl Service for Silent {
    fn begin(&self, _head: &Fields) -> Served {
        Served {
            tape: Tape::default(),
            reaction: Reaction::Hang,
            pause: Duration::ZERO,
        }
    }
}

/// Closes the connection at a request.
struct Resets(Latest);

impl Service for Resets {
    fn begin(&self, _head: &Fields) -> Served {
        Served {
            tape: Tape::default(),
            reaction: Reaction::Reset,
            pause: pause(&self.0),
        }
    }
}
