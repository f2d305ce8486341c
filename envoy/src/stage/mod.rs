//! An Envoy from any configuration, for experiments: what it says, what it counts, what it makes of exchanges.
//!
//! [`crate::Envoy`] starts Envoy as a deployment of Weir would; this starts it as the caller likes. It waits no
//! longer than needed, and tells a configuration that Envoy refuses from one that serves.
//!
//! What Envoy 1.40 does to messages on such a stage, as observed: a plugin sees the request headers in the client's
//! order, then `x-forwarded-proto`; of HTTP/1.1 `:authority`, `:path`, `:method`, `:scheme` come first and
//! `transfer-encoding` not at all. Of a response it sees what the upstream sent, `transfer-encoding` of HTTP/1.1
//! included; the client gets `date` besides. Each DATA frame of HTTP/2 is a callback of its own, also where frames
//! arrive together; what HTTP/1.1 brings in one read is one callback, and an empty last one ends it.
mod access;
mod callouts;
mod config;
mod files;
mod log;
mod refusal;
mod scripted;

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub use access::{ACCESS_FORMAT, Access};
pub use callouts::Callouts;
pub use config::{OnFailure, PluginFilter, Surroundings};
pub use log::{EnvoyLog, LogRecord};
pub use scripted::{CONNECTION_HEADER, Expected, ScriptedUpstream};

use access::AccessLog;
use files::Files;

use crate::admin::Admin;
use crate::error::EnvoyError;
use crate::launch::existing;
use crate::process::WatchedChild;
use crate::reload::{Offer, discovery};
use crate::stats::Stats;
use crate::waiting::Waiting;

/// What one start depends on.
#[derive(Clone, Debug)]
pub struct StageOptions {
    /// The Envoy binary.
    pub binary: PathBuf,
    /// Envoy's bootstrap, without `admin`.
    pub bootstrap: Value,
    /// Listeners that may be replaced later; None where all are in the bootstrap.
    pub listeners: Option<Vec<Value>>,
    /// Worker threads.
    pub workers: u32,
    /// How long Envoy may take until it serves, and for one reload.
    pub patience: Duration,
    /// How long what began under old listeners may go on.
    pub drain_time: Duration,
}

/// How a start went.
#[derive(Debug)]
pub enum Started {
    /// It serves.
    Serving(Box<Stage>),
    /// A plugin refused, or was refused.
    Refused {
        /// What was said about it.
        reason: String,
        /// The whole log.
        log: Vec<LogRecord>,
    },
}

/// A running Envoy. Ended when dropped.
#[derive(Debug)]
pub struct Stage {
    /// Before `dir`: the process goes before its directory does.
    child: Mutex<WatchedChild>,
    admin: Admin,
    listeners: Mutex<Vec<(String, SocketAddr)>>,
    log: EnvoyLog,
    access: AccessLog,
    files: Files,
    options: StageOptions,
    _dir: TempDir,
}

/// A directory for an Envoy that is about to start, so that its configuration can name files in it.
#[derive(Debug)]
pub struct StageDir(TempDir);

