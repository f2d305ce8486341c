//! Strata of a handful of accounts whose requests themselves look like extraction: H7, H8, H9.
use super::{Strata, each_day, give, topic};
use crate::world::catalogue::{Speech, slots};
use crate::world::life::Rhythm;
use crate::world::population::Kind;
use crate::world::schedule::{Calendars, Style};
use crate::world::spec::{ProgramKind, SystemText};
use crate::world::turn::Rewrite;

impl Strata<'_> {
    pub(super) fn services(&mut self) {
        self.cron();
        self.labelling();
        self.optimiser();
    }
    /// H7: ETL jobs with a perfect period; 100,000 a day at full size.
    fn cron(&mut self) {
        for _ in 0..self.count(4, 3) {
            let mut member = self.settled("H7", Kind::App);
            let words = slots(topic("documents"), 0, &mut self.random);
            let system = SystemText::Own(self.random.next());
            let program = self.setting.catalogue.add(
                ProgramKind::Batch,
                topic("documents"),
                system,
                words,
                &mut self.random,
            );
            let life = &mut member.life;
            give(life, program);
            life.rhythm = each_day(1_000.0 * self.size.clamp(0.1, 10.0));
            self.made.push(member);
        }
    }
    /// H8: a licensed customer who makes synthetic data and grades it: reasoning, rubrics, every piece
    /// of work once.
    fn labelling(&mut self) {
        let (company, contract, shape) = (
            self.random.next(),
            self.random.next(),
            self.random.next() as u32,
        );
        for index in 0..self.count(5, 4) {
            let mut member = self.settled("H8", Kind::Batch);
            let about = topic(if index % 2 == 0 {
                "grading"
            } else {
                "reasoning"
            });
            let words = slots(about, 0, &mut self.random);
            let system = SystemText::Template(shape.wrapping_add(index % 2));
            let program = self.setting.catalogue.add(
                ProgramKind::Batch,
                about,
                system,
                words,
                &mut self.random,
            );
            let life = &mut member.life;
            give(life, program);
            life.rhythm = Rhythm::Stream;
            life.calendar = Calendars::number(Style::Always, 0);
            life.length = 1.0;
            life.rate = (700.0 * self.size.clamp(0.1, 10.0)) as f32;
            let person = &mut member.person;
            person.organization = company;
            person.payment = Some(contract);
            person.plan = "enterprise";
            person.verification = Some("organization");
            self.made.push(member);
        }
    }
    /// H9: prompt optimisers: the same task again and again, its instructions said anew each time.
    fn optimiser(&mut self) {
        for index in 0..self.count(6, 5) {
            let mut member = self.settled("H9", Kind::Batch);
            let about = topic(match index % 4 {
                0 => "reasoning",
                1 => "math",
                2 => "grading",
                _ => "documents",
            });
            let number = self.random.next() as u32;
            let rewrite = if index % 2 == 0 {
                Rewrite::Whole
            } else {
                Rewrite::Words(0.3)
            };
            let words = Speech::Slots {
                frame: self.random.next() as u32,
                topic: about,
                variety: 300,
                rewrite,
            };
            let program = self.setting.catalogue.add(
                ProgramKind::Script,
                about,
                SystemText::Rewritten(number),
                words,
                &mut self.random,
            );
            let life = &mut member.life;
            give(life, program);
            life.rate = 0.8;
            life.length = (250.0 * self.size.clamp(0.2, 5.0)) as f32;
            self.made.push(member);
        }
    }
}
