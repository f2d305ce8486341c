//! Every client program of a world, and what people say through it.
//!
//! The first [`TOOLS`] are the shared tools (Zipf), then come plain chat clients; private programs are
//! added as accounts need them. Specs come from one generator, whoever the program belongs to.
use super::spec::{ProgramKind, ProgramSpec, SystemText};
use super::turn::{Rewrite, Source, Text};
use crate::simulate::random::{Random, mix};

/// Shared tools.
pub(super) const TOOLS: usize = 200;
/// Chat clients and SDK quick starts without a system prompt.
const PLAIN: usize = 60;
/// Shapes that many programs have: SDK defaults.
const COMMON_SHAPES: f64 = 300.0;

/// What the users of a program say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Speech {
    /// What people type; three in four times about this topic.
    Free(u8),
    /// A frame with slots.
    Slots {
        /// Number of the frame.
        frame: u32,
        /// Its topic.
        topic: u8,
        /// Different fillings that there are; 0 for no end of them.
        variety: u32,
        /// How it is disguised.
        rewrite: Rewrite,
    },
    /// One of some fixed texts.
    Items {
        /// Number of the first.
        first: u32,
        /// How many there are.
        count: u32,
        /// Their topic.
        topic: u8,
        /// Share of exchanges that say something of their own instead.
        free: f32,
    },
}

impl Speech {
    /// A text for a new conversation.
    pub(super) fn text(&self, random: &mut Random) -> Text {
        let (source, seed, rewrite) = match *self {
            Self::Free(topic) => (
                Source::Free(around(topic, random)),
                random.next(),
                Rewrite::Not,
            ),
            Self::Slots {
                frame,
                topic,
                variety,
                rewrite,
            } => {
                let seed = match variety {
                    0 => random.next(),
                    // Some fillings are far more common than others.
                    variety => mix(
                        u64::from(frame),
                        f64::from(variety).powf(random.unit()) as u64,
                    ),
                };
                (Source::Template(frame, topic), seed, rewrite)
            }
            Self::Items { topic, free, .. } if random.chance(f64::from(free)) => {
                (Source::Free(topic), random.next(), Rewrite::Not)
            }
            Self::Items {
                first,
                count,
                topic,
                ..
            } => {
                let item = first.wrapping_add(random.below(count as usize) as u32);
                (Source::Verbatim(item, topic), u64::from(item), Rewrite::Not)
            }
        };
        Text {
            source,
            seed,
            rewrite,
        }
    }
}

/// A topic near this one: three in four times itself.
fn around(topic: u8, random: &mut Random) -> u8 {
    if random.chance(0.75) {
        topic
    } else {
        random.below(super::TOPICS.len()) as u8
    }
}

/// A program and what is said through it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    pub(super) spec: ProgramSpec,
    pub(super) words: Speech,
}

/// All programs of a world.
pub(super) struct Catalogue {
    seed: u64,
    programs: Vec<Program>,
}

