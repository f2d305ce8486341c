//! Usage of recorded responses, however the network cuts them.
//!
//! The files of `streams/` follow the providers' documented formats; each is one shape that servers send.
//! Its `index.json` says of each what it told; `"ended": false` marks those that broke off.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "test code")]

use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use weir_engine::endpoint::Endpoint;
use weir_engine::usage::{Tokens, Usage, UsageMeter};

/// Those that tell usage.
fn endpoints() -> impl Iterator<Item = Endpoint> {
    let all = Endpoint::ALL.into_iter();
    all.filter(|endpoint| *endpoint != Endpoint::Unknown)
}

const fn known(input: u32, output: u32) -> Usage {
    Usage::Known(Tokens {
        input,
        output,
        reasoning: 0,
        cached: 0,
    })
}

struct Stream {
    name: String,
    endpoint: Endpoint,
    bytes: Vec<u8>,
    /// The response ended in order.
    ended: bool,
    told: Usage,
}

impl Stream {
    fn has_events(&self) -> bool {
        self.name.ends_with(".sse")
    }

    /// What its bytes tell in these chunks.
    fn usage_of<'a>(&self, chunks: impl IntoIterator<Item = &'a [u8]>) -> Usage {
        meter_of(self.endpoint, chunks).usage(self.ended)
    }

    /// Where to cut it: everywhere, but of a long run of text only here and there.
    fn cuts(&self) -> impl Iterator<Item = usize> + '_ {
        const CLOSE: usize = 96;
        let is_large = self.bytes.len() > 16 * 1024;
        let is_close_to_the_cap = |cut: usize| cut % (64 * 1024) < CLOSE;
        (0..=self.bytes.len()).filter(move |&cut| {
            let near = &self.bytes[cut.saturating_sub(CLOSE)..(cut + CLOSE).min(self.bytes.len())];
            !is_large
                || is_close_to_the_cap(cut)
                || cut % 251 == 0
                || near.windows(2).any(|pair| pair == b"\n\n")
        })
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams")
}

fn stream_of(entry: &Value) -> Stream {
    let name = entry["file"].as_str().unwrap_or_default();
    let endpoint = endpoints().find(|endpoint| entry["endpoint"] == endpoint.name());
    let count = |field: &str| {
        let count = entry["usage"][field].as_u64();
        count
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or_else(|| panic!("{name}: {field}"))
    };
    Stream {
        name: name.to_owned(),
        endpoint: endpoint.unwrap_or_else(|| panic!("{name}: endpoint")),
        bytes: std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}")),
        ended: entry["ended"] != false,
        told: match entry["usage"].as_str() {
            Some("absent") => Usage::Absent,
            Some("unknown") => Usage::Unknown,
            Some(other) => panic!("{name}: {other}"),
            None => Usage::Known(Tokens {
                input: count("input"),
                output: count("output"),
                reasoning: count("reasoning"),
                cached: count("cached"),
            }),
        },
    }
}

static CORPUS: LazyLock<Vec<Stream>> = LazyLock::new(|| {
    let index = std::fs::read(folder().join("index.json"))
        .ok()
        .and_then(|index| serde_json::from_slice::<Vec<Value>>(&index).ok())
        .unwrap_or_default();
    index.iter().map(stream_of).collect()
});

fn recorded(name: &str) -> &'static Stream {
    CORPUS
        .iter()
        .find(|stream| stream.name == name)
        .unwrap_or_else(|| panic!("{name}"))
}

fn meter_of<'a>(endpoint: Endpoint, chunks: impl IntoIterator<Item = &'a [u8]>) -> UsageMeter {
    let mut meter = UsageMeter::new(endpoint);
    for chunk in chunks {
        meter.feed(chunk);
        assert!(meter.buffered() <= 64 * 1024);
    }
    meter
}

fn usage_of<'a>(endpoint: Endpoint, chunks: impl IntoIterator<Item = &'a [u8]>) -> Usage {
    meter_of(endpoint, chunks).usage(true)
}

