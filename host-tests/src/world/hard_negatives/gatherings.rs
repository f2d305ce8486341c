//! Strata of many accounts that do the same thing for a while: H1, H2, H3, H10, H11, H12.
use super::{Strata, give, put, topic};
use crate::world::catalogue::Speech;
use crate::world::life::Rhythm;
use crate::world::network::Access;
use crate::world::population::Kind;
use crate::world::schedule::DAY;
use crate::world::setting::{days, first_use_delay};
use crate::world::spec::{ProgramKind, SystemText};

impl Strata<'_> {
    pub(super) fn gatherings(&mut self) {
        self.ide_agent();
        self.viral_tool();
        self.class();
        self.mobile_app();
        self.release_day();
        self.hackathon();
    }
    /// H1: an IDE agent with one system prompt and many users.
    fn ide_agent(&mut self) {
        let number = self.random.next() as u32;
        let program = self.setting.catalogue.add(
            ProgramKind::Ide,
            topic("software"),
            SystemText::Fixed(number),
            Speech::Free(topic("software")),
            &mut self.random,
        );
        for _ in 0..self.count(200, 60) {
            let mut member = self.settled("H1", Kind::Ide);
            let [_, other] = member.life.programs;
            member.life.programs = [program, other];
            self.made.push(member);
        }
    }
    /// H2: an open-source tool goes viral: three in five of its users sign up for it within three days.
    fn viral_tool(&mut self) {
        let begins = self.day_between(0.15, 0.6);
        let number = self.random.next() as u32;
        let program = self.setting.catalogue.add(
            ProgramKind::Ide,
            topic("agents"),
            SystemText::Fixed(number),
            Speech::Free(topic("agents")),
            &mut self.random,
        );
        let count = self.count(70, 50);
        for index in 0..count {
            let at = begins + days(3.0 * self.random.unit().powf(1.5));
            let mut member = if index * 5 < count * 3 {
                let first = at + first_use_delay(&mut self.random).min(DAY / 2);
                self.new_account("H2", Kind::Ide, at, first)
            } else {
                // They had been there, and try it now.
                let mut member = self.settled("H2", Kind::Ide);
                member.life.next = member.life.next.max(at);
                member
            };
            give(&mut member.life, program);
            member.life.until = at + days(2.0 + self.random.exponential(25.0));
            self.made.push(member);
        }
    }
    /// H3: a class: new accounts of one week behind one NAT, the same assignments, the same deadline.
    fn class(&mut self) {
        let begins = self.day_between(0.1, 0.6);
        let place = self.shared_place(Access::Campus);
        let university = self.random.next();
        let first_item = self.random.next() as u32;
        let program = self.setting.catalogue.add(
            ProgramKind::Chat,
            topic("software"),
            SystemText::None,
            Speech::Items {
                first: first_item,
                count: 6,
                topic: topic("software"),
                free: 0.35,
            },
            &mut self.random,
        );
        for index in 0..self.count(60, 60) {
            let created = begins + days(5.0 * self.random.unit());
            let first = created + days(0.4 * self.random.unit());
            let mut member = self.new_account("H3", Kind::Chat, created, first);
            put(&mut member, place, &mut self.random);
            let life = &mut member.life;
            give(life, program);
            life.rate = (self.random.log_normal(4.0, 0.5) / f64::from(life.length)) as f32;
            life.until = begins + days(12.0 + 6.0 * self.random.unit());
            member.person.plan = "free";
            member.person.verification = Some("email");
            if index % 2 == 0 {
                member.person.organization = university;
            }
            self.made.push(member);
        }
    }
    /// H10: a mobile app whose users have keys of their own with a daily cap, so that they look even.
    fn mobile_app(&mut self) {
        let number = self.random.next() as u32;
        let cap = 16 + self.random.below(14) as u16;
        let company = self.random.next();
        let program = self.setting.catalogue.add(
            ProgramKind::App,
            topic("advice"),
            SystemText::Template(number),
            Speech::Free(topic("advice")),
            &mut self.random,
        );
        let span = self.setting.end - self.setting.start;
        for index in 0..self.count(120, 60) {
            // Keys are made when the app is installed: some before the world, most while it goes on.
            let mut member = if index % 5 < 2 {
                self.settled("H10", Kind::Chat)
            } else {
                let created = self.setting.start + (span as f64 * 0.8 * self.random.unit()) as u64;
                self.new_account("H10", Kind::Chat, created, created + 5 * 60 * 1_000_000_000)
            };
            let life = &mut member.life;
            give(life, program);
            life.cap = cap;
            life.length = 4.0;
            life.rate = f32::from(cap) * 1.6 / 4.0;
            life.until = life.next + days(self.random.exponential(40.0));
            if index % 2 == 0 {
                member.person.organization = company;
            }
            self.made.push(member);
        }
    }
    /// H11: developers who all go over to the new model within hours of its release.
    fn release_day(&mut self) {
        let Some(release) = self.setting.release else {
            return;
        };
        for _ in 0..self.count(120, 40) {
            let mut member = self.settled("H11", Kind::Ide);
            member.life.pivot = release + days(0.5 * self.random.unit());
            self.made.push(member);
        }
    }
    /// H12: a hackathon: more than a hundred new accounts in 48 hours with the same promotional payment.
    fn hackathon(&mut self) {
        let begins = self.day_between(0.2, 0.8);
        let place = self.shared_place(Access::Office);
        let promotion = self.random.next();
        for _ in 0..self.count(110, 105) {
            let created = begins + (2.0 * DAY as f64 * self.random.unit().powi(2)) as u64;
            let first = created + days(0.05 * self.random.unit());
            let mut member = self.new_account("H12", Kind::Ide, created, first);
            if self.random.chance(0.7) {
                put(&mut member, place, &mut self.random);
            }
            let life = &mut member.life;
            life.rhythm = Rhythm::Coding;
            life.rate = 5.0;
            life.length = self.random.log_normal(14.0, 0.8) as f32 + 2.0;
            life.until = begins + days(2.0 + 0.3 * self.random.unit());
            if self.random.chance(0.15) {
                // Some stay and go on.
                life.until += days(self.random.exponential(30.0));
            }
            member.person.plan = "free";
            member.person.payment = Some(promotion);
            self.made.push(member);
        }
    }
}
