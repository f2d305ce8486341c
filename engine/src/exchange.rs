//! One exchange from its head to its log line: the sequence that every host drives.
use crate::{
    charging::{Ending, Hold},
    decision::{self, Beside},
    denial::{self, Denial},
    detect::{Observation, Plan, Standing, Verification},
    endpoint::{Endpoint, Provider},
    evaluate::{Asked, Body, Evaluation, Part, evaluate},
    hash::HashKey,
    identity::{self, Head, Properties},
    ledger::Ledger,
    policy::Policy,
    rate_limit,
    shaping::{self, ResponseShaper},
    store::CounterStore,
    time::Timestamp,
    usage::{Tokens, Usage, UsageMeter},
    verdict::{Reason, ReasonCode, Verdict},
};
use alloc::{string::String, vec::Vec};
use core::time::Duration;

/// One exchange. Call `begin`, `decide`, then `response_head`, `response` for each chunk, and `finish` once.
#[derive(Debug)]
pub struct Exchange {
    head: Head,
    started: Timestamp,
    /// When it is decided: later than `started` where the body took its time.
    arrived: Timestamp,
    standing: Option<Standing>,
    waiting: usize,
    part: Part,
    beside: Option<Beside>,
    evaluation: Option<Evaluation>,
    meter: UsageMeter,
    shaper: Option<ResponseShaper>,
    /// The policy lets no response through that was to be stripped and cannot be read.
    refuses_unreadable: bool,
    /// Something went on that was to be stripped and could not be read.
    is_unstripped: bool,
    /// The rest of the response goes nowhere.
    is_cut: bool,
    lost: bool,
}

/// What the host does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Lets it go on.
    Forward(Forward),
    /// Sends this instead.
    Reply(Denial),
}

/// How a request goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forward {
    /// What replaces the body that was decided on; `None` leaves it. Its length is another one.
    pub body: Option<Vec<u8>>,
    /// Request headers to remove, in lower case.
    pub remove_headers: Vec<String>,
    /// How long it waits first.
    pub delay: Option<Duration>,
}

/// What changes in the head of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadChanges {
    /// Headers to remove, in lower case; first.
    pub remove: Vec<&'static str>,
    /// Headers to set, whatever was there.
    pub set: Vec<(&'static str, String)>,
    /// What the client gets instead of the response, which then counts as broken off.
    pub reply: Option<Denial>,
}

