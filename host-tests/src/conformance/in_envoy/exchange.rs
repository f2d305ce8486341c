//! One exchange through a real Envoy.
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use weir_envoy::EnvoyError;
use weir_envoy::stage::{Access, Expected};
use weir_envoy::wire::{Close, End, Incoming, Outgoing, RawClient, Reaction, Watch};

use super::EnvoyRunError;
use super::lines;
use super::prediction::Awaited;
use super::proxy::{Proxy, wire_protocol};
use crate::conformance::normal;
use crate::scenario::{
    ClientSpec, Ending, ExchangeSpec, MessageSpec, Protocol, Received, ReceivedEnd, Seen,
    UpstreamSpec,
};

/// An exchange under way.
pub(super) struct Flight {
    /// None once it has left.
    client: Option<RawClient>,
    port: u16,
    listener: u16,
    got: Watch,
    expected: Expected,
    asked: Watch,
    /// Its lines are those in the name of the stream with this `x-id`; without one, those of any stream.
    id: Option<String>,
    /// Records of the log when it began, and how many were looked at.
    log_begin: usize,
    log_read: usize,
    lines: usize,
    /// Whether a line said that the stream's context goes.
    deleted: bool,
    /// Whether the patience ran out once: what did not come then is not waited for again.
    out_of_patience: bool,
}

impl Flight {
    /// Sends the request.
    pub(super) async fn begin(proxy: &Proxy, spec: &ExchangeSpec) -> Result<Self, EnvoyRunError> {
        let listener = proxy.listener(spec.through.as_deref())?;
        let mut client = RawClient::connect(listener, wire_protocol(proxy.downstream)).await?;
        let port = client.local_port();
        let expected = proxy.upstream.expect(port, reaction(&spec.upstream));
        let log_begin = proxy.log().len();
        client.send(request(spec));
        Ok(Self {
            port,
            listener: listener.port(),
            got: client.watch(),
            client: Some(client),
            asked: expected.watch(),
            expected,
            id: spec.id().map(str::to_owned),
            log_begin,
            log_read: log_begin,
            lines: 0,
            deleted: false,
            out_of_patience: false,
        })
    }

    /// Records of the log when it began.
    pub(super) const fn log_begin(&self) -> usize {
        self.log_begin
    }

    /// Returns when it has ended or stands still.
    pub(super) async fn pause(&mut self, proxy: &Proxy, awaited: &Awaited) {
        let enough = awaited.lines_until_stranded.unwrap_or(0);
        self.wait(proxy, awaited, enough, Self::is_answered).await;
    }

    /// Sees it to its end, and makes the client leave where there is none.
    pub(super) async fn finish(
        mut self,
        proxy: &Proxy,
        awaited: &Awaited,
    ) -> Result<Seen, EnvoyRunError> {
        let enough = awaited.lines_until_stranded.unwrap_or(usize::MAX);
        self.wait(proxy, awaited, enough, Self::is_answered).await;
        if self.is_answered() {
            // Envoy needs no more of the client, so that leaving now must change nothing.
            let over = |flight: &Self| flight.deleted && !flight.is_asking();
            self.wait(proxy, awaited, awaited.lines, over).await;
        }
        // Ends that come because the client leaves are none.
        let downstream = received(&self.got.borrow(), proxy.downstream);
        let asked = self.asked.borrow().clone();
        let upstream =
            (asked.end == End::Complete).then(|| received(&asked, proxy.upstream_speaks));
        if let Some(client) = self.client.take() {
            client.leave().await;
        }
        self.wait(proxy, awaited, awaited.lines, |flight| flight.deleted)
            .await;
        let all = |flight: &Self| flight.lines >= awaited.lines;
        self.wait(proxy, awaited, usize::MAX, all).await;
        let Access { code, details, .. } = self.access(proxy, awaited.patience).await?;
        drop(self.expected);
        Ok(Seen {
            downstream,
            upstream,
            details,
            code,
        })
    }

