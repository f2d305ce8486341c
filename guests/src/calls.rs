//! The hostcalls that scripts can name, with their parameters in ABI order.

/// A parameter of a hostcall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    /// A number in the script.
    Number,
    /// A byte string in the script: pointer and size.
    Bytes,
    /// A header map in the script, as list of pairs: pointer and size.
    Pairs,
    /// Where the host puts something; nothing in the script.
    Out(Out),
}

/// What a host puts somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    /// Four bytes, and what scripts call the number afterwards.
    Number(Option<Register>),
    /// Eight bytes.
    Long(Register),
    /// Eight bytes that no two runs agree on.
    Time,
    /// Pointer and size of bytes.
    Bytes,
    /// Pointer and size of a header map.
    Pairs,
}

/// The latest out value of its kind, for scripts to refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Register {
    /// `$cas`
    Cas,
    /// `$metric`
    Metric,
    /// `$queue`
    Queue,
    /// `$token`
    Token,
    /// `$value`
    Value,
}

use Out::{Long, Time};
use Parameter::{Bytes, Number, Pairs};

const OUT_NUMBER: Parameter = Parameter::Out(Out::Number(None));
const OUT_BYTES: Parameter = Parameter::Out(Out::Bytes);
const OUT_PAIRS: Parameter = Parameter::Out(Out::Pairs);
const CAS: Parameter = Parameter::Out(Out::Number(Some(Register::Cas)));
const METRIC: Parameter = Parameter::Out(Out::Number(Some(Register::Metric)));
const QUEUE: Parameter = Parameter::Out(Out::Number(Some(Register::Queue)));
const TOKEN: Parameter = Parameter::Out(Out::Number(Some(Register::Token)));

/// By name without `proxy_`.
const CALLS: &[(&str, &[Parameter])] = &[
    ("add_header_map_value", &[Number, Bytes, Bytes]),
    ("call_foreign_function", &[Bytes, Bytes, OUT_BYTES]),
    ("close_stream", &[Number]),
    ("continue_stream", &[Number]),
    ("define_metric", &[Number, Bytes, METRIC]),
    ("dequeue_shared_queue", &[Number, OUT_BYTES]),
    ("done", &[]),
    ("enqueue_shared_queue", &[Number, Bytes]),
    ("get_buffer_bytes", &[Number, Number, Number, OUT_BYTES]),
    ("get_buffer_status", &[Number, OUT_NUMBER, OUT_NUMBER]),
    ("get_current_time_nanoseconds", &[Parameter::Out(Time)]),
    ("get_header_map_pairs", &[Number, OUT_PAIRS]),
    ("get_header_map_size", &[Number, OUT_NUMBER]),
    ("get_header_map_value", &[Number, Bytes, OUT_BYTES]),
    ("get_log_level", &[OUT_NUMBER]),
    (
        "get_metric",
        &[Number, Parameter::Out(Long(Register::Value))],
    ),
    ("get_property", &[Bytes, OUT_BYTES]),
    ("get_shared_data", &[Bytes, OUT_BYTES, CAS]),
    ("get_status", &[OUT_NUMBER, OUT_BYTES]),
    (
        "grpc_call",
        &[Bytes, Bytes, Bytes, Pairs, Bytes, Number, TOKEN],
    ),
    ("grpc_cancel", &[Number]),
    ("grpc_close", &[Number]),
    ("grpc_send", &[Number, Bytes, Number]),
    ("grpc_stream", &[Bytes, Bytes, Bytes, Pairs, TOKEN]),
    ("http_call", &[Bytes, Pairs, Bytes, Pairs, Number, TOKEN]),
    ("increment_metric", &[Number, Number]),
    ("log", &[Number, Bytes]),
    ("record_metric", &[Number, Number]),
    ("register_shared_queue", &[Bytes, QUEUE]),
    ("remove_header_map_value", &[Number, Bytes]),
    ("replace_header_map_value", &[Number, Bytes, Bytes]),
    ("resolve_shared_queue", &[Bytes, Bytes, QUEUE]),
    (
        "send_local_response",
        &[Number, Bytes, Bytes, Pairs, Number],
    ),
    ("set_buffer_bytes", &[Number, Number, Number, Bytes]),
    ("set_effective_context", &[Number]),
    ("set_header_map_pairs", &[Number, Pairs]),
    ("set_property", &[Bytes, Bytes]),
    ("set_shared_data", &[Bytes, Bytes, Number]),
    ("set_tick_period_milliseconds", &[Number]),
];

/// The parameters of a hostcall; `None` when there is none of that name.
pub(crate) fn parameters(name: &str) -> Option<&'static [Parameter]> {
    CALLS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, parameters)| *parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi;

    #[test]
    fn every_call_fits_the_import_of_its_name() {
        for (name, parameters) in CALLS {
            let words = parameters.iter().map(|parameter| match parameter {
                Bytes | Pairs | Parameter::Out(Out::Bytes | Out::Pairs) => 2,
                _ => 1,
            });
            let arguments = vec![0; words.sum()];
            assert!(
                abi::call(&format!("proxy_{name}"), &arguments).is_some(),
                "{name}"
            );
        }
    }
}
