//! One exchange under a deployment: the policy that answers it, and what the other one would have done.
//!
//! Which of two policies answers is decided when the request's head is there: the candidate for whom its rollout
//! names, unless its guard has tripped, the current one for everybody else. The other one decides as well, on
//! counters of its own and as if it enforced, so that what it would do is not a guess.
use crate::{
    decision::{Beside, Other},
    evaluate::{Body, Part},
    exchange::{Answer, Exchange, Finished},
    guard::{Acted, Guards},
    hash::HashKey,
    identity::{Properties, Remembered},
    ledger::Ledger,
    policy::{Arm, Deployment, Policy},
    store::CounterStore,
    time::Timestamp,
    verdict::{Action, Basis},
};

/// One exchange under a deployment. Call `begin`, `decide`, and `finish` once; what lies between is told to
/// [`Self::exchange`] with [`Self::policy`].
#[derive(Debug)]
pub struct Trial {
    arm: Arm,
    exchange: Exchange,
    other: Option<Exchange>,
}

/// What two policies disagreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The policy that answered.
    pub acting: Arm,
    /// What the current policy does, or would do if it enforced.
    pub current: Action,
    /// What the candidate does, or would do if it enforced.
    pub candidate: Action,
}

impl Trial {
    /// Takes the head of a request. Reads it once for each policy.
    pub fn begin<'h>(
        deployment: &Deployment,
        guards: &Guards,
        key: &HashKey,
        headers: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
        properties: &dyn Properties,
        now: Timestamp,
    ) -> Self {
        let properties = &Remembered::new(properties);
        let begin =
            |policy: &Policy| Exchange::begin(policy, key, headers.clone(), properties, now);
        let mut current = begin(&deployment.current);
        if guards.have_tripped(Arm::Current) {
            current.takes_part(Part::StandsDown);
        }
        let Some(policy) = &deployment.candidate else {
            return Self {
                arm: Arm::Current,
                exchange: current,
                other: None,
            };
        };
        let candidate = begin(policy);
        let acts = !guards.have_tripped(Arm::Candidate) && candidate.is_reached(policy);
        let (arm, exchange, mut other) = if acts {
            (Arm::Candidate, candidate, current)
        } else {
            (Arm::Current, current, candidate)
        };
        other.takes_part(Part::LooksOn { used_up: false });
        Self {
            arm,
            exchange,
            other: Some(other),
        }
    }

    /// The policy that answers.
    pub fn policy<'d>(&self, deployment: &'d Deployment) -> &'d Policy {
        deployment.policy(self.arm)
    }

    /// Which of the two answers; the current one where there is only one.
    pub const fn arm(&self) -> Arm {
        self.arm
    }

    /// The exchange as the answering policy sees it.
    pub const fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The exchange as the answering policy sees it.
    pub const fn exchange_mut(&mut self) -> &mut Exchange {
        &mut self.exchange
    }

    /// The account whose standing a verdict depends on; tell it to [`Self::exchange_mut`] before deciding.
    pub fn suspect(&self) -> Option<u64> {
        let other = self.other.as_ref();
        self.exchange
            .suspect()
            .or_else(|| other.and_then(Exchange::suspect))
    }

    /// Whether either policy holds what counts only while the exchange is under way.
    pub fn holds_leases(&self) -> bool {
        let other = self.other.as_ref();
        self.exchange.holds_leases() || other.is_some_and(Exchange::holds_leases)
    }

    /// The response has ended; see [`Exchange::response_ended`].
    pub fn response_ended(
        &mut self,
        now: Timestamp,
        ledger: &mut Ledger,
        store: &mut impl CounterStore,
    ) {
        self.exchange.response_ended(now, ledger, store);
        if let Some(other) = &mut self.other {
            other.response_ended(now, ledger, store);
        }
    }

    /// Whether a verdict may depend on the body; if not, decide at once with an empty one.
    pub fn needs_body(&self) -> bool {
        let other = self.other.as_ref();
        self.exchange.needs_body() || other.is_some_and(Exchange::needs_body)
    }

    /// Decides, and lets the other policy decide beside it, on as much of the body as the answering one reads. Costs
    /// the body a second reading and, where the other has
    /// budgets, the store as many calls again.
    pub fn decide(
        &mut self,
        deployment: &Deployment,
        key: &HashKey,
        body: Body<'_>,
        ledger: &mut Ledger,
        store: &mut impl CounterStore,
    ) -> Answer {
        let policy = deployment.policy(self.arm);
        let answer = self.exchange.decide(policy, key, body, ledger, store);
        let beside = deployment.other(self.arm);
        if let (Body::Prefix(bytes), Some(policy)) = (body, beside) {
            if bytes.len() < policy.max_body() {
                // It would read more than there is, so it is not asked.
                self.other = None;
            }
        }
        if let (Some(other), Some(policy)) = (&mut self.other, beside) {
            let verdict = self.exchange.evaluation().map(|one| &one.verdict);
            let used_up = verdict.is_some_and(|verdict| {
                verdict.basis == Basis::Budget && !verdict.would_action.passes()
            });
            other.takes_part(Part::LooksOn { used_up });
            other.decides_beside(&self.exchange);
            let cap = policy.max_body();
            let body = match body {
                Body::Whole(bytes) | Body::Prefix(bytes) if bytes.len() > cap => {
                    Body::Prefix(bytes.get(..cap).unwrap_or_default())
                }
                body => body,
            };
            // What it would answer goes nowhere.
            let _: Answer = other.decide(policy, key, body, ledger, store);
        }
        answer
    }

    /// What the two policies disagree on; `None` where they agree, or there is one.
    pub fn disagreement(&self) -> Option<Disagreement> {
        let acting = self.exchange.evaluation()?.verdict.would_action;
        let other = self.other.as_ref()?.evaluation()?.verdict.would_action;
        let (current, candidate) = match self.arm {
            Arm::Current => (acting, other),
            Arm::Candidate => (other, acting),
        };
        (current != candidate).then_some(Disagreement {
            acting: self.arm,
            current,
            candidate,
        })
    }

    /// Whether `finish` asks for the response's status.
    pub fn needs_status(&self, guards: &Guards, ended: bool) -> bool {
        let beside = self
            .other
            .as_ref()
            .is_some_and(|other| other.holds() && self.exchange.is_admitted());
        let watched = guards.watch_failures(self.arm) && self.exchange.is_admitted();
        self.exchange.needs_status(beside || watched, ended)
    }

    /// Settles what both policies hold and writes the decision; see [`Exchange::finish`]. What the guard is to count
    /// is counted.
    #[expect(
        clippy::too_many_arguments,
        reason = "what the host knows of an ended stream"
    )]
    pub fn finish(
        &mut self,
        deployment: &Deployment,
        guards: &mut Guards,
        ended: bool,
        status: Option<u16>,
        now: Timestamp,
        ledger: &mut Ledger,
        store: &mut impl CounterStore,
    ) -> Option<Finished> {
        let disagreement = self.disagreement();
        let beside = deployment.other(self.arm);
        if let (Some(other), Some(policy)) = (&mut self.other, beside) {
            let (usage, ending) = self.exchange.outcome(ended, status);
            other.settle(policy, usage, ending, now, ledger, store);
            let told = other
                .evaluation()
                .filter(|_| disagreement.is_some())
                .map(|evaluation| Other::of(policy, evaluation));
            self.exchange.is_beside(Beside {
                arm: self.arm,
                other: told,
            });
        }
        let mut finished = self.exchange.finish(
            deployment.policy(self.arm),
            ended,
            status,
            now,
            ledger,
            store,
        );
        if let (Some(finished), Some(other)) = (&mut finished, &self.other) {
            // The detector hears of an exchange once, from whichever policy has one.
            let refused = !self.exchange.is_admitted();
            let seen = || other.observation(finished.usage, refused);
            finished.observation = finished.observation.or_else(seen);
        }
        if let Some(evaluation) = self.exchange.evaluation().filter(|one| one.acts) {
            let other = self.other.as_ref().and_then(Exchange::evaluation);
            let passes_beside =
                other.is_none_or(|evaluation| evaluation.verdict.would_action.passes());
            let refused = !evaluation.verdict.action.passes();
            guards.count(
                self.arm,
                Acted {
                    account: self.exchange.account(),
                    tier: evaluation.tier,
                    admitted: !refused,
                    refused: refused && passes_beside,
                    failed: !self.exchange.is_cut() && status.is_some_and(|status| status >= 500),
                },
            );
        }
        finished
    }
}
