//! What must be seen of a scenario in the end.
use serde::{Deserialize, Serialize};

use super::{Observation, Received, ReceivedEnd, Seen};

/// What must be seen, by one text in one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expectation {
    /// The plugin is refused; nothing else is seen then.
    Refused {},
    /// A guest trapped or hung, and the reason contains this. Without it, that none did is expected.
    Failure(String),
    /// A line of the plugin's log contains this.
    Log(String),
    /// No line of the plugin's log contains this.
    NoLog(String),
    /// The status that the client got, of the exchange with this index.
    Status {
        /// Index among all exchanges, from 0.
        exchange: usize,
        /// Status code.
        is: u16,
    },
    /// The body that the client got contains this.
    Body {
        /// Index among all exchanges, from 0.
        exchange: usize,
        /// Text.
        contains: String,
    },
    /// A header that the client got has this value.
    Header {
        /// Index among all exchanges, from 0.
        exchange: usize,
        /// Lower-case name.
        name: String,
        /// First value.
        is: String,
    },
    /// A header that the upstream got has this value.
    UpstreamHeader {
        /// Index among all exchanges, from 0.
        exchange: usize,
        /// Lower-case name.
        name: String,
        /// First value.
        is: String,
    },
    /// The body that the upstream got contains this.
    UpstreamBody {
        /// Index among all exchanges, from 0.
        exchange: usize,
        /// Text.
        contains: String,
    },
    /// How the client's side ended.
    Ends {
        /// Index among all exchanges, from 0.
        exchange: usize,
        /// How.
        is: ReceivedEnd,
    },
    /// A stat's value.
    Stat {
        /// Full name, such as `wasmcustom.requests`.
        name: String,
        /// Value of the counter or gauge.
        is: u64,
    },
}

impl Expectation {
    /// What is seen instead; `None` where the expectation holds.
    pub fn unmet(&self, observation: &Observation) -> Option<String> {
        let lines = || observation.vms.iter().flatten();
        let seen = |index: usize| observation.exchanges.get(index);
        match self {
            Self::Refused {} => match observation.refused {
                Some(_) => None,
                None => Some("the plugin is not refused".to_owned()),
            },
            // Envoy's observations have no reasons.
            Self::Failure(text) => {
                let told = observation
                    .failures
                    .iter()
                    .any(|reason| reason.contains(text));
                (!told).then(|| format!("no guest failed because of `{text}`"))
            }
            Self::Log(text) => (!lines().any(|line| line.contains(text)))
                .then(|| format!("no line of the log contains `{text}`")),
            Self::NoLog(text) => lines()
                .find(|line| line.contains(text))
                .map(|line| format!("the log says `{line}`")),
            Self::Status { exchange, is } => unequal("status", seen(*exchange), is, |seen| {
                header(&seen.downstream, ":status")?.parse().ok()
            }),
            Self::Body { exchange, contains } => lacking(
                "body",
                seen(*exchange).map(|seen| &seen.downstream),
                contains,
            ),
            Self::UpstreamBody { exchange, contains } => {
                let upstream = seen(*exchange).and_then(|seen| seen.upstream.as_ref());
                lacking("body of the upstream", upstream, contains)
            }
            Self::Header { exchange, name, is } => {
                unequal(&format!("header `{name}`"), seen(*exchange), is, |seen| {
                    header(&seen.downstream, name).map(str::to_owned)
                })
            }
            Self::UpstreamHeader { exchange, name, is } => {
                let what = format!("header `{name}` of the upstream");
                unequal(&what, seen(*exchange), is, |seen| {
                    header(seen.upstream.as_ref()?, name).map(str::to_owned)
                })
            }
            Self::Ends { exchange, is } => {
                unequal("end", seen(*exchange), is, |seen| Some(seen.downstream.end))
            }
            Self::Stat { name, is } => match observation.stats.get(name) {
                Some(value) if value == is => None,
                Some(value) => Some(format!("stat `{name}` is {value}, not {is}")),
                None => Some(format!("there is no stat `{name}`")),
            },
        }
    }
}