impl Answer {
    /// The reply, where the request does not go on.
    pub fn into_denial(self) -> Option<Denial> {
        match self {
            Self::Forward(_) => None,
            Self::Reply(denial) => Some(denial),
        }
    }
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
    /// Takes the head of a request, and what the host knows of it beyond that.
    pub fn begin<'h>(
        policy: &Policy,
        key: &HashKey,
        headers: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
        properties: &dyn Properties,
        now: Timestamp,
    ) -> Self {
        let head = Head::read(policy, key, headers, properties, now);
        let meter = UsageMeter::new(head.endpoint);
        Self {
            head,
            started: now,
            arrived: now,
            standing: None,
            waiting: 0,
            part: Part::default(),
            beside: None,
            evaluation: None,
            meter,
            shaper: None,
            refuses_unreadable: false,
            is_unstripped: false,
            is_cut: false,
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

    /// The part that the policy has in the exchange, `Decides` unless told before deciding.
    pub fn takes_part(&mut self, part: Part) {
        self.part = part;
    }

    /// What the decision says of a second policy that decided, too.
    pub(crate) fn is_beside(&mut self, beside: Beside) {
        self.beside = Some(beside);
    }

    /// Hash of the account, the same in every process; `None` without one.
    pub(crate) fn account(&self) -> Option<u64> {
        let caller = self.head.caller.as_ref()?;
        Some(HashKey::PUBLIC.hash64("guard", &[caller.account.as_bytes()]))
    }

    /// Whether the policy's rollout names the caller.
    pub(crate) fn is_reached(&self, policy: &Policy) -> bool {
        let caller = self.head.caller.as_ref();
        let tier = caller.and_then(|caller| policy.tier_of(caller, self.started));
        policy.rollout.acts_for(caller, tier)
    }

    /// Takes over what the host told `acting`, the exchange that is answered.
    pub(crate) fn decides_beside(&mut self, acting: &Self) {
        (self.arrived, self.waiting) = (acting.arrived, acting.waiting);
        self.standing = acting.standing;
    }

    /// How many requests of this worker wait because they are delayed; tell it before deciding.
    pub fn waits_with(&mut self, waiting: usize) {
        self.waiting = waiting;
    }

    /// The request's body has arrived, now; tell it before deciding where that took a while. Counters must hear the
    /// right time: a client that sends slowly would otherwise charge a window that has passed, and one whose past is
    /// longer ago than the window would seem to have a clock that stepped back, which begins the window anew.
    pub fn arrives(&mut self, now: Timestamp) {
        self.arrived = self.started.max(now);
    }

    /// Whether the verdict may depend on the body; if not, decide at once with an empty one.
    pub fn needs_body(&self) -> bool {
        self.head.caller.is_some()
            && self.head.endpoint != Endpoint::Unknown
            && !self.head.compressed
    }

    /// Decides; a second call keeps the first verdict. `body` is what goes on, or its beginning.
    pub fn decide(
        &mut self,
        policy: &Policy,
        key: &HashKey,
        body: Body<'_>,
        ledger: &mut Ledger,
        store: &mut impl CounterStore,
    ) -> Answer {
        let evaluation = match &mut self.evaluation {
            Some(evaluation) => evaluation,
            none => {
                let asked = Asked {
                    policy,
                    key,
                    head: &self.head,
                    now: self.arrived,
                    standing: self.standing,
                    waiting: self.waiting,
                    part: self.part,
                };
                none.insert(evaluate(asked, body, ledger, store))
            }
        };
        if let Some(denial) = Denial::of(policy, &self.head, evaluation, self.arrived) {
            return Answer::Reply(denial);
        }
        let mut forward = Forward {
            delay: evaluation.verdict.delay,
            ..Forward::default()
        };
        let (Body::Whole(bytes) | Body::Prefix(bytes)) = body;
        if evaluation.limits != shaping::RequestLimits::default() {
            forward.body = shaping::rewritten(self.head.endpoint, bytes, &evaluation.limits);
        }
        if !evaluation.strip.is_nothing() {
            self.shaper = Some(ResponseShaper::new(self.head.endpoint, evaluation.strip));
            self.refuses_unreadable = policy.shaping.refuses_unreadable;
            // What cannot be read cannot be stripped.
            forward.remove_headers.push(String::from("accept-encoding"));
            if self.head.endpoint.provider() == Provider::Gemini {
                // It could leave out the members that tell reasoning from text.
                forward
                    .remove_headers
                    .push(String::from("x-goog-fieldmask"));
            }
        }
        if evaluation.acts {
            forward
                .remove_headers
                .extend(policy.verification.header.clone());
        }
        Answer::Forward(forward)
    }

    /// The host could not change the request as `decide` told it. The reply to send now, where the request asks for
    /// what the account may not have and only shaping would have taken away; otherwise it goes on as it came.
    pub fn not_changed(
        &mut self,
        policy: &Policy,
        ledger: &mut Ledger,
        store: &mut impl CounterStore,
    ) -> Option<Denial> {
        let now = self.arrived;
        let evaluation = self.evaluation.as_mut()?;
        let reason = Reason::rule(ReasonCode::NotShaped, 1.0);
        if evaluation.waived.is_empty() {
            evaluation.verdict.reasons.push(reason);
            return None;
        }
        if let Some(hold) = evaluation.hold.take() {
            hold.abort(ledger, now, store);
        }
        self.shaper = None;
        let tier = evaluation.tier.unwrap_or_default();
        let before = core::mem::replace(
            &mut evaluation.verdict,
            Verdict::not_granted(tier, evaluation.waived),
        );
        evaluation.verdict.reasons.extend(before.reasons);
        evaluation.verdict.reasons.push(reason);
        Denial::of(policy, &self.head, evaluation, now)
    }

    /// Whether the head of the response is to be told to `response_head`.
    pub fn needs_response_head(&self, policy: &Policy) -> bool {
        let Some(evaluation) = self
            .evaluation
            .as_ref()
            .filter(|evaluation| evaluation.acts)
        else {
            return false;
        };
        let tells_quota = !policy.responses.headers.is_empty() && !evaluation.quotas.is_empty();
        self.is_admitted()
            && (self.shaper.is_some() || tells_quota || evaluation.verdict.verification.is_some())
    }

    /// Takes the head of the upstream's response; what changes in it.
    pub fn response_head<'h>(
        &mut self,
        policy: &Policy,
        headers: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
    ) -> HeadChanges {
        let mut changes = HeadChanges::default();
        let Some(evaluation) = self
            .evaluation
            .as_ref()
            .filter(|evaluation| evaluation.acts)
        else {
            return changes;
        };
        if self.shaper.is_some() {
            if identity::is_encoded(headers.clone()) {
                // The upstream encodes unasked: nothing of it can be read, so nothing is taken out.
                self.shaper = None;
                if self.refuses_unreadable {
                    (self.lost, self.is_cut) = (true, true);
                    changes.reply = Some(Denial::interrupted(policy, &self.head));
                    return changes;
                }
                self.is_unstripped = true;
            } else {
                changes.remove.push("content-length");
            }
        }
        let provider = self.head.endpoint.provider();
        let quotas = &evaluation.quotas;
        // What is left was measured when the request was decided, and windows run from then.
        changes.set = rate_limit::headers(policy, provider, quotas, self.arrived, headers);
        if let Some(step_up) = evaluation.verdict.verification {
            changes.set.extend(denial::step_up_headers(policy, step_up));
        }
        changes
    }

    /// Whether it holds a reservation, which `finish` settles.
    pub fn holds(&self) -> bool {
        self.evaluation
            .as_ref()
            .is_some_and(|evaluation| evaluation.hold.is_some())
    }

    /// Whether `response_ended` has anything to do.
    pub fn holds_leases(&self) -> bool {
        let hold = self
            .evaluation
            .as_ref()
            .and_then(|evaluation| evaluation.hold.as_ref());
        hold.is_some_and(Hold::holds_leases)
    }

    /// The response has ended: gives back what the exchange holds of concurrency budgets, at once, so that a client
    /// that asks again as soon as it has its answer is not refused. Call it before the end goes on to the client;
    /// `finish` does it for every other way out.
    pub fn response_ended(
        &mut self,
        now: Timestamp,
        ledger: &mut Ledger,
        store: &mut impl CounterStore,
    ) {
        let hold = self
            .evaluation
            .as_mut()
            .and_then(|evaluation| evaluation.hold.as_mut());
        if let Some(hold) = hold {
            hold.release_leases(ledger, now, store);
        }
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
            .is_some_and(|evaluation| evaluation.verdict.action.passes())
    }

    /// Whether the next bytes of the response body are to be told to `response`.
    pub fn reads_response(&self) -> bool {
        let meters = !self.lost && self.meter.wants_more();
        self.is_admitted() && (meters || self.shaper.is_some())
    }

    /// A piece of the response body could not be read: its usage stays unknown, and nothing was taken out of it.
    pub fn response_lost(&mut self) {
        self.lost = true;
        self.is_unstripped |= self.shaper.is_some();
    }

    /// The next bytes of the response body; what replaces them, if anything does. `end` says that they are the last.
    ///
    /// Where the policy refuses responses that were to be stripped and cannot be read, one that turns out so ends
    /// here: events with the provider's error event, JSON unfinished. Nothing of the rest goes on.
    pub fn response(&mut self, chunk: &[u8], end: bool) -> Option<Vec<u8>> {
        self.meter.feed(chunk);
        if self.is_cut {
            return Some(Vec::new());
        }
        let shaper = self.shaper.as_mut()?;
        let mut shaped = Vec::with_capacity(chunk.len());
        shaper.feed(chunk, end, &mut shaped);
        if shaper.lost() && !self.refuses_unreadable {
            self.is_unstripped = true;
        } else if shaper.lost() {
            self.is_cut = true;
            // Larger than any number that went out, and one that every SDK's integer holds.
            let error = denial::event(&self.head, u64::from(u32::MAX));
            return Some(if shaper.is_events() {
                error
            } else {
                Vec::new()
            });
        }
        (shaped != chunk).then_some(shaped)
    }

    /// Whether something of the response went on that could not be read, though it was to be stripped.
    pub fn is_unstripped(&self) -> bool {
        self.is_unstripped
    }

    /// Whether the response was ended here, because it could not be stripped.
    pub(crate) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether `finish` asks for the response's status: a reservation is held, or it is wanted for another reason,
    /// and no usage is known.
    pub fn needs_status(&self, wanted: bool, ended: bool) -> bool {
        (wanted || self.holds()) && !matches!(self.usage(ended), Some(Usage::Known(_)))
    }

    /// What the response came to: its usage, and how it ended.
    pub(crate) fn outcome(&self, ended: bool, status: Option<u16>) -> (Usage, Ending) {
        let ending = match status {
            Some(200..=299) if ended => Ending::Complete,
            Some(200..=299) => Ending::BrokenOff,
            // The upstream answered; the error is ours.
            _ if self.is_cut => Ending::BrokenOff,
            _ => Ending::Failed,
        };
        (self.usage(ended).unwrap_or(Usage::Unknown), ending)
    }

    /// Replaces what is held of budgets by what was used; a second time does nothing.
    pub(crate) fn settle(
        &mut self,
        policy: &Policy,
        usage: Usage,
        ending: Ending,
        now: Timestamp,
        ledger: &mut Ledger,
        store: &mut impl CounterStore,
    ) {
        let evaluation = self.evaluation.as_mut();
        if let Some(hold) = evaluation.and_then(|evaluation| evaluation.hold.take()) {
            hold.settle(policy, usage, ending, ledger, now, store);
        }
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
        let (settled, ending) = self.outcome(ended, status);
        self.settle(policy, settled, ending, now, ledger, store);
        let usage = self.usage(ended);
        let beside = self.beside.take();
        let evaluation = self.evaluation.as_mut()?;
        if self.is_cut || self.is_unstripped {
            let went_on = if self.is_cut { 0.0 } else { 1.0 };
            let reason = Reason::rule(ReasonCode::NotStripped, went_on);
            evaluation.verdict.reasons.push(reason);
        }
        let exchange = decision::Decided {
            head: &self.head,
            evaluation,
            part: self.part,
            started: self.started,
            usage,
        };
        let decision = decision::to_json(policy, exchange, beside);
        let observation = self.observation(usage, !self.is_admitted());
        Some(Finished {
            decision,
            usage,
            observation,
        })
    }

    /// What the detector is told of an exchange that was `refused` or not.
    pub(crate) fn observation(&self, usage: Option<Usage>, refused: bool) -> Option<Observation> {
        let (origin, caller) = (self.head.origin?, self.head.caller.as_ref()?);
        let footprint = self.evaluation.as_ref()?.footprint?;
        let tokens = match usage {
            Some(Usage::Known(tokens)) => tokens,
            _ => Tokens::default(),
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
            refused,
            input_tokens: tokens.input,
            output_tokens: tokens.output,
        })
    }

    fn usage(&self, ended: bool) -> Option<Usage> {
        self.is_admitted()
            .then(|| self.meter.usage(ended && !self.lost))
    }
}
