//! The prompt of a request: who says what, which tools were called.
//!
//! Both dialects are read alike, since gateways that translate take the parts of either. JSON allows
//! a role or a type to follow the content that it governs: such content is passed over first and read
//! again once its role is known. That costs a hostile body one more pass per level, and there are
//! [`LEVELS`] of them.
use super::RequestFacts;
use super::shape::Shape;
use super::text::{Role, TextSink, hand_out};
use super::tools::tools;
use super::values::{count_items, enter_object, word};
use crate::json::{Fault, Kind, Reader};

/// How deep content is followed into content: message, tool result, search result or document, its text.
pub(super) const LEVELS: u8 = 4;

/// Reads prompt text and history into facts, and hands the text out.
pub(super) struct Prompt<'f, 'a> {
    pub(super) facts: &'f mut RequestFacts<'a>,
    pub(super) sink: &'f mut dyn TextSink,
    pub(super) shape: Shape,
    /// No message was begun yet.
    is_first: bool,
    /// Whether the message at hand has text of the user.
    user_spoke: bool,
}

/// A value whose reading depends on a key that may stand before or after it.
struct Governed<'a> {
    start: Reader<'a>,
    read_as: Option<Role>,
}

/// What a part of a message is, by its `type`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    ToolUse,
    ToolResult,
    Attachment,
    Other,
}

impl<'f, 'a> Prompt<'f, 'a> {
    pub(super) fn new(facts: &'f mut RequestFacts<'a>, sink: &'f mut dyn TextSink) -> Self {
        Self {
            facts,
            sink,
            shape: Shape::default(),
            is_first: true,
            user_spoke: false,
        }
    }

    /// The value of `messages`. Several add up: no server reads more than that.
    pub(super) fn messages(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        if reader.kind()? != Kind::Array {
            return reader.skip();
        }
        reader.enter()?;
        while reader.item()? {
            self.message(reader)?;
        }
        Ok(())
    }

    /// The value of `system`.
    pub(super) fn system(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        self.sink.message();
        self.content(reader, Role::System, 0)
    }

    /// The value of `tools` or `functions`; adds to `items`.
    pub(super) fn tools(&mut self, reader: &mut Reader<'a>, items: &mut u32) -> Result<(), Fault> {
        let outcome = tools(reader, items, self.sink);
        self.shape.tools(*items);
        outcome
    }

    fn message(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        if !enter_object(reader)? {
            return Ok(());
        }
        self.begin_message();
        let (mut role, mut content) = (None, None);
        let outcome = self.message_fields(reader, &mut role, &mut content);
        // Also where the body was cut inside of the message: what is there counts.
        let role = role.unwrap_or(Role::User);
        let outcome = outcome.and(self.settle(content, role, 0));
        add(&mut self.facts.tool_results, u32::from(role == Role::Tool));
        self.end_message(role);
        outcome
    }

    /// A message begins: text from here on is its own.
    pub(super) fn begin_message(&mut self) {
        self.sink.message();
        self.user_spoke = false;
    }

    /// Takes a key of the message at hand into the shape, which is that of the first message.
    pub(super) fn message_key(&mut self, key: &[u8], reader: &Reader<'_>) {
        if self.is_first {
            self.shape.message_field(key, reader);
        }
    }

    /// The message at hand, spoken by `role`, has ended: counts the turn.
    pub(super) fn end_message(&mut self, role: Role) {
        self.is_first = false;
        match role {
            Role::User => add(&mut self.facts.user_turns, u32::from(self.user_spoke)),
            Role::Assistant => add(&mut self.facts.assistant_turns, 1),
            Role::System | Role::Tool => {}
        }
    }

