//! A client program of the world as numbers.

/// A client program. What it sends follows from these numbers and the world's seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProgramSpec {
    /// Seed of whatever else it is.
    pub seed: u64,
    /// What it is for.
    pub kind: ProgramKind,
    /// What it is about: index into [`TOPICS`](super::TOPICS).
    pub topic: u8,
    /// Its system prompt.
    pub system: SystemText,
    /// Number of the tools that it offers.
    pub tools: Option<u32>,
    /// Seed of the request's shape: SDK, headers, key order, parameters. One generator for everybody.
    pub shape: u64,
}

/// What a program is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ProgramKind {
    /// People talk to it.
    Chat,
    /// Writes code with tools.
    Ide,
    /// An application with its own users.
    App,
    /// Works through data.
    Batch,
    /// Somebody's own script.
    Script,
}

/// The system prompt of a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SystemText {
    /// None.
    None,
    /// Product `n`'s own.
    Fixed(u32),
    /// Template `n`, whose slots follow from the conversation's text.
    Template(u32),
    /// A private one with this seed.
    Own(u64),
    /// Meaning `n`, said anew in each conversation.
    Rewritten(u32),
}
