//! From the text of a request to the print of its prompt, in bounded work and memory.
//!
//! Read are the first [`HEAD_BYTES`] of the system prompt, and the first [`HEAD_BYTES`] and last
//! [`TAIL_BYTES`] of the first user turn, counted in UTF-8 after escapes. Later user turns are not: they
//! say what a conversation came to, not what it is for.
use super::field::{Features, Field};
use super::mix;
use super::prompt::{FieldPrint, PromptPrint, Topics};
use crate::facts::{RawText, Role, TextSink};
use alloc::{string::String, vec::Vec};
use core::str;

/// Bytes read from the start of a field.
pub const HEAD_BYTES: usize = 2048;
/// Bytes read from the end of the first user turn, where it is longer than that and the head together.
pub const TAIL_BYTES: usize = 512;
/// Names of tools that count.
pub const MAX_TOOLS: usize = 64;
/// Bytes of a tool's name that count.
const MAX_NAME_BYTES: usize = 128;

/// The longest character, in bytes of UTF-8: with room for one more, a field shows that it is longer than its limit.
const CHARACTER: usize = 4;

/// What a system prompt looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemPrint {
    /// Shingles and hash.
    pub field: FieldPrint,
    /// What it is about.
    pub topics: Topics,
}

impl SystemPrint {
    /// The print of a system prompt that is `text`; several are joined by a line break. Linear in
    /// [`HEAD_BYTES`]; allocates only where the text is not all ASCII.
    pub fn of(text: &str) -> Self {
        Self::read(text, &mut String::new())
    }

    fn read(text: &str, scratch: &mut String) -> Self {
        let Features { field, topics, .. } =
            Field::<false>::read(&[start_of(text, HEAD_BYTES)], scratch);
        Self { field, topics }
    }
}

/// What a first user turn looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserPrint {
    /// Shingles and hash.
    pub field: FieldPrint,
    /// Hash of its skeleton; 0 when there is too little of one.
    pub skeleton: u32,
    /// What it is about.
    pub topics: Topics,
}

impl UserPrint {
    /// The print of a first user turn that says `text`. Linear in [`HEAD_BYTES`] and [`TAIL_BYTES`];
    /// allocates only where the text is not all ASCII.
    pub fn of(text: &str) -> Self {
        if text.len() <= HEAD_BYTES.saturating_add(TAIL_BYTES) {
            Self::read(&[text], &mut String::new())
        } else {
            let stretches = [start_of(text, HEAD_BYTES), end_of(text, TAIL_BYTES)];
            Self::read(&stretches, &mut String::new())
        }
    }

    fn read(stretches: &[&str], scratch: &mut String) -> Self {
        let features = Field::<true>::read(stretches, scratch);
        Self {
            field: features.field,
            skeleton: features.skeleton,
            topics: features.topics,
        }
    }
}

impl PromptPrint {
    /// A prompt of parts. [`Topics::AGENTIC`] is not set for the sake of `tools`: whoever knows that tools
    /// are offered says so.
    pub const fn compose(system: SystemPrint, user: UserPrint, tools: u64) -> Self {
        Self {
            system: system.field,
            user: user.field,
            tools,
            skeleton: user.skeleton,
            topics: system.topics.with(user.topics),
        }
    }
}

/// Hash of the names of tools, whatever their order: of the first [`MAX_TOOLS`], and of each its first
/// 128 bytes. 0 when there are none.
pub fn tools_hash<'n>(names: impl IntoIterator<Item = &'n str>) -> u64 {
    let mut tools = Tools::default();
    for name in names {
        tools.name(start_of(name, MAX_NAME_BYTES).as_bytes());
    }
    tools.finish()
}

/// Adds up names: the sum does not depend on their order.
#[derive(Clone, Copy, Debug, Default)]
struct Tools {
    sum: u64,
    count: usize,
}

impl Tools {
    fn name(&mut self, name: &[u8]) {
        if self.count < MAX_TOOLS {
            self.count = self.count.saturating_add(1);
            self.sum = self.sum.wrapping_add(mix::word(name));
        }
    }

    fn finish(self) -> u64 {
        match self.count {
            0 => 0,
            _ => mix::mix(self.sum).max(1),
        }
    }
}

/// Takes the text of one request and gives the print of its prompt.
///
/// Keeps up to 5 KiB of text until [`Self::finish`] or [`Self::clear`], and its memory beyond: one printer
/// serves request after request without allocating.
#[derive(Default)]
pub struct Printer {
    system: Vec<u8>,
    /// System text came since the last message began.
    system_spoke: bool,
    user: Vec<u8>,
    /// The end of a user turn longer than head and tail.
    tail: Vec<u8>,
    user_is: Turn,
    tools: Tools,
    scratch: String,
}

