//! The recorded responses of `streams/`, everything taken out, however the network cuts them.
//!
//! What they become stands in `streams/shaped/`; `WEIR_GOLDEN=write` writes it anew.
use super::shaped::{EVERYTHING, pieces, shaped, shaped_in};
use std::path::{Path, PathBuf};
use weir_engine::endpoint::Endpoint;

struct Recorded {
    name: String,
    endpoint: Endpoint,
    body: Vec<u8>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams")
}

fn recorded() -> Vec<Recorded> {
    let mut recorded: Vec<Recorded> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            Recorded {
                endpoint: endpoint_of(&name),
                body: std::fs::read(path).unwrap(),
                name,
            }
        })
        .filter(|recorded| recorded.name != "index.json")
        .collect();
    recorded.sort_by(|one, other| one.name.cmp(&other.name));
    recorded
}

fn endpoint_of(name: &str) -> Endpoint {
    let begins = [
        ("anthropic-count-tokens", Endpoint::AnthropicCountTokens),
        ("anthropic", Endpoint::AnthropicMessages),
        ("gemini-stream", Endpoint::GeminiStream),
        ("gemini", Endpoint::GeminiGenerate),
        ("openai-completions", Endpoint::OpenAiCompletions),
        ("openai-embeddings", Endpoint::OpenAiEmbeddings),
        ("openai-responses", Endpoint::OpenAiResponses),
    ];
    begins
        .iter()
        .find(|(beginning, _)| name.starts_with(beginning))
        .map_or(Endpoint::OpenAiChat, |&(_, endpoint)| endpoint)
}

#[test]
fn every_response_becomes_what_stands_under_shaped() {
    let golden = folder().join("shaped");
    let write = std::env::var_os("WEIR_GOLDEN").is_some_and(|value| value == "write");
    if write {
        let _ = std::fs::remove_dir_all(&golden);
        std::fs::create_dir_all(&golden).unwrap();
    }
    let mut changed = 0;
    for response in recorded() {
        let path = golden.join(&response.name);

        let got = shaped(response.endpoint, EVERYTHING, &response.body);

        if write && got.changed {
            std::fs::write(&path, &got.bytes).unwrap();
        }
        // What has no file there stays as it is.
        let wanted = std::fs::read(&path).unwrap_or_else(|_| response.body.clone());
        assert!(
            got.bytes == wanted,
            "{} is\n{}\nand was\n{}\nIf that is meant: WEIR_GOLDEN=write cargo test -p weir-engine --test shaping, and look at the difference",
            response.name,
            String::from_utf8_lossy(&got.bytes),
            String::from_utf8_lossy(&wanted)
        );
        assert_eq!(got.changed, path.exists(), "{}", response.name);
        changed += usize::from(got.changed);
    }
    let files = std::fs::read_dir(golden).map(|entries| entries.count());
    assert_eq!(files.unwrap_or_default(), changed, "no file is left over");
}

#[test]
fn one_cut_anywhere_and_a_byte_at_a_time_give_the_same_bytes() {
    for response in recorded() {
        let wanted = shaped(response.endpoint, EVERYTHING, &response.body);
        // Every cut of a response costs its length squared: beyond 14 KB only some of them.
        let step = 1 + response.body.len().pow(2) / 200_000_000;
        for cut in (0..=response.body.len()).step_by(step) {
            let (first, second) = response.body.split_at(cut);
            let got = shaped_in(response.endpoint, EVERYTHING, [first, second]);
            assert_eq!(got, wanted, "{} cut at {cut}", response.name);
        }
        let got = shaped_in(response.endpoint, EVERYTHING, response.body.chunks(1));
        assert_eq!(got, wanted, "{} in bytes", response.name);
    }
}

#[test]
fn random_pieces_give_the_same_bytes() {
    for response in recorded() {
        let wanted = shaped(response.endpoint, EVERYTHING, &response.body);
        let seeds = (4_000_000 / (1 + response.body.len() as u64)).clamp(20, 200);
        for seed in 0..seeds {
            let got = shaped_in(response.endpoint, EVERYTHING, pieces(&response.body, seed));
            assert_eq!(got, wanted, "{} in pieces of seed {seed}", response.name);
        }
    }
}

#[test]
fn stripping_again_changes_nothing() {
    for response in recorded() {
        let once = shaped(response.endpoint, EVERYTHING, &response.body);

        let twice = shaped(response.endpoint, EVERYTHING, &once.bytes);

        assert_eq!(twice.bytes, once.bytes, "{}", response.name);
        assert!(!twice.changed, "{}", response.name);
    }
}

#[test]
fn line_ends_of_any_kind_are_stripped_alike_and_stay() {
    for response in recorded() {
        let Ok(text) = std::str::from_utf8(&response.body) else {
            continue;
        };
        if !response.name.ends_with(".sse") {
            continue;
        }
        let text = text.replace("\r\n", "\n");
        let wanted = shaped(response.endpoint, EVERYTHING, text.as_bytes());
        for end in ["\r", "\r\n"] {
            let other = text.replace('\n', end);

            let got = shaped_in(response.endpoint, EVERYTHING, pieces(other.as_bytes(), 7));

            assert_eq!(
                got.text(),
                wanted.text().replace('\n', end),
                "{}",
                response.name
            );
        }
    }
}
