//! The proxy of a scenario: its threads, limits and plugins.
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Script;

/// A proxy. Each plugin filters a listener of its own; behind all of them is the same upstream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProxySpec {
    /// Worker threads; more than one only where nothing depends on which of them serves.
    pub workers: u32,
    /// `per_connection_buffer_limit_bytes`, of the listeners and of the upstream's cluster.
    pub buffer_limit_bytes: u32,
    /// What the client speaks.
    pub downstream: Protocol,
    /// What the upstream speaks.
    pub upstream: Protocol,
    /// The plugins.
    pub plugins: Vec<PluginSpec>,
}

impl Default for ProxySpec {
    fn default() -> Self {
        Self {
            workers: 1,
            buffer_limit_bytes: 1 << 20,
            downstream: Protocol::Http2,
            upstream: Protocol::Http2,
            plugins: vec![PluginSpec::default()],
        }
    }
}

/// An HTTP version. HTTP/2 keeps the pieces of a body apart; HTTP/1.1 may join them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
}

/// What Envoy's `PluginConfig` says, and a listener with that filter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginSpec {
    /// Name of the plugin, and of its listener for [`super::ExchangeSpec::through`].
    pub name: String,
    /// The module.
    pub code: Code,
    /// Root id.
    pub root_id: String,
    /// VM id.
    pub vm_id: String,
    /// What the probe does in `configure`, in root callbacks, and in streams that bring no script of
    /// their own; becomes the configuration where `configuration` is absent.
    #[serde(skip_serializing_if = "Script::is_empty")]
    pub script: Script,
    /// The configuration as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// The VM's configuration; the probe takes what it does in `vm_start` from it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vm_configuration: String,
    /// Environment variables; the probe takes what it does in `initialize` from `PROBE`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<(String, String)>,
    /// `allow_on_headers_stop_iteration`.
    pub allow_on_headers_stop_iteration: bool,
    /// What a trap leads to.
    pub on_failure: OnFailure,
}

impl Default for PluginSpec {
    fn default() -> Self {
        Self {
            name: "probe".into(),
            code: Code::Probe,
            root_id: String::new(),
            vm_id: String::new(),
            script: Script::default(),
            configuration: None,
            vm_configuration: String::new(),
            environment: Vec::new(),
            allow_on_headers_stop_iteration: true,
            on_failure: OnFailure::Closed,
        }
    }
}

impl PluginSpec {
    /// The bytes that the plugin gets in `proxy_on_configure`.
    pub fn configuration(&self) -> String {
        match &self.configuration {
            Some(text) => text.clone(),
            None if self.script.is_empty() => String::new(),
            None => self.script.to_json(),
        }
    }
}

/// Where a module comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Code {
    /// The probe of `guests/`, which does what scripts say; or the plugin that the command line names.
    Probe,
    /// A guest of `guests/` by name.
    Guest(String),
    /// A file.
    File(PathBuf),
    /// WebAssembly text.
    Wat(String),
}

/// Envoy's four ways to go on after a trap; the last two are different fields of its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OnFailure {
    /// `failure_policy: FAIL_CLOSED`, the default.
    Closed,
    /// `failure_policy: FAIL_RELOAD` with this `base_interval`.
    Reload {
        /// Milliseconds, at least 1.
        backoff_ms: u64,
    },
    /// `failure_policy: FAIL_OPEN`.
    Open,
    /// The older `fail_open: true`.
    FailOpen,
}
