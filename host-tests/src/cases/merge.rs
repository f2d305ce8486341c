//! JSON merge patches (RFC 7396): how a case says what it has different from its defaults or its policy.
use serde_json::Value;

/// Changes `target` as `patch` says: mappings merge, `null` removes, everything else replaces.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(members) = target.as_object_mut() else {
        return;
    };
    for (name, change) in changes {
        if change.is_null() {
            members.shift_remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn mappings_merge_null_removes_and_lists_are_replaced() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "d": [1, 2], "e": 5});

        merge(
            &mut target,
            &json!({"a": {"b": null, "x": {"y": null, "z": 1}}, "d": [3], "e": {"f": 6}}),
        );

        assert_eq!(
            target,
            json!({"a": {"c": 2, "x": {"z": 1}}, "d": [3], "e": {"f": 6}})
        );
    }
}