/// Where the reading of the first user turn stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    #[default]
    Awaited,
    Heard,
    Over,
}

impl Printer {
    /// A printer that has heard nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets what was heard.
    pub fn clear(&mut self) {
        self.system.clear();
        self.system_spoke = false;
        self.user.clear();
        self.tail.clear();
        self.user_is = Turn::Awaited;
        self.tools = Tools::default();
        self.scratch.clear();
    }

    /// The print of what was heard, and forgets it. The same as [`SystemPrint::of`], [`UserPrint::of`] and
    /// [`tools_hash`] give for the same texts.
    pub fn finish(&mut self) -> PromptPrint {
        let system = SystemPrint::read(text_of(&self.system), &mut self.scratch);
        let user = if self.is_user_cut() {
            let stretches = [
                start_of(text_of(&self.user), HEAD_BYTES),
                end_of(text_of(&self.tail), TAIL_BYTES),
            ];
            UserPrint::read(&stretches, &mut self.scratch)
        } else {
            UserPrint::read(&[text_of(&self.user)], &mut self.scratch)
        };
        let print = PromptPrint::compose(system, user, self.tools.finish());
        self.clear();
        print
    }

    fn is_user_cut(&self) -> bool {
        self.user.len() > HEAD_BYTES.saturating_add(TAIL_BYTES)
    }

    fn system(&mut self, text: RawText<'_>) {
        if !self.system.is_empty() && !self.system_spoke {
            self.system.push(b'\n');
        }
        self.system_spoke = true;
        let room = HEAD_BYTES
            .saturating_add(CHARACTER)
            .saturating_sub(self.system.len());
        if self.system.len() <= HEAD_BYTES {
            text.unescape_into(&mut self.system, room);
        }
    }

    fn user(&mut self, text: RawText<'_>) {
        let whole = HEAD_BYTES.saturating_add(TAIL_BYTES);
        let before = self.user.len();
        if !self.is_user_cut() {
            let room = whole.saturating_add(CHARACTER).saturating_sub(before);
            text.unescape_into(&mut self.user, room);
            if !self.is_user_cut() {
                return;
            }
            let start = before.saturating_sub(TAIL_BYTES);
            let end = self.user.get(start..before).unwrap_or_default();
            self.tail.extend_from_slice(end);
        }
        text.end(TAIL_BYTES.saturating_add(CHARACTER))
            .unescape_into(&mut self.tail, usize::MAX);
        // Seldom enough that a turn in many small pieces stays cheap.
        if self.tail.len() > 8 * TAIL_BYTES {
            let excess = self
                .tail
                .len()
                .saturating_sub(TAIL_BYTES.saturating_add(CHARACTER));
            self.tail.drain(..excess);
        }
    }
}

impl TextSink for Printer {
    fn text(&mut self, role: Role, text: RawText<'_>) {
        match role {
            Role::System => self.system(text),
            Role::User if self.user_is != Turn::Over => {
                self.user_is = Turn::Heard;
                self.user(text);
            }
            Role::User | Role::Assistant | Role::Tool => {}
        }
    }

    fn message(&mut self) {
        self.system_spoke = false;
        if self.user_is == Turn::Heard {
            self.user_is = Turn::Over;
        }
    }

    fn tool(&mut self, name: RawText<'_>) {
        let mut bytes = core::mem::take(&mut self.scratch).into_bytes();
        bytes.clear();
        name.unescape_into(&mut bytes, MAX_NAME_BYTES);
        self.tools.name(&bytes);
        bytes.clear();
        self.scratch = String::from_utf8(bytes).unwrap_or_default();
    }
}

/// Shows sizes only: text must not reach a log.
impl core::fmt::Debug for Printer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Printer")
            .field("system_bytes", &self.system.len())
            .field("user_bytes", &self.user.len())
            .field("tools", &self.tools.count)
            .finish_non_exhaustive()
    }
}

/// At most the first `max` bytes of `text`, whole characters.
fn start_of(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// At most the last `max` bytes of `text`, whole characters.
fn end_of(text: &str, max: usize) -> &str {
    let start = (text.len().saturating_sub(max)..=text.len()).find(|&at| text.is_char_boundary(at));
    text.get(start.unwrap_or(text.len())..).unwrap_or_default()
}

/// The text in `bytes`, from the first whole character on; only its beginning may be cut.
fn text_of(bytes: &[u8]) -> &str {
    let goes_on = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    let cut = bytes.iter().take_while(goes_on).count();
    str::from_utf8(bytes.get(cut..).unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
