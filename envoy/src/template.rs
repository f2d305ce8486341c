//! The two configuration files with their placeholders filled.
//!
//! `${NAME}` as in `envsubst`, so that the same files serve people. Values are inserted as JSON, which is YAML:
//! nothing in a path or a policy can become configuration.
use std::path::Path;

use serde_json::Value;

use crate::options::EnvoyOptions;

const BOOTSTRAP: &str = include_str!("../bootstrap.yaml");
const LISTENER: &str = include_str!("../listener.yaml");

/// A stream window under the protocol's default is refused by Envoy.
const LEAST_BUFFER_LIMIT_BYTES: u32 = 65_535;

/// The bootstrap, listening for a listener in `listener_file`.
pub(crate) fn bootstrap(options: &EnvoyOptions, listener_file: &Path) -> String {
    fill(
        BOOTSTRAP,
        &[
            ("ADMIN_PORT", Value::from(0)),
            ("LISTENER_FILE", path(listener_file)),
            (
                "UPSTREAM_HOST",
                Value::from(options.upstream.ip().to_string()),
            ),
            ("UPSTREAM_PORT", Value::from(options.upstream.port())),
        ],
    )
}

/// The listener with `policy_json`, which logs to the two files.
pub(crate) fn listener(
    options: &EnvoyOptions,
    policy_json: &str,
    decision_log: &Path,
    access_log: &Path,
) -> String {
    let template = match options.plugin {
        true => LISTENER.to_owned(),
        false => without_plugin(LISTENER),
    };
    fill(
        &template,
        &[
            ("LISTEN_HOST", Value::from("127.0.0.1")),
            ("LISTEN_PORT", Value::from(0)),
            ("TRUSTED_HOPS", Value::from(options.trusted_hops)),
            (
                "BUFFER_LIMIT",
                Value::from(options.buffer_limit_bytes.max(LEAST_BUFFER_LIMIT_BYTES)),
            ),
            (
                "STOP_ITERATION",
                Value::from(options.allow_on_headers_stop_iteration),
            ),
            ("POLICY", Value::from(policy_json)),
            ("WASM", path(&options.wasm)),
            ("DECISION_LOG", path(decision_log)),
            ("ACCESS_LOG", path(access_log)),
        ],
    )
}

/// The listener without Weir's entry among the HTTP filters.
fn without_plugin(listener: &str) -> String {
    let mut is_plugins = false;
    let mut rest = String::with_capacity(listener.len());
    for line in listener.lines() {
        if line.starts_with("        - name: ") {
            is_plugins = line.trim() == "- name: weir";
        }
        if !is_plugins {
            rest.push_str(line);
            rest.push('\n');
        }
    }
    rest
}

fn path(path: &Path) -> Value {
    Value::from(path.to_string_lossy())
}

/// One pass: a value that looks like a placeholder stays a value. Names that are not in `values` stay.
fn fill(template: &str, values: &[(&str, Value)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let known = after.split_once('}').and_then(|(name, tail)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, tail))
        });
        match known {
            Some((value, tail)) => {
                filled.push_str(&value.to_string());
                rest = tail;
            }
            None => {
                filled.push_str("${");
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> EnvoyOptions {
        EnvoyOptions::new(
            "envoy",
            "/tmp/we\"ir.wasm",
            "{}",
            "127.0.0.1:9".parse().unwrap(),
        )
    }

    #[test]
    fn every_placeholder_of_both_files_is_filled() {
        let bootstrap = bootstrap(&options(), "l.yaml".as_ref());
        let listener = listener(&options(), "{}", "d".as_ref(), "a".as_ref());

        assert!(!bootstrap.contains("${"), "{bootstrap}");
        assert!(!listener.contains("${"), "{listener}");
    }

    #[test]
    fn without_the_plugin_everything_else_is_the_same() {
        let mut without = options();
        without.plugin = false;
        let [with, without] = [options(), without]
            .map(|options| listener(&options, "{}", "d".as_ref(), "a".as_ref()));

        assert!(with.contains("filters.http.wasm") && !without.contains("filters.http.wasm"));
        assert!(without.lines().all(|line| with.contains(line)));
        assert_eq!(
            without.matches("- name: ").count() + 1,
            with.matches("- name: ").count()
        );
    }

    #[test]
    fn a_policy_cannot_become_configuration_or_a_placeholder() {
        let policy = "\"}}\n  evil: ${WASM}";

        let listener = listener(&options(), policy, "d".as_ref(), "a".as_ref());

        assert!(
            listener.contains(r#"value: "\"}}\n  evil: ${WASM}"}"#),
            "{listener}"
        );
        assert!(listener.contains(r#"filename: "/tmp/we\"ir.wasm""#));
    }

    fn labels() -> Vec<&'static str> {
        let label =
            |line: &'static str| line.trim().strip_prefix("- {tag_name: ")?.split(',').next();
        BOOTSTRAP.lines().filter_map(label).collect()
    }

    #[test]
    fn no_label_ends_in_the_name_of_another() {
        // Istio's generated patterns are not anchored: `action` would also take `would_action` apart.
        let labels = labels();

        assert!(labels.len() > 10, "{labels:?}");
        for label in &labels {
            assert!(
                !labels
                    .iter()
                    .any(|other| other != label && other.ends_with(label)),
                "{label}"
            );
            let pattern = format!(r"^wasmcustom\.(?:.*?;\.;)?({label}=\.=(.*?);\.;)");
            assert!(BOOTSTRAP.contains(&format!("{{tag_name: {label}, regex: '{pattern}'}}")));
        }
    }

    #[test]
    fn the_labels_that_istio_is_told_are_the_same() {
        let told = format!("extraStatTags: [{}]", labels().join(", "));

        assert!(
            include_str!("../README.md").contains(&told),
            "README.md should say {told}"
        );
    }
}
