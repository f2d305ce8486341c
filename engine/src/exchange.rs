//! One exchange from its head to its log line: the sequence that every host drives.
use crate::{
    decision,
    denial::Denial,
    detect::{Observation, Plan, Standing, Verification},
    endpoint::Endpoint,
    evaluate::{Asked, Body, Ending, Evaluation, evaluate},
    hash::HashKey,
    identity::Head,
    ledger::Ledger,
    policy::Policy,
    store::CounterStore,
    time::Timestamp,
    usage::{Tokens, Usage, UsageMeter},
    verdict::Action,
};
use alloc::string::String;

/// One exchange. Call `begin`, `decide`, then `response` for each chunk, and `finish` once.
#[derive(Debug)]
pub struct Exchange {
    head: Head,
    started: Timestamp,
    standing: Option<Standing>,
    evaluation: Option<Evaluation>,
    meter: UsageMeter,
    lost: bool,
}

/// What an exchange came to, for logs and metrics.
#[derive(Debug)]
pub struct Finished {
    /// The decision as one line of JSON.
    pub decision: String,
    /// What is known of the response's usage; `None` when no upstream answered because the request was refused.
    pub usage: Option<Usage>,
    /// What the detector is told; `None` where the policy has none, or the body could not be read.
    pub observation: Option<Observation>,
}

impl Exchange {
    /// Takes the head of a request.
    pub fn begin<'h>(
        policy: &Policy,
        key: &HashKey,
        headers: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
        now: Timestamp,
    ) -> Self {
        let head = Head::read(policy, key, headers, now);
        let meter = UsageMeter::new(head.endpoint);
        Self {
            head,
            started: now,
            standing: None,
            evaluation: None,
            meter,
            lost: false,
        }
    }

    /// The account whose standing the verdict depends on; tell it with [`Self::stands`] before deciding.
    pub fn suspect(&self) -> Option<u64> {
        self.head.origin.map(|origin| origin.account)
    }

    /// What the detector thinks of the account. Without it, nothing is known of the account.
    pub fn stands(&mut self, standing: Standing) {
        self.standing = Some(standing);
    }

    /// Whether the verdict may depend on the body; if not, decide at once with an empty one.
    pub fn needs_body(&self) -> bool {
        self.head.caller.is_some()
            && self.head.endpoint != Endpoint::Unknown
            && !self.head.compressed
    }

    /// Decides; a second call keeps the first verdict. The reply to send instead of going on, if any.
    pub fn decide(
        &mut self,
        policy: &Policy,
        key: &HashKey,
        body: Body<'_>,
        ledger: &mut Ledger,
        store: &mut impl CounterStore,
    ) -> Option<Denial> {
        let evaluation = match &mut self.evaluation {
            Some(evaluation) => evaluation,
            none => {
                let asked = Asked {
                    policy,
                    key,
                    head: &self.head,
                    now: self.started,
                    standing: self.standing,
                };
                none.insert(evaluate(asked, body, ledger, store))
            }
        };
        Denial::of(policy, &self.head, &evaluation.verdict)
    }

    /// Whether it holds a reservation, which `finish` settles.
    pub fn holds(&self) -> bool {
        self.evaluation
            .as_ref()
            .is_some_and(|evaluation| evaluation.hold.is_some())
    }

    /// What was decided, once it was.
    pub fn evaluation(&self) -> Option<&Evaluation> {
        self.evaluation.as_ref()
    }

    /// The head as it was read.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Whether the response comes from upstream, so that its body tells usage.
    pub fn is_admitted(&self) -> bool {
        self.evaluation
            .as_ref()
            .is_some_and(|evaluation| evaluation.verdict.action == Action::Allow)
    }

    /// Whether the response body can still tell something.
    pub fn reads_response(&self) -> bool {
        self.is_admitted() && !self.lost && self.meter.wants_more()
    }

    /// A piece of the response body could not be read: its usage stays unknown.
    pub fn response_lost(&mut self) {
        self.lost = true;
    }

    /// The next bytes of the response body.
    pub fn response(&mut self, chunk: &[u8]) {
        self.meter.feed(chunk);
    }

    /// Whether `finish` asks for the response's status: a reservation is held and no usage is known.
    pub fn needs_status(&self, ended: bool) -> bool {
        self.holds() && !matches!(self.usage(ended), Some(Usage::Known(_)))
    }

    /// Settles the budgets and writes the decision. `ended` says whether the response body ended in
    /// order, `status` is the response's, where there was one. `None` when nothing was decided: the
    /// request was gone before it could be.
    pub fn finish(
        &mut self,
        policy: &Policy,
        ended: bool,
        status: Option<u16>,
        now: Timestamp,
        ledger: &mut Ledger,
        store: &mut impl CounterStore,
    ) -> Option<Finished> {
        let usage = self.usage(ended);
        let evaluation = self.evaluation.as_mut()?;
        if let Some(hold) = evaluation.hold.take() {
            let ending = match status {
                Some(200..=299) if ended => Ending::Complete,
                Some(200..=299) => Ending::BrokenOff,
                _ => Ending::Failed,
            };
            let usage = usage.unwrap_or(Usage::Unknown);
            hold.settle(policy, usage, ending, ledger, now, store);
        }
        let decision = decision::to_json(policy, &self.head, evaluation, self.started, usage);
        let observation = self.observation(usage);
        Some(Finished {
            decision,
            usage,
            observation,
        })
    }

    fn observation(&self, usage: Option<Usage>) -> Option<Observation> {
        let (origin, caller) = (self.head.origin?, self.head.caller.as_ref()?);
        let footprint = self.evaluation.as_ref()?.footprint?;
        let tokens = match usage {
            Some(Usage::Known(tokens)) => tokens,
            _ => Tokens {
                input: 0,
                output: 0,
            },
        };
        let verification = caller.verification.as_deref();
        let plan = caller.plan.as_deref();
        Some(Observation {
            time: self.started,
            account: origin.account,
            organization: origin.organization,
            created: caller.created,
            verification: verification.map(Verification::parse).unwrap_or_default(),
            plan: plan.map(Plan::parse).unwrap_or_default(),
            payment: origin.payment,
            network: origin.network,
            asn: origin.asn,
            client: origin.client,
            shape: footprint.shape,
            model: footprint.model,
            prompt: footprint.prompt,
            user_turns: footprint.user_turns,
            tool_results: footprint.tool_results,
            tools: footprint.tools,
            reasoning: footprint.reasoning,
            samples: footprint.samples,
            refused: !self.is_admitted(),
            input_tokens: tokens.input,
            output_tokens: tokens.output,
        })
    }

    fn usage(&self, ended: bool) -> Option<Usage> {
        self.is_admitted()
            .then(|| self.meter.usage(ended && !self.lost))
    }
}
