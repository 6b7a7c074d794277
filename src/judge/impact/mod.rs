//! When users began to feel it, how bad it was, when it got better, when it was over: from bad and total requests per second.
//!
//! A trailing window of 10 s, widened until it holds 50 requests; Wilson's bounds at 95 %. Impact needs proof (the lower
//! bound beyond twice the baseline's upper one); recovery needs the window itself below 1 %, for a while. Instants are dated
//! back to the second in which they began. Seconds are those in which requests were due. Called by `account`; `Live` is the
//! same reading while it happens. Not here: whose fault it was, what is worth a point (`score`).

mod live;

use std::ops::Range;

use crate::measure::outcome::Classes;
use crate::stats::proportion::{Limits, wilson};

pub use live::Live;

/// Seconds of the trailing window.
pub const WINDOW: usize = 10;
/// Least number of requests in a window.
const LEAST: u64 = 50;
/// Windows in a row that make an impact.
const IN_A_ROW: usize = 3;
/// Least bad ratio that is an impact.
const ON_LEAST: f64 = 0.02;
/// Bad ratio at or below which it is over.
pub const OFF: f64 = 0.01;
/// Seconds a mitigation must hold.
const MITIGATED_FOR: usize = 20;
/// Standard errors of a 95 % interval.
const Z: f64 = 1.96;

/// One second of the series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Second {
    /// Requests due.
    pub total: u64,
    /// Of these, not good.
    pub bad: u64,
    /// False when recovery is out of the question for another reason: p95 above its limit, or less load than planned.
    pub fit: bool,
}

impl Second {
    /// The second of these classes, with nothing else against it.
    pub fn of(classes: &Classes) -> Self {
        Self { total: classes.total(), bad: classes.bad(), fit: true }
    }

    /// Its bad ratio; 0 without requests.
    fn ratio(self) -> f64 {
        ratio(self.bad, self.total)
    }
}

fn ratio(bad: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { bad as f64 / total as f64 }
}

/// What the series is measured by. Positions are indices into the series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// The baseline's seconds; impact cannot lie in them.
    pub baseline: Range<usize>,
    /// Impact and recovery begin before this second; later ones only show whether recovery held.
    pub end: usize,
    /// Seconds recovery must hold.
    pub hold: usize,
}

/// What was measured. Instants are indices into the series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Impact {
    /// Upper bound of the baseline's bad ratio.
    pub baseline_upper: f64,
    /// Users began to feel it.
    pub impact: Option<usize>,
    /// Median window ratio from impact to recovery, or the end.
    pub plateau: f64,
    /// Highest window ratio in that time.
    pub peak: f64,
    /// Fell below half of the plateau and stayed there.
    pub mitigated: Option<usize>,
    /// Back to normal, and stayed there.
    pub recovered: Option<usize>,
}

/// Measures the series.
pub fn measure(series: &[Second], course: &Course) -> Impact {
    let baseline_upper = baseline(series.get(course.baseline.clone()).unwrap_or_default()).high;
    let nothing = Impact { baseline_upper, ..Impact::default() };
    let end = course.end.min(series.len());
    let Some((impact, proven)) = begin(series, course.baseline.end, end, threshold(baseline_upper)) else {
        return nothing;
    };
    let recovery = recover(series, proven..end, course.hold);
    // Where it was seen, before dating back: the windows up to there belong to the incident.
    let recovered = recovery.map(|seen| dated_back(series, seen, impact + 1, 2.0 * OFF));
    let last = recovered.unwrap_or(end).max(impact + 1).min(series.len());
    let mut ratios: Vec<f64> = (impact..last).filter_map(|at| window(series, at)).map(Window::ratio).collect();
    ratios.sort_by(f64::total_cmp);
    let plateau = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
    let peak = ratios.last().copied().unwrap_or_default();
    let half = plateau / 2.0;
    let settled = mitigate(series, proven..end, half, recovery.is_some());
    let mitigated = match (settled.map(|seen| dated_back_strictly(series, seen, impact + 1, half)), recovered) {
        (Some(mitigated), Some(recovered)) => Some(mitigated.min(recovered)),
        (mitigated, recovered) => mitigated.or(recovered),
    };
    Impact { impact: Some(impact), plateau, peak, mitigated, recovered, ..nothing }
}

