//! One running Envoy: started, waited for, asked, ended.
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::admin::Admin;
use crate::error::EnvoyError;
use crate::logs;
use crate::options::EnvoyOptions;
use crate::process::WatchedChild;
use crate::reload::discovery;
use crate::stats::Stats;
use crate::template;
use crate::waiting::{LastWords, Waiting};

/// Envoy writes its access logs this often; its own default of 10 s is too long to wait for a decision.
const FLUSH_MS: &str = "50";

/// An Envoy with the plugin, on ports of its own. Ended when dropped, and when this process ends in any way.
#[derive(Debug)]
pub struct Envoy {
    /// Before `_temporary`: the process goes before its directory does.
    child: std::sync::Mutex<WatchedChild>,
    pub(crate) admin: Admin,
    listener: SocketAddr,
    version: String,
    pub(crate) options: EnvoyOptions,
    pub(crate) files: Files,
    /// The policy that serves now; held while another one is tried.
    pub(crate) policy: Mutex<String>,
    _temporary: Option<TempDir>,
}

/// Where one Envoy's files are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) listener: PathBuf,
    /// A new listener before it is moved into place.
    pub(crate) next_listener: PathBuf,
    /// The last listener that Envoy refused, for a person to read.
    pub(crate) rejected_listener: PathBuf,
    bootstrap: PathBuf,
    admin_address: PathBuf,
    decisions: PathBuf,
    access: PathBuf,
    pub(crate) log: PathBuf,
    output: PathBuf,
}

impl Files {
    fn under(dir: &Path) -> Self {
        Self {
            listener: dir.join("listener.yaml"),
            next_listener: dir.join("listener.next.yaml"),
            rejected_listener: dir.join("listener.rejected.yaml"),
            bootstrap: dir.join("bootstrap.yaml"),
            admin_address: dir.join("admin.txt"),
            decisions: dir.join("decisions.jsonl"),
            access: dir.join("access.jsonl"),
            log: dir.join("envoy.log"),
            output: dir.join("envoy.out"),
        }
    }

