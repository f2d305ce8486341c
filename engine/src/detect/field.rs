//! One field of a prompt, from its text to its print.
use super::mix::{join, mix};
use super::normalise::fold;
use super::prompt::{FieldPrint, Topics};
use super::shingles::Shingles;
use super::skeleton::Skeleton;
use super::tokens::{Token, scan};
use super::topics::TopicCount;
use alloc::string::String;

/// What is read off one field.
pub(super) struct Features {
    pub(super) field: FieldPrint,
    /// Only of a user turn; else 0.
    pub(super) skeleton: u32,
    pub(super) topics: Topics,
}

/// Reads a field. `IS_USER` adds the skeleton, which a system prompt does not need.
pub(super) struct Field<const IS_USER: bool> {
    exact: u64,
    is_empty: bool,
    words: u32,
    shingles: Shingles,
    skeleton: Skeleton,
    topics: TopicCount,
}

impl<const IS_USER: bool> Field<IS_USER> {
    /// Reads the stretches of a field, in order; text is missing between one and the next.
    ///
    /// Linear in their length. `scratch` is overwritten where a stretch is not all ASCII.
    pub(super) fn read(stretches: &[&str], scratch: &mut String) -> Features {
        let mut field = Self {
            exact: 0,
            is_empty: true,
            words: 0,
            shingles: Shingles::default(),
            skeleton: Skeleton::new(),
            topics: TopicCount::default(),
        };
        for (index, stretch) in stretches.iter().enumerate() {
            if index > 0 {
                field.shingles.end_run();
                field.topics.end_run();
            }
            let text = if stretch.is_ascii() {
                *stretch
            } else {
                scratch.clear();
                fold(stretch, scratch);
                scratch.as_str()
            };
            scan(text.trim_ascii(), |token| field.token(token));
        }
        field.finish()
    }

    #[inline]
    fn token(&mut self, token: Token) {
        match token {
            Token::Word(hash) => {
                let is_stop = self.topics.word(hash);
                self.word(hash, is_stop);
                if IS_USER {
                    if is_stop {
                        self.skeleton.bone(hash);
                    } else {
                        self.skeleton.content();
                    }
                }
            }
            Token::Character(hash) => {
                self.whole(hash);
                self.words = self.words.saturating_add(1);
                self.shingles.character(hash);
                self.skeleton.content();
            }
            Token::Class(hash) => {
                self.word(hash, false);
                self.topics.end_run();
                self.skeleton.content();
            }
            Token::Code(hash) => {
                self.word(hash, false);
                self.topics.end_run();
                self.skeleton.bone(CODE);
            }
            Token::Mark(hash) => {
                self.whole(hash);
                if IS_USER {
                    self.skeleton.bone(hash);
                }
            }
            Token::Line => self.skeleton.bone(LINE),
            Token::Paragraph => self.skeleton.bone(PARAGRAPH),
        }
    }

    #[inline]
    fn word(&mut self, hash: u64, is_stop: bool) {
        self.whole(hash);
        self.words = self.words.saturating_add(1);
        self.shingles.word(hash, is_stop);
    }

    #[inline]
    fn whole(&mut self, hash: u64) {
        self.is_empty = false;
        self.exact = join(self.exact, hash);
    }

    fn finish(self) -> Features {
        let (shingles, len) = self.shingles.finish();
        Features {
            field: FieldPrint {
                exact: if self.is_empty {
                    0
                } else {
                    mix(self.exact).max(1)
                },
                shingles,
                len,
                words: u16::try_from(self.words).unwrap_or(u16::MAX),
            },
            skeleton: if IS_USER { self.skeleton.finish() } else { 0 },
            topics: self.topics.finish(self.words),
        }
    }
}

/// Bones that are no words; hashes of words are not that small.
const LINE: u64 = 2;
const PARAGRAPH: u64 = 3;
const CODE: u64 = 4;
