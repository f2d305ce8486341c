//! An order of workers' steps, as it is printed and replayed.
use std::fmt;
use std::str::FromStr;

use crate::hostcall::Hostcall;

/// Which worker moved at each step. Prints as worker numbers separated by spaces, and parses back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order(pub Vec<usize>);

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, worker) in self.0.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{worker}")?;
        }
        Ok(())
    }
}

impl FromStr for Order {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// One step of an order: a worker's hostcall, and what the worker did alone after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which worker, counted from 0 in the order of [`super::Run::worker`].
    pub worker: usize,
    /// What it called.
    pub call: Hostcall,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {}: {}", self.worker, self.call.name())
    }
}
