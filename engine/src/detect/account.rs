//! What is remembered of one account: counts that fade with a half-life of three and a half days.
#![expect(
    clippy::as_conversions,
    reason = "small counts and hours since 1970, all far below the limits of their types"
)]
use super::{
    emergence::Emergence,
    observation::{Observation, Plan, Verification},
    prompt::{FieldPrint, Topics},
    slots::Slots,
};

/// What fades keeps this share of itself each day.
pub(super) const DAILY: f32 = 0.82;
/// Hours of one bin of the rhythm.
const BIN_HOURS: u32 = 4;
/// What the rhythm keeps from bin to bin: six bins a day.
const PER_BIN: f32 = 0.9675;
/// Share of the latest value in running means.
const RECENT: f32 = 1.0 / 24.0;
/// A request this long after the account's last one does not continue it: no gap between messages, seconds.
const PAUSE: u32 = 6 * 3600;
/// Days after which an account counts as aged.
const AGED_DAYS: u32 = 60;
/// Texts that data collections ask for.
const TARGETS: Topics = Topics::SOFTWARE
    .with(Topics::AGENTIC)
    .with(Topics::PLANNING)
    .with(Topics::MATH)
    .with(Topics::ELICITATION)
    .with(Topics::RUBRIC)
    .with(Topics::REWRITE);
/// Asks for reasoning or grades rather than for an answer.
const ELICITS: Topics = Topics::ELICITATION.with(Topics::RUBRIC);

/// Which kind of text a shingle stands in, so that system prompts and questions never mix.
#[derive(Clone, Copy)]
enum Field {
    System = 1,
    User = 2,
    Whole = 3,
}

/// The record of one account.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Account {
    /// Hash of its id; 0 marks a free place.
    pub(super) id: u64,
    /// Hash of its organization's id, 0 unknown.
    pub(super) organization: u64,
    /// Hours since 1970 when it was created; 0 unknown.
    pub(super) created: u32,
    /// Hours since 1970 when it was first seen.
    pub(super) first: u32,
    /// Seconds since 1970 when it was last seen.
    pub(super) last: u32,
    pub(super) verification: Verification,
    pub(super) plan: Plan,
    /// Payment instrument, 0 unknown.
    pub(super) payment: u32,
    /// Day up to which the counts have faded.
    day: u32,
    /// Requests.
    pub(super) requests: f32,
    /// Requests that open a conversation.
    pub(super) openings: f32,
    /// Openings whose text others send word for word.
    pub(super) shared: f32,
    /// Requests for abilities that data collections are after.
    pub(super) target: f32,
    /// Requests that ask for reasoning or grades.
    pub(super) elicit: f32,
    /// Requests that offer tools.
    pub(super) tools: f32,
    /// Requests from another network than the one before.
    pub(super) moves: f32,
    /// Requests with an emergent text.
    pub(super) emergent: f32,
    /// Requests by three-hour part of the day (UTC).
    pub(super) hours: [f32; 8],
    /// Rhythm: bins, their counts, the counts' squares.
    bins: [f32; 3],
    bin: u32,
    in_bin: u16,
    /// Running mean and mean square of the logarithm of gaps (s), and how many there were (saturating).
    pub(super) gaps: (f32, f32, u16),
    /// Running mean of the logarithm of answers' tokens.
    pub(super) output: f32,
    /// The text of the last request, and its keys: most of a conversation repeats them.
    text: u64,
    keys: [u32; 2],
    /// Texts by emergent shingle.
    pub(super) texts: Slots<6>,
    /// Request shapes.
    pub(super) shapes: Slots<3>,
    /// Tool sets.
    pub(super) toolsets: Slots<2>,
    /// Networks.
    pub(super) networks: Slots<2>,
    last_network: u32,
    /// Trusted: aged, paid for or verified, in good standing.
    pub(super) trusted: bool,
    /// Its state as a number: the graver, the later it is evicted.
    pub(super) risk: u8,
}

