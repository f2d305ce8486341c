//! Where exchanges come from: a world in words, or a fixture.
use super::Properties;
use crate::world::{Person, Turn};
use weir_engine::detect::Observation;
use weir_engine::time::Timestamp;

/// The time that a run covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first exchange comes at or after this.
    pub begin: Timestamp,
    /// Learning ends and scoring begins; equal to `begin` where there is no burn-in.
    pub scored: Timestamp,
    /// No exchange comes at or after this.
    pub end: Timestamp,
}

/// What is true of a campaign, as far as scoring needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Its name in the scenario.
    pub name: String,
    /// Its family, `A1`, ...
    pub family: String,
    /// What the generator really gave it.
    pub properties: Properties,
}

/// Exchanges in time order, with the truth beside them.
pub trait Exchanges {
    /// The next exchange; `observation` is overwritten with what a detector is told of it.
    fn next(&mut self, observation: &mut Observation) -> Option<Turn>;
    /// The truth about an account: index as in [`Turn::account`].
    fn person(&self, account: u32) -> Option<&Person>;
    /// The last exchange was refused: its sender may react.
    fn refused(&mut self, turn: &Turn);
    /// The time covered.
    fn window(&self) -> Window;
    /// The campaigns, by [`Person::campaign`].
    fn campaigns(&self) -> &[Campaign];
}
