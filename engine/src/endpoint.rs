//! Which provider endpoint a request asks for.
//!
//! The path decides whether a body is read at all, so paths are read as the most forgiving server
//! reads them: what such a server routes to an endpoint must not pass here as something else.
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// A provider endpoint whose bodies the engine can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `POST …/v1/chat/completions`.
    OpenAiChat,
    /// `POST …/v1/completions`.
    OpenAiCompletions,
    /// `POST …/v1/responses`.
    OpenAiResponses,
    /// `POST …/v1/embeddings`.
    OpenAiEmbeddings,
    /// `POST …/v1/messages`.
    AnthropicMessages,
    /// `POST …/v1/messages/count_tokens`.
    AnthropicCountTokens,
    /// `POST …/models/MODEL:generateContent`.
    GeminiGenerate,
    /// `POST …/models/MODEL:streamGenerateContent`.
    GeminiStream,
    /// Anything else.
    Unknown,
}

/// Whose API an endpoint belongs to: decides the format of errors and the names of rate limit headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// OpenAI, and everybody who speaks its API.
    OpenAi,
    /// Anthropic.
    Anthropic,
    /// Google's Gemini API.
    Gemini,
    /// None that is known.
    Unknown,
}

impl Endpoint {
    /// Every endpoint; [`Self::Unknown`] is the last.
    pub const ALL: [Self; 9] = [
        Self::OpenAiChat,
        Self::OpenAiCompletions,
        Self::OpenAiResponses,
        Self::OpenAiEmbeddings,
        Self::AnthropicMessages,
        Self::AnthropicCountTokens,
        Self::GeminiGenerate,
        Self::GeminiStream,
        Self::Unknown,
    ];

    /// The endpoint of a request line; query and a route prefix before `/v1/` do not matter.
    ///
    /// Neither do letter case, percent-encoding, empty and dot segments or a trailing slash.
    /// Linear in the path; allocates only where the path holds a `%`.
    pub fn of(method: &str, path: &str) -> Self {
        if !method.eq_ignore_ascii_case("POST") {
            return Self::Unknown;
        }
        let path = resolved(path);
        let mut segments = segments_from_the_end(&path);
        let (Some(last), Some(second), third) = (segments.next(), segments.next(), segments.next())
        else {
            return Self::Unknown;
        };
        let is = |segment: &[u8], name: &str| segment.eq_ignore_ascii_case(name.as_bytes());
        if is(second, "v1") {
            return OF_V1
                .iter()
                .find(|(name, _)| is(last, name))
                .map_or(Self::Unknown, |(_, endpoint)| *endpoint);
        }
        let is_below_v1 = third.is_some_and(|third| is(third, "v1"));
        if is_below_v1 && is(second, "chat") && is(last, "completions") {
            Self::OpenAiChat
        } else if is_below_v1 && is(second, "messages") && is(last, "count_tokens") {
            Self::AnthropicCountTokens
        } else {
            gemini_call(last, second).map_or(Self::Unknown, |(_, endpoint)| endpoint)
        }
    }

    /// The model that a path of Gemini names, `gemini-2.5-pro` style; `None` for every other path.
    ///
    /// Reads the path as [`Endpoint::of`] does. Bytes that are not UTF-8 become U+FFFD.
    pub fn model_in(path: &str) -> Option<String> {
        let path = resolved(path);
        let mut segments = segments_from_the_end(&path);
        let (last, second) = (segments.next()?, segments.next()?);
        let (model, _) = gemini_call(last, second)?;
        Some(String::from_utf8_lossy(model).into_owned())
    }

    /// Whose API it is.
    pub const fn provider(self) -> Provider {
        match self {
            Self::OpenAiChat
            | Self::OpenAiCompletions
            | Self::OpenAiResponses
            | Self::OpenAiEmbeddings => Provider::OpenAi,
            Self::AnthropicMessages | Self::AnthropicCountTokens => Provider::Anthropic,
            Self::GeminiGenerate | Self::GeminiStream => Provider::Gemini,
            Self::Unknown => Provider::Unknown,
        }
    }

