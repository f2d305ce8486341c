//! Requests made to break things: seeded, so that what breaks can be broken again.
use std::fmt::Write as _;

use serde_json::{Value, json};
use weir_envoy::client::{Client, Request};

use crate::programs;
use crate::setup::{Api, Weir, policy, send, status};

const REQUESTS: usize = 10_000;
const CONNECTIONS: usize = 4;
/// Headers that the plugin reads, and one that it does not.
const HEADERS: [&str; 10] = [
    "x-account-id",
    "x-org-id",
    "x-plan",
    "x-account-created",
    "authorization",
    "x-api-key",
    "content-encoding",
    "content-type",
    "x-request-id",
    "x-unknown",
];
const PATHS: [&str; 12] = [
    "/v1/chat/completions",
    "/v1/messages",
    "/v1/chat/completions/",
    "//v1//messages?beta=true",
    "/v1/x/../messages",
    "/v1/%63hat/completions",
    "/v1/chat%2Fcompletions",
    "/V1/MESSAGES",
    "/v1/messages%",
    "/%ff%fe/v1/messages",
    "/",
    "/v1/messages/../../../../v1/chat/completions",
];
/// Values that stand where others were expected.
const VALUES: [&str; 18] = [
    "null",
    "true",
    "[]",
    "{}",
    "[[[]]]",
    "\"\"",
    "-0",
    "1e999",
    "-1e-999",
    "4294967296",
    "99999999999999999999999999999999",
    "0.1",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"\\",
    "NaN",
    "[{\"type\":\"text\",\"text\":7},null,[]]",
    "{\"role\":\"user\",\"role\":null}",
];

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is not zero.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1))
            .map(|_| self.next() as u8)
            .collect()
    }
}

/// Sound bodies that use everything the plugin reads.
fn sound() -> Vec<Vec<u8>> {
    let rich = json!({"model": "m", "n": 2, "max_completion_tokens": 9, "logprobs": true, "stream": true,
        "reasoning_effort": "high", "thinking": {"type": "enabled", "budget_tokens": 9},
        "system": [{"type": "text", "text": "a step-by-step plan\n"}],
        "functions": [{"name": "f"}], "tools": [{"name": "t", "input_schema": {"a": [1, 2.5e3]}}],
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "ü \"\\ 🌊"},
            {"role": "tool", "content": [{"type": "text", "text": "x"}]},
            {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "image"}]}]}]});
    Api::BOTH
        .into_iter()
        .flat_map(|api| [api.body(), api.streamed(), api.with_tool(), rich.clone()])
        .map(|body| body.to_string().into_bytes())
        .collect()
}

fn body(random: &mut Random, sound: &[Vec<u8>]) -> Vec<u8> {
    let mut body = random.pick(sound).clone();
    match random.below(9) {
        0 => return random.bytes(3_000),
        1 => body.truncate(random.below(body.len())),
        2 => {
            for _ in 0..=random.below(8) {
                let at = random.below(body.len());
                body[at] = random.next() as u8;
            }
        }
        3 => {
            let other = random.pick(sound);
            let (from, at) = (random.below(other.len()), random.below(body.len()));
            body.splice(at..at, other[from..].to_vec());
        }
        4 => {
            let open = *random.pick(&[&b"["[..], b"{\"a\":", b"{\"messages\":["]);
            let depth = random.below(2_000);
            let at = random.below(body.len());
            body.splice(at..at, open.repeat(depth));
        }
        5 | 6 => {
            // One value replaced by another: still JSON, seldom the right one.
            let colons: Vec<usize> = (0..body.len()).filter(|&at| body[at] == b':').collect();
            let from = random.pick(&colons) + 1;
            let length = body[from..].iter().position(|byte| b",}]".contains(byte));
            let to = from + length.unwrap_or_default();
            body.splice(from..to, random.pick(&VALUES).bytes());
        }
        7 => {
            let escape = *random.pick(&["\\u00e9", "\\ud83c\\udf0a", "\\udc00", "\\n", "\\x"]);
            let mut text = String::new();
            let _ = write!(
                text,
                "{{\"model\":\"{0}\",\"messages\":[{{\"role\":\"{0}\",\"content\":\"{0}\"}}]}}",
                escape.repeat(random.below(300))
            );
            body = text.into_bytes();
        }
        _ => {}
    }
    body
}

