//! What a case expects of an exchange, and what of it is not met.
use super::condition::{Condition, conditions, differs, unmet_body, unmet_part};
use super::document::{ExpectDocument, UpstreamDocument};
use super::message::Wrong;
use super::seen::{Seen, brief};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use weir_engine::time::{format_duration, parse_duration};
use weir_envoy::Stats;

/// How much longer than its delay a request may be held: delayed requests go on with the plugin's ticks.
const TICKS: Duration = Duration::from_secs(1);

/// What must be seen.
#[derive(Clone, Debug)]
pub struct Expectation {
    document: ExpectDocument,
    headers: Vec<(String, Condition)>,
    upstream: Vec<(String, Condition)>,
    delayed: Option<Duration>,
    metrics: Vec<Metric>,
}

/// A sum of counters.
#[derive(Clone, Debug)]
struct Metric {
    key: String,
    name: String,
    labels: Vec<(String, String)>,
    value: u64,
}

impl Expectation {
    /// Reads what is written.
    pub(super) fn new(document: ExpectDocument) -> Result<Self, Wrong> {
        let is_empty = document.is_empty();
        if is_empty {
            let problem = "it expects nothing, so it can never fail".to_owned();
            return Err((String::new(), problem));
        }
        for (name, given, known) in [
            ("action", &document.action, ACTIONS),
            ("would_action", &document.would_action, ACTIONS),
            ("basis", &document.basis, BASES),
            ("state", &document.state, STATES),
            ("mode", &document.mode, MODES),
            ("arm", &document.arm, ARMS),
        ] {
            if let Some(word) = given
                .as_ref()
                .filter(|word| !known.contains(&word.as_str()))
            {
                let problem = format!("`{word}` is none of {}", known.join(", "));
                return Err((name.to_owned(), problem));
            }
        }
        let delayed = match &document.delayed {
            None => None,
            Some(text) => Some(parse_duration(text).ok_or_else(|| {
                let problem = format!("`{text}` is no duration; write 2s");
                ("delayed".to_owned(), problem)
            })?),
        };
        let headers = conditions("headers", document.headers.as_ref())?;
        let upstream = match &document.upstream {
            Some(UpstreamDocument::Reached { headers, .. }) => {
                conditions("upstream.headers", Some(headers))?
            }
            _ => Vec::new(),
        };
        let metrics = document.metrics.iter().flatten();
        let metrics = metrics.map(|(key, value)| Metric::read(key, *value));
        let metrics = metrics.collect::<Result<_, _>>()?;
        Ok(Self {
            document,
            headers,
            upstream,
            delayed,
            metrics,
        })
    }

    /// Whether it looks at more than counters.
    pub(super) fn looks_at_exchanges(&self) -> bool {
        let without = ExpectDocument {
            metrics: None,
            ..self.document.clone()
        };
        !without.is_empty()
    }

    /// Whether it looks at counters.
    pub fn looks_at_metrics(&self) -> bool {
        !self.metrics.is_empty()
    }