#[test]
fn every_file_of_the_corpus_is_tested() {
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "index.json")
        .collect();
    let indexed: BTreeSet<String> = CORPUS.iter().map(|stream| stream.name.clone()).collect();

    assert_eq!(files, indexed);
    assert_eq!(CORPUS.len(), indexed.len());
    for endpoint in endpoints() {
        assert!(
            CORPUS.iter().any(|stream| stream.endpoint == endpoint),
            "{}",
            endpoint.name()
        );
    }
}

#[test]
fn usage_is_what_the_response_told() {
    for stream in CORPUS.iter() {
        let meter = meter_of(stream.endpoint, [stream.bytes.as_slice()]);

        assert_eq!(meter.usage(stream.ended), stream.told, "{}", stream.name);
        assert_eq!(
            meter.usage(false),
            stream.told,
            "{}, broken off after its last byte",
            stream.name
        );
    }
}

#[test]
fn one_cut_anywhere_and_a_byte_at_a_time_change_nothing() {
    for stream in CORPUS.iter() {
        for cut in stream.cuts() {
            let (first, second) = stream.bytes.split_at(cut);
            assert_eq!(
                stream.usage_of([first, second]),
                stream.told,
                "{} cut at {cut}",
                stream.name
            );
        }
        assert_eq!(
            stream.usage_of(stream.bytes.chunks(1)),
            stream.told,
            "{} in bytes",
            stream.name
        );
    }
}

#[test]
fn two_cuts_anywhere_change_nothing() {
    for stream in CORPUS.iter().filter(|stream| stream.bytes.len() <= 500) {
        for first in 0..stream.bytes.len() {
            for second in first..stream.bytes.len() {
                let chunks = [
                    &stream.bytes[..first],
                    &stream.bytes[first..second],
                    &stream.bytes[second..],
                ];
                assert_eq!(
                    stream.usage_of(chunks),
                    stream.told,
                    "{} cut at {first} and {second}",
                    stream.name
                );
            }
        }
    }
}

#[test]
fn line_ends_of_any_kind_and_missing_last_ones_change_nothing() {
    for stream in CORPUS.iter().filter(|stream| stream.has_events()) {
        let text = String::from_utf8_lossy(&stream.bytes).replace("\r\n", "\n");
        for end in ["\n", "\r", "\r\n"] {
            let text = text.replace('\n', end);
            for text in [text.as_str(), text.trim_end()] {
                for size in [1, 7, text.len()] {
                    let usage = stream.usage_of(text.as_bytes().chunks(size));
                    assert_eq!(
                        usage, stream.told,
                        "{} with {end:?} in chunks of {size}",
                        stream.name
                    );
                }
            }
        }
    }
}

#[test]
fn a_response_that_broke_off_never_gives_a_number_that_the_whole_one_does_not() {
    for stream in CORPUS.iter() {
        // These say two counts; the first is the whole response's as far as anyone can tell.
        let also = match stream.name.as_str() {
            "anthropic-delta-repeats-input.sse" => Usage::Known(Tokens {
                input: 40,
                output: 4,
                reasoning: 0,
                cached: 10,
            }),
            "anthropic-messages-cumulative.sse" => known(100, 20),
            _ => Usage::Unknown,
        };
        for cut in stream.cuts().filter(|&cut| cut < stream.bytes.len()) {
            let usage = meter_of(stream.endpoint, [&stream.bytes[..cut]]).usage(false);

            assert!(
                usage == stream.told || usage == Usage::Unknown || usage == also,
                "{} cut at {cut}: {usage:?}",
                stream.name
            );
        }
    }
}

#[test]
fn usage_in_every_chunk_is_not_final_until_the_stream_is_over() {
    let stream = &recorded("openai-usage-in-every-chunk.sse").bytes;
    let without_done = stream.strip_suffix(b"data: [DONE]\n\n").unwrap_or_default();

    let meter = meter_of(Endpoint::OpenAiChat, [without_done]);

    assert_eq!(meter.usage(false), Usage::Unknown);
    assert_eq!(meter.usage(true), known(8, 3));
}

