//! What both hosts leave out of messages, and how they order the rest, so that only what a plugin can cause
//! is compared.
use crate::scenario::{Observation, Protocol, Received, ReceivedEnd};

type Pairs = Vec<(String, String)>;

/// What a proxy or the runner adds to any message.
const ADDED: [&str; 2] = ["date", "x-connection"];
/// How HTTP/1.1 says where a message ends, which HTTP/2 says in its frames; and what it has no word for.
const OF_HTTP1: [&str; 3] = ["transfer-encoding", "connection", ":scheme"];

/// Headers as they are compared: pseudo headers first, then the others sorted by name (stable), in lower
/// case. Without [`ADDED`]; over HTTP/1.1 without [`OF_HTTP1`] and `content-length: 0`, which codecs add.
pub(super) fn headers(headers: Pairs, protocol: Protocol) -> Pairs {
    let left_out = |name: &str, value: &str| {
        let of_http1 = OF_HTTP1.contains(&name) || (name, value) == ("content-length", "0");
        ADDED.contains(&name) || (protocol == Protocol::Http1 && of_http1)
    };
    let mut kept: Pairs = lower_case(headers)
        .filter(|(name, value)| !left_out(name, value))
        .collect();
    kept.sort_by(|(a, _), (b, _)| {
        let rank = |name: &str| !name.starts_with(':');
        (rank(a), a).cmp(&(rank(b), b))
    });
    kept
}

/// Trailers as they are compared: in their order, in lower case.
pub(super) fn trailers(trailers: Pairs) -> Pairs {
    lower_case(trailers).collect()
}

fn lower_case(pairs: Pairs) -> impl Iterator<Item = (String, String)> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
}

/// The probe's number of its VM, and the rest; no number where the line is not the probe's.
pub(super) fn split_nonce(message: &str) -> (&str, &str) {
    match message.split_once('|') {
        Some((nonce, text))
            if nonce.len() == 8 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            (nonce, text)
        }
        _ => ("", message),
    }
}

/// Log lines (number of the VM, level, text) VM by VM, in the order of their first lines. Lines without a number
/// come last and sorted: nobody knows from which VM they are, and threads of Envoy race.
pub(super) fn by_vm<'a>(
    lines: impl Iterator<Item = (&'a str, &'static str, &'a str)>,
) -> Vec<Vec<String>> {
    let mut vms: Vec<(&str, Vec<String>)> = Vec::new();
    let mut others = Vec::new();
    for (vm, level, text) in lines {
        let line = format!("{level} {text}");
        match vms.iter_mut().find(|(own, _)| *own == vm) {
            _ if vm.is_empty() => others.push(line),
            Some((_, lines)) => lines.push(line),
            None => vms.push((vm, vec![line])),
        }
    }
    let mut vms: Vec<Vec<String>> = vms.into_iter().map(|(_, lines)| lines).collect();
    if !others.is_empty() {
        others.sort_unstable();
        vms.push(others);
    }
    vms
}
/// What can be compared of a random scenario, whose proxy others share and whose plugin does anything at any time: numbers
/// of callouts count from the stream's first; versions of shared data, which count for the whole process, are left
/// out; so is what a client got before a reset, which may or may not have left Envoy by then.
pub(super) fn of_stream(observation: &mut Observation) {
    for lines in &mut observation.vms {
        of_lines(lines);
    }
    for seen in &mut observation.exchanges {
        let downstream = &mut seen.downstream;
        if downstream.end == ReceivedEnd::Reset {
            *downstream = Received {
                end: ReceivedEnd::Reset,
                ..Received::default()
            };
        }
    }
}

fn of_lines(lines: &mut [String]) {
    let mut tokens: Vec<String> = Vec::new();
    for line in lines {
        let Some((who, text)) = line.split_once('|') else {
            continue;
        };
        if text.starts_with("get_shared_data ")
            && text.contains(" -> 0 ")
            && let Some((value, _version)) = text.rsplit_once(' ')
        {
            *line = format!("{who}|{value} *");
            continue;
        }
        let token = if let Some(arguments) = text.strip_prefix("> http_call_response ") {
            arguments.split(' ').next()
        } else if text.starts_with("http_call ") {
            text.rsplit_once(" -> 0 ").map(|(_, token)| token)
        } else {
            None
        };
        let Some(token) = token.map(str::to_owned) else {
            continue;
        };
        let known = tokens.iter().position(|known| *known == token);
        let number = known.unwrap_or_else(|| {
            tokens.push(token.clone());
            tokens.len() - 1
        });
        let split = match text.starts_with('>') {
            true => text.split_once(&token),
            false => text.rsplit_once(&token),
        };
        if let Some((before, after)) = split {
            *line = format!("{who}|{before}#{number}{after}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Pairs {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn headers_are_ordered_by_name_and_keep_the_order_of_their_values() {
        let sent = pairs(&[("X-B", "2"), ("x-a", "1"), (":status", "200"), ("x-b", "1")]);

        let kept = headers(sent, Protocol::Http2);

        let expected = [(":status", "200"), ("x-a", "1"), ("x-b", "2"), ("x-b", "1")];
        assert_eq!(kept, pairs(&expected));
    }

    #[test]
    fn tokens_of_a_stream_count_from_its_first() {
        let mut lines = [
            "info s8|http_call \"a\" [:path: /8] \"\" [] 5 -> 0 8",
            "info s8|> http_call_response 8 3 8 0",
            "info s8|http_call \"a\" [] \"\" [] 5 -> 0 12",
            "info s8|log 8 \"a\" -> 2",
        ]
        .map(str::to_owned);

        of_lines(&mut lines);

        let expected = [
            "info s8|http_call \"a\" [:path: /8] \"\" [] 5 -> 0 #0",
            "info s8|> http_call_response #0 3 8 0",
            "info s8|http_call \"a\" [] \"\" [] 5 -> 0 #1",
            "info s8|log 8 \"a\" -> 2",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_http1_says_about_ends_is_left_out_there_only() {
        let sent = pairs(&[
            ("transfer-encoding", "chunked"),
            ("content-length", "0"),
            ("date", "now"),
        ]);

        assert_eq!(headers(sent.clone(), Protocol::Http1), []);
        assert_eq!(headers(sent, Protocol::Http2).len(), 2);
    }
}