impl StageDir {
    /// A new one.
    ///
    /// # Errors
    /// [`EnvoyError::File`].
    pub fn new() -> Result<Self, EnvoyError> {
        let dir = TempDir::with_prefix("weir-stage-").map_err(|source| EnvoyError::File {
            path: std::env::temp_dir(),
            source,
        })?;
        Ok(Self(dir))
    }
    /// Where listeners should write their access log, in [`ACCESS_FORMAT`].
    pub fn access_log(&self) -> PathBuf {
        self.0.path().join("access.log")
    }
    /// For files that the configuration names.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Stage {
    /// Starts Envoy and returns when it serves or has refused to.
    ///
    /// # Errors
    /// [`EnvoyError`]: where Envoy cannot be started or asked, or ends for another reason than a plugin.
    pub async fn start(options: StageOptions, dir: StageDir) -> Result<Started, EnvoyError> {
        let StageDir(dir) = dir;
        let binary = existing(&options.binary)?;
        let files = Files::under(dir.path());
        files.write(&options)?;
        let (child, stderr) = WatchedChild::spawn_heard(&binary, &files.arguments(&options))
            .map_err(|source| EnvoyError::Spawn { binary, source })?;
        let child = Mutex::new(child);
        let copy = File::create(&files.log).map_err(|source| EnvoyError::File {
            path: files.log.clone(),
            source,
        })?;
        let log = EnvoyLog::read(stderr, copy);

        let serving = Waiting::begin(options.patience, &child, || files.last_words(&log))
            .eagerly()
            .until("listeners", || serving(&files, &log, &options))
            .await;
        match serving {
            Ok((admin, listeners)) => Ok(Started::Serving(Box::new(Self {
                child,
                admin,
                listeners: Mutex::new(listeners),
                log,
                access: AccessLog::new(dir.path().join("access.log")),
                files,
                options,
                _dir: dir,
            }))),
            Err(EnvoyError::Refused { reason }) => Ok(Started::Refused {
                reason,
                log: log.since(0),
            }),
            Err(error @ EnvoyError::Ended { .. }) => {
                log.end().await;
                let log = log.since(0);
                match refusal::of(&log) {
                    Some(reason) => Ok(Started::Refused { reason, log }),
                    None => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Where the listener with this name is bound.
    pub fn listener(&self, name: &str) -> Option<SocketAddr> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, addr)| *addr)
    }

    /// The file with everything that Envoy logs; goes with the stage.
    pub fn log_path(&self) -> &Path {
        &self.files.log
    }

    /// What Envoy and the plugins log.
    pub const fn log(&self) -> &EnvoyLog {
        &self.log
    }

    /// What Envoy made of the exchange of the client on port `client` at the listener on port `listener`, as soon as it
    /// says so.
    ///
    /// # Errors
    /// [`EnvoyError::TimedOut`] after `patience`; [`EnvoyError::Ended`].
    pub async fn access(
        &self,
        client: u16,
        listener: u16,
        patience: Duration,
    ) -> Result<Access, EnvoyError> {
        self.waiting(patience)
            .until_there("access log line", || self.access.take(client, listener))
            .await
    }

    /// Counters and gauges whose names match a regular expression, which must need no escape in a URL.
    ///
    /// # Errors
    /// [`EnvoyError::Admin`], [`EnvoyError::AdminAnswer`].
    pub async fn stats(&self, pattern: &str) -> Result<Stats, EnvoyError> {
        self.admin.stats_named(pattern).await
    }

    /// Replaces the listeners; returns when every worker has them, or with what was said against them.
    ///
    /// # Errors
    /// [`EnvoyError::TimedOut`] where Envoy makes nothing of them, or where there were none to be replaced.
    pub async fn replace(&self, listeners: &[Value]) -> Result<Result<(), String>, EnvoyError> {
        let begin = self.log.len();
        let offer = Offer {
            admin: &self.admin,
            watched: &self.files.listeners,
            next: &self.files.next_listeners,
            workers: self.options.workers,
        };
        let before = offer.place(&files::discovered(listeners)).await?;
        let accepted = self
            .waiting(self.options.patience)
            .until("answer to new listeners", async || {
                offer.answer(before).await
            })
            .await?;
        if accepted {
            let listeners = self.admin.listeners().await?;
            *self
                .listeners
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = listeners;
            return Ok(Ok(()));
        }
        Ok(Err(refusal::of(&self.log.since(begin)).unwrap_or_default()))
    }

    fn waiting(&self, patience: Duration) -> Waiting<'_> {
        Waiting::begin(patience, &self.child, || self.files.last_words(&self.log)).eagerly()
    }

    /// Ends Envoy and returns when it is gone and its log complete.
    pub async fn stop(&self) {
        self.child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stop();
        self.log.end().await;
    }
}

/// The admin interface and every listener, once all of them are there.
async fn serving(
    files: &Files,
    log: &EnvoyLog,
    options: &StageOptions,
) -> Result<Option<(Admin, Vec<(String, SocketAddr)>)>, EnvoyError> {
    let Some(addr) = files.admin_address() else {
        return Ok(None);
    };
    let admin = Admin::new(addr);
    // An admin interface that is about to close with a failing start gives errors, too: the exit says why.
    if !matches!(admin.is_live().await, Ok(true)) {
        return Ok(None);
    }
    let listeners = admin.listeners().await?;
    if listeners.len() >= options.listener_count() {
        return Ok(Some((admin, listeners)));
    }
    // Refused listeners that were discovered do not end Envoy; it would go on without them.
    if options.listeners.is_some() && discovery(&admin).await?.rejected > 0 {
        let reason = refusal::of(&log.since(0)).unwrap_or_default();
        return Err(EnvoyError::Refused { reason });
    }
    Ok(None)
}

impl StageOptions {
    fn listener_count(&self) -> usize {
        let fixed = self.bootstrap.pointer("/static_resources/listeners");
        let fixed = fixed.and_then(Value::as_array).map_or(0, Vec::len);
        fixed.saturating_add(self.listeners.as_ref().map_or(0, Vec::len))
    }
}
