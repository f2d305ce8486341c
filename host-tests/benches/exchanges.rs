//! What the host itself costs: exchanges per second through a guest that only makes hostcalls.
//!
//! The guest makes 11 hostcalls per exchange (both header maps, both bodies, time, two shared-data
//! updates, filter state, a counter) and computes nothing, so this is the ceiling for a replay. Bodies:
//! 2 KB request, 500 B response. Reports the best of five runs; one run warms up.
use std::hint::black_box;
use std::thread;
use std::time::Instant;

use weir_host::{Exchange, Host, HostConfig, Message, Plugin, PluginConfig, Worker};

const GUEST: &str = concat!(
    "(module\n",
    include_str!("../tests/guests/prelude.wat"),
    include_str!("../tests/guests/busy.wat"),
    ")"
);
const EXCHANGES: u32 = 20_000;

fn run(worker: &mut Worker, exchange: &Exchange) {
    for _ in 0..EXCHANGES {
        black_box(worker.exchange(black_box(exchange)));
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exchange = Exchange::post("/v1/chat/completions", "x".repeat(2_000))
        .with_header("authorization", "Bearer 0123456789abcdef")
        .with_header("x-account-id", "a-17")
        .answered_by(Message::response(200, "y".repeat(500)));
    for watched in [true, false] {
        let mut config = HostConfig::default();
        if !watched {
            config.hang_limit = None;
        }
        let host = Host::new(config)?;
        let plugin = Plugin::load(
            &host,
            GUEST.as_bytes(),
            PluginConfig {
                allow_on_headers_stop_iteration: true,
                ..PluginConfig::named("busy")
            },
        )?;
        for threads in [1, 2] {
            let mut workers = (0..threads)
                .map(|_| plugin.worker())
                .collect::<Result<Vec<_>, _>>()?;
            let mut best = f64::MAX;
            for _ in 0..6 {
                let start = Instant::now();
                thread::scope(|scope| {
                    for worker in &mut workers {
                        scope.spawn(|| run(worker, &exchange));
                    }
                });
                best = best.min(start.elapsed().as_secs_f64());
            }
            let total = f64::from(EXCHANGES) * f64::from(threads);
            println!(
                "workers {threads}, hang limit {watched}: {:>9.0} exchanges/s, {:.2} us per exchange and worker",
                total / best,
                best * 1e6 / f64::from(EXCHANGES)
            );
        }
    }
    Ok(())
}
