//! Who asks for what.
#![expect(
    clippy::indexing_slicing,
    reason = "the script's own literals: a JSON object takes any key"
)]

use serde_json::{Value, json};

/// One request.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Path.
    pub path: &'static str,
    /// Body, already serialized.
    pub body: String,
}

/// Somebody with an account and a purpose.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is, for people.
    pub name: &'static str,
    /// Headers that the authentication in front of Weir would set.
    pub identity: Vec<(&'static str, String)>,
    /// What it asks, in order.
    pub asks: Vec<Ask>,
    /// Connections that it uses at once.
    pub connections: usize,
    /// What `frontier-api` promises: status and how often.
    pub expected: Vec<(u16, u64)>,
}

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

/// The callers of the demo. `long_ago` is a point in time (RFC 3339) at which established accounts were created.
pub fn callers(long_ago: &str) -> Vec<Caller> {
    let account = |id: &str, organization: &str| {
        vec![
            ("x-account-id", id.to_string()),
            ("x-org-id", organization.to_string()),
            ("x-verification", "email".to_string()),
            ("x-plan", "payg".to_string()),
        ]
    };
    let established = |id: &str, organization: &str| {
        let mut identity = account(id, organization);
        identity.retain(|(name, _)| *name != "x-verification");
        identity.extend([
            ("x-verification", "phone".to_string()),
            ("x-account-created", long_ago.to_string()),
        ]);
        identity
    };
    let vetted = vec![
        ("x-account-id", "a-lab".to_string()),
        ("x-org-id", "o-lab".to_string()),
        ("x-verification", "organization".to_string()),
        ("x-plan", "enterprise".to_string()),
    ];
    vec![
        Caller {
            name: "people chatting",
            identity: account("a-chat", "o-chat"),
            asks: chats(),
            connections: 2,
            expected: vec![(200, 60)],
        },
        Caller {
            name: "IDE agent with tools",
            identity: established("a-ide", "o-startup"),
            asks: agent_loop(),
            connections: 1,
            expected: vec![(200, 40)],
        },
        Caller {
            name: "vetted evaluation lab",
            identity: vetted,
            asks: (0..30).map(gated).collect(),
            connections: 1,
            expected: vec![(200, 30)],
        },
        Caller {
            name: "nightly batch job",
            identity: account("a-batch", "o-batch"),
            asks: (0..1200)
                .map(|index| {
                    chat(
                        &format!("Classify the ticket number {index}: the parcel came late."),
                        16,
                        false,
                    )
                })
                .collect(),
            connections: 4,
            expected: vec![(200, 1000), (429, 200)],
        },
        Caller {
            name: "new account asking for gated abilities",
            identity: account("a-new", "o-new"),
            asks: (0..25)
                .filter(|index| !is_about_logprobs(*index))
                .map(gated)
                .collect(),
            connections: 1,
            expected: vec![(200, 0), (403, 20)],
        },
        Caller {
            name: "new account asking for log probabilities",
            identity: account("a-curious", "o-curious"),
            asks: (0..25)
                .filter(|index| is_about_logprobs(*index))
                .map(gated)
                .collect(),
            connections: 1,
            // Not refused: answered without them.
            expected: vec![(200, 5)],
        },
        Caller {
            name: "suspended account",
            identity: account("a-suspended", "o-gone"),
            asks: (0..10)
                .map(|index| chat(&format!("Question {index}"), 64, false))
                .collect(),
            connections: 1,
            expected: vec![(200, 0), (403, 10)],
        },
        Caller {
            name: "broken client",
            identity: account("a-broken", "o-broken"),
            asks: (0..5)
                .map(|_| Ask {
                    path: CHAT,
                    body: "{\"model\": \"m-large\", \"messages\": [".to_string(),
                })
                .collect(),
            connections: 1,
            expected: vec![(400, 5)],
        },
        Caller {
            name: "nobody in particular",
            identity: Vec::new(),
            asks: (0..5)
                .map(|index| chat(&format!("Hello {index}"), 64, false))
                .collect(),
            connections: 1,
            expected: vec![(401, 5)],
        },
    ]
}

fn ask(path: &'static str, body: &Value) -> Ask {
    Ask {
        path,
        body: body.to_string(),
    }
}

fn chat(text: &str, max_tokens: u32, stream: bool) -> Ask {
    let mut body = json!({"model": "m-large", "max_tokens": max_tokens, "messages": [{"role": "user", "content": text}]});
    if stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    ask(CHAT, &body)
}

fn chats() -> Vec<Ask> {
    let questions = [
        "Which herbs go with lentils?",
        "Schreib mir einen Trinkspruch für Oma, die achtzig wird.",
        "Explain photosynthesis to a nine-year-old.",
        "今週末の京都でおすすめの散歩道は？",
        "Summarise the causes of the First World War in five sentences.",
        "My landlord keeps the deposit. What can I do?",
    ];
    let mut asks = Vec::new();
    for index in 0..60 {
        let question = questions[index % questions.len()];
        asks.push(match index % 4 {
            0 => chat(question, 300, false),
            1 => chat(question, 300, true),
            2 => ask(MESSAGES, &json!({"model": "m-large", "max_tokens": 300, "messages": [{"role": "user", "content": question}]})),
            _ => ask(
                MESSAGES,
                &json!({"model": "m-large", "max_tokens": 300, "stream": true, "system": "Answer briefly.", "messages": [{"role": "user", "content": [{"type": "text", "text": question}]}]}),
            ),
        });
    }
    asks
}

/// A coding agent: the history grows by a tool call and its result with each request.
fn agent_loop() -> Vec<Ask> {
    let tools = json!([
        {"name": "read_file", "description": "Read a file", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}},
        {"name": "run_tests", "description": "Run the tests", "input_schema": {"type": "object", "properties": {}}},
    ]);
    let mut messages = vec![
        json!({"role": "user", "content": "The date parser fails on leap years. Find out why and mend it."}),
    ];
    let mut asks = Vec::new();
    for step in 0..40 {
        asks.push(ask(
            MESSAGES,
            &json!({"model": "m-large", "max_tokens": 800, "stream": true, "system": "You are a coding agent.", "tools": tools, "messages": messages}),
        ));
        let id = format!("toolu_{step}");
        messages.push(json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "read_file", "input": {"path": format!("src/part{step}.rs")}}]}));
        messages.push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": format!("fn part{step}() {{ /* … */ }}\n")}]}));
    }
    asks
}

/// Whether [`gated`] asks for log probabilities, which shaping takes away where a tier does not grant them.
const fn is_about_logprobs(index: usize) -> bool {
    index % 5 == 1
}

/// Requests for what only some tiers may use, one ability after the other.
fn gated(index: usize) -> Ask {
    let mut body = json!({"model": "m-large", "max_tokens": 200, "messages": [{"role": "user", "content": "Solve the puzzle and rate your answer."}]});
    match index % 5 {
        0 => {
            body["tools"] = json!([{"type": "function", "function": {"name": "browse", "parameters": {"type": "object"}}}])
        }
        _ if is_about_logprobs(index) => {
            body["logprobs"] = json!(true);
            body["top_logprobs"] = json!(5);
        }
        2 => body["n"] = json!(8),
        3 => {
            body["messages"][0]["content"] = json!("Show your full reasoning as a reasoning trace.")
        }
        _ => {
            return ask(
                MESSAGES,
                &json!({"model": "m-large", "max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}, "messages": [{"role": "user", "content": "Prove it."}]}),
            );
        }
    }
    ask(CHAT, &body)
}