    fn message_fields(
        &mut self,
        reader: &mut Reader<'a>,
        role: &mut Option<Role>,
        content: &mut Option<Governed<'a>>,
    ) -> Result<(), Fault> {
        while let Some(key) = reader.field()? {
            self.message_key(&key, reader);
            match key.as_ref() {
                b"role" => *role = word(reader)?.map(|name| role_of(&name)),
                b"content" => self.content_or_later(reader, *role, 0, content)?,
                b"tool_calls" => count_items(reader, &mut self.facts.tool_calls)?,
                b"function_call" => {
                    add(
                        &mut self.facts.tool_calls,
                        u32::from(reader.kind()? == Kind::Object),
                    );
                    reader.skip()?;
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    /// Reads `content` as `role`, or passes over it where the role is not known yet.
    fn content_or_later(
        &mut self,
        reader: &mut Reader<'a>,
        role: Option<Role>,
        level: u8,
        content: &mut Option<Governed<'a>>,
    ) -> Result<(), Fault> {
        if let Some(Governed {
            start,
            read_as: None,
        }) = content.take()
        {
            // A second `content`: servers disagree on which counts, so the text of both is handed out.
            self.settle(
                Some(Governed {
                    start,
                    read_as: None,
                }),
                role.unwrap_or(Role::User),
                level,
            )?;
        }
        *content = Some(Governed {
            start: reader.clone(),
            read_as: role,
        });
        match role {
            Some(role) => self.content(reader, role, level),
            None => reader.skip(),
        }
    }

    /// Reads content again unless it was read as `role` already.
    fn settle(
        &mut self,
        content: Option<Governed<'a>>,
        role: Role,
        level: u8,
    ) -> Result<(), Fault> {
        match content {
            Some(mut content) if content.read_as != Some(role) => {
                self.content(&mut content.start, role, level)
            }
            _ => Ok(()),
        }
    }

    /// A string, or an array of parts.
    pub(super) fn content(
        &mut self,
        reader: &mut Reader<'a>,
        role: Role,
        level: u8,
    ) -> Result<(), Fault> {
        match reader.kind()? {
            Kind::String => self.text(reader, role),
            Kind::Array if level < LEVELS => {
                reader.enter()?;
                while reader.item()? {
                    match reader.kind()? {
                        Kind::String => self.text(reader, role)?,
                        Kind::Object => self.part(reader, role, level.saturating_add(1))?,
                        _ => reader.skip()?,
                    }
                }
                Ok(())
            }
            _ => reader.skip(),
        }
    }

    /// The object of a part.
    pub(super) fn part(
        &mut self,
        reader: &mut Reader<'a>,
        role: Role,
        level: u8,
    ) -> Result<(), Fault> {
        reader.enter()?;
        let (mut part, mut content, mut attached) = (None, None, false);
        let outcome = self.part_fields(reader, role, level, &mut part, &mut content, &mut attached);
        let part = part.unwrap_or(Part::Other);
        let facts = &mut *self.facts;
        add(&mut facts.tool_calls, u32::from(part == Part::ToolUse));
        add(&mut facts.tool_results, u32::from(part == Part::ToolResult));
        add(
            &mut facts.attachments,
            u32::from(part == Part::Attachment || attached),
        );
        outcome.and(self.settle(content, part.speaker(role), level))
    }

    fn part_fields(
        &mut self,
        reader: &mut Reader<'a>,
        role: Role,
        level: u8,
        part: &mut Option<Part>,
        content: &mut Option<Governed<'a>>,
        attached: &mut bool,
    ) -> Result<(), Fault> {
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"type" => *part = word(reader)?.map(|name| part_of(&name)),
                b"text" if reader.kind()? == Kind::String => self.text(reader, role)?,
                b"content" => self.content_or_later(
                    reader,
                    part.map(|part| part.speaker(role)),
                    level,
                    content,
                )?,
                b"source" => self.source(reader, role, level)?,
                // Some servers tell a part by this key alone.
                b"image_url" | b"input_audio" | b"audio_url" | b"video_url" | b"file" => {
                    *attached |= reader.kind()? != Kind::Null;
                    reader.skip()?;
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    /// Where a document comes from: its text may stand right here.
    fn source(&mut self, reader: &mut Reader<'a>, role: Role, level: u8) -> Result<(), Fault> {
        if !enter_object(reader)? {
            return Ok(());
        }
        let (mut is_text, mut data) = (None, None);
        let outcome = self.source_fields(reader, role, level, &mut is_text, &mut data);
        if is_text == Some(true) {
            return outcome.and(self.settle(data, role, level));
        }
        outcome
    }

    fn source_fields(
        &mut self,
        reader: &mut Reader<'a>,
        role: Role,
        level: u8,
        is_text: &mut Option<bool>,
        data: &mut Option<Governed<'a>>,
    ) -> Result<(), Fault> {
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"type" => *is_text = word(reader)?.map(|kind| kind == "text"),
                b"data" if reader.kind()? == Kind::String => self.content_or_later(
                    reader,
                    is_text.filter(|&is| is).map(|_| role),
                    level,
                    data,
                )?,
                b"content" => self.content(reader, role, level)?,
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    /// A string that `role` says.
    pub(super) fn text(&mut self, reader: &mut Reader<'a>, role: Role) -> Result<(), Fault> {
        let (raw, whole) = reader.string_or_beginning()?;
        let bytes = hand_out(raw, role, self.sink);
        add(
            &mut self.facts.text_bytes,
            u32::try_from(bytes).unwrap_or(u32::MAX),
        );
        self.user_spoke |= role == Role::User && bytes > 0;
        if whole { Ok(()) } else { Err(Fault::Ended) }
    }
}

impl Part {
    /// Who speaks the content of this part of a message by `role`.
    fn speaker(self, role: Role) -> Role {
        if self == Self::ToolResult {
            Role::Tool
        } else {
            role
        }
    }
}

/// An unknown role speaks as the user: a server that has more roles gives them to prompts.
pub(super) fn role_of(name: &str) -> Role {
    match name {
        "system" | "developer" => Role::System,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        _ => Role::User,
    }
}

/// Variants such as `server_tool_use` and `mcp_tool_result` count as what they end with.
fn part_of(name: &str) -> Part {
    match name {
        "image" | "document" | "container_upload" | "image_url" | "input_audio" | "audio_url"
        | "video_url" | "file" | "input_image" | "input_file" => Part::Attachment,
        _ if name.ends_with("tool_use") => Part::ToolUse,
        _ if name.ends_with("tool_result") => Part::ToolResult,
        _ => Part::Other,
    }
}

pub(super) fn add(count: &mut u32, more: u32) {
    *count = count.saturating_add(more);
}
