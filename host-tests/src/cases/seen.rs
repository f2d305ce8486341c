//! What one exchange of a case came to, and what of it must be the same on every host.
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Duration;

/// One exchange, from the outside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The decision; null where none was left.
    pub decision: Value,
    /// What the client got: status, 0 for no answer.
    pub status: u16,
    /// Headers, names in lower case, without pseudo headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// What the upstream got; `None` where it was not reached.
    pub upstream: Option<Asked>,
    /// How long the request was held.
    pub held: Duration,
}

/// What the upstream got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Headers, names in lower case, without pseudo headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// How closely two hosts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Everything: both have the same clock and the same key.
    Whole,
    /// Without what depends on the clock or on a random key: measured values, waiting times, hashed accounts.
    Verdict,
}

/// Headers that are the transport's and not the policy's.
const TRANSPORT: [&str; 8] = [
    "content-length",
    "transfer-encoding",
    "date",
    "server",
    "connection",
    "host",
    "x-connection",
    "x-envoy-upstream-service-time",
];

impl Seen {
    /// The first header of this name.
    pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let found = headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What `other`, of another host, has different; `None` where nothing is.
    pub fn difference(&self, other: &Self, detail: Detail) -> Option<String> {
        let (one, two) = (self.essence(detail), other.essence(detail));
        let (Value::Object(one), Value::Object(two)) = (&one, &two) else {
            return None;
        };
        let mut text = String::new();
        for (name, value) in one {
            let theirs = two.get(name).unwrap_or(&Value::Null);
            if value != theirs {
                // Writing to a string does not fail.
                let _ = write!(
                    text,
                    "{name} is {} there and {} here; ",
                    brief(theirs),
                    brief(value)
                );
            }
        }
        (!text.is_empty()).then(|| text.trim_end_matches("; ").to_owned())
    }

    fn essence(&self, detail: Detail) -> Value {
        let own = |headers: &[(String, String)]| -> Vec<String> {
            let mut lines: Vec<String> = headers
                .iter()
                .filter(|(name, _)| !TRANSPORT.contains(&name.as_str()))
                .map(|(name, value)| match detail {
                    Detail::Whole => format!("{name}: {value}"),
                    Detail::Verdict => name.clone(),
                })
                .collect();
            lines.sort();
            lines
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut decision = self.decision.clone();
        if let Some(members) = decision.as_object_mut() {
            members.shift_remove("time");
            if detail == Detail::Verdict {
                for name in ["decision_id", "account"] {
                    members.shift_remove(name);
                }
                let reasons = members.get_mut("reasons").and_then(Value::as_array_mut);
                for reason in reasons.into_iter().flatten() {
                    *reason = reason.get("code").cloned().unwrap_or_default();
                }
            }
        }
        let is_ours = Self::header(&self.headers, "x-weir-decision-id").is_some();
        let upstream = self
            .upstream
            .as_ref()
            .map(|asked| json!({"headers": own(&asked.headers), "body": text(&asked.body)}));
        // A refusal's text tells how long to wait, and which decision it was.
        let body = match detail {
            Detail::Verdict if is_ours => kind_of(&self.body),
            // Members have no order.
            _ => serde_json::from_slice(&self.body).unwrap_or_else(|_| text(&self.body).into()),
        };
        json!({
            "decision": decision,
            "status": self.status,
            "headers": own(&self.headers),
            "body": body,
            "upstream": upstream,
        })
    }
}

/// The kind of error that a refusal tells.
fn kind_of(body: &[u8]) -> Value {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = body.get("error").unwrap_or(&body);
    let of = |name: &str| error.get(name).cloned().unwrap_or_default();
    json!([of("type"), of("code"), of("status")])
}

/// A value as a message shows it: its beginning.
pub(super) fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(value: f64) -> Seen {
        Seen {
            decision: json!({"time": value, "action": "deny", "reasons": [{"code": "LISTED", "value": value}]}),
            status: 403,
            headers: vec![
                ("retry-after".into(), value.to_string()),
                ("date".into(), value.to_string()),
            ],
            ..Seen::default()
        }
    }

    #[test]
    fn clocks_may_differ_between_hosts_with_clocks_of_their_own() {
        assert_eq!(seen(1.0).difference(&seen(2.0), Detail::Verdict), None);

        let told = seen(1.0).difference(&seen(2.0), Detail::Whole).unwrap();
        assert!(told.contains("retry-after: 2"), "{told}");
    }

    #[test]
    fn another_verdict_or_an_upstream_that_was_reached_is_a_difference() {
        let mut other = seen(1.0);
        other.decision["action"] = json!("allow");
        assert!(seen(1.0).difference(&other, Detail::Verdict).is_some());

        let mut other = seen(1.0);
        other.upstream = Some(Asked::default());
        assert!(seen(1.0).difference(&other, Detail::Verdict).is_some());
    }
}