fn header<'a>(message: &'a Received, name: &str) -> Option<&'a str> {
    let pair = message.headers.iter().find(|(own, _)| own == name)?;
    Some(&pair.1)
}

fn unequal<T: PartialEq + std::fmt::Debug>(
    what: &str,
    seen: Option<&Seen>,
    wanted: &T,
    read: impl FnOnce(&Seen) -> Option<T>,
) -> Option<String> {
    let Some(seen) = seen else {
        return Some("there is no such exchange".to_owned());
    };
    match read(seen) {
        Some(found) if found == *wanted => None,
        Some(found) => Some(format!("the {what} is {found:?}, not {wanted:?}")),
        None => Some(format!("there is no {what}, but {wanted:?} is expected")),
    }
}

fn lacking(what: &str, message: Option<&Received>, wanted: &str) -> Option<String> {
    match message {
        None => Some(format!("there is no {what}")),
        Some(message) if message.body.contains(wanted) => None,
        Some(message) => Some(format!("the {what} is {:?}", message.body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed() -> Observation {
        let message = |text: &str| Received {
            headers: vec![
                (":status".into(), "200".into()),
                ("x-a".into(), text.into()),
            ],
            body: text.into(),
            ..Received::default()
        };
        Observation {
            vms: vec![vec!["info hello".into()]],
            failures: vec!["wasm `unreachable` executed".into()],
            exchanges: vec![Seen {
                downstream: message("down"),
                upstream: Some(message("up")),
                ..Seen::default()
            }],
            stats: [("wasm.x".to_owned(), 3)].into(),
            ..Observation::default()
        }
    }

    #[test]
    fn every_expectation_holds_or_says_what_is_there_instead() {
        let (exchange, name) = (0, "x-a".to_owned());
        let refused = Observation {
            refused: Some("why".into()),
            ..Observation::default()
        };
        assert_eq!(Expectation::Refused {}.unmet(&refused), None);
        assert!(Expectation::Refused {}.unmet(&observed()).is_some());
        for (met, unmet) in [
            (
                Expectation::Failure("unreachable".into()),
                Expectation::Failure("hang".into()),
            ),
            (
                Expectation::Log("hello".into()),
                Expectation::Log("bye".into()),
            ),
            (
                Expectation::NoLog("bye".into()),
                Expectation::NoLog("hello".into()),
            ),
            (
                Expectation::Status { exchange, is: 200 },
                Expectation::Status {
                    exchange: 1,
                    is: 200,
                },
            ),
            (
                Expectation::Body {
                    exchange,
                    contains: "down".into(),
                },
                Expectation::Body {
                    exchange,
                    contains: "up".into(),
                },
            ),
            (
                Expectation::UpstreamBody {
                    exchange,
                    contains: "up".into(),
                },
                Expectation::UpstreamBody {
                    exchange,
                    contains: "down".into(),
                },
            ),
            (
                Expectation::Header {
                    exchange,
                    name: name.clone(),
                    is: "down".into(),
                },
                Expectation::Header {
                    exchange,
                    name: "x-b".into(),
                    is: "down".into(),
                },
            ),
            (
                Expectation::UpstreamHeader {
                    exchange,
                    name: name.clone(),
                    is: "up".into(),
                },
                Expectation::UpstreamHeader {
                    exchange,
                    name,
                    is: "down".into(),
                },
            ),
            (
                Expectation::Ends {
                    exchange,
                    is: ReceivedEnd::Stranded,
                },
                Expectation::Ends {
                    exchange,
                    is: ReceivedEnd::Reset,
                },
            ),
            (
                Expectation::Stat {
                    name: "wasm.x".into(),
                    is: 3,
                },
                Expectation::Stat {
                    name: "wasm.x".into(),
                    is: 4,
                },
            ),
        ] {
            assert_eq!(met.unmet(&observed()), None);
            assert!(unmet.unmet(&observed()).is_some(), "{unmet:?}");
        }
    }
}
