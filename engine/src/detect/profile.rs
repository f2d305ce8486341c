//! Weights of the evidence: data, with a version, refitted by `weir calibrate`.
use super::{groups::FEATURES, measures::MEASURES};
use alloc::string::{String, ToString};
use serde::{Deserialize, Serialize};

/// Nothing in a profile is larger.
const MOST: f32 = 100.0;
/// The profile that comes with the engine.
const SHIPPED: &[u8] = include_bytes!("profile.json");

macro_rules! named {
    ($count:path, $names:path) => {
        use alloc::{collections::BTreeMap, string::String};
        use serde::{Deserialize, Deserializer, Serializer, de::Error};

        pub(super) fn serialize<S: Serializer>(
            values: &[f32; $count],
            to: S,
        ) -> Result<S::Ok, S::Error> {
            to.collect_map($names().zip(values))
        }

        pub(super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<[f32; $count], D::Error> {
            let mut given = BTreeMap::<String, f32>::deserialize(from)?;
            let mut values = [0.0; $count];
            for (name, value) in $names().zip(&mut values) {
                *value = given
                    .remove(name)
                    .ok_or_else(|| D::Error::missing_field(name))?;
            }
            match given.keys().next() {
                Some(unknown) => Err(D::Error::custom(format_args!("{unknown:?} is no signal"))),
                None => Ok(values),
            }
        }
    };
}

/// Weights by which measures become evidence. All in nats per unit of the measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// Version of the weights; decisions of two versions do not compare.
    pub version: String,
    /// Log odds that an account belongs to a campaign before anything is known of it.
    pub prior: f32,
    /// An account's own evidence: log odds at the mean of its stratum.
    pub own_bias: f32,
    /// Weight of each measure, per standard deviation from the stratum.
    #[serde(with = "own")]
    pub own: [f32; MEASURES],
    /// A group's log odds where all its features are 0.
    pub group_bias: f32,
    /// Weight of each feature of a group.
    #[serde(with = "group")]
    pub group: [f32; FEATURES],
    /// Variance of benign groups' means beyond chance, by measure (over-dispersion).
    #[serde(with = "own")]
    pub dispersion: [f32; MEASURES],
    /// Evidence a day that a group must exceed to become more suspicious.
    pub drift: f32,
    /// Sum of daily evidence at which a group is convicted.
    pub boundary: f32,
}

/// Weights by the name of their signal; all must be there.
mod own {
    named!(
        crate::detect::measures::MEASURES,
        crate::detect::signal::own_names
    );
}

/// Weights by the name of their signal; all must be there.
mod group {
    named!(
        crate::detect::groups::FEATURES,
        crate::detect::signal::group_names
    );
}

/// Why a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("profile is not usable: {what}")]
pub struct ProfileError {
    what: String,
}

impl Profile {
    /// The weights that come with this version of Weir.
    pub fn shipped() -> Self {
        Self::from_json(SHIPPED).unwrap_or_else(|_| Self::silent())
    }

    /// Weights as `weir calibrate` writes them.
    ///
    /// # Errors
    /// JSON of another form, or a number out of range.
    pub fn from_json(json: &[u8]) -> Result<Self, ProfileError> {
        let profile: Self = serde_json::from_slice(json).map_err(|error| ProfileError {
            what: error.to_string(),
        })?;
        profile.check().map(|()| profile)
    }

    /// Every number in the range in which the arithmetic of a pass stays finite and in order.
    fn check(&self) -> Result<(), ProfileError> {
        let weights = self.own.iter().chain(&self.group);
        let mut weights = weights.chain([&self.prior, &self.own_bias, &self.group_bias]);
        let what = if !weights.all(|weight| weight.abs() <= MOST) {
            "a weight is not a number between -100 and 100"
        } else if !self
            .dispersion
            .iter()
            .all(|value| (0.0..=MOST).contains(value))
        {
            "a dispersion is not between 0 and 100"
        } else if !(0.0..=MOST).contains(&self.drift) {
            "drift is not between 0 and 100"
        } else if !(0.1..=MOST).contains(&self.boundary) {
            "boundary is not between 0.1 and 100"
        } else {
            return Ok(());
        };
        Err(ProfileError {
            what: what.to_string(),
        })
    }

    /// Weights under which nothing is evidence.
    pub fn silent() -> Self {
        Self {
            version: "silent".to_string(),
            prior: -6.9,
            own_bias: 0.0,
            own: [0.0; MEASURES],
            group_bias: -8.0,
            group: [0.0; FEATURES],
            dispersion: [0.1; MEASURES],
            drift: 0.5,
            boundary: 11.4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_profile_is_usable() {
        assert_eq!(
            Profile::from_json(SHIPPED).as_ref(),
            Ok(&Profile::shipped())
        );
        assert_ne!(Profile::shipped().version, "silent");
    }

    #[test]
    fn a_weight_that_is_not_a_number_or_missing_is_refused() {
        let text = serde_json::to_string(&Profile::silent()).unwrap();
        assert!(Profile::from_json(text.as_bytes()).is_ok());
        for broken in [
            text.replace("-6.9", "1e999"),
            text.replace("\"boundary\":11.4", "\"boundary\":-1.0"),
            text.replace("\"prior\"", "\"prayer\""),
            text.replace("\"SIGNUP_BURST\"", "\"BUSTS\""),
        ] {
            assert!(Profile::from_json(broken.as_bytes()).is_err());
        }
    }
}
