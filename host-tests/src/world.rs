//! The world that detectors are judged in: people, programs, campaigns and time.
//!
//! [`Turn`]s come in time order. What a turn says is made of its numbers by `words` and `program`; who
//! sends it when is made by `population` and `life`. Labels live in [`Person`] and [`Turn::customer`]
//! and never in anything that a request shows, with one exception: where corpora are given, a campaign's own
//! turns speak from the extraction corpus.
mod campaign;
mod catalogue;
mod clients;
mod envelope;
mod hard_negatives;
mod life;
mod network;
mod observe;
mod person;
mod population;
mod program;
mod recording;
mod render;
mod run;
#[cfg(test)]
mod sample;
mod sampling;
mod scenario;
mod schedule;
mod setting;
mod spec;
mod turn;
mod words;

pub use campaign::{
    Age, CampaignSpec, Disguise, Family, Network, Quotas, Replacement, Schedule, Signup, System,
};
pub use observe::Observer;
pub use person::Person;
pub use recording::{Recording, RecordingReader};
pub use render::Renderer;
pub use run::{CampaignFacts, World};
pub use sampling::{NotASampling, Sampling};
pub use scenario::{SHIPPED, WorldScenario};
pub use spec::{ProgramKind, ProgramSpec, SystemText};
pub use turn::{MODELS, Rewrite, Source, TOPICS, Text, Turn};
pub use words::{Corpora, Words};

#[cfg(test)]
mod tests;