    /// Stable name, `openai.chat` style.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai.chat",
            Self::OpenAiCompletions => "openai.completions",
            Self::OpenAiResponses => "openai.responses",
            Self::OpenAiEmbeddings => "openai.embeddings",
            Self::AnthropicMessages => "anthropic.messages",
            Self::AnthropicCountTokens => "anthropic.count_tokens",
            Self::GeminiGenerate => "gemini.generate",
            Self::GeminiStream => "gemini.stream",
            Self::Unknown => "unknown",
        }
    }
}

/// What stands right below `/v1/`.
const OF_V1: [(&str, Endpoint); 4] = [
    ("messages", Endpoint::AnthropicMessages),
    ("responses", Endpoint::OpenAiResponses),
    ("completions", Endpoint::OpenAiCompletions),
    ("embeddings", Endpoint::OpenAiEmbeddings),
];

/// Model and endpoint of the last two segments of a Gemini path, of whatever version and below whatever prefix.
fn gemini_call<'p>(last: &'p [u8], second: &[u8]) -> Option<(&'p [u8], Endpoint)> {
    // Tuned models are called by their own name, or on Vertex by that of their deployment.
    let holds_models = ["models", "tunedModels", "endpoints"]
        .iter()
        .any(|name| second.eq_ignore_ascii_case(name.as_bytes()));
    let colon = last.iter().rposition(|&byte| byte == b':')?;
    let (model, method) = last.split_at_checked(colon)?;
    let endpoint = if method.eq_ignore_ascii_case(b":generateContent") {
        Endpoint::GeminiGenerate
    } else if method.eq_ignore_ascii_case(b":streamGenerateContent") {
        Endpoint::GeminiStream
    } else {
        return None;
    };
    (holds_models && !model.is_empty()).then_some((model, endpoint))
}

/// `path` without query and fragment, percent-encoding resolved.
fn resolved(path: &str) -> Cow<'_, [u8]> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    percent_decoded(path.as_bytes())
}

/// The segments that remain once empty ones, `.` and `..` are resolved, last one first.
fn segments_from_the_end(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut climbs: usize = 0;
    path.rsplit(|&byte| byte == b'/')
        .filter(move |&segment| match segment {
            b"" | b"." => false,
            b".." => {
                climbs = climbs.saturating_add(1);
                false
            }
            _ if climbs > 0 => {
                climbs = climbs.saturating_sub(1);
                false
            }
            _ => true,
        })
}

/// `path` with `%XX` resolved once, `%2F` too: servers that route on the decoded path split there.
fn percent_decoded(path: &[u8]) -> Cow<'_, [u8]> {
    if !path.contains(&b'%') {
        return Cow::Borrowed(path);
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        decoded.push(byte);
        if byte == b'%' {
            if let Some((&[high, low], after)) = after.split_first_chunk() {
                if let (Some(high), Some(low)) = (hex_digit(high), hex_digit(low)) {
                    decoded.pop();
                    decoded.push(high << 4 | low);
                    rest = after;
                }
            }
        }
    }
    Cow::Owned(decoded)
}

