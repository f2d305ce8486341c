//! What to do, by callback and visit, as JSON gives it.
use std::rc::Rc;

use serde_json::{Map, Value};

/// A script; shared by the contexts that follow it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script(Rc<Map<String, Value>>);

/// What one visit of a callback does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visit {
    /// Hostcalls in order.
    pub(crate) calls: Vec<Value>,
    /// What the callback returns instead of its default.
    pub(crate) answer: Option<u32>,
}

impl Script {
    /// Reads a script; the empty text is the empty script.
    ///
    /// # Errors
    /// What is wrong, when it is no JSON object.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_slice(text) {
            Ok(Value::Object(callbacks)) => Ok(Self(Rc::new(callbacks))),
            Ok(_) => Err("it is no object".into()),
            Err(error) => Err(error.to_string()),
        }
    }
    /// The visit of a callback with this number, counted from 0; the last one is repeated.
    pub(crate) fn visit(&self, callback: &str, number: usize) -> Visit {
        let visit = self
            .0
            .get(callback)
            .and_then(Value::as_array)
            .and_then(|visits| visits.get(number).or(visits.last()));
        let Some(visit) = visit else {
            return Visit::default();
        };
        let calls = visit.get("do").and_then(Value::as_array);
        Visit {
            calls: calls.cloned().unwrap_or_default(),
            answer: visit
                .get("return")
                .and_then(Value::as_u64)
                .map(|answer| answer as u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_visit_repeats_and_a_callback_without_one_does_nothing() {
        let script =
            Script::parse(br#"{"tick":[{"return":1},{"do":[{"done":[]}]}],"log":[]}"#).unwrap();

        assert_eq!(script.visit("tick", 0).answer, Some(1));
        assert_eq!(script.visit("tick", 1).calls.len(), 1);
        assert_eq!(script.visit("tick", 9).calls.len(), 1);
        assert!(script.visit("log", 0).calls.is_empty());
        assert!(script.visit("done", 0).calls.is_empty());
    }

    #[test]
    fn odd_scripts_are_refused_or_do_nothing() {
        assert!(Script::parse(b"").is_ok());
        assert!(Script::parse(b"[]").is_err());
        assert!(Script::parse(b"{\"tick\"").is_err());
        let odd = Script::parse(br#"{"tick":5,"log":[7],"done":[{"do":9,"return":"x"}]}"#).unwrap();
        for callback in ["tick", "log", "done"] {
            assert!(odd.visit(callback, 0).calls.is_empty());
            assert_eq!(odd.visit(callback, 0).answer, None);
        }
    }
}
