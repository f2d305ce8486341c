//! Organic groups that look like campaigns.
use super::population::{Newcomer, Population};
use super::scenario::WorldScenario;
use super::setting::Setting;
use crate::simulate::random::Random;

pub(super) fn all(
    _: &WorldScenario,
    _: &mut Setting,
    _: &mut Population,
    _: Random,
) -> Vec<Newcomer> {
    Vec::new()
}
