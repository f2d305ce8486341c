//! A sub-operator: its programs, its templates, and what a piece of its work looks like.
use super::knobs::{CampaignSpec, Disguise, Schedule, System};
use crate::simulate::random::Random;
use crate::world::TOPICS;
use crate::world::catalogue::{Program, Speech};
use crate::world::life::Assignment;
use crate::world::schedule::{Calendars, Style};
use crate::world::setting::Setting;
use crate::world::spec::{ProgramKind, SystemText};
use crate::world::turn::{Rewrite, Source, Text};

/// Topics whose work runs in loops of tool results.
const AGENTIC: [&str; 2] = ["software", "agents"];

/// One way to ask.
struct Template {
    program: u32,
    frame: u32,
    topic: u8,
}

/// A sub-operator.
pub(super) struct Operator {
    templates: Vec<Template>,
    topics: Vec<u8>,
    disguise: Disguise,
    shift: u8,
    /// Share of work that loops.
    agentic: f64,
    depth: [u16; 2],
    /// The popular tool whose program it uses.
    tool: Option<u32>,
    /// Its machine images: how many days their clients are behind. They are never brought up to date.
    images: [f32; 3],
    /// What its own programs have in common.
    like: Program,
}

impl Operator {
    pub(super) fn new(
        spec: &CampaignSpec,
        index: u32,
        setting: &mut Setting,
        random: &mut Random,
    ) -> Self {
        let known = |name: &String| {
            TOPICS
                .iter()
                .position(|topic| topic == name)
                .map(|topic| topic as u8)
        };
        let targets: Vec<u8> = spec.targets.iter().filter_map(known).collect();
        let topics: Vec<u8> = (0..2)
            .filter_map(|_| targets.get(random.below(targets.len())).copied())
            .collect();
        let is_agentic = topics.iter().any(|topic| {
            TOPICS
                .get(usize::from(*topic))
                .is_some_and(|name| AGENTIC.contains(name))
        });
        let tool = random
            .chance(spec.mimicry)
            .then(|| setting.catalogue.tool_of(ProgramKind::Ide, random));
        let kind = if random.chance(0.7) {
            ProgramKind::Script
        } else {
            ProgramKind::Batch
        };
        let first = setting.catalogue.add(
            kind,
            topics.first().copied().unwrap_or(0),
            SystemText::None,
            Speech::Free(0),
            random,
        );
        let mut like = *setting.catalogue.program(first);
        like.spec.tools = is_agentic.then(|| random.next() as u32);
        let mut operator = Self {
            templates: Vec::new(),
            topics,
            disguise: spec.text,
            shift: (index % 3) as u8,
            agentic: if is_agentic { spec.agentic } else { 0.0 },
            depth: spec.depth,
            tool,
            images: [(); 3].map(|()| Setting::version_lag(random)),
            like,
        };
        let [from, to] = spec.templates;
        for _ in 0..from.max(1) as usize + random.below((to.saturating_sub(from) + 1) as usize) {
            operator.add_template(spec, setting, random);
        }
        operator
    }
    fn add_template(&mut self, spec: &CampaignSpec, setting: &mut Setting, random: &mut Random) {
        let topic = self
            .topics
            .get(random.below(self.topics.len()))
            .copied()
            .unwrap_or(0);
        let frame = random.next() as u32;
        let program = match self.tool {
            Some(tool) => tool,
            None => {
                let mut program = self.like;
                let number = random.next() as u32;
                program.spec.topic = topic;
                program.spec.system = match spec.system {
                    System::None {} => SystemText::None,
                    System::Fixed {} => SystemText::Fixed(number),
                    System::Template {} => SystemText::Template(number),
                    System::Rewritten {} => SystemText::Rewritten(number),
                };
                setting.catalogue.push(program)
            }
        };
        self.templates.push(Template {
            program,
            frame,
            topic,
        });
    }
    /// One of its machine images: the days that its client is behind.
    pub(super) fn image(&self, random: &mut Random) -> f32 {
        let number = random.below(self.images.len());
        self.images.get(number).copied().unwrap_or(0.0)
    }
    /// Asks in another way from now on: new templates in a program of another shape.
    pub(super) fn change(
        &mut self,
        spec: &CampaignSpec,
        setting: &mut Setting,
        random: &mut Random,
    ) {
        let count = self.templates.len();
        self.templates.clear();
        if random.chance(0.5) {
            self.like.spec.shape = setting.catalogue.shape(random);
        }
        for _ in 0..count {
            self.add_template(spec, setting, random);
        }
    }
    /// Mean exchanges of a piece of work.
    pub(super) fn turns_per_work(&self) -> f64 {
        let [from, to] = self.depth;
        1.0 - self.agentic + self.agentic * f64::from(from + to) / 2.0
    }
    /// The calendar of an account in this region.
    pub(super) fn calendar(&self, schedule: Schedule, region: u8) -> u8 {
        match schedule {
            Schedule::Flat {} => Calendars::number(Style::Always, region),
            Schedule::Diurnal {} => Calendars::number(Style::Work, region),
            Schedule::Rota {} => Calendars::number(Style::Shift(self.shift), 5),
        }
    }
    /// A piece of work.
    pub(super) fn work(&self, seed: u64, random: &mut Random) -> Assignment {
        let Some(template) = self.templates.get(random.below(self.templates.len())) else {
            return Assignment::none();
        };
        let slots = Source::Template(template.frame, template.topic);
        let (source, rewrite) = match self.disguise {
            Disguise::Slot {} => (slots, Rewrite::Not),
            Disguise::Words { share } => (slots, Rewrite::Words(share as f32)),
            Disguise::Rewritten {} => (slots, Rewrite::Whole),
            Disguise::Verbatim { items } => {
                let item = template
                    .frame
                    .wrapping_add((seed % u64::from(items.max(1))) as u32);
                (Source::Verbatim(item, template.topic), Rewrite::Not)
            }
        };
        let loops = random.chance(self.agentic);
        let [from, to] = self.depth;
        Assignment {
            program: template.program,
            text: Text {
                source,
                seed,
                rewrite,
            },
            turns: if loops {
                from + random.below(usize::from(to.saturating_sub(from)) + 1) as u16
            } else {
                1
            },
            tool_loop: u16::from(loops),
            scripted: true,
            customer: false,
        }
    }
}
