//! Every callback that a host can call, by name into [`callbacks`].
use crate::callbacks;

/// WASI's start of a reactor; rustc leaves it to the module.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    #[cfg(target_os = "wasi")]
    {
        unsafe extern "C" {
            fn __wasm_call_ctors();
        }
        // SAFETY: called once, before anything else in this module runs.
        unsafe { __wasm_call_ctors() }
    }
    callbacks::initialize();
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Where the host puts what it returns; `Cells::take` takes it over.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let memory = vec![0_u8; size].into_boxed_slice();
    let memory = Box::into_raw(memory).cast::<u8>();
    memory.expose_provenance();
    memory
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    callbacks::context_create(context, parent);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(root: u32, size: u32) -> u32 {
    callbacks::vm_start(root, size)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, size: u32) -> u32 {
    callbacks::configure(root, size)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, headers: u32, end: u32) -> u32 {
    callbacks::request_headers(context, headers, end)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    callbacks::delete(context);
}

/// Callbacks in which the probe does nothing of its own.
macro_rules! plain {
    ($($export:ident($context:ident $(, $argument:ident)*) = $name:literal;)*) => {
        $(#[unsafe(no_mangle)]
        extern "C" fn $export($context: u32 $(, $argument: u32)*) {
            callbacks::plain($name, $context, &[$($argument),*]);
        })*
    };
}

plain! {
    proxy_on_tick(root) = "tick";
    proxy_on_queue_ready(root, queue) = "queue_ready";
    proxy_on_foreign_function(root, function, size) = "foreign_function";
    proxy_on_log(context) = "log";
}

/// Callbacks of a context whose answer matters; the last number is the default.
macro_rules! answered {
    ($($export:ident($context:ident $(, $argument:ident)*) = $name:literal, $default:literal;)*) => {
        $(#[unsafe(no_mangle)]
        extern "C" fn $export($context: u32 $(, $argument: u32)*) -> u32 {
            callbacks::plain($name, $context, &[$($argument),*]).unwrap_or($default)
        })*
    };
}

answered! {
    proxy_on_request_body(context, size, end) = "request_body", 0;
    proxy_on_request_trailers(context, trailers) = "request_trailers", 0;
    proxy_on_response_headers(context, headers, end) = "response_headers", 0;
    proxy_on_response_body(context, size, end) = "response_body", 0;
    proxy_on_response_trailers(context, trailers) = "response_trailers", 0;
    proxy_on_done(context) = "done", 1;
}

/// Answers to callouts, which come to the root and belong to whoever asked.
macro_rules! callouts {
    ($($export:ident($root:ident, $token:ident $(, $argument:ident)*) = $name:literal;)*) => {
        $(#[unsafe(no_mangle)]
        extern "C" fn $export($root: u32, $token: u32 $(, $argument: u32)*) {
            callbacks::callout($name, $root, $token, &[$token $(, $argument)*]);
        })*
    };
}

callouts! {
    proxy_on_http_call_response(root, token, headers, body, trailers) = "http_call_response";
    proxy_on_grpc_receive_initial_metadata(root, token, headers) = "grpc_receive_initial_metadata";
    proxy_on_grpc_receive(root, token, size) = "grpc_receive";
    proxy_on_grpc_receive_trailing_metadata(root, token, headers) = "grpc_receive_trailing_metadata";
    proxy_on_grpc_close(root, token, status) = "grpc_close";
}
