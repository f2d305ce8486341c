//! The configuration of a stage: listeners with one plugin each, an upstream, clusters that plugins call.
//!
//! Envoy adds as little as it can: no request ids, no timeouts, no headers of its own where they can be left out.
//! What it adds in spite of that, [`super`] lists.
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::access::ACCESS_FORMAT;
use super::scripted::CONNECTION_HEADER;
use crate::wire::Protocol;

/// HTTP/2 stream windows under the protocol's default are refused by Envoy.
const LEAST_WINDOW_BYTES: u32 = 65_535;
/// Name of the upstream's cluster.
const UPSTREAM: &str = "upstream";

/// One plugin, as `PluginConfig` has it.
#[derive(Clone, Debug)]
pub struct PluginFilter {
    /// Name of the plugin and of its listener.
    pub name: String,
    /// The module.
    pub wasm: PathBuf,
    /// Root id.
    pub root_id: String,
    /// VM id.
    pub vm_id: String,
    /// The configuration; none at all where it is empty.
    pub configuration: String,
    /// The VM's configuration; none at all where it is empty.
    pub vm_configuration: String,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// `allow_on_headers_stop_iteration`.
    pub allow_on_headers_stop_iteration: bool,
    /// What a trap leads to.
    pub on_failure: OnFailure,
}

/// Envoy's ways to go on after a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// `failure_policy: FAIL_CLOSED`.
    Closed,
    /// `failure_policy: FAIL_RELOAD` with this base interval.
    Reload(Duration),
    /// `failure_policy: FAIL_OPEN`.
    Open,
    /// `fail_open: true`.
    LegacyOpen,
}

/// What is around the plugins.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// `per_connection_buffer_limit_bytes` of listeners and upstream. In HTTP/2 it is the stream's window that
    /// bounds, which is set to the same, but not under 65,535.
    pub buffer_limit_bytes: u32,
    /// Where the upstream is, and what it speaks.
    pub upstream: (SocketAddr, Protocol),
    /// Where listeners write their access log.
    pub access_log: PathBuf,
    /// Name, address (None: no endpoint) and whether it speaks HTTP/2, of clusters for plugins.
    pub clusters: Vec<(String, Option<SocketAddr>, bool)>,
}

fn typed(kind: &str, fields: Value) -> Value {
    let mut typed = Map::new();
    typed.insert("@type".into(), json!(format!("type.googleapis.com/{kind}")));
    if let Value::Object(fields) = fields {
        typed.extend(fields);
    }
    Value::Object(typed)
}

fn text_value(text: &str) -> Value {
    typed("google.protobuf.StringValue", json!({"value": text}))
}

fn address(addr: SocketAddr) -> Value {
    json!({"socket_address": {"address": addr.ip().to_string(), "port_value": addr.port()}})
}

fn seconds(duration: Duration) -> String {
    format!("{}.{:09}s", duration.as_secs(), duration.subsec_nanos())
}

