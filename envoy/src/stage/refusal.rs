//! Why Envoy refused a plugin, out of its log.
use super::log::LogRecord;

/// Envoy's words about the plugin that it could not make, each once; None where it says nothing of the kind.
pub(super) fn of(log: &[LogRecord]) -> Option<String> {
    let refused = |record: &LogRecord| record.text.contains("Unable to create Wasm plugin");
    if !log.iter().any(refused) {
        return None;
    }
    let mut words: Vec<&str> = Vec::new();
    for record in log {
        let of_envoy = record.component == "wasm" && record.of_plugin().is_none();
        if of_envoy && matches!(record.level.as_str(), "error" | "critical") {
            let text = record.text.trim();
            if !words.contains(&text) {
                words.push(text);
            }
        }
    }
    Some(words.join("\n"))
}