impl Account {
    /// The record of an account that is seen for the first time.
    pub(super) fn new(seen: &Observation) -> Self {
        let seconds = seconds(seen);
        Self {
            id: seen.account,
            first: seconds / 3600,
            last: seconds,
            day: seconds / 86_400,
            bin: seconds / 3600 / BIN_HOURS,
            ..Self::default()
        }
    }

    /// Takes one exchange in. Sets bits in `emergence`. O(shingles) for a new text, O(1) for one that goes on.
    pub(super) fn observe(&mut self, seen: &Observation, emergence: &mut Emergence) {
        let now = seconds(seen);
        self.fade_to(now / 86_400);
        self.roll_to(now / 3600 / BIN_HOURS);
        self.remember_identity(seen);
        self.requests += 1.0;
        self.in_bin = self.in_bin.saturating_add(1);
        if let Some(part) = self.hours.get_mut((now / 10_800 % 8) as usize) {
            *part += 1.0;
        }
        self.take_gap(now);
        let opens = seen.user_turns <= 1 && seen.tool_results == 0;
        self.openings += f32::from(u8::from(opens));
        self.tools += f32::from(u8::from(seen.tools));
        let topics = if seen.tools {
            seen.prompt.topics.with(Topics::AGENTIC)
        } else {
            seen.prompt.topics
        };
        self.target += f32::from(u8::from(topics.any(TARGETS)));
        self.elicit += f32::from(u8::from(topics.any(ELICITS) || seen.reasoning));
        if seen.output_tokens > 0 {
            let logarithm = libm::logf(seen.output_tokens as f32);
            self.output += (logarithm - self.output) * if self.output > 0.0 { RECENT } else { 1.0 };
        }
        self.shapes.add(seen.shape);
        self.toolsets.add(fold(seen.prompt.tools));
        self.networks.add(seen.network);
        if seen.network != 0 && self.last_network != 0 && self.last_network != seen.network {
            self.moves += 1.0;
        }
        self.last_network = seen.network;
        self.take_text(seen, opens, emergence);
        self.last = now;
    }

    fn remember_identity(&mut self, seen: &Observation) {
        self.organization = seen.organization;
        self.verification = seen.verification;
        self.plan = seen.plan;
        if seen.payment != 0 {
            self.payment = seen.payment;
        }
        if let Some(created) = seen.created {
            self.created = u32::try_from(created.as_unix_seconds() / 3600).unwrap_or(0);
        }
    }

    fn take_gap(&mut self, now: u32) {
        let gap = now.saturating_sub(self.last);
        if self.requests > 1.5 && gap < PAUSE {
            let logarithm = libm::logf(1.0 + gap as f32);
            let (mean, square, count) = &mut self.gaps;
            *count = count.saturating_add(1);
            let share = RECENT.max(1.0 / f32::from(*count));
            *mean += (logarithm - *mean) * share;
            *square += (logarithm * logarithm - *square) * share;
        }
    }

