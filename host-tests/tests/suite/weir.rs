//! The real plugin for tests: where it is, and a process that runs it.
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use weir_host::policy_file::PolicyFile;
use weir_host::{Host, HostConfig, LogLevel, Plugin, PluginConfig};

/// Where the plugin leaves its decision.
pub(crate) const DECISION: &str = "wasm.weir.decision";
/// The plugin's shared data.
pub(crate) const VM_ID: &str = "weir";

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The shipped policy as JSON.
pub(crate) fn shipped_policy() -> Value {
    PolicyFile::read(&repository("policies/frontier-api.yaml"))
        .unwrap()
        .value
}

/// The plugin's bytes: `WEIR_WASM`, or what `cargo xtask wasm` left; says `skipped: TEST: REASON` where there are none.
pub(crate) fn wasm_or_skip(test: &str) -> Option<Vec<u8>> {
    let path =
        std::env::var_os("WEIR_WASM").map_or_else(|| repository("target/weir.wasm"), PathBuf::from);
    let read = std::fs::read(&path);
    if read.is_err() {
        // Past the harness's capture, so that skips can be counted.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: {test}: there is no {}; `cargo xtask wasm` builds it",
            path.display()
        );
    }
    read.ok()
}

/// A process with the plugin under a policy, and everything that it logged.
pub(crate) struct Process {
    pub(crate) host: Host,
    pub(crate) plugin: Plugin,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
}

impl Process {
    pub(crate) fn new(wasm: &[u8], policy: &Value) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&log);
        let config = HostConfig {
            log_level: LogLevel::Trace,
            log: Some(Arc::new(move |line| {
                sink.lock().unwrap().push(line.message.clone())
            })),
            ..HostConfig::default()
        };
        let host = Host::new(config).unwrap();
        let plugin = Plugin::load(&host, wasm, configuration(policy)).unwrap();
        Self { host, plugin, log }
    }
}

/// The plugin's configuration for a policy.
pub(crate) fn configuration(policy: &Value) -> PluginConfig {
    let mut config = PluginConfig::named("weir");
    config.root_id = "weir".to_owned();
    config.vm_id = VM_ID.to_owned();
    config.configuration = policy.to_string().into_bytes();
    config.allow_on_headers_stop_iteration = true;
    config
}
