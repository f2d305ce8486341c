use weir_host::{Exchange, LoadError};

use crate::fixture::{self, config, said, worker};
use crate::guests::start;

#[test]
fn bad_pointers_are_status_6_and_errors_leave_results_untouched() {
    let outcome = worker(fixture::memory(), "").exchange(&Exchange::get("/"));

    assert_eq!(
        said(&outcome),
        "a 6, b 6, c 1, d 6, e 777 777, f 6, g 777, h 2, i 1, j 1, k 2, l 12, m 2, n 1, o 2"
    );
}

#[test]
fn a_value_that_makes_the_guest_grow_its_memory_arrives_whole() {
    let mut worker = worker(fixture::memory(), "");
    let mut body = vec![b'a'; 200_000];
    body.push(b'z');
    let mut exchange = Exchange::post("/", body);
    exchange.request_chunks.bytes = std::num::NonZeroUsize::new(1 << 20).unwrap();
    let before = worker.memory_bytes();

    let outcome = worker.exchange(&exchange);

    assert!(
        said(&outcome).contains("p 0, q 200001, r 97 122"),
        "{}",
        said(&outcome)
    );
    assert!(worker.memory_bytes() > before);
}

/// A guest that calls one function of WASI with its first parameter 1, as for the log, and logs the answer.
fn wasi_guest(function: &str, parameters: &[&str]) -> Vec<u8> {
    let types = parameters.join(" ");
    let mut arguments = String::new();
    for (index, kind) in parameters.iter().enumerate() {
        let value = if index == 0 { 1 } else { 2048 };
        arguments += &format!("({kind}.const {value})");
    }
    let digits = "(i32.store8 (i32.const 0) (i32.add (i32.div_u (local.get 2) (i32.const 10)) (i32.const 48)))
      (i32.store8 (i32.const 1) (i32.add (i32.rem_u (local.get 2) (i32.const 10)) (i32.const 48)))";
    format!(
        r#"(module
        (import "wasi_snapshot_preview1" "{function}" (func $f (param {types}) (result i32)))
        (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) (i32.const 4096))
        (func (export "proxy_on_configure") (param i32 i32) (result i32) (local i32)
          (local.set 2 (call $f {arguments}))
          {digits}
          (drop (call $log (i32.const 2) (i32.const 0) (i32.const 2)))
          (i32.const 1)))"#
    )
    .into_bytes()
}

#[test]
fn files_and_sockets_of_wasi_are_there_and_answer_as_in_envoy() {
    // Observed in Envoy 1.40, with these arguments.
    for (function, parameters, answer) in [
        ("clock_res_get", "i32 i32", "00"),
        ("fd_advise", "i32 i64 i64 i32", "00"),
        ("fd_allocate", "i32 i64 i64", "00"),
        ("fd_close", "i32", "00"),
        ("fd_fdstat_set_flags", "i32 i32", "52"),
        ("fd_filestat_get", "i32 i32", "08"),
        ("fd_pread", "i32 i32 i32 i64 i32", "52"),
        ("fd_prestat_get", "i32 i32", "08"),
        ("fd_prestat_dir_name", "i32 i32 i32", "52"),
        ("fd_readdir", "i32 i32 i32 i64 i32", "20"),
        ("fd_renumber", "i32 i32", "08"),
        ("fd_seek", "i32 i64 i32 i32", "00"),
        ("fd_sync", "i32", "00"),
        ("fd_tell", "i32 i32", "00"),
        ("path_create_directory", "i32 i32 i32", "58"),
        (
            "path_filestat_set_times",
            "i32 i32 i32 i32 i64 i64 i32",
            "58",
        ),
        ("path_link", "i32 i32 i32 i32 i32 i32", "58"),
        ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32", "44"),
        ("path_symlink", "i32 i32 i32 i32", "58"),
        ("sock_accept", "i32 i32 i32", "58"),
    ] {
        let parameters: Vec<&str> = parameters.split(' ').collect();
        let guest = wasi_guest(function, &parameters);
        let started = start(&guest, config("")).unwrap();
        assert_eq!(started.told(), [answer], "{function}");
    }
}

#[test]
fn functions_of_wasi_that_envoy_lacks_keep_a_module_from_loading() {
    for (function, parameters) in [
        ("proc_raise", vec!["i32"]),
        ("path_symlink", vec!["i32"; 5]),
    ] {
        let refused = start(&wasi_guest(function, &parameters), config("")).err();
        assert!(matches!(refused, Some(LoadError::Import(_))), "{function}");
    }
}
