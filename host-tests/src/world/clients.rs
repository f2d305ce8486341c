//! Client libraries and what they put into a request's head. Data only.

/// A client library.
#[derive(Debug)]
pub(super) struct Client {
    /// `user-agent`, with `{}` for the version.
    pub(super) agent: &'static str,
    /// Versions in use, oldest first.
    pub(super) versions: &'static [&'static str],
    /// Headers of its own, in order; names only matter where the value is empty.
    pub(super) headers: &'static [(&'static str, &'static str)],
}

/// Headers that an application adds.
pub(super) const EXTRA_HEADERS: &[(&str, &str)] = &[
    ("x-title", "app"),
    ("http-referer", "https://app.example"),
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    ("x-client-name", "backend"),
    ("cache-control", "no-cache"),
    ("accept-language", "*"),
];

/// Marks the place of `user-agent` among the headers.
pub(super) const AGENT: &str = "user-agent";

/// Clients of the chat completions API, the commonest first.
pub(super) const OPENAI_CLIENTS: [Client; 9] = [
    Client {
        agent: "OpenAI/Python {}",
        versions: &[
            "1.54.4", "1.58.1", "1.61.0", "1.63.2", "1.66.3", "1.68.2", "1.70.0", "1.75.0",
        ],
        headers: &[
            ("accept", "application/json"),
            ("content-type", "application/json"),
            (AGENT, ""),
            ("x-stainless-lang", "python"),
            ("x-stainless-async", "false"),
            ("x-stainless-retry-count", "0"),
            ("accept-encoding", "gzip, deflate"),
        ],
    },
    Client {
        agent: "OpenAI/JS {}",
        versions: &[
            "4.71.0", "4.77.0", "4.80.1", "4.85.4", "4.87.3", "4.90.0", "4.93.0", "4.95.1",
        ],
        headers: &[
            ("accept", "application/json"),
            ("content-type", "application/json"),
            (AGENT, ""),
            ("x-stainless-retry-count", "0"),
            ("x-stainless-timeout", "600"),
            ("x-stainless-lang", "js"),
            ("x-stainless-runtime", "node"),
        ],
    },
    Client {
        agent: "AsyncOpenAI/Python {}",
        versions: &[
            "1.54.4", "1.58.1", "1.61.0", "1.63.2", "1.66.3", "1.68.2", "1.70.0", "1.75.0",
        ],
        headers: &[
            ("accept", "application/json"),
            ("content-type", "application/json"),
            (AGENT, ""),
            ("x-stainless-lang", "python"),
            ("x-stainless-async", "async:asyncio"),
            ("x-stainless-retry-count", "0"),
            ("accept-encoding", "gzip, deflate"),
        ],
    },
    Client {
        agent: "python-requests/{}",
        versions: &["2.28.2", "2.31.0", "2.32.2", "2.32.3"],
        headers: &[
            (AGENT, ""),
            ("accept-encoding", "gzip, deflate"),
            ("accept", "*/*"),
            ("content-type", "application/json"),
        ],
    },
    Client {
        agent: "python-httpx/{}",
        versions: &["0.25.2", "0.27.0", "0.27.2", "0.28.1"],
        headers: &[
            ("accept", "*/*"),
            ("accept-encoding", "gzip, deflate"),
            (AGENT, ""),
            ("content-type", "application/json"),
        ],
    },
    Client {
        agent: "node-fetch/{}",
        versions: &["2.6.12", "2.7.0", "3.3.1", "3.3.2"],
        headers: &[
            ("content-type", "application/json"),
            ("accept", "*/*"),
            (AGENT, ""),
            ("accept-encoding", "gzip,deflate"),
        ],
    },
    Client {
        agent: "okhttp/{}",
        versions: &["4.9.3", "4.11.0", "4.12.0", "5.0.0"],
        headers: &[
            ("content-type", "application/json; charset=utf-8"),
            ("accept-encoding", "gzip"),
            (AGENT, ""),
        ],
    },
    Client {
        agent: "Go-http-client/{}",
        versions: &["1.1", "2.0"],
        headers: &[
            (AGENT, ""),
            ("content-type", "application/json"),
            ("accept-encoding", "gzip"),
        ],
    },
    Client {
        agent: "curl/{}",
        versions: &["7.88.1", "8.5.0", "8.7.1", "8.9.1", "8.11.0"],
        headers: &[
            (AGENT, ""),
            ("accept", "*/*"),
            ("content-type", "application/json"),
        ],
    },
];

/// Clients of the messages API, the commonest first.
pub(super) const ANTHROPIC_CLIENTS: [Client; 7] = [
    Client {
        agent: "Anthropic/Python {}",
        versions: &[
            "0.39.0", "0.42.0", "0.45.2", "0.46.0", "0.49.0", "0.50.0", "0.51.0", "0.52.0",
        ],
        headers: &[
            ("accept", "application/json"),
            ("content-type", "application/json"),
            (AGENT, ""),
            ("anthropic-version", "2023-06-01"),
            ("x-stainless-lang", "python"),
            ("x-stainless-async", "false"),
            ("x-stainless-retry-count", "0"),
        ],
    },
    Client {
        agent: "Anthropic/JS {}",
        versions: &[
            "0.32.1", "0.33.1", "0.36.3", "0.37.0", "0.39.0", "0.40.1", "0.41.0", "0.42.0",
        ],
        headers: &[
            ("accept", "application/json"),
            ("content-type", "application/json"),
            (AGENT, ""),
            ("x-stainless-retry-count", "0"),
            ("x-stainless-lang", "js"),
            ("x-stainless-runtime", "node"),
            ("anthropic-version", "2023-06-01"),
        ],
    },
    Client {
        agent: "AsyncAnthropic/Python {}",
        versions: &[
            "0.39.0", "0.42.0", "0.45.2", "0.46.0", "0.49.0", "0.50.0", "0.51.0", "0.52.0",
        ],
        headers: &[
            ("accept", "application/json"),
            ("content-type", "application/json"),
            (AGENT, ""),
            ("anthropic-version", "2023-06-01"),
            ("x-stainless-lang", "python"),
            ("x-stainless-async", "async:asyncio"),
            ("x-stainless-retry-count", "0"),
        ],
    },
    Client {
        agent: "python-requests/{}",
        versions: &["2.28.2", "2.31.0", "2.32.2", "2.32.3"],
        headers: &[
            (AGENT, ""),
            ("accept-encoding", "gzip, deflate"),
            ("accept", "*/*"),
            ("anthropic-version", "2023-06-01"),
            ("content-type", "application/json"),
        ],
    },
    Client {
        agent: "python-httpx/{}",
        versions: &["0.25.2", "0.27.0", "0.27.2", "0.28.1"],
        headers: &[
            ("accept", "*/*"),
            (AGENT, ""),
            ("anthropic-version", "2023-06-01"),
            ("anthropic-beta", "prompt-caching-2024-07-31"),
            ("content-type", "application/json"),
        ],
    },
    Client {
        agent: "node-fetch/{}",
        versions: &["2.6.12", "2.7.0", "3.3.1", "3.3.2"],
        headers: &[
            ("content-type", "application/json"),
            ("anthropic-version", "2023-06-01"),
            ("accept", "*/*"),
            (AGENT, ""),
        ],
    },
    Client {
        agent: "curl/{}",
        versions: &["7.88.1", "8.5.0", "8.7.1", "8.9.1", "8.11.0"],
        headers: &[
            (AGENT, ""),
            ("accept", "*/*"),
            ("anthropic-version", "2023-06-01"),
            ("content-type", "application/json"),
        ],
    },
];
