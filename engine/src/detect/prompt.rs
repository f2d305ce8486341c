//! The print of a prompt: hashes by which texts of one origin are recognised, without the text.

/// Shingles kept of one field.
pub const SHINGLES: usize = 16;

/// The print of one field of a prompt (system prompt, first user turn).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldPrint {
    /// Hash of the whole normalised field as far as it was read; 0 when there is none.
    pub exact: u64,
    /// Winnowed shingles, the first `len` count; distinct, in order of appearance.
    pub shingles: [u32; SHINGLES],
    /// How many shingles there are, at most [`SHINGLES`].
    pub len: u8,
    /// Words in the field as far as it was read, characters in scripts without spaces; saturating.
    pub words: u16,
}

/// What a prompt is about and what it asks for; a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Topics(pub u16);

impl Topics {
    /// Software engineering.
    pub const SOFTWARE: Self = Self(1);
    /// Agents, tools, orchestration.
    pub const AGENTIC: Self = Self(1 << 1);
    /// Plans over many steps.
    pub const PLANNING: Self = Self(1 << 2);
    /// Mathematics and formal reasoning.
    pub const MATH: Self = Self(1 << 3);
    /// Asks for the reasoning behind an answer.
    pub const ELICITATION: Self = Self(1 << 4);
    /// Asks to grade by a rubric, to compare or rank answers.
    pub const RUBRIC: Self = Self(1 << 5);
    /// Asks to rewrite or to make more data of one kind.
    pub const REWRITE: Self = Self(1 << 6);
    /// Extraction from or questions on given documents.
    pub const DOCUMENTS: Self = Self(1 << 7);
    /// Summaries.
    pub const SUMMARY: Self = Self(1 << 8);
    /// Translation.
    pub const TRANSLATION: Self = Self(1 << 9);
    /// Conversation, advice.
    pub const CHAT: Self = Self(1 << 10);
    /// Stories, poems, names.
    pub const CREATIVE: Self = Self(1 << 11);

    /// Whether any of `others` is in the set.
    pub const fn any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// The print of a whole prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PromptPrint {
    /// The system prompt.
    pub system: FieldPrint,
    /// The first user turn.
    pub user: FieldPrint,
    /// Hash of the names of the tools offered, in whatever order; 0 when there are none.
    pub tools: u64,
    /// Hash of the first user turn's skeleton: stop words, punctuation and lines, content left out; 0 when
    /// there is too little of one.
    pub skeleton: u32,
    /// Topics of system prompt and first user turn.
    pub topics: Topics,
}
