//! Profiles with a part switched off, to see what the part is worth.
use serde_json::Value;
use weir_engine::detect::Profile;

/// What an ablation takes away.
struct Ablation {
    name: &'static str,
    /// Signals whose weights become 0; `keep` turns that round.
    signals: &'static [&'static str],
    keep: bool,
    /// Other weights by their name in the profile, and what they become.
    set: &'static [(&'static str, f64)],
    /// Every dispersion becomes 0.
    no_dispersion: bool,
}

const TEXT: &[&str] = &[
    "SHARED_TEXT",
    "TEMPLATE",
    "GROUP_SHARED_TEXT",
    "GROUP_TEMPLATE",
    "SAME_SHARED_TEXT",
    "SAME_TEMPLATE_SHARE",
];
const AGE: &[&str] = &["ACCOUNT_AGE", "GROUP_AGE", "SAME_AGE", "SIGNUP_BURST"];
const PAYMENT: &[&str] = &[
    "SHARED_PAYMENT",
    "GROUP_SHARED_PAYMENT",
    "SAME_PAYMENT_SHARING",
];
const NETWORK: &[&str] = &[
    "SHARED_NETWORK",
    "NETWORK_CHURN",
    "GROUP_SHARED_NETWORK",
    "GROUP_NETWORK_CHURN",
    "SAME_NETWORK_SHARING",
    "SAME_NETWORK_CHURN",
];
const TIMING: &[&str] = &[
    "RHYTHM",
    "SLEEPLESS",
    "GAPS",
    "GROUP_RHYTHM",
    "GROUP_SLEEPLESS",
    "GROUP_GAPS",
    "SAME_RHYTHM",
    "SAME_HOURS",
    "SAME_GAPS",
];
const CAPABILITY: &[&str] = &[
    "TARGET_MIX",
    "ELICITATION",
    "GROUP_TARGET_MIX",
    "GROUP_ELICITATION",
    "SAME_TARGETS",
    "SAME_ELICITATION",
];
const EVENNESS: &[&str] = &["EVENNESS"];
const SIDE_LIFE: &[&str] = &["NO_SIDE_LIFE"];
const TRUST: &[&str] = &["TRUSTED_MEMBERS"];

const fn without(name: &'static str, signals: &'static [&'static str]) -> Ablation {
    Ablation {
        name,
        signals,
        keep: false,
        set: &[],
        no_dispersion: false,
    }
}

const ABLATIONS: [Ablation; 13] = [
    without("no text", TEXT),
    without("no account age", AGE),
    without("no payment", PAYMENT),
    without("no network", NETWORK),
    without("no timing", TIMING),
    without("no capability mix", CAPABILITY),
    without("no evenness", EVENNESS),
    without("no side life", SIDE_LIFE),
    without("no trust discount", TRUST),
    without(
        "no own evidence",
        &[
            "ACCOUNT_AGE",
            "VOLUME",
            "RHYTHM",
            "SLEEPLESS",
            "SINGLE_TURN",
            "TARGET_MIX",
            "ELICITATION",
            "SHARED_TEXT",
            "GAPS",
            "NETWORK_CHURN",
            "SHARED_PAYMENT",
            "SHARED_NETWORK",
            "ANSWER_LENGTH",
            "TEMPLATE",
            "ONE_SHAPE",
        ],
    ),
    Ablation {
        keep: true,
        ..without("text only", TEXT)
    },
    Ablation {
        no_dispersion: true,
        ..without("no over-dispersion", &[])
    },
    Ablation {
        set: &[("drift", 0.0)],
        ..without("no drift", &[])
    },
];

/// `profile` with one part switched off at a time, by name.
pub fn ablations(profile: &Profile) -> Vec<(&'static str, Profile)> {
    ABLATIONS
        .iter()
        .filter_map(|ablation| Some((ablation.name, ablation.apply(profile)?)))
        .collect()
}

impl Ablation {
    /// Goes through the profile's JSON, whose names are stable.
    fn apply(&self, profile: &Profile) -> Option<Profile> {
        let mut json = serde_json::to_value(profile).ok()?;
        for part in ["own", "group"] {
            for (name, weight) in json.get_mut(part)?.as_object_mut()? {
                if self.signals.contains(&name.as_str()) != self.keep {
                    *weight = Value::from(0.0);
                }
            }
        }
        if self.no_dispersion {
            for (_, value) in json.get_mut("dispersion")?.as_object_mut()? {
                *value = Value::from(0.0);
            }
        }
        for (name, value) in self.set {
            *json.get_mut(*name)? = Value::from(*value);
        }
        Profile::from_json(json.to_string().as_bytes()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_engine::detect::Signal;

    #[test]
    fn every_ablation_names_known_signals_and_changes_the_profile() {
        let shipped = Profile::shipped();

        let variants = ablations(&shipped);

        assert_eq!(variants.len(), ABLATIONS.len());
        for (name, variant) in &variants {
            assert_ne!(variant, &shipped, "{name}");
        }
        for signal in ABLATIONS.iter().flat_map(|ablation| ablation.signals) {
            assert!(Signal::named(signal).is_some(), "{signal}");
        }
    }

    #[test]
    fn text_only_keeps_text_and_nothing_else() {
        let variants = ablations(&Profile::shipped());
        let (_, only) = variants
            .iter()
            .find(|(name, _)| *name == "text only")
            .unwrap();

        let json = serde_json::to_value(only).unwrap();

        assert_ne!(json["own"]["TEMPLATE"], 0.0);
        assert_eq!(json["own"]["ACCOUNT_AGE"], 0.0);
        assert_eq!(json["group"]["EVENNESS"], 0.0);
    }
}
