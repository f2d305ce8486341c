//! An upstream that does with each exchange what was said about it before.
//!
//! Exchanges are told apart by the header `x-connection`, which the proxy's route adds: the client's port.
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::time::Duration;

use crate::wire::{Fields, Outgoing, Reaction, Served, Server, Service, Tape, Watch};

/// The header that names the exchange.
pub const CONNECTION_HEADER: &str = "x-connection";

/// A running upstream; ended when dropped.
#[derive(Debug)]
pub struct ScriptedUpstream {
    server: Server,
    script: Arc<Script>,
}

/// What is expected, by the client's port.
#[derive(Debug, Default)]
struct Script {
    exchanges: Mutex<BTreeMap<u16, (Tape, Reaction)>>,
}

/// An exchange that may arrive; forgotten when dropped.
#[derive(Debug)]
pub struct Expected {
    port: u16,
    tape: Tape,
    script: Arc<Script>,
}

impl ScriptedUpstream {
    /// Starts it on loopback, inside the running tokio runtime.
    ///
    /// # Errors
    /// No port could be had.
    pub async fn start() -> io::Result<Self> {
        let script = Arc::new(Script::default());
        let server = Server::start(Arc::clone(&script) as Arc<dyn Service>).await?;
        Ok(Self { server, script })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Says what becomes of the request that the client on `port` sends through the proxy.
    pub fn expect(&self, port: u16, reaction: Reaction) -> Expected {
        let tape = Tape::default();
        self.script
            .exchanges()
            .insert(port, (tape.clone(), reaction));
        Expected {
            port,
            tape,
            script: Arc::clone(&self.script),
        }
    }
}

impl Expected {
    /// The request, as it arrives, if it does.
    pub fn watch(&self) -> Watch {
        self.tape.watch()
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.script.exchanges().remove(&self.port);
    }
}

impl Script {
    fn exchanges(&self) -> MutexGuard<'_, BTreeMap<u16, (Tape, Reaction)>> {
        self.exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Script {
    fn begin(&self, head: &Fields) -> Served {
        let port = head
            .iter()
            .find(|(name, _)| name == CONNECTION_HEADER)
            .and_then(|(_, value)| value.parse().ok());
        let expected = port.and_then(|port: u16| self.exchanges().remove(&port));
        match expected {
            Some((tape, reaction)) => Served {
                tape,
                reaction,
                pause: Duration::ZERO,
            },
            // Nobody has said anything: a mistake of whoever runs the proxy, shown to the client.
            None => Served {
                tape: Tape::default(),
                reaction: Reaction::Answer(Outgoing::head(&[
                    (":status", "599"),
                    ("x-stage", "unexpected request"),
                ])),
                pause: Duration::ZERO,
            },
        }
    }
}