    /// What of it an exchange does not meet, each as a sentence.
    pub fn unmet(&self, seen: &Seen) -> Vec<String> {
        let mut unmet = Vec::new();
        let it = &self.document;
        let decision = |name: &str| seen.decision.get(name).cloned().unwrap_or_default();
        let text = |given: &Option<String>| given.clone().map(Value::from);
        for (name, expected) in [
            ("action", text(&it.action)),
            ("would_action", text(&it.would_action)),
            ("basis", text(&it.basis)),
            ("rule", it.rule.clone()),
            ("tier", it.tier.clone()),
            ("state", text(&it.state)),
            ("mode", text(&it.mode)),
            ("arm", text(&it.arm)),
            ("account", it.account.clone()),
            ("organization", it.organization.clone()),
            ("endpoint", text(&it.endpoint)),
            ("model", it.model.clone()),
            ("tokens", it.tokens.clone()),
        ] {
            let is = decision(name);
            if let Some(expected) = expected.filter(|expected| *expected != is) {
                unmet.push(differs(name, &expected, &is));
            }
        }
        if let Some(expected) = &it.other {
            let is = seen.decision.get("other");
            match expected {
                Value::Null => unmet.extend(is.map(|is| differs("other", expected, is))),
                expected => unmet_part("other", expected, is, &mut unmet),
            }
        }
        if let Some(expected) = &it.capabilities {
            let is = strings(&decision("capabilities"), |each| each.as_str());
            let (mut sorted, mut expected) = (is.clone(), expected.clone());
            sorted.sort_unstable();
            expected.sort_unstable();
            if sorted != expected {
                unmet.push(format!(
                    "capabilities are [{}], expected [{}]",
                    is.join(", "),
                    expected.join(", ")
                ));
            }
        }
        let codes = strings(&decision("reasons"), |each| each.get("code")?.as_str());
        for code in it.reasons.iter().flatten() {
            if !codes.contains(code) {
                unmet.push(format!(
                    "reasons are [{}], expected {code} among them",
                    codes.join(", ")
                ));
            }
        }
        if let Some(expected) = it.status.filter(|expected| *expected != seen.status) {
            unmet.push(differs("status", &expected.into(), &seen.status.into()));
        }
        let failing = self.headers.iter().filter_map(|(name, condition)| {
            condition.unmet("header", name, Seen::header(&seen.headers, name))
        });
        unmet.extend(failing);
        if let Some(expected) = &it.body {
            unmet_body("body", expected, &seen.body, &mut unmet);
        }
        let body = String::from_utf8_lossy(&seen.body);
        let texts = it.text.iter();
        for piece in texts.clone().flat_map(|texts| &texts.contains) {
            if !body.contains(piece.as_str()) {
                let is = brief(&Value::from(&*body));
                unmet.push(format!("the body does not contain `{piece}`: {is}"));
            }
        }
        for piece in texts.flat_map(|texts| &texts.lacks) {
            if body.contains(piece.as_str()) {
                unmet.push(format!("the body contains `{piece}`"));
            }
        }
        self.unmet_upstream(seen, &mut unmet);
        let on_time = |delay: Duration| (delay..delay.saturating_add(TICKS)).contains(&seen.held);
        if let Some(delay) = self.delayed.filter(|delay| !on_time(*delay)) {
            let (held, delay) = (format_duration(seen.held), format_duration(delay));
            unmet.push(format!("the request was held for {held}, expected {delay}"));
        }
        unmet
    }

    fn unmet_upstream(&self, seen: &Seen, unmet: &mut Vec<String>) {
        match (&self.document.upstream, &seen.upstream) {
            (None, _) | (Some(UpstreamDocument::NotReached), None) => {}
            (Some(UpstreamDocument::NotReached), Some(_)) => {
                unmet.push("the upstream was reached".to_owned());
            }
            (Some(UpstreamDocument::Reached { .. }), None) => {
                unmet.push("the upstream was not reached".to_owned());
            }
            (Some(UpstreamDocument::Reached { body, .. }), Some(asked)) => {
                let failing = self.upstream.iter().filter_map(|(name, condition)| {
                    condition.unmet("upstream header", name, Seen::header(&asked.headers, name))
                });
                unmet.extend(failing);
                if let Some(expected) = body {
                    unmet_body("upstream body", expected, &asked.body, unmet);
                }
            }
        }
    }

    /// What of it counters do not meet. `tells` says whether the host counts a metric at all.
    pub fn unmet_metrics(&self, stats: &Stats, tells: impl Fn(&str) -> bool) -> Vec<String> {
        let counted = self.metrics.iter().filter(|metric| tells(&metric.name));
        counted
            .filter_map(|metric| {
                let labels: Vec<(&str, &str)> = metric
                    .labels
                    .iter()
                    .map(|(label, value)| (label.as_str(), value.as_str()))
                    .collect();
                let is = stats.sum(&metric.name, &labels);
                let expected = metric.value;
                let text = || format!("metric {} is {is}, expected {expected}", metric.key);
                (is != expected).then(text)
            })
            .collect()
    }
}

const ACTIONS: &[&str] = &["allow", "shape", "delay", "verify", "throttle", "deny"];
const BASES: &[&str] = &["none", "capability", "budget", "list", "detection"];
const STATES: &[&str] = &["observe", "watch", "step_up", "restrict", "block"];
const MODES: &[&str] = &["shadow", "canary", "enforce"];
const ARMS: &[&str] = &["current", "candidate"];

fn strings<'v>(list: &'v Value, of: impl Fn(&'v Value) -> Option<&'v str>) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(of).map(str::to_owned).collect()
}

