//! From the decisions of a period to thresholds, and to what they would come to.
use super::effect::{campaigns, counted, effect};
use super::exact::{allowed, fewest, three_by, upper};
use super::history::{Cuts, reaches};
use super::notes::notes;
use super::period::{Account, Period};
use super::report::{Assumption, CutReport, FORMAT, Proposal, Report};
use super::table::yaml;
use std::collections::{HashMap, HashSet};
use weir_engine::detect::{KEPT_BELOW_WATCH, State};

/// Shares of accounts that may belong to campaigns.
const SHARES: [f64; 6] = [0.0, 0.001, 0.005, 0.01, 0.02, 0.05];
/// States that thresholds enter.
const ENTERED: [State; 3] = [State::Watch, State::StepUp, State::Restrict];
/// Thresholds that a policy may name.
const LIMITS: [f64; 2] = [0.0, 100.0];

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Share of innocent accounts that may come to `watch`, `step_up` and `restrict` within the period.
    pub rates: [f64; 3],
    /// Campaigns that somebody looked at and found to be real.
    pub confirmed: Vec<String>,
    /// All of them are.
    pub all_confirmed: bool,
    /// Digest of the policy that named the present thresholds; `None` where they are assumed.
    pub digest: Option<String>,
}

/// Why nothing can be proposed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// There is nothing.
    #[error("there are no decisions to calibrate with")]
    Empty,
    /// The period is too short.
    #[error(
        "all {exchanges} decisions are of the learning period, in which nobody is judged: record on until `detection.learn` is over, and then for some days"
    )]
    Learning {
        /// Decisions read.
        exchanges: u64,
    },
    /// Nobody looks for campaigns.
    #[error("no decision tells a score: the policy that made them has no `detection`")]
    NoDetection,
    /// Nobody is left.
    #[error(
        "no account is left to calibrate with: all that were judged are on lists, have a fixed state, or belong to confirmed campaigns"
    )]
    Nobody,
    /// The rate is too small for so few accounts.
    #[error(
        "{accounts} accounts cannot show a rate of {rate}: the smallest that they can show is about 3/{accounts}, and {rate} needs {fewest} accounts; record more, or ask for --false-positive-rate {}", three_by(*accounts)
    )]
    TooFew {
        /// Accounts judged, less the confirmed ones.
        accounts: u64,
        /// The wanted rate.
        rate: f64,
        /// Accounts that it needs.
        fewest: u64,
    },
    /// A campaign that is not in the decisions.
    #[error(
        "no account was found in a campaign {0}; see `campaigns` of the output for those there are"
    )]
    UnknownCampaign(String),
}

/// The largest score with which an account could have entered each state, and of these the one for `watch` first.
type Largest = [f64; 3];

/// Proposes thresholds for `period`.
///
/// # Errors
/// [`Refusal`]: what the decisions cannot tell.
pub fn propose(period: &Period, asked: &Asked) -> Result<Report, Refusal> {
    if period.exchanges == 0 {
        return Err(Refusal::Empty);
    }
    if period.judged == 0 {
        return Err(match (period.learning, period.undetected) {
            (0, 0) => Refusal::Nobody,
            (0, _) => Refusal::NoDetection,
            _ => Refusal::Learning {
                exchanges: period.exchanges,
            },
        });
    }
    let confirmed = confirmed(period, asked)?;
    let is_confirmed = |account: &Account| {
        account
            .campaigns
            .iter()
            .any(|campaign| confirmed.contains(campaign))
    };
    let innocent: Vec<&Account> = period
        .accounts
        .iter()
        .filter(|account| !is_confirmed(account))
        .collect();
    let [_, _, rate] = asked.rates;
    let accounts = innocent.len() as u64;
    if accounts == 0 {
        return Err(Refusal::Nobody);
    }
    if allowed(accounts, rate).is_none() {
        return Err(Refusal::TooFew {
            accounts,
            rate,
            fewest: fewest(rate),
        });
    }
    let largest: Vec<Largest> = innocent.iter().map(|account| of(account)).collect();
    let cuts = cuts(&largest, asked.rates, period.present).unwrap_or_default();
    let proposed = chosen(&cuts, period.present);
    let found: Vec<&Account> = innocent
        .iter()
        .filter(|account| !account.campaigns.is_empty())
        .copied()
        .collect();
    let clean: Vec<&Account> = innocent
        .iter()
        .filter(|account| account.campaigns.is_empty())
        .copied()
        .collect();
    let guilty: Vec<&Account> = period
        .accounts
        .iter()
        .filter(|account| is_confirmed(account))
        .collect();
    let mut effects = Vec::new();
    for (of, accounts) in [
        ("in_no_campaign", &clean),
        ("unconfirmed", &found),
        ("confirmed", &guilty),
    ] {
        if !accounts.is_empty() {
            effects.push(effect(of, accounts, proposed));
        }
    }
    let counted = counted(period, &innocent, guilty.len());
    Ok(Report {
        format: FORMAT,
        notes: notes(&counted, asked, &cuts, found.len()),
        period: counted,
        proposal: Proposal {
            accounts,
            yaml: yaml(proposed),
            cuts,
        },
        effects,
        assumptions: assumptions(&innocent, &largest, &found, asked.rates, period.present),
        campaigns: campaigns(period, &confirmed),
        campaigns_found: period.campaigns.len(),
    })
}

