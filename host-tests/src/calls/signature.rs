//! What the raw numbers of each hostcall mean.
use super::Argument;

/// One logical parameter; those of bytes and of most results are two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    Number,
    Signed,
    Named(&'static [&'static str]),
    Bytes,
    Pairs,
    /// Address and length of the bytes are written to these addresses.
    ToBytes,
    ToPairs,
    ToNumber,
    ToLong,
}
use Parameter::{Bytes, Named, Number, Pairs, Signed, ToBytes, ToLong, ToNumber, ToPairs};

const LEVEL: Parameter = Named(&["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"]);
const MAP: Parameter = Named(&[
    "REQUEST_HEADERS",
    "REQUEST_TRAILERS",
    "RESPONSE_HEADERS",
    "RESPONSE_TRAILERS",
    "GRPC_RECEIVE_INITIAL_METADATA",
    "GRPC_RECEIVE_TRAILING_METADATA",
    "HTTP_CALL_RESPONSE_HEADERS",
    "HTTP_CALL_RESPONSE_TRAILERS",
]);
const BUFFER: Parameter = Named(&[
    "REQUEST_BODY",
    "RESPONSE_BODY",
    "DOWNSTREAM_DATA",
    "UPSTREAM_DATA",
    "HTTP_CALL_RESPONSE_BODY",
    "GRPC_RECEIVE_BUFFER",
    "VM_CONFIGURATION",
    "PLUGIN_CONFIGURATION",
    "CALL_DATA",
]);
const STREAM: Parameter = Named(&["REQUEST", "RESPONSE", "DOWNSTREAM", "UPSTREAM"]);
const METRIC: Parameter = Named(&["COUNTER", "GAUGE", "HISTOGRAM"]);

/// The parameters of `import`; `None` where its numbers stay numbers.
pub(super) fn of(import: &str) -> Option<&'static [Parameter]> {
    Some(match import.strip_prefix("proxy_")? {
        "log" => &[LEVEL, Bytes],
        "get_log_level" => &[ToNumber],
        "get_status" => &[ToNumber, ToBytes],
        "get_property" => &[Bytes, ToBytes],
        "set_property" => &[Bytes, Bytes],
        "get_current_time_nanoseconds" => &[ToLong],
        "get_header_map_value" => &[MAP, Bytes, ToBytes],
        "add_header_map_value" | "replace_header_map_value" => &[MAP, Bytes, Bytes],
        "remove_header_map_value" => &[MAP, Bytes],
        "get_header_map_pairs" => &[MAP, ToPairs],
        "set_header_map_pairs" => &[MAP, Pairs],
        "get_header_map_size" => &[MAP, ToNumber],
        "get_buffer_bytes" => &[BUFFER, Number, Number, ToBytes],
        "get_buffer_status" => &[BUFFER, ToNumber, ToNumber],
        "set_buffer_bytes" => &[BUFFER, Number, Number, Bytes],
        "continue_stream" | "close_stream" => &[STREAM],
        "send_local_response" => &[Number, Bytes, Bytes, Pairs, Signed],
        "http_call" => &[Bytes, Pairs, Bytes, Pairs, Number, ToNumber],
        "grpc_call" => &[Bytes, Bytes, Bytes, Pairs, Bytes, Number, ToNumber],
        "grpc_stream" => &[Bytes, Bytes, Bytes, Pairs, ToNumber],
        "grpc_send" => &[Number, Bytes, Number],
        "get_shared_data" => &[Bytes, ToBytes, ToNumber],
        "set_shared_data" => &[Bytes, Bytes, Number],
        "register_shared_queue" => &[Bytes, ToNumber],
        "resolve_shared_queue" => &[Bytes, Bytes, ToNumber],
        "enqueue_shared_queue" => &[Number, Bytes],
        "dequeue_shared_queue" => &[Number, ToBytes],
        "define_metric" => &[METRIC, Bytes, ToNumber],
        "increment_metric" => &[Number, Signed],
        "get_metric" => &[Number, ToLong],
        "call_foreign_function" => &[Bytes, Bytes, ToBytes],
        _ => return None,
    })
}

/// The name of `number` where it has one.
pub(super) fn named(names: &[&'static str], number: u32) -> Argument {
    names
        .get(number as usize)
        .map_or(Argument::Number(number.into()), |name| {
            Argument::Constant(name)
        })
}

impl Parameter {
    /// How many raw numbers it takes.
    pub(super) const fn width(self) -> usize {
        match self {
            Bytes | Pairs | ToBytes | ToPairs => 2,
            Number | Signed | Named(_) | ToNumber | ToLong => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Host, HostConfig};
    use crate::hostcall::Hostcall;
    use crate::plugin::{Plugin, PluginConfig};

    #[test]
    fn signatures_have_the_widths_of_the_abi() {
        let host = Host::new(HostConfig::default()).unwrap();
        for call in Hostcall::ALL {
            let Some(signature) = of(call.name()) else {
                continue;
            };
            let wide = matches!(*call, Hostcall::IncrementMetric);
            let count: usize = signature.iter().map(|parameter| parameter.width()).sum();
            let types: Vec<&str> = (0..count)
                .map(|at| if wide && at == 1 { "i64" } else { "i32" })
                .collect();
            let guest = format!(
                r#"(module (import "env" "{}" (func (param {}) (result i32)))
                (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
                (func (export "malloc") (param i32) (result i32) (i32.const 8)))"#,
                call.name(),
                types.join(" ")
            );

            let loaded = Plugin::load(&host, guest.as_bytes(), PluginConfig::named("p"));

            assert!(loaded.is_ok(), "{}: {:?}", call.name(), loaded.err());
        }
    }
}
