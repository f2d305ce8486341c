use std::thread;

use weir_engine::store::{CounterStore, Swap};
use weir_host::{Exchange, Plugin, SharedDataBytes};

use crate::fixture::{self, config, host, said, worker};

#[test]
fn cas_follows_envoys_rules() {
    let outcome = worker(fixture::cas(), "").exchange(&Exchange::get("/"));

    assert_eq!(
        said(&outcome),
        "a 1, a 777, b 0, c 0, value, d 8, e 0, f 8, g 0, h 0, i 0, i 0"
    );
}

#[test]
fn workers_on_threads_lose_no_update() {
    const EACH: u64 = 2_000;
    let host = host();
    let plugin = Plugin::load(&host, &fixture::counter(), config("")).unwrap();
    let workers: Vec<_> = (0..4).map(|_| plugin.worker().unwrap()).collect();

    thread::scope(|scope| {
        for mut worker in workers {
            scope.spawn(move || {
                for _ in 0..EACH {
                    worker.exchange(&Exchange::get("/"));
                }
            });
        }
    });

    let data = host.shared_data("");
    assert_eq!(
        data,
        [(b"counter".to_vec(), (4 * EACH).to_le_bytes().to_vec())]
    );
    assert_eq!(
        host.shared_data_bytes(""),
        SharedDataBytes { keys: 1, bytes: 15 }
    );
}

#[test]
fn namespaces_are_the_vm_ids_and_die_with_their_last_user() {
    let host = host();
    let mut other = config("");
    other.vm_id = "other".into();
    let plugin = Plugin::load(&host, &fixture::counter(), config("")).unwrap();
    let separate = Plugin::load(&host, &fixture::counter(), other).unwrap();

    plugin.worker().unwrap().exchange(&Exchange::get("/"));
    assert_eq!(
        (
            host.shared_data_bytes("").keys,
            host.shared_data_bytes("other").keys
        ),
        (1, 0)
    );
    separate.worker().unwrap().exchange(&Exchange::get("/"));
    drop(separate);

    assert_eq!(
        (
            host.shared_data_bytes("").keys,
            host.shared_data_bytes("other").keys
        ),
        (1, 0)
    );
}

#[test]
fn the_engines_store_creates_only_what_is_absent_and_swaps_only_what_it_read() {
    let host = host();
    let (mut first, mut second) = (host.store("vm"), host.store("vm"));
    let mut value = Vec::new();

    assert_eq!(first.get(b"k", &mut value), Ok(None));
    assert_eq!(first.compare_and_swap(b"k", b"1", None), Ok(Swap::Done));
    assert_eq!(
        second.compare_and_swap(b"k", b"2", None),
        Ok(Swap::Conflict)
    );
    let read = second.get(b"k", &mut value).unwrap();
    assert_eq!(value, b"1");
    assert_eq!(second.compare_and_swap(b"k", b"3", read), Ok(Swap::Done));
    assert_eq!(first.compare_and_swap(b"k", b"4", read), Ok(Swap::Conflict));
}
