//! Usage of recorded responses, however the network cuts them.
//!
//! The files of `streams/` follow the providers' documented formats; each is one shape that servers send.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "test code")]

use proptest::prelude::*;
use std::path::Path;
use std::sync::LazyLock;
use weir_engine::endpoint::Endpoint;
use weir_engine::usage::{Tokens, Usage, UsageMeter};

/// File, usage where the response ended in order, usage where it broke off after its last byte.
const STREAMS: &[(&str, Usage, Usage)] = &[
    ("openai-chat.sse", known(10, 200), known(10, 200)),
    ("openai-tool-calls.sse", known(90, 7), known(90, 7)),
    ("openai-no-usage.sse", Usage::Absent, Usage::Absent),
    ("openai-usage-in-every-chunk.sse", known(8, 3), known(8, 3)),
    ("openai-comments-crlf.sse", known(4, 5), known(4, 5)),
    ("openai-no-final-newline.sse", known(6, 1), known(6, 1)),
    ("openai-escaped-keys.sse", known(10, 2), known(10, 2)),
    ("openai-error.sse", Usage::Absent, Usage::Absent),
    ("openai-refusal.sse", known(11, 12), known(11, 12)),
    ("openai-nonsense-usage.sse", Usage::Unknown, Usage::Unknown),
    ("anthropic-text.sse", known(30, 15), known(30, 15)),
    (
        "anthropic-thinking-tool-use.sse",
        known(30, 15),
        known(30, 15),
    ),
    (
        "anthropic-delta-repeats-input.sse",
        known(40, 15),
        known(40, 15),
    ),
    ("anthropic-error.sse", Usage::Absent, Usage::Absent),
    ("anthropic-broken-off.sse", Usage::Unknown, Usage::Unknown),
    ("openai-chat.json", known(12, 34), known(12, 34)),
    ("openai-usage-first.json", known(1, 2), known(1, 2)),
    ("openai-error.json", Usage::Absent, Usage::Absent),
    ("openai-usage-null.json", Usage::Absent, Usage::Absent),
    ("anthropic-message.json", known(11, 7), known(11, 7)),
    ("anthropic-error.json", Usage::Absent, Usage::Absent),
    ("not-json.html", Usage::Unknown, Usage::Unknown),
];

const fn known(input: u32, output: u32) -> Usage {
    Usage::Known(Tokens {
        input,
        output,
        reasoning: 0,
        cached: 0,
    })
}

struct Stream {
    name: &'static str,
    endpoint: Endpoint,
    bytes: Vec<u8>,
    ended: Usage,
    broken_off: Usage,
}

impl Stream {
    fn has_events(&self) -> bool {
        self.name.ends_with(".sse")
    }
}

static CORPUS: LazyLock<Vec<Stream>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams");
    STREAMS
        .iter()
        .map(|&(name, ended, broken_off)| {
            let bytes =
                std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            let endpoint = if name.starts_with("anthropic") {
                Endpoint::AnthropicMessages
            } else {
                Endpoint::OpenAiChat
            };
            Stream {
                name,
                endpoint,
                bytes,
                ended,
                broken_off,
            }
        })
        .collect()
});

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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams");

    let files = std::fs::read_dir(folder)
        .map(|entries| entries.count())
        .unwrap_or_default();

    assert_eq!(files, STREAMS.len());
}

#[test]
fn usage_is_what_the_response_told() {
    for stream in CORPUS.iter() {
        let meter = meter_of(stream.endpoint, [stream.bytes.as_slice()]);

        assert_eq!(meter.usage(true), stream.ended, "{}", stream.name);
        assert_eq!(
            meter.usage(false),
            stream.broken_off,
            "{}, broken off",
            stream.name
        );
    }
}

#[test]
fn one_cut_anywhere_and_a_byte_at_a_time_change_nothing() {
    for stream in CORPUS.iter() {
        for cut in 0..=stream.bytes.len() {
            let (first, second) = stream.bytes.split_at(cut);
            assert_eq!(
                usage_of(stream.endpoint, [first, second]),
                stream.ended,
                "{} cut at {cut}",
                stream.name
            );
        }
        assert_eq!(
            usage_of(stream.endpoint, stream.bytes.chunks(1)),
            stream.ended,
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
                    usage_of(stream.endpoint, chunks),
                    stream.ended,
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
                    let usage = usage_of(stream.endpoint, text.as_bytes().chunks(size));
                    assert_eq!(
                        usage, stream.ended,
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
        for cut in 0..stream.bytes.len() {
            let usage = meter_of(stream.endpoint, [&stream.bytes[..cut]]).usage(false);

            // This one says two counts; the first is the whole response's as far as anyone can tell.
            let also = if stream.name == "anthropic-delta-repeats-input.sse" {
                known(40, 4)
            } else {
                Usage::Unknown
            };
            assert!(
                usage == stream.ended || usage == Usage::Unknown || usage == also,
                "{} cut at {cut}: {usage:?}",
                stream.name
            );
        }
    }
}

#[test]
fn usage_in_every_chunk_is_not_final_until_the_stream_is_over() {
    let stream = CORPUS
        .iter()
        .find(|stream| stream.name == "openai-usage-in-every-chunk.sse")
        .map_or(&[][..], |stream| &stream.bytes);
    let without_done = stream.strip_suffix(b"data: [DONE]\n\n").unwrap_or_default();

    let meter = meter_of(Endpoint::OpenAiChat, [without_done]);

    assert_eq!(meter.usage(false), Usage::Unknown);
    assert_eq!(meter.usage(true), known(8, 3));
}

#[test]
fn breaking_off_after_the_final_usage_takes_nothing_back() {
    for (name, last) in [
        ("anthropic-text.sse", "event: message_stop"),
        ("openai-chat.sse", "data: [DONE]"),
    ] {
        let stream = CORPUS
            .iter()
            .find(|stream| stream.name == name)
            .unwrap_or_else(|| panic!("{name}"));
        let told = String::from_utf8_lossy(&stream.bytes)
            .find(last)
            .unwrap_or_default();
        for cut in told..stream.bytes.len() {
            let usage = meter_of(stream.endpoint, [&stream.bytes[..cut]]).usage(false);

            assert_eq!(usage, stream.ended, "{name} cut at {cut}");
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
fn an_event_too_large_to_keep_hides_its_usage_and_no_later_one() {
    let padding = "x".repeat(70_000);
    let large = format!(
        "data: {{\"choices\":[],\"pad\":\"{padding}\",\"usage\":{{\"prompt_tokens\":1,\"completion_tokens\":2}}}}\n\n"
    );
    let small =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n";

    for size in [1000, 1_000_000] {
        let usage = |body: &str| usage_of(Endpoint::OpenAiChat, body.as_bytes().chunks(size));
        assert_eq!(usage(&large), Usage::Unknown);
        assert_eq!(usage(&format!("{small}{large}")), Usage::Unknown);
        assert_eq!(usage(&format!("{large}{small}")), known(3, 4));
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

        let usage = usage_of(stream.endpoint, cuts.windows(2).map(|pair| &stream.bytes[pair[0]..pair[1]]));

        prop_assert_eq!(usage, stream.ended, "{} at {:?}", stream.name, cuts);
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
    fn arbitrary_bytes_do_not_trap(bytes in prop::collection::vec(any::<u8>(), 0..300), start in prop::sample::select(vec!["", "{", "data: {", "data: {\"usage\":", "{\"usage\":"])) {
        for endpoint in [Endpoint::OpenAiChat, Endpoint::AnthropicMessages] {
            usage_of(endpoint, [start.as_bytes(), bytes.as_slice()]);
        }
    }
}
