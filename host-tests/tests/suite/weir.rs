//! The real plugin for tests: where it is, and a process that runs it.
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use weir_host::policy_file::PolicyFile;
use weir_host::weir::plugin_config;
use weir_host::{Host, HostConfig, LogLevel, Plugin};

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

/// The plugin's file: `WEIR_WASM`, or what `cargo xtask wasm` left; says `skipped: TEST: REASON` where
/// nothing was left. A `WEIR_WASM` that names nothing is a mistake, no reason to skip.
pub(crate) fn wasm_file_or_skip(test: &str) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("WEIR_WASM") {
        return Some(named.into());
    }
    let path = repository("target/weir.wasm");
    if !path.is_file() {
        // Past the harness's capture, so that skips can be counted.
        let reason = "there is no target/weir.wasm; `cargo xtask wasm` builds it";
        let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
        return None;
    }
    Some(path)
}

/// The bytes of that file.
pub(crate) fn wasm_or_skip(test: &str) -> Option<Vec<u8>> {
    wasm_file_or_skip(test).map(|path| std::fs::read(path).unwrap())
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
        let plugin = Plugin::load(&host, wasm, plugin_config(&policy.to_string())).unwrap();
        Self { host, plugin, log }
    }
}