impl PluginFilter {
    fn to_json(&self) -> Value {
        let mut vm = json!({
            "vm_id": self.vm_id,
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": self.wasm.to_string_lossy()}},
        });
        if !self.vm_configuration.is_empty() {
            set(&mut vm, "configuration", text_value(&self.vm_configuration));
        }
        if !self.environment.is_empty() {
            let variables: Map<_, _> = self
                .environment
                .iter()
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect();
            set(
                &mut vm,
                "environment_variables",
                json!({"key_values": variables}),
            );
        }
        let mut config = json!({
            "name": self.name,
            "root_id": self.root_id,
            "allow_on_headers_stop_iteration": self.allow_on_headers_stop_iteration,
            "vm_config": vm,
        });
        if !self.configuration.is_empty() {
            set(
                &mut config,
                "configuration",
                text_value(&self.configuration),
            );
        }
        match self.on_failure {
            OnFailure::Closed => set(&mut config, "failure_policy", json!("FAIL_CLOSED")),
            OnFailure::Open => set(&mut config, "failure_policy", json!("FAIL_OPEN")),
            OnFailure::LegacyOpen => set(&mut config, "fail_open", json!(true)),
            OnFailure::Reload(interval) => {
                set(&mut config, "failure_policy", json!("FAIL_RELOAD"));
                let backoff = json!({"backoff": {"base_interval": seconds(interval)}});
                set(&mut config, "reload_config", backoff);
            }
        }
        const WASM: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";
        json!({"name": self.name, "typed_config": typed(WASM, json!({"config": config}))})
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

impl Surroundings {
    /// A listener on a port that the system chooses, HTTP/1.1 and HTTP/2 alike, behind which is the upstream.
    pub fn listener(&self, plugin: &PluginFilter) -> Value {
        const MANAGER: &str =
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
        const FILE: &str = "envoy.extensions.access_loggers.file.v3.FileAccessLog";
        const ROUTER: &str = "envoy.extensions.filters.http.router.v3.Router";
        let window = self.buffer_limit_bytes.max(LEAST_WINDOW_BYTES);
        let access_log = json!({
            "path": self.access_log.to_string_lossy(),
            "log_format": {"text_format_source": {"inline_string": ACCESS_FORMAT}},
        });
        let route = json!({
            "match": {"prefix": "/"},
            "route": {"cluster": UPSTREAM, "timeout": "0s"},
            "request_headers_to_add": [{
                "header": {"key": CONNECTION_HEADER, "value": "%DOWNSTREAM_DIRECT_REMOTE_PORT%"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }],
        });
        let manager = json!({
            "stat_prefix": "stage",
            "codec_type": "AUTO",
            "http_protocol_options": {"enable_trailers": true, "allow_chunked_length": true},
            "http2_protocol_options": {
                "initial_stream_window_size": window,
                "initial_connection_window_size": window.max(1 << 20),
            },
            "common_http_protocol_options": {"idle_timeout": "0s", "max_headers_count": 4096},
            "max_request_headers_kb": 8192,
            "generate_request_id": false,
            "use_remote_address": false,
            "skip_xff_append": true,
            "server_header_transformation": "PASS_THROUGH",
            "stream_idle_timeout": "0s",
            // A connection that is closed after an error is closed soon; nobody waits for it to be read empty.
            "delayed_close_timeout": "0.05s",
            "access_log": [{"name": "access", "typed_config": typed(FILE, access_log)}],
            "http_filters": [
                plugin.to_json(),
                {"name": "router", "typed_config": typed(ROUTER, json!({"suppress_envoy_headers": true}))},
            ],
            "route_config": {
                "name": "stage",
                "virtual_hosts": [{"name": "stage", "domains": ["*"], "routes": [route]}],
            },
        });
        json!({
            "name": plugin.name,
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "per_connection_buffer_limit_bytes": self.buffer_limit_bytes,
            "filter_chains": [{"filters": [
                {"name": "manager", "typed_config": typed(MANAGER, manager)},
            ]}],
        })
    }

    /// A bootstrap with these listeners, the upstream and the clusters.
    pub fn bootstrap(&self, listeners: &[Value]) -> Value {
        let (upstream, protocol) = self.upstream;
        let http2 = protocol == Protocol::Http2;
        let mut clusters = vec![self.cluster(UPSTREAM, Some(upstream), http2)];
        for (name, addr, http2) in &self.clusters {
            clusters.push(self.cluster(name, *addr, *http2));
        }
        json!({
            "static_resources": {"listeners": listeners, "clusters": clusters},
            // Histograms are of no use here; counters are read as they are.
            "stats_flush_interval": "60s",
        })
    }

    fn cluster(&self, name: &str, addr: Option<SocketAddr>, http2: bool) -> Value {
        const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
        let window = self.buffer_limit_bytes.max(LEAST_WINDOW_BYTES);
        let explicit = if http2 {
            json!({"http2_protocol_options": {
                "initial_stream_window_size": window,
                "initial_connection_window_size": window.max(1 << 20),
            }})
        } else {
            json!({"http_protocol_options": {"enable_trailers": true, "allow_chunked_length": true}})
        };
        let options = json!({
            "common_http_protocol_options": {"idle_timeout": "0s", "max_headers_count": 4096},
            "explicit_http_config": explicit,
        });
        let endpoints: Vec<Value> = addr
            .map(|addr| json!({"endpoint": {"address": address(addr)}}))
            .into_iter()
            .collect();
        let most = 1 << 20;
        json!({
            "name": name,
            "type": "STATIC",
            "connect_timeout": "5s",
            "per_connection_buffer_limit_bytes": self.buffer_limit_bytes,
            "circuit_breakers": {"thresholds": [{
                "max_connections": most, "max_pending_requests": most, "max_requests": most,
            }]},
            "typed_extension_protocol_options": {OPTIONS: typed(OPTIONS, options)},
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
        })
    }
}