impl ExpectDocument {
    fn is_empty(&self) -> bool {
        let Self {
            action,
            would_action,
            basis,
            rule,
            tier,
            state,
            mode,
            arm,
            other,
            account,
            organization,
            endpoint,
            model,
            capabilities,
            reasons,
            tokens,
            status,
            headers,
            body,
            text,
            upstream,
            delayed,
            metrics,
        } = self;
        let words = [
            action,
            would_action,
            basis,
            state,
            mode,
            arm,
            endpoint,
            delayed,
        ];
        let values = [
            rule,
            tier,
            other,
            account,
            organization,
            model,
            tokens,
            body,
        ];
        words.iter().all(|word| word.is_none())
            && values.iter().all(|value| value.is_none())
            && capabilities.is_none()
            && reasons.as_ref().is_none_or(Vec::is_empty)
            && status.is_none()
            && headers.as_ref().is_none_or(Map::is_empty)
            && text
                .as_ref()
                .is_none_or(|texts| texts.contains.is_empty() && texts.lacks.is_empty())
            && upstream.is_none()
            && metrics.as_ref().is_none_or(BTreeMap::is_empty)
    }
}

impl Metric {
    /// `weir_exchanges{action=deny,tier=basic}`.
    fn read(key: &str, value: u64) -> Result<Self, Wrong> {
        let wrong = || {
            let problem = format!("`{key}` is no metric; write weir_exchanges{{action=deny}}");
            ("metrics".to_owned(), problem)
        };
        let (name, labels) = match key.split_once('{') {
            None => (key, ""),
            Some((name, rest)) => (name, rest.strip_suffix('}').ok_or_else(wrong)?),
        };
        if !name.starts_with("weir_") {
            return Err(wrong());
        }
        let labels = labels.split(',').filter(|label| !label.is_empty());
        let labels = labels.map(|label| {
            let (label, value) = label.split_once('=').ok_or_else(wrong)?;
            let value = value.trim().trim_matches('"');
            Ok((label.trim().to_owned(), value.to_owned()))
        });
        Ok(Self {
            key: key.to_owned(),
            name: name.to_owned(),
            labels: labels.collect::<Result<_, Wrong>>()?,
            value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::seen::Asked;
    use serde_json::json;

    fn expectation(value: Value) -> Expectation {
        Expectation::new(serde_json::from_value(value).unwrap()).unwrap()
    }

    fn seen() -> Seen {
        Seen {
            decision: json!({"action": "throttle", "rule": "budgets.b", "tier": null, "capabilities": ["b", "a"],
                "reasons": [{"code": "BUDGET_USED", "value": 3.0, "weight": 0.0}]}),
            status: 429,
            headers: vec![("retry-after".into(), "60".into())],
            body: br#"{"error": {"type": "t", "list": [{"x": 1, "y": 2}]}}"#.to_vec(),
            upstream: None,
            held: Duration::from_millis(2050),
        }
    }

    #[test]
    fn everything_that_is_met_is_silent() {
        let expectation = expectation(json!({
            "action": "throttle", "rule": "budgets.b", "tier": null, "capabilities": ["a", "b"], "reasons": ["BUDGET_USED"],
            "status": 429, "headers": {"Retry-After": {"atLeast": 59, "atMost": 60}, "x-other": "absent"},
            "body": {"error": {"type": "t", "code": "absent"}, "/error/list/0/y": 2},
            "text": {"contains": ["list"], "lacks": ["prompt"]}, "upstream": "not_reached", "delayed": "2s",
        }));

        assert_eq!(expectation.unmet(&seen()), Vec::<String>::new());
    }

    #[test]
    fn each_thing_that_is_not_met_is_told_with_what_was_seen() {
        for (expected, told) in [
            (
                json!({"action": "deny"}),
                "action is throttle, expected deny",
            ),
            (json!({"rule": null}), "rule is budgets.b, expected null"),
            (json!({"tier": "basic"}), "tier is null, expected basic"),
            (
                json!({"capabilities": ["a"]}),
                "capabilities are [b, a], expected [a]",
            ),
            (
                json!({"reasons": ["LISTED"]}),
                "reasons are [BUDGET_USED], expected LISTED among them",
            ),
            (json!({"status": 200}), "status is 429, expected 200"),
            (
                json!({"headers": {"retry-after": "absent"}}),
                "header retry-after is `60`, expected none",
            ),
            (
                json!({"headers": {"x": "present"}}),
                "header x is absent, expected one",
            ),
            (
                json!({"headers": {"retry-after": {"atMost": 59}}}),
                "header retry-after is `60`, expected from -inf to 59",
            ),
            (
                json!({"body": {"error": {"type": "u"}}}),
                "body.error.type is t, expected u",
            ),
            (
                json!({"body": {"/error/none": 1}}),
                "body /error/none is absent, expected 1",
            ),
            (
                json!({"body": {"error": {"list": []}}}),
                "body.error.list is [{\"x\":1,\"y\":2}], expected []",
            ),
            (
                json!({"text": {"lacks": ["list"]}}),
                "the body contains `list`",
            ),
            (
                json!({"upstream": "reached"}),
                "the upstream was not reached",
            ),
            (
                json!({"delayed": "1s"}),
                "the request was held for 2s50ms, expected 1s",
            ),
        ] {
            assert_eq!(expectation(expected).unmet(&seen()), [told]);
        }
    }

    #[test]
    fn of_two_policies_the_one_that_acted_and_the_other_one_are_looked_at() {
        let mut seen = seen();
        assert!(expectation(json!({"arm": "current"})).unmet(&seen).len() == 1);
        assert_eq!(
            expectation(json!({"other": null})).unmet(&seen),
            Vec::<String>::new()
        );

        seen.decision["arm"] = json!("candidate");
        seen.decision["other"] = json!({"version": "1", "would_action": "allow"});

        let met = json!({"arm": "candidate", "other": {"would_action": "allow"}});
        assert_eq!(expectation(met).unmet(&seen), Vec::<String>::new());
        for not in [json!({"other": null}), json!({"other": {"version": "2"}})] {
            assert_eq!(expectation(not).unmet(&seen).len(), 1);
        }
    }

    #[test]
    fn what_the_upstream_got_is_looked_at() {
        let mut seen = seen();
        seen.upstream = Some(Asked {
            headers: vec![("x-a".into(), "1".into())],
            body: br#"{"n": 1}"#.to_vec(),
        });

        let met = json!({"upstream": {"headers": {"x-a": "1", "x-b": "absent"}, "body": {"n": 1, "logprobs": "absent"}}});
        assert_eq!(expectation(met).unmet(&seen), Vec::<String>::new());
        let not = json!({"upstream": {"headers": {"x-a": "absent"}, "body": {"n": 2}}});
        assert_eq!(expectation(not).unmet(&seen).len(), 2);
        assert_eq!(
            expectation(json!({"upstream": "not_reached"}))
                .unmet(&seen)
                .len(),
            1
        );
    }

    #[test]
    fn what_can_never_fail_or_means_nothing_is_refused_where_it_stands() {
        for (given, place) in [
            (json!({}), ""),
            (json!({"headers": {}, "reasons": []}), ""),
            (json!({"action": "block"}), "action"),
            (json!({"headers": {"x": [1]}}), "headers.x"),
            (json!({"headers": {"x": {"less": 1}}}), "headers.x"),
            (json!({"delayed": "soon"}), "delayed"),
            (json!({"metrics": {"exchanges{": 1}}), "metrics"),
            (json!({"metrics": {"weir_exchanges{action}": 1}}), "metrics"),
        ] {
            let document = serde_json::from_value(given.clone()).unwrap();
            assert_eq!(Expectation::new(document).unwrap_err().0, place, "{given}");
        }
        assert!(serde_json::from_value::<ExpectDocument>(json!({"upstream": "gone"})).is_err());
        assert!(
            serde_json::from_value::<ExpectDocument>(json!({"upstream": {"bodi": 1}})).is_err()
        );
    }

    #[test]
    fn counters_are_summed_over_the_labels_that_are_not_named() {
        let values = [
            ("wasmcustom.action=.=deny;.;tier=.=a;.;weir_exchanges", 2),
            ("wasmcustom.action=.=deny;.;tier=.=b;.;weir_exchanges", 1),
        ];
        let stats = Stats::new(values.map(|(name, value)| (name.to_owned(), value)));

        let met = expectation(
            json!({"metrics": {"weir_exchanges{action=deny}": 3, "weir_exchanges{action=deny, tier=\"b\"}": 1, "weir_exchanges{action=allow}": 0}}),
        );
        assert_eq!(met.unmet_metrics(&stats, |_| true), Vec::<String>::new());
        let not = expectation(json!({"metrics": {"weir_exchanges": 4}}));
        assert_eq!(
            not.unmet_metrics(&stats, |_| true),
            ["metric weir_exchanges is 3, expected 4"]
        );
        assert_eq!(not.unmet_metrics(&stats, |_| false), Vec::<String>::new());
    }
}