#[test]
fn usage_of_a_candidate_is_not_final_while_another_goes_on() {
    let event = |index: u32, finish: &str, output: u32| {
        format!(
            "data: {{\"candidates\":[{{\"index\":{index}{finish}}}],\"usageMetadata\":{{\"promptTokenCount\":5,\"candidatesTokenCount\":{output}}}}}\n\n"
        )
    };
    let stop = ",\"finishReason\":\"STOP\"";
    let events = [
        (event(0, "", 1), Usage::Unknown),
        (event(1, "", 2), Usage::Unknown),
        (event(0, stop, 3), Usage::Unknown),
        (event(1, stop, 4), known(5, 4)),
    ];
    let mut meter = UsageMeter::new(Endpoint::GeminiStream);

    for (event, wanted) in events {
        meter.feed(event.as_bytes());

        assert_eq!(meter.usage(false), wanted, "{event}");
    }
}

#[test]
fn breaking_off_after_the_final_usage_takes_nothing_back() {
    for (name, last) in [
        ("anthropic-text.sse", "event: message_stop"),
        ("openai-chat.sse", "data: [DONE]"),
    ] {
        let stream = recorded(name);
        let told = String::from_utf8_lossy(&stream.bytes)
            .find(last)
            .unwrap_or_default();
        for cut in told..stream.bytes.len() {
            let usage = meter_of(stream.endpoint, [&stream.bytes[..cut]]).usage(false);

            assert_eq!(usage, stream.told, "{name} cut at {cut}");
        }
    }
}

#[test]
fn nothing_is_known_of_what_cannot_be_read() {
    for (endpoint, body) in [
        (Endpoint::OpenAiChat, &b"\x1f\x8b\x08\x00"[..]),
        (Endpoint::OpenAiChat, b"[]"),
        (Endpoint::OpenAiChat, b"{\"choices\":["),
        (
            Endpoint::OpenAiChat,
            b"{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2",
        ),
        (Endpoint::OpenAiChat, b"{\"usage\":{\"prompt_tokens\":1}}"),
        (Endpoint::OpenAiChat, b"{\"usage\":7}"),
        (
            Endpoint::OpenAiChat,
            b"{\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}",
        ),
        (
            Endpoint::Unknown,
            b"{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
        ),
    ] {
        assert_eq!(
            usage_of(endpoint, [body]),
            Usage::Unknown,
            "{}",
            String::from_utf8_lossy(body)
        );
    }
}

#[test]
fn an_empty_response_told_nothing_once_it_ended() {
    let meter = meter_of(Endpoint::OpenAiChat, [&b""[..], b" \n"]);

    assert_eq!(
        (meter.usage(true), meter.usage(false)),
        (Usage::Absent, Usage::Unknown)
    );
}

#[test]
fn an_event_too_large_to_keep_tells_its_usage_too() {
    let padding = "x\\\"usage\\\":".repeat(7_000);
    let chat = |input: u32| {
        format!(
            "data: {{\"choices\":[],\"pad\":\"{padding}\",\"usage\":{{\"prompt_tokens\":{input},\"completion_tokens\":2}}}}\n\n"
        )
    };
    let small =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n";
    let response = |usage: &str, error: &str| {
        format!(
            "data: {{\"type\":\"response.completed\",\"response\":{{\"pad\":\"{padding}\",\"error\":{error},\"us\\u0061ge\":{usage}}}}}\n\n"
        )
    };
    let counts = "{\"input_tokens\":7,\"output_tokens\":8}";
    let (chats, responses) = (Endpoint::OpenAiChat, Endpoint::OpenAiResponses);

    for (endpoint, body, wanted) in [
        (chats, chat(1), known(1, 2)),
        (chats, format!("{small}{}", chat(1)), known(1, 2)),
        (chats, format!("{}{small}", chat(1)), known(3, 4)),
        (responses, response(counts, "null"), known(7, 8)),
        (responses, response("null", "{\"code\":1}"), Usage::Absent),
        (responses, response("null", "null"), Usage::Absent),
        (responses, response("7", "null"), Usage::Unknown),
        (
            responses,
            response("null", "null") + &response(counts, "null"),
            known(7, 8),
        ),
    ] {
        for size in [1, 1000, 1_000_000] {
            let usage = usage_of(endpoint, body.as_bytes().chunks(size));
            assert_eq!(usage, wanted, "{} in chunks of {size}", endpoint.name());
        }
    }
    for cut in [65_000, 70_000, 76_900] {
        let body = response(counts, "null");
        let usage = meter_of(responses, [&body.as_bytes()[..cut]]).usage(false);
        assert_eq!(usage, Usage::Unknown, "cut at {cut} of {}", body.len());
    }
}

