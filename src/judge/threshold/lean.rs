//! Bounds that lean on the steady phase of the same run: the 95 % bound of the same quantity there, times the margin.
//!
//! Called by `account`. Not here: bounds that lean on other runs (`baseline`).

use super::super::estimate;
use super::super::finding::{Finding, FindingKind, Reason, Verdict};
use super::super::window::{STEADY, pieces, span};
use super::super::words;
use super::{Decision, Rules, Stretch, decide};
use crate::measure::interval::Interval;
use crate::plan::threshold::{Ground, Level, Margin, Scope, Subject, Threshold};

/// `check` with the bound that the steady phase gives it, and the judgement where it gives none; `None`: it leans on nothing.
pub fn resolved(
    check: &Threshold,
    seconds: &[Interval],
    stretches: &[Stretch],
    rules: impl Into<Rules>,
) -> Option<(Threshold, Option<Decision>)> {
    let lean = check.lean.filter(|lean| lean.on == Ground::Steady)?;
    let scope = Scope { phases: vec![STEADY.to_owned()], ..check.scope.clone() };
    let steady = pieces(seconds, stretches, &scope, std::time::Duration::ZERO).concat();
    let unresolved = |reason, said: &str| {
        let said = format!("steady itself cannot be told: {said}");
        let decision = Decision { said, window_s: span(&steady), ..Decision::new(Verdict::Inconclusive, reason, None) };
        Some((Threshold { bound: f64::NAN, ..check.clone() }, Some(decision)))
    };
    let Some(found) = estimate::of(check.subject, &scope, &steady) else {
        return unresolved(Reason::NoData, "nothing was measured there");
    };
    let of_steady = Threshold { scope, bound: found.value, lean: None, ..check.clone() };
    if !decide::tells(&of_steady, &found, rules.into()) {
        return unresolved(Reason::FewSamples, &format!("only {} arrivals", found.n));
    }
    let upper = check.cmp.is_upper();
    let edge = found.interval.map_or(found.value, |(low, high)| if upper { high } else { low });
    if !edge.is_finite() {
        return unresolved(Reason::Unbounded, "its interval has no upper end");
    }
    Some((Threshold { bound: beyond(edge, lean.margin, (check.subject, upper)), ..check.clone() }, None))
}

/// A bound so far from `edge`: a share of it, or points, or the time behind `or` where that is more.
pub fn beyond(edge: f64, margin: Margin, (subject, upper): (Subject, bool)) -> f64 {
    if subject.is_share() {
        return edge + margin.slack;
    }
    let (by_share, far) = (edge * (1.0 + margin.slack), margin.least_us.unwrap_or(0.0));
    if upper { by_share.max(edge + far) } else { by_share.min(edge - far) }
}

/// A line against other runs, where none is at hand: it says so, and does not count.
pub fn unasked(check: &Threshold, steps: &[String]) -> Finding {
    let nothing = Decision::new(Verdict::Inconclusive, Reason::NotEvaluated, None);
    let on = check.lean.map_or("baseline", |lean| lean.on.word());
    Finding {
        kind: FindingKind::Comparison,
        level: Level::Info,
        subject: format!("{} against the {on}", words::about(check, steps)),
        observed: "not compared: one run alone".to_owned(),
        next: "`squall gate RUN` compares it with accepted runs, `squall ab` with another target".to_owned(),
        ..super::finding(check, &nothing, steps)
    }
}
