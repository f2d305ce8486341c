//! The guest's exports, resolved once; a missing callback means its default.
use std::sync::Arc;

use wasmtime::{AsContextMut, Instance, Store, TypedFunc, WasmParams, WasmResults};

use crate::calls::{Answer, Frame, Numbers};
use crate::flow::Direction;
use crate::load_error::LoadError;
use crate::state::VmState;

/// An export of the guest with its name. Shared, since wasmtime's own handle looks its type up when it is cloned.
pub(crate) struct Export<Params, Results> {
    name: &'static str,
    function: TypedFunc<Params, Results>,
}

impl<Params: WasmParams, Results: WasmResults> Export<Params, Results> {
    /// Calls a callback in `context`; the sink of [`crate::HostConfig::calls`] is told.
    pub(crate) fn call_in(
        &self,
        mut store: impl AsContextMut<Data = VmState>,
        context: u32,
        parameters: Params,
    ) -> wasmtime::Result<Results>
    where
        Params: Numbers,
        Results: Answer,
    {
        let frame = Frame::open(store.as_context(), self.name, context, &parameters);
        let result = self.function.call(&mut store, parameters);
        if let Some(frame) = frame {
            let answer = result.as_ref().map(Answer::answer).map_err(drop);
            frame.close(store.as_context(), answer);
        }
        result
    }
    /// Calls the allocator: no sink is told.
    pub(crate) fn call(
        &self,
        store: impl AsContextMut,
        parameters: Params,
    ) -> wasmtime::Result<Results> {
        self.function.call(store, parameters)
    }
}

pub(crate) type Callback<Params> = Option<Arc<Export<Params, ()>>>;
/// A callback whose answer decides.
pub(crate) type Decision<Params> = Option<Arc<Export<Params, u32>>>;

pub(crate) struct Exports {
    pub(crate) context_create: Callback<(u32, u32)>,
    pub(crate) vm_start: Decision<(u32, u32)>,
    pub(crate) configure: Decision<(u32, u32)>,
    pub(crate) tick: Callback<u32>,
    pub(crate) queue_ready: Callback<(u32, u32)>,
    pub(crate) answers: Answers,
    pub(crate) done: Decision<u32>,
    pub(crate) log: Callback<u32>,
    pub(crate) delete: Callback<u32>,
    request: Path,
    response: Path,
}

/// Callbacks of callouts: root context, token, and what came.
pub(crate) struct Answers {
    pub(crate) http_call_response: Callback<(u32, u32, u32, u32, u32)>,
    pub(crate) grpc_initial: Callback<(u32, u32, u32)>,
    pub(crate) grpc_receive: Callback<(u32, u32, u32)>,
    pub(crate) grpc_trailing: Callback<(u32, u32, u32)>,
    pub(crate) grpc_close: Callback<(u32, u32, u32)>,
}

/// The callbacks that Envoy makes inside a hostcall.
pub(crate) struct GrpcCallbacks {
    pub(crate) initial: Callback<(u32, u32, u32)>,
    pub(crate) trailing: Callback<(u32, u32, u32)>,
}

struct Path {
    headers: Decision<(u32, u32, u32)>,
    body: Decision<(u32, u32, u32)>,
    trailers: Decision<(u32, u32)>,
}

impl Exports {
    pub(crate) fn resolve(
        store: &mut Store<VmState>,
        instance: &Instance,
    ) -> Result<Self, LoadError> {
        let mut exports = Resolver { store, instance };
        Ok(Self {
            context_create: exports.optional("proxy_on_context_create")?,
            vm_start: exports.optional("proxy_on_vm_start")?,
            configure: exports.optional("proxy_on_configure")?,
            tick: exports.optional("proxy_on_tick")?,
            queue_ready: exports.optional("proxy_on_queue_ready")?,
            answers: Answers {
                http_call_response: exports.optional("proxy_on_http_call_response")?,
                grpc_initial: exports.optional("proxy_on_grpc_receive_initial_metadata")?,
                grpc_receive: exports.optional("proxy_on_grpc_receive")?,
                grpc_trailing: exports.optional("proxy_on_grpc_receive_trailing_metadata")?,
                grpc_close: exports.optional("proxy_on_grpc_close")?,
            },
            done: exports.optional("proxy_on_done")?,
            log: exports.optional("proxy_on_log")?,
            delete: exports.optional("proxy_on_delete")?,
            request: Path {
                headers: exports.optional("proxy_on_request_headers")?,
                body: exports.optional("proxy_on_request_body")?,
                trailers: exports.optional("proxy_on_request_trailers")?,
            },
            response: Path {
                headers: exports.optional("proxy_on_response_headers")?,
                body: exports.optional("proxy_on_response_body")?,
                trailers: exports.optional("proxy_on_response_trailers")?,
            },
        })
    }
    fn path(&self, direction: Direction) -> &Path {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }
    pub(crate) fn headers(&self, direction: Direction) -> &Decision<(u32, u32, u32)> {
        &self.path(direction).headers
    }
    pub(crate) fn body(&self, direction: Direction) -> &Decision<(u32, u32, u32)> {
        &self.path(direction).body
    }
    pub(crate) fn trailers(&self, direction: Direction) -> &Decision<(u32, u32)> {
        &self.path(direction).trailers
    }
}

/// Looks exports up by name.
pub(crate) struct Resolver<'a> {
    pub(crate) store: &'a mut Store<VmState>,
    pub(crate) instance: &'a Instance,
}

impl Resolver<'_> {
    pub(crate) fn optional<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Arc<Export<P, R>>>, LoadError> {
        match self.instance.get_func(&mut *self.store, name) {
            None => Ok(None),
            Some(function) => function
                .typed(&*self.store)
                .map(|function| Some(Arc::new(Export { name, function })))
                .map_err(|_| LoadError::Export { name }),
        }
    }
}
