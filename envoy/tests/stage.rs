//! The stage against a real Envoy, with a plugin that tells what it sees.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what tests are built of fails as they do, by panicking"
)]

mod real_envoy;

use std::path::PathBuf;
use std::time::Duration;

use weir_envoy::stage::{
    Access, OnFailure, PluginFilter, ScriptedUpstream, Stage, StageDir, StageOptions, Started,
    Surroundings,
};
use weir_envoy::wire::{
    Close, End, Fields, Incoming, Outgoing, Protocol, RawClient, Reaction, Watch,
};

const PATIENCE: Duration = Duration::from_secs(20);

struct Setup {
    stage: Box<Stage>,
    upstream: ScriptedUpstream,
    surroundings: Surroundings,
    wasm: PathBuf,
}

/// What was seen of one exchange.
struct Seen {
    client: Incoming,
    upstream: Incoming,
    access: Access,
    told: Vec<String>,
}

impl Setup {
    /// Runs an exchange until the plugin has deleted its context; the client leaves once `leaves` says so.
    async fn exchange(
        &self,
        protocol: Protocol,
        request: Outgoing,
        reaction: Reaction,
        leaves: bool,
    ) -> Seen {
        let listener = self.stage.listener("teller").unwrap();
        let mut client = RawClient::connect(listener, protocol).await.unwrap();
        let (port, got) = (client.local_port(), client.watch());
        let expected = self.upstream.expect(port, reaction);
        let begin = self.stage.log().len();
        client.send(request);
        if leaves {
            ended(expected.watch()).await;
            client.leave().await;
        } else {
            ended(got.clone()).await;
        }
        let mut log = self.stage.log().watch();
        let told = loop {
            let told: Vec<String> = (self.stage.log().since(begin).iter())
                .filter_map(|record| Some(record.of_plugin()?.trim().to_owned()))
                .collect();
            if told.last().is_some_and(|line| line.starts_with("> delete")) {
                break told;
            }
            log.changed().await.unwrap();
        };
        Seen {
            client: got.borrow().clone(),
            upstream: expected.watch().borrow().clone(),
            access: self
                .stage
                .access(port, listener.port(), PATIENCE)
                .await
                .unwrap(),
            told,
        }
    }
}

fn plugin(wasm: PathBuf, configuration: &str) -> PluginFilter {
    PluginFilter {
        name: "teller".into(),
        wasm,
        root_id: "root".into(),
        vm_id: "vm".into(),
        configuration: configuration.into(),
        vm_configuration: String::new(),
        environment: Vec::new(),
        allow_on_headers_stop_iteration: true,
        on_failure: OnFailure::Closed,
    }
}

/// A stage whose listeners can be replaced; why it does not serve, where it does not.
async fn start(
    binary: PathBuf,
    configuration: &str,
    upstream_speaks: Protocol,
) -> Result<Setup, String> {
    let dir = StageDir::new().unwrap();
    let wasm = dir.path().join("teller.wasm");
    std::fs::write(&wasm, wat::parse_str(include_str!("teller.wat")).unwrap()).unwrap();
    let upstream = ScriptedUpstream::start().await.unwrap();
    let surroundings = Surroundings {
        buffer_limit_bytes: 1 << 20,
        upstream: (upstream.addr(), upstream_speaks),
        access_log: dir.access_log(),
        clusters: Vec::new(),
    };
    let listener = surroundings.listener(&plugin(wasm.clone(), configuration));
    let options = StageOptions {
        binary,
        bootstrap: surroundings.bootstrap(&[]),
        listeners: Some(vec![listener]),
        workers: 1,
        patience: PATIENCE,
        drain_time: Duration::ZERO,
    };
    match Stage::start(options, dir).await {
        Ok(Started::Serving(stage)) => Ok(Setup {
            stage,
            upstream,
            surroundings,
            wasm,
        }),
        Ok(Started::Refused { reason, .. }) => Err(reason),
        Err(error) => panic!("{error}"),
    }
}

async fn ended(mut watch: Watch) -> Incoming {
    tokio::time::timeout(PATIENCE, watch.wait_for(|message| message.end != End::Open))
        .await
        .unwrap()
        .unwrap()
        .clone()
}

fn post(pieces: &[&str]) -> Outgoing {
    let mut message = Outgoing::head(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "api.example"),
        (":path", "/a?b=c"),
        ("x-a", "1"),
        ("x-b", ""),
        ("x-a", "2"),
    ]);
    message.pieces = pieces
        .iter()
        .map(|piece| piece.as_bytes().to_vec())
        .collect();
    message
}

fn answer(pieces: &[&str]) -> Outgoing {
    let mut message =
        Outgoing::head(&[(":status", "200"), ("x-z", "1"), ("x-y", "2"), ("x-z", "3")]);
    message.pieces = pieces
        .iter()
        .map(|piece| piece.as_bytes().to_vec())
        .collect();
    message
}

fn pairs(fields: &Fields) -> Vec<String> {
    let pair = |(name, value): &(String, String)| format!("{name}={value}");
    fields.iter().map(pair).collect()
}

