//! What one block says about one comparison: how far the candidate is beyond the margin, and how far from the base.
//!
//! Shares are compared by difference, everything else by ratio. A time that nobody answered is later than all answers, in
//! either arm alike: it has the largest rank and no number.

use super::super::estimate;
use super::Block;
use crate::measure::interval::Interval;
use crate::plan::threshold::{Comparison, Scope, Subject};
use crate::stats::portable::ln;

/// Stands for a ratio without end: e⁵⁰. All such effects are tied.
pub(super) const NEVER: f64 = 50.0;

/// One block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effect {
    /// Candidate against base without margin: `ln c - ln b`, or `c - b` for shares.
    pub(super) change: f64,
    /// Beyond the margin when above 0.
    pub(super) beyond: f64,
    /// True when the base went first.
    pub(super) base_first: bool,
}

/// All blocks of one comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Effects {
    /// By block; none where nothing can be compared.
    pub(super) all: Vec<Option<Effect>>,
}

impl Effects {
    /// The blocks that say something.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Effect> {
        self.all.iter().flatten()
    }

    pub(super) fn changes(&self) -> Vec<f64> {
        self.kept().map(|one| one.change).collect()
    }

    /// Of the first `most` blocks, void ones counted.
    pub(super) fn beyond(&self, most: usize) -> Vec<f64> {
        self.all.iter().take(most).flatten().map(|one| one.beyond).collect()
    }
}

/// The effects of `comparison` in `blocks`.
pub(super) fn of(comparison: &Comparison, blocks: &[Block<'_>]) -> Effects {
    let one = |block: &Block<'_>| {
        let [base, candidate] = values(comparison.subject, &comparison.scope, block);
        let (change, beyond) = effect(comparison, (base, candidate))?;
        Some(Effect { change, beyond, base_first: block.base_first })
    };
    Effects { all: blocks.iter().map(one).collect() }
}

/// What `subject` is in each arm of a block, base first; infinite where nothing was answered, NaN where nothing was measured.
pub(super) fn values(subject: Subject, scope: &Scope, block: &Block<'_>) -> [f64; 2] {
    let value = |seconds: &[&Interval]| match estimate::point(subject, scope, seconds) {
        Some(estimate) => estimate.value,
        None if subject.is_latency() => f64::INFINITY,
        None if subject.is_share() => f64::NAN,
        None => 0.0,
    };
    [value(&block.base), value(&block.candidate)]
}

/// `(change, beyond)`; none where neither arm says anything.
pub(super) fn effect(comparison: &Comparison, (base, candidate): (f64, f64)) -> Option<(f64, f64)> {
    let (slack, upper) = (comparison.margin.slack, comparison.cmp.is_upper());
    let sign = if upper { 1.0 } else { -1.0 };
    if comparison.subject.is_share() {
        let change = candidate - base;
        return (!change.is_nan()).then_some((change, sign * (change - slack)));
    }
    let far = comparison.margin.least_us.unwrap_or(0.0);
    let bound = if upper { (base * (1.0 + slack)).max(base + far) } else { (base * (1.0 + slack)).min(base - far) };
    Some((ratio(candidate, base)?, sign * ratio(candidate, bound)?))
}

/// `ln a - ln b` within ±[`NEVER`]; none when both are 0 or both without end.
fn ratio(a: f64, b: f64) -> Option<f64> {
    let log = |value: f64| if value == f64::INFINITY { value } else { ln(value.max(0.0)) };
    let difference = log(a) - log(b);
    (!difference.is_nan()).then(|| difference.clamp(-NEVER, NEVER))
}