#[test]
fn an_element_too_large_to_keep_tells_its_usage_too() {
    let element = |text: &str, input: u32| {
        format!(
            "{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{text}\"}}]}},\"finishReason\":\"STOP\"}}],\"usageMetadata\":{{\"promptTokenCount\":{input},\"candidatesTokenCount\":2}}}}"
        )
    };
    let large = element(&"]},{[\\\"".repeat(12_000), 1);
    let small = element("x", 3);

    for (body, wanted) in [
        (format!("[{large}]"), known(1, 2)),
        (format!("[{small},{large}]"), known(1, 2)),
        (format!("[{large} , {small}]"), known(3, 2)),
        (format!("[{large}"), Usage::Unknown),
    ] {
        for size in [1, 1000, 1_000_000] {
            let usage = usage_of(Endpoint::GeminiStream, body.as_bytes().chunks(size));
            assert_eq!(usage, wanted, "in chunks of {size}");
        }
    }
}

#[test]
fn a_usage_object_too_large_to_keep_is_unknown() {
    let padding = "x".repeat(5000);
    let body = format!(
        "{{\"usage\":{{\"prompt_tokens\":1,\"completion_tokens\":2,\"pad\":\"{padding}\"}},\"choices\":[]}}"
    );

    let meter = meter_of(Endpoint::OpenAiChat, body.as_bytes().chunks(100));

    assert_eq!(meter.usage(true), Usage::Unknown);
    assert!(meter.buffered() <= 8 * 1024);
}

#[test]
fn memory_does_not_grow_with_the_response() {
    let text = "word \\\"usage\\\": ".repeat(64);
    let json = [
        r#"{"choices":[{"message":{"content":""#,
        &text.repeat(1000),
        r#""}}],"#,
    ]
    .concat();
    let event = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
        .repeat(1000);

    for (body, limit) in [(json, 64), (event, 4 * 1024)] {
        let mut meter = UsageMeter::new(Endpoint::OpenAiChat);
        for chunk in body.as_bytes().chunks(777) {
            meter.feed(chunk);
            assert!(meter.buffered() <= limit, "{} bytes held", meter.buffered());
        }
    }
}

#[test]
fn debug_output_never_shows_the_response() {
    let meter = meter_of(Endpoint::OpenAiChat, [&b"data: secret"[..]]);

    assert!(!format!("{meter:?}").contains("secret"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_cuts_change_nothing(pick in any::<prop::sample::Index>(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let stream = &CORPUS[pick.index(CORPUS.len())];
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.bytes.len() + 1)).collect();
        cuts.extend([0, stream.bytes.len()]);
        cuts.sort_unstable();

        let usage = stream.usage_of(cuts.windows(2).map(|pair| &stream.bytes[pair[0]..pair[1]]));

        prop_assert_eq!(usage, stream.told, "{} at {:?}", stream.name, cuts);
    }

    #[test]
    fn damage_neither_traps_nor_depends_on_the_cuts(
        pick in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        size in 1_usize..80,
    ) {
        let stream = &CORPUS[pick.index(CORPUS.len())];
        let mut bytes = stream.bytes.clone();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }

        let whole = usage_of(stream.endpoint, [bytes.as_slice()]);

        prop_assert_eq!(usage_of(stream.endpoint, bytes.chunks(size)), whole);
    }

    #[test]
    fn arbitrary_bytes_do_not_trap(bytes in prop::collection::vec(any::<u8>(), 0..300), start in prop::sample::select(vec!["", "{", "[", "[{", "data: {", "data: {\"usage\":", "{\"usage\":", "[{\"usageMetadata\":"])) {
        for endpoint in endpoints() {
            usage_of(endpoint, [start.as_bytes(), bytes.as_slice()]);
        }
    }
}