#[tokio::test]
async fn an_http2_message_arrives_as_it_was_sent_and_a_plugin_sees_each_piece() {
    let setup = start(real_envoy!(), "", Protocol::Http2).await.unwrap();
    let mut request = post(&["one", "three"]);
    request.trailers = vec![("x-t".into(), "u".into())];

    let reaction = Reaction::Answer(answer(&["x", ""]));
    let seen = setup
        .exchange(Protocol::Http2, request, reaction, false)
        .await;

    let head = ":method=POST\n:scheme=http\n:authority=api.example\n:path=/a?b=c\nx-a=1\nx-b=\nx-a=2\nx-forwarded-proto=http";
    assert_eq!(
        seen.told,
        [
            "> context_create 2 1",
            "> request_headers 2 8 0",
            head,
            "> request_body 2 3 0",
            "> request_body 2 5 0",
            "> request_trailers 2 1",
            "x-t=u",
            "> response_headers 2 4 0",
            ":status=200\nx-z=1\nx-y=2\nx-z=3",
            "> response_body 2 1 0",
            "> response_body 2 0 1",
            "> log 2",
            "> done 2",
            "> delete 2",
        ]
    );
    let asked = pairs(&seen.upstream.headers).join("\n");
    assert!(
        asked.starts_with(&format!("{head}\nx-connection=")),
        "{asked}"
    );
    assert_eq!(seen.upstream.body, b"onethree");
    assert_eq!(
        seen.upstream.trailers,
        Some(vec![("x-t".into(), "u".into())])
    );
    let got = pairs(&seen.client.headers).join(" ");
    assert!(
        got.starts_with(":status=200 x-z=1 x-y=2 x-z=3 date="),
        "{got}"
    );
    assert_eq!(
        (seen.client.body.as_slice(), seen.client.end),
        (&b"x"[..], End::Complete)
    );
    assert_eq!(
        (seen.access.code, seen.access.details.as_str()),
        (200, "via_upstream")
    );
}

#[tokio::test]
async fn over_http1_pieces_are_joined_and_the_end_comes_separately() {
    let setup = start(real_envoy!(), "", Protocol::Http1).await.unwrap();

    let reaction = Reaction::Answer(answer(&["x", "yz"]));
    let seen = setup
        .exchange(Protocol::Http1, post(&["one", "three"]), reaction, false)
        .await;

    assert_eq!(
        seen.told,
        [
            "> context_create 2 1",
            "> request_headers 2 8 0",
            ":authority=api.example\n:path=/a?b=c\n:method=POST\n:scheme=http\nx-a=1\nx-b=\nx-a=2\nx-forwarded-proto=http",
            "> request_body 2 8 0",
            "> request_body 2 0 1",
            "> response_headers 2 5 0",
            ":status=200\nx-z=1\nx-y=2\nx-z=3\ntransfer-encoding=chunked",
            "> response_body 2 3 0",
            "> response_body 2 0 1",
            "> log 2",
            "> done 2",
            "> delete 2",
        ]
    );
    assert_eq!(seen.upstream.header("transfer-encoding"), Some("chunked"));
    assert_eq!(seen.upstream.body, b"onethree");
    assert_eq!(
        (seen.client.body.as_slice(), seen.client.end),
        (&b"xyz"[..], End::Complete)
    );
}

#[tokio::test]
async fn upstreams_that_reset_break_off_or_hang_do_so() {
    let setup = start(real_envoy!(), "", Protocol::Http2).await.unwrap();
    let mut broken = answer(&["some"]);
    broken.close = Close::Reset;

    let reset = setup
        .exchange(Protocol::Http2, post(&[]), Reaction::Reset, false)
        .await;
    let broken = setup
        .exchange(Protocol::Http2, post(&[]), Reaction::Answer(broken), false)
        .await;
    let left = setup
        .exchange(Protocol::Http1, post(&[]), Reaction::Hang, true)
        .await;

    assert_eq!((reset.access.code, reset.client.end), (503, End::Complete));
    assert_eq!(
        reset.access.details,
        "upstream_reset_before_response_started{remote_reset}"
    );
    assert_eq!((broken.access.code, broken.client.end), (200, End::Reset));
    assert_eq!(broken.client.body, b"some");
    assert_eq!((left.access.code, left.upstream.end), (0, End::Complete));
    assert_eq!(left.access.details, "downstream_remote_disconnect");
}

#[tokio::test]
async fn a_refused_plugin_is_told_from_one_that_serves_and_changes_nothing_later() {
    let binary = real_envoy!();
    let reason = start(binary.clone(), "bad", Protocol::Http2).await.err();
    assert!(
        reason.is_some_and(|reason| reason.contains("Failed to configure base Wasm plugin")),
        "the reason is Envoy's"
    );
    let setup = start(binary, "", Protocol::Http2).await.unwrap();
    let with = |configuration| {
        [setup
            .surroundings
            .listener(&plugin(setup.wasm.clone(), configuration))]
    };

    let refused = setup.stage.replace(&with("bad")).await.unwrap();
    let taken = setup.stage.replace(&with("other")).await.unwrap();

    assert!(refused.is_err());
    assert_eq!(taken, Ok(()));
    let reaction = Reaction::Answer(answer(&[]));
    let seen = setup
        .exchange(Protocol::Http2, post(&[]), reaction, false)
        .await;
    assert_eq!(seen.access.code, 200);
    let log = setup.stage.log().since(0);
    assert!(
        log.iter()
            .any(|record| record.of_plugin() == Some("> configure 2 5")),
        "a new root"
    );
}