fn confirmed(period: &Period, asked: &Asked) -> Result<HashSet<u32>, Refusal> {
    let numbered = (0_u32..).zip(&period.campaigns);
    if asked.all_confirmed {
        return Ok(numbered.map(|(number, _)| number).collect());
    }
    let known: HashMap<&str, u32> = numbered
        .map(|(number, name)| (name.as_str(), number))
        .collect();
    let found = asked.confirmed.iter().map(|name| {
        let number = known.get(name.as_str()).copied();
        number.ok_or_else(|| Refusal::UnknownCampaign(name.clone()))
    });
    found.collect()
}

fn of(account: &Account) -> Largest {
    ENTERED.map(|state| account.history.largest(state))
}

/// The lowest thresholds that hold `rates` among accounts with these largest scores; `None` where the accounts
/// are too few.
fn cuts(largest: &[Largest], rates: [f64; 3], present: Cuts) -> Option<Vec<CutReport>> {
    let accounts = largest.len() as u64;
    let [lowest, highest] = LIMITS;
    // Below, decisions tell the prior instead of a score.
    let lowest = lowest.max(present.watch - f64::from(KEPT_BELOW_WATCH));
    let mut before = lowest;
    let mut reports = Vec::with_capacity(ENTERED.len());
    for (index, (state, wanted)) in ENTERED.into_iter().zip(rates).enumerate() {
        let allowed = allowed(accounts, wanted)?;
        let mut scores: Vec<f64> = largest
            .iter()
            .filter_map(|largest| largest.get(index).copied())
            .collect();
        scores.sort_by(|one, other| other.total_cmp(one));
        // The first score that must not be enough.
        let over = scores
            .get(usize::try_from(allowed).unwrap_or(usize::MAX))
            .copied()
            .filter(|score| *score >= lowest);
        let lowest_held = over.map(above);
        let proposed = lowest_held
            .unwrap_or(present.of(state))
            .clamp(before, highest);
        before = proposed;
        let reached = scores
            .iter()
            .filter(|score| reaches(**score, proposed))
            .count() as u64;
        reports.push(CutReport {
            state: state.name(),
            wanted,
            allowed,
            present: present.of(state),
            proposed,
            binds: lowest_held.is_some(),
            accounts: reached,
            at_most: upper(reached, accounts),
        });
    }
    Some(reports)
}

/// The lowest tenth that `score` does not reach.
fn above(score: f64) -> f64 {
    let next = (score * 10.0).floor() + 1.0;
    // Floats next to a tenth are that tenth.
    let tenths = if reaches(score, next / 10.0) {
        next + 1.0
    } else {
        next
    };
    tenths / 10.0
}