    async fn access(&self, proxy: &Proxy, patience: Duration) -> Result<Access, EnvoyRunError> {
        match proxy
            .stage()
            .access(self.port, self.listener, patience)
            .await
        {
            Ok(access) => Ok(access),
            // Envoy saw no request in what the client sent.
            Err(EnvoyError::TimedOut { .. }) => Ok(Access {
                code: 0,
                flags: "-".to_owned(),
                details: "-".to_owned(),
                decision: None,
            }),
            Err(error) => Err(error.into()),
        }
    }

    fn is_answered(&self) -> bool {
        self.got.borrow().end != End::Open
    }

    /// Whether a request has begun to reach the upstream and not ended.
    fn is_asking(&self) -> bool {
        let asked = self.asked.borrow();
        !asked.headers.is_empty() && asked.end == End::Open
    }

    /// Waits until `done`, or until nothing has moved: for the silence where there are `enough` lines, for the
    /// patience where there are not.
    async fn wait(
        &mut self,
        proxy: &Proxy,
        awaited: &Awaited,
        enough: usize,
        done: impl Fn(&Self) -> bool,
    ) {
        let mut log = proxy.log().watch();
        let mut last = Instant::now();
        loop {
            log.borrow_and_update();
            if self.read(proxy) {
                last = Instant::now();
            }
            if done(self) {
                return;
            }
            let silent = self.lines >= enough || self.out_of_patience;
            let longest = if silent {
                awaited.silence
            } else {
                awaited.patience
            };
            tokio::select! {
                changed = log.changed() => if changed.is_err() {
                    return; // Envoy is gone
                },
                // An upstream or a client that is done with its part sends no more news.
                Ok(()) = self.got.changed() => last = Instant::now(),
                Ok(()) = self.asked.changed() => last = Instant::now(),
                () = sleep_until(last + longest) => {
                    self.out_of_patience |= !silent;
                    return;
                }
            }
        }
    }

    /// Reads on in the log; returns whether there were lines of this exchange.
    fn read(&mut self, proxy: &Proxy) -> bool {
        let before = self.lines;
        let (id, mut lines, mut deleted) = (self.id.as_deref(), self.lines, self.deleted);
        self.log_read = proxy.log().visit(self.log_read, |record| {
            let Some(line) = lines::Line::of(record) else {
                return;
            };
            let own = match id {
                Some(id) => line.is_of(id),
                None => line.is_of_any_stream(),
            };
            if own {
                lines += 1;
                deleted |= line.is_deletion();
            }
        });
        (self.lines, self.deleted) = (lines, deleted);
        lines > before
    }
}

fn request(spec: &ExchangeSpec) -> Outgoing {
    let close = match spec.client {
        ClientSpec::Stays => close(&spec.request),
        ClientSpec::LeavesBeforeEnd => Close::Never,
    };
    outgoing(&spec.request, spec.request.request_headers(), close)
}

fn reaction(spec: &UpstreamSpec) -> Reaction {
    match spec {
        UpstreamSpec::Answers(answer) => {
            Reaction::Answer(outgoing(answer, answer.response_headers(), close(answer)))
        }
        UpstreamSpec::BreaksOff(answer) => {
            Reaction::Answer(outgoing(answer, answer.response_headers(), Close::Reset))
        }
        UpstreamSpec::Resets {} => Reaction::Reset,
        UpstreamSpec::Hangs {} => Reaction::Hang,
    }
}

fn close(message: &MessageSpec) -> Close {
    match message.ends {
        Ending::WithLast => Close::WithLast,
        Ending::Separately => Close::Separately,
    }
}

fn outgoing(message: &MessageSpec, headers: Vec<(String, String)>, close: Close) -> Outgoing {
    Outgoing {
        headers,
        pieces: message.pieces(),
        trailers: message.trailers.clone(),
        close,
    }
}

fn received(message: &Incoming, protocol: Protocol) -> Received {
    Received {
        headers: normal::headers(message.headers.clone(), protocol),
        body: String::from_utf8_lossy(&message.body).into_owned(),
        trailers: message
            .trailers
            .clone()
            .map(normal::trailers)
            .filter(|trailers| !trailers.is_empty()),
        end: match message.end {
            End::Complete => ReceivedEnd::Complete,
            End::Reset => ReceivedEnd::Reset,
            End::Open => ReceivedEnd::Stranded,
        },
    }
}
