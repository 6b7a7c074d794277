//! The ledger of what people did: each action with what it did to the share of bad requests, and the finding about it.
//!
//! Called by `account::incident`. Not here: how that is judged (`efficacy`).

use super::super::efficacy::{self, Efficacy, Windows};
use super::super::finding::{Finding, FindingKind, Reason, Verdict};
use super::super::impact::Second;
use super::super::words::{advice, quantity};
use super::{ActAccount, ActionAccount};
use crate::plan::drill::MitigationKind;
use crate::plan::threshold::{Level, Unit};

/// What each action did to the share of bad requests; the other actions and the acts confound it.
pub(super) fn judge(
    actions: &mut [ActionAccount],
    acts: &[ActAccount],
    series: &[Second],
    (factor, first_s, end_s): (f64, f64, f64),
) {
    let begun: Vec<efficacy::Action> = actions.iter().map(|one| (one.at_s, one.verified_s)).collect();
    let others: Vec<f64> = acts.iter().filter_map(|act| act.injected_s).collect();
    let course = efficacy::Course { series, first_s, end_s, others: &others, windows: Windows::compressed(factor) };
    for (action, judged) in actions.iter_mut().zip(efficacy::of(&begun, course)) {
        action.effect = judged;
    }
}

/// What an action did, held against what its author says it does: a difference is to be looked at, and fails nobody.
pub(super) fn finding(n: usize, action: &ActionAccount) -> Finding {
    let judged = action.effect;
    let (level, verdict, reason) = match judged.efficacy.fits(action.kind) {
        Some(true) => (Level::Must, Verdict::Pass, Reason::Within),
        Some(false) => (Level::Must, Verdict::Warn, Reason::Beyond),
        None => (Level::Info, Verdict::Inconclusive, Reason::NotEvaluated),
    };
    let word = judged.efficacy.word();
    let share = |ratio: Option<f64>| ratio.map_or_else(|| "not seen".to_owned(), |ratio| quantity(ratio, Unit::Ratio));
    let observed = match judged.efficacy {
        Efficacy::Confounded => format!("{word}: something else was done inside its windows"),
        Efficacy::Unclear => word.to_owned(),
        _ => format!("{word}: {} bad before, {} after", share(judged.before), share(judged.after)),
    };
    let expected = match action.kind {
        MitigationKind::Harmful => "it makes things worse",
        MitigationKind::NoEffect => "it changes nothing",
        _ => "it helps",
    };
    let next = match judged.efficacy {
        Efficacy::Confounded => "do one thing at a time, and look before the next",
        Efficacy::Unclear => "let the drill run on for a while after the action",
        _ if reason == Reason::Beyond => "before and after is not cause and effect: look at what else happened",
        _ => advice(reason),
    };
    let (id, subject) = (format!("effect.{}.{}", action.name, n + 1), format!("effect of {}", action.name));
    let mut finding =
        Finding::plain(FindingKind::Recovery, [&id, &subject, expected, &observed, next], (verdict, reason));
    finding.level = level;
    finding.evidence.value = judged.after;
    finding.evidence.unit = Unit::Ratio;
    finding.evidence.window_s = (action.at_s, action.verified_s.unwrap_or(action.at_s));
    finding
}
