//! The files of one stage, and the command line that names them.
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::StageOptions;
use super::log::{self, EnvoyLog};
use crate::error::EnvoyError;
use crate::launch::write;
use crate::waiting::LastWords;

/// How often Envoy writes its access log; a comparison waits for it after every exchange.
const FLUSH_MS: &str = "4";
/// Records of the log that an error repeats.
const TAIL_RECORDS: usize = 12;

/// Where one stage's files are.
#[derive(Debug)]
pub(super) struct Files {
    bootstrap: PathBuf,
    admin_address: PathBuf,
    pub(super) listeners: PathBuf,
    pub(super) next_listeners: PathBuf,
    pub(super) log: PathBuf,
}

impl Files {
    pub(super) fn under(dir: &Path) -> Self {
        Self {
            bootstrap: dir.join("bootstrap.json"),
            admin_address: dir.join("admin.txt"),
            listeners: dir.join("listeners.json"),
            next_listeners: dir.join("listeners.next.json"),
            log: dir.join("envoy.log"),
        }
    }

    /// Writes the configuration.
    pub(super) fn write(&self, options: &StageOptions) -> Result<(), EnvoyError> {
        let mut bootstrap = options.bootstrap.clone();
        if let Some(root) = bootstrap.as_object_mut() {
            let loopback = json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}});
            root.insert("admin".to_owned(), json!({"address": loopback}));
            if let Some(listeners) = &options.listeners {
                write(&self.listeners, &discovered(listeners))?;
                let watched = json!({"path": self.listeners.to_string_lossy()});
                // Envoy wants to know who asks when anything is discovered.
                root.insert(
                    "node".to_owned(),
                    json!({"id": "stage", "cluster": "stage"}),
                );
                root.insert(
                    "dynamic_resources".to_owned(),
                    json!({"lds_config": {"path_config_source": watched, "resource_api_version": "V3"}}),
                );
            }
        }
        write(&self.bootstrap, &bootstrap.to_string())
    }

    pub(super) fn arguments(&self, options: &StageOptions) -> Vec<String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let number = |number: u64| number.to_string();
        [
            ("--config-path", path(&self.bootstrap)),
            ("--admin-address-path", path(&self.admin_address)),
            ("--log-format", log::FORMAT.to_owned()),
            ("--log-level", "warning".to_owned()),
            ("--component-log-level", "wasm:info".to_owned()),
            ("--concurrency", number(options.workers.max(1).into())),
            ("--file-flush-interval-msec", FLUSH_MS.to_owned()),
            ("--drain-time-s", number(options.drain_time.as_secs())),
            ("--drain-strategy", "immediate".to_owned()),
        ]
        .into_iter()
        .flat_map(|(flag, value)| [flag.to_owned(), value])
        .chain(["--disable-hot-restart".to_owned()])
        .collect()
    }

    /// Where the admin interface listens, once Envoy has said so.
    pub(super) fn admin_address(&self) -> Option<SocketAddr> {
        let text = fs::read_to_string(&self.admin_address).ok()?;
        text.trim().parse().ok()
    }

    pub(super) fn last_words(&self, log: &EnvoyLog) -> LastWords {
        let begin = log.len().saturating_sub(TAIL_RECORDS);
        let records = log.since(begin);
        let lines: Vec<_> = records.into_iter().map(|record| record.text).collect();
        LastWords {
            log: self.log.clone(),
            tail: lines.join("\n"),
        }
    }
}

/// Listeners as a file that Envoy watches holds them.
pub(super) fn discovered(listeners: &[Value]) -> String {
    const LISTENER: &str = "type.googleapis.com/envoy.config.listener.v3.Listener";
    let typed = listeners.iter().cloned().map(|mut listener| {
        if let Some(fields) = listener.as_object_mut() {
            fields.insert("@type".to_owned(), json!(LISTENER));
        }
        listener
    });
    json!({"resources": typed.collect::<Vec<_>>()}).to_string()
}