    /// What an earlier run left; Envoy would append to it, and its address would be taken for the new one.
    fn remove_traces(&self) -> Result<(), EnvoyError> {
        for path in [
            &self.admin_address,
            &self.decisions,
            &self.access,
            &self.log,
            &self.rejected_listener,
        ] {
            match fs::remove_file(path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(EnvoyError::File {
                        path: path.clone(),
                        source,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn last_words(&self) -> LastWords {
        LastWords {
            log: self.log.clone(),
            tail: logs::tail(&self.output, &self.log),
        }
    }

    pub(crate) fn listener_text(&self, options: &EnvoyOptions, policy_json: &str) -> String {
        template::listener(options, policy_json, &self.decisions, &self.access)
    }
}

pub(crate) fn write(path: &Path, text: &str) -> Result<(), EnvoyError> {
    fs::write(path, text).map_err(|source| EnvoyError::File {
        path: path.to_owned(),
        source,
    })
}

pub(crate) fn existing(path: &Path) -> Result<PathBuf, EnvoyError> {
    path.canonicalize().map_err(|source| EnvoyError::File {
        path: path.to_owned(),
        source,
    })
}

impl Envoy {
    /// Starts Envoy and returns when its listener serves with the policy.
    ///
    /// # Errors
    /// [`EnvoyError::File`] where binary, plugin or directory cannot be used; [`EnvoyError::Refused`] where the
    /// plugin or its policy is refused, with what was said; [`EnvoyError::TimedOut`] after `options.patience`.
    pub async fn start(mut options: EnvoyOptions) -> Result<Self, EnvoyError> {
        options.binary = existing(&options.binary)?;
        if options.plugin {
            options.wasm = existing(&options.wasm)?;
        }
        let (dir, temporary) = directory(options.dir.as_deref())?;
        let files = Files::under(&dir);
        files.remove_traces()?;
        write(
            &files.listener,
            &files.listener_text(&options, &options.policy_json),
        )?;
        write(
            &files.bootstrap,
            &template::bootstrap(&options, &files.listener),
        )?;

        let child =
            WatchedChild::spawn(&options.binary, &arguments(&options, &files), &files.output)
                .map_err(|source| EnvoyError::Spawn {
                    binary: options.binary.clone(),
                    source,
                })?;
        let child = std::sync::Mutex::new(child);

        let (admin, listener) = Waiting::begin(options.patience, &child, || files.last_words())
            .until("listener", || serving(&files))
            .await?;
        let version = admin.version().await?;
        Ok(Self {
            child,
            admin,
            listener,
            version,
            policy: Mutex::new(options.policy_json.clone()),
            options,
            files,
            _temporary: temporary,
        })
    }

    /// Where clients connect, HTTP/1.1 or HTTP/2 with prior knowledge.
    pub const fn listen_addr(&self) -> SocketAddr {
        self.listener
    }

    /// The admin interface, on loopback.
    pub const fn admin_addr(&self) -> SocketAddr {
        self.admin.addr()
    }

    /// The release of Envoy, `1.40.0`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Envoy's own log, with what the plugin logs.
    pub fn log_path(&self) -> &Path {
        &self.files.log
    }

    /// The decision log: one JSON object a line, an empty line for an exchange without a decision.
    pub fn decision_log_path(&self) -> &Path {
        &self.files.decisions
    }

    /// The JSON access log.
    pub fn access_log_path(&self) -> &Path {
        &self.files.access
    }

    /// The decisions that Envoy has written so far; it writes 20 times a second.
    ///
    /// # Errors
    /// [`EnvoyError::LogLine`] where the plugin wrote something else than one line of JSON.
    pub fn decision_log(&self) -> Result<Vec<Value>, EnvoyError> {
        logs::json_lines(&self.files.decisions)
    }

    /// The access log so far, one object per exchange. `decision` is a string that holds JSON.
    ///
    /// # Errors
    /// [`EnvoyError::File`].
    pub fn access_log(&self) -> Result<Vec<Value>, EnvoyError> {
        logs::json_lines(&self.files.access)
    }

    /// Returns the decisions as soon as there are `count`, at most after `patience`.
    ///
    /// # Errors
    /// [`EnvoyError::TimedOut`] where there are fewer, [`EnvoyError::Ended`] where Envoy is gone.
    pub async fn wait_for_decisions(
        &self,
        count: usize,
        patience: Duration,
    ) -> Result<Vec<Value>, EnvoyError> {
        let path = &self.files.decisions;
        Waiting::begin(patience, &self.child, || self.files.last_words())
            .until("decision", async || {
                Ok((logs::count_lines(path)? >= count).then_some(()))
            })
            .await?;
        self.decision_log()
    }

    /// Returns the access log as soon as it has `count` lines, at most after `patience`.
    ///
    /// # Errors
    /// As [`Self::wait_for_decisions`].
    pub async fn wait_for_access(
        &self,
        count: usize,
        patience: Duration,
    ) -> Result<Vec<Value>, EnvoyError> {
        let path = &self.files.access;
        Waiting::begin(patience, &self.child, || self.files.last_words())
            .until("access log line", async || {
                Ok((logs::count_lines(path)? >= count).then_some(()))
            })
            .await?;
        self.access_log()
    }

    /// Counters and gauges now.
    ///
    /// # Errors
    /// [`EnvoyError::Admin`], [`EnvoyError::AdminAnswer`].
    pub async fn stats(&self) -> Result<Stats, EnvoyError> {
        self.admin.stats().await
    }

    /// Everything as Prometheus would scrape it, histograms included.
    ///
    /// # Errors
    /// [`EnvoyError::Admin`], [`EnvoyError::AdminAnswer`].
    pub async fn prometheus(&self) -> Result<String, EnvoyError> {
        self.admin.text("/stats/prometheus").await
    }

    /// Asks until there is an answer, as [`Waiting::until`].
    pub(crate) async fn wait_until<T>(
        &self,
        what: &'static str,
        ask: impl AsyncFnMut() -> Result<Option<T>, EnvoyError>,
    ) -> Result<T, EnvoyError> {
        Waiting::begin(self.options.patience, &self.child, || {
            self.files.last_words()
        })
        .until(what, ask)
        .await
    }
}

fn directory(kept: Option<&Path>) -> Result<(PathBuf, Option<TempDir>), EnvoyError> {
    match kept {
        Some(dir) => {
            fs::create_dir_all(dir).map_err(|source| EnvoyError::File {
                path: dir.to_owned(),
                source,
            })?;
            Ok((existing(dir)?, None))
        }
        None => {
            let dir = tempfile::Builder::new()
                .prefix("weir-envoy-")
                .tempdir()
                .map_err(|source| EnvoyError::File {
                    path: std::env::temp_dir(),
                    source,
                })?;
            Ok((existing(dir.path())?, Some(dir)))
        }
    }
}

fn arguments(options: &EnvoyOptions, files: &Files) -> Vec<String> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let number = |number: u64| number.to_string();
    [
        ("--config-path", path(&files.bootstrap)),
        ("--admin-address-path", path(&files.admin_address)),
        ("--log-path", path(&files.log)),
        ("--log-level", "warning".to_owned()),
        ("--component-log-level", "wasm:info".to_owned()),
        ("--concurrency", number(options.workers.max(1).into())),
        ("--file-flush-interval-msec", FLUSH_MS.to_owned()),
        ("--drain-time-s", number(options.drain_time.as_secs())),
        // Clients learn at their next answer that the policy is another one, not at some point of the drain time.
        ("--drain-strategy", "immediate".to_owned()),
    ]
    .into_iter()
    .flat_map(|(flag, value)| [flag.to_owned(), value])
    .chain(["--disable-hot-restart".to_owned()]) // shared memory under a number that other Envoys share
    .collect()
}

async fn serving(files: &Files) -> Result<Option<(Admin, SocketAddr)>, EnvoyError> {
    let Ok(text) = fs::read_to_string(&files.admin_address) else {
        return Ok(None);
    };
    let Ok(addr) = text.trim().parse() else {
        return Ok(None); // half written
    };
    let admin = Admin::new(addr);
    // An admin interface that is about to close with a failing start gives errors, too: the exit says why.
    if !matches!(admin.is_live().await, Ok(true)) {
        return Ok(None);
    }
    if let Some(listener) = admin.listener().await? {
        return Ok(Some((admin, listener)));
    }
    // A refused first listener does not end Envoy; it would go on without one.
    if discovery(&admin).await?.rejected > 0 {
        return Err(EnvoyError::Refused {
            reason: logs::refusal(&logs::text_from(&files.log, 0)),
        });
    }
    Ok(None)
}