/// The window ratio that is an impact, given the baseline's upper bound.
fn threshold(baseline_upper: f64) -> f64 {
    ON_LEAST.max(2.0 * baseline_upper)
}

/// The bounds of the bad ratio of all of `seconds`. Without requests there is no baseline, and nothing is proven: 0 to 1.
fn baseline(seconds: &[Second]) -> Limits {
    let (bad, total) = seconds.iter().fold((0, 0), |sum, one| (sum.0 + one.bad, sum.1 + one.total));
    wilson(ratio(bad, total), total as f64, Z)
}

/// A trailing window.
#[derive(Clone, Copy, Debug)]
struct Window {
    from: usize,
    bad: u64,
    total: u64,
}

impl Window {
    fn ratio(self) -> f64 {
        ratio(self.bad, self.total)
    }

    fn lower(self) -> f64 {
        wilson(self.ratio(), self.total as f64, Z).low
    }
}

/// The window that ends with second `at`: 10 s, widened until it holds 50 requests; `None` when the series has not as many.
fn window(series: &[Second], at: usize) -> Option<Window> {
    let mut window = Window { from: at + 1, bad: 0, total: 0 };
    for (index, second) in series.iter().enumerate().take(at + 1).rev() {
        if at - index >= WINDOW && window.total >= LEAST {
            break;
        }
        window = Window { from: index, bad: window.bad + second.bad, total: window.total + second.total };
    }
    (window.total >= LEAST).then_some(window)
}

/// The second of impact, and the one in which it was proven.
fn begin(series: &[Second], from: usize, end: usize, on: f64) -> Option<(usize, usize)> {
    let mut first: Option<Window> = None;
    let mut row = 0;
    for at in from..end {
        match window(series, at).filter(|one| one.lower() > on) {
            Some(one) if row == 0 => (first, row) = (Some(one), 1),
            Some(_) => row += 1,
            None => row = 0,
        }
        if let (IN_A_ROW, Some(window)) = (row, first) {
            let start = at + 1 - IN_A_ROW;
            let own = (window.from.max(from)..=start).find(|&second| series[second].ratio() > on);
            return Some((own.unwrap_or(start), at));
        }
    }
    None
}

/// The first second of `range` from which every window stays at or below [`OFF`] for `hold` seconds, all of them fit.
fn recover(series: &[Second], range: Range<usize>, hold: usize) -> Option<usize> {
    let good = |at: usize| {
        series.get(at).is_some_and(|second| second.fit)
            && window(series, at).is_some_and(|window| window.ratio() <= OFF)
    };
    stays(range, hold.max(1), good)
}

/// The first second of `range` from which every window stays below `half`; what is missing at the end of the series is
/// forgiven when it had recovered by then.
fn mitigate(series: &[Second], range: Range<usize>, half: f64, is_over: bool) -> Option<usize> {
    let good = |at: usize| match window(series, at) {
        Some(window) => window.ratio() < half,
        None => false,
    };
    stays(range, MITIGATED_FOR, |at| good(at) || (is_over && at >= series.len()))
}

/// The first of `range` from which `good` holds for `hold` in a row.
fn stays(range: Range<usize>, hold: usize, good: impl Fn(usize) -> bool) -> Option<usize> {
    let mut at = range.start;
    while at < range.end {
        match (at..at + hold).rev().find(|&one| !good(one)) {
            Some(bad) => at = bad + 1,
            None => return Some(at),
        }
    }
    None
}

/// Back over the seconds directly before `seen` whose own ratio is at most `limit`, not before `least`.
fn dated_back(series: &[Second], seen: usize, least: usize, limit: f64) -> usize {
    back(seen, least, |at| series[at].ratio() <= limit)
}

/// The same, with a ratio strictly below `limit`.
fn dated_back_strictly(series: &[Second], seen: usize, least: usize, limit: f64) -> usize {
    back(seen, least, |at| series[at].ratio() < limit)
}

fn back(seen: usize, least: usize, good: impl Fn(usize) -> bool) -> usize {
    (least..=seen).rev().take_while(|&at| at == seen || good(at)).last().unwrap_or(seen)
}

#[cfg(test)]
mod tests;
