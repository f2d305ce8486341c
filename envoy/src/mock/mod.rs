//! A mock LLM API: OpenAI chat completions and Anthropic messages, JSON and SSE, HTTP/1.1 and HTTP/2.
//!
//! Its answers are believable in shape, deterministic in content, and it keeps account of what it served, so
//! that a test can compare that with what the plugin counted. Request headers starting with `x-mock-` steer it
//! ([`Directives`]). It checks nothing that a real API would check: no key, no schema, no limit.
mod answer;
mod anthropic;
mod directives;
mod ledger;
mod openai;
mod stream;
mod text;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use answer::Answer;
pub use directives::Directives;
use ledger::Ledger;
pub use ledger::{Served, Tokens};
use stream::Paced;

/// The header whose value the served tokens are summed under.
pub const ACCOUNT_HEADER: &str = "x-account-id";

/// A running mock on a port of its own; ended, with its connections, when dropped.
#[derive(Debug)]
pub struct Mock {
    addr: SocketAddr,
    ledger: Arc<Ledger>,
    accepting: JoinHandle<()>,
}

#[derive(Clone, Copy)]
enum Api {
    OpenAi,
    Anthropic,
}

impl Mock {
    /// Starts a mock on loopback, inside the running tokio runtime.
    ///
    /// # Errors
    /// No port could be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let addr = listener.local_addr()?;
        let ledger = Arc::new(Ledger::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&ledger)));
        Ok(Self {
            addr,
            ledger,
            accepting,
        })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Requests that arrived, of any kind.
    pub fn count(&self) -> u64 {
        self.ledger.count()
    }

    /// The last 10,000 requests in the order of their arrival.
    pub fn served(&self) -> Vec<Served> {
        self.ledger.served()
    }

    /// Tokens in the usage that was sent to an account so far.
    pub fn tokens_of(&self, account: &str) -> Tokens {
        self.ledger.tokens_of(account)
    }

    /// Tokens in all usage that was sent so far.
    pub fn tokens(&self) -> Tokens {
        self.ledger.tokens()
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Accepts until aborted; the set aborts the connections with it.
async fn accept(listener: TcpListener, ledger: Arc<Ledger>) {
    let ids = Arc::new(AtomicU64::new(1));
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, Arc::clone(&ledger), Arc::clone(&ids)));
        while connections.try_join_next().is_some() {} // forget the finished ones
    }
}

async fn converse(stream: TcpStream, ledger: Arc<Ledger>, ids: Arc<AtomicU64>) {
    let _ = stream.set_nodelay(true); // events leave one by one, as they are written
    let service = service_fn(move |request| {
        let (ledger, id) = (Arc::clone(&ledger), ids.fetch_add(1, Ordering::Relaxed));
        async move { Ok::<_, Infallible>(serve(request, &ledger, id).await) }
    });
    // A client that goes away in the middle is part of what is tested, not an error of the mock.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn serve(request: Request<Incoming>, ledger: &Arc<Ledger>, id: u64) -> Response<Paced> {
    let (head, body) = request.into_parts();
    let directives = Directives::of(&head.headers);
    let receipt = ledger.arrived(&head);
    let Ok(body) = body.collect().await.map(|body| body.to_bytes()) else {
        // The client is gone; nobody reads this.
        return whole(StatusCode::BAD_REQUEST, &json!({}));
    };
    ledger.body(receipt, &body);

    let api = match (head.method.as_str(), head.uri.path()) {
        ("POST", path) if path.ends_with("/v1/chat/completions") => Api::OpenAi,
        ("POST", path) if path.ends_with("/v1/messages") => Api::Anthropic,
        (_, path) => {
            ledger.status(receipt, StatusCode::NOT_FOUND);
            let message = format!("Unknown request URL: {} {path}", head.method);
            let error = json!({"error": {"message": message, "type": "invalid_request_error",
                "param": null, "code": "unknown_url"}});
            return whole(StatusCode::NOT_FOUND, &error);
        }
    };
    if let Some(status) = directives.status {
        sleep(directives.delay).await;
        ledger.status(receipt, status);
        return whole(status, &refusal(api, status));
    }
    let Ok(Value::Object(asked)) = serde_json::from_slice(&body) else {
        ledger.status(receipt, StatusCode::BAD_REQUEST);
        return whole(
            StatusCode::BAD_REQUEST,
            &refusal(api, StatusCode::BAD_REQUEST),
        );
    };

    ledger.status(receipt, StatusCode::OK);
    let answer = Answer::to(&asked, body.len(), &directives, id);
    let streaming = asked.get("stream").and_then(Value::as_bool) == Some(true);
    let parts = match (api, streaming) {
        (Api::OpenAi, false) => vec![openai::whole(&answer)],
        (Api::OpenAi, true) => openai::events(&answer, &asked),
        (Api::Anthropic, false) => vec![anthropic::whole(&answer)],
        (Api::Anthropic, true) => anthropic::events(&answer),
    };
    let content_type = if streaming {
        "text/event-stream; charset=utf-8"
    } else {
        "application/json"
    };
    let length = (!streaming).then(|| parts.iter().map(|part| part.bytes.len()).sum());
    if !streaming {
        sleep(directives.delay).await;
    }
    let body = Paced::start(parts, length, &directives, ledger, receipt);
    head_of(StatusCode::OK, content_type, id, body)
}

/// A complete JSON answer without usage.
fn whole(status: StatusCode, body: &Value) -> Response<Paced> {
    head_of(
        status,
        "application/json",
        0,
        Paced::of(Bytes::from(body.to_string())),
    )
}

fn head_of(
    status: StatusCode,
    content_type: &'static str,
    id: u64,
    body: Paced,
) -> Response<Paced> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        "content-type",
        hyper::header::HeaderValue::from_static(content_type),
    );
    if let Ok(value) = format!("req_mock{id:08}").parse() {
        headers.insert("x-request-id", value);
    }
    response
}

/// An error as the provider words it.
fn refusal(api: Api, status: StatusCode) -> Value {
    let message = format!("The mock was told to answer {status}.");
    let kind = match status.as_u16() {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    match api {
        Api::OpenAi => {
            json!({"error": {"message": message, "type": kind, "param": null, "code": null}})
        }
        Api::Anthropic => json!({"type": "error", "error": {"type": kind, "message": message}}),
    }
}
