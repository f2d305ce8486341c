//! A recording of a small town in which a campaign comes to an end: people with many subjects, and two score
//! accounts that fill the slots of one text all day and night.
use serde_json::json;
use weir_engine::time::Timestamp;

const START: u64 = 20_000 * DAY;
const DAY: u64 = 86_400;
const HOUR: u64 = 3_600;
const PEOPLE: u64 = 150;
const SYBILS: u64 = 40;
/// Days before the campaign begins, and in all.
const QUIET: u64 = 2;
const DAYS: u64 = 6;

const WORDS: [&str; 64] = [
    "river",
    "stone",
    "letter",
    "garden",
    "window",
    "summer",
    "music",
    "kitchen",
    "travel",
    "doctor",
    "bridge",
    "coffee",
    "island",
    "market",
    "painter",
    "shadow",
    "thunder",
    "village",
    "winter",
    "yellow",
    "anchor",
    "basket",
    "candle",
    "dragon",
    "engine",
    "forest",
    "guitar",
    "hammer",
    "insect",
    "jacket",
    "kettle",
    "ladder",
    "mirror",
    "needle",
    "orange",
    "pencil",
    "quilt",
    "ribbon",
    "saddle",
    "tunnel",
    "uncle",
    "velvet",
    "walnut",
    "xylophone",
    "yogurt",
    "zebra",
    "apple",
    "barrel",
    "cotton",
    "desert",
    "eagle",
    "falcon",
    "ginger",
    "harbor",
    "iceberg",
    "jungle",
    "kingdom",
    "lantern",
    "meadow",
    "nectar",
    "oyster",
    "planet",
    "quarry",
    "rocket",
];

/// A small generator of well-spread numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }
    fn words(&mut self, count: u64) -> String {
        let words: Vec<&str> = (0..count).map(|_| WORDS[self.below(64) as usize]).collect();
        words.join(" ")
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_nanos(seconds * 1_000_000_000)
}

struct Asked {
    seconds: u64,
    account: String,
    created: u64,
    address: String,
    payment: Option<String>,
    messages: Vec<String>,
    client: u64,
    output: u64,
}

fn life(person: u64, day: u64, out: &mut Vec<Asked>) {
    let mut dice = Dice(person * 1_000 + day);
    let nature = Dice(person).roll();
    let wakes = nature % 24;
    for _ in 0..dice.below(3) + 1 {
        let mut now = START + day * DAY + (wakes + dice.below(10)) % 24 * HOUR + dice.below(HOUR);
        let mut messages = Vec::new();
        for _ in 0..=dice.below(2 + nature % 4) {
            now += 20 + dice.below(300);
            messages.push(dice.words(30));
            out.push(Asked {
                seconds: now.min(START + DAYS * DAY - 1),
                account: format!("a-{person}"),
                created: START - (nature >> 8) % 700 * DAY,
                address: format!("10.{}.{}.9", nature >> 20 & 0xff, nature >> 28 & 0xff),
                payment: (nature & 1 == 1).then(|| format!("pf-{person}")),
                messages: messages.clone(),
                client: nature >> 40 & 7,
                output: 50 + dice.below(2_000),
            });
        }
    }
}

fn work(sybil: u64, day: u64, out: &mut Vec<Asked>) {
    let mut dice = Dice(7_000_000 + sybil * 1_000 + day);
    for _ in 0..26 {
        let (subject, detail) = (dice.words(3), dice.words(4));
        out.push(Asked {
            seconds: START + day * DAY + dice.below(DAY),
            account: format!("s-{sybil}"),
            created: START + QUIET * DAY - dice.below(2 * DAY),
            address: format!("172.{}.{}.9", dice.below(256), dice.below(256)),
            payment: Some(format!("pf-s-{sybil}")),
            messages: vec![format!(
                "You are an expert software engineer. Solve the following programming task about {subject} and \
                 explain every step of your reasoning before you write the final code, then list the edge cases \
                 that matter for {detail} and grade your own answer against a rubric from one to ten points."
            )],
            client: 9,
            output: 800 + dice.below(200),
        });
    }
}

/// The recording: one line of JSON for each exchange, sorted by time.
pub(crate) fn recording() -> (Vec<u8>, u64) {
    let mut all = Vec::new();
    for day in 0..DAYS {
        (0..PEOPLE).for_each(|person| life(person, day, &mut all));
        if day >= QUIET {
            (0..SYBILS).for_each(|sybil| work(sybil, day, &mut all));
        }
    }
    all.sort_by(|one, other| (one.seconds, &one.account).cmp(&(other.seconds, &other.account)));
    let mut lines = String::new();
    for asked in &all {
        let mut messages = Vec::new();
        for message in &asked.messages {
            if !messages.is_empty() {
                messages.push(json!({"role": "assistant", "content": "An answer."}));
            }
            messages.push(json!({"role": "user", "content": message}));
        }
        let mut headers = json!({
            "x-account-id": asked.account,
            "x-account-created": at(asked.created).to_string(),
            "x-verification": "email",
            "x-plan": if asked.payment.is_some() { "payg" } else { "free" },
            "x-forwarded-for": asked.address,
            "user-agent": format!("client/{}", asked.client),
        });
        if let Some(payment) = &asked.payment {
            headers["x-payment-fingerprint"] = json!(payment);
        }
        let request = json!({"method": "POST", "path": "/v1/chat/completions", "headers": headers,
            "body": {"model": "m-large", "messages": messages, "max_tokens": 500 + asked.client}});
        let usage = json!({"prompt_tokens": 60, "completion_tokens": asked.output});
        let response = json!({"status": 200, "headers": {"content-type": "application/json"},
            "body": {"choices": [], "usage": usage}});
        let time = at(asked.seconds);
        lines.push_str(&format!(
            "{{\"time\":\"{time}\",\"request\":{request},\"response\":{response}}}\n"
        ));
    }
    (lines.into_bytes(), all.len() as u64)
}
