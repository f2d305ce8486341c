//! What the fuzzers begin with: inputs that reach far into what they test.
use crate::attestation::{self, signed_shared, valid_claims};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use weir_engine::endpoint::Endpoint;

/// Longer ones would slow the fuzzers down and reach no further.
pub const MAX_LEN: usize = 16 * 1024;

/// One request for each endpoint that has every key its reader looks at.
const REQUESTS: [(Endpoint, &str); 6] = [
    (
        Endpoint::OpenAiChat,
        r#"{"model":"m","messages":[{"role":"developer","content":"s"},{"role":"user","content":[{"type":"text","text":"caf\u00e9 \ud83d\ude00"},{"type":"image_url","image_url":{"url":"u"}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"c"}],"function_call":{}},{"content":"r","role":"tool"}],"stream":true,"n":2,"max_tokens":5,"max_completion_tokens":1e2,"logprobs":"true","top_logprobs":2,"tools":[{"function":{"name":"f"}}],"functions":[{"name":"g"}],"reasoning_effort":"high","include_reasoning":true,"reasoning":{"effort":"low","enabled":true,"exclude":false,"summary":"auto","max_tokens":9},"thinking":{"type":"enabled","budget_tokens":7,"display":"omitted"},"response_format":{"type":"json_schema"},"stop":["a"],"temperature":0.7,"top_p":NaN,"top_k":4,"seed":-1}"#,
    ),
    (
        Endpoint::OpenAiCompletions,
        r#"{"model":"m","prompt":["a",[1,2],{"type":"text","text":"b"}],"suffix":"c","n":1,"best_of":3,"max_tokens":4,"logprobs":0,"stop":"x","stream":false}"#,
    ),
    (
        Endpoint::OpenAiResponses,
        r#"{"model":"m","instructions":"s","input":[{"role":"user","content":[{"type":"input_text","text":"t"}]},{"type":"reasoning","summary":[],"encrypted_content":"e"},{"type":"function_call","name":"f","arguments":"{}"},{"output":"r","type":"function_call_output"}],"prompt":{"variables":{"x":"y"}},"include":["message.output_text.logprobs"],"tools":[{"type":"web_search"}],"reasoning":{"effort":"high","summary":"auto","generate_summary":"x"},"text":{"format":{"type":"json_object"}},"max_output_tokens":5,"top_logprobs":1}"#,
    ),
    (
        Endpoint::OpenAiEmbeddings,
        r#"{"model":"m","input":[[1,20,300],"text"],"dimensions":8,"encoding_format":"base64"}"#,
    ),
    (
        Endpoint::AnthropicMessages,
        r#"{"model":"m","max_tokens":9,"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"r"}]},{"type":"document","source":{"data":"d","type":"text"}},{"type":"image","source":{"type":"base64","data":"AAAA"}}]},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"x"},{"type":"tool_use","input":{}}]}],"tools":[{"name":"f"}],"thinking":{"type":"adaptive"},"output_config":{"effort":"max","format":{"type":"json_schema"}},"stop_sequences":["q"]}"#,
    ),
    (
        Endpoint::GeminiGenerate,
        r#"{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"parts":[{"text":"u"},{"inlineData":{}}],"role":"user"},{"role":"model","parts":[{"text":"h","thought":true},{"functionCall":{"name":"f"}}]},{"parts":[{"functionResponse":{"response":{"a":["b"]},"parts":[{"text":"p"}]}}]}],"tools":[{"functionDeclarations":[{"name":"f"}]},{"google_search":{}}],"generationConfig":{"candidateCount":2,"maxOutputTokens":5,"responseLogprobs":true,"logprobs":3,"stopSequences":["x"],"responseMimeType":"application/json","responseSchema":{},"topP":0.5,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":-1,"thinkingLevel":"HIGH"}}}"#,
    ),
];

/// Inputs of [`crate::facts`].
pub fn facts() -> Vec<Vec<u8>> {
    REQUESTS
        .iter()
        .map(|(endpoint, body)| [&[byte_of(*endpoint), 0, 99], body.as_bytes()].concat())
        .collect()
}

/// Inputs of [`crate::shaper`]: the recorded responses of the engine's tests.
///
/// # Errors
/// Where they cannot be read.
pub fn shaper() -> Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/tests/streams");
    let index = std::fs::read(folder.join("index.json")).context("no index of responses")?;
    let index: Vec<Value> = serde_json::from_slice(&index).context("no index of responses")?;
    let mut inputs = Vec::new();
    for entry in &index {
        let file = entry["file"].as_str().context("an entry without a file")?;
        let endpoint = Endpoint::ALL
            .into_iter()
            .find(|endpoint| entry["endpoint"] == endpoint.name())
            .with_context(|| format!("{file} has no endpoint"))?;
        let response =
            std::fs::read(folder.join(file)).with_context(|| format!("cannot read {file}"))?;
        if response.len() <= MAX_LEN {
            inputs.push([&[byte_of(endpoint), 3, 0], response.as_slice()].concat());
        }
    }
    Ok(inputs)
}

/// Inputs of [`crate::attestation`].
pub fn attestation() -> Vec<Vec<u8>> {
    let header = br#"{"alg":"HS256","kid":"shared","typ":"JWT"}"#;
    let claims = valid_claims();
    let token = signed_shared(header, claims.as_bytes());
    vec![
        [&[0], token.as_bytes()].concat(),
        [&[0], attestation::valid_public().as_bytes()].concat(),
        [&[1][..], header, b"\n", claims.as_bytes()].concat(),
        vec![2],
        vec![2, 0, 9, b'x'],
    ]
}

fn byte_of(endpoint: Endpoint) -> u8 {
    let index = Endpoint::ALL.iter().position(|known| *known == endpoint);
    index
        .and_then(|index| u8::try_from(index).ok())
        .unwrap_or_default()
}