impl Catalogue {
    pub(super) fn new(seed: u64) -> Self {
        let mut catalogue = Self {
            seed: mix(seed, 201),
            programs: Vec::new(),
        };
        let mut random = Random::new(seed, 202);
        for rank in 0..TOOLS {
            // The most popular tools are agents for code and chat front ends, as everywhere.
            let kind = match random.unit() {
                share if rank < 12 && share < 0.6 => ProgramKind::Ide,
                share if share < 0.35 => ProgramKind::Ide,
                share if share < 0.7 => ProgramKind::Chat,
                _ => ProgramKind::App,
            };
            let topic = catalogue.topic(kind, &mut random);
            let system = match random.unit() {
                share if share < 0.6 => SystemText::Fixed(random.next() as u32),
                share if share < 0.92 => SystemText::Template(random.next() as u32),
                _ => SystemText::None,
            };
            let words = if kind == ProgramKind::App || random.chance(0.15) {
                slots(topic, 3_000, &mut random)
            } else {
                Speech::Free(topic)
            };
            catalogue.add(kind, topic, system, words, &mut random);
        }
        for _ in 0..PLAIN {
            let kind = if random.chance(0.5) {
                ProgramKind::Chat
            } else {
                ProgramKind::Script
            };
            let topic = catalogue.topic(kind, &mut random);
            catalogue.add(
                kind,
                topic,
                SystemText::None,
                Speech::Free(topic),
                &mut random,
            );
        }
        catalogue
    }
    /// Adds a program; its shape comes from the one generator that there is.
    pub(super) fn add(
        &mut self,
        kind: ProgramKind,
        topic: u8,
        system: SystemText,
        words: Speech,
        random: &mut Random,
    ) -> u32 {
        let shape = self.shape(random);
        let tools = match kind {
            ProgramKind::Ide => true,
            ProgramKind::Chat => random.chance(0.15),
            ProgramKind::App | ProgramKind::Script => random.chance(0.2),
            ProgramKind::Batch => random.chance(0.05),
        };
        let spec = ProgramSpec {
            seed: random.next(),
            kind,
            topic,
            system,
            tools: tools.then(|| random.next() as u32),
            shape,
        };
        self.push(Program { spec, words })
    }
    /// Adds this program as it is.
    pub(super) fn push(&mut self, program: Program) -> u32 {
        self.programs.push(program);
        (self.programs.len() - 1) as u32
    }
    /// SDK and parameters: mostly one of the common ones, the first the most common.
    pub(super) fn shape(&self, random: &mut Random) -> u64 {
        if random.chance(0.7) {
            mix(self.seed, COMMON_SHAPES.powf(random.unit()) as u64)
        } else {
            random.next()
        }
    }
    /// What a program of this kind is about.
    pub(super) fn topic(&self, kind: ProgramKind, random: &mut Random) -> u8 {
        let among: &[u8] = match kind {
            ProgramKind::Ide => &[0, 0, 0, 0, 1, 2],
            ProgramKind::Chat => &[0, 3, 6, 8, 9, 10, 10, 11, 11, 7],
            ProgramKind::App => &[1, 6, 7, 7, 8, 8, 9, 10, 11, 5, 2],
            ProgramKind::Batch => &[3, 4, 5, 7, 7, 8, 9, 6],
            ProgramKind::Script => &[0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        };
        among.get(random.below(among.len())).copied().unwrap_or(10)
    }
    /// One of the shared tools, the first the most popular (Zipf, exponent 1).
    pub(super) fn tool(&self, random: &mut Random) -> u32 {
        ((TOOLS as f64 + 1.0).powf(random.unit()) as u32 - 1).min(TOOLS as u32 - 1)
    }
    /// A shared tool of this kind, or any after some tries.
    pub(super) fn tool_of(&self, kind: ProgramKind, random: &mut Random) -> u32 {
        let mut tool = self.tool(random);
        for _ in 0..12 {
            if self.program(tool).spec.kind == kind {
                break;
            }
            tool = self.tool(random);
        }
        tool
    }
    /// One of the plain clients.
    pub(super) fn plain(&self, random: &mut Random) -> u32 {
        (TOOLS + random.below(PLAIN).min(random.below(PLAIN))) as u32
    }
    /// A private application: its own system prompt and frame, its users' questions in the slots.
    pub(super) fn private_app(&mut self, kind: ProgramKind, random: &mut Random) -> u32 {
        let topic = self.topic(kind, random);
        let system = match random.unit() {
            share if share < 0.55 => SystemText::Own(random.next()),
            share if share < 0.85 => SystemText::Template(random.next() as u32),
            _ => SystemText::None,
        };
        let variety = random.log_normal(2_000.0, 1.5).min(1e6) as u32 + 20;
        let words = match random.unit() {
            share if share < 0.3 => Speech::Free(topic),
            share if share < 0.85 => slots(topic, variety, random),
            // Every record once: an ETL job, a data set to be labelled.
            _ => slots(topic, 0, random),
        };
        self.add(kind, topic, system, words, random)
    }
    /// Somebody's own script.
    pub(super) fn private_script(&mut self, random: &mut Random) -> u32 {
        let topic = self.topic(ProgramKind::Script, random);
        let system = if random.chance(0.6) {
            SystemText::Own(random.next())
        } else {
            SystemText::None
        };
        let words = if random.chance(0.35) {
            slots(topic, if random.chance(0.5) { 0 } else { 400 }, random)
        } else {
            Speech::Free(topic)
        };
        self.add(ProgramKind::Script, topic, system, words, random)
    }
    /// Program `number`; an empty one where there is no such program.
    pub(super) fn program(&self, number: u32) -> &Program {
        static NONE: Program = Program {
            spec: ProgramSpec {
                seed: 0,
                kind: ProgramKind::Chat,
                topic: 0,
                system: SystemText::None,
                tools: None,
                shape: 0,
            },
            words: Speech::Free(0),
        };
        self.programs.get(number as usize).unwrap_or(&NONE)
    }
    pub(super) fn memory_bytes(&self) -> usize {
        self.programs.capacity() * size_of::<Program>()
    }
    pub(super) fn len(&self) -> usize {
        self.programs.len()
    }
    /// Whether this is one of the shared tools.
    #[cfg(test)]
    pub(super) fn is_tool(program: u32) -> bool {
        (program as usize) < TOOLS
    }
}

/// A new frame.
pub(super) fn slots(topic: u8, variety: u32, random: &mut Random) -> Speech {
    Speech::Slots {
        frame: random.next() as u32,
        topic,
        variety,
        rewrite: Rewrite::Not,
    }
}
