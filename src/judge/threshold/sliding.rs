//! Checks over windows: `over`, `for`, `in`. They decide by point value in every profile, because the worst of many windows
//! has no honest interval. Called by `threshold::decide`.

use std::time::Duration;

use super::super::estimate::{self, Estimate};
use super::super::finding::{Reason, Verdict};
use super::super::window::span;
use super::super::words::quantity;
use super::Decision;
use crate::measure::interval::Interval;
use crate::plan::threshold::{Threshold, Unit, Window};

/// An `over` window with fewer arrivals is not judged.
pub(in crate::judge) const LEAST_IN_WINDOW: u64 = 20;

/// Judges `check`, whose window is not the whole scope.
pub(super) fn decide(check: &Threshold, pieces: &[Vec<&Interval>]) -> Decision {
    let all = pieces.concat();
    let Some(overall) = estimate::point(check.subject, &check.scope, &all) else {
        return Decision { window_s: span(&all), ..Decision::new(Verdict::Inconclusive, Reason::NoData, None) };
    };
    if check.n_least.is_some_and(|least| overall.n < least) {
        let few = Decision::new(Verdict::Inconclusive, Reason::FewSamples, Some(overall));
        return Decision { window_s: span(&all), ..few };
    }
    let decision = match check.window {
        Window::Whole => None,
        Window::Over(length) => over(check, pieces, whole(length)),
        Window::For(length) => lasting(check, pieces, whole(length)),
        Window::In(share, length) => most(check, pieces, (share, whole(length))),
    };
    decision.unwrap_or_else(|| {
        // A check that would have ended the run but never could is worth a warning; another one says nothing.
        let verdict = if check.abort.is_some() { Verdict::Warn } else { Verdict::Inconclusive };
        let said = format!("the scope of {} s is shorter than the window, or has too few arrivals", all.len());
        Decision { said, window_s: span(&all), ..Decision::new(verdict, Reason::NotEvaluated, Some(overall)) }
    })
}

/// Whole seconds of a window, at least 1.
pub(in crate::judge) fn whole(length: Duration) -> usize {
    let rounded = length.as_secs() + u64::from(length.subsec_millis() >= 500);
    usize::try_from(rounded).unwrap_or(usize::MAX).max(1)
}

/// One window with its value.
#[derive(Clone, Copy)]
struct Seen {
    estimate: Estimate,
    window_s: (f64, f64),
    holds: bool,
}

fn look(check: &Threshold, seconds: &[&Interval]) -> Option<Seen> {
    let estimate = estimate::point(check.subject, &check.scope, seconds)?;
    Some(Seen { estimate, window_s: span(seconds), holds: check.cmp.holds(estimate.value, check.bound) })
}

/// The worse of two windows, the earlier one when equal.
fn worse(check: &Threshold, a: Seen, b: Seen) -> Seen {
    let later_is_worse =
        if check.cmp.is_upper() { b.estimate.value > a.estimate.value } else { b.estimate.value < a.estimate.value };
    if later_is_worse { b } else { a }
}

fn judged(seen: &Seen, said: String) -> Decision {
    let (verdict, reason) = if seen.holds { (Verdict::Pass, Reason::Within) } else { (Verdict::Fail, Reason::Beyond) };
    Decision { said, window_s: seen.window_s, ..Decision::new(verdict, reason, Some(seen.estimate)) }
}

fn value(check: &Threshold, seen: &Seen) -> String {
    if seen.estimate.value.is_finite() {
        quantity(seen.estimate.value, check.subject.unit())
    } else {
        "unanswered".to_owned()
    }
}

fn over(check: &Threshold, pieces: &[Vec<&Interval>], length: usize) -> Option<Decision> {
    let worst = pieces
        .iter()
        .flat_map(|piece| piece.windows(length))
        .filter_map(|seconds| look(check, seconds))
        .filter(|seen| seen.estimate.n >= LEAST_IN_WINDOW)
        .reduce(|a, b| worse(check, a, b))?;
    let (from, to) = worst.window_s;
    let said = format!("worst {length} s: {} from {from:.0} s to {to:.0} s", value(check, &worst));
    Some(judged(&worst, said))
}

fn lasting(check: &Threshold, pieces: &[Vec<&Interval>], length: usize) -> Option<Decision> {
    let mut longest = 0;
    let mut worst: Option<Seen> = None;
    for piece in pieces {
        let mut run = 0;
        // A second without arrivals neither breaks nor lengthens a violation.
        for seen in piece.chunks(1).filter_map(|second| look(check, second)) {
            run = if seen.holds { 0 } else { run + 1 };
            longest = longest.max(run);
            worst = Some(worst.map_or(seen, |held| worse(check, held, seen)));
        }
    }
    if pieces.iter().all(|piece| piece.len() < length) {
        return None;
    }
    let worst = worst?;
    let said =
        format!("longest violation {longest} s, {length} s are too many; worst second: {}", value(check, &worst));
    Some(judged(&Seen { holds: longest < length, ..worst }, said))
}

fn most(check: &Threshold, pieces: &[Vec<&Interval>], (share, length): (f64, usize)) -> Option<Decision> {
    let seen: Vec<Seen> =
        pieces.iter().flat_map(|piece| piece.chunks_exact(length)).filter_map(|seconds| look(check, seconds)).collect();
    let (all, held) = (seen.len(), seen.iter().filter(|one| one.holds).count());
    let worst = seen.into_iter().reduce(|a, b| worse(check, a, b))?;
    let kept = held as f64 / all as f64;
    let said = format!(
        "held in {held} of {all} windows of {length} s ({}); worst: {}",
        quantity(kept, Unit::Ratio),
        value(check, &worst)
    );
    Some(judged(&Seen { holds: kept >= share - 1e-12, ..worst }, said))
}
