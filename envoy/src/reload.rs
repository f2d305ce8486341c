//! A new policy for a running Envoy, through the listener file that it watches.
use std::fs;
use std::path::Path;

use crate::admin::Admin;
use crate::error::EnvoyError;
use crate::launch::{Envoy, write};
use crate::logs;

/// What Envoy made of a new policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// Every worker serves new connections with it. Old connections are told to close with their next answer.
    Accepted,
    /// The plugin refused it; the old one goes on. The file in place is the old one again.
    Rejected {
        /// What the plugin and Envoy logged about it.
        reason: String,
    },
}

/// Envoy's counters about listener discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Discovery {
    accepted: u64,
    pub(crate) rejected: u64,
    modified: u64,
    /// Counts once per worker that took a listener.
    taken_by_workers: u64,
}

impl Envoy {
    /// Puts a policy in the place of the one that serves. Reloads wait for one another.
    ///
    /// # Errors
    /// [`EnvoyError::TimedOut`] where Envoy makes nothing of it within `options.patience`; the caller should then
    /// take the policy in force for unknown.
    pub async fn reload(&self, policy_json: &str) -> Result<ReloadOutcome, EnvoyError> {
        let mut serving = self.policy.lock().await;
        let log_begin = logs::length(&self.files.log);
        if self.offer(policy_json).await? {
            policy_json.clone_into(&mut serving);
            return Ok(ReloadOutcome::Accepted);
        }
        let reason = logs::refusal(&logs::text_from(&self.files.log, log_begin));
        let rejected = self.files.listener_text(&self.options, policy_json);
        write(&self.files.rejected_listener, &rejected)?;
        // What is on disk is what serves, also for whoever restarts Envoy now.
        self.offer(&serving).await?;
        Ok(ReloadOutcome::Rejected { reason })
    }

    /// Moves a listener into place and waits for Envoy's answer: whether it was accepted.
    async fn offer(&self, policy_json: &str) -> Result<bool, EnvoyError> {
        let text = self.files.listener_text(&self.options, policy_json);
        let offer = Offer {
            admin: &self.admin,
            watched: &self.files.listener,
            next: &self.files.next_listener,
            workers: self.options.workers,
        };
        let before = offer.place(&text).await?;
        self.wait_until("answer to a new listener", async || {
            offer.answer(before).await
        })
        .await
    }
}

/// How listeners are moved into the place that Envoy watches.
pub(crate) struct Offer<'a> {
    pub(crate) admin: &'a Admin,
    pub(crate) watched: &'a Path,
    /// A name beside the watched file.
    pub(crate) next: &'a Path,
    pub(crate) workers: u32,
}

impl Offer<'_> {
    /// Moves `text` into place; returns what [`Self::answer`] compares with.
    pub(crate) async fn place(&self, text: &str) -> Result<Discovery, EnvoyError> {
        let before = discovery(self.admin).await?;
        write(self.next, text)?;
        fs::rename(self.next, self.watched).map_err(|source| EnvoyError::File {
            path: self.watched.to_owned(),
            source,
        })?;
        Ok(before)
    }

    /// Whether what was placed is accepted, once Envoy has decided and every worker has it.
    pub(crate) async fn answer(&self, before: Discovery) -> Result<Option<bool>, EnvoyError> {
        let now = discovery(self.admin).await?;
        if now.rejected > before.rejected {
            return Ok(Some(false));
        }
        if now.accepted == before.accepted {
            return Ok(None);
        }
        // The same listener again is accepted and changes nothing; a new one must have reached every worker.
        let changed = now.modified.saturating_sub(before.modified);
        let awaited = changed.saturating_mul(self.workers.max(1).into());
        let taken = now.taken_by_workers.saturating_sub(before.taken_by_workers);
        Ok((taken >= awaited).then_some(true))
    }
}

/// The counters now.
pub(crate) async fn discovery(admin: &Admin) -> Result<Discovery, EnvoyError> {
    let stats = admin.stats().await?;
    Ok(Discovery {
        accepted: stats.get("listener_manager.lds.update_success"),
        rejected: stats.get("listener_manager.lds.update_rejected"),
        modified: stats.get("listener_manager.listener_modified"),
        taken_by_workers: stats.get("listener_manager.listener_create_success"),
    })
}