fn header_value(random: &mut Random) -> String {
    match random.below(8) {
        0 => String::new(),
        1 => "x".repeat(random.below(3_000)),
        2 => "ü 流 \u{2028}\u{85} 🌊".to_owned(),
        3 => "\"}\\n{\"account\":\"other\"}; DROP\t%FILTER_STATE(a)% ${WASM}".to_owned(),
        4 => format!("Bearer {:x}", random.next()),
        5 => (*random.pick(&[
            "gzip",
            "identity",
            "gzip, br",
            "enterprise",
            "2999-99-99T99:99:99Z",
        ]))
        .to_owned(),
        6 => format!("2026-01-0{}T00:00:00Z", random.below(10)),
        _ => format!("a-{}", random.below(500)),
    }
}

fn request(random: &mut Random, sound: &[Vec<u8>]) -> Request {
    let path = if random.below(3) == 0 {
        random.pick(&PATHS)
    } else {
        random.pick(&PATHS[..2])
    };
    let mut request = Request::post(*path, body(random, sound));
    for _ in 0..random.below(6) {
        let name = *random.pick(&HEADERS);
        let value = header_value(random);
        request = request.header(name, value);
    }
    if random.below(3) > 0 {
        request = request.header("x-account-id", format!("a-{}", random.below(2_000)));
    }
    match random.below(4) {
        0 => request.in_pieces_of(1 + random.below(700)),
        1 => request.cut_at(&[random.below(9), random.below(90), random.below(900)]),
        _ => request,
    }
}

async fn attack(mut client: Client, seed: u64) -> Vec<u16> {
    let (mut random, sound) = (Random(seed), sound());
    let mut statuses = Vec::new();
    for number in 0..REQUESTS / CONNECTIONS {
        let request = request(&mut random, &sound);
        let response = send(&mut client, request).await;
        let status = response.status();
        let answer = response.bytes().await;
        assert!(status < 500, "{status} to request {number} of seed {seed}");
        assert!(
            answer.is_ok(),
            "no end of the answer to request {number} of seed {seed}"
        );
        statuses.push(status);
    }
    statuses
}

#[tokio::test]
async fn ten_thousand_hostile_requests_kill_no_vm_and_get_no_server_error() {
    let policy = policy(|policy| {
        policy["inspection"] = json!({"maxBody": "2KiB", "oversized": "inspect"});
        policy["capabilities"]["planning"] = json!({"anyOf": [
            {"phrases": {"of": ["step-by-step plan", "🌊"]}}, {"logprobs": {}}]});
        policy["tiers"][0]["grants"] = json!(["agentic_tools", "planning"]);
        policy["budgets"] = json!([
            {"name": "r", "per": "account", "unit": "requests", "limit": 100, "window": "1s"},
            {"name": "t", "per": "organization", "unit": "tokens", "limit": 1_000_000, "window": "1h"}]);
        policy["state"]["memory"] = json!("64KiB");
    });
    let weir = Weir::start(programs!(), &policy).await;
    let before = weir.envoy.stats().await.unwrap();

    let attacks: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let [http1, http2] = weir.clients();
            let client = if number % 2 == 0 { http1 } else { http2 };
            tokio::spawn(attack(client, number as u64))
        })
        .collect();
    let mut statuses = Vec::new();
    for attack in attacks {
        statuses.extend(attack.await.unwrap());
    }

    for expected in [200, 400, 401, 403, 415] {
        let count = statuses
            .iter()
            .filter(|&&status| status == expected)
            .count();
        assert!(
            count > 20,
            "only {count} answers {expected}: the attack is too narrow"
        );
    }
    for mut client in weir.clients().into_iter().chain(weir.clients()) {
        for api in Api::BOTH {
            let honest = api.post("honest", &api.body());
            let honest = honest.header("x-plan", "enterprise");
            assert_eq!(status(&mut client, honest).await, 200);
        }
    }
    let after = weir.envoy.stats().await.unwrap();
    for stat in [
        "wasm.envoy.wasm.runtime.v8.created",
        "wasm.envoy.wasm.runtime.v8.active",
    ] {
        assert!(before.get(stat) > 0, "{stat} is there");
        assert_eq!(after.get(stat), before.get(stat), "{stat}");
    }
    let reloads: Vec<_> = after
        .values()
        .iter()
        .filter(|(name, _)| name.contains("vm_reload"))
        .collect();
    assert!(reloads.iter().all(|(_, count)| **count == 0), "{reloads:?}");
    let log = std::fs::read_to_string(weir.envoy.log_path()).unwrap();
    let trap = log
        .lines()
        .find(|line| line.contains("Uncaught") || line.contains("panicked"));
    assert_eq!(trap, None);
    let decisions: Vec<Value> = weir.envoy.decision_log().unwrap();
    let forged = decisions.iter().find(|one| one["account"] == "other");
    assert_eq!(forged, None);
    assert!(decisions.len() > REQUESTS / 2);
}
