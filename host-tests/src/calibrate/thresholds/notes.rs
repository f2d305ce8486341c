//! What to know before a proposal is used.
use super::exact::{fewest, three_by};
use super::proposal::Asked;
use super::report::{Counted, CutReport, Note};

/// Evidence is summed up over days: in less, few scores get where they are going.
const SHORT_DAYS: f64 = 7.0;

/// Everything that the figures rest on and that may not hold.
pub(super) fn notes(
    period: &Counted,
    asked: &Asked,
    cuts: &[CutReport],
    unconfirmed: usize,
) -> Vec<Note> {
    let [_, _, rate] = asked.rates;
    let mut notes = Vec::new();
    let mut note = |code, message: String| notes.push(Note { code, message });
    if unconfirmed > 0 {
        note(
            "UNCONFIRMED",
            format!(
                "{unconfirmed} accounts were found in campaigns and count as innocent all the same; if you have looked at a campaign and it is real, leave it out with --confirmed, or the thresholds are set so high that it is let go"
            ),
        );
    }
    for cut in cuts.iter().filter(|cut| cut.proposed < cut.present) {
        note(
            "LOWER",
            format!(
                "`{}` would be entered from {} instead of {}: weaker evidence than now, and decisions do not tell who would have the keys for it, so its figures are upper ends",
                cut.state, cut.proposed, cut.present
            ),
        );
    }
    let acted: u64 = period
        .modes
        .iter()
        .filter(|(mode, _)| *mode != "shadow")
        .map(|(_, count)| count)
        .sum();
    if acted > 0 {
        note(
            "NOT_SHADOW",
            format!(
                "{acted} decisions were not made in shadow mode: whoever was acted on behaves otherwise, or has left"
            ),
        );
    }
    if asked.digest.is_none() {
        note(
            "ASSUMED",
            "the present thresholds are taken to be 2, 5 and 8, as without any in the policy; name the policy with --policy".to_owned(),
        );
    }
    if let Some(digest) = &asked.digest
        && !period.policies.iter().any(|[_, _, of]| of == digest)
    {
        note(
            "OTHER_POLICY",
            "none of the decisions was made by the policy that --policy names: if its thresholds or its profile differ, so do states and scores".to_owned(),
        );
    }
    if period.policies.len() > 1 {
        note(
            "SEVERAL_POLICIES",
            format!(
                "the decisions were made by {} policies or versions: this holds only if their detection is the same",
                period.policies.len()
            ),
        );
    }
    if period.days < SHORT_DAYS {
        note(
            "SHORT",
            format!(
                "the period has {:.1} days; scores sum up evidence over days, and the rate is of accounts within such a period: in a longer one more will come to a state",
                period.days
            ),
        );
    }
    if period.organizations < fewest(rate) {
        note(
            "FEW_ORGANIZATIONS",
            format!(
                "the accounts are of {} organizations: if accounts of one flip together, no rate below {} is shown",
                period.organizations,
                three_by(period.organizations)
            ),
        );
    }
    if period.unjudged_accounts > 0 {
        note(
            "UNJUDGED",
            format!(
                "{} accounts were seen but never judged, and are left out",
                period.unjudged_accounts
            ),
        );
    }
    notes
}
