//! What no scenario may ask for: what would hang or exhaust the machine, and what no peer of a proxy can send.
use super::{
    ExchangeSpec, MessageSpec, OnFailure, PluginSpec, Protocol, Scenario, Step, UpstreamSpec,
};

/// More threads than any machine that runs scenarios has processors for.
const MOST_WORKERS: u32 = 64;
/// Of one message; far above every buffer limit that a proxy is run with.
const MOST_BODY_BYTES: usize = 64 << 20;
/// An hour. `weir conformance` really waits.
const LONGEST_WAIT_MS: u64 = 3_600_000;

/// Callbacks that a script can name.
const CALLBACKS: &[&str] = &[
    "configure",
    "context_create",
    "delete",
    "done",
    "foreign_function",
    "grpc_close",
    "grpc_receive",
    "grpc_receive_initial_metadata",
    "grpc_receive_trailing_metadata",
    "http_call_response",
    "initialize",
    "log",
    "queue_ready",
    "request_body",
    "request_headers",
    "request_trailers",
    "response_body",
    "response_headers",
    "response_trailers",
    "tick",
    "vm_start",
];

/// A path and what is wrong there.
type Problem = (String, String);

fn problem(path: impl Into<String>, text: impl Into<String>) -> Result<(), Problem> {
    Err((path.into(), text.into()))
}

impl Scenario {
    /// The first thing that it may not ask for.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.name.is_empty() || self.name.len() > 200 || self.name.contains(char::is_control) {
            return problem(
                "name",
                "must be 1 to 200 characters, none of them a control character",
            );
        }
        if !(1..=MOST_WORKERS).contains(&self.proxy.workers) {
            return problem("proxy.workers", format!("must be 1 to {MOST_WORKERS}"));
        }
        if self.proxy.buffer_limit_bytes == 0 {
            return problem("proxy.buffer_limit_bytes", "must be at least 1");
        }
        plugins("proxy.plugins", &self.proxy.plugins)?;
        let mut serving: Vec<&str> = names(&self.proxy.plugins);
        for (index, step) in self.steps.iter().enumerate() {
            let path = format!("steps[{index}]");
            match step {
                Step::Exchange(each) => {
                    self.exchange(&format!("{path}.exchange"), each, &serving)?
                }
                Step::Together(all) => {
                    for (at, each) in all.iter().enumerate() {
                        self.exchange(&format!("{path}.together[{at}]"), each, &serving)?;
                    }
                }
                Step::WaitMs(ms) if *ms > LONGEST_WAIT_MS => {
                    let most = format!("must be at most {LONGEST_WAIT_MS} (an hour)");
                    return problem(format!("{path}.wait_ms"), most);
                }
                Step::WaitMs(_) => {}
                Step::Reconfigure(others) => {
                    plugins(&format!("{path}.reconfigure"), others)?;
                    serving = names(others);
                }
            }
        }
        Ok(())
    }
    fn exchange(&self, path: &str, each: &ExchangeSpec, serving: &[&str]) -> Result<(), Problem> {
        match &each.through {
            Some(name) if !serving.contains(&name.as_str()) => {
                return problem(
                    format!("{path}.through"),
                    format!("no plugin is named `{name}`"),
                );
            }
            None if serving.is_empty() => return problem(path, "the proxy has no plugin"),
            _ => {}
        }
        let request = format!("{path}.request");
        message(&request, &each.request, self.proxy.downstream)?;
        if let UpstreamSpec::Answers(answer) | UpstreamSpec::BreaksOff(answer) = &each.upstream {
            let upstream = format!("{path}.upstream");
            message(&upstream, answer, self.proxy.upstream)?;
            status(&upstream, answer)?;
        }
        Ok(())
    }
}

fn names(plugins: &[PluginSpec]) -> Vec<&str> {
    plugins.iter().map(|plugin| plugin.name.as_str()).collect()
}

fn plugins(path: &str, plugins: &[PluginSpec]) -> Result<(), Problem> {
    for (index, plugin) in plugins.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if names(plugins)
            .iter()
            .filter(|name| **name == plugin.name)
            .count()
            > 1
        {
            let twice = format!("two plugins are named `{}`", plugin.name);
            return problem(format!("{path}.name"), twice);
        }
        if let OnFailure::Reload { backoff_ms } = plugin.on_failure
            && !(1..=LONGEST_WAIT_MS).contains(&backoff_ms)
        {
            let range = format!("must be 1 to {LONGEST_WAIT_MS} milliseconds");
            return problem(format!("{path}.on_failure.reload.backoff_ms"), range);
        }
        callbacks(&format!("{path}.script"), plugin.script.0.keys())?;
    }
    Ok(())
}

