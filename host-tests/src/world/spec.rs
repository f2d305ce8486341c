//! What a client program is, in numbers: enough for `program` to derive the SDK, the JSON layout, the
//! parameters, the system prompt and the tools. Campaigns and everybody else draw from one generator.

/// A client program. Two accounts with the same program send requests that look alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProgramSpec {
    /// Seed of whatever the other fields leave open.
    pub seed: u64,
    /// What it is for.
    pub kind: ProgramKind,
    /// What it is mostly about: index into [`TOPICS`](super::TOPICS).
    pub topic: u8,
    /// Its system prompt.
    pub system: SystemText,
    /// Number of its set of tools; `None` offers none.
    pub tools: Option<u32>,
    /// Seed of SDK and parameters. Common shapes are shared by many programs.
    pub shape: u64,
}

/// What a program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramKind {
    /// People talk to it.
    Chat,
    /// It works on code with tools.
    Ide,
    /// Its users do not know that a model answers.
    App,
    /// It works off a queue.
    Batch,
    /// Somebody's own few lines around an SDK.
    Script,
}

/// A program's system prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemText {
    /// There is none.
    None,
    /// The same text for whoever uses this number.
    Fixed(u32),
    /// The frame of this number; its slots are filled for each request by the seed of its text.
    Template(u32),
    /// A private text.
    Own(u64),
    /// The meaning of this number, said anew for each request.
    Rewritten(u32),
}
