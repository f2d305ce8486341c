//! Waiting for something that a process should do.
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::error::EnvoyError;
use crate::process::WatchedChild;

/// First and longest pause between two questions.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// What a process said last, for whoever must find out what is wrong with it.
pub(crate) struct LastWords {
    /// Where all of it is.
    pub(crate) log: PathBuf,
    pub(crate) tail: String,
}

/// A wait with an end, that notices when the process is gone.
pub(crate) struct Waiting<'a> {
    since: Instant,
    patience: Duration,
    child: &'a Mutex<WatchedChild>,
    last_words: Box<dyn Fn() -> LastWords + Send + Sync + 'a>,
    longest_pause: Duration,
}

impl<'a> Waiting<'a> {
    pub(crate) fn begin(
        patience: Duration,
        child: &'a Mutex<WatchedChild>,
        last_words: impl Fn() -> LastWords + Send + Sync + 'a,
    ) -> Self {
        Self {
            since: Instant::now(),
            patience,
            child,
            last_words: Box::new(last_words),
            longest_pause: PAUSES.1,
        }
    }

    /// Asks more often, for what is usually there at once.
    pub(crate) fn eagerly(mut self) -> Self {
        self.longest_pause = PAUSES.0;
        self
    }

    /// Asks until there is an answer, the process ends or the patience does.
    pub(crate) async fn until<T>(
        &self,
        what: &'static str,
        mut ask: impl AsyncFnMut() -> Result<Option<T>, EnvoyError>,
    ) -> Result<T, EnvoyError> {
        let mut pause = PAUSES.0;
        loop {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            self.go_on(what, &mut pause).await?;
        }
    }

    /// [`Self::until`] for what is known without asking anybody; its future can move between threads.
    pub(crate) async fn until_there<T: Send>(
        &self,
        what: &'static str,
        mut look: impl FnMut() -> Result<Option<T>, EnvoyError> + Send,
    ) -> Result<T, EnvoyError> {
        let mut pause = PAUSES.0;
        loop {
            if let Some(answer) = look()? {
                return Ok(answer);
            }
            self.go_on(what, &mut pause).await?;
        }
    }

    /// Pauses, where there is reason to wait on.
    async fn go_on(&self, what: &'static str, pause: &mut Duration) -> Result<(), EnvoyError> {
        let ended = self
            .child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .ended();
        if let Ok(Some(status)) = ended {
            let LastWords { log, tail } = (self.last_words)();
            return Err(EnvoyError::Ended {
                status,
                log,
                log_tail: tail,
            });
        }
        let waited = self.since.elapsed();
        if waited > self.patience {
            let LastWords { log, tail } = (self.last_words)();
            return Err(EnvoyError::TimedOut {
                what,
                waited,
                log,
                log_tail: tail,
            });
        }
        sleep(*pause).await;
        *pause = pause.saturating_mul(2).min(self.longest_pause);
        Ok(())
    }
}
