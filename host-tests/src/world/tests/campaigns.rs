//! Campaigns: the families as they are promised, every knob, and what they do when refused.
use super::hamlet;
use crate::world::campaign::{
    Age, CampaignSpec, Disguise, Network, Quotas, Schedule, Signup, System,
};
use crate::world::{CampaignFacts, Person, Rewrite, Source, SystemText, Turn, World};
use std::collections::{HashMap, HashSet};

/// A campaign's account and what it sent.
struct Worker {
    person: Person,
    turns: Vec<Turn>,
}

/// What became of one campaign.
struct Lived {
    world: World,
    facts: CampaignFacts,
    workers: Vec<Worker>,
    organic: u64,
    burn_in: (u64, u64),
}

/// The family alone among few, with a knob turned.
fn lived(family: usize, seed: u64, change: impl FnOnce(&mut CampaignSpec)) -> Lived {
    lived_with(hamlet(seed, |scenario| {
        scenario.campaigns = vec![scenario.campaigns[family - 1].clone()];
        change(&mut scenario.campaigns[0]);
    }))
}

fn lived_with(mut world: World) -> Lived {
    let facts = world.campaigns().next().unwrap();
    let mut turns: HashMap<u32, Vec<Turn>> = HashMap::new();
    let (mut organic, mut burn_in) = (0, (0, 0));
    while let Some(turn) = world.next() {
        let of_campaign = world.person(turn.account).campaign.is_some();
        if turn.time < world.burn_in_end() {
            burn_in.0 += 1;
            burn_in.1 += u64::from(of_campaign);
        }
        if of_campaign {
            turns.entry(turn.account).or_default().push(turn);
        } else {
            organic += 1;
        }
    }
    let workers = turns.into_iter().map(|(account, turns)| Worker {
        person: world.person(account).clone(),
        turns,
    });
    Lived {
        facts,
        workers: workers.collect(),
        organic,
        burn_in,
        world,
    }
}

impl Lived {
    fn turns(&self) -> impl Iterator<Item = &Turn> {
        self.workers.iter().flat_map(|worker| &worker.turns)
    }
    /// Own exchanges.
    fn own(&self) -> impl Iterator<Item = &Turn> {
        self.turns().filter(|turn| !turn.customer)
    }
    /// The first request of each piece of work.
    fn work(&self) -> impl Iterator<Item = &Turn> {
        self.own().filter(|turn| turn.tool_results == 0)
    }
    /// Own exchanges of an account a day that it was in use.
    fn quota(&self) -> f64 {
        let end = self.world.burn_in_end().as_unix_seconds() + 45 * 86_400;
        let days: u64 = self
            .workers
            .iter()
            .map(|worker| end - worker.turns[0].time.as_unix_seconds())
            .sum();
        self.own().count() as f64 * 86_400.0 / days as f64
    }
    fn frames(&self) -> HashSet<u32> {
        let frame = |turn: &Turn| match turn.text.source {
            Source::Template(frame, _) | Source::Verbatim(frame, _) => Some(frame),
            Source::Free(_) => None,
        };
        self.work().filter_map(frame).collect()
    }
    /// Variance over mean of what accounts of about the same age sent.
    fn dispersion(&self) -> f64 {
        let counts: Vec<_> = self
            .workers
            .iter()
            .map(|worker| {
                let last = worker.turns.last().unwrap().time.as_unix_seconds();
                worker
                    .turns
                    .iter()
                    .filter(|turn| turn.time.as_unix_seconds() + 20 * 86_400 > last)
                    .count() as f64
            })
            .collect();
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        counts
            .iter()
            .map(|count| (count - mean).powi(2))
            .sum::<f64>()
            / counts.len() as f64
            / mean
    }
    fn hours(&self) -> [f64; 24] {
        let mut hours = [0.0; 24];
        let all = self.turns().count() as f64;
        self.turns().for_each(|turn| {
            hours[(turn.time.as_unix_seconds() / 3_600 % 24) as usize] += 1.0 / all
        });
        hours
    }
}