fn callbacks<'a>(path: &str, names: impl Iterator<Item = &'a String>) -> Result<(), Problem> {
    for name in names {
        if !CALLBACKS.contains(&name.as_str()) {
            let known = CALLBACKS.join(", ");
            return problem(
                format!("{path}.{name}"),
                format!("no callback; there are {known}"),
            );
        }
    }
    Ok(())
}

fn message(path: &str, message: &MessageSpec, protocol: Protocol) -> Result<(), Problem> {
    callbacks(&format!("{path}.script"), message.script.0.keys())?;
    let mut bytes: usize = message.body.iter().map(String::len).sum();
    for more in &message.body_bytes {
        bytes = bytes.saturating_add(*more);
    }
    if bytes > MOST_BODY_BYTES {
        let most = format!("the body has {bytes} bytes; at most {MOST_BODY_BYTES} are sent");
        return problem(format!("{path}.body_bytes"), most);
    }
    for (list, pairs) in [
        ("headers", &message.headers),
        ("trailers", &message.trailers),
    ] {
        for (index, (name, value)) in pairs.iter().enumerate() {
            if let Some(wrong) = unsendable(name, value, protocol) {
                return problem(format!("{path}.{list}[{index}]"), wrong);
            }
        }
    }
    Ok(())
}

/// Why no peer can send this header; a plugin can still write it.
fn unsendable(name: &str, value: &str, protocol: Protocol) -> Option<&'static str> {
    let token =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let known = [":method", ":scheme", ":authority", ":path", ":status"].contains(&name);
    if !known && (name.is_empty() || !name.bytes().all(token)) {
        return Some("a header's name is lower-case letters, digits, `-`, `_` and `.`");
    }
    if value.contains(char::is_control) {
        return Some("a header's value has no control characters");
    }
    if name == "content-length" && value.parse::<u64>().is_err() {
        return Some("`content-length` is a number");
    }
    let of_http1 = ["connection", "transfer-encoding", "keep-alive", "upgrade"].contains(&name);
    (of_http1 && protocol == Protocol::Http2).then_some("HTTP/2 has no such header")
}

fn status(path: &str, answer: &MessageSpec) -> Result<(), Problem> {
    let Some((_, text)) = answer.headers.iter().find(|(name, _)| name == ":status") else {
        return Ok(());
    };
    match text.parse() {
        Ok(204 | 304) if !answer.ends_with_headers() => problem(
            format!("{path}.body"),
            format!("an answer with status {text} has no body"),
        ),
        Ok(200..=599) => Ok(()),
        _ => problem(format!("{path}.headers"), "`:status` must be 200 to 599"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_run_is_told_with_its_line() {
        for (steps, line, word) in [
            ("proxy: {workers: 0}", 2, "1 to 64"),
            ("proxy: {workers: 4000000000}", 2, "1 to 64"),
            ("proxy: {plugins: [{name: a}, {name: a}]}", 2, "two plugins"),
            (
                "proxy: {plugins: [{on_failure: {reload: {backoff_ms: 0}}}]}",
                2,
                "1 to",
            ),
            (
                "proxy: {plugins: []}\nsteps:\n- exchange: {}",
                4,
                "no plugin",
            ),
            ("steps:\n- wait_ms: 1000000000000000", 3, "an hour"),
            (
                "steps:\n- exchange: {through: b}",
                3,
                "no plugin is named `b`",
            ),
            (
                "steps:\n- exchange: {request: {body_bytes: [18446744073709551615, 1]}}",
                3,
                "at most",
            ),
            (
                "steps:\n- exchange: {request: {headers: [[x-a, \"b\\nc\"]]}}",
                3,
                "control",
            ),
            (
                "steps:\n- exchange: {request: {headers: [[X-Up, b]]}}",
                3,
                "lower-case",
            ),
            (
                "steps:\n- exchange: {request: {headers: [[connection, close]]}}",
                3,
                "HTTP/2",
            ),
            (
                "steps:\n- exchange: {request: {script: {request_headrs: []}}}",
                3,
                "no callback",
            ),
            (
                "steps:\n- exchange: {upstream: {answers: {headers: [[':status', abc]]}}}",
                3,
                "200 to 599",
            ),
            (
                "steps:\n- exchange: {upstream: {answers: {headers: [[':status', '204']], body: [x]}}}",
                3,
                "no body",
            ),
        ] {
            let error = Scenario::parse_all(&format!("name: a\n{steps}\n"))
                .unwrap_err()
                .to_string();

            assert!(
                error.starts_with(&format!("line {line}, ")),
                "{steps}: {error}"
            );
            assert!(error.contains(word), "{steps}: {error}");
        }
        assert!(Scenario::parse_all("name: \"a\\nb\"\n").is_err());
    }
}
