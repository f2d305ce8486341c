//! Request facts: what is accepted is JSON, and what is cut gives no more than the whole.
use crate::endpoint_of;
use serde::de::IgnoredAny;
use weir_engine::endpoint::Endpoint;
use weir_engine::facts::{self, FactsError, RawText, RequestFacts, Role, TextSink};

/// Hears the texts of a request.
#[derive(Default)]
struct Heard {
    raw_bytes: usize,
}

impl TextSink for Heard {
    fn text(&mut self, _role: Role, text: RawText<'_>) {
        assert!(!text.raw.is_empty(), "an empty text");
        self.raw_bytes = self.raw_bytes.saturating_add(text.raw.len());
        check(text);
    }

    fn tool(&mut self, name: RawText<'_>) {
        check(name);
    }
}

/// A text says whole characters, and no more of them than asked for.
fn check(text: RawText<'_>) {
    const SOME: usize = 7;
    assert_eq!(text.escaped, text.raw.contains('\\'));
    let (mut whole, mut some, mut end) = (Vec::new(), Vec::new(), Vec::new());
    text.unescape_into(&mut whole, usize::MAX);
    text.unescape_into(&mut some, SOME);
    text.end(SOME).unescape_into(&mut end, usize::MAX);
    assert!(std::str::from_utf8(&whole).is_ok());
    assert!(whole.starts_with(&some) && some.len() <= SOME);
    let last = whole.get(whole.len().saturating_sub(SOME)..);
    assert!(last.is_some_and(|last| end.ends_with(last)));
}

/// Endpoint from the first byte, place of the cut from the next two, body.
pub fn run(data: &[u8]) {
    let Some((&[endpoint, high, low], body)) = data.split_first_chunk() else {
        return;
    };
    let endpoint = endpoint_of(endpoint);
    let whole = read(endpoint, body, false);
    if endpoint == Endpoint::Unknown {
        assert!(whole.is_ok());
        return;
    }
    match &whole {
        Ok(facts) => {
            assert!(!facts.truncated);
            assert!(is_json(body), "no JSON was accepted");
        }
        Err(FactsError::Malformed { at, .. }) => {
            assert!(*at <= body.len());
            assert!(!is_object(body), "JSON was refused at byte {at}");
        }
        Err(FactsError::TooDeep { .. }) => {}
    }
    let cut = usize::from(u16::from_be_bytes([high, low])) % body.len().saturating_add(1);
    let prefix = body.get(..cut).unwrap_or_default();
    match (&whole, read(endpoint, prefix, true)) {
        (Ok(whole), Ok(facts)) => no_more(endpoint, &facts, whole),
        (Ok(_), Err(error)) => panic!("a beginning of what was accepted was refused: {error}"),
        (Err(_), _) => {}
    }
}

fn read(endpoint: Endpoint, body: &[u8], cut: bool) -> Result<RequestFacts<'_>, FactsError> {
    let mut heard = Heard::default();
    let read = facts::read(endpoint, body, cut, &mut heard);
    if let Ok(facts) = &read {
        let bytes = usize::try_from(facts.text_bytes).unwrap_or(usize::MAX);
        assert_eq!(bytes, heard.raw_bytes);
        assert!(facts.samples >= 1);
        let reasoning = facts.reasoning;
        assert!(reasoning.effort <= Some(facts::Effort::Max));
    }
    read
}

/// The facts of a beginning are no more than those of the whole.
fn no_more(endpoint: Endpoint, facts: &RequestFacts<'_>, whole: &RequestFacts<'_>) {
    // Of several equal keys the last counts, and that one may stand behind the cut; what adds up does not.
    assert!(facts.tool_calls <= whole.tool_calls);
    assert!(facts.prompt_tokens <= whole.prompt_tokens);
    // Whether an item, a part or a document is to be read may stand behind the cut.
    let may_hide = matches!(
        endpoint,
        Endpoint::OpenAiResponses | Endpoint::GeminiGenerate | Endpoint::GeminiStream
    );
    assert!(may_hide || facts.text_bytes <= whole.text_bytes);
    assert!(may_hide || facts.attachments <= whole.attachments);
}

/// Whether another parser reads it too, apart from what is accepted on purpose: a byte order mark, bytes
/// that are not UTF-8 in strings, `NaN` and `Infinity`.
fn is_json(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body));
    text.contains("NaN")
        || text.contains("Infinity")
        || serde_json::from_str::<IgnoredAny>(&text).is_ok()
}

/// Whether it is an object to another parser.
fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(body).is_ok()
}
