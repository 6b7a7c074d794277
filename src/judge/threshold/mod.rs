//! Checks against measured seconds: estimate, minimum of samples, comparison, and the finding that says so.
//!
//! A check never passes on nothing. Called by `account`. Not here: reading numbers (`estimate`), the windows `over`, `for`
//! and `in` (`sliding`), whether the generator can be believed (`validity`).

mod decide;
mod lean;
mod sliding;

pub(in crate::judge) use sliding::{LEAST_IN_WINDOW, whole};

use super::estimate::Estimate;
use super::finding::{Evidence, Finding, FindingKind, Reason, Verdict};
use super::window::{pieces, span};
use super::words;
use crate::measure::interval::Interval;
use crate::plan::gate::Gate;
use crate::plan::threshold::{Subject, Threshold, Unit, Window};
use crate::stats::quantile::BATCHES_MIN;

pub use super::window::Stretch;
pub use crate::plan::gate::Profile;
pub use lean::{beyond, resolved, unasked};

/// What checks are judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// What has to be proven.
    pub profile: Profile,
    /// Least number of independent arrivals on the thin side of a quantile.
    pub tail: f64,
}

impl From<Profile> for Rules {
    fn from(profile: Profile) -> Self {
        Self { profile, tail: Gate::default().min_tail as f64 }
    }
}

/// A check judged: everything a finding says beside its names.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The judgement.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The number it rests on; `None`: nothing was measured.
    pub estimate: Option<Estimate>,
    /// What was seen, in words; empty: the estimate says it.
    pub said: String,
    /// Seconds of the run it rests on: from, to.
    pub window_s: (f64, f64),
}

impl Decision {
    /// A judgement whose estimate says what was seen.
    pub fn new(verdict: Verdict, reason: Reason, estimate: Option<Estimate>) -> Self {
        Self { verdict, reason, estimate, said: String::new(), window_s: (0.0, 0.0) }
    }
}

/// Judges `check` on the seconds of its scope.
pub fn decide(check: &Threshold, seconds: &[Interval], stretches: &[Stretch], rules: impl Into<Rules>) -> Decision {
    let pieces = pieces(seconds, stretches, &check.scope, check.after);
    if check.window != Window::Whole {
        return sliding::decide(check, &pieces);
    }
    let all = pieces.concat();
    Decision { window_s: span(&all), ..decide::whole(check, &all, rules.into()) }
}

/// The finding of `check`; `steps` are the record's names of steps.
pub fn finding(check: &Threshold, decision: &Decision, steps: &[String]) -> Finding {
    Finding {
        id: check.id.clone(),
        kind: FindingKind::Threshold,
        level: check.level,
        verdict: decision.verdict,
        reason: decision.reason,
        subject: words::about(check, steps),
        expected: words::demand(check),
        observed: if decision.said.is_empty() { observed(check, decision) } else { decision.said.clone() },
        next: if is_too_short(check, decision) { LONGER } else { words::advice(decision.reason) }.to_owned(),
        evidence: evidence(check, decision),
        source: (check.place.line > 0).then(|| check.place.clone()),
    }
}

fn evidence(check: &Threshold, decision: &Decision) -> Evidence {
    let finite = |value: f64| value.is_finite().then_some(value);
    let estimate = decision.estimate.as_ref();
    Evidence {
        value: estimate.and_then(|one| finite(one.value)),
        low: estimate.and_then(|one| one.interval).and_then(|(low, _)| finite(low)),
        high: estimate.and_then(|one| one.interval).and_then(|(_, high)| finite(high)),
        bound: finite(check.bound),
        unit: check.subject.unit(),
        n: estimate.map_or(0, |one| one.n),
        n_eff: estimate.and_then(|one| one.n_eff),
        deff: estimate.and_then(|one| one.deff),
        window_s: decision.window_s,
        compare: None,
    }
}

/// What to do about a scope that is too short.
const LONGER: &str = "run longer: an interval needs at least six seconds in scope";

/// True where it was seconds that were too few for an interval, not samples.
fn is_too_short(check: &Threshold, decision: &Decision) -> bool {
    let (from, to) = decision.window_s;
    let enough = |n: u64| check.n_least.is_none_or(|least| n >= least);
    decision.reason == Reason::FewSamples
        && to - from < BATCHES_MIN as f64
        && decision.estimate.as_ref().is_some_and(|one| one.interval.is_none() && enough(one.n))
}

fn observed(check: &Threshold, decision: &Decision) -> String {
    let Some(estimate) = &decision.estimate else { return "nothing was measured in this scope".to_owned() };
    let (name, unit) = (words::subject(check.subject), check.subject.unit());
    if decision.reason == Reason::Unanswered {
        let share = words::quantity(estimate.unanswered as f64 / estimate.n as f64, Unit::Ratio);
        return format!("{share} of {} arrivals were never answered", estimate.n);
    }
    let low = estimate.interval.map(|(low, _)| low);
    let value = match (estimate.value.is_finite(), low) {
        (true, _) => format!("{name} = {}", words::quantity(estimate.value, unit)),
        (false, Some(low)) => format!("{name} >= {} (it lies among the unanswered)", words::quantity(low, unit)),
        (false, None) => format!("{name} lies among the unanswered"),
    };
    let interval = match estimate.interval {
        Some((low, high)) if estimate.value.is_finite() && high.is_finite() => {
            format!(", 95 % interval {} to {}", words::quantity(low, unit), words::quantity(high, unit))
        }
        Some((low, _)) if estimate.value.is_finite() => {
            format!(", 95 % interval from {} without upper limit", words::quantity(low, unit))
        }
        _ => String::new(),
    };
    let n = estimate.n;
    let of = match decision.reason {
        _ if check.subject == Subject::Requests => String::new(),
        _ if is_too_short(check, decision) => {
            format!(", of {n} arrivals in only {:.0} s", decision.window_s.1 - decision.window_s.0)
        }
        Reason::FewSamples => format!(", of only {n} arrivals"),
        _ => format!(", of {n} arrivals"),
    };
    format!("{value}{interval}{of}")
}

#[cfg(test)]
mod grammar;
#[cfg(test)]
mod tests;
