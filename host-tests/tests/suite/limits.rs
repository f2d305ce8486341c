use weir_host::{Exchange, Host, HostConfig, Hostcall, Message, Plugin, Stat};

use crate::fixture::{self, config, host};

fn busy_exchange() -> Exchange {
    Exchange::post("/v1/chat/completions", "x".repeat(2_000))
        .answered_by(Message::response(200, "y".repeat(500)))
}

#[test]
fn a_hundred_thousand_streams_leave_memory_and_shared_data_as_they_were() {
    const STREAMS: u64 = 100_000;
    let host = host();
    let mut worker = Plugin::load(&host, &fixture::busy(), config(""))
        .unwrap()
        .worker()
        .unwrap();
    let exchange = busy_exchange();
    worker.exchange(&exchange);
    let (memory, data) = (worker.memory_bytes(), host.shared_data_bytes(""));

    for _ in 1..STREAMS {
        worker.exchange(&exchange);
    }

    assert_eq!(worker.memory_bytes(), memory);
    assert_eq!(host.shared_data_bytes(""), data);
    assert_eq!(worker.open_streams(), 0);
    assert_eq!(worker.hostcalls().of(Hostcall::SetSharedData), 2 * STREAMS);
    assert_eq!(
        host.stats()["wasmcustom.weir_exchanges"],
        Stat::Counter(STREAMS)
    );
}

#[test]
fn the_same_input_makes_the_same_calls() {
    let counts = || {
        let mut worker = Plugin::load(&host(), &fixture::busy(), config(""))
            .unwrap()
            .worker()
            .unwrap();
        for _ in 0..10 {
            worker.exchange(&busy_exchange());
        }
        (worker.hostcalls(), worker.vm_entries())
    };

    assert_eq!(counts(), counts());
    assert_eq!(counts().0.of(Hostcall::GetBufferBytes), 20);
}

#[test]
fn fuel_is_counted_where_it_is_asked_for_and_repeats_exactly() {
    let burnt = |fuel, exchanges| {
        let host = Host::new(HostConfig {
            fuel,
            ..HostConfig::default()
        });
        let plugin = Plugin::load(&host.unwrap(), &fixture::busy(), config("")).unwrap();
        let mut worker = plugin.worker().unwrap();
        for _ in 0..exchanges {
            worker.exchange(&busy_exchange());
        }
        worker.fuel()
    };

    let ten = burnt(true, 10).unwrap();
    assert_eq!(burnt(true, 10), Some(ten));
    assert!(burnt(true, 20).unwrap() > ten && ten > 100);
    assert_eq!(burnt(false, 10), None);
}
