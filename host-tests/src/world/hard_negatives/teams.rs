//! Strata of accounts that belong together: H4, H5, H6, H13.
use super::{Strata, give, put, topic};
use crate::world::catalogue::Speech;
use crate::world::life::Rhythm;
use crate::world::network::Access;
use crate::world::population::Kind;
use crate::world::setting::{days, first_use_delay};
use crate::world::spec::{ProgramKind, SystemText};

impl Strata<'_> {
    pub(super) fn teams(&mut self) {
        self.laboratory();
        self.enterprise();
        self.aggregator();
        self.agency();
    }
    /// H4: a university laboratory of 20 accounts runs a benchmark: the same 500 tasks for everybody,
    /// with one harness, in long tool loops.
    fn laboratory(&mut self) {
        let place = self.shared_place(Access::Campus);
        let begins = self.day_between(0.1, 0.4);
        let (laboratory, number) = (self.random.next(), self.random.next() as u32);
        let tasks = Speech::Items {
            first: self.random.next() as u32,
            count: 500,
            topic: topic("software"),
            free: 0.0,
        };
        let harness = self.setting.catalogue.add(
            ProgramKind::Ide,
            topic("software"),
            SystemText::Fixed(number),
            tasks,
            &mut self.random,
        );
        for index in 0..20 {
            let begins = begins + days(10.0 * self.random.unit());
            let mut member = if index % 2 == 0 {
                self.settled("H4", Kind::Ide)
            } else {
                let created = begins.saturating_sub(first_use_delay(&mut self.random));
                self.new_account("H4", Kind::Ide, created, begins)
            };
            put(&mut member, place, &mut self.random);
            let life = &mut member.life;
            life.next = life.next.max(begins);
            give(life, harness);
            life.rhythm = Rhythm::Coding;
            life.rate = 1.5;
            life.length = 60.0;
            life.until = begins + days(6.0 + 14.0 * self.random.unit());
            if index % 4 != 0 {
                member.person.organization = laboratory;
            }
            self.made.push(member);
        }
    }
    /// H5: seats of an enterprise with single sign-on; half of them come on one day.
    fn enterprise(&mut self) {
        let place = self.shared_place(Access::Office);
        let rollout = self.day_between(0.1, 0.6);
        let (company, contract, number) = (
            self.random.next(),
            self.random.next(),
            self.random.next() as u32,
        );
        let assistant = self.setting.catalogue.add(
            ProgramKind::Chat,
            topic("documents"),
            SystemText::Fixed(number),
            Speech::Free(topic("documents")),
            &mut self.random,
        );
        for index in 0..self.count(60, 30) {
            let kind = if self.random.chance(0.4) {
                Kind::Ide
            } else {
                Kind::Chat
            };
            let mut member = if index % 2 == 0 {
                self.settled("H5", kind)
            } else {
                let created = rollout + days(0.3 * self.random.unit());
                let first = created + first_use_delay(&mut self.random);
                self.new_account("H5", kind, created, first)
            };
            if self.random.chance(0.8) {
                put(&mut member, place, &mut self.random);
            }
            let [usual, _] = member.life.programs;
            member.life.programs = [assistant, usual];
            member.life.first_share = 0.7;
            let person = &mut member.person;
            person.organization = company;
            person.payment = Some(contract);
            person.plan = "enterprise";
            person.verification = Some("organization");
            self.made.push(member);
        }
    }
    /// H6: a legitimate reseller with keys for its customers, who do all kinds of things.
    fn aggregator(&mut self) {
        let place = self.shared_place(Access::Cloud);
        let (company, contract) = (self.random.next(), self.random.next());
        let span = self.setting.end - self.setting.start;
        for index in 0..self.count(60, 40) {
            let kind = match index % 10 {
                0..6 => Kind::Chat,
                6..9 => Kind::Ide,
                _ => Kind::App,
            };
            let mut member = if self.random.chance(0.45) {
                self.settled("H6", kind)
            } else {
                let created = self.setting.start + (span as f64 * 0.9 * self.random.unit()) as u64;
                let first = created + first_use_delay(&mut self.random).min(days(2.0));
                self.new_account("H6", kind, created, first)
            };
            put(&mut member, place, &mut self.random);
            let person = &mut member.person;
            person.organization = company;
            person.payment = Some(contract);
            person.plan = "enterprise";
            self.made.push(member);
        }
    }
    /// H13: an agency whose 40 freelancers use one card.
    fn agency(&mut self) {
        let card = self.random.next();
        let place = self.shared_place(Access::Office);
        for index in 0..40 {
            let kind = if self.random.chance(0.5) {
                Kind::Ide
            } else {
                Kind::Chat
            };
            let mut member = if index % 4 == 0 {
                let created = self.day_between(0.0, 0.7);
                let first = created + first_use_delay(&mut self.random);
                self.new_account("H13", kind, created, first)
            } else {
                self.settled("H13", kind)
            };
            if self.random.chance(0.5) {
                put(&mut member, place, &mut self.random);
            }
            let person = &mut member.person;
            person.payment = Some(card);
            if person.plan == "free" {
                person.plan = "payg";
            }
            self.made.push(member);
        }
    }
}
