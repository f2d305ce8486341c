//! A mock LLM API: OpenAI chat completions, completions, responses and embeddings, Anthropic messages and token
//! counts, Gemini; JSON and SSE, HTTP/1.1 and HTTP/2.
//!
//! Its answers are believable in shape, deterministic in content, and it keeps account of what it served, so
//! that a test can compare that with what the plugin counted. A request that offers a tool is answered with a
//! call of it until a result comes back; one that asks for reasoning or log probabilities gets them. Request
//! headers starting with `x-mock-` steer the rest ([`Directives`]). Of all that a real API would check it checks
//! one thing, because shaping could break it: that signed reasoning comes back as it was signed.
mod answer;
mod anthropic;
mod api;
mod asked;
mod directives;
mod gemini;
mod ledger;
mod logprobs;
mod openai_chat;
mod openai_completions;
mod openai_embeddings;
mod openai_responses;
mod signature;
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

use api::Api;
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

    let Some(api) = Api::of(&head) else {
        ledger.status(receipt, StatusCode::NOT_FOUND);
        let message = format!("Unknown request URL: {} {}", head.method, head.uri.path());
        let error = json!({"error": {"message": message, "type": "invalid_request_error",
            "param": null, "code": "unknown_url"}});
        return whole(StatusCode::NOT_FOUND, &error);
    };
    let refuse = |status: StatusCode, message: &str| {
        ledger.status(receipt, status);
        whole(status, &api.error(status, message))
    };
    if let Some(status) = directives.status {
        sleep(directives.delay).await;
        return refuse(status, &format!("The mock was told to answer {status}."));
    }
    let Ok(Value::Object(asked)) = serde_json::from_slice(&body) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "The request body is no JSON object.",
        );
    };
    if let Some(objection) = api.objection(&asked) {
        return refuse(StatusCode::BAD_REQUEST, &objection);
    }

    ledger.status(receipt, StatusCode::OK);
    let written = api.answer(&asked, body.len(), &directives, id);
    let lengths = written.parts.iter().map(|part| part.bytes.len());
    let length = (!written.streaming).then(|| lengths.sum());
    if !written.streaming {
        sleep(directives.delay).await;
    }
    let body = Paced::start(written.parts, length, &directives, ledger, receipt);
    head_of(StatusCode::OK, written.content_type, id, body)
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
