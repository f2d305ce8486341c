//! What guests logged, told apart by VM and stream.
use weir_envoy::stage::LogRecord;

use crate::conformance::normal::{self, split_nonce};

/// One line of a guest.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The probe's number of its VM; empty for other lines.
    vm: String,
    level: &'static str,
    text: String,
}

impl Line {
    pub(super) fn of(record: &LogRecord) -> Option<Self> {
        let message = record.of_plugin()?;
        let (nonce, text) = split_nonce(message);
        Some(Self {
            vm: nonce.to_owned(),
            level: level(&record.level),
            text: without_additions(text),
        })
    }
    /// `WHO` of the probe's lines.
    fn who(&self) -> Option<&str> {
        who(&self.text)
    }
    /// Whether the probe logged it in the name of the stream with this `x-id`.
    pub(super) fn is_of(&self, id: &str) -> bool {
        self.who().and_then(|who| who.strip_prefix('s')) == Some(id)
    }
    /// Whether the probe logged it in the name of any stream.
    pub(super) fn is_of_any_stream(&self) -> bool {
        self.who().is_some_and(|who| who.starts_with(['s', 'c']))
    }
    /// Whether a stream's context went with it.
    pub(super) fn is_deletion(&self) -> bool {
        self.text.ends_with("|> delete")
    }
}

/// What Envoy adds to messages that filters have seen shows in maps that are read in the log: the route's
/// `x-connection` and the date.
fn without_additions(text: &str) -> String {
    let mut text = text.to_owned();
    for added in [", x-connection: ", ", date: "] {
        if let Some((before, after)) = text.split_once(added) {
            // Neither holds what ends it in the probe's list: a comma with a space, but in a date once.
            let value = after.split_once(" GMT").map_or(after, |(_, rest)| rest);
            let rest = value.trim_start_matches(|digit: char| digit.is_ascii_digit());
            text = format!("{before}{rest}");
        }
    }
    text
}

/// `WHO` of `WHO|TEXT`, where that is the probe's: `r1`, `c2`, `s...`.
pub(super) fn who(text: &str) -> Option<&str> {
    let (who, _) = text.split_once('|')?;
    who.starts_with(['r', 'c', 's']).then_some(who)
}

/// Envoy's name of a level as our host names it.
fn level(name: &str) -> &'static str {
    use crate::log::LogLevel;
    match name {
        "trace" => LogLevel::Trace,
        "debug" => LogLevel::Debug,
        "warning" => LogLevel::Warn,
        "error" => LogLevel::Error,
        "critical" => LogLevel::Critical,
        _ => LogLevel::Info,
    }
    .name()
}

/// The lines of guests among what Envoy logged.
pub(super) fn of(log: &[LogRecord]) -> Vec<Line> {
    log.iter().filter_map(Line::of).collect()
}

/// VM by VM in the order of their first lines.
pub(super) fn by_vm(lines: &[Line]) -> Vec<Vec<String>> {
    normal::by_vm(
        lines
            .iter()
            .map(|line| (&*line.vm, line.level, &*line.text)),
    )
}
