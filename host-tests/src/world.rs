//! The world that detectors are judged in: people, programs, campaigns and time.
//!
//! [`Turn`]s come in time order. What a turn says is made of its numbers by `words` and `program`; who
//! sends it when is made by `population` and `life`. Labels live in [`Person`] and [`Turn::customer`]
//! and never in anything that a request shows.
mod clients;
mod observe;
mod person;
mod program;
mod program_spec;
mod render;
mod turn;
mod words;

pub use observe::Observer;
pub use person::Person;
pub use program_spec::{ProgramKind, ProgramSpec, SystemText};
pub use render::Renderer;
pub use turn::{MODELS, Rewrite, Source, TOPICS, Text, Turn};
pub use words::{Corpora, Words};