/// Days between the first and the last first use.
fn ramp(lived: &Lived) -> f64 {
    let first = lived
        .workers
        .iter()
        .map(|worker| worker.turns[0].time.as_unix_seconds());
    (first.clone().max().unwrap() - first.min().unwrap()) as f64 / 86_400.0
}

#[test]
fn every_family_has_its_accounts_its_quota_and_its_mark() {
    for family in 1..=6 {
        let lived = lived(family, 20 + family as u64, |_| {});
        let (facts, name) = (&lived.facts, format!("A{family}"));
        assert_eq!(facts.family, name);
        assert!(
            lived
                .workers
                .iter()
                .all(|worker| worker.person.kind == name)
        );
        // Each account comes into use, apart from a few whose owners wait longer than the world lasts.
        let missing = facts.accounts as usize - lived.workers.len();
        assert!(
            missing <= facts.accounts as usize / 20,
            "{name}: {missing} of {}",
            facts.accounts
        );
        let quota = lived.quota();
        assert!(
            (quota / facts.per_day - 1.0).abs() < 0.12,
            "{name}: {quota} instead of {}",
            facts.per_day
        );
        assert!(lived.turns().all(|turn| turn.time >= facts.start));
        let (least, most) = match family {
            1 => (20.0, 34.0),
            6 => (120.0, 200.0),
            _ => (15.0, 60.0),
        };
        assert!((least..=most).contains(&facts.per_day));
        let expected = if family == 6 { 32..=48 } else { 200..=300 };
        assert!(
            expected.contains(&facts.accounts),
            "{name}: {}",
            facts.accounts
        );
        let customers =
            lived.turns().filter(|turn| turn.customer).count() as f64 / lived.own().count() as f64;
        let promised = if family == 2 { 0.5 } else { 0.0 };
        assert!(
            (customers - promised).abs() < 0.05,
            "{name}: {customers} customers"
        );
        assert_eq!(
            lived.own().all(|turn| turn.text.rewrite == Rewrite::Whole),
            family == 4,
            "{name}"
        );
        assert_eq!(ramp(&lived) > 27.0, family == 5, "{name}: {}", ramp(&lived));
    }
}

#[test]
fn a_plain_campaign_partitions_its_work_and_is_always_at_it() {
    let lived = lived(1, 31, |_| {});
    let mut work = HashSet::new();
    assert!(lived.work().all(|turn| work.insert(turn.text.seed)));
    let hours = lived.hours();
    assert!(
        hours.iter().all(|share| (0.03..0.055).contains(share)),
        "{hours:?}"
    );
    assert!((6..=18).contains(&lived.frames().len()));
    // Networks: some accounts behind each prefix; instruments likewise.
    let prefixes: HashSet<_> = lived
        .workers
        .iter()
        .map(|worker| worker.turns[0].address >> 32)
        .collect();
    let each = lived.workers.len() as f64 / prefixes.len() as f64;
    assert!((2.5..9.0).contains(&each), "{each}");
    let paid: Vec<_> = lived
        .workers
        .iter()
        .filter_map(|worker| worker.person.payment)
        .collect();
    let each = paid.len() as f64 / paid.iter().collect::<HashSet<_>>().len() as f64;
    assert!((3.0..10.0).contains(&each), "{each}");
}

#[test]
fn many_templates_behind_residential_proxies_in_peoples_hours() {
    let lived = lived(3, 32, |_| {});
    assert!(
        (45..=57).contains(&lived.frames().len()),
        "{}",
        lived.frames().len()
    );
    for worker in lived
        .workers
        .iter()
        .filter(|worker| worker.turns.len() > 300)
    {
        let prefixes: HashSet<_> = worker.turns.iter().map(|turn| turn.address >> 32).collect();
        assert!(prefixes.len() > 30);
    }
    let hours = lived.hours();
    let most = hours.iter().copied().fold(0.0, f64::max);
    assert!(
        most > 2.0 * hours.iter().copied().fold(1.0, f64::min),
        "{hours:?}"
    );
    assert!(lived.own().all(|turn| matches!(
        lived.world.program(turn.program).system,
        SystemText::Template(_)
    )));
}

