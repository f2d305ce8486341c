//! Reading Envoy's log files while it writes them.
use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

use crate::error::EnvoyError;

/// Lines of a log that an error repeats.
const TAIL_LINES: usize = 12;

/// Every complete line of a JSON-lines file, parsed; a line that Envoy has not finished is left for later, an
/// empty one is an exchange without a decision. A file that is not there yet has no lines.
pub(crate) fn json_lines(path: &Path) -> Result<Vec<Value>, EnvoyError> {
    let mut values = Vec::new();
    for (index, line) in complete_lines(path)?
        .split(|byte| *byte == b'\n')
        .enumerate()
    {
        if line.is_empty() {
            continue;
        }
        let value = serde_json::from_slice(line).map_err(|source| EnvoyError::LogLine {
            path: path.to_owned(),
            line: index.saturating_add(1),
            source,
        })?;
        values.push(value);
    }
    Ok(values)
}

/// How many lines [`json_lines`] would give, without parsing them.
pub(crate) fn count_lines(path: &Path) -> Result<usize, EnvoyError> {
    Ok(complete_lines(path)?
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .count())
}

fn complete_lines(path: &Path) -> Result<Vec<u8>, EnvoyError> {
    let mut bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(source) => {
            return Err(EnvoyError::File {
                path: path.to_owned(),
                source,
            });
        }
    };
    let end = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |last| last.saturating_add(1));
    bytes.truncate(end);
    Ok(bytes)
}

/// The text of a log from byte `from` on; anything unreadable is passed over, since this serves error messages.
pub(crate) fn text_from(path: &Path, from: usize) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(bytes.get(from..).unwrap_or_default()).into_owned()
}

/// Bytes in a log so far.
pub(crate) fn length(path: &Path) -> usize {
    fs::read(path).map_or(0, |bytes| bytes.len())
}

/// The last lines of what the process printed and logged.
pub(crate) fn tail(output: &Path, log: &Path) -> String {
    let both = text_from(output, 0) + &text_from(log, 0);
    let lines: Vec<&str> = both.lines().collect();
    let skipped = lines.len().saturating_sub(TAIL_LINES);
    lines.get(skipped..).unwrap_or_default().join("\n")
}

/// The plugin's own words and Envoy's about a refused configuration, without timestamps, each once: every VM that
/// tried says the same.
pub(crate) fn refusal(log: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for line in log.lines() {
        let said = line
            .split_once("wasm log ")
            .or_else(|| line.split_once("lds: "));
        if let Some((_, said)) = said
            && !words.contains(&said)
        {
            words.push(said);
        }
    }
    words.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_line_waits_and_an_empty_one_is_no_decision() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("decisions.jsonl");
        assert_eq!(count_lines(&path).unwrap(), 0);

        fs::write(&path, "{\"a\":1}\n\n{\"a\":2}\n{\"a\":").unwrap();

        assert_eq!(count_lines(&path).unwrap(), 2);
        assert_eq!(json_lines(&path).unwrap().len(), 2);
    }

    #[test]
    fn a_line_that_is_not_json_is_named_by_its_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("decisions.jsonl");
        fs::write(&path, "{}\noops\n").unwrap();

        assert!(
            json_lines(&path)
                .unwrap_err()
                .to_string()
                .starts_with("line 2 of")
        );
    }
}