fn chosen(cuts: &[CutReport], present: Cuts) -> Cuts {
    let [watch, step_up, restrict] = ENTERED.map(|state| {
        let cut = cuts.iter().find(|cut| cut.state == state.name());
        cut.map_or(present.of(state), |cut| cut.proposed)
    });
    Cuts {
        watch,
        step_up,
        restrict,
    }
}

fn assumptions(
    innocent: &[&Account],
    largest: &[Largest],
    found: &[&Account],
    rates: [f64; 3],
    present: Cuts,
) -> Vec<Assumption> {
    let all = largest.len();
    let mut by_score = largest.to_vec();
    by_score.sort_by(|[one, ..], [other, ..]| other.total_cmp(one));
    let found_largest: Vec<Largest> = found.iter().map(|account| of(account)).collect();
    let one = |share: f64, which, left: &[Largest]| {
        let cuts = cuts(left, rates, present);
        let cuts = cuts.map(|cuts| chosen(&cuts, present));
        let restricted = |cuts: Cuts| {
            let reach = |[_, _, score]: &&Largest| reaches(*score, cuts.restrict);
            found_largest.iter().filter(reach).count() as u64
        };
        Assumption {
            share,
            which,
            accounts: left.len() as u64,
            thresholds: cuts.map(|cuts| [cuts.watch, cuts.step_up, cuts.restrict]),
            found_restricted: cuts.map(restricted),
        }
    };
    let mut rows: Vec<Assumption> = SHARES
        .into_iter()
        .map(|share| {
            let guilty = (share * all as f64).round() as usize;
            one(
                share,
                "highest_scores",
                by_score.get(guilty..).unwrap_or_default(),
            )
        })
        .collect();
    if !found.is_empty() {
        let left: Vec<Largest> = innocent
            .iter()
            .zip(largest)
            .filter(|(account, _)| account.campaigns.is_empty())
            .map(|(_, largest)| *largest)
            .collect();
        let share = found.len() as f64 / all.max(1) as f64;
        rows.push(one(share, "found", &left));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::period::tests::{decision, period};
    use super::*;

    fn asked(rate: f64) -> Asked {
        Asked {
            rates: [(rate * 10.0).min(1.0), (rate * 3.0).min(1.0), rate],
            confirmed: Vec::new(),
            all_confirmed: false,
            digest: Some("d".to_owned()),
        }
    }

    /// `accounts` with the prior alone, and `scores` of accounts that were found in campaign `c`.
    fn lines(accounts: usize, scores: &[(f64, &str)]) -> Vec<String> {
        let quiet = (0..accounts)
            .map(|number| decision(0, &format!("q{number}"), "observe", Some(-6.9), None));
        let loud = scores.iter().enumerate().map(|(number, (score, state))| {
            decision(200, &format!("c{number}"), state, Some(*score), Some("c"))
        });
        quiet.chain(loud).collect()
    }

    fn thresholds(report: &Report) -> Vec<(f64, bool)> {
        let cuts = report.proposal.cuts.iter();
        cuts.map(|cut| (cut.proposed, cut.binds)).collect()
    }

    #[test]
    fn the_threshold_is_the_lowest_that_holds_the_wanted_rate_for_sure() {
        // 1 in 100 of 1,000 accounts allows 4 (and 10 in expectation): 3 of 5 come above.
        let scores = [
            (11.0, "restrict"),
            (10.4, "restrict"),
            (10.0, "restrict"),
            (9.0, "restrict"),
            (8.55, "restrict"),
        ];
        let period = period(&lines(995, &scores));

        let report = propose(&period, &asked(0.01)).unwrap();

        let restrict = &report.proposal.cuts[2];
        assert_eq!((restrict.allowed, restrict.accounts), (4, 4));
        assert_eq!(restrict.proposed, 8.6);
        assert!(restrict.at_most <= 0.01 && restrict.binds);
        assert!(report.proposal.yaml.contains("restrict: 8.6"));
    }

    #[test]
    fn where_nothing_comes_near_a_threshold_the_present_one_stays() {
        let report = propose(&period(&lines(1_000, &[(1.5, "observe")])), &asked(0.01)).unwrap();

        assert_eq!(
            thresholds(&report),
            [(2.0, false), (5.0, false), (8.0, false)]
        );
    }

    #[test]
    fn a_score_is_never_enough_for_the_tenth_above_it() {
        for tenths in 0..1_000_u32 {
            for millionths in [0, 1, 50_000, 99_999] {
                let score = f64::from(tenths) / 10.0 + f64::from(millionths) / 1e6;
                let told = f64::from(score as f32);

                assert!(!reaches(told, above(told)), "{score}");
                assert!(above(told) - told < 0.1001, "{score}");
            }
        }
    }

    #[test]
    fn thresholds_stay_in_order() {
        let scores = vec![(9.5, "watch"); 80];
        let report = propose(&period(&lines(920, &scores)), &asked(0.005)).unwrap();

        // Too many for watch; nobody had the keys for more.
        assert_eq!(
            thresholds(&report),
            [(9.6, true), (9.6, false), (9.6, false)]
        );
    }

    #[test]
    fn a_confirmed_campaign_is_left_out_and_what_it_would_change_is_shown_before() {
        let scores = vec![(10.0, "restrict"); 30];
        let period = period(&lines(970, &scores));

        let unsure = propose(&period, &asked(0.01)).unwrap();
        let sure = propose(
            &period,
            &Asked {
                confirmed: vec!["c".to_owned()],
                ..asked(0.01)
            },
        )
        .unwrap();

        assert!(unsure.proposal.cuts[2].proposed > 10.0);
        assert!(unsure.notes.iter().any(|note| note.code == "UNCONFIRMED"));
        let found = unsure.assumptions.last().unwrap();
        assert_eq!((found.which, found.found_restricted), ("found", Some(30)));
        assert_eq!(sure.proposal.cuts[2].proposed, 8.0);
        assert_eq!(sure.period.confirmed, 30);
        let confirmed = sure.effects.last().unwrap();
        assert_eq!(
            (confirmed.of, confirmed.states[3].accounts_then),
            ("confirmed", 30)
        );
        assert!(sure.campaigns[0].confirmed);
    }

    #[test]
    fn what_cannot_be_calibrated_is_refused_with_the_reason() {
        let learning = [decision(1, "a", "observe", None, None)];
        let off = [learning[0].replace("LEARNING", "BUDGET_USED")];

        let refused = |lines: &[String], rate| propose(&period(lines), &asked(rate)).unwrap_err();
        assert_eq!(refused(&[], 0.01), Refusal::Empty);
        assert_eq!(refused(&learning, 0.01), Refusal::Learning { exchanges: 1 });
        assert_eq!(refused(&off, 0.01), Refusal::NoDetection);
        let few = refused(&lines(500, &[]), 0.001);
        assert_eq!(
            few,
            Refusal::TooFew {
                accounts: 500,
                rate: 0.001,
                fewest: 2_995
            }
        );
        assert!(few.to_string().contains("--false-positive-rate 0.006"));
        let unknown = Asked {
            confirmed: vec!["x".to_owned()],
            ..asked(0.01)
        };
        assert_eq!(
            propose(&period(&lines(500, &[])), &unknown).unwrap_err(),
            Refusal::UnknownCampaign("x".to_owned())
        );
    }

    #[test]
    fn states_now_are_those_recorded_and_states_then_follow_the_proposal() {
        let scores = [(9.0, "restrict"), (8.5, "restrict"), (8.4, "step_up")];
        let period = period(&lines(997, &scores));

        let report = propose(&period, &asked(0.003)).unwrap();

        // 1,000 accounts show 0.003 only without a single hit.
        assert_eq!(report.proposal.cuts[2].proposed, 9.1);
        let found = &report.effects[1];
        let now: Vec<u64> = found
            .states
            .iter()
            .map(|state| state.accounts_now)
            .collect();
        let then: Vec<u64> = found
            .states
            .iter()
            .map(|state| state.accounts_then)
            .collect();
        assert_eq!((now, then[3]), (vec![0, 0, 1, 2, 0], 0));
        assert_eq!(report.period.agreement, 1.0);
    }
}