/// The value, below 16, of an ASCII hex digit.
pub(crate) const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_endpoint_behind_any_route_prefix_and_query() {
        for (path, endpoint) in [
            ("/v1/chat/completions", Endpoint::OpenAiChat),
            (
                "/team-a/openai/v1/chat/completions?api-version=1",
                Endpoint::OpenAiChat,
            ),
            ("/v1/messages", Endpoint::AnthropicMessages),
            ("/v1/messages?beta=true", Endpoint::AnthropicMessages),
            ("/anthropic/v1/messages#x", Endpoint::AnthropicMessages),
            ("/v1/messages/count_tokens", Endpoint::AnthropicCountTokens),
            ("/v1/completions", Endpoint::OpenAiCompletions),
            ("/openai/v1/responses?x=1", Endpoint::OpenAiResponses),
            ("/v1/embeddings", Endpoint::OpenAiEmbeddings),
            (
                "/v1beta/models/gemini-2.5-pro:generateContent",
                Endpoint::GeminiGenerate,
            ),
            (
                "/v1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent?alt=sse",
                Endpoint::GeminiStream,
            ),
            (
                "/v1beta1/projects/p/locations/l/endpoints/123:generateContent",
                Endpoint::GeminiGenerate,
            ),
            (
                "/v1beta/tunedModels/mine:generateContent",
                Endpoint::GeminiGenerate,
            ),
        ] {
            assert_eq!(Endpoint::of("POST", path), endpoint, "{path}");
        }
    }

    #[test]
    fn a_path_cannot_be_disguised_from_us_that_a_forgiving_server_still_routes() {
        for path in [
            "/v1/chat/completions/",
            "//v1//chat/completions",
            "/v1/./chat/completions",
            "/v1/x/../chat/completions",
            "/v1/%63hat/completions",
            "/v1/chat%2Fcompletions",
            "/v1/x/%2e%2E/chat/completions",
            "/V1/Chat/Completions",
        ] {
            assert_eq!(Endpoint::of("POST", path), Endpoint::OpenAiChat, "{path}");
        }
        for path in [
            "/v1beta/models/m:streamGenerateContent/",
            "/v1beta/models/m%3AstreamGenerateContent",
            "/v1beta/models%2fm%3astreamgeneratecontent",
            "/V1BETA/MODELS/./m:STREAMGENERATECONTENT",
            "/v1beta/models/x/../m:streamGenerate%43ontent",
            "//v1beta//models//m:streamGenerateContent?alt=sse#x",
        ] {
            assert_eq!(Endpoint::of("POST", path), Endpoint::GeminiStream, "{path}");
            assert_eq!(Endpoint::model_in(path).as_deref(), Some("m"), "{path}");
        }
    }

    #[test]
    fn the_model_of_a_path_is_what_stands_before_its_method() {
        for (path, model) in [
            (
                "/v1beta/models/gemini-2.5-pro:generateContent",
                Some("gemini-2.5-pro"),
            ),
            ("/v1beta/models/a:b:generateContent", Some("a:b")),
            ("/v1beta/models/a%20%FF:generateContent", Some("a \u{fffd}")),
            ("/v1beta/models/:generateContent", None),
            ("/v1beta/models/m:countTokens", None),
            ("/v1beta/m:generateContent", None),
            ("/v1/chat/completions", None),
            ("/", None),
        ] {
            assert_eq!(Endpoint::model_in(path).as_deref(), model, "{path}");
        }
    }

    #[test]
    fn everything_else_is_unknown() {
        for (method, path) in [
            ("GET", "/v1/messages"),
            ("POST", ""),
            ("POST", "/"),
            ("POST", "/v1"),
            ("POST", "/messages"),
            ("POST", "/v2/messages"),
            ("POST", "/messages/count_tokens"),
            ("POST", "/v1/x/count_tokens"),
            ("POST", "/v1/responses/resp_1"),
            ("POST", "/v1/responses/resp_1/cancel"),
            ("POST", "/v2/embeddings"),
            ("POST", "/v1beta/models/m:embedContent"),
            ("POST", "/v1beta/models/m:generateContent/x"),
            ("POST", "/v1beta/models/:generateContent"),
            ("POST", "/v1beta/models/generateContent"),
            ("POST", "/v1beta/m:generateContent"),
            ("GET", "/v1beta/models/m:generateContent"),
            ("POST", "/v1/messages/batches"),
            ("POST", "/completions"),
            ("POST", "/chat/completions"),
            ("POST", "/v1/chat/completions/.."),
            ("POST", "/v1/chat/completions%"),
            ("POST", "/v1/chat/completions%4"),
            ("POST", "/v1/chat/completions%zz"),
            ("POST", "/x?/v1/messages"),
        ] {
            assert_eq!(
                Endpoint::of(method, path),
                Endpoint::Unknown,
                "{method} {path}"
            );
        }
    }
}
