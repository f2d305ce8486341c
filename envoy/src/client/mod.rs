//! A small HTTP client for tests and the demo: one connection, kept alive, HTTP/1.1 or HTTP/2 with prior knowledge.
//!
//! It exists because tests must see what library clients hide: chunks as they arrive, streams left in the
//! middle, bodies cut anywhere. It follows no redirects, retries nothing that may have been sent, speaks no TLS.
mod body;
mod request;
mod response;

use std::io;
use std::net::SocketAddr;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use body::Pieces;
pub use request::Request;
pub use response::{Response, SseEvent};

/// Why a request got no answer, or an answer no end.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("cannot connect to {addr}")]
    Connect {
        /// The address tried.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The connection or stream broke; the request may have been served.
    #[error("the exchange broke off")]
    Broken(#[from] hyper::Error),
    /// The request cannot be written: a bad header or path. The caller's.
    #[error("the request is not valid HTTP")]
    Request(#[from] hyper::http::Error),
    /// The answer is not the JSON that was expected.
    #[error("the answer is not JSON")]
    Json(#[from] serde_json::Error),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Http1,
    Http2,
}

enum Connection {
    Http1(http1::SendRequest<Pieces>),
    Http2(http2::SendRequest<Pieces>),
}

/// One connection to one server, made when first needed and again when the server has closed it in order.
pub struct Client {
    addr: SocketAddr,
    version: Version,
    connection: Option<Connection>,
    connections: u32,
}

impl Client {
    /// A client that speaks HTTP/1.1 and keeps its connection.
    pub const fn http1(addr: SocketAddr) -> Self {
        Self {
            addr,
            version: Version::Http1,
            connection: None,
            connections: 0,
        }
    }

    /// A client that speaks HTTP/2 without TLS or upgrade.
    pub const fn http2(addr: SocketAddr) -> Self {
        Self {
            addr,
            version: Version::Http2,
            connection: None,
            connections: 0,
        }
    }

    /// How many connections were made so far.
    pub const fn connections(&self) -> u32 {
        self.connections
    }

    /// Sends a request and returns when the answer's head is there; its body is read from the [`Response`].
    /// A connection that turns out to be closed before anything was sent is replaced once.
    ///
    /// # Errors
    /// [`ClientError`]; after [`ClientError::Broken`] the request may have been served.
    pub async fn send(&mut self, request: Request) -> Result<Response, ClientError> {
        let mut request = request.into_http(self.addr, self.version == Version::Http2)?;
        let mut replaced = false;
        loop {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            let tried = match &mut connection {
                Connection::Http1(sender) => {
                    // A failed `ready` leaves the request to `try_send_request`, which gives it back.
                    let _ = sender.ready().await;
                    sender.try_send_request(request).await
                }
                Connection::Http2(sender) => {
                    let _ = sender.ready().await;
                    sender.try_send_request(request).await
                }
            };
            match tried {
                Ok(response) => {
                    self.connection = Some(connection);
                    return Ok(Response::new(response));
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !replaced => {
                        request = unsent;
                        replaced = true;
                    }
                    _ => return Err(ClientError::Broken(error.into_error())),
                },
            }
        }
    }

    async fn connect(&mut self) -> Result<Connection, ClientError> {
        let failed = |source| ClientError::Connect {
            addr: self.addr,
            source,
        };
        let stream = TcpStream::connect(self.addr).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?; // else a chunk waits for the acknowledgement of the one before
        let io = TokioIo::new(stream);
        self.connections = self.connections.saturating_add(1);
        // The connection runs beside the requests; its own error reaches the request that it hits.
        match self.version {
            Version::Http1 => {
                let (sender, connection) = http1::handshake(io).await?;
                tokio::spawn(connection);
                Ok(Connection::Http1(sender))
            }
            Version::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                tokio::spawn(connection);
                Ok(Connection::Http2(sender))
            }
        }
    }
}
