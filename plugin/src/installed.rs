//! What one configuration installed: one policy or two, and the guards over them.
use crate::{
    hostcalls::{self, Level},
    store::SharedData,
    worker::Worker,
};
use std::cell::{Ref, RefCell};
use weir_engine::{
    guard::{Guards, Trip},
    policy::{Arm, Deployment, Policy},
    time::Timestamp,
};

/// Policies and guards; shared by the root and its streams.
pub(crate) struct Installed {
    pub(crate) deployment: Deployment,
    guards: RefCell<Guards>,
}

impl Installed {
    /// Installs at `now`.
    pub(crate) fn new(deployment: Deployment, now: Timestamp) -> Self {
        let guards = RefCell::new(Guards::over(&deployment, now));
        Self { deployment, guards }
    }

    /// Looks at the guards for the first time.
    pub(crate) fn begin(&self, worker: &mut Worker) {
        for arm in [Arm::Current, Arm::Candidate] {
            // Also where there is none: the configuration before may have had one that tripped.
            worker.tell_guard(arm, false);
        }
        self.look(worker);
    }

    /// Lets `work` use the guards. The host never calls back in while a callback runs, so that they are always free.
    pub(crate) fn with_guards<R>(&self, work: impl FnOnce(&mut Guards) -> R) -> Option<R> {
        self.guards
            .try_borrow_mut()
            .ok()
            .map(|mut guards| work(&mut guards))
    }

    /// The guards, to look at.
    pub(crate) fn guards(&self) -> Option<Ref<'_, Guards>> {
        self.guards.try_borrow().ok()
    }

    /// Tells the other workers what the policies did and hears what they did; says so when a guard trips.
    pub(crate) fn look(&self, worker: &mut Worker) {
        if !self.guards().is_some_and(|guards| guards.are_any()) {
            return;
        }
        let now = worker.now();
        let Some(looked) = self.with_guards(|guards| guards.look(now, &mut SharedData)) else {
            return;
        };
        match looked {
            Ok(tripped) => {
                for (arm, trip) in tripped {
                    self.tell(arm, trip);
                    worker.tell_guard(arm, true);
                }
            }
            // What was counted is kept, and the next look tries again.
            Err(_) => worker.count_guard_failure(),
        }
    }

    fn tell(&self, arm: Arm, trip: Trip) {
        let policy = self.deployment.policy(arm);
        let what = match trip {
            Trip::Failed => "the upstream fails too large a share of what it lets pass".to_string(),
            Trip::Refused(tier) => format!(
                "it refuses too large a share of tier {}",
                policy.tier_names().nth(tier).unwrap_or_default()
            ),
        };
        let instead = match arm {
            Arm::Candidate => {
                let current = &self.deployment.current;
                format!(
                    "policy {} version {} acts for everybody",
                    current.name(),
                    current.version()
                )
            }
            Arm::Current => "it is a shadow from now on".to_string(),
        };
        let text = format!(
            "weir: the guard of policy {} version {} ({}) has tripped: {what}; {instead}. This version stays so; configure another one to try again",
            policy.name(),
            policy.version(),
            policy.digest(),
        );
        hostcalls::log(Level::Error, &text);
    }
}

/// How a policy is named in the log.
pub(crate) fn told(policy: &Policy) -> String {
    format!(
        "policy {} version {} ({}), mode {}",
        policy.name(),
        policy.version(),
        policy.digest(),
        policy.mode()
    )
}