#[test]
fn disguises_are_what_they_are_called() {
    let words = lived(1, 33, |spec| spec.text = Disguise::Words { share: 0.4 });
    assert!(
        words
            .own()
            .all(|turn| turn.text.rewrite == Rewrite::Words(0.4))
    );

    let list = lived(1, 33, |spec| spec.text = Disguise::Verbatim { items: 50 });
    assert!(
        list.own()
            .all(|turn| matches!(turn.text.source, Source::Verbatim(..)))
    );
    assert!(list.frames().len() <= 50 * 18);

    let bare = lived(1, 33, |spec| spec.system = System::None {});
    assert!(
        bare.own()
            .all(|turn| bare.world.program(turn.program).system == SystemText::None)
    );

    let rewritten = lived(4, 33, |_| {});
    let system = |turn: &Turn| rewritten.world.program(turn.program).system;
    assert!(
        rewritten
            .own()
            .all(|turn| matches!(system(turn), SystemText::Rewritten(_)))
    );
}

#[test]
fn quotas_are_as_uneven_as_they_are_told_to_be() {
    let with =
        |quotas| lived(1, 34, |spec| (spec.quotas, spec.agentic) = (quotas, 0.0)).dispersion();

    let (even, poisson) = (with(Quotas::Even {}), with(Quotas::Poisson {}));
    let heavy = with(Quotas::HeavyTailed { sigma: 1.2 });

    assert!(
        even < 0.4 && (0.6..1.6).contains(&poisson) && heavy > 50.0,
        "{even} {poisson} {heavy}"
    );
}

#[test]
fn samples_and_repeats_make_duplicates() {
    let share = |change: fn(&mut CampaignSpec)| {
        let lived = lived(1, 35, change);
        let all = lived.work().count() as f64;
        1.0 - lived
            .work()
            .map(|turn| turn.text.seed)
            .collect::<HashSet<_>>()
            .len() as f64
            / all
    };

    let (twice, sometimes) = (
        share(|spec| spec.samples = 2),
        share(|spec| spec.repeats = 0.2),
    );

    assert!(
        (0.49..0.51).contains(&twice) && (0.18..0.22).contains(&sometimes),
        "{twice} {sometimes}"
    );
}

#[test]
fn accounts_can_be_aged_bought_or_stolen() {
    let age = |worker: &Worker| {
        worker.turns[0]
            .time
            .saturating_since(worker.person.created)
            .as_secs()
            / 86_400
    };
    let aged = lived(1, 36, |spec| spec.age = Age::Aged { days: 90.0 });
    assert!(
        aged.workers
            .iter()
            .all(|worker| (62..119).contains(&age(worker)))
    );

    let bought = lived(1, 36, |spec| spec.age = Age::Bought {});
    let old = bought
        .workers
        .iter()
        .filter(|worker| age(worker) > 200)
        .count();
    assert!(old * 3 > bought.workers.len());

    let mut world = hamlet(36, |scenario| {
        scenario.campaigns.truncate(1);
        scenario.campaigns[0].age = Age::Stolen {};
        scenario.campaigns[0].accounts = 60;
    });
    let (mut before, mut stolen) = (HashSet::new(), HashSet::new());
    while let Some(turn) = world.next() {
        match world.person(turn.account).campaign {
            None => before.insert(turn.account),
            Some(_) => stolen.insert(turn.account),
        };
    }
    assert!(
        stolen.len() >= 45 && stolen.is_subset(&before),
        "{}",
        stolen.len()
    );
}

