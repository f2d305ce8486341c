//! Every import of the probe, callable by name with raw arguments.
//!
//! Only functions that Envoy 1.40 has: one that is missing keeps the module from loading. Elsewhere
//! than in WebAssembly every call answers `Unimplemented`, so that the code can be checked and tested.

#[cfg(not(target_arch = "wasm32"))]
const UNIMPLEMENTED: u32 = 12;

macro_rules! imports {
    ($($module:literal { $($name:ident($($parameter:ident: $kind:ident),*);)* })*) => {
        #[cfg(target_arch = "wasm32")]
        mod raw {
            $(#[link(wasm_import_module = $module)]
            unsafe extern "C" {
                $(pub(super) fn $name($($parameter: $kind),*) -> u32;)*
            })*
        }
        #[cfg(not(target_arch = "wasm32"))]
        #[expect(clippy::too_many_arguments, reason = "as many as the ABI has")]
        mod raw {
            $($(pub(super) unsafe fn $name($(_: imports!(@kind $parameter $kind)),*) -> u32 {
                super::UNIMPLEMENTED
            })*)*
        }
        /// Calls an import; `None` when there is none of that name with so many arguments.
        pub(crate) fn call(name: &str, arguments: &[u64]) -> Option<u32> {
            $($(if name == stringify!($name) {
                let &[$($parameter),*] = arguments else { return None };
                // SAFETY: the host checks every address against the bounds of this memory. It writes
                // only to the places that the caller made for answers; a script that names other
                // addresses on purpose harms nothing but this guest.
                return Some(unsafe { raw::$name($($parameter as $kind),*) });
            })*)*
            None
        }
    };
    (@kind $parameter:ident $kind:ident) => { $kind };
}

imports! {
    "env" {
        proxy_log(level: u32, data: u32, size: u32);
        proxy_get_log_level(to: u32);
        proxy_get_status(to_code: u32, to_data: u32, to_size: u32);
        proxy_get_property(path: u32, path_size: u32, to_data: u32, to_size: u32);
        proxy_set_property(path: u32, path_size: u32, data: u32, size: u32);
        proxy_set_tick_period_milliseconds(period: u32);
        proxy_get_current_time_nanoseconds(to: u32);
        proxy_get_header_map_value(map: u32, name: u32, name_size: u32, to_data: u32, to_size: u32);
        proxy_add_header_map_value(map: u32, name: u32, name_size: u32, data: u32, size: u32);
        proxy_replace_header_map_value(map: u32, name: u32, name_size: u32, data: u32, size: u32);
        proxy_remove_header_map_value(map: u32, name: u32, name_size: u32);
        proxy_get_header_map_pairs(map: u32, to_data: u32, to_size: u32);
        proxy_set_header_map_pairs(map: u32, data: u32, size: u32);
        proxy_get_header_map_size(map: u32, to: u32);
        proxy_get_buffer_bytes(buffer: u32, start: u32, length: u32, to_data: u32, to_size: u32);
        proxy_get_buffer_status(buffer: u32, to_length: u32, to_flags: u32);
        proxy_set_buffer_bytes(buffer: u32, start: u32, length: u32, data: u32, size: u32);
        proxy_continue_stream(stream: u32);
        proxy_close_stream(stream: u32);
        proxy_send_local_response(status: u32, details: u32, details_size: u32, body: u32, body_size: u32,
            headers: u32, headers_size: u32, grpc_status: u32);
        proxy_http_call(upstream: u32, upstream_size: u32, headers: u32, headers_size: u32, body: u32,
            body_size: u32, trailers: u32, trailers_size: u32, timeout: u32, to_token: u32);
        proxy_grpc_call(service: u32, service_size: u32, name: u32, name_size: u32, method: u32,
            method_size: u32, metadata: u32, metadata_size: u32, message: u32, message_size: u32,
            timeout: u32, to_token: u32);
        proxy_grpc_stream(service: u32, service_size: u32, name: u32, name_size: u32, method: u32,
            method_size: u32, metadata: u32, metadata_size: u32, to_token: u32);
        proxy_grpc_send(token: u32, message: u32, message_size: u32, end: u32);
        proxy_grpc_cancel(token: u32);
        proxy_grpc_close(token: u32);
        proxy_get_shared_data(key: u32, key_size: u32, to_data: u32, to_size: u32, to_cas: u32);
        proxy_set_shared_data(key: u32, key_size: u32, data: u32, size: u32, cas: u32);
        proxy_register_shared_queue(name: u32, name_size: u32, to: u32);
        proxy_resolve_shared_queue(vm: u32, vm_size: u32, name: u32, name_size: u32, to: u32);
        proxy_enqueue_shared_queue(queue: u32, data: u32, size: u32);
        proxy_dequeue_shared_queue(queue: u32, to_data: u32, to_size: u32);
        proxy_define_metric(kind: u32, name: u32, name_size: u32, to: u32);
        proxy_increment_metric(metric: u32, offset: u64);
        proxy_record_metric(metric: u32, value: u64);
        proxy_get_metric(metric: u32, to: u32);
        proxy_set_effective_context(context: u32);
        proxy_done();
        proxy_call_foreign_function(name: u32, name_size: u32, data: u32, size: u32, to_data: u32,
            to_size: u32);
    }
    "wasi_snapshot_preview1" {
        args_get(to: u32, text: u32);
        args_sizes_get(to_count: u32, to_bytes: u32);
        clock_time_get(clock: u32, precision: u64, to: u32);
        environ_get(to: u32, text: u32);
        environ_sizes_get(to_count: u32, to_bytes: u32);
        fd_close(fd: u32);
        fd_fdstat_get(fd: u32, to: u32);
        fd_read(fd: u32, vectors: u32, count: u32, to: u32);
        fd_seek(fd: u32, offset: u64, whence: u32, to: u32);
        fd_write(fd: u32, vectors: u32, count: u32, to: u32);
        path_open(fd: u32, dirflags: u32, path: u32, size: u32, oflags: u32, rights: u64, inherited: u64,
            fdflags: u32, to: u32);
        poll_oneoff(subscriptions: u32, events: u32, count: u32, to: u32);
        random_get(to: u32, size: u32);
        sched_yield();
    }
}

/// Asks WASI to end the process. Envoy only logs that and returns.
pub(crate) fn exit(code: u32) {
    #[cfg(target_arch = "wasm32")]
    {
        #[link(wasm_import_module = "wasi_snapshot_preview1")]
        unsafe extern "C" {
            fn proc_exit(code: u32);
        }
        // SAFETY: no pointers.
        unsafe { proc_exit(code) }
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = code;
}