    fn take_text(&mut self, seen: &Observation, opens: bool, emergence: &mut Emergence) {
        let prompt = &seen.prompt;
        let text = prompt.user.exact.rotate_left(17) ^ prompt.system.exact;
        if text == 0 {
            return;
        }
        let class = if self.organization == 0 {
            self.id
        } else {
            self.organization
        };
        let class = (class ^ class >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40;
        if text != self.text || opens {
            let whole = tagged(Field::Whole, fold(prompt.user.exact));
            if opens && prompt.user.exact != 0 {
                self.shared += f32::from(u8::from(emergence.is_shared(whole)));
            }
            emergence.see(whole, class, false);
            self.keys = [
                key(
                    Field::System,
                    &prompt.system,
                    class,
                    self.trusted,
                    emergence,
                ),
                key(Field::User, &prompt.user, class, self.trusted, emergence),
            ];
            self.text = text;
        }
        for found in self.keys {
            self.texts.add(found);
        }
        self.emergent += f32::from(u8::from(self.keys != [0, 0]));
    }

    /// Fades every count to `day`.
    fn fade_to(&mut self, day: u32) {
        let days = day.saturating_sub(self.day);
        if days == 0 {
            return;
        }
        self.day = day;
        let factor = libm::powf(DAILY, days.min(60) as f32);
        for count in [
            &mut self.requests,
            &mut self.openings,
            &mut self.shared,
            &mut self.target,
            &mut self.elicit,
            &mut self.tools,
            &mut self.moves,
            &mut self.emergent,
        ] {
            *count *= factor;
        }
        for part in &mut self.hours {
            *part *= factor;
        }
        self.texts.fade(factor);
        self.shapes.fade(factor);
        self.toolsets.fade(factor);
        self.networks.fade(factor);
    }

    /// Closes the bins of the rhythm before `bin`, the silent ones too.
    fn roll_to(&mut self, bin: u32) {
        let passed = bin.saturating_sub(self.bin).min(60);
        for step in 0..passed {
            let count = if step == 0 {
                f32::from(self.in_bin)
            } else {
                0.0
            };
            let [bins, sum, squares] = &mut self.bins;
            *bins = *bins * PER_BIN + 1.0;
            *sum = *sum * PER_BIN + count;
            *squares = *squares * PER_BIN + count * count;
        }
        if passed > 0 {
            self.bin = bin;
            self.in_bin = 0;
        }
    }

    /// Variance over mean of requests by bin; `None` before a day of them.
    pub(super) fn dispersion(&self) -> Option<f32> {
        let [bins, sum, squares] = self.bins;
        if bins < 4.0 || sum < 4.0 {
            return None;
        }
        let mean = sum / bins;
        Some((squares / bins - mean * mean).max(0.0) / mean)
    }

    /// Requests a day, from the rhythm where there is one.
    pub(super) fn daily(&self) -> f32 {
        let [bins, sum, _] = self.bins;
        let per_day = 24.0 / BIN_HOURS as f32;
        (sum + f32::from(self.in_bin)) / (bins + 0.5).max(2.0) * per_day
    }

    /// The counts as of `now` (seconds), though nothing has come since.
    pub(super) fn faded(&self, now: u32) -> Self {
        let mut faded = self.clone();
        faded.fade_to(now / 86_400);
        faded.roll_to(now / 3600 / BIN_HOURS);
        faded
    }

    /// Whether it may vouch for what is usual: old enough, and either paid for or verified, as far as that is known.
    pub(super) fn vouches(&self, now: u32, tenure_hours: u32) -> bool {
        let hours = now / 3600;
        let aged = if self.created == 0 {
            hours.saturating_sub(self.first) >= tenure_hours
        } else {
            hours.saturating_sub(self.created) >= AGED_DAYS * 24
        };
        let known = self.plan != Plan::Unknown || self.verification != Verification::Unknown;
        let earned = self.plan >= Plan::PayAsYouGo || self.verification >= Verification::Phone;
        aged && (earned || !known)
    }
}

/// Seconds since 1970; enough until 2106.
pub(super) fn seconds(seen: &Observation) -> u32 {
    u32::try_from(seen.time.as_unix_seconds()).unwrap_or(u32::MAX)
}

fn fold(hash: u64) -> u32 {
    (hash ^ hash >> 32) as u32
}

fn tagged(field: Field, shingle: u32) -> u64 {
    u64::from(shingle) | (field as u64) << 32
}

/// The least emergent shingle of a field names its template: texts from one frame agree on it. 0 where nothing is emergent.
fn key(
    field: Field,
    print: &FieldPrint,
    class: u64,
    trusted: bool,
    emergence: &mut Emergence,
) -> u32 {
    let mut least = 0;
    for shingle in print.shingles.iter().take(usize::from(print.len)) {
        let tagged = tagged(field, *shingle);
        emergence.see(tagged, class, trusted);
        if emergence.is_emergent(tagged) && (least == 0 || *shingle < least) {
            least = (*shingle).max(1);
        }
    }
    // Two fields with one shingle are still two templates.
    if least == 0 {
        0
    } else {
        (least ^ (field as u32) << 30).max(1)
    }
}
