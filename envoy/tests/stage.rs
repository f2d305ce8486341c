//! The stage against a real Envoy, with a plugin that tells what it sees.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what tests are built of fails as they do, by panicking"
)]

mod real_envoy;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use weir_envoy::stage::{
    Callouts, OnFailure, PluginFilter, ScriptedUpstream, Stage, StageDir, StageOptions, Started,
    Surroundings,
};
use weir_envoy::wire::{Close, End, Incoming, Outgoing, Protocol, RawClient, Reaction, Watch};

const PATIENCE: Duration = Duration::from_secs(20);

struct Setup {
    stage: Box<Stage>,
    upstream: ScriptedUpstream,
    _callouts: Callouts,
}

async fn start(
    binary: PathBuf,
    configuration: &str,
    upstream_speaks: Protocol,
) -> Result<Setup, String> {
    let dir = StageDir::new().unwrap();
    let wasm = dir.path().join("teller.wasm");
    std::fs::write(&wasm, wat::parse_str(include_str!("teller.wat")).unwrap()).unwrap();
    let upstream = ScriptedUpstream::start().await.unwrap();
    let callouts = Callouts::start().await.unwrap();
    let surroundings = Surroundings {
        buffer_limit_bytes: 1 << 20,
        upstream: (upstream.addr(), upstream_speaks),
        access_log: dir.access_log(),
        clusters: callouts
            .clusters()
            .map(|(name, addr, http2)| (name.to_owned(), addr, http2))
            .to_vec(),
    };
    let plugin = PluginFilter {
        name: "teller".into(),
        wasm,
        root_id: "root".into(),
        vm_id: "vm".into(),
        configuration: configuration.into(),
        vm_configuration: String::new(),
        environment: Vec::new(),
        allow_on_headers_stop_iteration: true,
        on_failure: OnFailure::Closed,
    };
    let options = StageOptions {
        binary,
        bootstrap: surroundings.bootstrap(&[surroundings.listener(&plugin)]),
        listeners: None,
        workers: 1,
        patience: PATIENCE,
        drain_time: Duration::ZERO,
    };
    let begin = Instant::now();
    let started = Stage::start(options, dir)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    println!("started in {:?}", begin.elapsed());
    match started {
        Started::Serving(stage) => Ok(Setup {
            stage,
            upstream,
            _callouts: callouts,
        }),
        Started::Refused { reason, .. } => Err(reason),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts() {
    let binary = real_envoy!();
    for (down, up) in [
        (Protocol::Http2, Protocol::Http2),
        (Protocol::Http1, Protocol::Http1),
    ] {
        println!("=== {down:?} {up:?}");
        let setup = start(binary.clone(), "", up).await.unwrap();
        let mut trailing = post(&["one", "two"]);
        trailing.trailers = vec![("x-t".into(), "u".into())];
        let mut separately = post(&["one"]);
        separately.close = Close::Separately;
        let mut get = post(&[]);
        get.headers[0].1 = "GET".into();
        let mut lengthy = post(&["0123456789"]);
        lengthy.headers.push(("content-length".into(), "10".into()));
        let mut trailing_answer = answer(&["three", "four"]);
        trailing_answer.trailers = vec![("x-u".into(), "v".into())];
        let mut breaks = answer(&["three", "four"]);
        breaks.close = Close::Reset;
        for (request, reaction) in [
            (get.clone(), Reaction::Answer(answer(&[]))),
            (trailing, Reaction::Answer(trailing_answer)),
            (separately, Reaction::Answer(answer(&["x", "y"]))),
            (lengthy, Reaction::Answer(answer(&["x"]))),
            (get.clone(), Reaction::Reset),
            (get.clone(), Reaction::Answer(breaks)),
            (get.clone(), Reaction::Hang),
        ] {
            println!("--- {reaction:?}");
            let begin = Instant::now();
            let hangs = matches!(reaction, Reaction::Hang);
            let mut client = RawClient::connect(setup.stage.listener("teller").unwrap(), down)
                .await
                .unwrap();
            let expected = setup.upstream.expect(client.local_port(), reaction);
            let from = setup.stage.log().len();
            let watch = client.watch();
            let port = client.local_port();
            client.send(request);
            if hangs {
                let mut upstream = expected.watch();
                upstream
                    .wait_for(|message| message.end != End::Open)
                    .await
                    .unwrap();
                client.leave().await;
            } else {
                let got = ended(watch).await;
                println!("client got {got:?} in {:?}", begin.elapsed());
            }
            let access = setup.stage.access(port, PATIENCE).await.unwrap();
            println!("access {access:?} in {:?}", begin.elapsed());
            println!("upstream got {:?}", expected.watch().borrow().clone());
            for record in setup.stage.log().since(from) {
                println!(
                    "{} {} {}",
                    record.thread,
                    record.level,
                    record.of_plugin().unwrap_or(&record.text)
                );
            }
        }
        let stats = setup.stage.stats("^wasm").await.unwrap();
        println!("{:#?}", stats.values());
        println!("first lines");
        for record in setup.stage.log().since(0).iter().take(12) {
            println!("{record:?}");
        }
        let begin = Instant::now();
        setup.stage.stop().await;
        println!("stopped in {:?}", begin.elapsed());
        let count = setup.stage.log().len();
        for record in setup.stage.log().since(count.saturating_sub(4)) {
            println!("{record:?}");
        }
    }
    println!("{:?}", start(binary, "bad", Protocol::Http2).await.err());
}