#[test]
fn signups_come_in_bursts_or_trickle() {
    let busiest = |signup| {
        let lived = lived(1, 37, |spec| spec.signup = signup);
        let mut days: HashMap<u64, f64> = HashMap::new();
        for worker in &lived.workers {
            *days
                .entry(worker.person.created.as_unix_seconds() / 86_400)
                .or_default() += 1.0;
        }
        days.into_values().fold(0.0, f64::max) / lived.workers.len() as f64
    };

    let burst = busiest(Signup::Burst {
        count: 2,
        hours: 20.0,
    });
    let trickle = busiest(Signup::Trickle { days: 25.0 });

    assert!(burst > 0.25 && trickle < 0.09, "{burst} {trickle}");
}

#[test]
fn splits_share_nothing() {
    let lived = lived(1, 38, |spec| (spec.split, spec.operators) = (5, 1));
    let mut frames: HashMap<u64, HashSet<u32>> = HashMap::new();
    for worker in &lived.workers {
        let seen: HashSet<_> = worker.turns.iter().map(|turn| turn.program).collect();
        frames
            .entry(worker.person.payment.unwrap_or(worker.person.id))
            .or_default()
            .extend(seen);
    }
    let programs: HashSet<_> = lived.own().map(|turn| turn.program).collect();
    assert!(programs.len() >= 10);
    // Who shares an instrument has the same sub-operator, which has at most six templates.
    assert!(frames.values().all(|programs| programs.len() <= 6));
}

#[test]
fn it_can_hide_in_a_popular_tool_and_behind_cover_traffic() {
    let hidden = lived(1, 39, |spec| spec.mimicry = 1.0);
    assert!(
        hidden
            .own()
            .all(|turn| super::super::catalogue::Catalogue::is_tool(turn.program))
    );

    let covered = lived(1, 39, |spec| spec.cover = 1.0);
    let frames = covered.frames();
    let everyday = |turn: &&Turn| !matches!(turn.text.source, Source::Template(frame, _) if frames.contains(&frame));
    assert!(covered.turns().all(|turn| !turn.customer));
    assert!(covered.turns().filter(everyday).count() > 0);
    let rate = covered.quota() / covered.facts.per_day;
    assert!((1.8..2.2).contains(&rate), "{rate}");
}

#[test]
fn a_rota_and_networks_of_their_own() {
    let lived = lived(1, 40, |spec| {
        spec.schedule = Schedule::Rota {};
        spec.network = Network::Own {};
        spec.accounts_per_instrument = [0, 0];
        spec.agentic = 0.0;
    });
    for worker in lived
        .workers
        .iter()
        .filter(|worker| worker.turns.len() > 200)
    {
        let hours: HashSet<_> = worker
            .turns
            .iter()
            .map(|turn| turn.time.as_unix_seconds() / 3_600 % 24)
            .collect();
        let mut by_hour = [0_usize; 24];
        worker
            .turns
            .iter()
            .for_each(|turn| by_hour[(turn.time.as_unix_seconds() / 3_600 % 24) as usize] += 1);
        by_hour.sort_unstable();
        assert!(
            by_hour[16..].iter().sum::<usize>() * 10 > worker.turns.len() * 9,
            "{hours:?}"
        );
    }
    let paid: Vec<_> = lived
        .workers
        .iter()
        .filter_map(|worker| worker.person.payment)
        .collect();
    assert!(paid.iter().collect::<HashSet<_>>().len() * 10 > paid.len() * 8);
}

#[test]
fn a_contaminated_burn_in_holds_the_share_it_is_told() {
    for share in [0.005, 0.02] {
        let lived = lived_with(hamlet(41, |scenario| {
            scenario.campaigns.truncate(1);
            scenario.contamination = share;
        }));
        let (all, of_campaign) = lived.burn_in;
        let found = of_campaign as f64 / all as f64;
        assert!(
            (found / share - 1.0).abs() < 0.25,
            "{found} instead of {share}"
        );
        assert!(lived.organic > 0);
    }
}
