//! How far the percentiles of a run can be trusted: an interval and an effective number for every distribution of the account.
//!
//! Called by `account::make`. Not here: the formula (`stats::quantile`), checks and their scopes (`threshold`).

use std::collections::BTreeMap;

use super::super::estimate::{self, Part};
use crate::measure::histogram::Bins;
use crate::measure::interval::{Cell, Interval};
use crate::measure::outcome::Class;
use crate::measure::sample::StepId;
use crate::stats::quantile::{BATCHES_MIN, batches};

/// The percentiles that have an interval: p50, p95, p99.
const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// The intervals of one distribution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Confidence {
    /// Independent arrivals it is worth, by the design effect at p95; `None` for fewer than six batches of seconds.
    pub n_eff: Option<f64>,
    /// 95 % intervals of p50, p95 and p99, µs: from, to. `to` is `None` where nothing limits the percentile from above.
    pub ci95: [Option<(f64, Option<f64>)>; 3],
}

/// The intervals of one step, by clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clocks {
    /// Of the response time of all arrivals; the unanswered rank highest.
    pub response: Confidence,
    /// Of the service time of all arrivals; the unanswered rank highest.
    pub service: Confidence,
    /// Of the lateness of all requests.
    pub lateness: Confidence,
}

/// The intervals of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intervals {
    /// All steps as one.
    pub all: Clocks,
    /// By step name.
    pub steps: BTreeMap<String, Clocks>,
}

/// The intervals of all arrivals in `seconds`, whose steps are called `name`.
pub fn of(seconds: &[Interval], name: impl Fn(StepId) -> String) -> Intervals {
    let has = |one: &Interval| one.steps.values().any(|cell| cell.arrivals() > 0);
    let first = seconds.iter().position(has).unwrap_or(seconds.len());
    let past = seconds.iter().rposition(has).map_or(first, |last| last + 1);
    let within = seconds.get(first..past).unwrap_or_default();
    let numbers: Vec<u64> = within.iter().map(|one| u64::from(one.second)).collect();
    let cuts = batches(&numbers);
    if cuts.len() < BATCHES_MIN {
        return Intervals::default();
    }
    let mut steps: BTreeMap<StepId, Vec<Cell>> = BTreeMap::new();
    let mut all = vec![Cell::default(); cuts.len()];
    for (n, cut) in cuts.iter().enumerate() {
        for (step, cell) in within.get(cut.clone()).unwrap_or_default().iter().flat_map(|one| &one.steps) {
            let cells = steps.entry(*step).or_insert_with(|| vec![Cell::default(); cuts.len()]);
            times(&mut cells[n], cell);
        }
        for cells in steps.values() {
            times(&mut all[n], &cells[n]);
        }
    }
    let named = steps.into_iter().map(|(step, cells)| (name(step), clocks(&cells))).collect();
    Intervals { all: clocks(&all), steps: named }
}

/// Adds what intervals need.
fn times(sum: &mut Cell, cell: &Cell) {
    sum.response.merge(&cell.response);
    sum.service.merge(&cell.service);
    sum.lateness.merge(&cell.lateness);
    sum.classes.merge(&cell.classes);
}

fn clocks(cells: &[Cell]) -> Clocks {
    let lost = |cell: &Cell| cell.failed() + cell.classes.get(Class::Shed);
    Clocks {
        response: confidence(cells.iter().map(|cell| Part { bins: &cell.response.ok, unanswered: lost(cell) })),
        service: confidence(cells.iter().map(|cell| Part { bins: &cell.service.ok, unanswered: lost(cell) })),
        lateness: confidence(cells.iter().map(|cell| Part { bins: &cell.lateness, unanswered: 0 })),
    }
}

fn confidence<'a>(parts: impl Iterator<Item = Part<'a>>) -> Confidence {
    let parts: Vec<Part<'_>> = parts.collect();
    let mut merged = Bins::default();
    for part in &parts {
        merged.merge(part.bins);
    }
    let found = QUANTILES.map(|q| estimate::interval(q, &parts, &merged));
    Confidence {
        n_eff: found[1].as_ref().map(|(cluster, _)| cluster.n_eff),
        ci95: found.map(|one| one.map(|(_, (low, high))| (low, high.is_finite().then_some(high)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::tests::{answers, second};

    fn named(step: StepId) -> String {
        format!("step {}", step.0)
    }

    #[test]
    fn the_interval_of_an_account_is_that_of_a_check() {
        // 100 arrivals a second, and 1 % of them slow in every other second.
        let mut seconds: Vec<Interval> = (0..120).map(|n| second(n, 99, 0, 1_000 + u64::from(n) * 7)).collect();
        for one in seconds.iter_mut().step_by(2) {
            answers(one.steps.entry(StepId(0)).or_default(), 1, 90_000, 0);
        }
        let found = of(&seconds, named);
        let refs: Vec<&Interval> = seconds.iter().collect();
        for (n, q) in QUANTILES.into_iter().enumerate() {
            use crate::plan::threshold::{Scope, Subject};
            let check = estimate::of(Subject::Quantile(q), &Scope::default(), &refs).unwrap();
            let (low, high) = check.interval.unwrap();
            assert_eq!(found.all.response.ci95[n], Some((low, high.is_finite().then_some(high))), "{q}");
            assert!(low <= check.value && check.value <= high);
        }
        assert_eq!(found.steps["step 0"], found.all);
        assert!(found.all.response.n_eff.unwrap() < 12_000.0);
    }

    #[test]
    fn an_interval_among_the_unanswered_has_no_upper_end_and_a_short_run_none_at_all() {
        let seconds: Vec<Interval> = (0..60).map(|n| second(n, 100, 3, 1_000)).collect();
        let response = of(&seconds, named).all.response;
        assert!(matches!(response.ci95[0], Some((_, Some(_)))) && matches!(response.ci95[2], Some((_, None))));
        let short: Vec<Interval> = (0..5).map(|n| second(n, 100, 3, 1_000)).collect();
        assert_eq!(of(&short, named), Intervals::default());
    }

    #[test]
    fn seconds_before_the_first_and_after_the_last_arrival_are_no_batches() {
        let mut seconds: Vec<Interval> = (0..6).map(Interval::at).collect();
        seconds.extend((6..12).map(|n| second(n, 100, 0, 1_000)));
        let bare: Vec<Interval> = seconds[6..].to_vec();
        seconds.push(Interval::at(12));
        assert_eq!(of(&seconds, named), of(&bare, named));
    }
}
